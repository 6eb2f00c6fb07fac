"""Machine code for this CPU: compiled by numba once, loaded by llvmlite alone ever after.

The driver, filled with a scene's functions, is compiled to one C function `int64 paint(int64 *cells)` and kept as
object code. Loading it takes some 30 ms and neither numba nor a compiler, in this process or in a worker; calling it
through ctypes drops the GIL, so threads really paint at the same instant.
"""

from __future__ import annotations

import ctypes
import hashlib
import os
import sys
from collections.abc import Callable
from functools import cache, lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from render import primitives
from render.compiler import code_cache, driver, slots
from render.compiler.retarget import fingerprint
from render.compiler.settings import Settings, pack, settings
from render.frame import Canvas
from render.request import Request
from render.scene import Scene

PATCHES = {64: (8, 8), 32: (8, 4), 16: (4, 4), 8: (4, 2), 4: (2, 2), 1: (1, 1)}  # lanes: pixels across, down
ENTRY = "render_paint"
WORDS = {getattr(primitives, name): getattr(primitives, name) for name in primitives.NAMES}


class Program(NamedTuple):
    """What is compiled: the driver with a scene in its slots, for so many lanes of one precision."""

    slots: dict[Callable[..., Any], Callable[..., Any]]
    names: dict[str, Any]
    lanes: int
    precision: str
    p: tuple[Any, ...]

    def key(self) -> str:
        """Names everything that the object code depends on (hex)."""
        shape = [(name, value.dtype.str if isinstance(value, np.ndarray) else type(value).__name__)
                 for name, value in self.p._asdict().items()]  # type: ignore[attr-defined]
        about = (
            fingerprint(driver.paint, words=WORDS, slots=self.slots, names=self.names),
            self.lanes,
            self.precision,
            shape,
            _compiler(),
            _host(),
        )
        return hashlib.sha256(repr(about).encode()).hexdigest()


def program(scene: Scene, request: Request, lanes: int, block: int) -> Program:
    """The driver for this scene and request. `block`: steps between two tests, for absorbing scenes."""
    functions = scene.functions
    never = functions.get("never_ends") if scene.inside_flat else None
    wide, high = PATCHES[lanes]
    return Program(
        slots={
            slots.start: functions["start"],
            slots.step: functions["step"],
            slots.alive: functions["alive"],
            slots.shade: functions["shade"],
            slots.never_ends: never or driver.no_lane,
            slots.follow: driver.follow_in_blocks if scene.absorbing else driver.follow_every_step,
        },
        names={"BLOCK": block, "PATCH_WIDTH": wide, "PATCH_HEIGHT": high},
        lanes=lanes,
        precision=request.precision,
        p=scene.prepared(request),
    )


@cache
def _compiler() -> tuple[str, ...]:
    """Everything on our side and numba's that shapes the code, besides the driver and the scene."""
    own = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        own.update(path.read_bytes())
    chosen = [f"{name}={value}" for name, value in sorted(os.environ.items()) if name.startswith("NUMBA_")]
    return own.hexdigest(), version("numba"), version("llvmlite"), version("numpy"), sys.version, *chosen


@cache
def _llvm() -> Any:
    """llvmlite's binding, ready for this machine."""
    import llvmlite.binding as llvm

    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    return llvm


@cache
def _host() -> tuple[str, str]:
    llvm = _llvm()
    return llvm.get_host_cpu_name(), llvm.get_host_cpu_features().flatten()


def features() -> frozenset[str]:
    """The names of the vector instruction sets and the like that this CPU has, as LLVM calls them."""
    return frozenset(part[1:] for part in _host()[1].split(",") if part.startswith("+"))


def object_code(made: Program, announce: Callable[[], None]) -> bytes:
    """From the cache, or compiled now (which is announced) and kept."""
    key = made.key()
    code = code_cache.read(key)
    if code is None:
        announce()
        from render.compiler import numba_front  # numba is slow to import and not needed in a second run

        code = numba_front.compile_program(made)
        code_cache.write(key, code)
    return code


@lru_cache(maxsize=32)
def _loaded(code: bytes) -> tuple[Any, Any]:
    """The C function in this object code, and the engine that must outlive it."""
    llvm = _llvm()
    machine = llvm.Target.from_default_triple().create_target_machine(jit=True)
    engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), machine)
    engine.add_object_file(llvm.ObjectFileRef.from_data(code))
    engine.finalize_object()
    call = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_void_p)(engine.get_function_address(ENTRY))
    return call, engine


def kernel(
    scene: Scene, request: Request, lanes: int, block: int, about: str, announce: Callable[[str], None]
) -> NativeKernel:
    """Code for so many lanes that paints this request, compiled now only if it never was before."""
    made = program(scene, request, lanes, block)
    bits = "float64" if request.precision == "f64" else "float32"
    about = f"{about}, {bits}"
    code = object_code(made, lambda: announce(f"compiling {scene.name} for {about} (once; kept for later runs)"))
    return NativeKernel(code, request, made.p, PATCHES[lanes][1], about)


class NativeKernel:
    """Object code and the numbers it needs, for one request. Sent to another process, it is loaded, not compiled."""

    def __init__(self, code: bytes, request: Request, p: tuple[Any, ...], rows: int, about: str) -> None:
        self.code, self.request, self.p, self.rows, self.about = code, request, tuple(p), rows, about
        self._settings: Settings | None = None
        self._canvas: Canvas | None = None
        self._call = _loaded(code)[0]

    def __reduce__(self) -> tuple[object, ...]:
        """What another process needs to load it."""
        return NativeKernel, (self.code, self.request, self.p, self.rows, self.about)

    def paint(self, canvas: Canvas, x: int, y: int, width: int, height: int) -> tuple[int, int]:
        """Paint a rectangle of the frame; give the steps made and the number of samples that are NaN."""
        if self._canvas is not canvas:
            self._settings, self._canvas = settings(self.request, canvas), canvas
        assert self._settings is not None
        outcome = np.zeros(1, np.int64)
        at = self._settings._replace(x=x, y=y, width=width, height=height, outcome=outcome)
        cells = pack(at, self.p)
        steps = self._call(cells.ctypes.data)
        return int(steps), int(outcome[0])
