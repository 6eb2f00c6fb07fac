"""The program as a library: the same options as on the command line, as keyword arguments."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from html import escape
from typing import Any

from render import engine, lessons, like, modes, options, targets
from render.engine import Entrant, Race
from render.errors import UnknownName, UsageError
from render.findings import repeats, stories
from render.findings.explanation import Explanation
from render.findings.stories import Story
from render.frontend import races
from render.frontend.sessions import Session
from render.request import Request
from render.results import DrawnFrame

RACE_DEFAULTS = {"view": "seahorses", "samples": 9}  # one worker needs about a second; `race --help` says so


class Lesson(Race):
    """The runs of a lesson: a race with its question and its conclusions."""

    @property
    def name(self) -> str:
        """The lesson's name: "gil"."""
        return self._explained.name

    @property
    def question(self) -> str:
        """The question that it answers, in one line."""
        return self._explained.question

    @property
    def follows(self) -> list[str]:
        """The answers that its runs give, a sentence each, computed from their traces."""
        return list(self._explained.follows)

    @property
    def _explained(self) -> Explanation:
        assert self.explanation is not None  # `lesson` made it
        return self.explanation

    def _repr_html_(self) -> str:
        """Render the question and the answers, and below them the race, for a notebook."""
        answers = "".join(f"<li>{escape(answer)}</li>" for answer in self.follows)
        return f"<p><strong>{escape(self.question)}</strong></p><ul>{answers}</ul>{super()._repr_html_()}"


def draw(**arguments: Any) -> DrawnFrame:
    """Draw one picture: `render.draw(scene="mandelbrot", mode="parallel", size=(640, 360))`.

    The options are those of the command line (`render.options.DEFAULTS` lists them), parameters of the scene as
    `parameters={"zoom": 100}`, and `like`, `at` and `closer`, which start from a saved picture (`render.like`). Gives a
    Frame: `frame.rgb` (height, width, 3) uint8, `frame.steps`, `frame.inside`, `frame.trace`; `frame.save("x.png")`
    saves it as whatever the name says.

    Raises UsageError for options that make no sense, ModeUnavailable where the mode cannot run here, TileError where a
    tile fails.
    """
    return engine.draw(options.complete(**like.apply_picture(arguments)))


def session(**arguments: Any) -> Session:
    """Open a session, to draw many frames of one scene: `with render.session(size=(256, 256)) as s: s.draw()`.

    Takes the options of `draw`; see `render.frontend.sessions`. Raises as `draw` does.
    """
    return Session(**like.apply_picture(arguments))


def race(names: Sequence[str] = (), **arguments: Any) -> Race:
    """Draw the same picture in several modes: all that there are, or those of these `names`.

    Each option goes to the modes that it belongs to. All modes run in turn, `repeat` times (as
    `render.findings.repeats` says where it is left out). Then follow the runs of a `story`, in which every tile waits
    for its data: "server", "player" or "none" (`render.findings.stories`); where it is left out "server", but "none"
    where modes are named or `wait` lets all runs wait. Gives a Race: `result.frames`, `result.not_run`,
    `result.identical`, `result.save("r.html")`. Raises as `draw` does, but a mode that cannot run here is only noted.
    """
    repeat, story = arguments.pop("repeat", None), arguments.pop("story", None)
    runs = line_up(like.apply_picture(arguments), names, story)
    return engine.race(runs, rounds=repeats.parse_rounds(repeat), later=repeats.parse_rounds(repeat, repeats.LATER))


def lesson(name: str, **arguments: Any) -> Lesson:
    """Run a lesson: `render.lesson("gil")`. A race whose runs answer one question; `render.lessons` has them all.

    Its runs are repeated until the figures carry what it wants to show, or `repeat` times where that is said. Gives a
    Race, as `race` does, with `result.question` and `result.follows`, the answers. Raises UnknownName,
    UsageError for an option that the lesson decides itself, ModeUnavailable where one of its runs cannot be made here,
    and as `race` does.
    """
    rounds = repeats.parse_rounds(arguments.pop("repeat", None), lessons.choose_rounds(name))
    result = engine.race(lessons.prepare_entrants(name, like.apply_picture(arguments)), rounds=rounds)
    return lessons.explain(Lesson(result.frames, result.kind, result.not_run))


def line_up(arguments: dict[str, Any], names: Sequence[str] = (), story: str | None = None) -> list[Request | Entrant]:
    """Make the runs of a race: one of each mode, the same but for who draws; then those of a story, if there is one.

    Each option goes to the modes that it belongs to; to wait belongs to a story that was asked for. Where modes are
    named, or all runs wait, there is a story only if it is asked for. Where nothing is said about what to draw, it is a
    frame large enough to show the lesson. Several numbers of workers ("1,2,4") make a speed-up curve; all other runs
    have the largest. Raises UsageError.
    """
    arguments = {name: value for name, value in arguments.items() if value is not None}
    special = names or options.parse_duration(arguments.get("wait", 0))
    chosen = races.choose_story(story, stories.NONE if special else stories.DEFAULT)
    names = names or modes.names()
    numbers = races.parse_workers(arguments["workers"]) if "workers" in arguments else []
    if numbers:
        arguments["workers"] = numbers[-1]
    plain = arguments if chosen is None else {name: value for name, value in arguments.items() if name != "wait"}
    requests = race_requests(plain, names, story=chosen)
    curve = races.make_curve_runs(requests, numbers) if len(numbers) > 1 else []
    return [*requests, *curve, *(races.make_story_runs(chosen, requests, arguments) if chosen else [])]


def race_requests(arguments: dict[str, Any], names: Sequence[str], *, story: Story | None = None) -> list[Request]:
    """Make one request for each mode; runs of a `story` take what these do not. Raises UsageError."""
    arguments = {name: value for name, value in arguments.items() if value is not None}
    if not options.names_subject(arguments):
        arguments = RACE_DEFAULTS | arguments
    owned = modes.own_options()
    taken = [modes.load(name).OPTIONS if story else modes.select_race_options(name) for name in names]
    for option in sorted(owned.difference(*taken)):
        if arguments.get(option, options.OWN[option]) != options.OWN[option]:
            raise UsageError(
                f"{options.spell_option(option)} does not apply to modes {', '.join(names)}",
                "name a mode that takes it, or leave it out",
            )
    target = arguments.get("target")
    if target and targets.load(str(target)).KIND != "cpu":
        raise UsageError("in a race --target is for the CPU modes only", "leave it out: mode cuda has its own target")
    requests: list[Request] = []
    for name in dict.fromkeys(names):
        mode = modes.load(name)
        mine = {
            option: value
            for option, value in arguments.items()
            if option not in owned or option in modes.select_race_options(name)
        }
        if target and targets.load(str(target)).KIND != mode.KIND:
            del mine["target"]
        requests.append(options.complete(mode=name, **mine))
    tile = min((request.tile for request in requests), key=lambda tile: tile[0] * tile[1])  # one cut for all
    requests = [replace(request, tile=tile) for request in requests]
    if target and all(request.target != target for request in requests):
        raise UnknownName("target of these modes", str(target), {request.target for request in requests})
    return requests
