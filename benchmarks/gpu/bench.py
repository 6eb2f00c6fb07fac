"""One GPU, on which kernels are launched one at a time and timed on its own clock.

What is timed lies between two events of a queue that is kept busy meanwhile (`Bench.seconds`), alike for the program's
kernel and for others.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from gpu import nvrtc
from render.runtime.cuda.calls import ENTRY_POINTS, HANDLE, HERE, INT, SIZE, THERE, Driver, EntryPoint
from render.runtime.cuda.driver import NOT_READY, check_result, driver_library, retain_context
from render.runtime.cuda.stream import NON_BLOCKING

AHEAD = 1, 2, 4  # how often a work is put in before it is timed, until the GPU is seen to be busy with it
DELAY_BYTES, DELAYS = 256 << 20, 6  # memory set again and again: 0.4 ms of an H200, and 30 us of this process
COUNTS = {"f64": ctypes.c_double, "f32": ctypes.c_float}


MORE: dict[str, EntryPoint] = {  # of the driver's entry points, which the program does not need
    "cuMemcpyDtoH": EntryPoint((), (HERE, THERE, SIZE), "_v2"),
    "cuMemcpyDtoDAsync": EntryPoint((), (THERE, THERE, SIZE, HANDLE), "_v2"),
    "cuStreamSynchronize": EntryPoint((), (HANDLE,)),
    "cuOccupancyMaxActiveBlocksPerMultiprocessor": EntryPoint((INT,), (HANDLE, INT, SIZE)),
    "cuProfilerStart": EntryPoint((), ()),
    "cuProfilerStop": EntryPoint((), ()),
}


def load_driver() -> Any:
    """Load the driver's interface, with what only benchmarks use, and start the driver."""
    driver = Driver(driver_library(), ENTRY_POINTS | MORE)
    check_result(driver.cuInit(0))
    return driver


class Argument(NamedTuple):
    """One argument of a kernel and its C type."""

    value: float
    type: Any


class Bench:
    """One GPU, on which kernels are launched one at a time and timed. `gpu`: a render.runtime.cuda.discovery.Gpu.

    Raises RenderError where the GPU is at fault.
    """

    def __init__(self, gpu: Any) -> None:
        self.gpu, self.asked, self.driver = gpu, check_result, load_driver()
        self.asked(self.driver.cuCtxSetCurrent(retain_context(self.driver, gpu.number)))
        self.queue = self.asked(self.driver.cuStreamCreate(NON_BLOCKING))
        self._events = [self.asked(self.driver.cuEventCreate(0)) for _ in range(2)]
        self._idle_memory = self.memory(DELAY_BYTES)

    def kernels(self, name: str, **defined: object) -> Callable[[str], Any]:
        """Compile references/NAME.cu, to find its kernels by name. Raises Absent."""
        return self.load(nvrtc.compile_reference(name, self.gpu.capability, **defined).machine)

    def load(self, code: bytes) -> Callable[[str], Any]:
        """Load machine code, to find its kernels by name."""
        module = self.asked(self.driver.cuModuleLoadData(code))
        return lambda kernel: self.asked(self.driver.cuModuleGetFunction(module, kernel.encode()))

    def memory(self, size: int) -> int:
        """So many bytes of the GPU's memory."""
        return int(self.asked(self.driver.cuMemAlloc(size)))

    def free(self, place: int) -> None:
        """Give memory of the GPU back."""
        self.asked(self.driver.cuMemFree(place))

    def pinned(self, size: int) -> np.ndarray:
        """So many bytes of this process's memory that the GPU can write to by itself (uint8)."""
        place = int(self.asked(self.driver.cuMemHostAlloc(size, 0)))
        return np.ctypeslib.as_array((ctypes.c_uint8 * size).from_address(place))

    def held(self, kernel: Any, threads: int) -> int:
        """Return how many blocks of a kernel the GPU holds at once."""
        most = self.asked(self.driver.cuOccupancyMaxActiveBlocksPerMultiprocessor(kernel, threads, 0))
        return int(most) * int(self.gpu.multiprocessors)

    def launch(
        self, kernel: Any, blocks: int | tuple[int, int, int], threads: int, arguments: Sequence[Argument]
    ) -> None:
        """Launch a kernel, without waiting; blocks: how many, or how many across, down and deep."""
        grid = blocks if isinstance(blocks, tuple) else (blocks, 1, 1)
        told = tuple(one.value for one in arguments), tuple(one.type for one in arguments)
        self.asked(self.driver.cuLaunchKernel(kernel, *grid, threads, 1, 1, 0, self.queue, told, 0))

    def seconds(self, work: Callable[[], object], before: Callable[[], object] = lambda: None) -> float:
        """Time what `work` puts into the queue of the GPU; `before` puts something in that does not count.

        Both are put in ahead, once or more, behind something slow, so that the GPU is busy while this process hands
        over what is timed: a short work of two launches would else be timed with the host's part.
        """
        first, last = self._events
        for ahead in AHEAD:
            for _ in range(DELAYS):
                self.clear(self._idle_memory, DELAY_BYTES)
            for _ in range(ahead):
                before()
                work()
            before()
            self.asked(self.driver.cuEventRecord(first, self.queue))
            work()
            self.asked(self.driver.cuEventRecord(last, self.queue))
            busy = int(self.driver.cuEventQuery(first)[0]) == NOT_READY
            self.asked(self.driver.cuEventSynchronize(last))
            if busy:
                break
        return float(self.asked(self.driver.cuEventElapsedTime(first, last))) / 1e3

    def clear(self, place: int, size: int) -> None:
        """Set memory of the GPU to 0."""
        self.asked(self.driver.cuMemsetD8Async(place, 0, size, self.queue))

    def send(self, place: int, values: np.ndarray) -> None:
        """Copy to the GPU, and wait."""
        self.asked(self.driver.cuMemcpyHtoD(place, values.ctypes.data, values.nbytes))
        self.asked(self.driver.cuCtxSynchronize())

    def wait(self) -> None:
        """Wait for all that was put into the queue."""
        self.asked(self.driver.cuStreamSynchronize(self.queue))

    def fetch(self, place: int, into: np.ndarray) -> None:
        """Wait, and copy from the GPU."""
        self.wait()
        self.asked(self.driver.cuMemcpyDtoH(into.ctypes.data, place, into.nbytes))
