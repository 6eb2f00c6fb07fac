"""NVIDIA's driver as `render.runtime.cuda.calls` offers it, for the tests that have no GPU: the real host's code runs.

`Driver` has everything but launches. `Emulated` is given a kernel's PTX and carries it out, to the last bit, with every
access to memory checked: what it shows of the kernel's code holds on a GPU as far as the assembler keeps its word.
"""

from __future__ import annotations

import ctypes
import time
from collections import deque
from collections.abc import Callable
from functools import partial
from threading import RLock
from typing import Any

import numpy as np

from render import modes, scene
from render.codegen.program import ENTRIES
from render.frame import Frame, open_canvas
from render.painting.painter import Launcher
from render.plan import cut
from render.request import Request
from render.runtime.cuda.device import CudaDevice
from render.runtime.cuda.discovery import Gpu
from render.runtime.cuda.driver import NOT_READY
from render.runtime.kernel import LaunchKernel
from render.runtime.launch import STREAMS
from render.trace import Recorder, Trace
from tests.ptx.lanes import Grid, packed
from tests.ptx.machine import Machine, Order, Work, lowest
from tests.ptx.memory import Memory
from tests.ptx.text import Kernel, parse

EVERY = -1  # call of an entry point
FREE = 1 << 30  # bytes of memory
GPU = Gpu(0, "Imitation", FREE, 3, (9, 0), (13, 0))


class Queue(deque[Callable[[], object]]):
    """A stream: what stands in it is done in this order, and nothing of it before somebody asks."""

    def finish(self) -> None:
        """Do everything."""
        while self:
            self.popleft()()


class Event:
    """Something in a queue that tells when it was its turn. One that was never recorded has happened."""

    def __init__(self) -> None:
        self.queue = Queue()
        self.due = self.time = 0

    def record(self, queue: Queue) -> None:
        """Stand in the queue."""
        self.queue, self.due = queue, self.due + 1
        queue.append(self._happen)

    def _happen(self) -> None:
        self.due, self.time = self.due - 1, time.perf_counter_ns()

    def reach(self) -> None:
        """Do what stands before it in its queue."""
        while self.due:
            self.queue.popleft()()

    def until(self, other: Event) -> float:
        """The time to another event, in ms."""
        assert not self.due, "the time of an event is asked for that has not happened yet"
        assert not other.due, "the time of an event is asked for that has not happened yet"
        return (other.time - self.time) / 1e6


class Driver:
    """The driver without launches: GPU memory is memory, and everything is done as late as the driver may do it.

    A stream is a queue of its own; a query or a wait does what stands in that queue up to the event, and nothing else.
    What is copied from pageable memory arrives when the whole context is waited for. The GPU's memory and the host's
    pinned memory are kept apart, and copies between them are checked. `failures` maps entry points to (number of the
    call, or EVERY, CUresult): that call fails. Entry points that are not listed do nothing.
    """

    def __init__(self) -> None:
        self.gpu, self.pinned = Memory(), Memory()
        self.failures: dict[str, tuple[int, int]] = {}
        self.calls: list[str] = []
        self.polls = 0  # how often a query still says "not ready"
        self.queues: list[Queue] = []
        self.turn = RLock()  # several GPUs start on threads of their own
        self.staged = Queue()  # copies from pageable memory, which belong to no stream
        self.done: dict[str, Callable[..., Any]] = {
            "cuMemAlloc": self.gpu.allocate,
            "cuMemHostAlloc": lambda size, _flags: self.pinned.allocate(size, "host"),
            "cuMemFree": self._free,
            "cuMemFreeHost": self.pinned.free,
            "cuMemGetInfo": lambda: (FREE, FREE),
            "cuMemcpyHtoD": self._to_gpu,
            "cuMemcpyHtoDAsync": lambda *copy: copy[-1].append(partial(self._from_host, *copy[:-1])),
            "cuMemcpyDtoHAsync": lambda *copy: copy[-1].append(partial(self._from_gpu, *copy[:-1])),
            "cuMemsetD8Async": lambda *fill: fill[-1].append(partial(self._fill, *fill[:-1])),
            "cuStreamCreate": self._stream,
            "cuStreamQuery": Queue.finish,
            "cuStreamDestroy": Queue.finish,
            "cuEventCreate": lambda _: Event(),
            "cuEventRecord": Event.record,
            "cuEventQuery": Event.reach,
            "cuEventSynchronize": Event.reach,
            "cuEventElapsedTime": Event.until,
            "cuCtxSynchronize": self._finish,
            "cuModuleLoadData": self.load,
            "cuModuleGetFunction": lambda _code, name: name.decode(),
            "cuLaunchKernel": lambda *launch: launch[-3].append(partial(self.launch, *launch)),
        }

    def __getattr__(self, name: str) -> Callable[..., tuple[Any, ...]]:
        """An entry point of the driver: recorded, made to fail where that is wanted, else done as far as it matters."""
        if not name.startswith("cu"):
            raise AttributeError(name)

        def call(*arguments: Any) -> tuple[Any, ...]:
            with self.turn:
                return self._answer(name, *arguments)

        return call

    def _answer(self, name: str, *arguments: Any) -> tuple[Any, ...]:
        self.calls.append(name)
        number, code = self.failures.get(name, (0, 0))
        if number in (EVERY, self.calls.count(name)):
            return (code, None)
        if name in ("cuEventQuery", "cuStreamQuery"):
            self.polls -= 1
            if self.polls >= 0:
                return (NOT_READY,)
        made = self.done[name](*arguments) if name in self.done else object()
        return (0, *made) if type(made) is tuple else (0, made)

    @property
    def memory(self) -> dict[int, Any]:
        """What has not been given back, on either side."""
        return self.gpu.pieces | self.pinned.pieces

    def load(self, code: bytes) -> object:
        """A module of this code."""
        return code

    def launch(self, function: Any, *rest: Any) -> None:
        """Run a kernel; rest: the grid, the block, shared memory, the stream, (values, ctypes), options."""
        raise NotImplementedError

    def _stream(self, _flags: int) -> Queue:
        self.queues.append(Queue())
        return self.queues[-1]

    def _free(self, there: int) -> None:
        self.staged.finish()  # the driver waits for what is under way in the memory
        self.gpu.free(there)

    def _finish(self) -> None:
        for queue in (self.staged, *self.queues):
            queue.finish()

    def _to_gpu(self, there: int, here: int, size: int) -> None:
        data = np.frombuffer(ctypes.string_at(here, size), np.uint8)
        self.staged.append(lambda: self.gpu.bytes(int(there), size).__setitem__(slice(None), data))

    def _from_gpu(self, here: int, there: int, size: int) -> None:
        self.pinned.bytes(int(here), size)[:] = self.gpu.bytes(int(there), size)

    def _from_host(self, there: int, here: int, size: int) -> None:
        self.gpu.bytes(int(there), size)[:] = self.pinned.bytes(int(here), size)

    def _fill(self, there: int, value: int, size: int) -> None:
        self.gpu.bytes(int(there), size).fill(value)


class Emulated(Driver):
    """A driver that carries out the PTX it is given. `clock` is the GPU's; `order` that of the threads."""

    def __init__(self, clock: Callable[[], int] = time.perf_counter_ns, order: Order = lowest) -> None:
        super().__init__()
        self.clock, self.order = clock, order
        self.kernels: dict[str, Kernel] = {}
        self.grids: list[Grid] = []  # of the launches so far that painted
        self.work: list[Work] = []

    def load(self, code: bytes) -> object:
        """Read the PTX."""
        self.kernels = {name: parse(code.decode(), name) for name in ENTRIES}
        return code

    def launch(self, function: Any, *rest: Any) -> None:
        """Carry the PTX out for all threads."""
        assert self.kernels, "launched before a module was loaded"
        assert not rest[6], "shared memory that is asked for by a launch is not emulated"
        grid, (*_, tiles, _, _) = Grid(rest[:3], rest[3:6]), rest[-2][0]
        machine = Machine(
            self.kernels[function], self.gpu, grid, processors=GPU.multiprocessors, clock=self.clock, order=self.order
        )
        machine.run(packed(rest[-2]))
        if tiles and function == ENTRIES[0]:  # else it was to have the kernel loaded
            self.grids.append(grid)
            self.work.append(machine.work)
        elif tiles:  # the launch's next pass
            self.work[-1] = Work(*map(sum, zip(self.work[-1], machine.work, strict=True)))


def open_device(driver: Driver, request: Request, code: bytes = b"code") -> CudaDevice:
    """The host's side of a GPU with this driver."""
    p = scene.load(request.scene).prepared(request)
    return CudaDevice(GPU, code, request, p, time.perf_counter_ns, driver)


def drawn(driver: Driver, request: Request, code: bytes = b"code") -> Frame:
    """The frame that mode cuda paints with this driver."""
    recorder = Recorder()
    kernel = LaunchKernel(lambda _: open_device(driver, request, code), GPU.name, "imitated", STREAMS)
    with open_canvas(request, shared=False) as surface:
        painter = Launcher(request, surface, kernel, recorder)
        done = list(modes.load("cuda").run(cut(request), painter))
        trace = Trace(recorder.drain(), 0, 0, 0, {})
        rgb, steps, inside = surface.take_pixels()
        return Frame(np.array(rgb), steps, sum(tile.steps for tile in done), request, trace, inside)
