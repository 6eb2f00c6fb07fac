"""The program as a library: the same options as on the command line, as keyword arguments."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from html import escape
from typing import Any

from render import engine, lessons, like, modes, options, targets
from render.engine import Race
from render.errors import UnknownName, UsageError
from render.findings import repeats
from render.frontend.sessions import Session
from render.request import Request
from render.results import DrawnFrame

RACE = {"view": "seahorses", "samples": 16}  # a frame that takes one worker a second or more; `race --help` says so


class Lesson(Race):
    """The runs of a lesson: a race that tells what it asks and what follows."""

    @property
    def name(self) -> str:
        """Which lesson it is: "gil"."""
        return str(self.frames[0].trace.facts["lesson"])

    @property
    def question(self) -> str:
        """What it answers, in one line."""
        return lessons.load(self.name).QUESTION

    @property
    def follows(self) -> list[str]:
        """What its runs show, a sentence each, computed from their traces."""
        return list(lessons.load(self.name).follows(self.frames))

    def _repr_html_(self) -> str:
        """How a notebook shows it: the question and the answers, and below them the race."""
        answers = "".join(f"<li>{escape(answer)}</li>" for answer in self.follows)
        return f"<p><strong>{escape(self.question)}</strong></p><ul>{answers}</ul>{super()._repr_html_()}"


def draw(**asked: Any) -> DrawnFrame:
    """Draw one picture: `render.draw(scene="mandelbrot", mode="parallel", size=(640, 360))`.

    The options are those of the command line (`render.options.DEFAULTS` lists them), parameters of the scene as
    `parameters={"zoom": 100}`, and `like`, `at` and `closer`, which start from a saved picture (`render.like`). Gives a
    Frame: `frame.rgb` (height, width, 3) uint8, `frame.steps`, `frame.inside`, `frame.trace`; `frame.save("x.png")`
    saves it as whatever the name says.

    Raises UsageError for options that make no sense, ModeUnavailable where the mode cannot run here, TileError where a
    tile fails.
    """
    return engine.draw(options.complete(**like.applied(asked)))


def session(**asked: Any) -> Session:
    """Open a session, to draw many frames of one scene: `with render.session(size=(256, 256)) as s: s.draw()`.

    Takes the options of `draw`; see `render.frontend.sessions`. Raises as `draw` does.
    """
    return Session(**like.applied(asked))


def race(names: Sequence[str] = (), **asked: Any) -> Race:
    """Draw the same picture in several modes: all that there are, or those of these `names`.

    Each option goes to the modes that it belongs to. All modes run in turn, `repeat` times (as
    `render.findings.repeats` says where it is left out). Gives a Race: `result.frames`, `result.not_run`,
    `result.identical`, `result.save("r.html")`. Raises as `draw` does, but a mode that cannot run here is only noted.
    """
    rounds = repeats.parse_rounds(asked.pop("repeat", None))
    return engine.race(entrants(like.applied(asked), names or modes.names()), rounds=rounds)


def lesson(name: str, **asked: Any) -> Lesson:
    """Give a lesson: `render.lesson("gil")`. A race whose runs answer one question; `render.lessons` has them all.

    Its runs are repeated until the figures carry what it wants to show, or `repeat` times where that is said. Gives a
    Race, as `race` does, with `result.question` and `result.follows`, the answers. Raises UnknownName,
    UsageError for an option that the lesson decides itself, ModeUnavailable where one of its runs cannot be made here,
    and as `race` does.
    """
    rounds = repeats.parse_rounds(asked.pop("repeat", None), lessons.choose_rounds(name))
    result = engine.race(lessons.prepare_entrants(name, like.applied(asked)), rounds=rounds)
    return Lesson(result.frames, result.kind, result.not_run)


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
    target = asked.get("target")
    if target and targets.load(str(target)).KIND != "cpu":
        raise UsageError(
            "--target is for the modes of the CPU in a race", "leave it out: mode cuda has a target of its own"
        )
    made: list[Request] = []
    for name in dict.fromkeys(names):
        mode = modes.load(name)
        mine = {option: value for option, value in asked.items() if option not in owned or option in mode.OPTIONS}
        if target and targets.load(str(target)).KIND != mode.KIND:
            del mine["target"]
        made.append(options.complete(mode=name, **mine))
    tile = min((request.tile for request in made), key=lambda tile: tile[0] * tile[1])  # one cut for all
    made = [replace(request, tile=tile) for request in made]
    if target and all(request.target != target for request in made):
        raise UnknownName("target of these modes", str(target), {request.target for request in made})
    return made
