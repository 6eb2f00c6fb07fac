"""What a first run compiles for.

Each scene compiled in a fresh process with an empty cache, beside the same program compiled by `numba.jit` and
`numba.cfunc` themselves, which make machine code of every function on the way. The seconds are CPU time of the one
thread that compiles, with numba imported before. A small picture painted with the code is compared.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from typing import Any

from harness.cases import Case, Differ, Group, Missing, Once

OURS, THEIRS = "render", "numba by itself"
GROUPS = (
    ("mandelbrot", "mandelbrot", (OURS,)),
    ("mandelbrot, beside numba", "mandelbrot", (OURS, THEIRS)),
    ("still_life", "still_life", (OURS,)),
)
SMALL = (96, 64)
BUDGET = 5.0  # seconds


def groups(quick: bool) -> Iterator[Group]:  # noqa: FBT001  (one signature for all sections)
    """One scene; where they are named, also numba itself and a larger scene; nothing in quick: it takes seconds."""
    for name, scene, ways in () if quick else GROUPS:
        make = partial(prepare, scene, ways)
        yield Group(name, ways, make, OURS, "core", seconds=0.0, cold=True, on_request=name != "mandelbrot")


def prepare(name: str, ways: tuple[str, ...], stack: ExitStack) -> Iterator[Case | Missing]:
    """Processes that compile; all pictures must be equal, which every sample checks."""
    from harness.program import ask
    from render import engine

    expected = engine.draw(ask(scene=name, size=SMALL, samples=4)).sha256
    for way in ways:
        yield Case(way, compiling(name, way, expected), equal=True, facts={"budget": BUDGET}, clock="thread")


def compiling(name: str, way: str, expected: str) -> Once:
    """Seconds that compiling takes. Raises Differ."""

    def once() -> float:
        seconds, found = compile_apart(name, way)
        if found != expected:
            raise Differ(1, 1, "pictures")
        return seconds

    return once


def compile_apart(name: str, way: str) -> tuple[float, str]:
    """Compile in a process of its own, with nothing in its cache: seconds, and the hash of a picture."""
    from harness.whole import BENCHMARKS, run

    code = f"import sys; sys.path.insert(0, {str(BENCHMARKS)!r}); from sections.compiling import report; report()"
    with tempfile.TemporaryDirectory() as empty:
        made = run([sys.executable, "-c", code, name, way], RENDER_CACHE_DIR=empty)
    seconds, digest = json.loads(made.stdout.splitlines()[-1])
    return float(seconds), str(digest)


def report() -> None:
    """Compile what the command line names, and print what it took."""
    print(json.dumps(compile_here(*sys.argv[1:])))


def compile_here(name: str, way: str) -> tuple[float, str]:
    """Compile a scene in this process."""
    import time

    import numba

    from render import engine
    from render.codegen import cpu_compiler, llvm_module
    from render.options import complete

    if way == THEIRS:
        llvm_module.compile_module = by_itself
        llvm_module.make_inlined = numba.jit(**llvm_module.INNER)
    taken = []
    compile_program = cpu_compiler.compile_program

    def timed(program: Any) -> bytes:
        t0 = time.process_time()
        code = compile_program(program)
        taken.append(time.process_time() - t0)
        return code

    cpu_compiler.compile_program = timed
    frame = engine.draw(complete(scene=name, size=SMALL, samples=4, mode="sequential"))
    return taken[0], frame.sha256


def by_itself(function: Callable[..., Any], signature: Any, name: str) -> Any:
    """Do what `render.codegen.llvm_module.compile_module` does, by numba's own means."""
    import numba

    compiled = numba.cfunc(signature, error_model="numpy", _nrt=False)(function)
    whole = compiled._library._final_module.clone()  # noqa: SLF001
    whole.get_function(compiled._wrapper_name).name = name  # noqa: SLF001
    return whole
