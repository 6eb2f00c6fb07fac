"""A stream of a GPU: one queue of launches, with memory for one of them here and on the device.

A launch is told which tiles it has, paints them, copies them back, and clears what threads count in for the next; while
one stream copies, others paint. Events on the stream tell when each part began and ended on the device's clock;
`TiedClock` ties that to the host's.
"""

from __future__ import annotations

import ctypes
import os
import time
from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np

from render.codegen.settings import Settings, cell_numbers, pack_cells
from render.kernels.launch import THREADS, TILE
from render.request import Request
from render.runtime.cuda.driver import NOT_READY, check_result
from render.runtime.cuda.idle import PAUSE
from render.runtime.launch import Grid, List, Memory, Shape, Sizes, make_list, share_out, sizes
from render.runtime.painted import Painted
from render.trace import Clock, Worker
from render.trace.tied_clock import TiedClock

NON_BLOCKING = 1  # CU_STREAM_NON_BLOCKING: does not wait for the default stream
INT32, INT64 = ctypes.c_int32, ctypes.c_int64
MEMORY_CELLS = [cell_numbers(name) for name in (*Memory._fields, *List._fields)]
(COPIES,), (STRIDE,) = cell_numbers("copies"), cell_numbers("stride")
KEPT = 8  # shapes of launches whose parameters are kept


class Owner(Protocol):
    """The protocol of the device that a stream belongs to."""

    name: str
    driver: Any
    functions: Sequence[Any]
    anchor: Any
    request: Request
    at: Settings
    p: tuple[Any, ...]
    clock: Clock
    events: TiedClock
    timer: TiedClock
    step: int
    most: int
    most_listed: int

    def make_current(self) -> None:
        """Have the calling thread speak to this GPU."""
        ...

    def find_place(self, array: np.ndarray) -> int:
        """Return the GPU's address of an array that was copied when the device was opened."""
        ...

    def tie_clocks(self, queue: Any) -> None:
        """Record the anchor."""
        ...


class Known(NamedTuple):
    """A shape of launches that this stream has seen: where its parts lie here, and what the threads are told."""

    memory: Memory
    sizes: Sizes
    parameters: tuple[int, ...]


class Stream:
    """One queue of launches on a GPU, with memory for one launch. `shape`: what a launch takes of the request."""

    def __init__(self, device: Owner, number: int, shape: Shape) -> None:
        self.device, self.shape = device, shape
        self.worker = Worker(os.getpid(), number, f"{device.name} stream {number}")
        self._driver, self._clock = device.driver, device.clock
        self._queue: Any = None
        self._events: list[Any] = []
        self._bytes = 0
        self._here: Any = None  # addresses: pinned memory of this process, memory of the device
        self._there: Any = None
        self._memory = np.zeros(0, np.uint8)  # what lies here
        self._list: Any = None  # address of the list on the device
        self._list_bytes = 0
        self._listed: dict[int, int] = {}
        self._known: dict[Shape, Known] = {}
        self._cells: list[int] = []
        self._types: tuple[Any, ...] = ()
        self._launched, self._handed, self._arrived = shape, 0, False

    def open(self) -> None:
        """Create its queue and its events, and reserve memory for a launch of its shape."""
        driver = self._driver
        self._queue = check_result(driver.cuStreamCreate(NON_BLOCKING))
        for _ in range(3):
            self._events.append(check_result(driver.cuEventCreate(0)))
        known = self._reserve(self.shape)
        if self.device.anchor is None:
            # The driver may load the kernel when it is first launched, which no clock is to learn from.
            check_result(driver.cuMemsetD8Async(self._there, 0, known.sizes.cleared, self._queue))
            self._launch(((1, 1, 1), (1, 1, 1)), known.parameters, Shape(0, 1, 1))  # no tile is painted
            self.tie_clocks()

    def restart(self, shape: Shape) -> bool:
        """Make ready for launches of its device's new request. False where its memory is too small for them."""
        listed = make_list(self.device.request, shape, self.device.most_listed)
        if sizes(self.device.request, shape).whole > self._bytes or sum(a.nbytes for a in listed) > self._list_bytes:
            return False
        self.shape = self._launched = shape
        self._clock, self._known, self._cells = self.device.clock, {}, []
        return True

    def tie_clocks(self) -> None:
        """Tie the device's clock to the host's while nothing is under way."""
        self.device.tie_clocks(self._queue)

    def submit(self, rectangles: np.ndarray) -> None:
        """Launch rectangles, (n, 4) with x, y, width, height, without waiting. Only after `collect` of the last."""
        driver, device, queue, (first, second, third) = self._driver, self.device, self._queue, self._events
        device.make_current()
        shape = Shape(len(rectangles), *rectangles[:, 2:].max(axis=0).tolist())
        known = self._reserve(shape)
        cleared, back, _ = known.sizes
        known.memory.tiles[:] = rectangles.reshape(-1)
        self._launched, self._arrived, self._handed = shape, False, self._clock()
        table, size = int(self._there) + back, 4 * TILE * shape.tiles
        check_result(driver.cuMemcpyHtoDAsync(table, int(self._here) + back, size, queue))
        check_result(driver.cuMemsetD8Async(self._there, 0, cleared, queue))
        check_result(driver.cuEventRecord(first, queue))
        self._launch(shape.grids(device.most), known.parameters, shape)
        check_result(driver.cuEventRecord(second, queue))
        check_result(driver.cuMemcpyDtoHAsync(self._here, self._there, back, queue))
        check_result(driver.cuEventRecord(third, queue))

    def _launch(self, grids: tuple[Grid, Grid], parameters: tuple[int, ...], shape: Shape) -> None:
        """Hand the kernel's passes to the device, one after the other, with these grids of thread blocks."""
        arguments = ((*parameters, *shape), self._types)
        for function, grid in zip(self.device.functions, grids, strict=True):
            check_result(self._driver.cuLaunchKernel(function, *grid, THREADS, 1, 1, 0, self._queue, arguments, 0))

    def ready(self) -> bool:
        """Test whether `collect` would return the launch at once."""
        if not self._arrived:
            self.device.make_current()  # a lost GPU's context may answer for all calls made in it
            result = self._driver.cuEventQuery(self._events[-1])
            if int(result[0]) == NOT_READY:
                return False
            check_result(result)
            self._arrived = True
        return True

    def collect(self) -> Painted:
        """Wait for the launch; what it brought is valid until the next."""
        self.device.make_current()
        if not self._arrived:
            check_result(self._driver.cuEventSynchronize(self._events[-1]))
        began, painted, arrived = self._read_times(self._clock())
        return self._known[self._launched].memory.painted(
            self._launched, self._on_host, began, painted, arrived, handed=self._handed, step=self.device.step
        )

    def _read_times(self, seen: int) -> tuple[int, int, int]:
        """Times on the host's clock at which the device started the launch, had painted it, and had copied it."""
        clock, (first, second, third) = self.device.events, self._events
        began = self._measure_between(self.device.anchor, first)
        painted = began + self._measure_between(first, second)
        arrived = painted + self._measure_between(second, third)
        blur = began >> 22  # what a number of 24 bits cannot tell
        clock.learn(began, arrived, self._handed - blur, seen + blur)
        began, painted, arrived = (
            min(max(time + clock.offset, self._handed), seen) for time in (began, painted, arrived)
        )
        return began, painted, arrived

    def _measure_between(self, first: Any, second: Any) -> int:
        return int(check_result(self._driver.cuEventElapsedTime(first, second)) * 1e6)

    def _on_host(self, times: np.ndarray, began: int, painted: int) -> None:
        """Put times of the device, of a launch that it painted then, on the host's clock, in place."""
        clock, blur = self.device.timer, self.device.events.error
        clock.learn(int(times.min()), int(times.max()), began - blur, painted + blur)
        times += clock.offset
        np.clip(times, began, painted, out=times)

    def _reserve(self, shape: Shape) -> Known:
        """Memory for a launch of this shape, and what tells the threads where it is."""
        known = self._known.get(shape)
        if known is None:
            device = self.device
            needed = sizes(device.request, shape)
            if needed.whole > self._bytes:
                self._release()
                self._allocate(needed.whole)
            memory = share_out(self._memory, device.request, shape)
            self._place_list(make_list(device.request, shape, device.most_listed))
            parameters = self._make_parameters(memory)
            if len(self._known) == KEPT:
                del self._known[next(iter(self._known))]
            known = self._known[shape] = Known(memory, needed, tuple(parameters))
        return known

    def _place_list(self, listed: List) -> None:
        """Have memory of the device for a launch's list, which has none here: an array only says how long it is."""
        needed = sum(array.nbytes for array in listed)
        if needed > self._list_bytes:
            self._release_list()
            self._list, self._list_bytes = check_result(self._driver.cuMemAlloc(needed)), needed
            self._known = {}
        self._listed = {
            listed.room.ctypes.data: int(self._list),
            listed.waiting.ctypes.data: int(self._list) + listed.room.nbytes,
        }
        self._lists = listed

    def _release_list(self) -> None:
        if self._list is not None:
            self._driver.cuMemFree(self._list)
        self._list, self._list_bytes = None, 0

    def _make_parameters(self, memory: Memory) -> list[int]:
        """The parameters of the threads: the same for all launches, but for the addresses of this one's memory."""
        at = self._lists.settings(memory.settings(self.device.at))
        if not self._cells:
            told = pack_cells(at, self.device.p, address=self._find_address)
            self._cells, self._types = told.tolist(), (*[INT64] * len(told), *[INT32] * len(Shape._fields))
        cells = list(self._cells)
        for array, (address, length) in zip((*memory, *self._lists), MEMORY_CELLS, strict=True):
            cells[address], cells[length] = self._find_address(array), array.size
        cells[COPIES], cells[STRIDE] = at.copies, at.stride
        return cells

    def _allocate(self, needed: int) -> None:
        """Reserve so many bytes here and on the device."""
        self._there = check_result(self._driver.cuMemAlloc(needed))
        self._here = check_result(self._driver.cuMemHostAlloc(needed, 0))
        self._bytes = needed
        self._memory = np.ctypeslib.as_array((ctypes.c_uint8 * needed).from_address(int(self._here)))

    def _find_address(self, array: np.ndarray) -> int:
        """Locate an array for the device: behind the same distance in this stream's memory, or among the constants."""
        if not array.size:
            return 0
        if array.ctypes.data in self._listed:
            return self._listed[array.ctypes.data]
        distance = array.ctypes.data - int(self._here)
        if 0 <= distance < self._bytes:
            return int(self._there) + distance
        return self.device.find_place(array)

    def _release(self) -> None:
        self._known, self._memory = {}, np.zeros(0, np.uint8)
        if self._here is not None:
            self._driver.cuMemFreeHost(self._here)
        if self._there is not None:
            self._driver.cuMemFree(self._there)
        self._here, self._there, self._bytes = None, None, 0

    def busy(self) -> bool:
        """Test whether it has work left on the device, whose context must be current."""
        return self._queue is not None and int(self._driver.cuStreamQuery(self._queue)[0]) == NOT_READY

    def close(self) -> None:
        """Give everything back, when what is under way has ended."""
        while self.busy():
            time.sleep(PAUSE)
        self._release()
        self._release_list()
        for event in self._events:
            self._driver.cuEventDestroy(event)
        if self._queue is not None:
            self._driver.cuStreamDestroy(self._queue)
        self._events, self._queue = [], None
