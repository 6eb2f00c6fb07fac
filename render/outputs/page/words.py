"""What a learner is told beneath a run: sentences of the lesson, each computed from the trace that it stands under.

A chef and a kitchen, one stage or many: what a run is called decides nothing, only what its trace shows.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from render.outputs.page.runs import Run
from render.outputs.table import NOTABLE
from render.wording import count, listed

NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
FEW = 4  # workers that are told one by one
TWO_LEVELS = (
    "the workers of a graphics card are its streams, and streams are queues: into each the computer puts one tile "
    "after the other. It is the multiprocessors that paint: each takes pieces of whatever tiles have come to the head "
    "of their queues. These are two views of the same work, so the one is never added to the other."
)
CONCURRENCY, PARALLELISM = "This is concurrency.", "This is parallelism."


def image(run: Run) -> tuple[str, str]:
    """The run in two images: a kitchen, and a theatre."""
    workers, most = len(run.found.busy), run.found.running.max
    if not run.found.tiles:
        return "Nobody cooked.", "Nothing was played."
    if run.card:
        return "A canteen kitchen: thousands of hands.", "A stadium: thousands of players in every scene."
    if most > 1:
        number = in_words(workers)
        return f"{number.capitalize()} chefs, each with a stove.", f"{number.capitalize()} stages, a play on each."
    if workers > 1:
        return "Several chefs who share one stove.", "Several troupes, one stage: never two at once."
    if run.juggles:
        flying = in_words(run.found.in_flight.max)
        return f"One chef, {flying} dishes on the go.", f"One stage, scenes of {flying} plays in turn."
    return "One chef, one dish after the other.", "One stage, one play after the other."


def caption(run: Run, base: Run | None) -> list[str]:
    """The sentences about one run. `base`: the sequential run beside it, or None."""
    if not run.found.tiles:
        return ["No tile was painted."]
    return [_painted(run), _at_once(run), *_within(run), *_waiting(run), *_gain(run, base), *_doubts(run)]


def _painted(run: Run) -> str:
    tiles, took = count(run.found.tiles, "tile"), clock(run.length)
    if run.alone:
        return f"1 worker painted {'the' if run.found.tiles == 1 else 'all'} {tiles} in {took}."
    workers = len(run.found.busy)
    who = f"{workers} streams of the graphics card" if run.card else f"{workers} workers"
    shares = [run.shares[worker] for worker in run.workers]
    if workers > FEW:
        each = f"from {min(shares)} to {max(shares)} each" if min(shares) < max(shares) else f"{shares[0]} each"
        return f"{who} painted {tiles} in {took}, {each}."
    return f"{who} painted {tiles} in {took}: {by_worker(shares)}."


def by_worker(shares: Sequence[int]) -> str:
    """How many tiles each worker painted."""
    return listed([f"{share} by worker {number}" for number, share in enumerate(shares)])


def _at_once(run: Run) -> str:
    found = run.found
    if found.running.max > 1:
        return f"Two tiles or more were painted at the same instant {when_together(run)}. {PARALLELISM}"
    if run.juggles:
        return (
            f"Up to {found.in_flight.max} tiles were in flight, begun and not done; {count(found.switches, 'time')} it "
            f"put one aside to go on with another. {CONCURRENCY} Yet never were two painted at the same instant: "
            "it has one pair of hands."
        )
    if run.card and not run.frame.simulated:
        return (
            "No two tiles at once; but inside the card thousands of samples of a tile are, and these lanes show tiles."
        )
    if run.alone:
        return "It began a tile only when the one before was done: never two in flight, never two running."
    return "Yet at no instant were two of them painting: they took turns."


def _within(run: Run) -> Iterator[str]:
    """The other level of a card, where it was recorded."""
    found = run.found.multiprocessors
    if found is not None:
        painted = count(found.seen, "multiprocessor")
        yield f"Inside the card {painted} did that painting, {found.mean:.1f} at the same instant on average."


def when_together(run: Run) -> str:
    """How long two tiles or more were painted at once, and from when to when."""
    times = run.together
    spent = sum(t1 - t0 for t0, t1 in times)
    if len(times) == 1:
        return f"from {clock(times[0][0])} to {clock(times[0][1])}"
    return f"for {clock(spent)} in all, first at {clock(times[0][0])} and last until {clock(times[-1][1])}"


def _waiting(run: Run) -> Iterator[str]:
    if not run.waited:
        return
    told = f"Its tiles waited {clock(run.waited)} for their data, all of them added up"
    if run.resting < run.waited * 0.9:
        yield f"{told}; but while one waited another was painted, so nobody was painting for only {clock(run.resting)}."
    else:
        yield f"{told}, and while they waited nobody was painting: {clock(run.resting)} of idle hands."


def _gain(run: Run, base: Run | None) -> Iterator[str]:
    gain = gained(run, base)
    if gain is None or base is None:
        return
    name, took = base.frame.title, f"{clock(base.length)} became {clock(run.length)}"
    if run.alone and 1 / NOTABLE < gain < NOTABLE:
        yield f"It was no faster than {name} ({clock(base.length)} there, {clock(run.length)} here): {_no_gain(run)}."
    elif gain <= 1:
        yield f"It was slower than {name}: {took}."
    elif run.alone and run.juggles and run.waited:
        yield f"It was {gain:.2f} times as fast as {name}, with one worker too: several tiles waited at once."
    elif run.alone:
        yield f"It was {gain:.2f} times as fast as {name}: {took}."
    else:
        yield f"It was {gain:.2f} times as fast as {name}: {took}{_most(run, gain)}."


def _most(run: Run, gain: float) -> str:
    workers = len(run.found.busy)
    if gain > workers or run.waited or run.card:
        return ""
    return f" ({workers} workers could make it {workers} times as fast at most)"


def _no_gain(run: Run) -> str:
    return "the time went into painting, not into waiting" if run.waited else "nothing had to be waited for"


def _doubts(run: Run) -> Iterator[str]:
    """What must be known before the figures are believed."""
    if run.frame.simulated:
        yield "A simulator stood for the graphics card: who did what is true, how long it took means nothing."
    cpus = run.frame.trace.facts.get("cpus")
    used = run.found.running.max
    if isinstance(cpus, int) and cpus < used and not run.card:
        yield (
            f"But this process may use only {count(cpus, 'CPU')}, so the system let the workers take turns on it: "
            f"their spans overlap, and no more than {cpus} really painted at an instant."
        )


def gained(run: Run, base: Run | None) -> float | None:
    """How many times as fast as the sequential run beside it; None where that says nothing."""
    if base is None or base is run or run.frame.simulated or base.frame.simulated:
        return None
    return run.found.speed_up(base.found)


def in_words(number: int) -> str:
    """Small numbers as words."""
    return NUMBERS[number] if number < len(NUMBERS) else str(number)


def tick(ns: int) -> str:
    """A round time, without the digits that say nothing."""
    number, unit = clock(ns).split()
    return f"{float(number):g} {unit}"


def clock(ns: int) -> str:
    """A time to three digits, in the unit that suits it."""
    for size, unit in ((10**9, "s"), (10**6, "ms"), (10**3, "µs")):
        if ns >= size:
            digits = 2 if ns < 10 * size else 1 if ns < 100 * size else 0
            return f"{ns / size:.{digits}f} {unit}"
    return f"{ns} ns" if ns else "0 s"
