"""The figures of a run: against the definitions written out instant by instant, and on timelines one can read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from render import stats
from render.findings import foremost
from render.trace import NO_TILE, STAGES, Span, Trace, Worker
from render.trace.intervals import count_levels, max_overlap

A, B, C = (Worker(1, thread) for thread in range(3))
M, N = (Worker(1, thread, "a GPU multiprocessor") for thread in (7, 10))
BEGAN, ENDED = 2, 24

spans = st.lists(
    st.builds(
        lambda worker, tile, kind, t0, length: Span(worker, tile, kind, t0, t0 + length),
        st.sampled_from([A, B, C]),
        st.integers(NO_TILE, 3),
        st.sampled_from(("paint", "paint", "wait", *STAGES)),
        st.integers(0, 20),
        st.integers(0, 6),
    ),
    max_size=12,
)
blocks = st.lists(
    st.builds(
        lambda worker, tile, t0, length: Span(worker, tile, "block", t0, t0 + length),
        st.sampled_from([A, M, N]),  # A: not even one that has the name of a stream
        st.integers(NO_TILE, 3),
        st.integers(0, 30),
        st.integers(0, 30),
    ),
    max_size=8,
)
paints = spans.map(lambda made: [span for span in made if span.kind == "paint"])


def traced(made: Sequence[Span], asked: int = BEGAN) -> Trace:
    return Trace(tuple(made), BEGAN, asked, ENDED, {})


def painted(*rows: tuple[Worker, int, int, int]) -> Trace:
    return traced([Span(worker, tile, "paint", t0, t1) for worker, tile, t0, t1 in rows])


def holds(span: Span, instant: int) -> bool:
    return span.t0 <= instant < span.t1


def running_at(made: Sequence[Span], instant: int) -> int:
    return len({span.worker for span in made if span.kind == "paint" and holds(span, instant)})


def flying(made: Sequence[Span]) -> dict[int, tuple[int, int]]:
    """Tiles that were painted, from their first span of any kind to their last paint end."""
    tiled = [span for span in made if span.tile != NO_TILE and span.kind != "block"]
    return {tile: (min(s.t0 for s in tiled if s.tile == tile), end) for tile, (_, end) in flights(made).items()}


def flights(made: Sequence[Span]) -> dict[int, tuple[int, int]]:
    tiles: dict[int, list[Span]] = {}
    for span in made:
        if span.kind == "paint" and span.tile != NO_TILE:
            tiles.setdefault(span.tile, []).append(span)
    return {tile: (min(s.t0 for s in own), max(s.t1 for s in own)) for tile, own in tiles.items()}


@given(spans)
def test_running_counts_distinct_workers_at_each_instant(made: list[Span]) -> None:
    counts = [running_at(made, instant) for instant in range(40)]
    window = [s.t0 for s in made if s.kind == "paint"], [s.t1 for s in made if s.kind == "paint"]
    length = max(window[1]) - min(window[0]) if window[0] else 0
    found = stats.of(traced(made)).running
    assert found.max == max(counts)
    assert found.mean == pytest.approx(sum(counts) / length if length else 0.0)


@given(spans)
def test_tiles_in_flight_are_counted_at_each_instant(made: list[Span]) -> None:
    counts = [sum(t0 <= instant < t1 for t0, t1 in flying(made).values()) for instant in range(40)]
    assert stats.of(traced(made)).in_flight.max == max(counts)
    assert stats.flight_intervals(traced(made)) == flying(made)


@given(spans)
def test_tiles_that_wait_are_counted_at_each_instant(made: list[Span]) -> None:
    waits = [span for span in made if span.kind == "wait" and span.tile != NO_TILE]
    found = stats.of(traced(made)).waiting
    assert found.max == max(sum(holds(span, instant) for span in waits) for instant in range(40))
    assert found.seconds == pytest.approx(sum(span.t1 - span.t0 for span in waits) / 1e9)


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(0, 6)), max_size=8))
def test_levels_count_the_intervals_at_each_instant_and_tell_every_change_once(made: list[tuple[int, int]]) -> None:
    intervals = [(t0, t0 + length) for t0, length in made]
    levels = count_levels(intervals)
    for instant in range(30):
        held = sum(t0 <= instant < t1 for t0, t1 in intervals)
        assert next((level for since, level in reversed(levels) if since <= instant), 0) == held
    assert all(before != after for (_, before), (_, after) in pairwise([(-1, 0), *levels]))
    assert max_overlap(intervals) == max((level for _, level in levels), default=0)


@given(spans)
def test_a_switch_is_the_start_of_another_tile_while_the_previous_is_unfinished(made: list[Span]) -> None:
    work = [s for s in made if s.kind in ("wait", "paint") and s.tile != NO_TILE]
    switches = 0
    for worker in (A, B, C):
        own = sorted((s for s in work if s.worker == worker), key=lambda s: (s.t0, s.t1, s.tile))
        for before, after in pairwise(own):
            unfinished = any(s.tile == before.tile and s.t1 > after.t0 for s in work)
            switches += before.tile != after.tile and unfinished
    assert stats.of(traced(made)).switches == switches


@given(spans)
def test_the_ledger_gives_each_instant_to_the_first_kind_that_holds_it(made: list[Span]) -> None:
    ledger = dict.fromkeys((*stats.PRIORITY, stats.OTHER), 0)
    for instant in range(BEGAN, ENDED):
        kinds = {span.kind for span in made if holds(span, instant)}
        ledger[next((kind for kind in stats.PRIORITY if kind in kinds), stats.OTHER)] += 1
    found = stats.of(traced(made))
    assert found.ledger == ledger
    assert sum(found.shares.values()) == pytest.approx(100)


@given(spans)
def test_busy_and_idle_add_up_to_the_time_of_all_tiles(made: list[Span]) -> None:
    tiled = [span for span in made if span.tile != NO_TILE]
    whole = max(s.t1 for s in tiled) - min(s.t0 for s in tiled) if tiled else 0
    found = stats.of(traced(made))
    for worker, busy in found.busy.items():
        mine = [span for span in made if span.kind == "paint" and span.worker == worker]
        instants = sum(any(holds(span, instant) for span in mine) for instant in range(40))
        assert busy == instants / 1e9
        assert found.idle[worker] == max(whole - instants, 0) / 1e9


@given(spans)
def test_a_tile_is_left_alone_as_long_as_nobody_paints_it(made: list[Span]) -> None:
    longest = 0
    for tile, (first, last) in flights(made).items():
        own = [span for span in made if span.kind == "paint" and span.tile == tile]
        alone = 0
        for instant in range(first, last):
            touched = any(span.t0 == instant for span in own)
            alone = 0 if any(holds(span, instant) for span in own) else 1 + (0 if touched else alone)
            longest = max(longest, alone)
    assert stats.of(traced(made)).left_alone_seconds == longest / 1e9


@given(spans, st.integers(BEGAN, ENDED))
def test_the_first_tile_counts_from_the_request_to_its_end(made: list[Span], asked: int) -> None:
    ends = sorted((last, tile) for tile, (_, last) in flights(made).items())
    found = stats.of(traced(made, asked))
    assert found.tiles == len(ends)
    if ends:
        assert found.first_tile_seconds == (ends[0][0] - asked) / 1e9
    else:
        assert found.first_tile_seconds is None


@given(spans)
def test_seconds_are_wall_times_from_the_first_start_to_the_last_end(made: list[Span]) -> None:
    groups = {kind: [s for s in made if s.kind == kind] for kind in STAGES}
    groups["tiles"] = [s for s in made if s.tile != NO_TILE]
    walls = {name: max(s.t1 for s in own) - min(s.t0 for s in own) if own else 0 for name, own in groups.items()}
    expected = {name: wall / 1e9 for name, wall in (walls | {"total": ENDED - BEGAN}).items()}
    assert stats.of(traced(made)).seconds == expected


@given(spans)
def test_of_a_frame_in_slabs_start_and_save_last_only_while_one_of_them_goes_on(made: list[Span]) -> None:
    whole, slabs = (stats.of(replace(traced(made), facts=facts)).seconds for facts in ({}, {"slabs": 3}))
    lasting = {
        kind: len({t for s in made if s.kind == kind for t in range(s.t0, s.t1)}) / 1e9 for kind in ("start", "save")
    }
    assert slabs == whole | lasting


@given(spans, st.randoms())
def test_the_order_in_which_spans_were_recorded_does_not_matter(made: list[Span], random: object) -> None:
    shuffled = sorted(made, key=lambda _: random.random())  # type: ignore[attr-defined]
    assert stats.of(traced(shuffled)) == stats.of(traced(made))


@given(paints)
def test_no_more_workers_run_than_there_are_and_no_fewer_than_on_average(made: list[Span]) -> None:
    found = stats.of(traced(made))
    assert found.running.mean <= found.running.max <= len({span.worker for span in made})


def test_one_worker_and_one_tile_after_the_other_never_switches() -> None:
    found = stats.of(painted((A, 0, 3, 5), (A, 1, 5, 8), (A, 2, 8, 9)))
    assert (found.running, found.in_flight, found.switches) == ((1, 1.0), (1,), 0)


def test_one_worker_that_juggles_has_two_in_flight_and_one_running() -> None:
    found = stats.of(painted((A, 0, 3, 4), (A, 1, 4, 5), (A, 0, 5, 6), (A, 1, 6, 7)))
    assert (found.running, found.in_flight, found.switches) == ((1, 1.0), (2,), 2)
    assert found.left_alone_seconds == 1e-9


def test_a_tile_that_is_taken_up_for_an_instant_was_not_left_alone_all_the_time() -> None:
    assert stats.of(painted((A, 0, 3, 5), (A, 0, 7, 7), (A, 0, 10, 12))).left_alone_seconds == 3e-9


def test_two_workers_at_the_same_instant_are_two_running() -> None:
    found = stats.of(painted((A, 0, 3, 7), (B, 1, 3, 7)))
    assert (found.running, found.in_flight, found.switches) == ((2, 2.0), (2,), 0)


def test_a_span_that_ends_when_another_starts_does_not_run_with_it() -> None:
    assert stats.of(painted((A, 0, 3, 5), (B, 1, 5, 7))).running == (1, 1.0)


def test_a_span_of_no_length_never_runs_but_is_a_tile() -> None:
    found = stats.of(painted((A, 0, 3, 7), (B, 1, 5, 5)))
    assert (found.running.max, found.in_flight.max, found.tiles) == (1, 1, 2)


def test_a_worker_with_two_overlapping_spans_counts_once() -> None:
    assert stats.of(painted((A, 0, 3, 7), (A, 1, 3, 7))).running == (1, 1.0)


def test_turning_to_wait_for_another_tile_is_a_switch_and_so_is_coming_back() -> None:
    waits = [Span(A, tile, "wait", 3, 6) for tile in (0, 1)]
    work = [Span(A, 0, "paint", 6, 7), Span(A, 1, "paint", 7, 8)]
    assert stats.of(traced([*waits, *work])).switches == 2


def test_speed_up_is_counted_from_the_baseline() -> None:
    alone, together = stats.of(painted((A, 0, 3, 11))), stats.of(painted((A, 0, 3, 7), (B, 1, 3, 7)))
    assert together.speed_up(alone) == 2.0


def test_nothing_is_no_faster_than_anything() -> None:
    nothing, something = stats.of(painted()), stats.of(painted((A, 0, 3, 7)))
    assert nothing.speed_up(something) is something.speed_up(nothing) is None


def test_the_shares_of_a_run_of_no_length_are_nothing() -> None:
    assert set(stats.of(Trace((), 5, 5, 5, {})).shares.values()) == {0.0}


def test_every_kind_of_time_has_a_place_in_the_ledger() -> None:
    assert sorted(stats.PRIORITY) == sorted(STAGES)


@given(spans, blocks)
def test_blocks_change_no_figure_but_those_of_the_multiprocessors(made: list[Span], more: list[Span]) -> None:
    without, along = stats.of(traced(made)), stats.of(traced([*more, *made]))
    assert replace(along, multiprocessors=None) == without
    assert list(along.busy) == list(without.busy)
    assert traced([*more, *made]).workers == traced(made).workers


@given(spans, blocks)
def test_the_multiprocessors_are_told_from_blocks_alone(made: list[Span], more: list[Span]) -> None:
    assert stats.measure_multiprocessors(traced([*made, *more])) == stats.measure_multiprocessors(traced(more))


@given(blocks.filter(bool))
def test_multiprocessors_at_once_are_counted_at_each_instant(made: list[Span]) -> None:
    counts = [len({span.worker for span in made if holds(span, instant)}) for instant in range(70)]
    window = max(span.t1 for span in made) - min(span.t0 for span in made)
    found = stats.measure_multiprocessors(traced(made))
    assert found is not None
    assert found.max == max(counts)
    assert found.mean == pytest.approx(sum(counts) / window if window else 0.0)
    assert found.mean_percent == pytest.approx(sum(found.busy_percent.values()) / found.seen)
    assert found.busy_percent[found.least] <= found.mean_percent + 1e-9
    assert found.busy_percent[found.most] >= found.mean_percent - 1e-9


def test_two_multiprocessors_one_half_idle() -> None:
    made = [Span(N, 0, "block", 4, 14), Span(M, 0, "block", 4, 8), Span(M, 1, "block", 7, 9)]
    found = stats.measure_multiprocessors(traced(made))
    assert found is not None
    assert (found.seen, found.max, found.mean, found.mean_percent) == (2, 2, 1.5, 75.0)
    assert found.busy_percent == {M: 50.0, N: 100.0}
    assert (found.least, found.most) == (M, N)
    assert found.name_of(M) == "number 7"


def test_multiprocessors_of_several_gpus_are_called_by_gpu() -> None:
    pair = [Worker(1, 3, f"a GPU {gpu} multiprocessor") for gpu in range(2)]
    found = stats.measure_multiprocessors(traced([Span(worker, 0, "block", 4, 8) for worker in pair]))
    assert found is not None
    assert (found.seen, found.mean) == (2, 2.0)
    assert found.name_of(pair[1]) == "a GPU 1 multiprocessor 3"


def test_a_launch_that_waits_for_a_gpu_with_nothing_to_do_stands_in_the_ledger() -> None:
    made = [Span(A, 0, "launch", 2, 6), Span(A, 0, "paint", 6, 10), Span(B, 1, "launch", 3, 12)]
    ledger = stats.of(traced(made)).ledger
    assert {kind: spent for kind, spent in ledger.items() if spent} == {"paint": 4, "launch": 6, "other": 12}


@given(blocks)
def test_the_foremost_of_a_workers_spans_is_the_one_that_began_last(made: list[Span]) -> None:
    pieces = foremost.foremost_spans(made)
    assert all(before.t1 <= after.t0 for before, after in pairwise(pieces))
    for instant in range(70):
        held = [span for span in made if holds(span, instant)]
        shown = [piece.tile for piece in pieces if holds(piece, instant)]
        latest = max((span.t0 for span in held), default=0)
        assert len(shown) == bool(held)
        assert set(shown) <= {span.tile for span in held if span.t0 == latest}
