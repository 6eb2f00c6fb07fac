"""The figures of a run, computed from its trace alone: the proof that one mode juggles and another does not.

The definitions are few and exact. Spans are half open [t0, t1), so one that ends at t and one that starts at t never
hold the same instant, and a span of no length holds none.

    running      at an instant: how many distinct workers have a paint span that holds it, so are at a tile
    on CPU       how many of them had a CPU, on average (render.cpu_time); parallelism is judged by this
    waiting      a tile that has a wait span at an instant, whoever paints meanwhile
    in flight    a tile from the start of its first span of any kind, waiting included, to its last paint end
    finished     a tile at its last paint end
    switch       a worker starts a span (wait or paint) of another tile while its previous tile is unfinished:
                 the last span of that tile, whoever works on it, ends later than this start. A GPU puts nothing
                 aside: its tiles are painted at the same instant
    left alone   a tile between its first paint start and its last paint end, while no worker paints it
    busy         a worker that paints; idle is the rest of the time from the first start to the last end of all tiles
    ledger       a partition of [began, ended]: each instant counts for the first kind of PRIORITY that holds it

Block spans, which show the same work on the multiprocessors of a GPU, count in none of these and in `Multiprocessors`
alone.

Everything takes n log n steps for n spans, and `of` makes no Python object for a span or a tile.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from render import cpu_time
from render.cpu_time import OnCpu
from render.trace import NO_TILE, STAGES, Trace, Worker, on_gpu
from render.trace.intervals import Interval, Intervals, most_at_once, union
from render.trace.spans import NUMBER, Spans

EVER = (1 << 63) - 1  # later than any time
PRIORITY = ("paint", "transfer", "compile", "launch", "encode", "save", "plan", "wait", "start", "import")
OTHER = "other"
BY_SLAB = ("start", "save")  # where a frame is painted in slabs, these come again and again, and do not last meanwhile


class Running(NamedTuple):
    """Workers at a tile at the same instant: at most, and on average from first paint to last."""

    max: int
    mean: float


class InFlight(NamedTuple):
    """Tiles started but not finished at the same instant, at most."""

    max: int


class Waiting(NamedTuple):
    """Tiles that waited: at the same instant, at most, and the seconds of all of them added up."""

    max: int
    seconds: float


class Multiprocessors(NamedTuple):
    """The work of a GPU's multiprocessors, from block spans alone.

    One is busy while it has at least one thread block, however many more it could take. seen: how many ever were
    busy; max, mean: how many at the same instant, at most and on average from the first block's start to the last one's
    end. busy_percent: of that time, by multiprocessor, GPU by GPU in the order of their numbers.
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
        gpus = {other.device for other in self.busy_percent}
        return f"number {worker.thread}" if len(gpus) == 1 else f"{worker.device} {worker.thread}"


@dataclass(frozen=True)
class Stats:
    """The figures of one run, named as in the document of `draw --json`. None where no tile was painted.

    seconds: wall time by kind of span, first start to last end (0.0: none; of a frame in slabs, start and save only
    while any of them lasts), which may overlap; also `total` (the whole
    run) and `tiles` (all spans that carry a tile). ledger: nanoseconds by kind and `other`; they add up to the run.
    busy, idle: seconds by worker, in the order they started.
    multiprocessors: None where no thread block was recorded. launches: how many a GPU made; None where none painted.
    """

    seconds: dict[str, float]
    running: Running
    on_cpu: OnCpu
    in_flight: InFlight
    waiting: Waiting
    switches: int
    tiles: int
    first_tile_seconds: float | None
    left_alone_seconds: float
    busy: dict[Worker, float]
    idle: dict[Worker, float]
    ledger: dict[str, int]
    multiprocessors: Multiprocessors | None = None
    launches: int | None = None

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


def of(trace: Trace) -> Stats:
    """Compute all figures of a trace."""
    paint = trace.columns.of_kind("paint")
    tiled, wait = (spans.take(spans.tile != NO_TILE) for spans in (paint, trace.columns.of_kind("wait")))
    tiles, started, finished = _flights(trace)
    turned = union(paint.worker, paint.t0, paint.t1)
    busy = _sum_lengths(turned, paint.workers, trace.workers)
    whole, window = _wall_time(_of_tiles(trace)), _wall_time(paint)
    pieces = union(np.unique(tiled.tile, return_inverse=True)[1], tiled.t0, tiled.t1)
    alone = (pieces.t0[1:] - pieces.t1[:-1])[pieces.group[1:] == pieces.group[:-1]]
    return Stats(
        seconds=_seconds_by_kind(trace) | {"tiles": whole / 1e9},
        running=Running(most_at_once(turned.t0, turned.t1), sum(busy.values()) / window if window else 0.0),
        on_cpu=cpu_time.of(trace),
        in_flight=InFlight(most_at_once(started, finished)),
        waiting=Waiting(most_at_once(wait.t0, wait.t1), int((wait.t1 - wait.t0).sum()) / 1e9),
        switches=_count_switches(trace.columns),
        launches=_count_launches(trace.columns),
        tiles=len(tiles),
        first_tile_seconds=(int(finished.min()) - trace.asked) / 1e9 if len(tiles) else None,
        left_alone_seconds=int(alone.max(initial=0)) / 1e9,
        busy={worker: spent / 1e9 for worker, spent in busy.items()},
        idle={worker: max(whole - spent, 0) / 1e9 for worker, spent in busy.items()},
        ledger=_account_time(trace),
        multiprocessors=measure_multiprocessors(trace),
    )


def measure_multiprocessors(trace: Trace) -> Multiprocessors | None:
    """Measure the multiprocessors; None where no thread block was recorded."""
    blocks = trace.columns.of_kind("block")
    if not len(blocks):
        return None
    worked, window = union(blocks.worker, blocks.t0, blocks.t1), _wall_time(blocks)
    busy = _sum_lengths(worked, blocks.workers, trace.multiprocessors)
    return Multiprocessors(
        seen=len(busy),
        max=most_at_once(worked.t0, worked.t1),
        mean=sum(busy.values()) / window if window else 0.0,
        busy_percent={worker: 100 * spent / window if window else 0.0 for worker, spent in busy.items()},
    )


def busy_intervals(trace: Trace) -> dict[Worker, list[Interval]]:
    """Find when each multiprocessor was busy, as disjoint intervals, GPU by GPU in the order of their numbers."""
    return _disjoint(trace.columns.of_kind("block"), trace.multiprocessors)


def paint_intervals(trace: Trace) -> dict[Worker, list[Interval]]:
    """Find when each worker painted, as disjoint intervals, in the order of the workers' first paint."""
    return _disjoint(trace.columns.of_kind("paint"), trace.workers)


def flight_intervals(trace: Trace) -> dict[int, Interval]:
    """Find from when to when each tile that was painted was in flight, by number."""
    tiles, started, finished = (column.tolist() for column in _flights(trace))
    return {tile: (t0, t1) for tile, t0, t1 in zip(tiles, started, finished, strict=True)}


def _flights(trace: Trace) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The same as columns, by number: tiles that were painted, from when and to when."""
    spans = _of_tiles(trace)
    tiles, places = np.unique(spans.tile, return_inverse=True)
    painted = spans.kind == NUMBER["paint"]
    started, finished = np.full(len(tiles), EVER), np.full(len(tiles), -EVER)
    np.minimum.at(started, places, spans.t0)
    np.maximum.at(finished, places[painted], spans.t1[painted])
    known = finished > -EVER
    return tiles[known], started[known], finished[known]


def _of_tiles(trace: Trace) -> Spans:
    """All that was done for tiles, as their workers saw it."""
    spans = trace.columns
    return spans.take((spans.tile != NO_TILE) & (spans.kind != NUMBER["block"]))


def wait_intervals(trace: Trace) -> list[Interval]:
    """List when tiles waited, for whatever it was."""
    return [(span.t0, span.t1) for span in trace.of_kind("wait") if span.tile != NO_TILE]


def _disjoint(spans: Spans, workers: Iterable[Worker]) -> dict[Worker, list[Interval]]:
    """Find the instants of each worker's spans as disjoint intervals, by time; those of no length hold none."""
    found = union(spans.worker, spans.t0, spans.t1)
    made: dict[Worker, list[Interval]] = {worker: [] for worker in workers}
    for number, t0, t1 in zip(found.group.tolist(), found.t0.tolist(), found.t1.tolist(), strict=True):
        if t0 < t1:
            made[spans.workers[number]].append((t0, t1))
    return made


def _sum_lengths(found: Intervals, numbered: Sequence[Worker], workers: Iterable[Worker]) -> dict[Worker, int]:
    """Add up the intervals of each of these workers; groups are numbers in `numbered`."""
    spent = np.zeros(len(numbered), np.int64)
    np.add.at(spent, found.group, found.t1 - found.t0)
    by_worker = dict(zip(numbered, spent.tolist(), strict=True))
    return {worker: by_worker[worker] for worker in workers}


def _wall_time(spans: Spans) -> int:
    """Measure from the first start to the last end of all."""
    return int(spans.t1.max() - spans.t0.min()) if len(spans) else 0


def _seconds_by_kind(trace: Trace) -> dict[str, float]:
    walls = {kind: _wall_time(trace.columns.of_kind(kind)) for kind in STAGES}
    for kind in BY_SLAB if "slabs" in trace.facts else ():
        spans = trace.columns.of_kind(kind)
        joined = union(np.zeros(len(spans), np.int64), spans.t0, spans.t1)
        walls[kind] = int((joined.t1 - joined.t0).sum())
    return {kind: wall / 1e9 for kind, wall in ({"total": trace.ended - trace.began} | walls).items()}


def _on_device(spans: Spans) -> np.ndarray:
    """Mark the spans that are a device's and no CPU's."""
    by_worker: np.ndarray = np.array([worker.device != "cpu" for worker in spans.workers], bool)
    return by_worker.take(spans.worker)


def _count_launches(spans: Spans) -> int | None:
    """Count the launches that painted on devices; None where none did. Each has one span in which pixels are copied."""
    copied = spans.of_kind("transfer")
    return int(np.count_nonzero(_on_device(copied))) or None


def _count_switches(spans: Spans) -> int:
    work = spans.of_kind("wait", "paint")
    work = work.take((work.tile != NO_TILE) & ~_on_device(work))
    tiles, places = np.unique(work.tile, return_inverse=True)
    ends = np.full(len(tiles), -EVER)
    np.maximum.at(ends, places, work.t1)
    order = np.lexsort((work.tile, work.t1, work.t0, work.worker))
    worker, places, starts = work.worker[order], places[order], work.t0[order]
    same, other = worker[1:] == worker[:-1], places[1:] != places[:-1]
    return int(np.count_nonzero(same & other & (ends[places[:-1]] > starts[1:])))


def _account_time(trace: Trace) -> dict[str, int]:
    """Give each kind the time it adds to the union of the kinds before it, so that nothing is counted twice."""
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
