"""The lanes as text: each letter is what took most of its time, in every worker's lane and for all of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from itertools import groupby

import numpy as np
import pytest
from hypothesis import given as hypothesis_given
from hypothesis import strategies as st

from render.findings import chart
from render.frame import Frame
from render.request import Request
from render.trace import Span, Trace, Worker

MS = 10**6
TILES = str.maketrans("0123456789", "abcdefghij")  # the letters that stand for tiles


Ask = Callable[..., Request]


def framed(ask: Ask, *timelines: str, mode: str = "sequential") -> Frame:
    """A worker for each timeline, a letter for each ms: the tile it paints, or that it waits."""
    spans = []
    for thread, timeline in enumerate(timelines):
        t0 = 0
        for letter, turn in groupby(timeline):
            t1 = t0 + len(list(turn))
            if letter != ".":
                kind, tile = ("wait", 9) if letter == "~" else ("paint", int(letter))
                spans.append(Span(Worker(1, thread), tile, kind, t0 * MS, t1 * MS))
            t0 = t1
    return Frame(np.zeros((32, 48, 3), np.uint8), None, 1, ask(mode=mode), Trace(tuple(spans), 0, 0, 99 * MS, {}))


@pytest.fixture
def draw(ask: Ask) -> Callable[..., Frame]:
    """`draw("0011", "22.~")`: two workers."""
    return partial(framed, ask)


def lane(frame: Frame, width: int) -> list[str]:
    """What stands behind the heads."""
    lines = chart.draw_lanes([frame], width)
    return [line[chart.HEAD :] for line in lines if line.startswith("  ")]


def test_a_letter_for_each_ms_gives_the_timeline_back(draw: Callable[..., Frame]) -> None:
    frame = draw("~0011..2", "1133~~33", mode="parallel")
    assert chart.draw_lanes([frame], chart.HEAD + 8)[-6:] == [
        "parallel",
        "  worker 0   bbdd~~dd",
        "  worker 1   ~aabb..c",
        "  at a tile  12221012",
        "  in flight  12322112",
        "  waiting    10001100",
    ]


@hypothesis_given(st.text("0123.~", max_size=12), st.integers(1, 4))
def test_longer_letters_and_shorter_ones_tell_the_same(ask: Ask, middle: str, times: int) -> None:
    timeline = f"4{middle}4"
    told = lane(framed(ask, timeline), chart.HEAD + times * len(timeline))
    assert told[0] == "".join(letter * times for letter in timeline.translate(TILES))
    assert told[1] == "".join(str(int(letter.isdigit())) * times for letter in timeline)


def test_what_took_most_of_a_letter_is_told(draw: Callable[..., Frame]) -> None:
    assert lane(draw("0001...2"), chart.HEAD + 2)[0] == "a."
    assert lane(draw("0001~~~~"), chart.HEAD + 2)[0] == "a~"


def test_a_worker_that_paints_while_other_tiles_wait_is_seen_to_paint(draw: Callable[..., Frame]) -> None:
    frame = draw("0.00")
    waits = [Span(Worker(1, 0), tile, "wait", 0, 4 * MS) for tile in (1, 2)]
    assert lane(replace(frame, trace=replace(frame.trace, spans=(*waits, *frame.trace.spans))), chart.HEAD + 4)[0] == (
        "a~aa"
    )


def test_of_workers_alone_there_are_no_levels(draw: Callable[..., Frame]) -> None:
    assert chart.draw_lanes([draw("00")], chart.HEAD + 2, levels=False)[-2:] == ["sequential", "  worker 0   aa"]


def test_levels_tell_the_most_at_any_instant_of_a_letter(draw: Callable[..., Frame]) -> None:
    running, in_flight = lane(draw("0101", "2.33", mode="parallel"), chart.HEAD + 2)[-2:]
    assert (running, in_flight) == ("22", "23")


def test_the_letters_are_explained(draw: Callable[..., Frame]) -> None:
    explained = "each character is 1 ms of a worker: a letter is the tile it is at, ~ waiting, . neither"
    assert chart.draw_lanes([draw("0" * 80)], chart.HEAD + 80)[0] == explained


def given(frame: Frame, share: float) -> Frame:
    """The frame, each of whose paint spans had a CPU for so much of its time."""
    spans = [s._replace(on_cpu=round(share * (s.t1 - s.t0))) if s.kind == "paint" else s for s in frame.trace.spans]
    return replace(frame, trace=replace(frame.trace, spans=tuple(spans)))


def test_workers_that_share_a_cpu_are_seen_to_take_turns_and_only_one_of_them_has_it(
    draw: Callable[..., Frame],
) -> None:
    told = lane(given(draw("00002222", "11113333", mode="parallel"), 0.5), chart.HEAD + 8)
    assert told == ["-a-a-c-c", "b-b-d-d-", "22222222", "11111111", "22222222"]


@hypothesis_given(st.integers(0, 100), st.integers(1, 60))
def test_as_many_letters_lack_a_cpu_as_the_time_without_one(ask: Ask, percent: int, long: int) -> None:
    told = lane(given(framed(ask, "0" * long), percent / 100), chart.HEAD + long)
    lacking = long * (100 - percent) / 100 if percent < 95 else 0
    assert abs(told[0].count("-") - lacking) <= 1
    assert set(told[0]) <= {"a", "-"}


def test_where_cpu_time_is_not_known_nothing_is_drawn_of_it(draw: Callable[..., Frame]) -> None:
    told = chart.draw_lanes([draw("0011", "2233", mode="parallel")], 80)
    assert not any("on a CPU" in line or "without a CPU" in line for line in told)


def test_the_character_for_no_cpu_is_explained_where_it_is_used(draw: Callable[..., Frame]) -> None:
    told = " ".join(chart.draw_lanes([given(draw("0" * 80), 0.2)], chart.HEAD + 80))
    assert "- at a tile without a CPU" in told


def test_all_runs_have_one_scale(draw: Callable[..., Frame]) -> None:
    lines = chart.draw_lanes([draw("01234567"), draw("0123", mode="concurrent")], chart.HEAD + 8)
    assert [line for line in lines if "worker 0" in line] == ["  worker 0   abcdefgh", "  worker 0   abcd"]


def test_of_many_workers_the_first_are_told(draw: Callable[..., Frame]) -> None:
    lines = chart.draw_lanes([draw(*"0123456789", mode="parallel")], 80)
    assert "  and 2 workers more" in lines
    assert lines[-1].endswith("+" * (80 - chart.HEAD))


@pytest.mark.parametrize("width", [chart.HEAD, 5])
def test_without_room_or_tiles_there_are_none(draw: Callable[..., Frame], width: int) -> None:
    assert chart.draw_lanes([draw("01")], width) == []
    assert chart.draw_lanes([draw()], 80) == []
    assert chart.draw_lanes([], 80) == []


def test_a_run_too_short_to_be_seen_has_a_scale_of_its_own_and_says_so(draw: Callable[..., Frame]) -> None:
    short = draw("01", mode="cuda")
    told = chart.draw_lanes([draw("0" * 120), short], 13 + 60)
    at = told.index("cuda (60 times wider: a character is 0.0333 ms)")
    assert told[at + 1] == "  worker 0   " + "a" * 30 + "b" * 30
    assert "cuda" in chart.draw_lanes([draw("0" * 60), short], 13 + 60)
