"""The host's side of a graphics card: its memory, its streams, and launches that do not wait for each other.

A stream has memory of its own on both sides (pinned here, so that the card copies by itself), and takes one launch at
a time: clear the tallies, paint, copy back. While one stream copies, others paint. Events on the stream tell when each
part began and ended on the card's clock; one event recorded at a known time ties that clock to the host's.

Only the driver's own interface is used, through cuda-bindings; numba has no part in this.
"""

from __future__ import annotations

import ctypes
import os
from functools import cache
from typing import Any

import numpy as np

from render.cards import Card
from render.compiler.launch import TALLY_BYTES, THREADS, Painted, Rows, blocks, rows, size
from render.compiler.program import ENTRY
from render.compiler.settings import pack, settings
from render.errors import RenderError
from render.request import Request
from render.trace import Clock, Worker

NOT_READY = 600  # CUresult of a query
FAILURES = {  # by CUresult: what has happened to the card, not to one tile
    2: ("the card has no memory left", "end other programs that use it, or give a smaller --tile"),
    46: ("the card is taken by another program", "try again when it is free"),
    200: ("the driver does not take the kernel", "update NVIDIA's driver"),
    209: ("the driver does not take the kernel", "update NVIDIA's driver"),
    214: ("the card found an error in its memory", "see what nvidia-smi says"),
    218: ("the driver does not take the kernel", "update NVIDIA's driver"),
    222: ("the driver does not take the kernel", "update NVIDIA's driver"),
    702: (
        "the driver stopped a launch that took too long, as it does on a card with a display",
        "give a smaller --tile",
    ),
    709: ("the card was lost", "see what nvidia-smi says, and draw again"),
    999: ("the card was lost", "see what nvidia-smi says, and draw again"),
}
NON_BLOCKING = 1  # CU_STREAM_NON_BLOCKING: does not wait for the default stream
COMPARISONS = 3  # of the two clocks; the first calls are slow, the last counts


class LaunchFailed(Exception):
    """A launch went wrong in a way that may be the tile's own."""


def asked(result: tuple[Any, ...]) -> Any:
    """What a call of the driver gave. Raises RenderError where the card is at fault, LaunchFailed otherwise."""
    code, *values = result
    if int(code):
        name = getattr(code, "name", f"CUDA error {int(code)}")
        if int(code) in FAILURES:
            reason, remedy = FAILURES[int(code)]
            raise RenderError(f"{reason} ({name})", remedy)
        raise LaunchFailed(name)
    return values[0] if values else None


@cache
def _bindings() -> Any:
    """NVIDIA's driver interface, started."""
    from cuda.bindings import driver

    asked(driver.cuInit(0))
    return driver


@cache
def _context(driver: Any, number: int) -> Any:
    """The one context of a card that all of a process shares; making it takes a while, so it is kept to the end."""
    return asked(driver.cuDevicePrimaryCtxRetain(asked(driver.cuDeviceGet(number))))


class Device:
    """One card with a kernel and its constants loaded, for one request. `clock` is the host's, in ns.

    Raises RenderError where the card does not take them.
    """

    def __init__(
        self, card: Card, code: bytes, request: Request, p: tuple[Any, ...], clock: Clock, driver: Any = None
    ) -> None:
        self.card, self.request, self.p, self.clock = card, request, p, clock
        self.driver = driver if driver is not None else _bindings()
        self.context = _context(self.driver, card.number)
        self.make_current()
        self.at = settings(request)
        self._streams: list[Stream] = []
        self._places: dict[int, Any] = {}  # where an array of this process lies on the card
        self._module = asked(self.driver.cuModuleLoadData(code))
        self.function = asked(self.driver.cuModuleGetFunction(self._module, ENTRY.encode()))
        occupancy = self.driver.cuOccupancyMaxActiveBlocksPerMultiprocessor(self.function, THREADS, 0)
        self.most = asked(occupancy) * card.multiprocessors  # blocks that it holds at once
        for array in (*self.at, *p):
            if isinstance(array, np.ndarray) and array.size:
                place = asked(self.driver.cuMemAlloc(array.nbytes))
                self._places[array.ctypes.data] = place
                asked(self.driver.cuMemcpyHtoD(place, array.ctypes.data, array.nbytes))
        asked(self.driver.cuCtxSynchronize())

    def make_current(self) -> None:
        """Have the calling thread speak to this card."""
        asked(self.driver.cuCtxSetCurrent(self.context))

    def place(self, array: np.ndarray) -> int:
        """Where an array that was there from the beginning lies on the card."""
        return int(self._places[array.ctypes.data])

    def streams(self, count: int) -> list[Stream]:
        """So many streams."""
        self.make_current()
        while len(self._streams) < count:
            self._streams.append(Stream(self, len(self._streams)))
        return self._streams[:count]

    def close(self) -> None:
        """Wait for what is under way and give all memory back. What fails now no longer matters."""
        driver = self.driver
        driver.cuCtxSetCurrent(self.context)
        driver.cuCtxSynchronize()
        for stream in self._streams:
            stream.close()
        for place in self._places.values():
            driver.cuMemFree(place)
        driver.cuModuleUnload(self._module)
        self._streams, self._places = [], {}


class Stream:
    """One queue of launches on a card, with memory for one launch."""

    def __init__(self, device: Device, number: int) -> None:
        self.worker = Worker(os.getpid(), number, f"{device.card.name} stream {number}")
        self._device, self._driver, self._clock = device, device.driver, device.clock
        self._shape, self._bytes = (0, 0), 0
        self._here: Any = None  # addresses: pinned memory of this process, memory of the card
        self._there: Any = None
        self._cells: list[int] = []  # what every thread is told, for launches of this shape
        self._begun = 0
        self._queue = asked(self._driver.cuStreamCreate(NON_BLOCKING))
        self._events = [asked(self._driver.cuEventCreate(0)) for _ in range(3)]
        self._anchor = asked(self._driver.cuEventCreate(0))
        self._anchored, self.uncertainty = self._tie_clocks()

    def _tie_clocks(self) -> tuple[int, int]:
        """The host's time of the anchor event, and by how much it may be wrong (ns)."""
        before = after = 0
        for _ in range(COMPARISONS):
            before = self._clock()
            asked(self._driver.cuEventRecord(self._anchor, self._queue))
            asked(self._driver.cuEventSynchronize(self._anchor))
            after = self._clock()
        return (before + after) // 2, (after - before + 1) // 2

    def begin(self, x: int, y: int, width: int, height: int) -> None:
        """Launch a rectangle of the frame, without waiting for it. Only after `end` of the launch before."""
        driver, queue, (first, second, third) = self._driver, self._queue, self._events
        self._device.make_current()
        self._reserve(width, height)
        self._begun = self._clock()
        count = blocks(width, height, self._device.most)
        arguments = (*self._cells, x, y, width, height), (*[ctypes.c_int64] * len(self._cells), *[ctypes.c_int32] * 4)
        asked(driver.cuMemsetD8Async(self._there, 0, TALLY_BYTES, queue))
        asked(driver.cuEventRecord(first, queue))
        asked(driver.cuLaunchKernel(self._device.function, count, 1, 1, THREADS, 1, 1, 0, queue, arguments, 0))
        asked(driver.cuEventRecord(second, queue))
        asked(driver.cuMemcpyDtoHAsync(self._here, self._there, self._size(width, height), queue))
        asked(driver.cuEventRecord(third, queue))

    def done(self) -> bool:
        """Whether `end` would give the launch back at once."""
        self._device.make_current()
        result = self._driver.cuEventQuery(self._events[-1])
        if int(result[0]) == NOT_READY:
            return False
        asked(result)
        return True

    def end(self) -> Painted:
        """Wait for the launch; what it brought is valid until the next."""
        self._device.make_current()
        asked(self._driver.cuEventSynchronize(self._events[-1]))
        now = self._clock()
        began, painted, arrived = (
            min(max(self._anchored + self._since_anchor(event), self._begun), now) for event in self._events
        )
        return self._rows().painted(*self._shape, began, painted, arrived)

    def _since_anchor(self, event: Any) -> int:
        milliseconds = asked(self._driver.cuEventElapsedTime(self._anchor, event))
        return int(milliseconds * 1e6)

    def _rows(self) -> Rows:
        memory = np.ctypeslib.as_array((ctypes.c_uint8 * self._bytes).from_address(int(self._here)))
        return rows(memory, self._device.request, *self._shape, self._device.most)

    def _size(self, width: int, height: int) -> int:
        return size(self._device.request, width, height, self._device.most)

    def _reserve(self, width: int, height: int) -> None:
        """Memory for a launch of this shape, and the cells that tell the threads where it is."""
        if (width, height) == self._shape:
            return
        device, driver = self._device, self._driver
        needed = self._size(width, height)
        if needed > self._bytes:
            self._release()
            self._there = asked(driver.cuMemAlloc(needed))
            self._here = asked(driver.cuMemHostAlloc(needed, 0))
            self._bytes = needed
        self._shape = width, height
        self._cells = pack(self._rows().told(device.at), device.p, address=self._address).tolist()

    def _address(self, array: np.ndarray) -> int:
        """Where the card finds an array: behind the same distance in this stream's memory, or among the constants."""
        if not array.size:
            return 0
        distance = array.ctypes.data - int(self._here)
        if 0 <= distance < self._bytes:
            return int(self._there) + distance
        return self._device.place(array)

    def _release(self) -> None:
        if self._here is not None:
            self._driver.cuMemFreeHost(self._here)
        if self._there is not None:
            self._driver.cuMemFree(self._there)
        self._here, self._there, self._bytes, self._shape = None, None, 0, (0, 0)

    def close(self) -> None:
        """Give everything back; the card must have finished."""
        self._release()
        for event in (*self._events, self._anchor):
            self._driver.cuEventDestroy(event)
        self._driver.cuStreamDestroy(self._queue)
