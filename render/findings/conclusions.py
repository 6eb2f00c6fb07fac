"""Conclusions from all runs of a race: who was fastest, what juggling won where tiles wait, and what to doubt.

What makes figures doubtful is said once for all runs (`warn`), not with each of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from render.findings import films, stories
from render.findings.evidence import Run, name_takers
from render.findings.sentences import IDLE, TOO_SHORT
from render.findings.speed_up import describe_curve
from render.wording import as_sentence, count, format_time, join_words


def of(entered: Sequence[Run]) -> list[str]:
    """Conclude from the plain runs, then warn, in whole sentences; from a single draw nothing follows but doubts."""
    return [*name_fastest(entered), *warn(entered)]


def of_race(entered: Sequence[Run]) -> list[str]:
    """Conclude from the plain runs of a race, from those of each story, and say what to doubt in them."""
    told = (text for follows in tell_stories(entered).values() for text in follows)
    return [*name_fastest(entered), *told, *warn(entered)]


def name_fastest(entered: Sequence[Run]) -> list[str]:
    """Name the fastest of the plain runs, in a sentence for each time that tiles wait."""
    plain = [run for run in _real_runs(entered) if run.story is None]
    return [as_sentence(text) for text in _fastest_of_each(plain)]


def warn(entered: Sequence[Run]) -> list[str]:
    """Say what must be known before the figures are believed, once for all runs, in whole sentences."""
    real = _real_runs(entered)
    short = list(_warn_short_of_cpu([run for run in entered if not films.is_film(run.frame.trace)]))
    doubts = [*_state_cpus(real), *_warn_single_runs(real), *_warn_small_frame(entered), *(short or _warn_load(real))]
    return [as_sentence(text) for text in doubts]


def _real_runs(entered: Sequence[Run]) -> list[Run]:
    """Leave out runs with another picture than the first, without tiles, or of the simulator."""
    alike = [run for run in entered if run.frame.sha256 == entered[0].frame.sha256]
    return [run for run in alike if run.stats.tiles and not run.frame.simulated]


def _fastest_of_each(entered: Sequence[Run]) -> Iterator[str]:
    """Name the fastest of those that wait as long for their data."""
    waits = list(dict.fromkeys(run.frame.request.wait_ns for run in entered))
    for wait in waits:
        runs = [run for run in entered if run.frame.request.wait_ns == wait]
        among = f" of those that wait {format_time(wait / 1e9)}" if wait else " of those that do not wait"
        if len(runs) > 1:
            yield _name_fastest(runs, among if len(waits) > 1 else "")


def _name_fastest(entered: Sequence[Run], among: str) -> str:
    """Name the fastest run, and those about as fast."""
    best = min(entered, key=lambda run: run.seconds)
    near = [run for run in entered if run is not best and not best.beats(run)]
    text = f"fastest{among}: {best.frame.title}, {format_time(best.seconds)}"
    if near:
        return f"{text}; about the same: {join_words([run.frame.title for run in near])}"
    if best.difference is not None and best.base is not None:
        return f"{text}, where {best.base.frame.title} took {format_time(best.base.seconds)}"
    return text


# --- a story ------------------------------------------------------------------------------------------------


def tell_stories(entered: Sequence[Run]) -> dict[str, list[str]]:
    """Conclude from the runs of each story, in whole sentences, by its name."""
    sentences: dict[str, list[str]] = {}
    plain = [run for run in entered if run.story is None]
    for name in dict.fromkeys(run.story for run in entered):
        if name is not None:
            own = [run for run in entered if run.story == name and run.stats.tiles]
            curve = name == stories.CURVE
            sentences[name] = list(describe_curve(own) if curve else map(as_sentence, _tell_story(own, plain)))
    return sentences


def _tell_story(own: Sequence[Run], plain: Sequence[Run]) -> Iterator[str]:
    """Say what juggling won there, what it wins without waiting, and what several workers do."""
    alone = next((run for run in own if run.base is run), None)
    single = next((run for run in own if run is not alone and run.claims.asked == 1), None)
    several = [run for run in own if (run.claims.asked or 1) > 1]
    if alone is not None and single is not None:
        yield from _without_waiting(plain)
        yield _with_waiting(single, alone)
    patient = next((run for run in several if run.frame.request.in_flight == 1), None)
    if single is not None and patient is not None and patient.workers > 1:
        yield _against_patience(single, patient)
    if len(own) > 1:
        yield _name_fastest(own, " where tiles wait")


def _without_waiting(plain: Sequence[Run]) -> Iterator[str]:
    """Say what one juggling worker wins where nothing waits."""
    base = next((run for run in plain if run.base is run), None)
    single = next((run for run in plain if run is not base and run.juggles and run.workers == 1), None)
    if base is None or single is None or base.frame.simulated or single.stats.on_gpu:
        return
    times = f"{single.frame.title} took {format_time(single.seconds)}, {base.frame.title} {format_time(base.seconds)}"
    if single.beats(base):
        yield f"{times}, though nothing waited; the traces do not show why, so run it again"
    else:
        yield f"where nothing waits, juggling wins nothing: {times}"


def _with_waiting(single: Run, alone: Run) -> str:
    """Say what one juggling worker won over one that waits for each tile, as far as the traces carry it."""
    times = f"{single.frame.title} took {format_time(single.seconds)}, {alone.frame.title} {format_time(alone.seconds)}"
    if single.beats(alone) and single.juggles and single.gained_by_waiting(alone):
        return (
            f"where tiles wait, juggling wins: {times}. While one tile waited, its worker went on with others, and "
            f"was idle for {format_time(single.idle_seconds)} instead of {format_time(alone.idle_seconds)}"
        )
    return f"{times}: {_doubt_gain(single, alone)}"


def _doubt_gain(single: Run, alone: Run) -> str:
    """Say why the figures do not carry that juggling wins."""
    if not single.juggles and single.frame.request.in_flight == 1:
        return "it had one tile in flight at a time, so nothing was juggled"
    if alone.stats.tiles < 2:
        return "with one tile there is no other to go on with while it waits"
    if single.short_of_cpu or alone.short_of_cpu:
        return f"nothing follows, for {name_takers([single, alone])}: run it again"
    if alone.idle_seconds < IDLE * alone.seconds:
        return "the time went into painting, not into waiting, so juggling could win little; wait longer to see it"
    return "no clear difference, so run it again"


def _against_patience(single: Run, patient: Run) -> str:
    """Compare one worker that juggles with several that wait, each for its own tile."""
    who = f"{patient.workers} workers that each wait for their own tile took {format_time(patient.seconds)}"
    if single.beats(patient):
        return f"{who}: one worker that juggles was faster"
    if patient.beats(single):
        return f"{who}: that was faster than one worker that juggles"
    return f"{who}: one worker that juggles was about as fast"


# --- what must be known before the figures are believed ----------------------------------------------------


def _warn_small_frame(entered: Sequence[Run]) -> Iterator[str]:
    alone = [run.base.seconds for run in entered if run.base]
    if alone and alone[0] < TOO_SHORT:
        yield (
            f"this frame is too small to show the lesson: one worker needs {format_time(alone[0])}; take a larger "
            "one, or more samples"
        )


def _state_cpus(entered: Sequence[Run]) -> Iterator[str]:
    """State how many CPUs there were for several workers."""
    several = (run for run in entered if run.workers > 1 and not run.stats.on_gpu)
    yield from dict.fromkeys(text for run in several if (text := run.claims.describe_cpus()))


def _warn_short_of_cpu(entered: Sequence[Run]) -> Iterator[str]:
    """Name the runs that got less CPU time than was available, and what may have caused it."""
    short = [(run, run.stats.on_cpu.mean or 0.0) for run in entered if run.short_of_cpu]
    if not short:
        return
    got = [
        f"{run.frame.title} {'' if i else 'got '}{mean:.2f} of {run.available_cpus:.2f}"
        for i, (run, mean) in enumerate(short)
    ]
    yield f"{name_takers(entered)}: run it again. Of the CPUs available, {join_words(got)}"


def _warn_load(entered: Sequence[Run]) -> Iterator[str]:
    loaded = next((run for run in entered if run.load is not None), None)
    if loaded is not None:
        load = f"the load was {loaded.load:.1f} before the start, on {count(loaded.claims.machine or 0, 'CPU')}"
        yield f"{load}: other programs may have used them, so run it again"


def _warn_single_runs(entered: Sequence[Run]) -> Iterator[str]:
    if len(entered) > 1 and all(run.repeats.spread is None for run in entered):
        yield "each ran once, so small differences may be chance: add --repeat 5 to know more"
