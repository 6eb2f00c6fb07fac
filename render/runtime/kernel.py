"""What a kernel is: all that painter and modes may ask of code that paints, whichever target made it.

    Kernel            about, facts, paint(canvas, rectangle), corrected(spans)
      CpuKernel       begin(canvas, rectangle) -> Underway, which goes on slice by slice        targets of KIND "cpu"
      LaunchKernel    open(clock) -> streams, failed(line), close()                             targets of KIND "device"
                      a stream: shape, submit(rectangles), ready(), collect() -> Painted

A target's kernel inherits one of the two and so says what it can do. A rectangle is (x, y, width, height), in pixels of
the frame. Kernels can be sent to other processes, which then compile nothing.
"""

from __future__ import annotations

import threading
import weakref
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from time import perf_counter_ns
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np

from render.runtime.launch import SLOT, WIDEST, Shape, pieces
from render.runtime.painted import Painted

if TYPE_CHECKING:
    from render.frame import Canvas, Went
    from render.parameters import P
    from render.request import Request
    from render.trace import Clock, Span, Worker

Announce = Callable[[str], None]  # told what takes time, such as compiling
WHOLLY = (1 << 62) - 1  # a budget that is never spent


class Kernel(ABC):
    """Code that paints rectangles of one request. `about`: what runs, in words: "64 lanes of float64 (AVX-512)"."""

    about: str
    facts: Mapping[str, object] = MappingProxyType({})  # for the trace: what it ran on, where that is not the CPU

    @abstractmethod
    def paint(self, canvas: Canvas, x: int, y: int, width: int, height: int) -> tuple[int, int]:
        """Paint a rectangle; give the steps made and the number of samples that are NaN."""

    def for_request(self, request: Request, p: P) -> Kernel:
        """Give the same code another request in the same precision, whose `p` has members of the same kinds.

        What a target compiles can do so; raises TypeError for other kernels.
        """
        raise TypeError(f"a {type(self).__name__} paints one request only, not {request} with {p}")

    def corrected(self, spans: Sequence[Span]) -> tuple[Span, ...]:
        """The spans of a run, by what only the kernel knows of when it painted."""
        return tuple(spans)


class Underway(Protocol):
    """A rectangle that was begun."""

    def go(self, budget: int) -> Went:
        """Paint on; come back after about so many steps, be it in the midst of a sample."""
        ...


class CpuKernel(Kernel):
    """A kernel of this machine's CPUs, which can put a rectangle aside."""

    @abstractmethod
    def begin(self, canvas: Canvas, x: int, y: int, width: int, height: int) -> AbstractContextManager[Underway]:
        """Paint a rectangle slice by slice."""

    def paint(self, canvas: Canvas, x: int, y: int, width: int, height: int) -> tuple[int, int]:
        """Paint a rectangle in one slice."""
        with self.begin(canvas, x, y, width, height) as rectangle:
            went = rectangle.go(WHOLLY)
        return went.steps, went.bad


class Device(Protocol):
    """A device, several, or a simulator, with a kernel loaded."""

    @property
    def failed(self) -> Sequence[str]:
        """What became of each that does not take part, a line each."""
        ...

    def streams(self, count: int) -> Sequence[Stream]:
        """So many streams of each device, or as many as there is memory for."""
        ...

    def facts(self) -> dict[str, Any]:
        """What is told of it in the trace."""
        ...

    def close(self) -> None:
        """Give everything back."""
        ...


class Named(Protocol):
    """One device among several."""

    name: str


class Stream(Protocol):
    """One queue of launches on a device. A launch paints several rectangles of the frame."""

    worker: Worker

    @property
    def shape(self) -> Shape:
        """What a launch takes of the request that it was opened for."""
        ...

    @property
    def device(self) -> Named:
        """What it belongs to: streams of one device fail together."""
        ...

    def submit(self, rectangles: np.ndarray) -> None:
        """Launch rectangles, (n, 4) with x, y, width, height, without waiting. Only after `collect` of the one before."""
        ...

    def ready(self) -> bool:
        """Whether `collect` would give the launch back at once."""
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
    ) -> None:
        """`again` makes a kernel of the same code for another request."""
        self.about = about
        self.facts: dict[str, object] = {"device": name}
        self._arguments = make, name, about, streams
        self._announce, self._again = announce, again
        self._turn = threading.Lock()
        self._device: Device | None = None
        self._streams: Sequence[Stream] = ()
        self._asked = 0  # how many streams were asked for
        self._failed: list[str] = []
        self._closing: weakref.finalize[Any, Any] | None = None

    def __reduce__(self) -> tuple[object, ...]:
        """What another process needs; devices and child processes are not sent."""
        return LaunchKernel, self._arguments

    def for_request(self, request: Request, p: P) -> Kernel:
        """Give the same code another request; it opens a device of its own."""
        return super().for_request(request, p) if self._again is None else self._again(request, p)

    def open(self, clock: Clock = perf_counter_ns, count: int | None = None) -> Sequence[Stream]:
        """The device's streams, or so many. Raises RenderError where the device does not take the kernel."""
        make, _, _, most = self._arguments
        if self._device is None:
            self._device = make(clock)
            self._closing = weakref.finalize(self, self._device.close)
        count = count or most
        if count > self._asked:
            self._asked, self._streams = count, self._device.streams(count)
            for line in self._device.failed[len(self._failed) :]:
                self.failed(line)
        return self._streams

    def failed(self, line: str) -> None:
        """Tell that a device has failed, and that others go on."""
        self._failed.append(line)
        self.facts["failed_cards"] = "; ".join(self._failed)
        if self._announce is not None:
            self._announce(f"a card has failed, and others paint its tiles: {line}")

    def close(self) -> None:
        """Give the device back; used again, it is opened again."""
        if self._device is not None:
            self.facts |= self._device.facts()
        if self._closing is not None:
            self._closing()
        self._device, self._streams, self._asked, self._closing = None, (), 0, None

    def paint(self, canvas: Canvas, x: int, y: int, width: int, height: int) -> tuple[int, int]:
        """Paint a rectangle and wait for it."""
        with self._turn:  # threads that paint without a mode share one stream
            stream = self.open(count=1)[0]
            made = bad = 0
            wide = min(width, WIDEST)
            for piece in pieces(x, y, width, height, wide, max(SLOT // wide, 1)):
                rectangles = np.array([piece])
                stream.submit(rectangles)
                painted = stream.collect()
                painted.put(canvas, rectangles)
                made, bad = made + int(painted.made[0]), bad + int(painted.bad[0])
            return made, bad
