"""Machine code for this CPU: compiled by numba once, loaded by llvmlite alone ever after.

The driver, filled with a scene's functions, is compiled to one C function `int64 paint(int64 *cells)` and kept as
object code. Loading it takes some 30 ms and neither numba nor a compiler, in this process or in a worker; calling it
through ctypes drops the GIL, so threads really paint at the same instant.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any

from render.compiler import code_cache
from render.compiler.program import ENTRY, Program
from render.compiler.settings import Settings, pack, settings
from render.compiler.underway import WHOLLY, Layout, Rectangle, Room, members
from render.errors import ModeUnavailable
from render.frame import Canvas
from render.request import Request
from render.scene import Scene

if TYPE_CHECKING:
    import numpy as np


@cache
def _llvm() -> Any:
    """llvmlite's binding, ready for this machine."""
    import llvmlite.binding as llvm

    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    return llvm


@cache
def _host() -> tuple[str, str]:
    """The CPU's name and features as LLVM writes them; numba's own variables say otherwise where they are set."""
    llvm = _llvm()
    name, have = os.environ.get("NUMBA_CPU_NAME"), os.environ.get("NUMBA_CPU_FEATURES")
    if have is None:
        have = "" if name else llvm.get_host_cpu_features().flatten()
    return name or llvm.get_host_cpu_name(), have


def features() -> frozenset[str]:
    """The names of the vector instruction sets and the like that this CPU has, as LLVM calls them."""
    return frozenset(part[1:] for part in _host()[1].split(",") if part.startswith("+"))


def object_code(made: Program, announce: Callable[[], None], waiting: Callable[[], None] = lambda: None) -> bytes:
    """From the cache, or compiled now (which is announced) and kept. `waiting`: somebody else compiles it just now."""

    def compiled() -> bytes:
        announce()
        try:
            from render.compiler import numba_front  # numba is slow to import and not needed in a second run
        except ImportError as error:
            raise ModeUnavailable(
                f"numba cannot be imported: {error}", "reinstall numba, or draw with --target python, which needs none"
            ) from error
        return numba_front.compile_program(made)

    return code_cache.obtain(made.key(_host()), compiled, waiting)


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


def kernel(made: Program, scene: Scene, request: Request, about: str, announce: Callable[[str], None]) -> NativeKernel:
    """Code that paints this request, compiled now only if it never was before."""
    about = f"{about}, {'float64' if request.precision == 'f64' else 'float32'}"
    code = object_code(
        made,
        lambda: announce(f"compiling {scene.name} for {about} ({code_cache.describe_keeping()})"),
        lambda: announce(f"waiting for another run that compiles {scene.name} for {about}"),
    )
    return NativeKernel(code, request, made.p, Layout(made.lanes, made.names.get("GROUPS", 0), made.folded), about)


class NativeKernel:
    """Object code and the numbers it needs, for one request. Sent to another process, it is loaded, not compiled."""

    def __init__(self, code: bytes, request: Request, p: tuple[Any, ...], layout: Layout, about: str) -> None:
        self.code, self.request, self.p, self.layout, self.about = code, request, tuple(p), layout, about
        self._painted: tuple[Canvas, Settings, np.ndarray] | None = None
        self._call, self._engine = _loaded(code)  # two threads may load the same code, and each needs its own
        self._members = members(self._call, settings(request), self.p) if layout.groups else 0
        self._rooms: list[Room] = []  # in use by nobody

    def __reduce__(self) -> tuple[object, ...]:
        """What another process needs to load it."""
        return NativeKernel, (self.code, self.request, self.p, self.layout, self.about)

    def _on(self, canvas: Canvas) -> np.ndarray:
        """What the code is told of this canvas and the scene, as cells; made when the canvas is first seen."""
        painted = self._painted
        if painted is None or painted[0] is not canvas:
            at = settings(self.request, canvas)
            self._painted = painted = canvas, at, pack(at, self.p)  # `at` and p hold the arrays that the cells point to
        return painted[2]

    @contextmanager
    def begin(self, canvas: Canvas, x: int, y: int, width: int, height: int) -> Iterator[Rectangle]:
        """A rectangle of the frame, to be painted bit by bit."""
        room = self._take_room()
        try:
            yield self._rectangle(canvas, x, y, width, height, room)
        finally:
            self._rooms.append(room)

    def _take_room(self) -> Room:
        try:
            return self._rooms.pop()
        except IndexError:  # all are in use
            return Room(self.request, self.layout, self._members)

    def _rectangle(self, canvas: Canvas, x: int, y: int, width: int, height: int, room: Room) -> Rectangle:
        followed, images = self.layout.rows(self.request, y, height)
        return Rectangle(self._call, self._on(canvas), (x, y, width, followed, images), room)

    def paint(self, canvas: Canvas, x: int, y: int, width: int, height: int) -> tuple[int, int]:
        """Paint a rectangle of the frame; give the steps made and the number of samples that are NaN."""
        room = self._take_room()
        try:
            went = self._rectangle(canvas, x, y, width, height, room).go(WHOLLY)
        finally:
            self._rooms.append(room)
        return went.steps, went.bad
