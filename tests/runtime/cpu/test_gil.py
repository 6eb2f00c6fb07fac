"""The same machine code with the GIL held: the same picture, and never two calls at the same instant."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from itertools import pairwise

import pytest

from render import engine, scene, targets
from render.request import Request
from render.runtime.cpu.gil import Call, GilKernel, hold_gil
from render.trace import Span, Worker


@pytest.fixture(scope="module")
def wanted(ask: Callable[..., Request]) -> Request:
    return ask(
        mode="parallel",
        backend="threading",
        workers=4,
        target="scalar",
        in_flight=1,
        width=160,
        height=96,
        samples=2,
        limit=400,
    )


def test_four_threads_that_hold_the_gil_take_turns_and_paint_the_same_picture(wanted: Request) -> None:
    frame = engine.draw(wanted, adapt=hold_gil)
    paint = frame.trace.of_kind("paint")
    assert frame.sha256 == engine.draw(wanted).sha256
    assert len(paint) == 60
    assert all(span.on_cpu is not None and 0 < span.on_cpu <= span.t1 - span.t0 for span in paint)
    assert all(before.t1 <= after.t0 for before, after in pairwise(paint))


def test_waiting_and_painting_add_up_to_the_painters_span(wanted: Request) -> None:
    kernel = hold_gil(targets.load("scalar").compile(scene.load("mandelbrot"), wanted, engine.announce_nothing))
    assert isinstance(kernel, GilKernel)
    worker = Worker(1, 2)
    kernel.calls.append(Call(worker, 30, 60, on_cpu=25, cpu=1, cpu_end=0))
    whole, other = Span(worker, 4, "paint", 20, 90, 1, 1, 40), Span(worker, 5, "paint", 100, 110, 1, 1, 9)
    assert kernel.correct_spans([whole, other]) == (
        Span(worker, 4, "wait", 20, 30, 1, 1),
        Span(worker, 4, "paint", 30, 60, 1, 0, on_cpu=25),
        Span(worker, 4, "wait", 60, 90, 1, 1),
        other,
    )


def test_it_stays_in_its_process(wanted: Request) -> None:
    with pytest.raises(TypeError, match="threads of one process"):
        pickle.dumps(
            hold_gil(targets.load("scalar").compile(scene.load("mandelbrot"), wanted, engine.announce_nothing))
        )


def test_only_compiled_code_can_be_called_either_way(wanted: Request) -> None:
    with pytest.raises(TypeError, match="only compiled code"):
        hold_gil(targets.load("python").compile(scene.load("mandelbrot"), wanted, engine.announce_nothing))
