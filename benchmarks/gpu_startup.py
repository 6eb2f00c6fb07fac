"""Where the time of one `python -m render --mode cuda` goes, from the start of Python to the saved picture.

    python benchmarks/gpu_startup.py [OPTION...]      the options of `render draw`; it adds --mode cuda

Each line is a step's start and end in ms since the process was started, and the thread that made it: what stands
beside each other ran at the same time. Needs a GPU, and a first run that has compiled.
"""

from __future__ import annotations

import builtins
import functools
import os
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

STEPS = (  # module, and what of it is a step
    ("render.runtime.cuda.early", "_start_contexts"),
    ("render.runtime.cuda.early", "_retain_context"),
    ("render.runtime.cuda.discovery", "find"),
    ("render.runtime.cuda.discovery", "find_toolkit"),
    ("render.codegen.cuda_code", "machine_code"),
    ("render.runtime.cuda.driver", "load_bindings"),
    ("render.runtime.cuda.driver", "retain_context"),
    ("render.runtime.cuda.device", "CudaDevice._load"),
    ("render.runtime.cuda.device", "CudaDevice.streams"),
    ("render.runtime.cuda.device", "CudaDevice.close"),
    ("render.modes.cuda", "Host.run"),
    ("render.preparation", "Preparation.check_scene"),
    ("render.engine", "draw"),
    ("render.outputs", "write_pieces"),
    ("render.outputs", "save"),
    ("render.frontend.commands", "draw"),
)
TAKEN: list[tuple[float, float, str, str]] = []


def process_start() -> float:
    """Tell when this process was started, on the clock of `time.monotonic`; now, where the system does not tell."""
    try:
        fields = Path("/proc/self/stat").read_text(encoding="ascii").rpartition(") ")[2].split()
        return int(fields[19]) / os.sysconf("SC_CLK_TCK")
    except (OSError, ValueError):
        return time.monotonic()


def timed(name: str, action: Callable[..., Any]) -> Callable[..., Any]:
    """Note when an action starts and ends."""

    @functools.wraps(action)
    def noting(*values: Any, **named: Any) -> Any:
        t0 = time.monotonic()
        try:
            return action(*values, **named)
        finally:
            TAKEN.append((t0, time.monotonic(), name, threading.current_thread().name))

    return noting


def wrap(module: Any, path: str) -> None:
    """Have a function of a module, or a method of a class, noted."""
    *owners, name = path.split(".")
    owner = functools.reduce(getattr, owners, module)
    if name in vars(owner):
        setattr(owner, name, timed(path, vars(owner)[name]))


class Finder:
    """Wraps the steps of a module as soon as it has been imported, and notes long imports."""

    def __init__(self) -> None:
        self.inner = builtins.__import__

    def __call__(self, name: str, *values: Any, **named: Any) -> Any:
        """Import, as the statement does."""
        t0 = time.monotonic()
        made = self.inner(name, *values, **named)
        t1 = time.monotonic()
        if t1 - t0 > 0.02:  # seconds
            TAKEN.append((t0, t1, f"import {name}", threading.current_thread().name))
        for module, path in STEPS:
            there = sys.modules.get(module)
            if there is not None and (module, path) not in WRAPPED and not _loading(there):
                WRAPPED.add((module, path))
                wrap(there, path)
        return made


WRAPPED: set[tuple[str, str]] = set()


def _loading(module: Any) -> bool:
    return bool(getattr(module.__spec__, "_initializing", False))


def main() -> int:
    """Draw one picture, and print the steps."""
    begun = process_start()
    sys.path.insert(0, str(Path(__file__).parent.parent))
    TAKEN.append((begun, time.monotonic(), "Python itself", "MainThread"))
    vars(builtins)["__import__"] = Finder()
    from render.__main__ import run

    sys.argv = ["render", "--mode", "cuda", "--quiet", *sys.argv[1:]]
    code = run()
    end = time.monotonic()
    for t0, t1, name, thread in sorted(TAKEN):
        where = "" if thread == "MainThread" else f"  ({thread})"
        print(f"{(t0 - begun) * 1e3:8.1f} {(t1 - begun) * 1e3:8.1f} {(t1 - t0) * 1e3:8.1f}  {name}{where}")
    print(f"{(end - begun) * 1e3:8.1f} ms in all")
    return code


if __name__ == "__main__":
    sys.exit(main())
