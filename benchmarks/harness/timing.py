"""How a group is measured: its cases take turns in one process, with a yardstick of the machine's speed between them.

A machine that others use as well is slower now and then, for a moment or for minutes, and never faster than it is. So
what one thread computes alone is timed by that thread's own CPU time, which runs only while the thread does; and cases
that are compared take turns (A B A B), and a turn is a few samples, not one, where they are short: then the
quickest tenth of many samples comes from moments in which nothing disturbed them. Where the machine is slower all the
time, the yardstick is too: a fixed piece of work that runs none of the program's code. Every sample is kept.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from harness.cases import Case, Once

Clock = Callable[[], int]  # nanoseconds

TURN = 0.02  # seconds of consecutive samples of one case, one sample at least
SHORT = 5e-4  # a work that takes less is repeated within a sample until it takes so long
LEAST, MOST = 2, 1000  # rounds
ENOUGH, SLOW = 2, 0.3  # samples of a pass, and seconds of a sample from which on one is enough
EDGE, MATRICES = 32, 400  # products of matrices that fit the first cache, some 0.4 ms
YARDS = 3  # samples of the yardstick before each turn


THREAD: Clock = time.thread_time_ns  # CPU time of the calling thread: what others do meanwhile does not count


@dataclass
class Series:
    """One case in one pass: samples in seconds; `repeats` of the work within each sample.

    failure: what the work raised; nothing of the pass counts then.
    """

    name: str
    warmup: float = 0.0
    repeats: int = 1
    samples: list[float] = field(default_factory=list)
    failure: Exception | None = None


class Measured(NamedTuple):
    """What was measured in one pass: the cases', the yardstick's samples, and how long a CPU was waited for.

    waited: the share of the measuring thread's time, waiting and running, in which others had the CPUs; None where the
    system does not tell.
    """

    series: list[Series]
    yardstick: list[float]
    waited: float | None


def timed(work: Callable[[], object], clock: Clock = time.perf_counter_ns) -> Once:
    """Make a work whose whole time counts, by the wall's clock unless told otherwise."""

    def once() -> float:
        t0 = clock()
        work()
        return (clock() - t0) / 1e9

    return once


def measure(cases: Sequence[Case], yardstick: Once, seconds: float, *, cold: bool = False) -> Measured:
    """Measure all cases in turn for about so many seconds.

    Each case runs once before that, which is kept apart as its warm-up. A case that has had more than its share of the
    time, and two samples, or one that takes long, lets the others go on without it; so does one that fails. cold: no
    warm-up, one round at least.
    """
    found = [Series(case.name) if cold else _warmed(case) for case in cases]
    least = 1 if cold else LEAST
    yardstick()
    yards: list[float] = []
    before = scheduled()
    share = seconds / len(cases)
    ends = time.perf_counter() + seconds
    for number in range(MOST):
        first = number % len(cases)
        for place in (*range(first, len(cases)), *range(first)):
            series = found[place]
            if series.failure is None and (
                len(series.samples) < _enough(series, cold=cold) or sum(series.samples) * series.repeats < share
            ):
                yards += (yardstick() for _ in range(YARDS))
                _turn(cases[place].once, series)
        if number + 1 >= least and time.perf_counter() > ends:
            break
    return Measured(found, yards, share_waited(before, scheduled()))


def scheduled() -> tuple[int, int] | None:
    """Return how long the calling thread had a CPU and how long it waited for one, in ns, as Linux counts it."""
    try:
        ran, waited, _ = Path("/proc/thread-self/schedstat").read_text(encoding="ascii").split()
    except (OSError, ValueError):
        return None
    return int(ran), int(waited)


def share_waited(before: tuple[int, int] | None, after: tuple[int, int] | None) -> float | None:
    """Return the share of a thread's time between two moments in which it waited for a CPU."""
    if before is None or after is None:
        return None
    ran, waited = after[0] - before[0], after[1] - before[1]
    return waited / (ran + waited) if ran > 0 else None


def _warmed(case: Case) -> Series:
    try:
        warmup = case.once() if case.warmup is None else case.warmup
        again = case.once() if warmup < TURN else warmup
    except Exception as error:  # noqa: BLE001  (a case that fails must not take the others with it)
        return Series(case.name, failure=error)
    return Series(case.name, warmup, max(1, round(SHORT / max(again, 1e-9))))


def _enough(series: Series, *, cold: bool) -> int:
    """Return how many samples of a pass there must be."""
    return 1 if cold or (series.samples and series.samples[0] * series.repeats > SLOW) else ENOUGH


def _turn(once: Once, series: Series) -> None:
    """Take consecutive samples of one case."""
    ends = time.perf_counter() + TURN
    try:
        while True:
            series.samples.append(sum(once() for _ in range(series.repeats)) / series.repeats)
            if time.perf_counter() > ends:
                break
    except Exception as error:  # noqa: BLE001  (a case that fails must not take the others with it)
        series.failure = error


# --- yardsticks: the machine's own speed --------------------------------------------------------------------


def core() -> Once:
    """One thread that multiplies small matrices: fma from the first cache, in NumPy's own library; its CPU time."""
    multiply = _products()
    multiply()
    return timed(multiply, THREAD)


def cores() -> Once:
    """Time as many threads as there are CPUs, each doing what `core` does."""
    from render import machine

    return together(machine.cpus())[0]


def together(threads: int) -> tuple[Once, ThreadPoolExecutor]:
    """So many threads at once, each doing what `core` does, and the pool that they live in."""
    pool, works = ThreadPoolExecutor(threads), [_products() for _ in range(threads)]

    def work() -> None:
        for done in [pool.submit(one) for one in works]:
            done.result()

    work()
    return timed(work), pool


@contextmanager
def busy_threads(threads: int) -> Iterator[Once]:
    """The same, with its threads ended afterwards."""
    once, pool = together(threads)
    try:
        yield once
    finally:
        pool.shutdown()


def interpreter() -> Once:
    """An interpreter that starts and does nothing."""
    return timed(lambda: subprocess.run([sys.executable, "-I", "-c", "pass"], check=True))


def none() -> Once:
    """For works whose clock is not this machine's: a GPU's kernels."""
    return lambda: 1.0


YARDSTICKS: Mapping[str, Callable[[], Once]] = {
    "core": core,
    "cores": cores,
    "interpreter": interpreter,
    "none": none,
}


def _products() -> Callable[[], Any]:
    import numpy as np

    left = np.full((MATRICES, EDGE, EDGE), 0.5)[:16]
    right = np.full((EDGE, EDGE), 1 / EDGE)
    out = np.empty_like(left)

    def multiply() -> None:
        for _ in range(MATRICES // 16):
            np.matmul(left, right, out=out)

    return multiply


def one_thread_libraries() -> dict[str, str]:
    """Settings of the environment that keep the libraries of NumPy from starting threads of their own."""
    names = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "BLIS_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
    return {name: "1" for name in names if name not in os.environ}
