"""What may be said of a run: the one place that decides it, for terminal, document, page and pictures alike.

Each sentence is carried by the run's trace, and what a run is called decides nothing:

* Of parallelism is said what CPU time carries (`render.cpu_time`). Workers that were at a tile at the same instant, but
  on hardly more than one CPU together (below `render.findings.evidence.PARALLEL`), were not parallel.
* A difference between two runs is told as one only where it is clear (`render.findings.schedule.Difference`). It is
explained
  only where both runs had the CPUs that they could have had, and it is no more than so many workers can bring.
* A run that lost is explained by what the trace shows: workers without a tile, CPUs shared, waiting; or not at all.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from render.findings import claims, schedule
from render.findings.claims import Claims
from render.findings.evidence import PARALLEL, SHORT, Run
from render.wording import count, in_words, listed, sentence, time

IDLE = 0.2  # of the time; workers that have no tile for so long explain why a run was slow
TOO_SHORT = 0.25  # seconds of one worker; below, starting and polling of tens of ms hide what a mode gains
FEW = 4  # workers that are told one by one
OTHERS = "other programs were using the CPUs"


def of(run: Run) -> list[str]:
    """All that is said of a run, as whole sentences."""
    if not run.stats.tiles:
        return ["No tile was painted."]
    claimed = claims.describe_claims(run.frame.trace)
    said = [
        *_describe_painting(run),
        *([claimed] if claimed else []),
        *_describe_waiting(run),
        *_compare_to_baseline(run),
        *_state_doubts(run),
    ]
    return [sentence(text) for text in said]


# --- what it did -------------------------------------------------------------------------------------------


def _describe_painting(run: Run) -> Iterator[str]:
    found, tiles, took = run.stats, count(run.stats.tiles, "tile"), time(run.seconds)
    if found.on_card:
        yield from _describe_gpu(run)
    elif run.juggles:
        yield f"one worker juggled {tiles} in {took}: up to {found.in_flight.max} were in flight, begun and not done"
        yield f"{count(found.switches, 'time')} it put one aside to go on with another. This is concurrency"
        yield "never were two painted at the same instant, for there was one worker"
    elif run.workers == 1:
        order = ", one after the other: never two in flight" if found.tiles > 1 else ""
        yield f"one worker painted {tiles} in {took}{order}"
    else:
        given = "" if found.on_cpu.mean is None else f", and {found.on_cpu.mean:.2f} on a CPU"
        were = "was" if found.running.max == 1 else "were"
        most = f"at most {found.running.max} {were} at a tile at the same instant"
        yield (
            f"{run.workers} workers painted {tiles} in {took} ({_tiles_each(run)}): {most}; on average "
            f"{found.running.mean:.2f} were at a tile{given}"
        )
        yield _judge_parallelism(run)


def _tiles_each(run: Run) -> str:
    """How many tiles each worker painted."""
    shares = run.tiles_by_worker
    if len(shares) > FEW:
        return f"from {min(shares)} to {max(shares)} each" if min(shares) < max(shares) else f"{shares[0]} each"
    return list_shares(shares)


def list_shares(shares: Sequence[int]) -> str:
    """How many tiles each worker painted, one by one."""
    return listed([f"{share} by worker {number}" for number, share in enumerate(shares)])


def _judge_parallelism(run: Run) -> str:
    """Whether several workers were parallel, and if not, what they were."""
    found, there = run.stats, run.claims
    if found.running.max < 2:
        return "never were two at a tile at the same instant: they took turns"
    if found.on_cpu.mean is None:
        return "how many had a CPU is not known, so nothing is said of parallelism"
    if not run.parallel and there.one_cpu:
        number = in_words(run.workers)
        return f"{number} workers, one CPU: they took turns. That is concurrency; parallelism needs a second CPU"
    crowded = there.allowed is not None and there.allowed < found.running.max
    shared = f"{run.workers} workers shared {_describe_granted(there)}. " if crowded else ""
    if not run.parallel:
        return f"{shared}That is not parallelism: {_why_not(run)}"
    if crowded:
        return f"{shared}This is parallelism of as many as had a CPU; the others waited for one"
    return "this is parallelism"


def _describe_granted(there: Claims) -> str:
    """The CPUs that a process may use, or as much of their time as a control group grants."""
    if there.quota is not None and there.allowed is not None and there.quota <= there.allowed:
        return "one CPU's worth of time" if there.quota == 1 else f"{there.quota:g} CPUs' worth of time"
    return count(there.allowed or 0, "CPU")


def _why_not(run: Run) -> str:
    """Why workers that were at a tile at the same instant were on hardly more than one CPU, if on that."""
    if run.holds_lock:
        return "their code is interpreted and holds Python's lock (GIL), so one thread runs at a time"
    if run.stats.running.mean < PARALLEL:
        return f"on average {'hardly more' if run.stats.running.mean >= 1 else 'less'} than one was at a tile"
    quota = run.claims.quota
    if quota is not None and quota < PARALLEL / SHORT:
        return f"a control group grants {_describe_granted(run.claims)} to all of them together"
    return f"all of them together had {run.stats.on_cpu.mean:.2f} CPUs on average"


def _describe_gpu(run: Run) -> Iterator[str]:
    """A graphics card's streams are queues. What its multiprocessors did is told where it was recorded."""
    found = run.stats
    who, tiles, took = count(run.workers, "stream"), count(found.tiles, "tile"), time(run.seconds)
    each = "" if run.workers == 1 else f" ({_tiles_each(run)})"
    if run.frame.simulated:
        yield f"a simulator stood for the graphics card: {who} painted {tiles}{each}"
        yield "who did what is true, how long it took means nothing; nothing is said of parallelism"
        return
    yield f"{who} of the graphics card painted {tiles} in {took}{each}; a stream is a queue"
    inside = found.multiprocessors
    if inside is not None:
        painted = count(inside.seen, "multiprocessor")
        told = f"inside the card {painted} did that painting, {inside.mean:.1f} at the same instant on average"
        yield f"{told}. This is parallelism" if inside.mean >= PARALLEL else told


def _describe_waiting(run: Run) -> Iterator[str]:
    if not run.waited_seconds:
        return
    told = f"its tiles waited {time(run.waited_seconds)} for {run.awaited_lock or 'their data'}, all of them added up"
    if run.idle_seconds >= run.waited_seconds * SHORT:
        yield f"{told}, and while they waited nobody painted: {time(run.idle_seconds)} of idle hands"
    else:
        beside = "they waited beside each other, or while another was painted"
        yield f"{told}; but {beside}, so nobody was at a tile for only {time(run.idle_seconds)}"


# --- what it gained ----------------------------------------------------------------------------------------


def _compare_to_baseline(run: Run) -> Iterator[str]:
    """How it did against its baseline, and why as far as the traces show it."""
    found, base = run.difference, run.base
    if found is None or base is None:
        return
    name, theirs, ours = base.frame.title, time(base.seconds), time(run.seconds)
    if not found.notable:
        yield f"it took about as long as {name} ({theirs} there, {ours} here){_explain_no_gain(run)}"
    elif not found.clear:
        more = f"the repeats differ among themselves by {time(found.spread)}, which is more"
        yield f"about the same as {name} ({theirs} there, {ours} here): {more}"
    else:
        told = f"{found.times:.2f} times as fast as" if found.times > 1 else "slower than"
        yield f"it was {told} {name}: {theirs} became {ours}{_explain_difference(run, base, found.times)}"


def _explain_difference(run: Run, base: Run, times: float) -> str:
    """Why a clear difference came about, or why nothing follows from it."""
    most = run.max_speed_up
    if most is not None and times > most * schedule.NOTABLE:
        can = f"{most} workers with a CPU each" if most > 1 else "one CPU" if run.workers > 1 else "one worker"
        return f"; that is more than {can} can bring, so something else held {base.frame.title} up: run it again"
    if run.gained_by_waiting(base):
        return _why_faster(run)
    if run.short_of_cpu or base.short_of_cpu:
        return f"; but {OTHERS}: run it again"
    if run.load is not None or base.load is not None:
        return "; but the machine had other work: run it again"
    if most is not None and times > most:
        return f", which is all that {count(most, 'worker')} can bring, and a little chance"
    return _why_faster(run) if times > 1 else _why_slower(run)


def _explain_no_gain(run: Run) -> str:
    if run.juggles and not run.data_wait_seconds:
        return ": nothing had to be waited for, so juggling had nothing to win"
    if run.juggles:
        return ": the time went into painting, not into waiting" if run.idle_seconds < IDLE * run.seconds else ""
    if run.awaited_lock and run.waited_seconds:
        return f": while one worker painted, the others waited for {run.awaited_lock}"
    if run.workers > 1 and run.claims.one_cpu and not run.data_wait_seconds:
        return ": what is painted by turns on one CPU takes as long as before"
    return ""


def _why_faster(run: Run) -> str:
    if run.stats.on_card:
        return "; a graphics card paints thousands of samples at once"
    painted = f"{run.stats.on_cpu.mean:.2f} CPUs painted on average" if run.parallel else ""
    if not run.data_wait_seconds and not (run.base and run.base.data_wait_seconds):
        return f", for {painted}" if painted else "; why, the traces do not tell"
    if run.juggles:
        return ", for while one tile waited, its worker saw to others"
    if run.workers > 1:
        return f", for while one worker waited, the others went on{f', and {painted}' if painted else ''}"
    return "; why, the traces do not tell"


def _why_slower(run: Run) -> str:
    idle = sum(run.stats.idle.values()) / (run.seconds * run.workers)
    allowed = run.claims.allowed
    if run.data_wait_seconds and run.idle_seconds > IDLE * run.seconds:
        return f", for nobody painted for {time(run.idle_seconds)}, while tiles waited"
    if not run.stats.on_card and idle > IDLE:
        who = "its workers" if run.workers > 1 else "its worker"
        return f", for {who} had no tile for {100 * idle:.0f} % of that time"
    if not run.stats.on_card and allowed is not None and run.workers > allowed:
        return f"; its {run.workers} workers shared {count(allowed, 'CPU')}"
    return "; why, the traces do not tell"


# --- what must be known before the figures are believed ----------------------------------------------------


def _state_doubts(run: Run) -> Iterator[str]:
    """That the CPUs were not there, and who had them."""
    mean = run.stats.on_cpu.mean
    if run.short_of_cpu and mean is not None:
        who = OTHERS + ", or its control group had no more to give" * (run.claims.quota is not None)
        who += ", or its threads waited for Python's lock (GIL)" * run.may_have_waited_for_lock
        could = f"{run.available_cpus:.2f} could have been had"
        yield f"it was given {mean:.2f} CPUs on average, where {could}; {who}: run it again"


def conclusions(entered: Sequence[Run]) -> list[str]:
    """What all runs show together, as whole sentences; of a single draw, only what casts doubt on it."""
    alike = [run for run in entered if run.frame.sha256 == entered[0].frame.sha256]
    real = [run for run in alike if run.stats.tiles and not run.frame.simulated]
    said = [*_fastest_of_each(real), *_warn_single_runs(real), *_warn_small_frame(entered), *_warn_load(real)]
    return [sentence(text) for text in said]


def _fastest_of_each(entered: Sequence[Run]) -> Iterator[str]:
    """Who was fastest of those that wait as long for their data."""
    waits = list(dict.fromkeys(run.frame.request.wait_ns for run in entered))
    for wait in waits:
        runs = [run for run in entered if run.frame.request.wait_ns == wait]
        among = f" of those that wait {time(wait / 1e9)}" if wait else " of those that do not wait"
        if len(runs) > 1:
            yield from _name_fastest(runs, among if len(waits) > 1 else "")


def _name_fastest(entered: Sequence[Run], among: str) -> Iterator[str]:
    """Who was fastest, and who was about as fast."""
    best = min(entered, key=lambda run: run.seconds)
    near = [run for run in entered if run is not best and not best.beats(run)]
    told = f"fastest{among}: {best.frame.title}, {time(best.seconds)}"
    if near:
        yield f"{told}; about the same, as far as this can tell: {listed([run.frame.title for run in near])}"
    elif best.difference is not None and best.base is not None:
        doubt = f"; but {OTHERS}" if best.short_of_cpu or best.base.short_of_cpu else ""
        yield f"{told}, where {best.base.frame.title} took {time(best.base.seconds)}{doubt}"
    else:
        yield told


def _warn_small_frame(entered: Sequence[Run]) -> Iterator[str]:
    alone = [run.base.seconds for run in entered if run.base]
    if alone and alone[0] < TOO_SHORT:
        yield (
            f"this frame is too small to show the lesson: one worker needs {time(alone[0])} for it; take a larger one, "
            "or more samples"
        )


def _warn_load(entered: Sequence[Run]) -> Iterator[str]:
    loaded = next((run for run in entered if run.load is not None), None)
    if loaded is not None:
        machine = count(loaded.claims.machine or 0, "CPU")
        told = f"the load was {loaded.load:.1f} before it began, on a machine of {machine}"
        yield f"{told}: others may have used them, so run it again"


def _warn_single_runs(entered: Sequence[Run]) -> Iterator[str]:
    if len(entered) > 1 and all(run.repeats.spread is None for run in entered):
        yield "each ran once, so chance may have had a part in what differs: --repeat tells more"
