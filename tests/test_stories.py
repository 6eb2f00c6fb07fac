"""What a story is said to show: only what its runs carry, whatever they are called."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from render.findings import conclusions, evidence, stories
from render.frame import Frame, find_baseline
from render.request import Request
from render.trace import Span, Worker
from tests.conftest import EXAMPLE
from tests.outputs.conftest import MS, drawn


def told(timeline: str, *waits: tuple[int, int, int], title: str = "server", **more: Any) -> Frame:
    """A run of the story: one worker's timeline, and (tile, from, to) of the waits in ms."""
    facts = {"story": "server", "label": title, "asked": 1} | more.pop("facts", {})
    frame = drawn(timeline, wait_ns=3 * MS, facts=facts, **{"in_flight": 1} | more)
    spans = [Span(Worker(7, 0), tile, "wait", t0 * MS, t1 * MS) for tile, t0, t1 in waits]
    return replace(frame, trace=replace(frame.trace, spans=(*spans, *frame.trace.spans)))


ALONE = told("...000...111", (0, 1, 4), (1, 7, 10))
JUGGLED = told("...000111", (0, 1, 4), (1, 1, 4), title="switching", mode="concurrent", in_flight=4)
PLAIN = drawn("000111"), drawn("001101", mode="concurrent", facts={"asked": 1})


def follows(*frames: Frame) -> str:
    return " ".join(conclusions.tell_stories(evidence.build_runs(frames))["server"])


def test_juggling_wins_where_tiles_wait_and_there_only() -> None:
    said = follows(*PLAIN, ALONE, JUGGLED)
    assert "Where nothing waits, juggling wins nothing: concurrent took 6 ms, sequential 6 ms." in said
    assert "Where tiles wait, juggling wins: switching took 9 ms, server 12 ms. While one tile waited" in said
    assert "and was idle for 3 ms instead of 6 ms" in said


def test_one_that_did_not_win_is_not_said_to_have_won() -> None:
    slow = replace(JUGGLED, trace=ALONE.trace)
    assert "juggling wins:" not in follows(*PLAIN, ALONE, slow)


@pytest.mark.parametrize(
    ("alone", "juggled", "why"),
    [
        (told("...0", (0, 1, 4)), told("...0", (0, 1, 4), in_flight=4, mode="concurrent"), "with one tile there is no"),
        (ALONE, told("...000...111", (0, 1, 4), (1, 7, 10), mode="concurrent"), "one tile in flight at a time"),
        (
            told("." + "0" * 40 + "." + "1" * 40, (0, 1, 2), (1, 42, 43)),
            told("." + "0" * 40 + "1" * 40, (0, 1, 2), (1, 1, 2), in_flight=4, mode="concurrent"),
            "the time went into painting, not into waiting",
        ),
        (ALONE, told("...000...111", (0, 1, 4), (1, 1, 10), in_flight=4, mode="concurrent", given=0.2), "run it again"),
    ],
)
def test_why_nothing_was_won_is_said(alone: Frame, juggled: Frame, why: str) -> None:
    said = follows(alone, juggled)
    assert why in said
    assert "juggling wins:" not in said


def test_a_run_of_a_story_is_measured_against_the_storys_own() -> None:
    frames = [*PLAIN, ALONE, JUGGLED]
    assert find_baseline(JUGGLED, frames) is ALONE
    assert find_baseline(PLAIN[1], frames) is PLAIN[0]
    assert find_baseline(JUGGLED, [*PLAIN, JUGGLED]) is None, "it waits, and they do not"


@given(st.integers(1, 2000), st.integers(1, 2000), st.integers(1, 200), st.sampled_from(sorted(stories.STORIES)))
def test_all_tiles_of_a_story_wait_about_as_long_as_it_says(width: int, height: int, tile: int, name: str) -> None:
    request: Request = replace(EXAMPLE, width=width, height=height, tile=(tile, tile))
    rows, columns = request.rows_and_columns
    each, whole = stories.STORIES[name].wait_ns(request), stories.STORIES[name].waiting_ns
    assert stories.SHORTEST <= each <= stories.LONGEST
    if stories.SHORTEST < each < stories.LONGEST:
        assert abs(each * rows * columns - whole) <= rows * columns * 500_000
