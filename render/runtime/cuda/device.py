"""A GPU with a kernel and its constants loaded, and the streams that launch it (`stream`)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from render.codegen.program import ENTRIES
from render.codegen.settings import Settings, request_settings
from render.kernels.launch import THREADS
from render.request import Request
from render.runtime import launch
from render.runtime.cuda.discovery import Gpu
from render.runtime.cuda.driver import (
    OUT_OF_MEMORY,
    GpuFailed,
    LaunchFailed,
    check_result,
    describe_start_failure,
    load_driver,
    retain_context,
)
from render.runtime.cuda.idle import when_idle
from render.runtime.cuda.stream import Stream
from render.runtime.launch import MOST_BYTES, fit
from render.trace import Clock
from render.trace.tied_clock import TiedClock

COMPARISONS = 3  # of the two clocks; the first calls are slow, the last counts
LEAST_BYTES = 1 << 18  # of a launch: where there is less than that, there is no memory
FINISHING = 4  # blocks of a multiprocessor that make the second pass: 16 warps, each with much to refill its lanes from
ROUNDS = 2  # times that each lane of the second pass has a pixel, before the first pass follows samples on
EVENT_STEP = 500  # ns between two times of an event
FINE_STEP, COARSE_STEP = 32, 1000  # ns between two values of %globaltimer: from compute capability 9.0 on, and before


class CudaDevice:
    """One GPU with a kernel and its constants loaded, for one request. `clock` is the host's, in ns.

    name: what its workers are called by. step: how fine its times are, in ns. Raises GpuFailed where the GPU does not
    take the kernel.
    """

    failed: tuple[str, ...] = ()

    def __init__(
        self,
        gpu: Gpu,
        code: bytes,
        request: Request,
        p: tuple[Any, ...],
        clock: Clock,
        driver: Any = None,
        name: str | None = None,
    ) -> None:
        self.gpu, self.request, self.p, self.clock = gpu, request, p, clock
        self.name = name or gpu.name
        self.step = FINE_STEP if gpu.capability >= (9, 0) else COARSE_STEP
        self.most = FINISHING * gpu.multiprocessors  # blocks of a second pass
        self.at = self._make_settings(request)
        self.events, self.timer = TiedClock(EVENT_STEP), TiedClock(self.step)
        self.anchor: Any = None  # the event that all times of events are counted from
        self._streams: list[Stream] = []
        self.most_listed = 0  # bytes of a list's room
        self._room = LEAST_BYTES  # of a launch, when the streams were opened
        self._constants: list[tuple[int, Any]] = []  # bytes and places of arrays on the GPU
        self._places: dict[int, Any] = {}  # where an array of this process lies on the GPU
        self._module: Any = None
        self._closed = False
        self.context: Any = None
        self.driver = driver
        try:
            self._load(code)
        except (GpuFailed, LaunchFailed) as error:
            self.close()
            raise describe_start_failure(error) from error
        except BaseException:
            self.close()
            raise

    def _make_settings(self, request: Request) -> Settings:
        """Make the settings of a request for this GPU's second pass: what it is to have before the first follows on."""
        return request_settings(request)._replace(enough=ROUNDS * THREADS * self.most)

    def _load(self, code: bytes) -> None:
        """The kernel and its constants onto the GPU."""
        self.driver = driver = self.driver if self.driver is not None else load_driver()
        self.context = retain_context(driver, self.gpu.number)
        self.make_current()
        self._module = check_result(driver.cuModuleLoadData(code))
        entries = [check_result(driver.cuModuleGetFunction(self._module, entry.encode())) for entry in ENTRIES]
        self.functions: Sequence[Any] = entries
        self._copy_constants()

    def _copy_constants(self) -> None:
        """Copy all arrays of the settings and of `p`, to where others of their size were if there were any."""
        driver, free, self._places = self.driver, self._constants[:], {}
        for array in (*self.at, *self.p):
            if isinstance(array, np.ndarray) and array.size:
                used = next((one for one in free if one[0] == array.nbytes), None)
                if used is None:
                    used = array.nbytes, check_result(driver.cuMemAlloc(array.nbytes))
                    self._constants.append(used)
                else:
                    free.remove(used)
                self._places[array.ctypes.data] = used[1]
                check_result(driver.cuMemcpyHtoD(used[1], array.ctypes.data, array.nbytes))
        check_result(driver.cuCtxSynchronize())  # such a copy may still be under way, and no stream waits for it
        for unused in free:
            self._constants.remove(unused)
            driver.cuMemFree(unused[1])

    def restart(self, request: Request, p: tuple[Any, ...], clock: Clock) -> bool:
        """Make ready for another request with the same code: its arrays are copied, and streams keep their memory.

        A stream whose memory does not do is opened anew. False where that fails: the device is of no more use.
        """
        self.request, self.p, self.clock, self.at = request, tuple(p), clock, self._make_settings(request)
        self.events, self.timer = TiedClock(EVENT_STEP), TiedClock(self.step)
        shape = fit(request, self._room) or fit(request)
        try:
            self.make_current()
            self._copy_constants()
            if shape is not None and self._streams and all(stream.restart(shape) for stream in self._streams):
                self._streams[0].tie_clocks()
            else:
                self._close_streams()
        except (GpuFailed, LaunchFailed):
            return False
        return True

    def make_current(self) -> None:
        """Have the calling thread speak to this GPU."""
        check_result(self.driver.cuCtxSetCurrent(self.context))

    def find_place(self, array: np.ndarray) -> int:
        """Return the GPU's address of an array that was copied when the device was opened."""
        return int(self._places[array.ctypes.data])

    def streams(self, count: int) -> list[Stream]:
        """So many streams with memory for a launch each, or fewer where the memory ends. Raises GpuFailed for none.

        Where there is less of it than launches would like to have, they are smaller: of fewer tiles, or of pieces.
        """
        try:
            self.make_current()
            free = check_result(self.driver.cuMemGetInfo())
            room = min(free // (5 * count), MOST_BYTES)  # the numbers of a list may take three times as much again
            if not self._streams:
                self.most_listed = min(free // (8 * count), launch.MOST_LISTED)
            while len(self._streams) < count:
                if not self._open_stream(room):
                    room //= 2
        except (GpuFailed, LaunchFailed) as error:
            if error.code != OUT_OF_MEMORY or not self._streams:
                raise describe_start_failure(error) from error
        return self._streams[:count]

    def _open_stream(self, room: int) -> bool:
        """Open one more stream whose launches take so many bytes. Tell whether it could be, or a smaller one may be."""
        self._room = max(room, LEAST_BYTES)
        shape = fit(self.request, self._room) or fit(self.request)
        assert shape is not None
        stream = Stream(self, len(self._streams), shape)
        try:
            stream.open()
        except BaseException as error:
            stream.close()
            smaller = not self._streams and room > LEAST_BYTES
            if isinstance(error, GpuFailed) and error.code == OUT_OF_MEMORY and smaller:
                return False
            raise
        self._streams.append(stream)
        return True

    def tie_clocks(self, queue: Any) -> None:
        """Record the anchor, when nothing is under way, so that the clock of events is known from the start."""
        if self.anchor is None:
            self.anchor = check_result(self.driver.cuEventCreate(0))
        before = after = 0
        for _ in range(COMPARISONS):
            before = self.clock()
            check_result(self.driver.cuEventRecord(self.anchor, queue))
            check_result(self.driver.cuEventSynchronize(self.anchor))
            after = self.clock()
        self.events.learn(0, 0, before, after)

    def facts(self) -> dict[str, Any]:
        """For the trace: what it is, and by how much times of its blocks may be wrong on the host's clock."""
        return {
            "device": self.gpu.name,
            "multiprocessors": self.gpu.multiprocessors,
            "card_clock_error_ns": self.timer.error,
        }

    def close(self) -> None:
        """Give all memory back, when what is under way has ended. What fails now no longer matters.

        A launch may take minutes: what does not end soon is waited for in the background.
        """
        if self.context is not None and not self._closed:
            self._closed = True
            when_idle(self._busy, self._close)

    def _busy(self) -> bool:
        """Test whether anything is under way on the streams."""
        self.driver.cuCtxSetCurrent(self.context)
        return any(stream.busy() for stream in self._streams)

    def _close(self) -> None:
        driver = self.driver
        self._close_streams()
        for _, place in self._constants:
            driver.cuMemFree(place)
        if self._module is not None:
            driver.cuModuleUnload(self._module)
        self._constants, self._places, self._module = [], {}, None

    def _close_streams(self) -> None:
        for stream in self._streams:
            stream.close()
        if self.anchor is not None:
            self.driver.cuEventDestroy(self.anchor)
        self._streams, self.anchor = [], None
