"""Lesson `wait`: where one worker that juggles wins, and where it cannot.

The same frame twice: once every tile can be painted at once, and once each must first wait for its data, as a web
server waits for its database. One worker in sequence, one that juggles, several at the same instant.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from render import lessons, options
from render.engine import Entrant
from render.errors import UsageError
from render.findings.evidence import Run, build_runs
from render.findings.explanation import CloseUp, Event
from render.frame import Frame, are_identical
from render.trace import NO_TILE
from render.wording import count, format_time

QUESTION = "When is one worker who juggles faster than one who does not?"
OPTIONS = frozenset({"workers", "in_flight"})
DEFAULTS = {"wait": "150ms", "tile": (320, 240)}
TERMS = {
    "Waiting": "here means that a tile's data is not there yet, as a web server waits for its database. A timer stands "
    "for the database: waiting takes no CPU, and any number of tiles can wait at once.",
}
WHO = (("sequential", "in sequence"), ("concurrent", "juggling"), ("parallel", "parallel"))

sound = are_identical


def entrants(given: Mapping[str, Any]) -> list[Entrant]:
    """Run in sequence, juggling and parallel: without waiting, then with. Raises UsageError for no wait at all."""
    waiting = options.parse_duration(given["wait"])
    if not waiting:
        raise UsageError("lesson wait needs something to wait for", "leave --wait out, or give a time like 150ms")
    manners = {0: "no waiting", waiting: f"waits of {format_time(waiting / 1e9)}"}
    return [
        lessons.make_entrant(f"{who} ({manner})", mode, given, wait=wait / 1e6)
        for wait, manner in manners.items()
        for mode, who in WHO
    ]


def enough(frames: Sequence[Frame]) -> bool:
    """Test whether juggling wins with waiting and only there; or cannot, with one tile."""
    plain, juggled, _, waited, hidden, _ = build_runs(frames)
    return waited.stats.tiles < 2 or (_juggling_won(hidden, waited) and not juggled.beats(plain))


def _juggling_won(hidden: Run, waited: Run) -> bool:
    """Test whether juggling was clearly faster, and because its worker went on with other tiles while one waited."""
    return hidden.juggles and hidden.beats(waited) and hidden.gained_by_waiting(waited)


def follows(frames: Sequence[Frame]) -> Iterator[str]:
    """Say what juggling gained either way, and why it can gain no more than the waiting."""
    plain, juggled, _, waited, hidden, several = build_runs(frames)
    each = waited.frame.request.wait_ns / 1e9
    stood = [format_time(run.idle_seconds) for run in (plain, waited, hidden)]
    if juggled.beats(plain):
        won = "the traces do not show why it won, so run it again"
    else:
        won = f"there was nothing to win, for the worker in sequence was idle for only {stood[0]}"
    yield (
        f"with nothing to wait for, {_compare_runs(juggled, plain)}: {won}; one worker never paints two tiles at once "
        f"(at most {juggled.stats.running.max} was painted at an instant)"
    )
    if _juggling_won(hidden, waited):
        meant = f"the one that juggles went on with other tiles, and was idle for {stood[2]}"
    else:
        meant = f"the one that juggles was idle for {stood[2]}; {_explain_doubt(hidden, waited)}"
    yield (
        f"with {count(waited.stats.tiles, 'wait')} of {format_time(each)}, {_compare_runs(hidden, waited)}: in "
        f"sequence the worker was idle for {stood[1]}; {meant}"
    )
    yield (
        f"juggling can win no more than the waiting: its one worker was at a tile for "
        f"{format_time(sum(hidden.stats.busy.values()))} of its {format_time(hidden.seconds)}"
    )
    yield _describe_several(several, hidden)


def _explain_doubt(hidden: Run, waited: Run) -> str:
    """Say why the figures do not prove that juggling wins."""
    if waited.stats.tiles < 2:
        return "with one tile there is no other to go on with meanwhile, so give a smaller --tile"
    if hidden.beats(waited):
        return "that alone does not explain what it won, so run it again"
    return "nothing is won clearly this time, so wait longer or run it again"


def _describe_several(several: Run, hidden: Run) -> str:
    """Describe the run of several workers that wait, each for its own tile, beside the one that juggles."""
    mean = several.stats.on_cpu.mean
    took = f"took {format_time(several.seconds)}{'' if mean is None else f' ({mean:.2f} on a CPU on average)'}"
    if several.workers < 2:
        return f"of the workers that wait only one got a tile, and {took}: nothing follows about several"
    one = "juggling with one was faster" if hidden.beats(several) else "juggling with one was about as fast"
    better = "more workers were faster still" if several.beats(hidden) else one
    return f"{several.workers} workers that each wait for their own tile {took}: {better}"


def _compare_runs(run: Run, base: Run) -> str:
    difference = run.compare_to(base)
    clear = f"{difference.times:.2f} times as fast" if difference and difference.clear else "about the same"
    return f"juggling took {format_time(run.seconds)} and one tile after the other {format_time(base.seconds)}, {clear}"


EVENTS = 7


def close_up(frames: Sequence[Frame]) -> CloseUp | None:
    """Show how the juggling worker started: which waits ran beside each other, and what it painted meanwhile."""
    juggled = frames[4]
    spans = [span for span in juggled.trace.of_kind("wait", "paint") if span.tile != NO_TILE]
    waits = {span.tile: span for span in spans if span.kind == "wait"}
    events, painted = list[Event](), set[int]()
    for span in spans:
        if span.kind == "wait":
            events.append(Event(span.t0, 0, f"asks for the data of tile {span.tile}, and does not stay to wait"))
        elif span.tile not in painted and span.tile in waits:
            waited = format_time((waits[span.tile].t1 - waits[span.tile].t0) / 1e9)
            events.append(Event(span.t0, 0, f"paints tile {span.tile}, whose data came after {waited}"))
            painted.add(span.tile)
    if len(waits) < 2 or not painted:
        return None
    return CloseUp(4, "How the juggling worker started", tuple(events[:EVENTS]))
