"""Slices become as long as they should be, and no longer."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from render.pace import FEWEST, Pace

WANTED = 2_000_000  # ns


@given(rate=st.floats(1e-4, 1e3), growth=st.floats(1.5, 8.0))
def test_at_any_speed_slices_grow_to_what_is_wanted_and_not_beyond(rate: float, growth: float) -> None:
    """rate: steps in a nanosecond."""
    pace, taken = Pace(WANTED, growth), []
    for _ in range(60):
        taken.append(pace.budget / rate)
        pace.learn(pace.budget, int(taken[-1]), done=False)

    longest = max(WANTED * 1.001 + 1 / rate, FEWEST / rate)
    assert max(taken) <= longest
    assert taken[-1] >= min(0.9 * WANTED, longest)


@given(took=st.integers(0, 10**12), before=st.integers(FEWEST, 10**12))
def test_a_slice_that_ended_its_tile_makes_no_slice_longer(took: int, before: int) -> None:
    pace = Pace(WANTED, 8.0)
    pace.budget = before
    pace.learn(before, took, done=True)

    assert FEWEST <= pace.budget <= before


def test_threads_that_learn_from_slices_of_the_same_length_do_not_multiply_what_they_learned() -> None:
    """Sixteen threads each made the budget 8 times as long as the others had left it: more than 2^63 steps."""
    pace = Pace(WANTED, 8.0)
    for _ in range(16):
        pace.learn(FEWEST, 1000, done=False)

    assert pace.budget == 8 * FEWEST
