"""What a learner is told about a run beside what `render.findings.sentences` says of it: images, instants, times.

A chef and a kitchen, one stage or many: what a run is called decides nothing, only what its trace shows.
"""

from __future__ import annotations

from render.outputs.page.runs import Run
from render.wording import in_words

TWO_LEVELS = (
    "the workers of a graphics card are its streams, and streams are queues: into each the computer puts one tile "
    "after the other. It is the multiprocessors that paint: each takes pieces of whatever tiles have come to the head "
    "of their queues. These are two views of the same work, so the one is never added to the other."
)
CONCURRENCY, PARALLELISM = "This is concurrency.", "This is parallelism."


def image(run: Run) -> tuple[str, str]:
    """The run in two images: a kitchen, and a theatre."""
    if not run.stats.tiles:
        return "Nobody cooked.", "Nothing was played."
    if run.card and run.frame.simulated:
        return "A model of a canteen kitchen, worked by hand.", "A model of a stadium, played by hand."
    if run.card:
        return "A canteen kitchen: thousands of hands.", "A stadium: thousands of players in every scene."
    if run.workers > 1:
        return _several(run, in_words(run.workers).capitalize())
    if run.juggles:
        flying = in_words(run.stats.in_flight.max)
        return f"One chef, {flying} dishes on the go.", f"One stage, scenes of {flying} plays in turn."
    more = " after the other" if run.stats.tiles > 1 else ""
    return f"One chef, one dish{more}.", f"One stage, one play{more}."


def _several(run: Run, number: str) -> tuple[str, str]:
    """A stove is a CPU, and so is a stage: who has none waits for one."""
    most, allowed = run.stats.running.max, run.claims.allowed
    if most < 2:
        return f"{number} chefs, never two at work at once.", f"{number} plays, never two at once."
    if run.stats.on_cpu.mean is None:
        return (
            f"{number} chefs; how many had a stove is not known.",
            f"{number} plays; on how many stages is not known.",
        )
    if run.parallel and (allowed is None or most <= allowed):
        return f"{number} chefs, each with a stove.", f"{number} stages, a play on each."
    if run.parallel:
        return (
            f"{number} chefs share {in_words(allowed or 0)} stoves.",
            f"{number} plays, {in_words(allowed or 0)} stages.",
        )
    if run.claims.one_cpu:
        return f"{number} chefs, one stove: they take turns.", f"{number} plays, one stage: they take turns."
    between = "or less between them, on average"
    return f"{number} chefs, about one stove {between}.", f"{number} plays, about one stage {between}."


def when_together(run: Run) -> str:
    """How long two workers or more were at a tile at once, and from when to when."""
    times = run.together
    spent = sum(t1 - t0 for t0, t1 in times)
    if len(times) == 1:
        return f"from {clock(times[0][0])} to {clock(times[0][1])}"
    return f"for {clock(spent)} in all, first at {clock(times[0][0])} and last until {clock(times[-1][1])}"


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
