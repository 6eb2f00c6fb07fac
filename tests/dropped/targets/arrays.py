"""Target `arrays`, for a test: NumPy's arrays as lanes, all samples of a row of pixels stepped together."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import numpy as np

from render import sampling
from render.codegen.retarget import retarget
from render.frame import Canvas, SliceResult
from render.language import primitives
from render.request import Request
from render.runtime.kernel import Announce, CpuKernel
from render.scene import REALS, Scene

KIND = "cpu"
PRECISIONS = ("f64",)
BAND_ROWS = 0
DROPS_GIL = False


def unavailable_reason(request: Request | None = None) -> None:
    """Nothing: NumPy is here."""


def compile(scene: Scene, request: Request, announce: Announce) -> ArrayKernel:
    return ArrayKernel(scene, request, scene.prepared(request))


def element_by_element(word: Callable[..., Any]) -> Callable[..., Any]:
    """A word for single lanes as one for arrays of them."""

    def of_arrays(*operands: Any) -> Any:
        many = map(np.atleast_1d, np.broadcast_arrays(*operands))
        return np.array([word(*lanes) for lanes in zip(*many, strict=True)])

    return of_arrays


class ArrayKernel(CpuKernel):
    """Paints row by row."""

    about = "NumPy's arrays"

    def __init__(self, scene: Scene, request: Request, p: Any) -> None:
        self.scene, self.request, self.p, self.real = scene, request, p, REALS[request.precision]
        words = primitives.words(self.real)
        of_arrays = {name: element_by_element(words[name]) for name in words}
        of_arrays |= {"where": np.where, "any_lane": np.any}
        of_arrays["take"] = lambda array, index: element_by_element(partial(words["take"], array))(index)
        bound = {getattr(primitives, name): word for name, word in of_arrays.items()}

        def bind(function: Callable[..., Any]) -> Any:
            return retarget(function, words=bound)

        functions = scene.functions
        self.start, self.step = bind(functions["start"]), bind(functions["step"])
        self.alive, self.shade = bind(functions["alive"]), bind(functions["shade"])
        self.position, self.clamped = bind(sampling.position), bind(sampling.clamped)
        self.light_step = bind(sampling.light_step)

    def for_request(self, request: Request, p: Any) -> ArrayKernel:
        return ArrayKernel(self.scene, request, p)

    @contextmanager
    def start_rectangle(self, canvas: Canvas, x: int, y: int, width: int, height: int) -> Iterator[Rows]:
        yield Rows(self, canvas, x, width, list(range(y, y + height)))

    def row(self, canvas: Canvas, x: int, y: int, width: int) -> int:
        """Paint some pixels of a row; give the steps made."""
        columns, made = np.arange(x, x + width).astype(self.real), 0
        light = [np.zeros(width, self.real)] * 3
        for across, down in sampling.offsets(self.request.samples).astype(self.real):
            at = self.position(columns, self.real(y), across, down, *sampling.grid(self.request))
            state = [np.broadcast_to(np.asarray(lanes, self.real), width) for lanes in self.start(*at, self.p)]
            steps = np.zeros(width, np.int32)
            while (going := self.alive(state, self.p) & (steps < self.request.limit)).any():
                state = [np.where(going, new, old) for new, old in zip(self.step(state, self.p), state, strict=True)]
                steps = steps + going
            rgb = self.shade(state, steps.astype(self.real), self.p)
            light = [total + self.clamped(np.broadcast_to(part, width)) for total, part in zip(light, rgb, strict=True)]
            made += int(steps.sum())
        share = self.real(self.request.samples)
        levels = [sampling.srgb_table()[self.light_step(total / share).astype(int)] for total in light]
        canvas.rgb[y - canvas.y, x - canvas.x :][:width] = np.stack(levels, axis=1)
        if canvas.steps is not None:
            counted = np.where(self.alive(state, self.p), ~steps, steps)
            canvas.steps[y - canvas.y, x - canvas.x :][:width] = counted
        return made


class Rows:
    """Rows still to be painted."""

    def __init__(self, kernel: ArrayKernel, canvas: Canvas, x: int, width: int, left: list[int]) -> None:
        self.kernel, self.canvas, self.x, self.width, self.left = kernel, canvas, x, width, left

    def paint_slice(self, budget: int) -> SliceResult:
        made = 0
        with np.errstate(all="ignore"):
            while self.left and made <= budget:
                made += self.kernel.row(self.canvas, self.x, self.left.pop(0), self.width)
        return SliceResult(made, 0, not self.left)
