"""The figures of a run, computed from its trace alone: the proof that one mode juggles and another does not.

The definitions are few and exact. Spans are half open [t0, t1), so one that ends at t and one that starts at t never
hold the same instant, and a span of no length holds none.

    running      at an instant: how many distinct workers have a paint span that holds it, so are at a tile
    on CPU       how many of them had a CPU, on average (render.cpu_time); what is said of parallelism is said of this
    in flight    a tile from its first paint start to its last paint end
    done         a tile at its last paint end
    switch       a worker starts a span (wait or paint) of another tile while its previous tile is unfinished:
                 the last span of that tile, whoever works on it, ends later than this start
    left alone   a tile that is in flight while no worker paints it
    busy         a worker that paints; idle is the rest of the time from the first start to the last end of all tiles
    ledger       a partition of [began, ended]: each instant counts for the first kind of PRIORITY that holds it

Block spans, which show the same work on the multiprocessors of a graphics card, count in none of these and in
`Multiprocessors` alone.

Everything takes n log n steps for n spans.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, pairwise
from typing import NamedTuple, TypeVar

from render import cpu_time
from render.cpu_time import OnCpu
from render.trace import NO_TILE, STAGES, Span, Trace, Worker, on_gpu

PRIORITY = ("paint", "transfer", "compile", "launch", "save", "plan", "wait", "start", "import")
OTHER = "other"

Interval = tuple[int, int]
Key = TypeVar("Key", bound=Hashable)


class Running(NamedTuple):
    """Workers at a tile at the same instant: at most, and on average from first paint to last."""

    max: int
    mean: float


class InFlight(NamedTuple):
    """Tiles started but not finished at the same instant, at most."""

    max: int


class Multiprocessors(NamedTuple):
    """The work of a GPU's multiprocessors, from block spans alone.

    One is busy while it has at least one block, however many more it could take. seen: how many ever were; max, mean:
    how many at the same instant, at most and on average from the first block's start to the last one's end.
    busy_percent: of that time, by multiprocessor, card by card in the order of their numbers.
    """

    seen: int
    max: int
    mean: float
    busy_percent: dict[Worker, float]

    @property
    def mean_percent(self) -> float:
        """Mean busy share of those that worked, in per cent."""
        return 100 * self.mean / self.seen

    @property
    def least(self) -> Worker:
        """The least busy one; of several the first."""
        return min(self.busy_percent, key=self.busy_percent.__getitem__)

    @property
    def most(self) -> Worker:
        """The most busy one; of several the first."""
        return max(self.busy_percent, key=self.busy_percent.__getitem__)

    def name_of(self, worker: Worker) -> str:
        """Name a multiprocessor by its number, and by its GPU where there are several."""
        cards = {other.device for other in self.busy_percent}
        return f"number {worker.thread}" if len(cards) == 1 else f"{worker.device} {worker.thread}"


@dataclass(frozen=True)
class Stats:
    """The figures of one run, named as in the document of `draw --json`. None where no tile was painted.

    seconds: wall time by kind of span, first start to last end (0.0: none), which may overlap; also `total` (the whole
    run) and `tiles` (all spans that carry a tile). ledger: nanoseconds by kind and `other`; they add up to the run.
    first_tile and last_tile: the tiles done first and last. busy, idle: seconds by worker, in the order they began.
    multiprocessors: None where no block was recorded.
    """

    seconds: dict[str, float]
    running: Running
    on_cpu: OnCpu
    in_flight: InFlight
    switches: int
    tiles: int
    first_tile: int | None
    last_tile: int | None
    first_tile_seconds: float | None
    left_alone_seconds: float
    busy: dict[Worker, float]
    idle: dict[Worker, float]
    ledger: dict[str, int]
    multiprocessors: Multiprocessors | None = None

    @property
    def on_gpu(self) -> bool:
        """True where a GPU painted, or the simulator of one: its workers are queues, and share it."""
        return on_gpu(self.busy)

    @property
    def shares(self) -> dict[str, float]:
        """The ledger in per cent of the run's wall time; they add up to 100 (to nothing for a run of no length)."""
        total = sum(self.ledger.values())
        return {kind: 100 * spent / total if total else 0.0 for kind, spent in self.ledger.items()}

    def speed_up(self, baseline: Stats) -> float | None:
        """Compute how many times as fast as the baseline all tiles were finished; None where either took no time."""
        ours, theirs = self.seconds["tiles"], baseline.seconds["tiles"]
        return theirs / ours if ours and theirs else None

    def efficiency(self, baseline: Stats) -> float | None:
        """Compute the speed-up for each worker: 1.0 where every worker is worth a whole one."""
        gained = self.speed_up(baseline)
        return gained / len(self.busy) if gained is not None and self.busy else None


def of(trace: Trace) -> Stats:
    """Compute all figures of a trace."""
    paint = [span for span in trace.spans if span.kind == "paint"]
    painted = _group_intervals((span for span in paint if span.tile != NO_TILE), lambda span: span.tile)
    flying = {tile: _full_extent(times) for tile, times in painted.items()}
    juggled = [times for times in painted.values() if len(times) > 1]
    by_end = sorted((end, tile) for tile, (_, end) in flying.items())
    turned = paint_intervals(trace)
    busy = {worker: _sum_lengths(times) for worker, times in turned.items()}
    whole = _wall_time([span for span in trace.spans if span.tile != NO_TILE and span.kind != "block"])
    window = _wall_time(paint)
    return Stats(
        seconds=_seconds_by_kind(trace) | {"tiles": whole / 1e9},
        running=Running(
            max_overlap(chain.from_iterable(turned.values())),
            sum(busy.values()) / window if window else 0.0,
        ),
        on_cpu=cpu_time.of(trace),
        in_flight=InFlight(max_overlap(flying.values())),
        switches=_count_switches(trace.spans),
        tiles=len(flying),
        first_tile=by_end[0][1] if by_end else None,
        last_tile=by_end[-1][1] if by_end else None,
        first_tile_seconds=(by_end[0][0] - trace.asked) / 1e9 if by_end else None,
        left_alone_seconds=max((_longest_gap(merge_intervals(times, flat=True)) for times in juggled), default=0) / 1e9,
        busy={worker: spent / 1e9 for worker, spent in busy.items()},
        idle={worker: max(whole - spent, 0) / 1e9 for worker, spent in busy.items()},
        ledger=_account_time(trace),
        multiprocessors=measure_multiprocessors(trace),
    )


def measure_multiprocessors(trace: Trace) -> Multiprocessors | None:
    """Measure the multiprocessors; None where no thread block was recorded."""
    blocks = [span for span in trace.spans if span.kind == "block"]
    if not blocks:
        return None
    busy = busy_intervals(trace)
    window = _wall_time(blocks)
    return Multiprocessors(
        seen=len(busy),
        max=max_overlap(chain.from_iterable(busy.values())),
        mean=sum(map(_sum_lengths, busy.values())) / window if window else 0.0,
        busy_percent={worker: 100 * _sum_lengths(times) / window if window else 0.0 for worker, times in busy.items()},
    )


def busy_intervals(trace: Trace) -> dict[Worker, list[Interval]]:
    """Find when each multiprocessor was busy, as disjoint intervals, GPU by GPU in the order of their numbers."""
    blocks = (span for span in trace.spans if span.kind == "block")
    found = _group_intervals(blocks, lambda span: span.worker)
    return {worker: merge_intervals(found[worker]) for worker in trace.multiprocessors}


def merge_intervals(intervals: Iterable[Interval], *, flat: bool = False) -> list[Interval]:
    """Merge intervals into disjoint ones that do not touch, by time. `flat`: keep those of no length as well."""
    made: list[Interval] = []
    for t0, t1 in sorted(intervals):
        if t0 == t1 and not flat:
            continue
        if made and t0 <= made[-1][1]:
            made[-1] = made[-1][0], max(made[-1][1], t1)
        else:
            made.append((t0, t1))
    return made


def foremost_blocks(trace: Trace) -> dict[Worker, list[Span]]:
    """Choose the block spans to show of each multiprocessor, by `foremost_spans`, in the order of their numbers."""
    blocks: dict[Worker, list[Span]] = {worker: [] for worker in trace.multiprocessors}
    for span in trace.of_kind("block"):
        blocks[span.worker].append(span)
    return {worker: foremost_spans(spans) for worker, spans in blocks.items()}


def foremost_spans(spans: Iterable[Span]) -> list[Span]:
    """Cut one worker's spans into pieces that do not overlap, by time: of several at an instant, the last to start.

    So is a multiprocessor shown that begins blocks of the next tile while the last blocks of the one before still run.
    """
    made: list[Span] = []
    open_: list[Span] = []  # by when they began; some may have ended
    now = 0

    def show(until: int | None) -> None:
        nonlocal now
        while open_ and (until is None or now < until):
            span = open_[-1]
            if span.t1 <= now:
                open_.pop()
                continue
            end = span.t1 if until is None else min(span.t1, until)
            if made and made[-1].t1 == now and made[-1].tile == span.tile:
                made[-1] = made[-1]._replace(t1=end)
            else:
                made.append(span._replace(t0=now, t1=end))
            now = end

    for span in sorted(spans, key=lambda span: (span.t0, -span.t1)):
        show(span.t0)
        now = span.t0
        open_.append(span)
    show(None)
    return made


def count_levels(intervals: Iterable[Interval]) -> list[tuple[int, int]]:
    """Count the half-open intervals that hold an instant, as (from when, how many) wherever that changes, by time."""
    change: dict[int, int] = {}
    for t0, t1 in intervals:
        if t0 < t1:
            change[t0] = change.get(t0, 0) + 1
            change[t1] = change.get(t1, 0) - 1
    level = 0
    made = []
    for instant in sorted(change):
        level += change[instant]
        if change[instant]:
            made.append((instant, level))
    return made


def paint_intervals(trace: Trace) -> dict[Worker, list[Interval]]:
    """Find when each worker painted, as disjoint intervals, in the order of the workers' first paint."""
    paint = (span for span in trace.spans if span.kind == "paint")
    found = {
        worker: merge_intervals(times) for worker, times in _group_intervals(paint, lambda span: span.worker).items()
    }
    return {worker: found[worker] for worker in trace.workers}


def flight_intervals(trace: Trace) -> dict[int, Interval]:
    """Find from when to when each tile was in flight, by number."""
    paint = (span for span in trace.spans if span.kind == "paint" and span.tile != NO_TILE)
    return {tile: _full_extent(times) for tile, times in _group_intervals(paint, lambda span: span.tile).items()}


def max_overlap(intervals: Iterable[Interval]) -> int:
    """Count the half-open intervals that hold the same instant, at most."""
    lasting = [interval for interval in intervals if interval[0] < interval[1]]
    ends = sorted(t1 for _, t1 in lasting)
    highest = over = 0
    for begun, t0 in enumerate(sorted(t0 for t0, _ in lasting), 1):
        while ends[over] <= t0:
            over += 1
        highest = max(highest, begun - over)
    return highest


def _group_intervals(spans: Iterable[Span], key: Callable[[Span], Key]) -> dict[Key, list[Interval]]:
    groups: dict[Key, list[Interval]] = {}
    for span in spans:
        groups.setdefault(key(span), []).append((span.t0, span.t1))
    return groups


def _full_extent(times: Sequence[Interval]) -> Interval:
    """Span from the first start to the last end."""
    if len(times) == 1:  # most tiles are painted at one go
        return times[0]
    return min(t0 for t0, _ in times), max(t1 for _, t1 in times)


def _sum_lengths(disjoint: Iterable[Interval]) -> int:
    return sum(t1 - t0 for t0, t1 in disjoint)


def _longest_gap(disjoint: Sequence[Interval]) -> int:
    return max((later[0] - earlier[1] for earlier, later in pairwise(disjoint)), default=0)


def _wall_time(spans: Sequence[Span]) -> int:
    return max(span.t1 for span in spans) - min(span.t0 for span in spans) if spans else 0


def _seconds_by_kind(trace: Trace) -> dict[str, float]:
    kinds: Mapping[str, list[Interval]] = _group_intervals(trace.spans, lambda span: span.kind)
    walls = {kind: _sum_lengths([_full_extent(kinds[kind])]) if kind in kinds else 0 for kind in STAGES}
    return {kind: wall / 1e9 for kind, wall in ({"total": trace.ended - trace.began} | walls).items()}


def _count_switches(spans: Iterable[Span]) -> int:
    work = sorted((s.t0, s.t1, s.tile, s.worker) for s in spans if s.kind in ("wait", "paint") and s.tile != NO_TILE)
    ends: dict[int, int] = {}
    for _, t1, tile, _ in work:
        ends[tile] = max(ends.get(tile, t1), t1)
    previous: dict[Worker, int] = {}
    switches = 0
    for t0, _, tile, worker in work:
        last = previous.get(worker, tile)
        switches += last != tile and ends[last] > t0
        previous[worker] = tile
    return switches


def _account_time(trace: Trace) -> dict[str, int]:
    """Give each kind the time it adds to the union of the kinds before it, so that nothing is counted twice."""
    began, ended = trace.began, trace.ended
    kinds = _group_intervals(trace.spans, lambda span: span.kind)
    covered: list[Interval] = []
    ledger = {}
    for kind in PRIORITY:
        before = _sum_lengths(covered)
        inside = [(max(t0, began), min(t1, ended)) for t0, t1 in kinds.get(kind, ()) if t0 < ended and t1 > began]
        covered = merge_intervals(covered + inside) if inside else covered
        ledger[kind] = _sum_lengths(covered) - before
    ledger[OTHER] = ended - began - _sum_lengths(covered)
    return ledger
