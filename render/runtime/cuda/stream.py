"""A stream of a graphics card: one queue of launches, with memory for one of them here and on the card.

A launch paints, copies back, and clears the tallies for the next; while one stream copies, others paint. Events on the
stream tell when each part began and ended on the card's clock; `CardClock` ties that to the host's.
"""

from __future__ import annotations

import ctypes
import os
import time
from typing import Any, Protocol

import numpy as np

from render.codegen.settings import Settings, pack_cells
from render.kernels.launch import RECORD, THREADS
from render.request import Request
from render.runtime.cuda.clock import CardClock
from render.runtime.cuda.driver import NOT_READY, asked
from render.runtime.cuda.idle import PAUSE
from render.runtime.cuda.occupancy import Hold, Room
from render.runtime.kernel import Painted
from render.runtime.launch import TALLY_BYTES, Rows, blocks, recorded, rows, size
from render.trace import Clock, Worker

NON_BLOCKING = 1  # CU_STREAM_NON_BLOCKING: does not wait for the default stream
INT32, INT64 = ctypes.c_int32, ctypes.c_int64


class Owner(Protocol):
    """What a stream needs of the device that it belongs to."""

    name: str
    driver: Any
    function: Any
    anchor: Any
    request: Request
    at: Settings
    p: tuple[Any, ...]
    clock: Clock
    events: CardClock
    timer: CardClock
    step: int
    room: Room
    most: int

    def make_current(self) -> None:
        """Have the calling thread speak to this card."""
        ...

    def place(self, array: np.ndarray) -> int:
        """Where an array that was there from the beginning lies on the card."""
        ...

    def tie_clocks(self, queue: Any) -> None:
        """Record the anchor."""
        ...


class Stream:
    """One queue of launches on a card, with memory for one launch."""

    def __init__(self, device: Owner, number: int) -> None:
        self.device = device
        self.worker = Worker(os.getpid(), number, f"{device.name} stream {number}")
        self._driver, self._clock = device.driver, device.clock
        self._queue: Any = None
        self._events: list[Any] = []
        self._bytes = 0
        self._here: Any = None  # addresses: pinned memory of this process, memory of the card
        self._there: Any = None
        self._memory = np.zeros(0, np.uint8)  # what lies here
        self._known: dict[tuple[int, int], tuple[Rows, list[int]]] = {}  # by shape: memory, cells
        self._types: tuple[Any, ...] = ()
        self._shape, self._begun, self._arrived, self._hold = (0, 0), 0, False, Hold(0, ())

    def open(self) -> None:
        """Its queue, its events, and memory for a tile of the request."""
        driver, request = self._driver, self.device.request
        self._queue = asked(driver.cuStreamCreate(NON_BLOCKING))
        for _ in range(3):
            self._events.append(asked(driver.cuEventCreate(0)))
        cells = self._reserve(min(request.tile[0], request.width), min(request.tile[1], request.height))
        if self.device.anchor is None:
            # The driver may load the kernel when it is first launched, which no clock is to learn from.
            self._launch(1, cells, (0, 0, 1, 0))  # no row is painted
            asked(driver.cuMemsetD8Async(self._there, 0, TALLY_BYTES, self._queue))
            self.device.tie_clocks(self._queue)

    def submit(self, x: int, y: int, width: int, height: int) -> None:
        """Launch a rectangle of the frame, without waiting for it. Only after `collect` of the launch before."""
        driver, device, queue, (first, second, third) = self._driver, self.device, self._queue, self._events
        device.make_current()
        cells = self._reserve(width, height)
        self._shape, self._arrived, self._begun = (width, height), False, self._clock()
        asked(driver.cuEventRecord(first, queue))
        count = blocks(width, height, device.most)
        self._launch(count, cells, (x, y, width, height))
        self._hold = device.room.take(count)
        asked(driver.cuEventRecord(second, queue))
        written = size(device.request, width, height, device.most)
        asked(driver.cuMemcpyDtoHAsync(self._here, self._there, written, queue))
        asked(driver.cuEventRecord(third, queue))
        asked(driver.cuMemsetD8Async(self._there, 0, TALLY_BYTES, queue))  # for the next, while nobody waits

    def _launch(self, count: int, cells: list[int], rectangle: tuple[int, int, int, int]) -> None:
        """Hand so many blocks to the card."""
        function, arguments = self.device.function, ((*cells, *rectangle), self._types)
        asked(self._driver.cuLaunchKernel(function, count, 1, 1, THREADS, 1, 1, 0, self._queue, arguments, 0))

    def ready(self) -> bool:
        """Whether `collect` would give the launch back at once."""
        if not self._arrived:
            self.device.make_current()  # a lost card's context may answer for all calls made in it
            result = self._driver.cuEventQuery(self._events[-1])
            if int(result[0]) == NOT_READY:
                return False
            asked(result)
            self._arrived = True
        return True

    def collect(self) -> Painted:
        """Wait for the launch; what it brought is valid until the next."""
        self.device.make_current()
        if not self._arrived:
            asked(self._driver.cuEventSynchronize(self._events[-1]))
        seen = self._clock()
        brought, _ = self._known[self._shape]
        times = self._times(seen)
        if not brought.records.size:
            return brought.painted(*self._shape, *times, None, self._begun)
        began, records = self._on_host(brought.records, *times[:2])
        return brought.painted(*self._shape, began, *times[1:], records, self._begun, self.device.step)

    def _times(self, seen: int) -> tuple[int, int, int]:
        """When the card began the launch, had painted it, and had copied it, on the host's clock."""
        clock, (first, second, third) = self.device.events, self._events
        began = self._between(self.device.anchor, first)
        painted = began + self._between(first, second)
        arrived = painted + self._between(second, third)
        blur = began >> 22  # what a number of 24 bits cannot tell
        clock.learn(began, arrived, self._begun - blur, seen + blur)
        began, painted, arrived = (
            min(max(time + clock.offset, self._begun), seen) for time in (began, painted, arrived)
        )
        # On the host's clock, on which what was told of the launches before stays as it was told.
        with_room = self.device.room.begun(self._hold, began, painted)
        return began if recorded(self.device.request) else with_room, painted, arrived

    def _between(self, first: Any, second: Any) -> int:
        return int(asked(self._driver.cuEventElapsedTime(first, second)) * 1e6)

    def _on_host(self, records: np.ndarray, began: int, painted: int) -> tuple[int, np.ndarray]:
        """When the first block began, and what all recorded, (n, 3), with its times on the host's clock."""
        told = records.reshape(-1, RECORD).T.copy()  # what is alike stands side by side
        times, clock, blur = told[1:], self.device.timer, self.device.events.error
        first = int(told[1].min())
        clock.learn(first, int(told[2].max()), began - blur, painted + blur)
        times += clock.offset
        np.maximum(times, began, out=times)
        np.minimum(times, painted, out=times)
        return min(max(first + clock.offset, began), painted), told.T

    def _reserve(self, width: int, height: int) -> list[int]:
        """Memory for a launch of this shape, and the cells that tell the threads where it is."""
        known = self._known.get((width, height))
        if known is None:
            device = self.device
            needed = size(device.request, width, height, device.most)
            if needed > self._bytes:
                self._release()
                self._allocate(needed)
            brought = rows(self._memory, device.request, width, height, device.most)
            cells = pack_cells(brought.told(device.at), device.p, address=self._address).tolist()
            self._types = (*[INT64] * len(cells), *[INT32] * 4)
            known = self._known[width, height] = brought, cells
        return known[1]

    def _allocate(self, needed: int) -> None:
        """So many bytes here and on the card, the tallies clear."""
        self._there = asked(self._driver.cuMemAlloc(needed))
        self._here = asked(self._driver.cuMemHostAlloc(needed, 0))
        self._bytes = needed
        self._memory = np.ctypeslib.as_array((ctypes.c_uint8 * needed).from_address(int(self._here)))
        asked(self._driver.cuMemsetD8Async(self._there, 0, TALLY_BYTES, self._queue))

    def _address(self, array: np.ndarray) -> int:
        """Where the card finds an array: behind the same distance in this stream's memory, or among the constants."""
        if not array.size:
            return 0
        distance = array.ctypes.data - int(self._here)
        if 0 <= distance < self._bytes:
            return int(self._there) + distance
        return self.device.place(array)

    def _release(self) -> None:
        self._known, self._memory = {}, np.zeros(0, np.uint8)
        if self._here is not None:
            self._driver.cuMemFreeHost(self._here)
        if self._there is not None:
            self._driver.cuMemFree(self._there)
        self._here, self._there, self._bytes = None, None, 0

    def busy(self) -> bool:
        """Whether anything is still to be done for it on the card, whose context must be current."""
        return self._queue is not None and int(self._driver.cuStreamQuery(self._queue)[0]) == NOT_READY

    def close(self) -> None:
        """Give everything back, when what is under way has ended."""
        while self.busy():
            time.sleep(PAUSE)
        self._release()
        for event in self._events:
            self._driver.cuEventDestroy(event)
        if self._queue is not None:
            self._driver.cuStreamDestroy(self._queue)
        self._events, self._queue = [], None
