"""How far a draw is, for whoever reads a log: lines now and then, and an honest guess at what is left."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from threading import Event, Thread
from typing import ClassVar, NoReturn

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from render import engine
from render.frontend import progress
from render.painting.course import Moment
from render.painting.painter import Done
from render.plan import cut
from render.request import Request
from render.trace import Worker
from tests.conftest import EXAMPLE, HANGING

RGB = np.zeros((32, 48, 3), np.uint8)


def moment(share: float, seconds: float, number: int = 0, request: Request = EXAMPLE) -> Moment:
    return Moment(request, "sequential", Done(cut(request)[number], 1), 6, Worker(1, 1), RGB, share, seconds)


@pytest.mark.parametrize(
    ("share", "seconds", "said"),
    [
        (0.25, 1.9, ""),
        (0.0, 60.0, ""),
        (1.0, 60.0, ""),
        (0.5, 4.2, ", about 4 s left"),
        (0.5, 43.0, ", about 45 s left"),
        (0.1, 100.0, ", about 15 min left"),
        (0.01, 100.0, ", about 2 h 40 min left"),
        (0.5, 7200.0, ", about 2 h left"),
    ],
)
def test_what_is_left_is_said_as_exactly_as_it_is_known(share: float, seconds: float, said: str) -> None:
    assert progress.describe_left(moment(share, seconds)) == said


@given(st.floats(0.5, 1e6))
def test_a_rough_time_is_no_further_off_than_a_fifth(seconds: float) -> None:
    units = {"s": 1, "min": 60, "h": 3600}
    words = progress.describe_roughly(seconds).split()
    told = sum(int(number) * units[unit] for number, unit in zip(words[::2], words[1::2], strict=True))
    assert abs(told - seconds) <= max(seconds / 5, 0.5)


def test_a_line_counts_the_tiles_of_the_run_that_is_on() -> None:
    told = progress.ProgressLines(100.0)
    assert told.current_line(125.0) == "no tile finished after 25 s"
    for number in range(3):
        told.note_tile(moment(0.5, 20.0, number))
    assert told.current_line(150.0) == "sequential: 3 of 6 tiles, about 20 s left"
    told.note_tile(moment(0.5, 20.0, 0, replace(EXAMPLE)))
    assert told.current_line(160.0) == "sequential: 1 of 6 tiles, about 20 s left"


def test_lines_come_now_and_then_and_end_with_the_draw(monkeypatch: pytest.MonkeyPatch) -> None:
    said = Event()

    class Log(io.StringIO):
        def flush(self) -> None:
            if "of 6 tiles" in self.getvalue():
                said.set()

    monkeypatch.setattr(progress, "FIRST_SECONDS", 0.001)
    log = Log()
    with progress.report_lines(log) as watch:
        watch(moment(0.5, 10.0))
        assert said.wait(HANGING)
    assert log.getvalue().splitlines()[-1] == "render: sequential: 1 of 6 tiles, about 10 s left"


def test_lines_become_rarer_up_to_a_minute() -> None:
    class Ended(Event):
        pauses: ClassVar[list[float]] = []

        def wait(self, timeout: float | None = None) -> bool:
            self.pauses.append(timeout or 0.0)
            return len(self.pauses) > 5

    progress._write_lines(progress.ProgressLines(0.0), io.StringIO(), Ended(), lambda: 0.0)  # noqa: SLF001
    assert Ended.pauses == [10.0, 20.0, 40.0, 60.0, 60.0, 60.0]


def test_where_no_thread_may_start_nothing_is_said_and_the_draw_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_thread: Thread) -> NoReturn:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(Thread, "start", refuse)
    log = io.StringIO()
    with progress.report_lines(log) as watch:
        watch(moment(0.5, 10.0))
    assert log.getvalue() == ""


def test_a_draw_that_is_soon_done_says_nothing() -> None:
    log = io.StringIO()
    with progress.report_lines(log) as watch:
        watch(moment(0.5, 10.0))
    assert log.getvalue() == ""


@pytest.mark.parametrize("order", ["rows", "costly"])
def test_the_share_grows_to_the_whole_by_cost_where_it_is_known(order: str, ask: Callable[..., Request]) -> None:
    shares: list[float] = []
    engine.draw(ask(order=order, limit=200), watch=lambda moment: shares.append(moment.share))
    assert shares == sorted(shares)
    assert len(shares) == 6
    assert shares[-1] == pytest.approx(1)
    even = [number / 6 for number in range(1, 7)]
    assert (shares == even) == (order == "rows")
    assert order == "rows" or shares[0] > even[0]  # the longest come first
