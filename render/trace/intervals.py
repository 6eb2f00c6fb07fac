"""Half-open intervals [t0, t1) of whole numbers: their union, and how many hold an instant.

As columns they are computed on whole arrays, so that tens of thousands cost little more than a few.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

Interval = tuple[int, int]

BITS = 63  # of a sorting key: a group's number above, a time below


class Intervals(NamedTuple):
    """Columns of intervals: a group's number, from t0 to t1."""

    group: np.ndarray
    t0: np.ndarray
    t1: np.ndarray


def union(group: np.ndarray, t0: np.ndarray, t1: np.ndarray, gap: int = 0) -> Intervals:
    """Join the intervals of each group that overlap, touch, or lie no more than `gap` apart.

    The columns are int64, of one length; groups are numbers from 0 on. Gives disjoint intervals by group and time;
    those of no length stay where no other covers or touches them.
    """
    if not len(t0):
        return Intervals(group, t0, t1)
    zero, end = int(t0.min()), int(t1.max())
    bits = max(end - zero + gap + 1, 1).bit_length()
    if bits + int(group.max()).bit_length() > BITS:  # of runs of days: their times' ranks are small numbers
        instants, ranks = np.unique(np.concatenate([t0, t1]), return_inverse=True)
        starts, ends = np.split(ranks.reshape(-1), 2)
        found = union(group, starts, ends)
        return Intervals(found.group, instants[found.t0], instants[found.t1])
    place = group.astype(np.int64) << bits
    starts, ends = place | (t0 - zero), place | (t1 - zero)
    order = np.argsort(starts)
    starts, reached = starts[order], np.maximum.accumulate(ends[order])
    new = np.flatnonzero(starts[1:] > reached[:-1] + gap) + 1
    starts, ends = starts[np.r_[0, new]], reached[np.r_[new - 1, len(starts) - 1]]
    moment = (1 << bits) - 1
    return Intervals(starts >> bits, (starts & moment) + zero, (ends & moment) + zero)


def most_at_once(t0: np.ndarray, t1: np.ndarray) -> int:
    """Count how many intervals hold the same instant, at most; those of no length hold none."""
    lasting = t0 < t1
    starts, ends = np.sort(t0[lasting]), np.sort(t1[lasting])
    held = np.arange(1, len(starts) + 1) - np.searchsorted(ends, starts, side="right")
    return int(held.max(initial=0))


def max_overlap(intervals: Iterable[Interval]) -> int:
    """Count the half-open intervals that hold the same instant, at most."""
    t0, t1 = np.array(list(intervals), np.int64).reshape(-1, 2).T
    return most_at_once(t0, t1)


def merge_intervals(intervals: Iterable[Interval]) -> list[Interval]:
    """Merge intervals into disjoint ones that do not touch, by time."""
    merged: list[Interval] = []
    for t0, t1 in sorted(intervals):
        if t0 == t1:
            continue
        if merged and t0 <= merged[-1][1]:
            merged[-1] = merged[-1][0], max(merged[-1][1], t1)
        else:
            merged.append((t0, t1))
    return merged


def count_levels(intervals: Iterable[Interval]) -> list[tuple[int, int]]:
    """Count the half-open intervals that hold an instant, as (from when, how many) wherever that changes, by time."""
    change: dict[int, int] = {}
    for t0, t1 in intervals:
        if t0 < t1:
            change[t0] = change.get(t0, 0) + 1
            change[t1] = change.get(t1, 0) - 1
    level = 0
    levels = []
    for instant in sorted(change):
        level += change[instant]
        if change[instant]:
            levels.append((instant, level))
    return levels
