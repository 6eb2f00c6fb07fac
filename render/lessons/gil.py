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
from render.findings.evidence import Run, build_runs, name_takers
from render.findings.explanation import CloseUp, Event
from render.findings.sentences import TOO_SHORT
from render.frame import Frame, are_identical
from render.runtime.kernel import Kernel
from render.wording import format_time, join_words

QUESTION = "Do threads of Python paint at the same instant?"
OPTIONS = frozenset({"workers"})
DEFAULTS: Mapping[str, Any] = {}
TERMS = {
    "The GIL": "is Python's global interpreter lock: one lock in each Python process. A thread must hold it to run "
    "Python code or to touch Python objects, so of all threads in a process one does so at a time. Compiled code that "
    "touches no Python objects may let go of it while it computes; then other threads go on. Each process has a GIL of "
    "its own, and free-threaded builds of Python have none.",
}

HOLDERS = 3  # of the lock while one waits; more are left out

sound = are_identical


def entrants(given: Mapping[str, Any]) -> list[Entrant]:
    """Run one worker; threads that hold the GIL, and that drop it; processes. Raises UsageError for target python."""
    target = given.get("target")
    if target and not targets.load(str(target)).DROPS_GIL:
        raise UsageError(f"target {target} is Python, and always holds the GIL", "give --target simd or scalar")
    runs = [
        lessons.make_entrant("one thread", "sequential", given),
        lessons.make_entrant("threads (GIL held)", "parallel", given, _hold_gil, backend="threading"),
        lessons.make_entrant("threads (GIL dropped)", "parallel", given, backend="threading"),
        lessons.make_entrant("processes", "parallel", given, backend="loky"),
    ]
    runs[1] = runs[1]._replace(facts={**runs[1].facts, "waits_for": "the GIL"})
    return lessons.use_one_tile_size(runs, runs[1].request.tile)


def _hold_gil(kernel: Kernel) -> Kernel:
    from render.runtime.cpu.gil import hold_gil

    return hold_gil(kernel)


def enough(frames: Sequence[Frame]) -> bool:
    """Test whether the figures prove that it is the lock, or cannot: on one CPU, or under other load."""
    entered = build_runs(frames)
    return _proves_lock(entered) or entered[2].claims.allowed == 1 or entered[0].load is not None


def _proves_lock(entered: Sequence[Run]) -> bool:
    """Test whether threads without the lock were parallel, and faster than one thread and than those that hold it."""
    base, locked, dropped, _ = entered
    doubtful = dropped.load is not None or base.short_of_cpu or dropped.short_of_cpu or locked.parallel
    return dropped.parallel and not doubtful and dropped.beats(base) and dropped.beats(locked)


def follows(frames: Sequence[Frame]) -> Iterator[str]:
    """Say what each way of running gained over one thread, and what decides."""
    entered = base, locked, dropped, processes = build_runs(frames)
    share = 100 * locked.waited_seconds / (locked.workers * locked.seconds or 1)
    yield (
        f"{locked.workers} threads that hold the GIL while they paint: {_compare_runs(locked, base)}; each waited "
        f"{share:.0f} % of the time for the lock"
    )
    yield f"the same machine code in {dropped.workers} threads that drop it: {_compare_runs(dropped, base)}"
    started = [format_time(run.stats.seconds["start"]) for run in (processes, dropped)]
    yield (
        f"{processes.workers} processes, each with a GIL of its own: {_compare_runs(processes, base)}; they were ready "
        f"after {started[0]}, threads after {started[1]}"
    )
    yield _state_conclusion(entered)


def _compare_runs(run: Run, base: Run) -> str:
    """Compare a run with one thread, and say how many workers had a CPU."""
    difference, mean = run.compare_to(base), run.stats.on_cpu.mean
    speed = f"{difference.times:.2f} times" if difference and difference.clear else "about"
    took = f"{speed} as fast as one ({format_time(run.seconds)}, where one took {format_time(base.seconds)})"
    if run.stats.running.max < 2:
        return f"{took}, no two at the same instant"
    return took if mean is None else f"{took}, {mean:.2f} on a CPU on average"


def _state_conclusion(entered: Sequence[Run]) -> str:
    base, locked, dropped, _ = entered
    if _proves_lock(entered):
        return (
            "so it is not threads that hold Python back but the lock: code that computes for long without touching "
            "Python's objects should let go of it"
        )
    if dropped.claims.allowed == 1:
        return "this process may use one CPU, so nothing can gain by running at the same instant here"
    return f"nothing follows from it: {_explain_doubt(base, locked, dropped)}"


def _explain_doubt(base: Run, locked: Run, dropped: Run) -> str:
    """Say why the figures do not prove that it is the lock."""
    if base.short_of_cpu or dropped.short_of_cpu:
        return f"{name_takers([base, dropped])}, so run it again"
    if base.load is not None:
        return f"the load was {base.load:.1f} before it started, so run it again"
    if base.seconds < TOO_SHORT:
        return f"the frame is too small, for one thread needs {format_time(base.seconds)}; take a larger one"
    if dropped.beats(base) and not dropped.parallel:
        return "who had a CPU when is not known, or does not explain it"
    less = [f"{run.frame.title} ({format_time(run.seconds)})" for run in (base, locked) if not dropped.beats(run)]
    return f"{dropped.frame.title} is not clearly faster than {join_words(less)}, so run it again"


def close_up(frames: Sequence[Frame]) -> CloseUp | None:
    """Show how one thread waited while another held the lock: the longest such wait that ended in painting."""
    locked = frames[1]
    paint = locked.trace.of_kind("paint")
    before = {(span.worker, span.tile, span.t0): span for span in paint}
    waits = [span for span in locked.trace.of_kind("wait") if (span.worker, span.tile, span.t1) in before]
    beside = [(wait, [p for p in paint if p.worker != wait.worker and p.overlaps(wait)]) for wait in waits]
    met = [(wait, others) for wait, others in beside if others]
    if not met:
        return None
    wait, others = max(met, key=lambda pair: pair[0].t1 - pair[0].t0)
    number = {worker: place for place, worker in enumerate(locked.trace.workers)}
    me, last = number[wait.worker], others[-1]
    waited = format_time((wait.t1 - wait.t0) / 1e9)
    events = [Event(wait.t0, me, f"has tile {wait.tile}, and waits for the lock: without it no thread paints")]
    events += [Event(p.t0, number[p.worker], f"has the lock, and paints tile {p.tile}") for p in others[:HOLDERS]]
    events += [
        Event(last.t1, number[last.worker], f"has painted tile {last.tile}, and lets go of the lock"),
        Event(wait.t1, me, f"has the lock after {waited} of waiting, and paints tile {wait.tile}"),
    ]
    return CloseUp(1, "How one thread waited for the lock", tuple(sorted(events)))
