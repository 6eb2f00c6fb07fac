"""Lesson `wait`: where one worker who juggles wins, and where it cannot.

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
from render.frame import Frame, identical
from render.wording import count, time

QUESTION = "When is one worker who juggles faster than one who does not?"
OPTIONS = frozenset({"workers", "in_flight"})
DEFAULTS = {"wait": "150ms", "tile": (320, 240)}
WHO = (("sequential", "in sequence"), ("concurrent", "juggling"), ("parallel", "parallel"))

sound = identical


def entrants(asked: Mapping[str, Any]) -> list[Entrant]:
    """In sequence, juggling and parallel: without waiting, then with. Raises UsageError for a wait of nothing."""
    waiting = options.duration(asked["wait"])
    if not waiting:
        raise UsageError("lesson wait needs something to wait for", "leave --wait out, or give a time like 150ms")
    manners = {0: "no waiting", waiting: f"waits of {time(waiting / 1e9)}"}
    return [
        lessons.make_entrant(f"{who} ({manner})", mode, asked, wait=wait / 1e6)
        for wait, manner in manners.items()
        for mode, who in WHO
    ]


def enough(frames: Sequence[Frame]) -> bool:
    """Whether the figures carry that juggling wins where there is waiting, and there only; or cannot, with one tile."""
    plain, juggled, _, waited, hidden, _ = build_runs(frames)
    return waited.stats.tiles < 2 or (_juggling_won(hidden, waited) and not juggled.beats(plain))


def _juggling_won(hidden: Run, waited: Run) -> bool:
    """Whether juggling was clearly faster, and because its worker saw to other tiles while one waited."""
    return hidden.juggles and hidden.beats(waited) and hidden.gained_by_waiting(waited)


def follows(frames: Sequence[Frame]) -> Iterator[str]:
    """What juggling gained either way, and why it can gain no more than the waiting."""
    plain, juggled, _, waited, hidden, several = build_runs(frames)
    each = waited.frame.request.wait_ns / 1e9
    stood = [time(run.idle_seconds) for run in (plain, waited, hidden)]
    if juggled.beats(plain):
        won = "why it won, the traces do not tell, so run it again"
    else:
        won = f"there was nothing to win, for the worker in sequence stood idle for {stood[0]} only"
    yield (
        f"with nothing to wait for, {_compare_runs(juggled, plain)}: {won}; one worker never paints two tiles at once "
        f"(at most {juggled.stats.running.max} was painted at an instant)"
    )
    if _juggling_won(hidden, waited):
        meant = f"who juggles sees to other tiles meanwhile, and stood idle for {stood[2]}"
    else:
        meant = f"who juggles stood idle for {stood[2]}; {_explain_doubt(hidden, waited)}"
    yield (
        f"with {count(waited.stats.tiles, 'wait')} of {time(each)}, {_compare_runs(hidden, waited)}: in sequence the "
        f"worker stood idle for {stood[1]}; {meant}"
    )
    yield (
        f"it can win no more than the waiting: its one worker was at a tile for "
        f"{time(sum(hidden.stats.busy.values()))} of its {time(hidden.seconds)}"
    )
    yield _describe_several(several, hidden)


def _explain_doubt(hidden: Run, waited: Run) -> str:
    """Why the figures do not carry that juggling wins."""
    if waited.stats.tiles < 2:
        return "with one tile there is no other to see to meanwhile, so give a smaller --tile"
    if hidden.beats(waited):
        return "that alone does not explain what it won, so run it again"
    return "nothing is won clearly this time, so wait longer or run it again"


def _describe_several(several: Run, hidden: Run) -> str:
    """How several workers did that wait, each for its own tile, against one that juggles."""
    took = f"took {time(several.seconds)}{_describe_cpus(several)}"
    if several.workers < 2:
        return f"of the workers who wait patiently only one got a tile, and {took}: nothing follows about several"
    better = _rank_several(several, hidden)
    return f"{several.workers} workers who wait patiently, each for its own tile, {took}: {better}"


def _describe_cpus(run: Run) -> str:
    mean = run.stats.on_cpu.mean
    return "" if mean is None else f" ({mean:.2f} on a CPU on average)"


def _rank_several(several: Run, hidden: Run) -> str:
    if several.beats(hidden):
        return "more workers were faster still"
    return "juggling with one was faster" if hidden.beats(several) else "juggling with one was about as good"


def _compare_runs(run: Run, base: Run) -> str:
    found = run.compare_to(base)
    clear = f"{found.times:.2f} times as fast" if found and found.clear else "about the same"
    return f"juggling took {time(run.seconds)} and one tile after the other {time(base.seconds)}, {clear}"
