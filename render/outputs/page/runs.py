"""A run as the page tells it: its spans on the page's own clock, which starts with the first tile of every run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from functools import cached_property
from itertools import chain, pairwise

from render import stats
from render.findings import evidence
from render.frame import Frame
from render.stats import Interval, merged
from render.trace import NO_TILE, Span, Worker

Curve = list[tuple[int, int]]  # (t, how many from t on), by time


class Run(evidence.Run):
    """One frame with all that its captions need. Times are integer ns from the first span that carries a tile."""

    @cached_property
    def crew(self) -> tuple[Worker, ...]:
        """Those that had a tile, in the order of their first paint, then those that never painted: their numbers."""
        return tuple(dict.fromkeys((*self.frame.trace.workers, *(span.worker for span in self.spans))))

    @cached_property
    def lanes(self) -> dict[Worker, list[Span]]:
        """The spans of each worker, by start."""
        made: dict[Worker, list[Span]] = {worker: [] for worker in self.crew}
        for span in self.spans:
            made[span.worker].append(span)
        return made

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
        """Where the page's clock starts: ns of the trace."""
        return min((s.t0 for s in self._tiled), default=0)

    @cached_property
    def inside(self) -> list[tuple[int, Span]]:
        """What each multiprocessor of a card painted, on the page's clock, by start: its place among them, and a piece.

        The pieces of one do not overlap: where blocks of several tiles share it, the tile that it began last is told.
        """
        pieces = []
        for lane, spans in enumerate(stats.shown(self.frame.trace).values()):
            for piece in spans:
                t0, t1 = (min(max(t - self.start, 0), self.length) for t in (piece.t0, piece.t1))
                if t0 < t1:
                    pieces.append((lane, piece._replace(t0=t0, t1=t1)))
        return sorted(pieces, key=lambda pair: (pair[1].t0, pair[0]))

    @cached_property
    def before(self) -> int:
        """From the request to the first tile's span: making ready."""
        return self.start - self.frame.trace.asked

    @cached_property
    def length(self) -> int:
        """Until the last span of a tile ends."""
        return max((s.t1 for s in self.spans), default=0)

    @cached_property
    def painting(self) -> dict[int, list[Interval]]:
        """When each tile was painted, by tile."""
        painted: dict[int, list[Interval]] = {}
        for span in self.spans:
            if span.kind == "paint":
                painted.setdefault(span.tile, []).append((span.t0, span.t1))
        return painted

    @cached_property
    def costs(self) -> dict[int, int]:
        """How long each tile was painted, by tile, in the order in which they were begun."""
        return {tile: sum(t1 - t0 for t0, t1 in times) for tile, times in self.painting.items()}

    @cached_property
    def ends(self) -> dict[int, int]:
        """When each tile was done, by tile."""
        return {tile: max(t1 for _, t1 in times) for tile, times in self.painting.items()}

    @cached_property
    def running(self) -> Curve:
        """How many workers are at a tile at each instant."""
        turns = (merged((s.t0, s.t1) for s in lane if s.kind == "paint") for lane in self.lanes.values())
        return curve(chain.from_iterable(turns))

    @cached_property
    def flying(self) -> Curve:
        """How many tiles are begun and not done at each instant."""
        return curve((min(t0 for t0, _ in times), self.ends[tile]) for tile, times in self.painting.items())

    @property
    def together(self) -> list[Interval]:
        """When two workers or more were at a tile at the same instant."""
        return at_least(self.running, 2)

    @property
    def alone(self) -> bool:
        """Whether one worker did it all."""
        return self.workers == 1

    @property
    def card(self) -> bool:
        """Whether a graphics card painted, or a simulator of one: then a worker is a part of it."""
        return self.stats.on_card


def raced(frames: Sequence[Frame]) -> list[Run]:
    """The runs of a page, each with the run that it is measured against."""
    return evidence.pair_with_baseline(frames, Run)


def curve(intervals: Iterable[Interval]) -> Curve:
    """How many of the half-open intervals hold each instant."""
    changes: Counter[int] = Counter()
    for t0, t1 in intervals:
        if t0 < t1:
            changes[t0] += 1
            changes[t1] -= 1
    count, made = 0, []
    for t in sorted(changes):
        if changes[t]:
            count += changes[t]
            made.append((t, count))
    return made


def at_least(steps: Curve, least: int) -> list[Interval]:
    """The longest intervals in which a curve is nowhere below `least`."""
    return merged((t, end) for (t, n), (end, _) in pairwise(steps) if n >= least)


def nearest(intervals: Iterable[Interval], t: int) -> Interval:
    """That whose middle is nearest to t; (0, 0) where there is none."""
    return min(intervals, key=lambda interval: abs(sum(interval) // 2 - t), default=(0, 0))


def juggled(costs: Iterable[int], wait: int, hands: int) -> int:
    """How long one worker needs for tiles that cost so much, each after waiting for its data, `hands` waiting at once.

    Reckoned, not measured: whichever tile was asked for first is painted first, and whole.
    """
    asked, now = [0] * hands, 0
    for number, cost in enumerate(costs):
        now = max(now, asked[number % hands] + wait) + cost
        asked[number % hands] = now
    return now
