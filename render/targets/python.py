"""Target `python`: interpreted, slow, and the definition of the program. Every other target must equal it to the bit.

It does all there is to painting a rectangle: for each pixel, for each of its samples, walk
the scene's steps until the sample has ended or the limit is reached, shade it, and take the mean.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from render import sampling
from render.codegen.retarget import retarget
from render.frame import SliceResult
from render.language import primitives
from render.parameters import make_record, members_of
from render.runtime.kernel import CpuKernel
from render.scene import REALS

if TYPE_CHECKING:
    from render.frame import Canvas
    from render.parameters import P
    from render.request import Request
    from render.runtime.kernel import Announce
    from render.scene import Scene

KIND = "cpu"
PRECISIONS = ("f32", "f64")
BAND_ROWS = 0
DROPS_GIL = False


def unavailable_reason(request: Request | None = None) -> None:
    """Return None: Python is always available."""


def compile(scene: Scene, request: Request, announce: Announce) -> PythonKernel:
    """Bind the words in the scene's functions to the request's precision; takes no time."""
    return PythonKernel(scene, request, scene.prepared(request))


class PythonKernel(CpuKernel):
    """Paints with the interpreter, one sample after the other."""

    about = "interpreted"

    def __init__(self, scene: Scene, request: Request, p: P) -> None:
        self.scene, self.request, self.p = scene, request, p
        self.real = REALS[request.precision]
        self.grid = sampling.grid(request)
        self.offsets = sampling.offsets(request.samples).astype(self.real)
        words = primitives.words(self.real)
        bound = {getattr(primitives, name): word for name, word in words.items()}

        def bind(function: Callable[..., Any]) -> Any:
            return retarget(function, words=bound)

        functions = (scene.functions[name] for name in ("start", "step", "alive", "shade"))
        self.start, self.step, self.alive, self.shade = map(bind, functions)
        shared = sampling.position, sampling.clamped, sampling.light_step
        self.position, self.clamped, self.light_step = (bind(function) for function in shared)

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle the scene's path: another process loads the scene anew."""
        return _unpickle, (str(self.scene.path.absolute()), self.request, members_of(self.p))

    def for_request(self, request: Request, p: P) -> PythonKernel:
        """Paint another request."""
        return PythonKernel(self.scene, request, p)

    @contextmanager
    def start_rectangle(self, canvas: Canvas, x: int, y: int, width: int, height: int) -> Iterator[Rectangle]:
        """Start a rectangle, painted some pixels at a time."""
        yield Rectangle(self, canvas, [(i, j) for j in range(y, y + height) for i in range(x, x + width)])

    def paint_pixel(self, canvas: Canvas, i: int, j: int) -> tuple[int, int]:
        """Store the mean of the samples' light, in order, as 8-bit sRGB."""
        light = [self.real(0)] * 3
        total = bad = steps = 0
        inside = False
        for rgb, steps, inside in self.walk_samples(i, j):  # noqa: B007  (the last one counts)
            bad += any(part != part for part in rgb)
            light = [whole + self.clamped(part) for whole, part in zip(light, rgb, strict=True)]
            total += steps
        table, share = sampling.srgb_table(), self.real(self.request.samples)
        canvas.rgb[j - canvas.y, i - canvas.x] = [table[int(self.light_step(whole / share))] for whole in light]
        if canvas.steps is not None:
            canvas.steps[j - canvas.y, i - canvas.x] = ~steps if inside else steps
        return total, bad

    def walk_samples(self, i: int, j: int) -> Iterator[tuple[list[Any], int, bool]]:
        """Walk the samples of a pixel: the light, the steps made, and whether it is still alive, of each."""
        for across, down in self.offsets:
            yield self._walk_sample(*self.position(self.real(i), self.real(j), across, down, *self.grid))

    def _walk_sample(self, x: Any, y: Any) -> tuple[list[Any], int, bool]:
        """Run the plain loop, which every driver must equal; return light, steps and if the sample is still alive."""
        state, steps, p = self._as_lanes(self.start(x, y, self.p)), 0, self.p
        while steps < self.request.limit and self.alive(state, p):
            state, steps = self._as_lanes(self.step(state, p)), steps + 1
        return self._as_lanes(self.shade(state, self.real(steps), p)), steps, bool(self.alive(state, p))

    def _as_lanes(self, values: Any) -> Any:
        """Turn constants among lanes into lanes."""
        real = self.real
        return [value if type(value) is real else real(value) for value in values]


class Rectangle:
    """Pixels still to be painted, the last one first."""

    def __init__(self, kernel: PythonKernel, canvas: Canvas, pixels: list[tuple[int, int]]) -> None:
        self.kernel, self.canvas, self.remaining = kernel, canvas, pixels[::-1]

    def paint_slice(self, budget: int) -> SliceResult:
        """Paint pixels until their samples have made `budget` steps."""
        total = bad = 0
        with np.errstate(all="ignore"):
            while self.remaining and total <= budget:
                steps, nan = self.kernel.paint_pixel(self.canvas, *self.remaining.pop())
                total, bad = total + steps, bad + nan
        return SliceResult(total, bad, not self.remaining)


def _unpickle(path: str, request: Request, named: dict[str, Any]) -> PythonKernel:
    from render.scene import load

    return PythonKernel(load(path), request, make_record(named))
