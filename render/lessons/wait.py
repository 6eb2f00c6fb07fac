"""Lesson `wait`: where one worker who juggles wins, and where it cannot.

The same frame twice: once every tile can be painted at once, and once each must first wait for its data, as a web
server waits for its database. One worker in sequence, one that juggles, several at the same instant.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from render import lessons, options, stats
from render.engine import Entrant
from render.errors import UsageError
from render.frame import Frame, identical
from render.stats import Stats
from render.wording import time

QUESTION = "When is one worker who juggles faster than one who does not?"
OPTIONS = frozenset({"workers", "in_flight"})
DEFAULTS = {"wait": "150ms", "tile": (320, 240)}
NOTABLE = 1.1  # times as fast; less comes and goes from run to run
WHO = (("sequential", "in sequence"), ("concurrent", "juggling"), ("parallel", "parallel"))

sound = identical


def entrants(asked: Mapping[str, Any]) -> list[Entrant]:
    """In sequence, juggling and parallel: without waiting, then with. Raises UsageError for a wait of nothing."""
    waiting = options.duration(asked["wait"])
    if not waiting:
        raise UsageError("lesson wait needs something to wait for", "leave --wait out, or give a time like 150ms")
    manners = {0: "no waiting", waiting: f"waits of {time(waiting / 1e9)}"}
    return [
        lessons.entrant(f"{who} ({manner})", mode, asked, wait=wait / 1e6)
        for wait, manner in manners.items()
        for mode, who in WHO
    ]


def follows(frames: Sequence[Frame]) -> Iterator[str]:
    """What juggling gained either way, and why it can gain no more than the waiting."""
    plain, juggled, _, waited, hidden, several = [stats.of(frame.trace) for frame in frames]
    whole, each = hidden.seconds["tiles"], frames[3].request.wait_ns / 1e9
    stood = [time(sum(found.idle.values())) for found in (plain, waited, hidden)]
    won = "yet it won" if (juggled.speed_up(plain) or 1) >= NOTABLE else "there was nothing to win"
    yield (
        f"with nothing to wait for, {_against(juggled, plain)}: {won}, for the worker in sequence stood idle for "
        f"{stood[0]} only, and one worker never paints two tiles at once (at most {juggled.running.max} running)"
    )
    yield (
        f"with {waited.tiles} waits of {time(each)}, {_against(hidden, waited)}: in sequence the worker "
        f"stood idle for {stood[1]}; who juggles paints another tile meanwhile, and stood idle for {stood[2]}"
    )
    yield (
        f"it can win no more than the waiting: its one worker painted for {time(sum(hidden.busy.values()))} of "
        f"its {time(whole)}"
    )
    better = "juggling with one was as good" if whole <= several.seconds["tiles"] else "more workers were faster still"
    yield (
        f"{len(several.busy)} workers who wait patiently, each for its own tile, took "
        f"{time(several.seconds['tiles'])} (up to {several.running.max} painting at the same instant): {better}"
    )


def _against(found: Stats, base: Stats) -> str:
    gain = found.speed_up(base) or 0.0
    ours, theirs = time(found.seconds["tiles"]), time(base.seconds["tiles"])
    return f"juggling took {ours} and one tile after the other {theirs}, {gain:.2f} times as fast"
