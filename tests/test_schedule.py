"""How good a schedule was: the laws that the figures keep, and cases that can be reckoned in the head."""

from __future__ import annotations

from heapq import heapify, heappop, heappush

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from render import stats
from render.findings import schedule
from render.findings.evidence import Run
from render.frame import Frame
from render.trace import NO_TILE, Span, Trace, Worker
from tests.conftest import EXAMPLE

GPU = "NVIDIA H100 stream 0"
costs = st.lists(st.integers(1, 50), min_size=1, max_size=20)
workers = st.integers(1, 6)


def painted(*rows: tuple[int, int, int, int], asked: int = 0) -> Trace:
    """A trace of (worker, tile, t0, t1), in seconds."""
    spans = [Span(Worker(1, thread), tile, "paint", t0 * 10**9, t1 * 10**9) for thread, tile, t0, t1 in rows]
    return Trace(tuple(spans), 0, asked * 10**9, 1000 * 10**9, {})


def measured(trace: Trace) -> schedule.Schedule:
    return schedule.of(trace, stats.of(trace))


def gained(trace: Trace, baseline: Trace) -> schedule.Gain | None:
    run, base = (Run(Frame(np.zeros((1, 1, 3), np.uint8), None, 0, EXAMPLE, one)) for one in (trace, baseline))
    run.base = base
    return run.gain


def greedy(tiles: list[int], workers: int) -> Trace:
    """Each tile goes to whoever is free first, as Graham's list scheduling says."""
    free = [(0, worker) for worker in range(workers)]
    heapify(free)
    rows = []
    for tile, cost in enumerate(tiles):
        t0, worker = heappop(free)
        rows.append((worker, tile, t0, t0 + cost))
        heappush(free, (t0 + cost, worker))
    return painted(*rows)


@given(costs, workers)
def test_handing_tiles_to_whoever_is_free_keeps_between_bound_and_guarantee(tiles: list[int], workers: int) -> None:
    found = measured(greedy(tiles, min(workers, len(tiles))))
    assert found.bound_seconds is not None
    assert found.guarantee_seconds is not None
    assert found.bound_seconds <= found.window_seconds * (1 + 1e-12)
    assert found.window_seconds <= found.guarantee_seconds * (1 + 1e-12)
    assert found.near == pytest.approx(found.bound_seconds / found.window_seconds)


def test_bound_and_guarantee_are_those_of_graham() -> None:
    """Tiles of 6, 2, 2 and 2 s for two workers: 12 / 2 at best, 12 / 2 + (1 - 1/2) 6 at worst."""
    found = measured(painted((0, 0, 0, 6), (1, 1, 0, 2), (1, 2, 2, 4), (1, 3, 4, 6)))

    assert (found.bound_seconds, found.guarantee_seconds) == (6.0, 9.0)


@given(costs, workers)
def test_fairness_lies_between_one_worker_did_all_and_all_did_as_much(tiles: list[int], workers: int) -> None:
    trace = greedy(tiles, workers)
    found = measured(trace).fairness
    assert found is not None
    assert 1 / len(trace.workers) - 1e-12 <= found <= 1 + 1e-12


@pytest.mark.parametrize(("busy", "fair"), [([5.0], 1.0), ([2.0, 2.0, 2.0], 1.0), ([1.0, 3.0], 0.8), ([], None)])
def test_fairness_is_the_index_of_jain_chiu_and_hawe(busy: list[float], fair: float | None) -> None:
    assert schedule.fairness(busy) == fair


@given(st.floats(0, 1), st.integers(2, 1000))
def test_the_serial_fraction_undoes_the_law_of_amdahl(serial: float, workers: int) -> None:
    assert schedule.serial_fraction(1 / (serial + (1 - serial) / workers), workers) == pytest.approx(serial, abs=1e-9)


def test_the_serial_fraction_of_one_worker_and_of_more_speed_than_workers_has_no_meaning() -> None:
    assert schedule.serial_fraction(1.0, 1) is schedule.serial_fraction(None, 4) is None
    assert schedule.serial_fraction(4.5, 4) is None
    assert schedule.serial_fraction(4.0, 4) == 0.0


def test_one_long_tile_bounds_every_schedule() -> None:
    found = measured(painted((0, 0, 0, 8), (1, 1, 0, 2), (1, 2, 2, 4)))
    assert (found.longest_tile, found.longest_tile_seconds, found.bound_seconds, found.near) == (0, 8.0, 8.0, 1.0)
    assert sorted(found.idle) == [0.0, 0.5]


def test_a_tile_painted_in_pieces_costs_their_sum() -> None:
    trace = painted((0, 0, 0, 1), (0, 1, 1, 4), (0, 0, 4, 9))
    assert schedule.tile_costs(trace) == {0: 6 * 10**9, 1: 3 * 10**9}
    assert schedule.tile_costs(painted((0, NO_TILE, 0, 9), (0, 1, 9, 12))) == {1: 3 * 10**9}
    assert measured(trace).longest_tile == 0


def test_the_gain_is_told_with_and_without_the_start_up() -> None:
    alone, together = painted((0, 0, 1, 5), (0, 1, 5, 9)), painted((0, 0, 4, 8), (1, 1, 4, 8))
    found = gained(together, alone)
    assert found is not None
    assert (found.speed_up, found.speed_up_with_start, found.efficiency) == (2.0, 9 / 8, 1.0)
    assert found.serial_fraction == 0.0


def test_all_is_done_so_long_after_the_request_and_not_after_the_program_began() -> None:
    assert measured(painted((0, 0, 4, 8), asked=3)).done_seconds == 5.0


@pytest.mark.parametrize(
    ("seconds", "percent"), [((2.0,), None), ((4.0, 1.0, 2.0), 150.0), ((8.0, 1.0, 2.0, 4.0), 350.0)]
)
def test_the_spread_is_a_share_of_the_median_and_of_two_in_the_middle_of_the_lower(
    seconds: tuple[float, ...], percent: float | None
) -> None:
    assert schedule.Repeats(seconds).spread_percent == percent


@pytest.mark.parametrize(
    ("times", "spread", "clear"),
    [(1.1, 0.0, True), (1.09, 0.0, False), (1.5, 0.5, False), (1.5, 0.49, True), (0.9, 0.1, True)],
)
def test_a_difference_is_clear_where_it_is_notable_and_larger_than_the_spread(
    times: float, spread: float, clear: bool
) -> None:
    assert schedule.Difference(times, 0.5, spread).clear is clear


def test_a_run_gains_nothing_over_itself() -> None:
    trace = painted((0, 0, 1, 5))
    assert gained(trace, trace) == schedule.Gain(1.0, 1.0, 1.0, None)


def test_where_nothing_was_painted_nothing_can_be_told() -> None:
    found = measured(painted())
    assert (found.fairness, found.idle, found.bound_seconds, found.near) == (None, (), None, None)
    assert (found.longest_tile, found.done_seconds) == (None, None)
    assert gained(painted(), painted((0, 0, 1, 5))) is None


def test_the_streams_of_a_gpu_are_no_workers_that_a_schedule_could_be_fair_to() -> None:
    """They share one GPU, so it is nothing to them how their tiles are shared out, nor how many they are."""
    spans = [Span(Worker(1, thread, GPU), thread, "paint", 0, 10**9) for thread in range(2)]
    gpu = Trace(tuple(spans), 0, 0, 10**9, {})
    found, gain = measured(gpu), gained(gpu, painted((0, 0, 0, 8), (0, 1, 8, 16)))

    assert (found.fairness, found.idle) == (None, ())
    assert (found.bound_seconds, found.guarantee_seconds, found.near) == (None, None, None)
    assert gain is not None
    assert (gain.speed_up, gain.efficiency, gain.serial_fraction) == (16.0, None, None)
    assert found.longest_tile_seconds == 1.0
