"""Target `cuda`: numba-cuda compiles the scene for a graphics card, one lane a thread.

The same driver and the same words as on the CPU, and the same bits. With `--simulate` the kernel runs in numba's
simulator instead, on any machine.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Sequence
from functools import partial
from time import perf_counter_ns
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from render.codegen import code_cache, cuda_code
from render.errors import ModeUnavailable
from render.parameters import P, members
from render.runtime import several, simulator
from render.runtime.cuda import device
from render.runtime.cuda import discovery as cards
from render.runtime.launch import Painted, recorded

if TYPE_CHECKING:
    from render.frame import Canvas
    from render.request import Request
    from render.scene import Scene
    from render.targets import Announce
    from render.trace import Clock, Worker

FEWEST = 4  # streams of a card: copies must find a launch to hide behind; each has memory of its own
MOST = cards.CONNECTIONS
RESIDENT = 2048  # threads that a multiprocessor holds at most
PRECISIONS = {"f32": "float32", "f64": "float64"}
Codes = dict[tuple[int, int], bytes]  # machine code by compute capability
SIMULATED_STREAMS = 2  # they take turns; two, so that one tile can wait while another is painted


def missing() -> str | None:
    """Why no card can be used here, or None; the simulator needs none."""
    return cards.find().reason


def compile(scene: Scene, request: Request, announce: Announce) -> CudaKernel:
    """A kernel for all cards, or for the simulator; announced where it must be compiled first.

    Raises ModeUnavailable where there is no card that can be used.
    """
    precision = PRECISIONS[request.precision]
    made = cuda_code.program(scene, request)
    if request.simulate:
        key = cuda_code.simulated_key(made)
        if code_cache.read(key) is None:
            announce(f"compiling {scene.name} for the {simulator.NAME}, {precision} (once; kept for later runs)")
        simulated = _simulated(str(scene.path), key, request, made.p)
        simulated.open()
        return simulated
    found = cards.find()
    if found.reason is not None:
        raise ModeUnavailable(found.reason, found.remedy)
    codes: Codes = {}
    for one in found.usable:
        if one.capability not in codes:
            say = partial(announce, f"compiling {scene.name} for {one.name}, {precision} (once; kept for later runs)")
            codes[one.capability] = cuda_code.machine_code(made, found._replace(cards=(one,)), recorded(request), say)
    return _on_cards(found.usable, codes, announce, request, made.p)


def _simulated(path: str, key: str, request: Request, p: P) -> CudaKernel:
    """A kernel for the simulator, whose code is, or comes to be, in the cache under this key."""
    start = partial(simulator.Simulator, path, key, request, members(p))
    about = f"one lane a thread, simulated, {PRECISIONS[request.precision]}"
    again = partial(_simulated, path, key)
    return CudaKernel(request, start, simulator.NAME, about, streams=SIMULATED_STREAMS, again=again)


def _on_cards(usable: Sequence[cards.Card], codes: Codes, announce: Announce, request: Request, p: P) -> CudaKernel:
    """A kernel for these cards, from the machine code for each capability."""
    makes = {}
    for one in usable:
        name = one.name if len(usable) == 1 else f"{one.name} {one.number}"
        makes[name] = partial(device.Device, one, codes[one.capability], request, tuple(p), name=name)
    make = next(iter(makes.values())) if len(makes) == 1 else partial(several.Several, makes)
    streams = wanted_streams(request, max(one.multiprocessors for one in usable))
    about = f"one lane a thread, {PRECISIONS[request.precision]}"
    again = partial(_on_cards, usable, codes, announce)
    together = several.joined(one.name for one in usable)
    return CudaKernel(request, make, together, about, streams=streams, announce=announce, again=again)


def wanted_streams(request: Request, multiprocessors: int) -> int:
    """Streams of a card: so many that their tiles fill it together, and no more than there are tiles."""
    rows, columns = request.rows_and_columns
    pixels = min(request.tile[0], request.width) * min(request.tile[1], request.height)
    filling = -(-multiprocessors * RESIDENT // pixels)
    return min(max(filling, FEWEST), MOST, rows * columns if request.only_tile is None else 1)


class Stream(Protocol):
    """One queue of launches on a device; see `render.runtime.cuda.stream.Stream`."""

    worker: Worker
    device: Any  # what it belongs to, which has a `name`: streams of one device fail together

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
    """A card, several, or the simulator, with a kernel loaded."""

    def streams(self, count: int) -> Sequence[Stream]:
        """So many streams of each card, or as many as there is memory for."""
        ...

    def facts(self) -> dict[str, Any]:
        """What is told of it in the trace."""
        ...

    def close(self) -> None:
        """Give everything back."""
        ...


class CudaKernel:
    """A kernel and the device that it runs on, which is opened on first use. Sent elsewhere, it opens its own there.

    streams: how many of each card at most. A card that fails while others go on is announced.
    """

    def __init__(
        self,
        request: Request,
        make: Callable[[Clock], Device],
        name: str,
        about: str,
        streams: int = FEWEST,
        announce: Announce | None = None,
        again: Callable[[Request, P], CudaKernel] | None = None,
    ) -> None:
        self.request, self.about = request, about
        self.facts: dict[str, object] = {"device": name}
        self._arguments = request, make, name, about, streams
        self._announce, self._again = announce, again
        self._turn = threading.Lock()
        self._device: Device | None = None
        self._streams: Sequence[Stream] = ()
        self._asked = 0  # how many streams were asked for
        self._failed: list[str] = []
        self._closing: weakref.finalize[Any, Any] | None = None

    def __reduce__(self) -> tuple[object, ...]:
        """What another process needs; cards and child processes are not sent."""
        return CudaKernel, self._arguments

    def for_request(self, request: Request, p: P) -> CudaKernel:
        """Give the same code another request; it opens a device of its own."""
        assert self._again is not None, "a kernel that was sent here, or not made by `compile`"
        cuda_code.check_tile(request)
        return self._again(request, p)

    def open(self, clock: Clock = perf_counter_ns, count: int | None = None) -> Sequence[Stream]:
        """The device's streams, or so many. Raises RenderError where the device does not take the kernel."""
        if self._device is None:
            self._device = self._arguments[1](clock)
            self._closing = weakref.finalize(self, self._device.close)
        count = count or self._arguments[4]
        if count > self._asked:
            self._asked, self._streams = count, self._device.streams(count)
            for line in getattr(self._device, "failed", [])[len(self._failed) :]:
                self.failed(line)
        return self._streams

    def failed(self, line: str) -> None:
        """Tell that a card has failed, and that others go on."""
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

    @staticmethod
    def end(stream: Stream, canvas: Canvas, x: int, y: int) -> Painted:
        """Wait for a stream's launch and put its pixels in their place on the canvas."""
        painted = stream.end()
        height, width, _ = painted.rgb.shape
        place = np.s_[y - canvas.y : y - canvas.y + height, x - canvas.x : x - canvas.x + width]
        canvas.rgb[place] = painted.rgb
        if canvas.steps is not None and painted.steps is not None:
            canvas.steps[place] = painted.steps
        return painted

    def paint(self, canvas: Canvas, x: int, y: int, width: int, height: int) -> tuple[int, int]:
        """Paint a rectangle of the frame and wait; give the steps made and the number of samples that are NaN."""
        with self._turn:  # threads that paint without a mode share one stream
            stream = self.open(count=1)[0]
            stream.begin(x, y, width, height)
            painted = self.end(stream, canvas, x, y)
            return painted.made, painted.bad
