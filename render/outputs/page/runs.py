"""A run as the page shows it: its spans on the page's own clock, which starts with the first tile of every run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from functools import cached_property
from itertools import chain, pairwise
from typing import NamedTuple

from render import stats
from render.findings import evidence, foremost, incidents
from render.frame import Frame
from render.trace import NO_TILE, Span, Worker
from render.trace.intervals import Interval, merge_intervals

Curve = list[tuple[int, int]]  # (t, how many from t on), by time


class Run(evidence.Run):
    """One frame with all that its captions need. Times are integer ns from the first span that carries a tile."""

    @cached_property
    def crew(self) -> tuple[Worker, ...]:
        """The workers in the order of their numbers (`Trace.workers`), then those that had a tile and never painted."""
        return tuple(dict.fromkeys((*self.frame.trace.workers, *(span.worker for span in self.spans))))

    @cached_property
    def names(self) -> list[str]:
        """The name of each of the crew's lanes."""
        known = self.frame.trace.lanes
        kind = "stream" if self.on_gpu else "worker"
        return [known.get(worker, f"{kind} {number}") for number, worker in enumerate(self.crew)]

    @cached_property
    def lanes(self) -> dict[Worker, list[Span]]:
        """The spans of each worker, by start."""
        lanes: dict[Worker, list[Span]] = {worker: [] for worker in self.crew}
        for span in self.spans:
            lanes[span.worker].append(span)
        return lanes

    @cached_property
    def spans(self) -> tuple[Span, ...]:
        """The spans that carry a tile, by start, on the page's clock; without blocks: they show the same work again."""
        mine = sorted(self._tiled, key=lambda s: (s.t0, s.t1, s.tile))
        return tuple(s._replace(t0=s.t0 - self.start, t1=s.t1 - self.start) for s in mine)

    @cached_property
    def _tiled(self) -> list[Span]:
        return [s for s in self.frame.trace.spans if s.tile != NO_TILE and s.kind != "block"]

    @cached_property
    def start(self) -> int:
        """The start of the page's clock: ns of the trace."""
        return min((s.t0 for s in self._tiled), default=0)

    @cached_property
    def inside(self) -> list[tuple[int, Span]]:
        """The pieces that a GPU's multiprocessors painted, on the page's clock, by start: (place of the one, piece).

        The pieces of one do not overlap: where blocks of several tiles share it, the one that started last is shown.
        """
        pieces = []
        for lane, spans in enumerate(foremost.foremost_blocks(self.frame.trace).values()):
            for piece in spans:
                t0, t1 = (min(max(t - self.start, 0), self.length) for t in (piece.t0, piece.t1))
                if t0 < t1:
                    pieces.append((lane, piece._replace(t0=t0, t1=t1)))
        return sorted(pieces, key=lambda pair: (pair[1].t0, pair[0]))

    @cached_property
    def before(self) -> int:
        """The time from the request to the first tile's span: making ready."""
        return self.start - self.frame.trace.asked

    @cached_property
    def length(self) -> int:
        """The end of the last span of a tile."""
        return max((s.t1 for s in self.spans), default=0)

    @cached_property
    def painting(self) -> dict[int, list[Interval]]:
        """The times at which each tile was painted, by tile."""
        painted: dict[int, list[Interval]] = {}
        for span in self.spans:
            if span.kind == "paint":
                painted.setdefault(span.tile, []).append((span.t0, span.t1))
        return painted

    @cached_property
    def costs(self) -> dict[int, int]:
        """The time for which each tile was painted, by tile, in the order in which they were started."""
        return {tile: sum(t1 - t0 for t0, t1 in times) for tile, times in self.painting.items()}

    @cached_property
    def ends(self) -> dict[int, int]:
        """The end of each tile, by tile."""
        return {tile: max(t1 for _, t1 in times) for tile, times in self.painting.items()}

    @cached_property
    def running(self) -> Curve:
        """The number of workers at a tile at each instant."""
        turns = (merge_intervals((s.t0, s.t1) for s in lane if s.kind == "paint") for lane in self.lanes.values())
        return count_curve(chain.from_iterable(turns))

    @cached_property
    def in_flight(self) -> Curve:
        """The number of tiles in flight at each instant: started but not finished."""
        flights = stats.flight_intervals(self.frame.trace).values()
        return count_curve((t0 - self.start, t1 - self.start) for t0, t1 in flights)

    @cached_property
    def waiting(self) -> Curve:
        """The number of tiles that wait at each instant."""
        return count_curve((span.t0, span.t1) for span in self.spans if span.kind == "wait")

    @property
    def juggles_alone(self) -> bool:
        """True where one worker did it all, and had several tiles in flight at once."""
        return self.workers == 1 and self.juggles

    @property
    def resumed(self) -> int:
        """The number of tiles that an interrupted run had painted."""
        return incidents.count_resumed(self.frame.trace)

    @property
    def tiles_in_all(self) -> int:
        """The number of tiles that its picture was cut into, whoever painted them, and whether or not."""
        rows, columns = self.frame.request.rows_and_columns
        return self.stats.tiles + self.resumed if self.frame.request.only_tile is None else rows * columns

    @property
    def way(self) -> tuple[bool, bool]:
        """The way it works: (several workers, each with several tiles in flight)."""
        return self.workers > 1, self.juggles

    @property
    def together(self) -> list[Interval]:
        """The times at which two workers or more were at a tile."""
        return find_intervals(self.running, 2)

    @property
    def on_gpu(self) -> bool:
        """True where a GPU painted, or a simulator of one: then a worker is a part of it."""
        return self.stats.on_gpu

    @property
    def waits_for(self) -> str:
        """The thing that each of its tiles waits for, in words."""
        return self.awaited_lock or "its data"


class Group(NamedTuple):
    """Runs of a page that belong together: those of a story, or all that wait as long; `story` is None for others."""

    story: str | None
    wait_ns: int
    runs: tuple[Run, ...]


def build_runs(frames: Sequence[Frame]) -> list[Run]:
    """Make the runs of a page, each with the run that it is measured against."""
    return evidence.pair_with_baseline(frames, Run)


def group_runs(runs: Sequence[Run]) -> list[Group]:
    """Group the runs by story and by how long their tiles wait, in the order in which they stand."""
    groups: dict[tuple[str | None, int], list[Run]] = {}
    for run in runs:
        story = run.frame.trace.facts.get("story")
        key = (story, 0) if isinstance(story, str) else (None, run.frame.request.wait_ns)
        groups.setdefault(key, []).append(run)
    return [Group(story, many[0].frame.request.wait_ns, tuple(many)) for (story, _), many in groups.items()]


def count_curve(intervals: Iterable[Interval]) -> Curve:
    """Count how many of the half-open intervals hold each instant."""
    changes: Counter[int] = Counter()
    for t0, t1 in intervals:
        if t0 < t1:
            changes[t0] += 1
            changes[t1] -= 1
    count, curve = 0, []
    for t in sorted(changes):
        if changes[t]:
            count += changes[t]
            curve.append((t, count))
    return curve


def find_intervals(curve: Curve, least: int) -> list[Interval]:
    """Find the longest intervals in which a curve is nowhere below `least`."""
    return merge_intervals((t, end) for (t, n), (end, _) in pairwise(curve) if n >= least)


def nearest_interval(intervals: Iterable[Interval], t: int) -> Interval:
    """Choose the one whose middle is nearest to t; (0, 0) where there is none."""
    return min(intervals, key=lambda interval: abs(sum(interval) // 2 - t), default=(0, 0))


def estimate_juggling(costs: Iterable[int], wait: int, hands: int) -> int:
    """Estimate how long one worker needs for tiles that cost so much, each after waiting for its data; all in ns.

    `hands` of them wait at once. Whichever tile was requested first is painted first, and whole.
    """
    requested, now = [0] * hands, 0
    for number, cost in enumerate(costs):
        now = max(now, requested[number % hands] + wait) + cost
        requested[number % hands] = now
    return now
