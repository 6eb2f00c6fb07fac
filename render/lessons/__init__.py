"""Lessons: honest runs that answer one question, and what follows from them. Each file in this folder is a lesson.

A lesson is a race whose runs are chosen for it, each with a name of its own. Nothing is acted: every run really paints
the frame, and every sentence is computed from the traces and the pictures. `wait` is the template; a new lesson is a
new file and nothing else:

    QUESTION                         the question it answers, in one line
    OPTIONS                          the options of modes that it takes, besides those of what to draw
    DEFAULTS                         options that it sets where the user does not
    entrants(given) -> [Entrant]     the runs, in order
    follows(frames) -> sentences      what they show, a sentence a line
    sound(frames) -> bool            are all pictures equal that should be?
    enough(frames) -> bool           do the figures carry the answer, or can they not? It repeats until then
    TERMS                            words that its reader may not know, each with what it means
    close_up(frames) -> CloseUp      one stretch of one run, event by event; None where the traces do not show it
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, cast

from render import modes, options, registry
from render.errors import ModeUnavailable, UsageError
from render.findings.explanation import CloseUp, Explanation
from render.findings.repeats import Rounds
from render.wording import as_sentence

if TYPE_CHECKING:
    from render.engine import Adapt, Entrant
    from render.frame import Frame, Frames

Kind = TypeVar("Kind", bound="Frames")
FRAME = {"view": "seahorses", "samples": 16}  # takes one worker a second or more


class Lesson(Protocol):
    """The members of each file of this folder."""

    QUESTION: str
    OPTIONS: frozenset[str]
    DEFAULTS: Mapping[str, Any]
    TERMS: Mapping[str, str]

    def entrants(self, given: Mapping[str, Any]) -> list[Entrant]:
        """Make the runs of the lesson. Raises UsageError."""

    def follows(self, frames: Sequence[Frame]) -> Iterator[str]:
        """Yield what follows from its runs, a sentence a line."""

    def sound(self, frames: Sequence[Frame]) -> bool:
        """Test whether all pictures are equal that should be."""

    def enough(self, frames: Sequence[Frame]) -> bool:
        """Test whether the figures carry the answer, or cannot here; where they never do, `follows` says so."""

    def close_up(self, frames: Sequence[Frame]) -> CloseUp | None:
        """Follow one stretch of one run event by event; None where the traces do not show what the lesson is about."""


def names() -> list[str]:
    """List all lessons."""
    return registry.names(__path__)


@cache
def load(name: str) -> Lesson:
    """Load the lesson of this name. Raises UnknownName."""
    return cast(Lesson, registry.load("lesson", __name__, name, names()))


def prepare_entrants(name: str, options_given: Mapping[str, Any]) -> list[Entrant]:
    """Make the runs of a lesson from the options given.

    Raises UsageError for an option that it decides itself, ModeUnavailable where one of its runs cannot be made here:
    what is left would answer nothing.
    """
    from render.engine import load_available_mode

    lesson = load(name)
    for option in sorted((modes.own_options() | {"mode"}) - lesson.OPTIONS):
        if options_given.get(option):
            spelled = option.replace("_", "-")
            raise UsageError(f"lesson {name} decides --{spelled} itself", f"leave --{spelled} out")
    chosen = {option: value for option, value in options_given.items() if value is not None and value is not False}
    if not options.names_subject(chosen):
        chosen = FRAME | chosen
    runs = lesson.entrants({**lesson.DEFAULTS, **chosen})
    for run in runs:
        try:
            load_available_mode(run.request)
        except ModeUnavailable as error:
            cause = f"lesson {name} needs {run.facts['label']}, and {error.cause}"
            raise ModeUnavailable(cause, "race without --lesson races what this machine can run") from error
    return [run._replace(facts={**run.facts, "lesson": name}) for run in runs]


def choose_rounds(name: str) -> Rounds:
    """Choose the rounds of a lesson: repeated until the figures carry its answer, as far as patience goes."""
    return Rounds(seconds=0.0, enough=load(name).enough)


def make_entrant(label: str, mode: str, given: Mapping[str, Any], adapt: Adapt | None = None, **own: Any) -> Entrant:
    """Make a run of a lesson: this mode with the given options that it takes; `own` are set by the lesson."""
    from render.engine import Entrant

    mine = {option: value for option, value in given.items() if option not in modes.own_options() | {"mode"}}
    mine |= {option: given[option] for option in modes.select_race_options(mode) if option in given}
    return Entrant(options.complete(mode=mode, **mine | own), {"label": label}, adapt)


def find_lesson(frames: Sequence[Frame]) -> str | None:
    """Find the lesson whose runs these are, by their facts; None where some are missing, or others."""
    lessons = [frame.trace.facts.get("lesson") for frame in frames]
    name = lessons[0] if lessons and all(one == lessons[0] for one in lessons) else None
    return name if isinstance(name, str) and name in names() and _match_runs(name, frames) else None


def explain(frames: Kind) -> Kind:
    """Add the text of the lesson whose runs these are; frames of no lesson are given back as they are."""
    name = find_lesson(frames)
    if name is None:
        return frames
    lesson = load(name)
    follows = tuple(map(as_sentence, lesson.follows(frames)))
    terms, sound = tuple(lesson.TERMS.items()), lesson.sound(frames)
    explanation = Explanation(name, lesson.QUESTION, follows, terms, lesson.close_up(frames), sound)
    return replace(frames, explanation=explanation)


def _match_runs(name: str, frames: Sequence[Frame]) -> bool:
    """Test whether these are the modes of the lesson in its order, and all draw the same in the same tiles."""
    expected = [run.request.mode for run in prepare_entrants(name, {})]
    requests = [frame.request for frame in frames]
    first = requests[0]
    alike = all((one.picture_key(), one.tile) == (first.picture_key(), first.tile) for one in requests)
    return alike and [one.mode for one in requests] == expected


def use_one_tile_size(runs: Sequence[Entrant], tile: tuple[int, int]) -> list[Entrant]:
    """Give all runs tiles of one size, which would depend on the workers otherwise."""
    return [run._replace(request=replace(run.request, tile=tile)) for run in runs]
