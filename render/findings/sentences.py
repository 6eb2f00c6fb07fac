"""The sentences about a run: the one place that decides them, for terminal, document, page and pictures alike.

Each sentence is carried by the run's trace, and what a run is called decides nothing:

* Parallelism is judged by CPU time (`render.cpu_time`). Workers that were at a tile at the same instant, but
  on hardly more than one CPU together (below `render.findings.evidence.PARALLEL`), were not parallel.
* A difference between two runs counts as one only where it is clear (`render.findings.schedule.Difference`). It is
  explained only where both runs had the CPUs that they could have had, and it is no more than that many workers can
  bring.
* A run that lost is explained by what the trace shows: workers without a tile, CPUs shared, waiting; or not at all.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from render.findings import claims, films, schedule
from render.findings.claims import Claims
from render.findings.evidence import MOSTLY, PARALLEL, SHORT, Run
from render.findings.incidents import describe_incidents
from render.wording import as_sentence, count, format_time, in_words, join_words

IDLE = 0.2  # of the time; workers that have no tile for so long explain why a run was slow
TOO_SHORT = 0.25  # seconds of one worker; below, starting and polling of tens of ms hide what a mode gains
FEW = 4  # workers that are listed one by one


def of(run: Run) -> list[str]:
    """List all sentences about a run."""
    happened = [as_sentence(text) for text in describe_incidents(run.frame.trace)]
    if not run.stats.tiles:
        return ["No tile was painted.", *happened]
    if films.is_film(run.frame.trace):
        return [*films.describe_film(run.frame.trace), *happened]
    texts = [
        *_describe_painting(run),
        *claims.describe_missing_workers(run.frame.trace),
        *_describe_clocks(run),
        *_describe_slabs(run),
        *_describe_waiting(run),
        *_compare_to_baseline(run),
    ]
    return [*(as_sentence(text) for text in texts), *happened]


# --- what it did -------------------------------------------------------------------------------------------


def _describe_painting(run: Run) -> Iterator[str]:
    figures, tiles, took = run.stats, count(run.stats.tiles, "tile"), format_time(run.seconds)
    if figures.on_gpu:
        yield from _describe_gpu(run)
    elif run.juggles and run.workers == 1:
        aside = f"{count(figures.switches, 'time')} it put one aside to go on with another"
        yield f"one worker juggled {tiles} in {took}: {_count_in_flight(run)}; {aside}"
        yield "this is concurrency: with one worker, no two were painted at the same instant"
    elif run.workers == 1:
        order = ", one after the other: never two in flight" if figures.tiles > 1 else ""
        yield f"one worker painted {tiles} in {took}{order}"
    else:
        given = "" if figures.on_cpu.mean is None else f", and {figures.on_cpu.mean:.2f} on a CPU"
        did = "juggled" if run.juggles else "painted"
        who = f"{run.workers} workers{run.claims.describe_hosts()}"
        yield (
            f"{who} {did} {tiles} in {took} ({_tiles_each(run)}): on average "
            f"{figures.running.mean:.2f} were at a tile (at most {figures.running.max}){given}"
        )
        if run.juggles:
            yield f"{_count_in_flight(run)}. This is concurrency"
        yield _judge_parallelism(run)


def _describe_clocks(run: Run) -> Iterator[str]:
    """Say how well the clocks of several hosts were tied together."""
    if run.claims.hosts > 1 and run.claims.machines is not None:
        yield f"their clocks were tied to one, and no time is wrong by more than {format_time(run.claims.clock_error)}"


def _describe_slabs(run: Run) -> Iterator[str]:
    """Say what became of an order that a frame in slabs cannot keep as a whole."""
    slabs, order = run.frame.trace.facts.get("slabs"), run.frame.request.order
    if type(slabs) is int and slabs > 1 and order != "rows" and run.stats.tiles > 1:
        yield f"it was painted in {slabs} slabs from the top, and order {order} held within each"


def _count_in_flight(run: Run) -> str:
    """Say how many tiles were in flight, and how many of them waited."""
    waiting = run.stats.waiting.max
    what = f"up to {run.most_juggled} of one worker" if run.workers > 1 else "started but not finished"
    aside = f", up to {waiting} of them waiting" if waiting and not run.awaited_lock else ""
    return f"up to {run.stats.in_flight.max} were in flight ({what}){aside}"


def _tiles_each(run: Run, who: str = "worker") -> str:
    """Say how many tiles each worker painted: the range, where there are many workers."""
    shares = run.tiles_by_worker
    if len(shares) > FEW:
        return f"from {min(shares)} to {max(shares)} each" if min(shares) < max(shares) else f"{shares[0]} each"
    return list_shares(shares, who)


def list_shares(shares: Sequence[int], who: str = "worker") -> str:
    """List how many tiles each worker painted, one by one."""
    return join_words([f"{share} by {who} {number}" for number, share in enumerate(shares)])


PARALLEL_AT_TIMES = "This is parallelism while they paint; at other times they were idle"


def _judge_parallelism(run: Run) -> str:
    """Say whether several workers were parallel, and if not, what they were."""
    figures, available = run.stats, run.claims
    if figures.running.max < 2:
        return "no two were at a tile at the same instant: they took turns"
    if figures.on_cpu.mean is None:
        return "it is not known how many had a CPU, so nothing follows about parallelism"
    if not (run.parallel or run.parallel_at_times) and available.one_cpu:
        concurrency = "" if run.juggles else "That is concurrency; "  # of one that juggles it has been said
        second = as_sentence(f"{concurrency}parallelism needs a second CPU").rstrip(".")
        return f"{in_words(run.workers)} workers, one CPU: they took turns. {second}"
    crowded = available.allowed is not None and available.allowed < figures.running.max
    shared = f"{run.workers} workers shared {_describe_granted(available)}. " if crowded else ""
    if not run.parallel:
        return shared + (PARALLEL_AT_TIMES if run.parallel_at_times else f"That is not parallelism: {_why_not(run)}")
    if crowded:
        return f"{shared}This is parallelism of as many as had a CPU; the others waited for one"
    return "this is parallelism"


def _describe_granted(available: Claims) -> str:
    """Name the CPUs that a process may use, or as much of their time as a control group grants."""
    if available.quota is not None and available.allowed is not None and available.quota <= available.allowed:
        return "one CPU's worth of time" if available.quota == 1 else f"{available.quota:g} CPUs' worth of time"
    return count(available.allowed or 0, "CPU")


def _why_not(run: Run) -> str:
    """Explain why workers that were at a tile at the same instant had hardly more than one CPU together."""
    if run.holds_lock:
        return "their code is interpreted and holds Python's lock (GIL), so one thread runs at a time"
    if not run.overlaps:
        return f"on average {'hardly more' if run.stats.running.mean >= 1 else 'less'} than one was at a tile"
    quota = run.claims.quota
    if quota is not None and quota < PARALLEL / SHORT:
        return f"a control group grants {_describe_granted(run.claims)} to all of them together"
    return f"together they had {run.stats.on_cpu.mean:.2f} CPUs on average"


def _describe_gpu(run: Run) -> Iterator[str]:
    """Describe the run of a GPU: its streams are queues; its multiprocessors paint, where that was recorded."""
    figures = run.stats
    who, tiles, took = count(run.workers, "stream"), count(figures.tiles, "tile"), format_time(run.seconds)
    each = "" if run.workers == 1 else f" ({_tiles_each(run, 'stream')})"
    if run.frame.simulated:
        yield f"a simulator stood for the graphics card: {who} painted {tiles}{each}"
        yield "who painted what is real, the times mean nothing; nothing follows about parallelism"
        return
    flying = f", and up to {figures.in_flight.max} were in flight" if figures.in_flight.max > 1 else ""
    yield f"{who} of the graphics card painted {tiles} in {took}{each}; a stream is a queue{flying}"
    inside = figures.multiprocessors
    if inside is not None:
        painted = count(inside.seen, "multiprocessor")
        text = f"inside the card {painted} did that painting, {inside.mean:.1f} at the same instant on average"
        yield f"{text}. This is parallelism" if inside.mean >= PARALLEL else text


def _describe_waiting(run: Run) -> Iterator[str]:
    if not run.waited_seconds:
        return
    text = f"its tiles waited {format_time(run.waited_seconds)} in all for {run.awaited_lock or 'their data'}"
    idle = f"nobody painted for {format_time(run.idle_seconds)}"
    if run.idle_seconds >= run.waited_seconds * SHORT:
        yield f"{text}, and {idle}"
    else:
        yield f"{text}, but side by side or while another was painted: {idle}"


# --- what it gained ----------------------------------------------------------------------------------------


def _compare_to_baseline(run: Run) -> Iterator[str]:
    """Compare a run with its baseline, and explain the difference as far as the traces show it."""
    difference, base = run.difference, run.base
    if difference is None or base is None:
        return
    name, took = base.frame.title, format_time(base.seconds)
    if not difference.notable:
        yield f"it took about as long as {name} ({took}){_explain_no_gain(run)}"
    elif not difference.clear:
        yield f"about the same as {name} ({took}): the repeats differ by more, {format_time(difference.spread)}"
    else:
        speed = f"{difference.times:.2f} times as fast as" if difference.times > 1 else "slower than"
        yield f"it was {speed} {name} ({took}){_explain_difference(run, base, difference.times)}"


def _explain_difference(run: Run, base: Run, times: float) -> str:
    """Explain a clear difference, or say why nothing follows from it."""
    most = run.max_speed_up
    if most is not None and times > most * schedule.NOTABLE:
        can = f"{most} workers with a CPU each" if most > 1 else "one CPU" if run.workers > 1 else "one worker"
        return f"; that is more than {can} can bring, so something else held {base.frame.title} up: run it again"
    if run.gained_by_waiting(base):
        return _why_faster(run)
    if run.short_of_cpu or base.short_of_cpu:
        return f"; but {'it' if run.short_of_cpu else base.frame.title} was short of CPU time"
    if run.load is not None or base.load is not None:
        return "; but the machine had other work"
    if most is not None and times > most:
        return f", which is all that {count(most, 'worker')} can bring, give or take chance"
    return _why_faster(run) if times > 1 else _why_slower(run, base)


def _explain_no_gain(run: Run) -> str:
    if run.juggles and not run.data_wait_seconds:
        return ": with nothing to wait for, juggling has nothing to win"
    if run.juggles:
        return ": the time went into painting, not into waiting" if run.idle_seconds < IDLE * run.seconds else ""
    if run.awaited_lock and run.waited_seconds:
        return f": while one worker painted, the others waited for {run.awaited_lock}"
    if run.workers > 1 and run.claims.one_cpu and not run.data_wait_seconds:
        return ": taking turns on one CPU saves nothing"
    return ""


def _why_faster(run: Run) -> str:
    if run.stats.on_gpu:
        return "; a graphics card paints thousands of samples at once"
    painted = f"on average {run.stats.on_cpu.mean:.2f} CPUs painted" if run.parallel else ""
    if not run.data_wait_seconds and not (run.base and run.base.data_wait_seconds):
        return f", for {painted}" if painted else "; the traces do not show why"
    if run.juggles:
        return ", for while one tile waited, its worker went on with others"
    if run.workers > 1:
        return f", for while one worker waited, the others went on{f', and {painted}' if painted else ''}"
    return "; the traces do not show why"


def _why_slower(run: Run, base: Run) -> str:
    idle = sum(run.stats.idle.values()) / (run.seconds * run.workers)
    lost = run.seconds - base.seconds
    allowed = run.claims.allowed
    if run.data_wait_seconds and run.idle_seconds > IDLE * run.seconds:
        return f", for nobody painted for {format_time(run.idle_seconds)}, while tiles waited"
    if not run.stats.on_gpu and idle > IDLE:
        who = "its workers" if run.workers > 1 else "its worker"
        return f", for {who} had no tile for {100 * idle:.0f} % of that time"
    if not run.stats.on_gpu and allowed is not None and run.workers > allowed:
        return f"; its {run.workers} workers shared {count(allowed, 'CPU')}"
    if run.workers == base.workers == 1:
        ours, theirs = (sum(one.stats.busy.values()) for one in (run, base))
        if run.idle_seconds - base.idle_seconds >= MOSTLY * lost:
            return f", for nobody was at a tile for {format_time(run.idle_seconds)}, between one slice and the next"
        if ours - theirs >= MOSTLY * lost:
            return f", for painting itself took {format_time(ours)}, where it took {format_time(theirs)} there"
    return "; the traces do not show why"
