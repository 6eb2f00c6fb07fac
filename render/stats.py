"""What a run did, computed from its trace and from nothing else: the proof that one mode juggles and another does not.

The definitions are few and exact. Spans are half open [t0, t1), so one that ends at t and one that starts at t never
hold the same instant, and a span of no length holds none.

    running      at an instant: how many distinct workers have a paint span that holds it, so are at a tile
    on CPU       how many of them had a CPU, on average (render.cpu_time); what is said of parallelism is said of this
    in flight    a tile from its first paint start to its last paint end
    done         a tile at its last paint end
    switch       a worker starts a span (wait or paint) of another tile while its previous tile is unfinished:
                 the last span of that tile, whoever works on it, ends later than this start. A GPU puts nothing
                 aside: a stream's tiles are painted at the same instant
    left alone   a tile that is in flight while no worker paints it
    busy         a worker that paints; idle is the rest of the time from the first start to the last end of all tiles
    ledger       a partition of [began, ended]: each instant counts for the first kind of PRIORITY that holds it

Block spans, which show the same work on the multiprocessors of a graphics card, count in none of these and in
`Multiprocessors` alone.

Everything takes n log n steps for n spans, and `of` no Python object for a span or a tile.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from render import cpu_time
from render.cpu_time import OnCpu
from render.trace import NO_TILE, STAGES, Span, Trace, Worker, on_card
from render.trace.intervals import Intervals, most, union
from render.trace.spans import NUMBER, Spans

PRIORITY = ("paint", "transfer", "compile", "launch", "save", "plan", "wait", "start", "import")
OTHER = "other"

Interval = tuple[int, int]


class Running(NamedTuple):
    """How many workers were at a tile at the same instant: at most, and on average from first paint to last."""

    max: int
    mean: float


class InFlight(NamedTuple):
    """How many tiles were begun and not done at the same instant, at most."""

    max: int


class Multiprocessors(NamedTuple):
    """How the multiprocessors of a graphics card worked, from block spans alone.

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
        """How busy those that worked were, on average."""
        return 100 * self.mean / self.seen

    @property
    def least(self) -> Worker:
        """The least busy one; of several the first."""
        return min(self.busy_percent, key=self.busy_percent.__getitem__)

    @property
    def most(self) -> Worker:
        """The most busy one; of several the first."""
        return max(self.busy_percent, key=self.busy_percent.__getitem__)

    def called(self, worker: Worker) -> str:
        """Its number, and which card's it is where there are several."""
        cards = {other.device for other in self.busy_percent}
        return f"number {worker.thread}" if len(cards) == 1 else f"{worker.device} {worker.thread}"


@dataclass(frozen=True)
class Stats:
    """The figures of one run, named as in the document of `draw --json`. None where no tile was painted.

    seconds: wall time by kind of span, first start to last end (0.0: none), which may overlap; also `total` (the whole
    run) and `tiles` (all spans that carry a tile). ledger: nanoseconds by kind and `other`; they add up to the run.
    first_tile and last_tile: the tiles done first and last. busy, idle: seconds by worker, in the order they began.
    multiprocessors: None where no block was recorded. launches: how many a GPU painted; None where none did.
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
    launches: int | None = None

    @property
    def on_card(self) -> bool:
        """Whether a graphics card painted, or the simulator of one: its workers are queues, and share it."""
        return on_card(self.busy)

    @property
    def shares(self) -> dict[str, float]:
        """The ledger in per cent of the run's wall time; they add up to 100 (to nothing for a run of no length)."""
        total = sum(self.ledger.values())
        return {kind: 100 * spent / total if total else 0.0 for kind, spent in self.ledger.items()}

    def speed_up(self, baseline: Stats) -> float | None:
        """How many times as fast as the baseline all tiles were done; None where either took no time."""
        ours, theirs = self.seconds["tiles"], baseline.seconds["tiles"]
        return theirs / ours if ours and theirs else None

    def efficiency(self, baseline: Stats) -> float | None:
        """The speed-up for each worker: 1.0 where every worker is worth a whole one."""
        gained = self.speed_up(baseline)
        return gained / len(self.busy) if gained is not None and self.busy else None


def of(trace: Trace) -> Stats:
    """All figures of a trace."""
    paint = trace.columns.of_kind("paint")
    tiled = paint.take(paint.tile != NO_TILE)
    tiles, places = np.unique(tiled.tile, return_inverse=True)
    begun, done = _reaches(places, tiled, len(tiles))
    turned = union(paint.worker, paint.t0, paint.t1)
    busy = _spent(turned, paint.workers, trace.workers)
    whole, window = _whole(trace.columns), _wall(paint)
    first, last = (_at_end(done, tiles, choose) for choose in (min, max))
    pieces = union(places, tiled.t0, tiled.t1)
    alone = (pieces.t0[1:] - pieces.t1[:-1])[pieces.group[1:] == pieces.group[:-1]]
    return Stats(
        seconds=_seconds(trace) | {"tiles": whole / 1e9},
        running=Running(most(turned.t0, turned.t1), sum(busy.values()) / window if window else 0.0),
        on_cpu=cpu_time.of(trace),
        in_flight=InFlight(most(begun, done)),
        switches=_switches(trace.columns),
        launches=_launches(trace.columns),
        tiles=len(tiles),
        first_tile=first and first[1],
        last_tile=last and last[1],
        first_tile_seconds=(first[0] - trace.asked) / 1e9 if first else None,
        left_alone_seconds=int(alone.max(initial=0)) / 1e9,
        busy={worker: spent / 1e9 for worker, spent in busy.items()},
        idle={worker: max(whole - spent, 0) / 1e9 for worker, spent in busy.items()},
        ledger=_ledger(trace),
        multiprocessors=multiprocessors(trace),
    )


def multiprocessors(trace: Trace) -> Multiprocessors | None:
    """How the multiprocessors worked; None where no block was recorded."""
    blocks = trace.columns.of_kind("block")
    if not len(blocks):
        return None
    worked, window = union(blocks.worker, blocks.t0, blocks.t1), _wall(blocks)
    busy = _spent(worked, blocks.workers, trace.multiprocessors)
    return Multiprocessors(
        seen=len(busy),
        max=most(worked.t0, worked.t1),
        mean=sum(busy.values()) / window if window else 0.0,
        busy_percent={worker: 100 * spent / window if window else 0.0 for worker, spent in busy.items()},
    )


def inside(trace: Trace) -> dict[Worker, list[Interval]]:
    """When each multiprocessor was busy, as disjoint intervals, device by device in the order of their numbers."""
    return _disjoint(trace.columns.of_kind("block"), trace.multiprocessors)


def merged(intervals: Iterable[Interval]) -> list[Interval]:
    """The same instants as disjoint intervals that do not touch, by time."""
    made: list[Interval] = []
    for t0, t1 in sorted(intervals):
        if t0 == t1:
            continue
        if made and t0 <= made[-1][1]:
            made[-1] = made[-1][0], max(made[-1][1], t1)
        else:
            made.append((t0, t1))
    return made


def shown(trace: Trace) -> dict[Worker, list[Span]]:
    """What each multiprocessor is shown to have painted, as `foremost` has it, in the order of their numbers."""
    blocks: dict[Worker, list[Span]] = {worker: [] for worker in trace.multiprocessors}
    for span in trace.of_kind("block"):
        blocks[span.worker].append(span)
    return {worker: foremost(spans) for worker, spans in blocks.items()}


def foremost(spans: Iterable[Span]) -> list[Span]:
    """One worker's spans as pieces that do not overlap, by time: where several hold an instant, that which began last.

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


def levels(intervals: Iterable[Interval]) -> list[tuple[int, int]]:
    """How many of the half-open intervals hold an instant, as (from when, how many) wherever that changes, by time."""
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


def turns(trace: Trace) -> dict[Worker, list[Interval]]:
    """When each worker painted, as disjoint intervals, in the order of the workers' first paint."""
    return _disjoint(trace.columns.of_kind("paint"), trace.workers)


def flights(trace: Trace) -> dict[int, Interval]:
    """From when to when each tile was in flight, by number."""
    paint = trace.columns.of_kind("paint")
    tiled = paint.take(paint.tile != NO_TILE)
    tiles, places = np.unique(tiled.tile, return_inverse=True)
    begun, done = _reaches(places, tiled, len(tiles))
    return dict(zip(tiles.tolist(), zip(begun.tolist(), done.tolist(), strict=True), strict=True))


def _disjoint(spans: Spans, workers: Iterable[Worker]) -> dict[Worker, list[Interval]]:
    """The instants of each worker's spans as disjoint intervals, by time; those of no length hold none."""
    found = union(spans.worker, spans.t0, spans.t1)
    made: dict[Worker, list[Interval]] = {worker: [] for worker in workers}
    for number, t0, t1 in zip(found.group.tolist(), found.t0.tolist(), found.t1.tolist(), strict=True):
        if t0 < t1:
            made[spans.workers[number]].append((t0, t1))
    return made


def _spent(found: Intervals, numbered: Sequence[Worker], workers: Iterable[Worker]) -> dict[Worker, int]:
    """How long the intervals of each of these workers are together; groups are numbers in `numbered`."""
    spent = np.zeros(len(numbered), np.int64)
    np.add.at(spent, found.group, found.t1 - found.t0)
    by_worker = dict(zip(numbered, spent.tolist(), strict=True))
    return {worker: by_worker[worker] for worker in workers}


def _reaches(places: np.ndarray, spans: Spans, count: int) -> tuple[np.ndarray, np.ndarray]:
    """From the first start to the last end of the spans of each of so many groups."""
    begun, done = np.full(count, np.iinfo(np.int64).max), np.full(count, np.iinfo(np.int64).min)
    np.minimum.at(begun, places, spans.t0)
    np.maximum.at(done, places, spans.t1)
    return begun, done


def _at_end(done: np.ndarray, tiles: np.ndarray, choose: Callable[..., int]) -> tuple[int, int] | None:
    """When the first or last tile was done, and its number; of several the first or the last."""
    if not len(done):
        return None
    instant = choose(done.min(), done.max())
    return int(instant), int(choose(tiles[done == instant].tolist()))


def _wall(spans: Spans) -> int:
    """From the first start to the last end of all."""
    return int(spans.t1.max() - spans.t0.min()) if len(spans) else 0


def _whole(spans: Spans) -> int:
    """From the first start to the last end of all that was done for tiles."""
    return _wall(spans.take((spans.tile != NO_TILE) & (spans.kind != NUMBER["block"])))


def _seconds(trace: Trace) -> dict[str, float]:
    walls = {kind: _wall(trace.columns.of_kind(kind)) for kind in STAGES}
    return {kind: wall / 1e9 for kind, wall in ({"total": trace.ended - trace.began} | walls).items()}


def _on_device(spans: Spans) -> np.ndarray:
    """Which spans are a device's and no CPU's."""
    by_worker: np.ndarray = np.array([worker.device != "cpu" for worker in spans.workers], bool)
    return by_worker.take(spans.worker)


def _launches(spans: Spans) -> int | None:
    """How many launches painted on devices; None where none did. Each has one span in which its pixels are copied."""
    copied = spans.of_kind("transfer")
    return int(np.count_nonzero(_on_device(copied))) or None


def _switches(spans: Spans) -> int:
    work = spans.of_kind("wait", "paint")
    work = work.take((work.tile != NO_TILE) & ~_on_device(work))
    tiles, places = np.unique(work.tile, return_inverse=True)
    _, ends = _reaches(places, work, len(tiles))
    order = np.lexsort((work.tile, work.t1, work.t0, work.worker))
    worker, places, starts = work.worker[order], places[order], work.t0[order]
    same, other = worker[1:] == worker[:-1], places[1:] != places[:-1]
    return int(np.count_nonzero(same & other & (ends[places[:-1]] > starts[1:])))


def _ledger(trace: Trace) -> dict[str, int]:
    """Each kind gets what it adds to the union of the kinds before it, so nothing is counted twice."""
    began, ended = trace.began, trace.ended
    nothing = np.zeros(0, np.int64)
    covered, before = Intervals(nothing, nothing, nothing), 0
    ledger = {}
    for kind in PRIORITY:
        spans = trace.columns.of_kind(kind)
        within = spans.take((spans.t0 < ended) & (spans.t1 > began))
        t0 = np.concatenate([covered.t0, np.maximum(within.t0, began)])
        t1 = np.concatenate([covered.t1, np.minimum(within.t1, ended)])
        covered = union(np.zeros(len(t0), np.int64), t0, t1)
        length = int((covered.t1 - covered.t0).sum())
        ledger[kind], before = length - before, length
    ledger[OTHER] = ended - began - before
    return ledger
