"""Lessons: honest runs that answer one question, and what follows from them. Each file in this folder is a lesson.

A lesson is a race whose runs are chosen for it, each with a name of its own. Nothing is acted: every run really paints
the frame, and every sentence is computed from the traces and the pictures. `wait` is the template; a new lesson is a
new file and nothing else:

    QUESTION                         what it answers, in one line
    OPTIONS                          the options of modes that it takes, besides those of what to draw
    DEFAULTS                         what it asks for where nothing is said
    entrants(asked) -> [Entrant]     the runs, in order
    follows(frames) -> sentences      what they show, a sentence a line
    sound(frames) -> bool            are all pictures equal that should be?
    enough(frames) -> bool           do the figures carry what it wants to show, or can they not? It repeats until then
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache
from textwrap import wrap
from typing import TYPE_CHECKING, Any, Protocol, cast

from render import modes, options, registry
from render.errors import ModeUnavailable, UsageError
from render.findings.repeats import Rounds

if TYPE_CHECKING:
    from render.engine import Adapt, Entrant
    from render.frame import Frame

FRAME = {"view": "seahorses", "samples": 16}  # takes one worker a second or more, as the race's own


class Lesson(Protocol):
    """What each file of this folder offers."""

    QUESTION: str
    OPTIONS: frozenset[str]
    DEFAULTS: Mapping[str, Any]

    def entrants(self, asked: Mapping[str, Any]) -> list[Entrant]:
        """The runs of the lesson. Raises UsageError."""
        ...

    def follows(self, frames: Sequence[Frame]) -> Iterator[str]:
        """What follows from its runs."""
        ...

    def sound(self, frames: Sequence[Frame]) -> bool:
        """Whether all pictures are equal that should be."""
        ...

    def enough(self, frames: Sequence[Frame]) -> bool:
        """Whether the figures carry what it wants to show, or cannot here; where they never do, `follows` says so."""
        ...


def names() -> list[str]:
    """All lessons there are."""
    return registry.names(__path__)


@cache
def load(name: str) -> Lesson:
    """The lesson of this name. Raises UnknownName."""
    return cast(Lesson, registry.load("lesson", __name__, name, names()))


def prepare_entrants(name: str, asked: Mapping[str, Any]) -> list[Entrant]:
    """The runs of a lesson for what was asked.

    Raises UsageError for an option that it decides itself, ModeUnavailable where one of its runs cannot be made here:
    what is left would answer nothing.
    """
    from render.engine import load_available_mode

    lesson = load(name)
    owned = {option for mode in modes.names() for option in modes.load(mode).OPTIONS} | {"mode"}
    for option in sorted(owned - lesson.OPTIONS):
        if asked.get(option):
            spelled = option.replace("_", "-")
            raise UsageError(f"lesson {name} decides --{spelled} itself", f"leave --{spelled} out")
    told = {option: value for option, value in asked.items() if value is not None and value is not False}
    if not any(told.get(option) for option in ("scene", "view", "parameters")):
        told = FRAME | told
    runs = lesson.entrants({**lesson.DEFAULTS, **told})
    for run in runs:
        try:
            load_available_mode(run.request)
        except ModeUnavailable as error:
            cause = f"lesson {name} needs {run.facts['label']}, and {error.cause}"
            raise ModeUnavailable(cause, "race without --lesson races what this machine can run") from error
    return [run._replace(facts={**run.facts, "lesson": name}) for run in runs]


def choose_rounds(name: str) -> Rounds:
    """How often the runs of a lesson are repeated: until its sentence is carried, as far as patience goes."""
    return Rounds(seconds=0.0, enough=load(name).enough)


def make_entrant(label: str, mode: str, asked: Mapping[str, Any], adapt: Adapt | None = None, **own: Any) -> Entrant:
    """A run of a lesson: this mode with what was asked, as far as it takes it; `own` is the lesson's own wish."""
    from render.engine import Entrant

    owned = {option for name in modes.names() for option in modes.load(name).OPTIONS}
    mine = {option: value for option, value in asked.items() if option not in owned | {"mode"}}
    mine |= {option: asked[option] for option in modes.load(mode).OPTIONS if option in asked}
    return Entrant(options.complete(mode=mode, **mine | own), {"label": label}, adapt)


def find_lesson(frames: Sequence[Frame]) -> str | None:
    """The lesson whose runs these are, as their facts tell; None where they are not all of them, or others."""
    told = [frame.trace.facts.get("lesson") for frame in frames]
    name = told[0] if told and all(one == told[0] for one in told) else None
    return name if isinstance(name, str) and name in names() and _match_runs(name, frames) else None


def _match_runs(name: str, frames: Sequence[Frame]) -> bool:
    """Whether these are the modes of the lesson in its order, and all draw the same in the same tiles."""
    asked = [run.request.mode for run in prepare_entrants(name, {})]
    first = frames[0].request
    alike = all(frame.request.drawn() == first.drawn() and frame.request.tile == first.tile for frame in frames)
    return alike and [frame.request.mode for frame in frames] == asked


def use_one_tile_size(runs: Sequence[Entrant], tile: tuple[int, int]) -> list[Entrant]:
    """The runs with tiles of one size, which would depend on the workers otherwise."""
    return [run._replace(request=replace(run.request, tile=tile)) for run in runs]


def format_lines(name: str, frames: Sequence[Frame], width: int) -> list[str]:
    """The question of a lesson and its answer, folded for a terminal."""
    lesson = load(name)
    told = [f"lesson {name}: {lesson.QUESTION}", *lesson.follows(frames)]
    return [line for text in told for line in wrap(text, width, subsequent_indent="  ")]


def as_dict(name: str, frames: Sequence[Frame]) -> dict[str, Any]:
    """The same for JSON."""
    lesson = load(name)
    told = list(lesson.follows(frames))
    return {"name": name, "question": lesson.QUESTION, "follows": told, "sound": lesson.sound(frames)}
