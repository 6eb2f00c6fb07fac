"""Another clock on ours: however the two drift apart, no time is told further off than is said."""

from __future__ import annotations

from itertools import accumulate, pairwise
from math import floor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from render.trace.tied_clock import TiedClock

STEPS = st.sampled_from([1, 32, 1000])
MS = 1_000_000


class Pair:
    """Two clocks: a GPU's, and a host's that drifts against it by so many ppm in each stretch of a second."""

    def __init__(self, ahead: int, drifts: list[float]) -> None:
        self.lead = [*accumulate((drift * 1000 for drift in drifts), initial=ahead)]  # ns, at each second

    def host(self, gpu: int) -> int:
        second, part = divmod(gpu, 1000 * MS)
        before, after = list(pairwise(self.lead))[second]
        return gpu + floor(before + (after - before) * part / (1000 * MS))


@given(
    step=STEPS,
    ahead=st.integers(-(10**18), 10**18),
    drifts=st.lists(st.floats(-190, 190), min_size=4, max_size=4),
    launches=st.lists(
        st.tuples(st.integers(0, 3000 * MS), st.integers(0, 900 * MS), st.integers(0, MS), st.integers(0, MS)),
        min_size=1,
        max_size=12,
    ),
)
def test_no_time_is_further_off_than_is_said(
    step: int, ahead: int, drifts: list[float], launches: list[tuple[int, int, int, int]]
) -> None:
    pair, clock = Pair(ahead, drifts), TiedClock(step)
    for first, duration, late, seen in sorted(launches):
        last = first + duration
        clock.learn(first // step * step, last // step * step, pair.host(first) - late, pair.host(last) + seen)

        for moment in (first, first + duration // 2, last):
            assert abs(moment // step * step + clock.offset - pair.host(moment)) <= clock.error + 2
        low, high = clock.bounds
        assert low - 1 <= pair.host(last) - last <= high + 1


def test_many_launches_say_more_than_one() -> None:
    early, late, both = TiedClock(1), TiedClock(1), TiedClock(1)
    early.learn(0, 100, 1000 - 5, 1100 + 500)
    late.learn(200, 300, 1200 - 500, 1300 + 5)
    both.learn(0, 100, 1000 - 5, 1100 + 500)
    wide = both.error
    both.learn(200, 300, 1200 - 500, 1300 + 5)

    assert both.error == wide == early.error > 250, "that of the times that were told before"
    assert abs(both.offset - 1000) < 10 < min(abs(early.offset - 1000), abs(late.offset - 1000))


def test_a_clock_that_jumps_is_learnt_anew() -> None:
    clock = TiedClock(1)
    clock.learn(0, 100, 995, 1105)
    clock.learn(200, 300, 50_195, 50_305)

    assert clock.offset == pytest.approx(50_000, abs=10)
