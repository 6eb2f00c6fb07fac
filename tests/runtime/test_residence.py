"""When multiprocessors were at work: the union of their blocks' times, instant by instant."""

from __future__ import annotations

import sys
from types import FrameType
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from render.runtime.residence import busy
from render.stats import merge_intervals

BLOCKS = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 60), st.integers(1, 20)), min_size=1, max_size=40)


@given(made=BLOCKS, zero=st.sampled_from([0, 10**18]))
def test_it_is_the_union_of_each_multiprocessor_by_itself(made: list[tuple[int, int, int]], zero: int) -> None:
    blocks = np.array([(place, zero + start, zero + start + length) for place, start, length in made], np.int64)
    expected = [
        (place, *interval)
        for place in sorted({place for place, _, _ in made})
        for interval in merge_intervals((int(t0), int(t1)) for where, t0, t1 in blocks if where == place)
    ]

    assert [tuple(map(int, row)) for row in busy(blocks)] == expected


def test_what_the_clock_cannot_tell_apart_is_one() -> None:
    blocks = np.array([[0, 0, 10], [0, 30, 40], [0, 80, 90], [1, 90, 95]])

    assert busy(blocks, gap=32).tolist() == [[0, 0, 40], [0, 80, 90], [1, 90, 95]]


def test_no_blocks_are_never_busy() -> None:
    assert busy(np.zeros((0, 3), np.int64)).shape == (0, 3)


def test_a_large_launch_is_told_in_as_few_lines_as_a_small_one() -> None:
    """All its blocks at once: one by one, a launch of 65,000 would take a tenth of a second."""
    count = 65_000
    numbers = np.arange(count)
    blocks = np.stack([numbers * 7919 % 132, numbers * 10, numbers * 10 + 30_000], axis=1)

    assert len(busy(blocks)) == 132
    assert lines_run(blocks) == lines_run(blocks[:132])


def lines_run(blocks: np.ndarray) -> int:
    """How many lines of Python are carried out while a launch is told."""
    lines = 0

    def count(_frame: FrameType, event: str, _argument: object) -> Any:
        nonlocal lines
        lines += event == "line"
        return count

    before = sys.gettrace()
    sys.settrace(count)
    try:
        busy(blocks)
    finally:
        sys.settrace(before)
    return lines
