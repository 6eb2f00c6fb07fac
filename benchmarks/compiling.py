"""What a first run compiles for: each scene against its budget, and against numba left to itself.

    python benchmarks/compiling.py [TIMES]

Each figure is the least of TIMES processes, in which numba is imported before the clock starts: seconds of CPU, which
are those of the clock where nothing else runs, for one thread does it all. "by itself" compiles the same program with
`numba.jit` and `numba.cfunc`, which make machine code of every function on the way; its picture must be equal before
a time counts. Exit 1 where a scene is over its budget.
"""

from __future__ import annotations

import json
import platform
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

from render import machine, scene

BUDGET = 5.0  # seconds
WAYS = ("at once", "by itself")


def by_itself(function: Callable[..., Any], signature: Any, name: str) -> Any:
    """What `render.codegen.llvm_module.compile_module` does, by numba's own means."""
    import numba

    compiled = numba.cfunc(signature, error_model="numpy", _nrt=False)(function)
    whole = compiled._library._final_module.clone()  # noqa: SLF001
    whole.get_function(compiled._wrapper_name).name = name  # noqa: SLF001
    return whole


def compiling(name: str, way: str) -> tuple[float, int, str]:
    """Compile a scene: seconds, bytes of object code, hash of a small picture painted with it."""
    import numba

    from render import engine
    from render.codegen import cpu_compiler, llvm_module
    from render.options import complete

    if way == "by itself":
        llvm_module.compile_module = by_itself
        llvm_module.make_inlined = numba.jit(**llvm_module.INNER)
    taken, size = [], []
    compile_program = cpu_compiler.compile_program

    def timed(program: Any) -> bytes:
        t0 = time.process_time()
        code = compile_program(program)
        taken.append(time.process_time() - t0)
        size.append(len(code))
        return code

    cpu_compiler.compile_program = timed
    frame = engine.draw(complete(scene=name, size=(96, 64), mode="sequential"))
    return taken[0], size[0], frame.sha256


def apart(name: str, way: str) -> tuple[float, int, str]:
    """The same in a process of its own, with nothing in its cache."""
    import os
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(  # noqa: S603
            [sys.executable, __file__, "--one", name, way],
            env=os.environ | {"RENDER_CACHE_DIR": folder},
            capture_output=True,
            text=True,
            check=True,
        )
    seconds, size, digest = json.loads(done.stdout.splitlines()[-1])
    return seconds, size, digest


def main(times: int) -> int:
    """Print one line for each scene."""
    print(f"{machine.cpu_name()}, {machine.cpus()} CPUs, Python {platform.python_version()}, least of {times}")
    print(f"scene          at once   by itself   ratio   object code   (budget {BUDGET:g} s)")
    over = False
    for name in scene.names():
        found = {way: [] for way in WAYS}  # type: dict[str, list[tuple[float, int, str]]]
        for _ in range(times):
            for way in WAYS:
                found[way].append(apart(name, way))
        if len({digest for runs in found.values() for _, _, digest in runs}) != 1:
            sys.exit(f"{name}: the pictures differ: no figure")
        ours, theirs = (min(runs)[0] for runs in found.values())
        over |= ours > BUDGET
        size = found["at once"][0][1]
        print(f"{name:12}  {ours:6.2f} s    {theirs:6.2f} s   {theirs / ours:5.2f}   {size / 1024:8.0f} KiB")
    return int(over)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        print(json.dumps(compiling(*sys.argv[2:])))
    else:
        sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 3))
