"""The program as a library: the same options as on the command line, as keyword arguments."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from render import engine, lessons, modes, options, repeats
from render.engine import Race
from render.errors import UnknownName, UsageError
from render.frame import Frame
from render.request import Request

RACE = {"view": "seahorses", "samples": 16}  # a frame that takes one worker a second or more


def draw(**asked: Any) -> Frame:
    """Draw one picture: `render.draw(scene="mandelbrot", mode="parallel", size=(640, 360))`.

    The options are those of the command line (`render.options.DEFAULTS` lists them), parameters of the scene as
    `parameters={"zoom": 100}`. Gives a Frame: `frame.rgb` (height, width, 3) uint8, `frame.steps`, `frame.trace`.

    Raises UsageError for options that make no sense, ModeUnavailable where the mode cannot run here, TileError where a
    tile fails.
    """
    return engine.draw(options.complete(**asked))


def race(names: Sequence[str] = (), **asked: Any) -> Race:
    """Draw the same picture in several modes: all that there are, or those of these `names`.

    Each option goes to the modes that it belongs to. All modes run in turn, `repeat` times (as `render.repeats` says
    where it is left out). Gives a Race: `result.frames`, `result.not_run`, `result.identical`. Raises as `draw` does,
    but a mode that cannot run here is only noted.
    """
    rounds = repeats.wanted(asked.pop("repeat", None))
    return engine.race(entrants(asked, names or modes.names()), rounds=rounds)


def lesson(name: str, **asked: Any) -> Race:
    """Give a lesson: `render.lesson("gil")`. A race whose runs answer one question; `render.lessons` has them all.

    Gives a Race, as `race` does; `render.lessons.lines(name, result, 100)` tells what follows from it. Raises
    UnknownName, UsageError for an option that the lesson decides itself, and as `race` does.
    """
    return engine.race(lessons.begun(name, asked), rounds=lessons.rounds(name))


def entrants(asked: dict[str, Any], names: Sequence[str]) -> list[Request]:
    """One request for each mode, the same but for who draws; each option goes to the modes that it belongs to.

    Where nothing is said about what to draw, it is a frame large enough to show the lesson. Raises UsageError.
    """
    asked = {name: value for name, value in asked.items() if value is not None}
    if not any(asked.get(name) for name in ("scene", "view", "parameters")):
        asked = RACE | asked
    owned = {option for name in modes.names() for option in modes.load(name).OPTIONS}
    taken = {option for name in names for option in modes.load(name).OPTIONS}
    for option in sorted(owned - taken):
        if asked.get(option, options.OWN[option]) != options.OWN[option]:
            raise UsageError(
                f"{options.spelled(option)} means nothing in the modes {', '.join(names)}",
                "name a mode that takes it, or leave it out",
            )
    if asked.get("target") == "cuda":
        raise UsageError(
            "--target is for the modes of the CPU in a race", "leave it out: mode cuda has a target of its own"
        )
    made: list[Request] = []
    for name in dict.fromkeys(names):
        mode = modes.load(name)
        mine = {option: value for option, value in asked.items() if option not in owned or option in mode.OPTIONS}
        if mine.get("target") not in mode.TARGETS:
            mine.pop("target", None)
        made.append(options.complete(mode=name, **mine))
    tile = min((request.tile for request in made), key=lambda tile: tile[0] * tile[1])  # one cut for all
    made = [replace(request, tile=tile) for request in made]
    target = asked.get("target")
    if target and all(request.target != target for request in made):
        raise UnknownName("target of these modes", str(target), {request.target for request in made})
    return made
