"""Spans as columns are the spans one by one; intervals in columns are what they are one by one."""

from __future__ import annotations

import pickle
import sys
from types import FrameType
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from render.trace import KINDS, NO_TILE, Recorder, Span, Spans, Worker
from render.trace.intervals import max_overlap, merge_intervals, union
from render.trace.spans import NUMBER

WORKERS = [Worker(1, 2), Worker(1, 3), Worker(9, 0, "a GPU stream 0")]
SPANS = st.lists(
    st.builds(
        Span,
        st.sampled_from(WORKERS),
        st.integers(NO_TILE, 9),
        st.sampled_from(KINDS),
        st.integers(0, 1 << 60),
        st.integers(0, 1 << 60),
        st.integers(-1, 7),
        st.integers(-1, 7),
        st.none() | st.integers(0, 1 << 40),
    ),
    max_size=12,
)


@given(SPANS, SPANS)
def test_columns_hold_the_same_spans(first: list[Span], second: list[Span]) -> None:
    columns = Spans.of(first)

    assert columns == first
    assert list(columns) == first
    assert [columns[place] for place in range(len(first))] == first
    assert columns[1:3] == first[1:3]
    assert columns + second == first + second
    assert Spans.joined([columns, Spans.of(second)]) == first + second
    assert pickle.loads(pickle.dumps(columns)) == first  # noqa: S301  (our own)
    for kind in KINDS:
        assert columns.of_kind(kind) == [span for span in first if span.kind == kind]
    assert columns.of_kind("wait", "paint") == [span for span in first if span.kind in ("wait", "paint")]


def test_a_column_of_one_number_is_a_column() -> None:
    tiles = np.array([4, 2, 9])
    spans = Spans(WORKERS[2:], 0, tiles, NUMBER["paint"], tiles * 10, 100)
    expected = [Span(WORKERS[2], tile, "paint", 10 * tile, 100) for tile in (4, 2, 9)]

    assert spans == expected
    assert spans.take(tiles > 3) == [expected[0], expected[2]]
    assert Spans.joined([spans, spans]) == expected * 2
    assert spans.take(tiles > 9) == []


def test_a_recorder_keeps_columns_beside_single_spans() -> None:
    recorder = Recorder(lambda: 7)
    recorder.add("start", 1, 2)
    recorder.extend(Spans(WORKERS[2:], 0, np.array([3, 4]), NUMBER["paint"], np.array([2, 3]), 5))

    assert recorder.painter_of(4) == WORKERS[2]
    drained = recorder.drain()
    assert isinstance(drained, Spans)
    assert [span.kind for span in drained] == ["start", "paint", "paint"]
    assert recorder.drain() == ()


INTERVALS = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 60), st.integers(0, 20)), max_size=40)


@given(made=INTERVALS, zero=st.sampled_from([0, 10**18]), wide=st.sampled_from([1, 1 << 40]))
def test_the_union_is_that_of_each_group_by_itself(made: list[tuple[int, int, int]], zero: int, wide: int) -> None:
    """Also of times so far apart that a group's number and a time do not fit together into one."""
    rows = np.array([(group, zero + wide * t0, zero + wide * (t0 + long)) for group, t0, long in made], np.int64)
    group, t0, t1 = rows.reshape(-1, 3).T
    found = [row for row in zip(*(column.tolist() for column in union(group, t0, t1)), strict=True) if row[1] < row[2]]

    assert found == [
        (number, *interval)
        for number in range(4)
        for interval in merge_intervals((int(a), int(b)) for which, a, b in rows.reshape(-1, 3) if which == number)
    ]
    for number in range(4):
        own = [(int(a), int(b)) for which, a, b in rows.reshape(-1, 3) if which == number]
        held = [sum(a <= instant < b for a, b in own) for instant, _ in own]
        assert max_overlap(own) == max(held, default=0)


def test_what_a_clock_cannot_tell_apart_is_one() -> None:
    group, t0, t1 = np.array([[0, 0, 10], [0, 30, 40], [0, 80, 90], [1, 90, 95]]).T

    assert np.stack(union(group, t0, t1, gap=32), axis=1).tolist() == [[0, 0, 40], [0, 80, 90], [1, 90, 95]]


def test_many_squares_are_joined_in_as_few_lines_as_a_few() -> None:
    """All at once: one by one, a launch of 65,000 would take a tenth of a second."""
    numbers = np.arange(65_000)
    group, t0 = numbers * 7919 % 132, numbers * 10

    assert len(union(group, t0, t0 + 30_000).group) == 132
    assert count_lines(group, t0, t0 + 30_000) == count_lines(group[:132], t0[:132], t0[:132] + 30_000)


def count_lines(group: np.ndarray, t0: np.ndarray, t1: np.ndarray) -> int:
    """Count the lines of Python that are carried out while intervals are joined."""
    lines = 0

    def count(_frame: FrameType, event: str, _argument: object) -> Any:
        nonlocal lines
        lines += event == "line"
        return count

    before = sys.gettrace()
    sys.settrace(count)
    try:
        union(group, t0, t1)
    finally:
        sys.settrace(before)
    return lines


@pytest.mark.parametrize("other", [None, 3, "spans", [1, 2]])
def test_columns_are_equal_to_no_other_thing(other: object) -> None:
    assert Spans.of([]) != other
