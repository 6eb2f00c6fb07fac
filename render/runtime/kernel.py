"""The kernel contract: all that painter and modes may ask of code that paints, whichever target made it.

    Kernel            about, facts, paint(canvas, rectangle), correct_spans(spans)
      CpuKernel       start_rectangle(canvas, rectangle) -> StartedRectangle: paint_slice(budget)  targets of KIND "cpu"
      LaunchKernel    open(clock) -> streams, report_failure(line), close()                     targets of KIND "device"
                      a stream: shape, submit(rectangles), ready(), collect() -> Painted

A target's kernel inherits one of the two, which declares what it can do. A rectangle is (x, y, width, height), in
pixels of the frame. Kernels can be sent to other processes, which then compile nothing.
"""

from __future__ import annotations

import threading
import weakref
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from time import perf_counter_ns
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from render.errors import RenderError
from render.runtime.kept import Kept
from render.runtime.launch import LAUNCHES, SLOT, WIDEST, Shape, pieces
from render.runtime.painted import Painted

if TYPE_CHECKING:
    from render.frame import Canvas, SliceResult
    from render.parameters import P
    from render.request import Request
    from render.trace import Clock, Span, Worker
    from render.trace.spans import Spans

__all__ = [
    "LAUNCHES",
    "Announce",
    "CpuKernel",
    "Device",
    "Kernel",
    "LaunchKernel",
    "Painted",
    "StartedRectangle",
    "Stream",
    "pieces",
]

Announce = Callable[[str], None]  # called with what takes time, such as compiling
UNLIMITED = (1 << 62) - 1  # a budget that is never spent
SLICE_STEPS = 1 << 12  # of a kernel that knows no better: some 0.1 s of interpreted steps


def do_nothing() -> None:
    """Do nothing between two slices."""


class Kernel(ABC):
    """Code that paints rectangles of one request. `about`: what runs, in words: "64 lanes of float64 (AVX-512)"."""

    about: str
    facts: Mapping[str, object] = MappingProxyType({})  # for the trace: the device, if it is not the CPU

    @abstractmethod
    def paint(self, canvas: Canvas, x: int, y: int, width: int, height: int) -> tuple[int, int]:
        """Paint a rectangle; give the steps made and the number of samples that are NaN."""

    @contextmanager
    def stay_open(self) -> Iterator[None]:
        """Keep, in here, what was opened for painting, also where a run of it closes the kernel."""
        yield

    def for_request(self, request: Request, p: P) -> Kernel:
        """Reuse the code for another request in the same precision, whose `p` has members of the same kinds.

        What a target compiles can do so; raises TypeError for other kernels.
        """
        raise TypeError(f"a {type(self).__name__} paints one request only, not {request} with {p}")

    def fits(self, request: Request, p: P) -> bool:  # noqa: ARG002  (some kernels ask both)
        """Tell if `for_request` can reuse the code: some has constants that are right for some requests only."""
        return True

    def correct_spans(self, spans: tuple[Span, ...] | Spans) -> tuple[Span, ...] | Spans:
        """Correct the spans of a run by what only the kernel knows of its painting."""
        return spans


class StartedRectangle(Protocol):
    """A rectangle that was started."""

    def paint_slice(self, budget: int) -> SliceResult:
        """Paint on; return after about `budget` steps, even in the middle of a sample."""
        ...


class CpuKernel(Kernel):
    """A kernel of this machine's CPUs, which can put a rectangle aside.

    on_slice: called now and then while `paint` paints, as a sign of life.
    """

    on_slice: Callable[[], None] = staticmethod(do_nothing)

    @abstractmethod
    def start_rectangle(
        self, canvas: Canvas, x: int, y: int, width: int, height: int
    ) -> AbstractContextManager[StartedRectangle]:
        """Paint a rectangle slice by slice."""

    def paint(self, canvas: Canvas, x: int, y: int, width: int, height: int) -> tuple[int, int]:
        """Paint a rectangle in slices."""
        steps, bad, done = 0, 0, False
        with self.start_rectangle(canvas, x, y, width, height) as rectangle:
            while not done:
                more, nan, done = rectangle.paint_slice(SLICE_STEPS)
                steps, bad = steps + more, bad + nan
                self.on_slice()
        return steps, bad


class Device(Protocol):
    """A device, several, or a simulator, with a kernel loaded."""

    @property
    def failed(self) -> Sequence[str]:
        """The failures of devices that take no part, a line each."""
        ...

    def streams(self, count: int) -> Sequence[Stream]:
        """Return `count` streams of each device, or as many as its memory allows."""
        ...

    def facts(self) -> dict[str, Any]:
        """Return what the trace records of it."""
        ...

    def close(self) -> None:
        """Release everything."""
        ...


class KeptDevice(Device, Protocol):
    """A device that can stay open between frames."""

    def restart(self, request: Request, p: P, clock: Clock) -> bool:
        """Make ready for a frame of another request with the same code; False where it has to be opened anew."""
        ...


class Named(Protocol):
    """One device among several."""

    name: str


class Stream(Protocol):
    """One queue of launches on a device. A launch paints several rectangles of the frame."""

    worker: Worker

    @property
    def shape(self) -> Shape:
        """The shape of a launch of the request that it was opened for."""
        ...

    @property
    def device(self) -> Named:
        """The device that it belongs to: streams of one device fail together."""
        ...

    def submit(self, rectangles: np.ndarray) -> None:
        """Launch rectangles, (n, 4) with x, y, width, height, without waiting. Only after `collect` of the last."""
        ...

    def ready(self) -> bool:
        """Tell if `collect` would return at once."""
        ...

    def collect(self) -> Painted:
        """Wait for the launch; what it brought is valid until the next."""
        ...


class LaunchKernel(Kernel):
    """A kernel and the device that it runs on, which is opened on first use. Sent elsewhere, it opens its own there.

    streams: how many of each device at most. One that fails while others go on is announced.
    """

    def __init__(
        self,
        make: Callable[[Clock], Device],
        name: str,
        about: str,
        streams: int,
        announce: Announce | None = None,
        again: Callable[[Request, P], LaunchKernel] | None = None,
        fits: Callable[[Request, P], bool] | None = None,
        restart: Callable[[Any, Clock], bool] | None = None,
        kept: Kept[Device] | None = None,
    ) -> None:
        """Keep what opens the device; `again` makes a kernel of the same code for another request that it `fits`.

        restart: makes a device that was `kept` open ready for this kernel's request.
        """
        self.about = about
        self.facts: dict[str, object] = {"device": name}
        self._arguments = make, name, about, streams
        self._announce, self._remake, self._fits = announce, again, fits
        self._restart, self._kept = restart, Kept[Device]() if kept is None else kept
        self._lock = threading.Lock()
        self._device: Device | None = None
        self._streams: Sequence[Stream] = ()
        self._requested = 0  # streams
        self._failed: list[str] = []
        self._closing: weakref.finalize[Any, Any] | None = None
        self._stays_open = False

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle what another process needs to open its own device."""
        return LaunchKernel, self._arguments

    def fits(self, request: Request, p: P) -> bool:
        """Tell if the constants of the code are this request's."""
        return self._fits is None or self._fits(request, p)

    def for_request(self, request: Request, p: P) -> Kernel:
        """Reuse the code for another request; the kernel opens a device of its own."""
        if self._remake is None or not self.fits(request, p):
            return super().for_request(request, p)
        return self._remake(request, p)

    def keep_open(self) -> None:
        """Keep the device open for the next kernel of this code."""
        self._kept.keep()

    def close_kept(self) -> None:
        """Close the device that was kept open."""
        self._kept.close()

    def open(self, clock: Clock = perf_counter_ns, count: int | None = None) -> Sequence[Stream]:
        """Open the device; return its streams, or `count` of them. Raises RenderError if it refuses the kernel."""
        make, _, _, most = self._arguments
        if self._device is None:
            self._device = self._take_kept(clock) or make(clock)
            self._closing = weakref.finalize(self, self._device.close)
        count = count or most
        if count > self._requested:
            self._requested, self._streams = count, self._device.streams(count)
            for line in self._device.failed[len(self._failed) :]:
                self.report_failure(line)
        return self._streams

    def report_failure(self, line: str) -> None:
        """Report that a device has failed and that others go on."""
        self._failed.append(line)
        self.facts["failed_cards"] = "; ".join(self._failed)
        if self._announce is not None:
            self._announce(f"a GPU failed, and others paint its tiles: {line}")

    def _take_kept(self, clock: Clock) -> Device | None:
        """Take the device that another kernel has left open, ready for this one's request."""
        device = self._kept.take() if self._restart is not None else None
        if device is None or self._restart is None:
            return None
        try:
            ready = self._restart(device, clock)
        except RenderError:  # what is wrong with it is found again when it is opened anew
            ready = False
        if not ready:
            device.close()
        return device if ready else None

    def leave(self) -> None:
        """Let go of the device as `close` does; where devices are kept, another frame has it as it is."""
        if self._stays_open:
            return
        device, closing = self._device, self._closing
        if device is not None and closing is not None and not self._failed:
            self.facts |= device.facts()
            closing.detach()
            self._device, self._closing = None, None
            self._kept.leave(device)
        self.close()

    @contextmanager
    def stay_open(self) -> Iterator[None]:
        """Keep the device open in here: a frame may be painted in several runs."""
        self._stays_open = True
        try:
            yield
        except BaseException:
            self._stays_open = False
            self.close()
            raise
        self._stays_open = False
        self.leave()

    def close(self) -> None:
        """Release the device, if it is not to stay open; it is opened again on the next use."""
        if self._stays_open:
            return
        if self._device is not None:
            self.facts |= self._device.facts()
        if self._closing is not None:
            self._closing()
        self._device, self._streams, self._requested, self._closing = None, (), 0, None

    def paint(self, canvas: Canvas, x: int, y: int, width: int, height: int) -> tuple[int, int]:
        """Paint a rectangle and wait for it."""
        with self._lock:  # threads that paint without a mode share one stream
            stream = self.open(count=1)[0]
            made = bad = 0
            wide = min(width, WIDEST)
            for piece in pieces(x, y, width, height, wide, max(SLOT // wide, 1)):
                rectangles = np.array([piece])
                stream.submit(rectangles)
                painted = stream.collect()
                painted.copy_to(canvas, rectangles)
                made, bad = made + int(painted.made[0]), bad + int(painted.bad[0])
            return made, bad
