"""Machine code for this CPU: compiled by numba once, loaded by llvmlite alone ever after.

The driver, filled with a scene's functions, is compiled to one C function `int64 paint(int64 *cells)` and kept as
object code. Loading it takes some 30 ms and neither numba nor a compiler, in this process or in a worker; calling it
through ctypes drops the GIL, so threads really paint at the same instant.
"""

from __future__ import annotations

import ctypes
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

from render.codegen import code_cache, host, plain_numba
from render.codegen.program import ENTRY, Program
from render.codegen.settings import pack_cells, request_settings
from render.errors import ModeUnavailable
from render.frame import Canvas
from render.kernels import slots
from render.pace import Pace
from render.parameters import P
from render.request import Request
from render.runtime.cpu.underway import Layout, Rectangle, Workspace, WorkspacePool, count_members
from render.runtime.kernel import CpuKernel
from render.scene import Scene

SLICE_NS = 20_000_000  # no signal is handled meanwhile: short for Ctrl-C, long beside the 10 us between two
GROWTH = 8.0


def obtain_object_code(
    program: Program, announce: Callable[[], None], waiting: Callable[[], None] = lambda: None
) -> bytes:
    """Read object code from the cache, or compile it now (which is announced) and keep it."""

    def compile_now() -> bytes:
        announce()
        try:
            with plain_numba.import_plainly():
                from render.codegen import cpu_compiler  # numba is slow to import and not needed in a second run
        except ImportError as error:
            raise ModeUnavailable(
                f"numba cannot be imported: {error}", "reinstall numba, or draw with --target python, which needs none"
            ) from error
        return cpu_compiler.compile_program(program)

    return code_cache.obtain_code(program.cache_key("cpu", host.cpu_target()), compile_now, waiting)


@lru_cache(maxsize=32)
def _load_function(code: bytes) -> tuple[Any, Any]:
    """Load the C function in this object code; return it and the engine that must outlive it."""
    address, engine = host.load_code(code, ENTRY)
    return ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_void_p)(address), engine


def make_kernel(
    program: Program, scene: Scene, request: Request, about: str, announce: Callable[[str], None]
) -> NativeKernel:
    """Make a kernel that paints this request; compile only if the cache lacks its code."""
    about = f"{about}, {'float64' if request.precision == 'f64' else 'float32'}"
    code = obtain_object_code(
        program,
        lambda: announce(f"compiling {scene.name} for {about} ({code_cache.describe_caching()}) ..."),
        lambda: announce(f"waiting for another run to compile {scene.name} for {about} ..."),
    )
    layout = Layout(program.lanes, program.slots.get(slots.GROUPS, 0), mirrored=program.is_mirrored(request, program.p))
    return NativeKernel(code, request, program.p, layout, about, is_mirrored=program.is_mirrored)


class NativeKernel(CpuKernel):
    """Object code and the numbers it needs, for one request. Sent to another process, it is loaded, not compiled."""

    def __init__(
        self,
        code: bytes,
        request: Request,
        p: P,
        layout: Layout,
        about: str,
        is_mirrored: Callable[[Request, P], bool] | None = None,
        like: NativeKernel | None = None,
    ) -> None:
        """`folds` tests whether another request is folded; `like`: a kernel that has this code loaded."""
        self.code, self.request, self.p, self.layout, self.about = code, request, tuple(p), layout, about
        self._is_mirrored = is_mirrored
        self._call: Callable[[int], int]
        self._engine: Any
        self._workspaces: WorkspacePool
        self._at = request_settings(request)  # it and p hold the arrays that the cells point to
        self._cells = pack_cells(self._at, self.p)
        self.pace = Pace(SLICE_NS, GROWTH)  # the threads' together
        if like is not None:
            self._call, self._engine, self._workspaces = like._call, like._engine, like._workspaces
            return
        self._call, self._engine = _load_function(code)  # two threads may load the same code, and each needs its own
        self._workspaces = WorkspacePool(layout, count_members(self._call, self._at, self.p) if layout.groups else 0)

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle the code and its numbers; another process loads them."""
        return NativeKernel, (self.code, self.request, self.p, self.layout, self.about)

    def for_request(self, request: Request, p: P) -> NativeKernel:
        """Reuse the loaded code with the numbers of another request."""
        mirrored = self._is_mirrored is not None and self._is_mirrored(request, p)
        return NativeKernel(
            self.code,
            request,
            p,
            self.layout._replace(mirrored=mirrored),
            self.about,
            is_mirrored=self._is_mirrored,
            like=self,
        )

    @contextmanager
    def start_rectangle(self, canvas: Canvas, x: int, y: int, width: int, height: int) -> Iterator[Rectangle]:
        """Start a rectangle of the frame, to be painted slice by slice."""
        workspace = self._workspaces.take(self.request)
        try:
            yield self._make_rectangle(canvas, x, y, width, height, workspace)
        finally:
            self._workspaces.give_back(self.request, workspace)

    def _make_rectangle(
        self, canvas: Canvas, x: int, y: int, width: int, height: int, workspace: Workspace
    ) -> Rectangle:
        assert canvas.covers(x, y, width, height), "else pixels would be written anywhere"
        followed, images = self.layout.split_rows(self.request, y, height)
        return Rectangle(self._call, self._cells, (x, y, width, followed, images), canvas, workspace)

    def paint(self, canvas: Canvas, x: int, y: int, width: int, height: int) -> tuple[int, int]:
        """Paint a rectangle of the frame; give the steps made and the number of samples that are NaN.

        It is done in slices, between which Python heeds signals.
        """
        steps, bad, done = 0, 0, False
        workspace = self._workspaces.take(self.request)
        try:
            rectangle = self._make_rectangle(canvas, x, y, width, height, workspace)
            while not done:
                t0, budget = time.perf_counter_ns(), self.pace.budget
                more, nan, done = rectangle.paint_slice(budget)
                self.pace.learn(budget, time.perf_counter_ns() - t0, done=done)
                self.on_slice()
                steps, bad = steps + more, bad + nan
        finally:
            self._workspaces.give_back(self.request, workspace)
        return steps, bad
