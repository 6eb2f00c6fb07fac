"""The first screen: what the two words mean, the four ways to work as small replays, and one question to guess.

The ways are a table of two rows and two columns: one worker or several, each with one tile at a time or juggling. Each
of its cells is a run of the page; what stands in it is what that run's trace shows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from render.outputs.page.questions import compare_speed
from render.outputs.page.runs import Group, Run
from render.outputs.page.still import draw_lanes
from render.outputs.page.systems import SYSTEMS
from render.wording import count, escape_html, format_time, in_words, join_words

Cells = Mapping[tuple[bool, bool], Run]  # by (several workers, each juggles)
FEWEST = 3  # cells; fewer are no table
ROWS, COLUMNS = ("one worker", "several workers"), ("one tile at a time", "several tiles in turn")


def choose_cells(groups: Sequence[Group]) -> Cells:
    """Choose the runs of the group that shows most of the four ways, one with waiting first; none without FEWEST."""
    tables = [_sort_runs(group.runs) for group in groups]
    best = max(tables, key=lambda cells: (len(cells), _has_waits(cells)), default={})
    return best if len(best) >= FEWEST else {}


def _sort_runs(runs: Sequence[Run]) -> dict[tuple[bool, bool], Run]:
    cells: dict[tuple[bool, bool], Run] = {}
    for run in runs:
        if run.stats.tiles and not run.on_gpu:
            cells.setdefault(run.way, run)
    return cells


def _has_waits(cells: Cells) -> bool:
    return any(run.data_wait_seconds for run in cells.values())


def build_table(cells: Cells, runs: Sequence[Run]) -> str:
    """Build the HTML of the table; nothing without cells."""
    if not cells:
        return ""
    end = max(run.length for run in cells.values())
    heads = "".join(f'<th scope="col">{name}</th>' for name in COLUMNS)
    rows = "".join(
        f'<tr><th scope="row"><span>{name}</span></th>'
        + "".join(_build_cell((several, juggles), cells, runs, end) for juggles in (False, True))
        + "</tr>"
        for several, name in zip((False, True), ROWS, strict=True)
    )
    return (
        '<div class="four"><table class="ways"><caption class="unseen">Four ways to paint the same tiles</caption>'
        f"<thead><tr><td></td>{heads}</tr></thead><tbody>{rows}</tbody></table>"
        f'<p class="earned">{escape_html(" ".join(_draw_conclusions(cells)))}</p></div>'
    )


def _draw_conclusions(cells: Cells) -> Iterator[str]:
    """Say of the two words what these runs have shown."""
    juggler, several = cells.get((False, True)), [cells[way] for way in ((True, False), (True, True)) if way in cells]
    if juggler is not None:
        yield f"Concurrency is about structure: {juggler.frame.title} needs no second CPU for it."
    parallel = next((run for run in several if run.parallel), None)
    if parallel is not None:
        yield f"Parallelism is about execution: {parallel.frame.title} had several CPUs at work at the same instant."


def _build_cell(place: tuple[bool, bool], cells: Cells, runs: Sequence[Run], end: int) -> str:
    run, system = cells.get(place), SYSTEMS[place]
    like = f'<p class="like">like {escape_html(system.names)}</p>'
    if run is None:
        return f'<td><p class="verdict">No run of this kind is on this page.</p>{like}</td>'
    verdict, why = judge_run(run)
    return (
        f'<td data-run="{runs.index(run)}"><p class="way">'
        f'<a href="#run-{runs.index(run)}">{escape_html(run.frame.title)}</a></p>'
        f'<div class="live"></div>{draw_lanes(run, end)}'
        f'<p class="verdict"><b>{verdict}</b> {escape_html(why)}</p>{like}</td>'
    )


def judge_run(run: Run) -> tuple[str, str]:
    """Judge whether it was concurrent, parallel, both or neither, and say what in its trace shows it."""
    held, most, mean = run.stats.in_flight.max, run.stats.running.max, run.stats.on_cpu.mean
    if run.workers == 1:
        juggled = f"up to {in_words(held)} tiles in flight, never two painted at once."
        return ("Concurrent, not parallel:", juggled) if run.juggles else ("Neither:", "never two tiles in flight.")
    if most < 2:
        return "Not parallel:", f"up to {in_words(held)} in flight, never two at a tile at once."
    up_to = f"up to {in_words(held)} in flight, {in_words(most)} at a tile at once"
    if run.parallel:
        verdict = "Concurrent and parallel:" if run.juggles else "Parallel:"
        return verdict, f"{up_to}, {mean:.2f} on a CPU on average."
    if run.parallel_at_times:
        verdict = "Concurrent, and parallel at times:" if run.juggles else "Parallel at times:"
        return verdict, f"{up_to}; else they waited or were idle."
    if run.claims.one_cpu:
        return "Concurrent, not parallel:", f"{up_to}, but on one CPU: they took turns."
    given = "how many had a CPU is not known" if mean is None else f"but only {mean:.2f} on a CPU on average"
    return "Not shown to be parallel:", f"{up_to}, {given}."


def ask_bet(cells: Cells, runs: Sequence[Run]) -> dict[str, Any] | None:
    """Ask the question to guess: which of the runs finishes first, which guesses are right, and why; for the script.

    None where that would mean nothing, as for runs of a simulator.
    """
    entered = sorted(cells.values(), key=lambda run: run.seconds)
    if len(entered) < FEWEST or any(run.frame.simulated for run in entered):
        return None
    right = [run for run in entered if run is entered[0] or not entered[0].beats(run)]
    return {
        "question": _ask_first(entered),
        "runs": [runs.index(run) for run in entered],
        "right": [runs.index(run) for run in right],
        "times": [format_time(run.seconds) for run in entered],
        "answer": " ".join(_explain_first(entered, right, cells)),
        "end": max(run.length for run in entered),
    }


def _ask_first(entered: Sequence[Run]) -> str:
    wait = entered[0].frame.request.wait_ns
    waits = f"Each tile first waits {format_time(wait / 1e9)} for its data." if wait else "No tile has to wait."
    return f"All {in_words(len(entered))} paint the same tiles. {waits} Who finishes first?"


def _explain_first(entered: Sequence[Run], right: Sequence[Run], cells: Cells) -> Iterator[str]:
    """Explain who was first, and what juggling and more workers did to it."""
    names = join_words([run.frame.title for run in right])
    yield f"{names}{' were about equally fast, and first.' if len(right) > 1 else ' was first.'}"
    slow, juggler = cells.get((False, False)), cells.get((False, True))
    several = cells.get((True, False))
    if slow and juggler:
        yield f"One worker that juggled was {compare_speed(juggler, slow)} the one that did not."
    if slow and several:
        how = compare_speed(several, slow)
        yield f"{count(several.workers, 'worker').capitalize()}, one tile each, were {how} one."
    if slow and juggler and juggler.beats(slow) and juggler.gained_by_waiting(slow):
        yield "Juggling needs no second worker and no second CPU: it fills the time that tiles wait."
    elif slow and juggler and not juggler.data_wait_seconds and not juggler.beats(slow):
        yield "With nothing to wait for, juggling has no time to fill."
