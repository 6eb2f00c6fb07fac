"""The program's kernel on a card, a whole frame a launch: its picture must be the CPU's before a time counts."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, cast

import numpy as np

from render import engine, scene, targets
from render.options import complete
from render.request import Request

if TYPE_CHECKING:
    from render.compiler.launch import Painted
    from render.targets.cuda import CudaKernel


class Differ(Exception):
    """Pictures or step counts are not equal, so no time counts."""


class Program:
    """The program's kernel on the first card. Raises Differ where the CPU paints another picture."""

    def __init__(self, request: Request) -> None:
        self.request = replace(request, tile=(request.width, request.height))
        made = targets.load("cuda").compile(scene.load(request.scene), self.request, print)
        self.kernel = cast("CudaKernel", made)
        self.stream = self.kernel.open()[0]
        self.host = 0.0
        painted = self._once()
        self.made, self.steps = painted.made, None if painted.steps is None else painted.steps.copy()
        expected = engine.draw(on_cpu(request))
        same(painted.rgb, expected.rgb, "values of the picture")
        if self.made != expected.total_steps:
            raise Differ(f"{self.made} steps against {expected.total_steps}")

    def _once(self) -> Painted:
        t0 = time.perf_counter_ns()
        self.stream.begin(0, 0, self.request.width, self.request.height)
        painted = self.stream.end()
        self.host = (time.perf_counter_ns() - t0) / 1e9
        return painted

    def seconds(self) -> float:
        """Paint the frame once; how long the kernel took."""
        painted = self._once()
        return (painted.painted - painted.began) / 1e9

    def on_host(self) -> float:
        """The same, and how long it took to have the frame here."""
        self._once()
        return self.host

    def close(self) -> None:
        """Give the card back."""
        self.kernel.close()


def on_cpu(request: Request) -> Request:
    """The same frame, painted by the CPU; with shortcuts, which change no pixel."""
    parameters = dict(request.values)
    if "shortcuts" in parameters:
        parameters["shortcuts"] = 1
    return complete(
        scene=request.scene,
        view=request.view,
        parameters=parameters,
        size=(request.width, request.height),
        samples=request.samples,
        limit=request.limit,
        precision=request.precision,
        mode="sequential",
    )


def same(found: np.ndarray, expected: np.ndarray | None, what: str) -> None:
    """Raise Differ unless all are equal."""
    if expected is None or not np.array_equal(found, expected):
        wrong = "all" if expected is None else int((found != expected).sum())
        raise Differ(f"{wrong} of {found.size} {what} differ")


@contextmanager
def programs(**requests: Request) -> Iterator[dict[str, Program]]:
    """The program for some requests, given back in the end."""
    made: dict[str, Program] = {}
    try:
        for name, request in requests.items():
            made[name.replace("_", " ")] = Program(request)
        yield made
    finally:
        for program in made.values():
            program.close()
