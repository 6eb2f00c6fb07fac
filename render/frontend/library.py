"""The program as a library: the same options as on the command line, as keyword arguments."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

from render import engine, lessons, like, options
from render.engine import Race
from render.findings import repeats
from render.findings.explanation import Explanation
from render.frontend import races
from render.frontend.saving import draw_files, split_wishes
from render.frontend.sessions import Session
from render.results import DrawnFrame


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

    `out="x.tif"`, or a list of names, saves it at once, as the command line does, with `plain`, `resume` and `fresh`: a
    journal is kept meanwhile, and a frame of more than 128 MiB goes into `.png`, `.tif` and `.npz` slab by slab,
    whatever its size. Then `frame.is_small` is True: `frame.rgb` is a small picture of it, and there are no steps.

    Raises UsageError for options that make no sense, ModeUnavailable where the mode cannot run here, TileError where a
    tile fails, OutputError where a file cannot be written.
    """
    arguments, wishes = split_wishes(arguments)
    request = options.complete(**like.apply_picture(arguments))
    return engine.draw(request) if wishes is None else draw_files(request, wishes)


def session(**arguments: Any) -> Session:
    """Open a session, to draw many frames of one scene: `with render.session(size=(256, 256)) as s: s.draw()`.

    Takes the options of `draw`; see `render.frontend.sessions`. Raises as `draw` does.
    """
    return Session(**like.apply_picture(arguments))


def race(modes: str | Sequence[str] = (), **arguments: Any) -> Race:
    """Draw the same picture in several modes: all that there are, or these: `["sequential", "parallel"]`.

    Each option goes to the modes that it belongs to. All modes run in turn, `repeat` times (as
    `render.findings.repeats` says where it is left out). Then follow the runs of a `story`, in which every tile waits
    for its data: "server", "player" or "none" (`render.findings.stories`); where it is left out "server", but "none"
    where modes are named or `wait` lets all runs wait. Gives a Race: `result.frames`, `result.not_run`,
    `result.identical`, `result.save("r.html")`. Raises as `draw` does, but a mode that cannot run here is only noted.
    """
    repeat, story = arguments.pop("repeat", None), arguments.pop("story", None)
    runs = races.line_up(like.apply_picture(arguments), races.parse_modes(modes), story)
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
