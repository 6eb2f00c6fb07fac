"""Repeats of a race's runs: how many are made, and which one is shown.

A single run says little: another program may have had a CPU just then. So all runs are made in turn, A B C, A B C, as
often as fits in some seconds, and what is reported of a run is its repeat of median time. How much the
repeats differ says how much a difference between two runs is worth (`render.findings.schedule.Difference`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import copy
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np

from render import stats
from render.errors import UsageError
from render.frame import Frame

LEAST, MOST = 3, 9  # repeats; both odd, so that there is one in the middle
SECONDS = 4.0  # after so long no more than LEAST
HIGHEST = 1000  # rounds that may be requested
PATIENCE = 45.0  # seconds that a lesson may take, whose sentence is not carried yet
Some = TypeVar("Some", bound=Frame)


@dataclass(frozen=True)
class Rounds:
    """The number of rounds that a race makes: from `least` to `most`, as many as fit in `seconds`.

    `enough(frames)` is called after each round with the frames as they would be shown now. Where it is False, more
    rounds are made, until `patience` seconds have passed.
    """

    least: int = LEAST
    most: int = MOST
    seconds: float = SECONDS
    patience: float = PATIENCE
    enough: Callable[[Sequence[Frame]], bool] = lambda _frames: True

    def needs_more(self, rounds_made: int, spent: float, frames: Sequence[Frame]) -> bool:
        """Decide whether another round is made after `made` rounds, which took `spent` seconds in all.

        It ends with an odd number, unless `least` is even or patience ends.
        """
        if rounds_made < self.least:
            return True
        if rounds_made >= self.most:
            return False
        if not self.enough(frames):
            return spent < self.patience
        after = spent * (rounds_made + 1) / rounds_made
        return rounds_made % 2 == 0 or (rounds_made + 2 <= self.most and after + spent / rounds_made <= self.seconds)


LATER = Rounds(least=1, most=3, seconds=6.0)  # of a story: its runs take longer, and differ by more than chance


def parse_rounds(repeat: int | str | None, otherwise: Rounds = Rounds()) -> Rounds:
    """Parse a number of rounds, which is kept whatever they take; None: `otherwise`. Raises UsageError."""
    if repeat is None:
        return otherwise
    try:
        rounds = int(repeat)
    except ValueError:
        rounds = 0
    if not 1 <= rounds <= HIGHEST:
        raise UsageError(f"--repeat is {repeat!r:.60}", f"give a number from 1 to {HIGHEST}, for example 5")
    return Rounds(rounds, rounds)


def share_pixels(frame: Some, first: Frame) -> Some:
    """Let a frame share the pixels of the first one, where they are equal: many repeats need memory."""
    if frame.sha256 != first.sha256 or frame.rgb.shape != first.rgb.shape:
        return frame
    sharing = copy(frame)
    object.__setattr__(sharing, "rgb", first.rgb)
    if frame.steps is not None and first.steps is not None and np.array_equal(frame.steps, first.steps):
        object.__setattr__(sharing, "steps", first.steps)
    return sharing


def choose_median(repeats: Sequence[Some], first: Frame) -> Some:
    """Choose the repeat that is shown: that of median time, of two the lower; its facts get the times of all.

    `first` is the first picture of the race. Where repeats painted another one, only those may be shown: a fault must
    not hide behind a median.
    """
    unlike = [frame for frame in repeats if (frame.sha256, frame.total_steps) != (first.sha256, first.total_steps)]
    times = {id(frame): stats.of(frame.trace).seconds["tiles"] for frame in repeats}
    ordered = sorted(unlike or repeats, key=lambda frame: times[id(frame)])
    shown = ordered[(len(ordered) - 1) // 2]
    facts = shown.trace.facts | {"seconds_all": [times[id(frame)] for frame in repeats]}
    return shown.with_trace(replace(shown.trace, facts=facts))
