"""The quality of a schedule: how evenly it shared the work, how near it came to the best, what limited the speed-up.

All of it is computed from a trace and from nothing else, and counts painting only: a worker that waits is idle. For n
workers that were busy b1 ... bn, whose tiles took p1 ... pm to paint:

    fairness     (b1 + ... + bn)^2 / (n (b1^2 + ... + bn^2)), from 1/n (one did all) to 1 (all did as much):
                 R. Jain, D. Chiu, W. Hawe, A quantitative measure of fairness, DEC-TR-301, 1984
    bound        max(longest tile, (p1 + ... + pm) / n): no schedule of these tiles on n workers ends sooner
    guarantee    total / n + (1 - 1/n) longest: handing the next tile to whoever is free ends no later, in whatever
                 order, if handing out costs nothing: R. L. Graham, Bounds on multiprocessing timing anomalies, SIAM
                 Journal on Applied Mathematics 17(2), 1969
    near         bound / (last paint end - first paint start): 1 could not be better
    speed-up     a baseline's time by this run's, over the time of all tiles; with the start-up, over the time from the
                 start of the request to the last tile finished
    serial       (1/s - 1/n) / (1 - 1/n) for a speed-up s on n > 1 workers, the serial fraction found by experiment:
                 A. H. Karp, H. P. Flatt, Measuring parallel processor performance, CACM 33(5), 1990. Where it grows
                 with n it is overhead that holds back, not work that cannot be shared. A speed-up of more than n is no
                 speed-up by sharing out, but something that held the baseline up: it has no fraction

Times of a repeated run are those of its repeat of median time. A difference between two runs is clear
where it is notable (`NOTABLE`) and larger than what the repeats of either differ among themselves.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import numpy as np

from render.stats import Stats
from render.trace import NO_TILE, Trace

NOTABLE = 1.1  # times as long; less comes and goes from run to run


class Repeats(NamedTuple):
    """Times of all tiles in each repeat of a run, in seconds, in the order in which they were made."""

    seconds: tuple[float, ...]

    @property
    def spread(self) -> float | None:
        """The longest less the shortest, in seconds; None for a single run."""
        return max(self.seconds) - min(self.seconds) if len(self.seconds) > 1 else None

    @property
    def spread_percent(self) -> float | None:
        """The same as a share of the median (of two in the middle the lower), in per cent."""
        middle = sorted(self.seconds)[(len(self.seconds) - 1) // 2]
        return None if self.spread is None or not middle else 100 * self.spread / middle


class Difference(NamedTuple):
    """The difference between the times of a run and of its baseline.

    times: how many times as fast; spread: the larger one of the two runs' repeats, in seconds (0.0: not repeated).
    """

    times: float
    seconds: float
    spread: float

    @property
    def notable(self) -> bool:
        """True where it is more than what comes and goes from run to run."""
        return not 1 / NOTABLE < self.times < NOTABLE

    @property
    def clear(self) -> bool:
        """True where it is notable, and larger than the spread of the repeats."""
        return self.notable and self.seconds > self.spread


@dataclass(frozen=True)
class Schedule:
    """The shares of the painting. Times in seconds; None where nothing was painted or it took no time.

    On a GPU workers are queues, which share it: fairness, idle shares and bounds mean nothing there.

    `idle` are shares (0..1) of the time of all tiles, by worker in the order they started; `done_seconds` runs from the
    start of the request to the last tile finished; `longest_tile` is the number of the tile that took longest to paint.
    """

    fairness: float | None
    idle: tuple[float, ...]
    paint_seconds: float
    window_seconds: float
    done_seconds: float | None
    longest_tile: int | None
    longest_tile_seconds: float
    bound_seconds: float | None
    guarantee_seconds: float | None

    @property
    def near(self) -> float | None:
        """The bound's share of the time that the painting took: 1 could not be better."""
        return self.bound_seconds / self.window_seconds if self.bound_seconds and self.window_seconds else None

    def as_dict(self) -> dict[str, Any]:
        """Convert to JSON's types, with shares in per cent."""
        members = {name: value for name, value in asdict(self).items() if name not in ("fairness", "idle")}
        return members | {"near_percent": None if self.near is None else 100 * self.near}


@dataclass(frozen=True)
class Gain:
    """The gain of a run over a baseline; None where it took no time, and `serial_fraction` of one worker.

    On a GPU, whose workers are queues, neither efficiency nor serial fraction mean anything.
    """

    speed_up: float | None
    speed_up_with_start: float | None
    efficiency: float | None
    serial_fraction: float | None

    def as_dict(self) -> dict[str, float | None]:
        """Convert to JSON's types."""
        return asdict(self)


def of(trace: Trace, figures: Stats) -> Schedule:
    """Measure how the painting of a trace was shared out; `figures`: its statistics."""
    paint = trace.columns.of_kind("paint")
    tiles, costs = _tile_costs(trace)
    longest = int(tiles[costs.argmax()]) if len(tiles) else None  # of several the first
    most = int(costs.max(initial=0)) / 1e9
    total, workers = sum(figures.busy.values()), len(figures.busy)
    first, last = (int(paint.t0.min()), int(paint.t1.max())) if len(paint) else (0, 0)
    whole = figures.seconds["tiles"]
    shared = not figures.on_gpu
    return Schedule(
        fairness=fairness(list(figures.busy.values())) if shared else None,
        idle=tuple(spent / whole if whole else 0.0 for spent in figures.idle.values()) if shared else (),
        paint_seconds=total,
        window_seconds=(last - first) / 1e9,
        done_seconds=(last - trace.asked) / 1e9 if len(tiles) else None,
        longest_tile=longest,
        longest_tile_seconds=most,
        bound_seconds=max(most, total / workers) if total and shared else None,
        guarantee_seconds=total / workers + (1 - 1 / workers) * most if total and shared else None,
    )


def tile_costs(trace: Trace) -> dict[int, int]:
    """Add up the nanoseconds that each tile was painted for, by number."""
    tiles, costs = _tile_costs(trace)
    return dict(zip(tiles.tolist(), costs.tolist(), strict=True))


def _tile_costs(trace: Trace) -> tuple[np.ndarray, np.ndarray]:
    """The same as columns, by number."""
    paint = trace.columns.of_kind("paint")
    paint = paint.take(paint.tile != NO_TILE)
    tiles, places = np.unique(paint.tile, return_inverse=True)
    spent = np.zeros(len(tiles), np.int64)
    np.add.at(spent, places, paint.t1 - paint.t0)
    return tiles, spent


def fairness(busy: list[float]) -> float | None:
    """Compute Jain's index of the workers' busy times."""
    squares = sum(spent * spent for spent in busy)
    return sum(busy) ** 2 / (len(busy) * squares) if squares else None


def serial_fraction(speed_up: float | None, workers: int) -> float | None:
    """Compute Karp and Flatt's fraction; None for one worker, and for a speed-up of more than the workers."""
    if not speed_up or workers < 2 or speed_up > workers * (1 + 1e-9):
        return None
    return (1 / speed_up - 1 / workers) / (1 - 1 / workers)
