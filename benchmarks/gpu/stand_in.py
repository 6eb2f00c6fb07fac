"""NVIDIA's driver for a process without a GPU: what mode cuda costs the host is measured beside it.

The stand-in paints nothing. Its launches leave a record for each square, as a GPU would, and take no time; so what is
left is the host's own: from the mode's `run` to a trace with its spans and figures. It is CPU time, which other
programs disturb less; the host never waits here, so on an idle machine that is the time that passes.
"""

from __future__ import annotations

import ctypes
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from render import modes, scene, stats
from render.codegen.settings import cell_numbers
from render.frame import open_canvas
from render.kernels.launch import RECORD
from render.options import complete
from render.painting.painter import Launcher
from render.plan import cut
from render.request import Request
from render.runtime.cuda.device import CudaDevice
from render.runtime.cuda.discovery import Gpu
from render.runtime.kernel import LaunchKernel
from render.runtime.launch import STREAMS, Shape, launches
from render.trace import Recorder, Trace

STAND_IN = Gpu(0, "Stand-in", 1 << 34, 132, (9, 0), (13, 0))
ACROSS, SQUARE_NS = 132 * 20, 4000  # warps that paint at once; ns that a square takes
FORMER: dict[int, list[np.ndarray]] = {}  # pinned memory of former frames, by size
RECORDS, FREE = cell_numbers("records")[0], 1 << 34


class StandIn:
    """The driver's entry points. What is written on the device stands in the host's memory at once."""

    def __init__(self) -> None:
        self._pieces: list[np.ndarray] = []  # of pinned memory
        self._next, self._allocated = 1 << 40, 0
        self._places: dict[int, int] = {}  # of the device's memory that is copied: where it is copied to

    def __getattr__(self, name: str) -> Callable[..., tuple[Any, ...]]:
        if not name.startswith("cu"):
            raise AttributeError(name)
        return lambda *_: (0, [0])

    def cuMemGetInfo(self) -> tuple[int, int, int]:  # noqa: N802  (the driver's names)
        """Plenty."""
        return 0, FREE, FREE

    def cuMemAlloc(self, size: int) -> tuple[int, int]:  # noqa: N802
        """An address that nothing stands at."""
        self._next, self._allocated = self._next + size, self._next
        return 0, self._allocated

    def cuMemHostAlloc(self, size: int, _flags: int) -> tuple[int, int]:  # noqa: N802
        """Memory for what the last piece of the device's holds, which a former frame may have touched."""
        if not FORMER.get(size):
            FORMER[size] = [np.full(size, 0, np.uint8)]
        self._pieces.append(FORMER[size].pop())
        self._places[self._allocated] = address = self._pieces[-1].ctypes.data
        return 0, address

    def keep_memory(self) -> None:
        """Keep the memory for another frame: first touches of memory would cost more than tiles do."""
        while self._pieces:
            piece = self._pieces.pop()
            FORMER.setdefault(piece.nbytes, []).append(piece)

    def cuOccupancyMaxActiveBlocksPerMultiprocessor(self, *_: Any) -> tuple[int, int]:  # noqa: N802
        """Answer as for blocks of four warps."""
        return 0, 5

    def cuEventRecord(self, event: list[int], _queue: Any) -> tuple[int]:  # noqa: N802
        """Now."""
        event[0] = time.perf_counter_ns()
        return (0,)

    def cuEventElapsedTime(self, first: list[int], last: list[int]) -> tuple[int, float]:  # noqa: N802
        """In ms."""
        return 0, (last[0] - first[0]) / 1e6

    def cuLaunchKernel(self, _function: Any, _blocks: int, *rest: Any) -> tuple[int]:  # noqa: N802
        """Leave a record of each square, as if so many warps took them in turn."""
        values, _ = rest[-2]
        shape = Shape(*values[-3:])
        if shape.tiles:
            there = values[RECORDS]
            base = max(place for place in self._places if place <= there)
            count = shape.tiles * shape.squares
            at = self._places[base] + there - base
            records = np.ctypeslib.as_array((ctypes.c_int64 * (RECORD * count)).from_address(at)).reshape(-1, RECORD)
            numbers = np.arange(count)
            records[:, 0] = numbers % STAND_IN.multiprocessors
            records[:, 1] = time.perf_counter_ns() + numbers // ACROSS * SQUARE_NS
            records[:, 2] = records[:, 1] + SQUARE_NS
        return (0,)


def host_seconds(size: tuple[int, int], tile: tuple[int, int]) -> float:
    """Measure the CPU time of one frame from the mode's `run` to its figures."""
    request = complete(mode="cuda", simulate=True, size=size, samples=1, tile=tile)
    tiles, recorder = cut(request), Recorder()
    driver = StandIn()
    kernel = LaunchKernel(lambda _: _device(request, driver), STAND_IN.name, "nothing", min(launches(request), STREAMS))
    with open_canvas(request, shared=False) as surface:
        surface.rgb.fill(1)  # the system has given its memory before
        if surface.steps is not None:
            surface.steps.fill(1)
        t0 = time.process_time()
        done = list(modes.load("cuda").run(tiles, Launcher(request, surface, kernel, recorder)))
        figures = stats.of(Trace(recorder.drain(), 0, 0, time.perf_counter_ns(), {}))
        spent = time.process_time() - t0
    driver.keep_memory()
    assert figures.tiles == len(tiles) == len(done)
    return spent


def _device(request: Request, driver: StandIn) -> CudaDevice:
    p = tuple(scene.load(request.scene).prepared(request))
    return CudaDevice(STAND_IN, b"", request, p, time.perf_counter_ns, driver)
