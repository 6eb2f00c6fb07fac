"""The words for a run beside the sentences of `render.findings.sentences`: images, instants, times.

A chef and a kitchen, one stage or many: what a run is called decides nothing, only what its trace shows.
"""

from __future__ import annotations

from render.outputs.page.runs import Run
from render.wording import in_words

TWO_LEVELS = (
    "The workers of a graphics card are its streams, and streams are queues: into each the computer puts many tiles "
    "at once. It is the multiprocessors that paint: each takes square after square of these tiles, so a tile is on "
    "many of them, and many tiles are painted at the same instant. These are two views of the same work, so the one is "
    "never added to the other."
)


def describe_image(run: Run) -> tuple[str, str]:
    """Describe the run in two images: a kitchen, and a theatre."""
    if not run.stats.tiles:
        return "Nobody cooked.", "Nothing was played."
    if run.on_gpu and run.frame.simulated:
        return "A model of a canteen kitchen, worked by hand.", "A model of a stadium, played by hand."
    if run.on_gpu:
        return "A canteen kitchen: thousands of hands.", "A stadium: thousands of players in every scene."
    if run.workers > 1:
        return _describe_several(run, in_words(run.workers).capitalize())
    if run.juggles_alone:
        held = in_words(run.stats.in_flight.max)
        return f"One chef, {held} dishes on the go.", f"One stage, scenes of {held} plays in turn."
    more = " after the other" if run.stats.tiles > 1 else ""
    return f"One chef, one dish{more}.", f"One stage, one play{more}."


def _describe_several(run: Run, number: str) -> tuple[str, str]:
    """Describe several workers. A stove is a CPU, and so is a stage: who has none waits for one."""
    most, allowed = run.stats.running.max, run.claims.allowed
    each = f", {in_words(run.most_juggled)} dishes each" if run.juggles else ""
    scenes = f", scenes of {in_words(run.most_juggled)}" if run.juggles else ", a play"
    if most < 2:
        return f"{number} chefs{each}, never two at work at once.", f"{number} plays, never two at once."
    if run.stats.on_cpu.mean is None:
        return (
            f"{number} chefs{each}; how many had a stove is not known.",
            f"{number} plays; on how many stages is not known.",
        )
    if run.parallel and (allowed is None or most <= allowed):
        return f"{number} chefs{each}, each with a stove.", f"{number} stages{scenes} on each."
    if run.parallel:
        return (
            f"{number} chefs{each} share {in_words(allowed or 0)} stoves.",
            f"{number} plays, {in_words(allowed or 0)} stages.",
        )
    if run.parallel_at_times:
        how, where = "at work at once now and then", "at once now and then"
    elif run.claims.one_cpu:
        how, where = "one stove: they take turns", "one stage: they take turns"
    else:
        how, where = (f"about one {place} or less between them, on average" for place in ("stove", "stage"))
    return f"{number} chefs{each}, {how}.", f"{number} plays, {where}."


def describe_overlap(run: Run) -> str:
    """Say how long two workers or more were at a tile at once, and from when to when."""
    times = run.together
    spent = sum(t1 - t0 for t0, t1 in times)
    range_ = format_range(times[0][0], times[-1][1])
    return range_ if len(times) == 1 else f"on and off {range_}, {format_ns(spent)} in all"


def format_range(t0: int, t1: int) -> str:
    """Say from when to when, both in one unit: "from 0.00 to 1.39 s"."""
    last = format_ns(t1)
    digits, unit = len(last.split()[0].partition(".")[2]), last.split()[1]
    size = {"s": 10**9, "ms": 10**6, "µs": 10**3, "ns": 1}[unit]
    return f"from {t0 / size:.{digits}f} to {last}"


def format_tick(ns: int) -> str:
    """Format a round time, without the digits that say nothing."""
    number, unit = format_ns(ns).split()
    return f"{float(number):g} {unit}"


def format_ns(ns: int) -> str:
    """Format a time to three digits, in the unit that suits it."""
    for size, unit in ((10**9, "s"), (10**6, "ms"), (10**3, "µs")):
        if ns >= size:
            digits = 2 if ns < 10 * size else 1 if ns < 100 * size else 0
            return f"{ns / size:.{digits}f} {unit}"
    return f"{ns} ns" if ns else "0 s"
