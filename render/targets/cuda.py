"""Target `cuda`: numba-cuda compiles the scene for a graphics card, one lane a thread.

The same driver and the same words as on the CPU, and the same bits. With `--simulate` the kernel runs in numba's
simulator instead, on any machine.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Sequence
from functools import partial
from time import perf_counter_ns
from typing import TYPE_CHECKING, Any, Protocol

from render import cards
from render.compiler import card, card_code, code_cache, simulator
from render.compiler.launch import Painted, recorded
from render.errors import ModeUnavailable

if TYPE_CHECKING:
    from render.frame import Canvas
    from render.request import Request
    from render.scene import Scene
    from render.targets import Announce
    from render.trace import Clock, Worker

STREAMS = 8  # so that small tiles fill a card together, and copies find a launch to hide behind
SIMULATED_STREAMS = 2  # they take turns; two, so that one tile can wait while another is painted


def missing() -> str | None:
    """Why no card can be used here, or None; the simulator needs none."""
    return cards.find().reason


def compile(scene: Scene, request: Request, announce: Announce) -> CudaKernel:
    """A kernel for the first card, or for the simulator; announced where it must be compiled first.

    Raises ModeUnavailable where there is no card that can be used.
    """
    precision = "float64" if request.precision == "f64" else "float32"
    made = card_code.program(scene, request)
    if request.simulate:
        key = card_code.simulated_key(made)
        if code_cache.read(key) is None:
            announce(f"compiling {scene.name} for the {simulator.NAME}, {precision} (once; kept for later runs)")
        start = partial(simulator.Simulator, str(scene.path), key, request)
        kernel = CudaKernel(request, start, simulator.NAME, f"one thread a pixel, simulated, {precision}")
        kernel.open()
        return kernel
    found = cards.find()
    if found.reason is not None:
        raise ModeUnavailable(found.reason, found.remedy)
    first = found.cards[0]
    say = f"compiling {scene.name} for {first.name}, {precision} (once; kept for later runs)"
    code = card_code.machine_code(made, found, recorded(request), lambda: announce(say))
    make = partial(card.Device, first, code, request, tuple(made.p))
    return CudaKernel(request, make, first.name, f"one thread a pixel, {precision}")


class Stream(Protocol):
    """One queue of launches on a device; see `render.compiler.card.Stream`."""

    worker: Worker

    def begin(self, x: int, y: int, width: int, height: int) -> None:
        """Launch a rectangle of the frame, without waiting for it."""
        ...

    def done(self) -> bool:
        """Whether `end` would give the launch back at once."""
        ...

    def end(self) -> Painted:
        """Wait for the launch; what it brought is valid until the next."""
        ...


class Device(Protocol):
    """A card, or the simulator, with a kernel loaded."""

    def streams(self, count: int) -> Sequence[Stream]:
        """So many streams."""
        ...

    def close(self) -> None:
        """Give everything back."""
        ...


class CudaKernel:
    """A kernel and the device that it runs on, which is opened on first use. Sent elsewhere, it opens its own there."""

    def __init__(self, request: Request, make: Callable[[Clock], Device], name: str, about: str) -> None:
        self.request, self.about = request, about
        self.facts: dict[str, object] = {"device": name}
        self._arguments = request, make, name, about
        self._device: Device | None = None
        self._closing: weakref.finalize[Any, Any] | None = None

    def __reduce__(self) -> tuple[object, ...]:
        """What another process needs; cards and child processes are not sent."""
        return CudaKernel, self._arguments

    def open(self, clock: Clock = perf_counter_ns) -> Sequence[Stream]:
        """The device's streams. Raises RenderError where the device does not take the kernel."""
        if self._device is None:
            self._device = self._arguments[1](clock)
            self._closing = weakref.finalize(self, self._device.close)
        return self._device.streams(SIMULATED_STREAMS if self.request.simulate else STREAMS)

    def close(self) -> None:
        """Give the device back; used again, it is opened again."""
        if self._closing is not None:
            self._closing()
        self._device = self._closing = None

    @staticmethod
    def end(stream: Stream, canvas: Canvas, x: int, y: int) -> Painted:
        """Wait for a stream's launch and put its pixels in their place on the canvas."""
        painted = stream.end()
        height, width, _ = painted.rgb.shape
        canvas.rgb[y : y + height, x : x + width] = painted.rgb
        if canvas.steps is not None and painted.steps is not None:
            canvas.steps[y : y + height, x : x + width] = painted.steps
        return painted

    def paint(self, canvas: Canvas, x: int, y: int, width: int, height: int) -> tuple[int, int]:
        """Paint a rectangle of the frame and wait; give the steps made and the number of samples that are NaN."""
        stream = self.open()[0]
        stream.begin(x, y, width, height)
        painted = self.end(stream, canvas, x, y)
        return painted.made, painted.bad
