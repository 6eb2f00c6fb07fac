"""Lesson `gil`: why threads of Python may be parallel, and may not.

The same machine code paints the same frame in the same number of threads, twice: once each call holds Python's global
interpreter lock (GIL) while it paints, as code does that never learnt to let go, and once it drops it, as this program
does otherwise. Then in processes, of which each has a GIL of its own. One worker in sequence is the measure.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from render import claims, lessons, stats, targets
from render.engine import Entrant
from render.errors import UsageError
from render.frame import Frame, identical
from render.runtime.kernel import Kernel
from render.stats import Stats
from render.wording import time

QUESTION = "Do threads of Python paint at the same instant?"
OPTIONS = frozenset({"workers"})
DEFAULTS: Mapping[str, Any] = {}
NOTABLE = 1.1  # times as fast; less comes and goes from run to run

sound = identical


def entrants(asked: Mapping[str, Any]) -> list[Entrant]:
    """One worker; threads with the GIL held, and dropped; processes. Raises UsageError for target python."""
    target = asked.get("target")
    if target and not targets.load(str(target)).DROPS_GIL:
        raise UsageError(f"target {target} is Python, and always holds the GIL", "give --target simd or scalar")
    runs = [
        lessons.entrant("one thread", "sequential", asked),
        lessons.entrant("threads (GIL held)", "parallel", asked, _held, backend="threading"),
        lessons.entrant("threads (GIL dropped)", "parallel", asked, backend="threading"),
        lessons.entrant("processes", "parallel", asked, backend="loky"),
    ]
    runs[1] = runs[1]._replace(facts={**runs[1].facts, "waits_for": "the GIL"})
    return lessons.cut_alike(runs, runs[1].request.tile)


def _held(kernel: Kernel) -> Kernel:
    from render.runtime.cpu.held import held

    return held(kernel)


def follows(frames: Sequence[Frame]) -> Iterator[str]:
    """What each way of running them gained over one thread, and what decides."""
    base, held, dropped, processes = [stats.of(frame.trace) for frame in frames]
    waited = sum(span.t1 - span.t0 for span in frames[1].trace.of_kind("wait")) / 1e9
    share = 100 * waited / (len(held.busy) * held.seconds["tiles"] or 1)
    yield (
        f"{len(held.busy)} threads that hold the GIL while they paint: {_told(held, base)}; each waited "
        f"{share:.0f} % of the time for the lock"
    )
    yield f"the same machine code in {len(dropped.busy)} threads that drop it: {_told(dropped, base)}"
    yield (
        f"{len(processes.busy)} processes, each with a GIL of its own: {_told(processes, base)}; they were ready after "
        f"{time(processes.seconds['start'])}, threads after {time(dropped.seconds['start'])}"
    )
    yield _decides(base, held, dropped, claims.of(frames[2].trace).allowed)


def _told(found: Stats, base: Stats) -> str:
    most = found.running.max
    together = "never two at the same instant" if most < 2 else f"up to {most} at the same instant"
    return f"{found.speed_up(base) or 0.0:.2f} times as fast as one, {together}"


def _decides(base: Stats, held: Stats, dropped: Stats, allowed: int | None) -> str:
    if min(dropped.speed_up(held) or 0.0, dropped.speed_up(base) or 0.0) > NOTABLE:
        return (
            "so it is not threads that hold Python back but the lock: code that computes for long without touching "
            "Python's objects should let go of it"
        )
    if allowed == 1:
        return "this process may use one CPU, so nothing can gain by running at the same instant here"
    together = "let two paint at the same instant, but " if dropped.running.max > held.running.max else ""
    return f"dropping the lock {together}gained little here: the CPUs had other work, or the frame was too small"
