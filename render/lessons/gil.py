"""Lesson `gil`: why threads of Python may be parallel, and may not.

The same machine code paints the same frame in the same number of threads, twice: once each call holds Python's global
interpreter lock (GIL) while it paints, as code does that never learnt to let go, and once it drops it, as this program
does otherwise. Then in processes, of which each has a GIL of its own. One worker in sequence is the measure.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from render import lessons, targets
from render.engine import Entrant
from render.errors import UsageError
from render.findings.evidence import Run, build_runs
from render.findings.sentences import OTHERS, TOO_SHORT
from render.frame import Frame, identical
from render.runtime.kernel import Kernel
from render.wording import listed, time

QUESTION = "Do threads of Python paint at the same instant?"
OPTIONS = frozenset({"workers"})
DEFAULTS: Mapping[str, Any] = {}

sound = identical


def entrants(asked: Mapping[str, Any]) -> list[Entrant]:
    """One worker; threads with the GIL held, and dropped; processes. Raises UsageError for target python."""
    target = asked.get("target")
    if target and not targets.load(str(target)).DROPS_GIL:
        raise UsageError(f"target {target} is Python, and always holds the GIL", "give --target simd or scalar")
    runs = [
        lessons.make_entrant("one thread", "sequential", asked),
        lessons.make_entrant("threads (GIL held)", "parallel", asked, _hold_gil, backend="threading"),
        lessons.make_entrant("threads (GIL dropped)", "parallel", asked, backend="threading"),
        lessons.make_entrant("processes", "parallel", asked, backend="loky"),
    ]
    runs[1] = runs[1]._replace(facts={**runs[1].facts, "waits_for": "the GIL"})
    return lessons.use_one_tile_size(runs, runs[1].request.tile)


def _hold_gil(kernel: Kernel) -> Kernel:
    from render.runtime.cpu.held import held

    return held(kernel)


def enough(frames: Sequence[Frame]) -> bool:
    """Whether the figures carry that it is the lock, or cannot: on one CPU, or where other programs had the CPUs."""
    entered = build_runs(frames)
    return _proves_lock(entered) or entered[2].claims.allowed == 1 or entered[0].load is not None


def _proves_lock(entered: Sequence[Run]) -> bool:
    """Whether threads that drop the lock proved to be parallel, and faster than one and than those that hold it."""
    base, held, dropped, _ = entered
    doubtful = dropped.load is not None or base.short_of_cpu or dropped.short_of_cpu or held.parallel
    return dropped.parallel and not doubtful and dropped.beats(base) and dropped.beats(held)


def follows(frames: Sequence[Frame]) -> Iterator[str]:
    """What each way of running them gained over one thread, and what decides."""
    entered = base, held, dropped, processes = build_runs(frames)
    share = 100 * held.waited_seconds / (held.workers * held.seconds or 1)
    yield (
        f"{held.workers} threads that hold the GIL while they paint: {_compare_runs(held, base)}; each waited "
        f"{share:.0f} % of the time for the lock"
    )
    yield f"the same machine code in {dropped.workers} threads that drop it: {_compare_runs(dropped, base)}"
    started = [time(run.stats.seconds["start"]) for run in (processes, dropped)]
    yield (
        f"{processes.workers} processes, each with a GIL of its own: {_compare_runs(processes, base)}; they were ready "
        f"after {started[0]}, threads after {started[1]}"
    )
    yield _state_conclusion(entered)


def _compare_runs(run: Run, base: Run) -> str:
    """How it did against one thread, and how many had a CPU."""
    found, mean = run.compare_to(base), run.stats.on_cpu.mean
    speed = f"{found.times:.2f} times as fast as one" if found and found.clear else "about as fast as one"
    took = f"{speed} ({time(base.seconds)} there, {time(run.seconds)} here)"
    if run.stats.running.max < 2:
        return f"{took}, never two at the same instant"
    return took if mean is None else f"{took}, {mean:.2f} on a CPU on average"


def _state_conclusion(entered: Sequence[Run]) -> str:
    base, held, dropped, _ = entered
    if _proves_lock(entered):
        return (
            "so it is not threads that hold Python back but the lock: code that computes for long without touching "
            "Python's objects should let go of it"
        )
    if dropped.claims.allowed == 1:
        return "this process may use one CPU, so nothing can gain by running at the same instant here"
    return f"nothing follows from it: {_explain_doubt(base, held, dropped)}"


def _explain_doubt(base: Run, held: Run, dropped: Run) -> str:
    """Why the figures do not carry that it is the lock."""
    if base.short_of_cpu or dropped.short_of_cpu:
        return f"{OTHERS}, so run it again"
    if base.load is not None:
        return f"the load was {base.load:.1f} before it began, so run it again"
    if base.seconds < TOO_SHORT:
        return f"the frame is too small, for one thread needs {time(base.seconds)}; take a larger one"
    if dropped.beats(base) and not dropped.parallel:
        return "who had a CPU when is not known, or does not explain it"
    less = [f"{run.frame.title} ({time(run.seconds)})" for run in (base, held) if not dropped.beats(run)]
    return f"{dropped.frame.title} is not clearly faster than {listed(less)}, so run it again"
