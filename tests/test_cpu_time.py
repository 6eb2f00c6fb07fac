"""On a CPU or only at a tile: measured over the painting, never clamped, and unknown where one span does not tell."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from render import cpu_time
from render.trace import Span, Trace, Worker

rows = st.lists(
    st.tuples(st.integers(0, 3), st.integers(0, 50), st.integers(1, 20), st.integers(0, 100)), min_size=1, max_size=9
)


def spans(made: list[tuple[int, int, int, int]]) -> list[Span]:
    """Paint spans from (worker, start, length, CPU time)."""
    return [Span(Worker(1, w), 0, "paint", t0, t0 + long, on_cpu=given) for w, t0, long, given in made]


def traced(painted: list[Span], **facts: object) -> Trace:
    return Trace(tuple(painted), 0, 0, 999, facts)


@given(rows)
def test_the_mean_is_all_cpu_time_over_the_time_of_the_painting(made: list[tuple[int, int, int, int]]) -> None:
    window = max(t0 + long for _, t0, long, _ in made) - min(t0 for _, t0, _, _ in made)
    found = cpu_time.of(traced(spans(made), cpus=3))
    assert found.mean == pytest.approx(sum(given for *_, given in made) / window)
    assert found.cpus == 3


@given(rows, st.integers(0, 8))
def test_one_span_that_does_not_tell_makes_all_unknown(made: list[tuple[int, int, int, int]], which: int) -> None:
    painted = spans(made)
    painted[which % len(painted)] = painted[which % len(painted)]._replace(on_cpu=None)
    assert cpu_time.of(traced(painted)) == (None, None)


def test_other_kinds_of_time_do_not_count() -> None:
    painted = spans([(0, 0, 10, 8)])
    others = [Span(Worker(1, 0), 0, kind, 0, 99, on_cpu=50) for kind in ("wait", "block", "compile")]
    assert cpu_time.of(traced([*painted, *others])).mean == 0.8


@pytest.mark.parametrize("painted", [[], [Span(Worker(1, 1), 0, "paint", 5, 5, on_cpu=0)]])
def test_where_nothing_lasted_nothing_is_known(painted: list[Span]) -> None:
    assert cpu_time.of(traced(painted)).mean is None


@pytest.mark.parametrize(("given", "share"), [(None, 1.0), (0, 0.0), (50, 0.5), (94, 0.94), (95, 1.0), (100, 1.0)])
def test_pictures_show_the_share_of_a_span_that_can_be_seen(given: int | None, share: float) -> None:
    assert cpu_time.cpu_share(Span(Worker(1, 1), 0, "paint", 0, 100, on_cpu=given)) == share
