"""The program as cases: a request drawn again and again, its picture compared every time."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from typing import Any

import numpy as np

import render
from harness.cases import Case, Differ, Once
from harness.timing import THREAD
from peers import Frame
from render import engine, stats
from render.frame import open_window, split_marked
from render.options import complete
from render.preparation import Preparation
from render.request import Request
from render.sampling import grid

BAILOUT = {"bailout": 2.0}  # of all frames that are painted by others as well


def ask(**options: Any) -> Request:
    """Complete a request: one sample a pixel, one worker, unless told otherwise."""
    return complete(**({"scene": "mandelbrot", "samples": 1, "mode": "sequential"} | options))


def plain(
    parameters: Mapping[str, Any], limit: int, precision: str, size: tuple[int, int], *, shortcuts: bool = False
) -> dict[str, Any]:
    """Return the options of the Mandelbrot set as peers paint it: bailout 2; shortcuts off unless told otherwise."""
    told = {**parameters, **BAILOUT, "shortcuts": int(shortcuts)}
    return {"parameters": told, "limit": limit, "precision": precision, "size": size}


def frame_of(request: Request) -> Frame:
    """Return the frame of a request as peers know it."""
    at = grid(request)
    where = float(at.x0), float(at.y0), float(at.pitch)
    return Frame(request.width, request.height, *where, request.limit, request.precision)


def count_steps(request: Request) -> np.ndarray:
    """Return the program's own steps; drawing once also compiles."""
    steps = engine.draw(request).steps
    assert steps is not None
    return steps


def check_equal(found: np.ndarray, expected: np.ndarray, what: str = "step counts") -> None:
    """Raise Differ unless all are equal."""
    differing = int((found != expected).sum())
    if differing:
        raise Differ(differing, expected.size, what)


def painting(request: Request, expected: str, *, seconds: str = "paint") -> Once:
    """Draw a request; its paint time by its own trace. Raises Differ where its picture's hash is not as expected."""

    def once() -> float:
        frame = engine.draw(request)
        check_hash(frame, expected)
        return stats.of(frame.trace).seconds[seconds]

    return once


def drawing(stack: ExitStack, expected: str | None, **options: Any) -> tuple[Once, Callable[[], render.Frame]]:
    """Draw in a session: the seconds of the whole call, as who draws film or map sees it. Raises Differ, RenderError.

    expected: the picture's hash, compared every time. Returns also the last frame that was drawn.
    """
    session = stack.enter_context(render.session(**({"samples": 1} | options)))
    last: list[render.Frame] = []

    def once() -> float:
        t0 = time.perf_counter_ns()
        frame = session.draw()
        spent = (time.perf_counter_ns() - t0) / 1e9
        if expected is not None:
            check_hash(frame, expected)
        last[:] = [frame]
        return spent

    return once, lambda: last[0]


def kernel(expected: np.ndarray, **options: Any) -> tuple[Once, float]:
    """Paint the whole frame by one call of the target's kernel, with colours, by this thread's CPU time. Raises Differ.

    expected: the steps of every sample, (height, width), which the kernel must count as well. Returns also what the
    first run took.
    """
    request = ask(**options)
    paint = Preparation().shared_kernel(request).paint
    canvas = open_window(request, 0, 0, request.width, request.height)
    total = count_facts(expected)["steps"]
    t0 = THREAD()
    paint(canvas, 0, 0, request.width, request.height)
    warmup = (THREAD() - t0) / 1e9
    assert canvas.steps is not None
    check_equal(split_marked(canvas.steps.copy())[0], expected)

    def once() -> float:
        t0 = THREAD()
        steps, _ = paint(canvas, 0, 0, request.width, request.height)
        spent = (THREAD() - t0) / 1e9
        if steps != total:
            raise Differ(abs(steps - total), total, "steps")
        return spent

    return once, warmup


def count_facts(expected: np.ndarray) -> dict[str, Any]:
    """Count the steps and pixels of a frame whose steps are these."""
    return {"steps": int(expected.sum(dtype=np.int64)), "pixels": expected.size}


def kernel_case(name: str, expected: np.ndarray, facts: Mapping[str, Any] | None = None, **options: Any) -> Case:
    """Make a case of the kernel alone, with the facts of `count_facts` where none are given. Raises Differ."""
    once, warmup = kernel(expected, **options)
    facts = count_facts(expected) if facts is None else facts
    return Case(name, once, equal=True, facts=facts, clock="thread", warmup=warmup)


def check_hash(frame: render.Frame, expected: str) -> None:
    """Raise Differ unless the frame's picture is the expected one."""
    if frame.sha256 != expected:
        raise Differ(1, 1, "pictures")
