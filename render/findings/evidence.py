"""A run as evidence: what its trace shows, beside the run that it is measured against.

From this the sentences (`render.findings.sentences`), the tables and the page are made, so that a figure that stands on
two of them comes from one place.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import cached_property
from itertools import chain
from typing import TypeVar

from render import stats, targets
from render.findings import claims, schedule, stories
from render.findings.claims import Claims
from render.findings.schedule import Difference, Gain, Repeats, Schedule
from render.frame import Frame, find_baseline
from render.stats import Stats
from render.trace import NO_TILE, Worker, tile_owners
from render.trace.intervals import max_overlap, merge_intervals

PARALLEL = 1.1  # CPUs on average; with fewer nothing is called parallelism
MOSTLY = 0.8  # of a gain; what is explained by that much is explained
SHORT = 0.9  # of the CPU time that could be had; with less of it, others had it
OTHERS = "other programs were using the CPUs"
NOTICED = 0.05  # CPUs; less is not noticed beside waiting
SLICE = 0.002  # seconds; for less the system hardly gives a CPU to another program
SWITCH = 0.005  # seconds for which Python's lock is kept from a thread that wants it (sys.getswitchinterval)


class Run:
    """A run with what its trace shows, and the run that it is measured against (itself where it is that one)."""

    def __init__(self, frame: Frame) -> None:
        self.frame = frame
        self.base: Run | None = None

    @cached_property
    def stats(self) -> Stats:
        """Its figures."""
        return stats.of(self.frame.trace)

    @cached_property
    def claims(self) -> Claims:
        """Workers and CPUs that were requested, and that were available."""
        return claims.of(self.frame.trace)

    @cached_property
    def schedule(self) -> Schedule:
        """The shares of its painting, by worker."""
        return schedule.of(self.frame.trace, self.stats)

    @cached_property
    def repeats(self) -> Repeats:
        """The times of all repeats: the fact `seconds_all` of its trace, or this one run without it."""
        stored = self.frame.trace.facts.get("seconds_all")
        if isinstance(stored, list) and stored and all(map(_is_time, stored)):
            return Repeats(tuple(map(float, stored)))
        return Repeats((self.seconds,))

    @property
    def story(self) -> str | None:
        """The story that it belongs to; None for a plain run."""
        return stories.name_of(self.frame)

    @property
    def seconds(self) -> float:
        """Seconds that all tiles took."""
        return self.stats.seconds["tiles"]

    @property
    def workers(self) -> int:
        """The number of workers that painted."""
        return len(self.stats.busy)

    @cached_property
    def most_juggled(self) -> int:
        """The most tiles that one worker had in flight at the same instant: waiting for them, at one, or put aside."""
        flights: dict[Worker, dict[int, tuple[int, int]]] = {}
        for span in self.frame.trace.spans:
            if span.tile != NO_TILE and span.kind in ("wait", "paint"):
                t0, t1 = flights.setdefault(span.worker, {}).get(span.tile, (span.t0, span.t1))
                flights[span.worker][span.tile] = min(t0, span.t0), max(t1, span.t1)
        return max((max_overlap(own.values()) for own in flights.values()), default=0)

    @property
    def juggles(self) -> bool:
        """True where a worker had several tiles in flight at once."""
        return not self.stats.on_gpu and (self.most_juggled > 1 or self.stats.switches > 0)

    @cached_property
    def waited_seconds(self) -> float:
        """Seconds that tiles waited for whatever it was, all of them added up."""
        return self.stats.waiting.seconds

    @property
    def awaited_lock(self) -> str | None:
        """The lock that its tiles waited for, where they did not wait for their data (a fact of lessons)."""
        lock = self.frame.trace.facts.get("waits_for")
        return lock if isinstance(lock, str) and lock else None

    @property
    def data_wait_seconds(self) -> float:
        """Seconds that tiles waited for their data, in which a worker may paint another."""
        return 0.0 if self.awaited_lock else self.waited_seconds

    @cached_property
    def idle_seconds(self) -> float:
        """Seconds of all tiles' time in which nobody was at one to paint it."""
        turns = merge_intervals(chain.from_iterable(stats.paint_intervals(self.frame.trace).values()))
        return max(self.seconds - sum(t1 - t0 for t0, t1 in turns) / 1e9, 0.0)

    @cached_property
    def tiles_by_worker(self) -> list[int]:
        """The number of tiles that each worker was the last to paint, in the order in which the workers started."""
        owned = Counter(tile_owners(self.frame.trace).values())
        return [owned[number] for number in range(self.workers)]

    @property
    def parallel(self) -> bool:
        """True where it is proved that several workers were on a CPU at the same instant.

        Where clocks of several hosts were tied together, also if all took so much longer as they may be wrong.
        """
        window = self.stats.seconds["paint"]
        longer = window + 2 * self.claims.clock_error
        return (self.stats.on_cpu.mean or 0.0) * window >= PARALLEL * longer > 0

    @property
    def parallel_at_times(self) -> bool:
        """True where that is proved though they were idle too: in the time with somebody at a tile, one CPU gives less.

        One CPU gives no more than a second in each second in which any worker was at a tile.
        """
        busy = self.seconds - self.idle_seconds
        given = (self.stats.on_cpu.mean or 0.0) * self.stats.seconds["paint"]
        return not self.parallel and busy > 0 and given >= PARALLEL * busy

    @property
    def overlaps(self) -> bool:
        """True where, while anybody was at a tile, clearly more than one worker was, on average."""
        busy = self.seconds - self.idle_seconds
        return self.stats.running.mean * self.stats.seconds["paint"] >= PARALLEL * busy > 0

    @property
    def _processes(self) -> set[tuple[str, int]]:
        return {(worker.host, worker.process) for worker in self.stats.busy}

    @property
    def holds_lock(self) -> bool:
        """True where its workers are threads of one process whose code holds Python's lock while it paints."""
        target = self.frame.request.target  # of a trace from elsewhere, perhaps one that is not known here
        return target in targets.names() and not targets.load(target).DROPS_GIL and len(self._processes) == 1

    @property
    def available_cpus(self) -> float:
        """CPUs that its workers could have had on average: as many as were at a tile, and no more than allowed.

        Of threads that hold a lock while they paint only one can have a CPU.
        """
        most = min(self.stats.running.mean, self.claims.worth or float("inf"))
        return min(most, 1.0) if self.holds_lock else most

    @property
    def lost_cpu_seconds(self) -> float:
        """Seconds of CPU time that its workers could have had and did not get; 0 where CPU time is not known."""
        mean = self.stats.on_cpu.mean
        return 0.0 if mean is None else (self.available_cpus - mean) * self.stats.seconds["paint"]

    @property
    def short_of_cpu(self) -> bool:
        """True where its workers got clearly less CPU time than was available: no program takes a CPU for less."""
        mean = self.stats.on_cpu.mean
        if mean is None or self.available_cpus - mean < NOTICED:
            return False
        return mean < SHORT * self.available_cpus and self.lost_cpu_seconds >= SLICE

    @property
    def may_have_waited_for_lock(self) -> bool:
        """True where threads may have lost that time to Python's lock around their tiles: a little for each."""
        threads = len(self._processes) < self.workers
        return threads and self.lost_cpu_seconds < SWITCH * self.stats.tiles

    @cached_property
    def packed_files(self) -> bool:
        """True where its files were packed while it painted, which takes CPUs too: a frame larger than memory."""
        painted, saved = (self.frame.trace.columns.of_kind(kind) for kind in ("paint", "save"))
        return bool(len(painted) and len(saved) and saved.t0.min() < painted.t1.max())

    @property
    def in_cluster(self) -> bool:
        """True where the workers of a cluster painted: its client and scheduler take CPUs too."""
        return any(self.frame.trace.hosts)

    @property
    def load(self) -> float | None:
        """The machine's load before the run started, where that was more than it has CPUs for."""
        load, machine = self.frame.trace.facts.get("load"), self.claims.machine
        if type(load) not in (int, float) or machine is None:
            return None
        return load if load > machine else None  # type: ignore[operator]

    @property
    def difference(self) -> Difference | None:
        """The difference from its baseline; None where it has none, is it, or a simulator stood for a GPU."""
        return None if self.base is None or self.base is self else self.compare_to(self.base)

    def compare_to(self, other: Run) -> Difference | None:
        """Compare its time with another run's; None where either took none, or a simulator stood for a GPU."""
        times = self.stats.speed_up(other.stats)
        if times is None or self.frame.simulated or other.frame.simulated:
            return None
        spread = max(run.repeats.spread or 0.0 for run in (self, other))
        return Difference(times, abs(self.seconds - other.seconds), spread)

    def beats(self, other: Run) -> bool:
        """Test whether it was clearly faster than another run."""
        difference = self.compare_to(other)
        return difference is not None and difference.clear and difference.times > 1

    def gained_by_waiting(self, other: Run) -> bool:
        """Test whether it gained time in which the other run was idle and this one was not, whoever had the CPUs.

        Only where tiles waited for their data in both, for somebody to see to others meanwhile.
        """
        gained, saved = other.seconds - self.seconds, other.idle_seconds - self.idle_seconds
        return bool(other.data_wait_seconds and self.data_wait_seconds) and gained > 0 and saved >= MOSTLY * gained

    @cached_property
    def gain(self) -> Gain | None:
        """Its gain over its baseline (1 over itself); None without one, where simulated and where nobody painted."""
        if self.base is None or self.frame.simulated or not self.workers:
            return None
        done, before = self.schedule.done_seconds, self.base.schedule.done_seconds
        speed_up, shared = self.stats.speed_up(self.base.stats), not self.stats.on_gpu
        return Gain(
            speed_up=speed_up,
            speed_up_with_start=before / done if done and before else None,
            efficiency=speed_up / self.workers if speed_up and shared else None,
            serial_fraction=schedule.serial_fraction(speed_up, self.workers) if shared else None,
        )

    @property
    def max_speed_up(self) -> int | None:
        """The most times as fast as one worker that it can be; None where waiting is saved too, or a GPU painted."""
        if self.stats.on_gpu or self.data_wait_seconds or (self.base is not None and self.base.data_wait_seconds):
            return None
        return min(self.workers, self.claims.allowed or self.workers)


def _is_time(value: object) -> bool:
    return type(value) in (int, float) and 0 <= value < float("inf")  # type: ignore[operator]


def name_takers(runs: Sequence[Run]) -> str:
    """Name all who may have had the CPU time that some of these runs were short of."""
    short = [run for run in runs if run.short_of_cpu]
    takers = {
        OTHERS: True,
        "the control group had no more to give": any(run.claims.quota for run in short),
        "threads waited for Python's lock (GIL)": any(run.may_have_waited_for_lock for run in short),
        "its files were packed on them": any(run.packed_files for run in short),
        "the cluster's own client and scheduler": any(run.in_cluster for run in short),
    }
    return ", or ".join(taker for taker, possible in takers.items() if possible)


Kind = TypeVar("Kind", bound=Run)


def pair_with_baseline(frames: Sequence[Frame], kind: type[Kind]) -> list[Kind]:
    """Make the runs of a race, each with its baseline; `kind`: Run, or a subclass that knows more."""
    by_frame = {id(frame): kind(frame) for frame in frames}
    for frame in frames:
        base = find_baseline(frame, frames)
        by_frame[id(frame)].base = None if base is None else by_frame[id(base)]
    return [by_frame[id(frame)] for frame in frames]


def build_runs(frames: Sequence[Frame]) -> list[Run]:
    """Make the runs of a race, each with its baseline."""
    return pair_with_baseline(frames, Run)
