"""Mode concurrent has an event loop of its own, wherever it is called: in a plain program, a running loop, a thread."""

from __future__ import annotations

import asyncio
import os
import threading
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from threading import get_native_id
from types import SimpleNamespace
from typing import Any

import pytest

import render
from render import engine, modes
from render.frame import Canvas, Frame, SliceResult
from render.painting import course
from render.painting.painter import Painter
from render.plan import cut
from render.request import Request
from render.runtime.kernel import CpuKernel
from render.trace import Recorder

SMALL = {"size": (12, 8), "samples": 1, "limit": 20, "tile": 4, "target": "python"}
INTERRUPTS = """\
import os, signal, threading
class Interrupt:
    sent = False

    def __call__(self):
        if threading.current_thread() is not threading.main_thread() and not self.sent:
            self.sent = True
            os.kill(os.getpid(), signal.SIGINT)
interrupt = Interrupt()
def start(x, y, p): return x, y
def step(state, p):
    interrupt()
    return state
def alive(state, p): return state[0] < 1e30
def shade(state, steps, p):
    return 0.0, 0.0, 0.0
"""


@pytest.fixture
def wanted(ask: Callable[..., Request]) -> Request:
    """Six tiles."""
    return ask(mode="concurrent", in_flight=3, width=12, height=8, tile=(4, 4))


@contextmanager
def running_loop() -> Iterator[Callable[[Callable[[], object]], object]]:
    """A way to call something while an event loop runs in this thread."""

    async def calling(function: Callable[[], object]) -> object:
        return function()

    loop = asyncio.new_event_loop()
    yield lambda function: loop.run_until_complete(calling(function))
    loop.close()


def test_inside_a_running_loop_one_worker_juggles_as_anywhere(wanted: Request) -> None:
    watchers: list[int] = []

    def watch(_: course.Moment) -> None:
        watchers.append(get_native_id())

    async def main() -> Frame:
        return engine.draw(wanted, watch=watch)

    frame = asyncio.run(main())

    assert frame.sha256 == engine.draw(replace(wanted, mode="sequential")).sha256
    [worker] = frame.trace.workers
    assert worker.process == os.getpid()
    assert worker.thread != get_native_id(), "that thread runs the caller's loop"
    assert watchers == [get_native_id()] * 6, "whoever watches is called where the caller is"
    assert {span.worker for span in frame.trace.spans if span.kind in ("paint", "wait")} == {worker}


def test_races_and_lessons_run_inside_a_running_loop() -> None:
    async def main() -> list[engine.Race]:
        return [
            render.race(["sequential", "concurrent", "parallel"], workers=2, **SMALL),
            render.lesson("wait", workers=2, wait="1ms", **SMALL),
        ]

    for result in asyncio.run(main()):
        assert result.identical
        assert {frame.request.mode for frame in result} == {"sequential", "concurrent", "parallel"}


def test_leaving_early_inside_a_running_loop_leaves_no_thread_behind(wanted: Request) -> None:
    def leave(_moment: object) -> None:
        raise KeyboardInterrupt

    with running_loop() as call, pytest.raises(KeyboardInterrupt):
        call(lambda: engine.draw(wanted, watch=leave))

    assert not [thread for thread in threading.enumerate() if thread.name.startswith("concurrent")]


@pytest.mark.skipif(os.name == "nt", reason="signals come otherwise there")
def test_an_interruption_inside_a_running_loop_ends_it_at_once(wanted: Request, tmp_path: Path) -> None:
    """As in a notebook: the signal comes to the main thread while the worker paints a slice."""
    scene = tmp_path / "interrupts.py"
    scene.write_text(INTERRUPTS, encoding="utf-8")
    parameters = (("shortcuts", 1), ("x", 0.0), ("y", 0.0), ("zoom", 1.0))
    request = replace(wanted, scene=str(scene), view="default", parameters=parameters, limit=20_000)

    with running_loop() as call, pytest.raises(KeyboardInterrupt):
        call(lambda: engine.draw(request))

    assert not [thread for thread in threading.enumerate() if thread.name.startswith("concurrent")]


def test_several_threads_may_race_at_once_and_warnings_stay_as_they_were() -> None:
    filters, scenes = list(warnings.filters), ("mandelbrot", "julia")

    def race(number: int) -> engine.Race:
        return render.race(["concurrent", "parallel"], workers=2, **SMALL | {"scene": scenes[number % 2]})

    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(race, range(4)))

    assert all(result.identical for result in results)
    for result in results:
        assert len(result[0].trace.workers) == 1
    assert len({result[0].sha256 for result in results}) == 2
    assert warnings.filters == filters


class Uneven(CpuKernel):
    """A kernel that needs so many slices for each tile, by the tile's left edge; a slice takes 2 ms of its clock."""

    about = "nothing that paints"

    def __init__(self, clock: Any, slices: dict[int, int]) -> None:
        self.clock, self.slices = clock, slices

    @contextmanager
    def start_rectangle(self, *place: Any) -> Iterator[Any]:
        x = place[1]

        def paint_slice(_budget: int) -> SliceResult:
            self.clock.tick(2_000_000)
            self.slices[x] -= 1
            return SliceResult(1, 0, self.slices[x] == 0)

        yield SimpleNamespace(paint_slice=paint_slice)

    def paint(self, *_: Any) -> tuple[int, int]:
        raise AssertionError("the whole tile at once")


def test_tiles_come_and_go_beside_one_that_takes_long(clock: Any, wanted: Request) -> None:
    request = replace(wanted, in_flight=2, width=24, height=4)
    kernel = Uneven(clock, {0: 2, 4: 50, 8: 3, 12: 2, 16: 5, 20: 2})
    painter = Painter(request, Canvas(1, 1, with_steps=False), kernel, Recorder(clock))

    done = [finished.tile.number for finished in modes.load("concurrent").run(cut(request), painter)]

    assert done == [0, 2, 3, 4, 5, 1]
