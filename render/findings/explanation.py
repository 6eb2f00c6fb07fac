"""The text of a lesson: its question, what follows from its runs, and one stretch of them event by event.

Lessons write it, frames carry it, and the page and the notebook show it.
"""

from __future__ import annotations

from textwrap import wrap
from typing import Any, NamedTuple


class Event(NamedTuple):
    """Something that a worker did in a run: when (ns of its trace's clock), which worker, and what, as a sentence."""

    at: int
    worker: int
    text: str


class CloseUp(NamedTuple):
    """One run of a lesson, looked at closely: its place among the runs, tiles to frame, and events in order of time.

    `title` says what the events explain; `mark` says in a few words what the frame around the tiles means. The first of
    the tiles is the one that the events are about; `right` is the place of a run in which it is as it should be.
    """

    run: int
    title: str
    events: tuple[Event, ...]
    tiles: tuple[int, ...] = ()
    mark: str = ""
    right: int | None = None


class Explanation(NamedTuple):
    """The text of a lesson. `terms` are words that its reader may not know, each with what it means.

    sound: whether all pictures are equal that should be.
    """

    name: str
    question: str
    follows: tuple[str, ...]
    terms: tuple[tuple[str, str], ...] = ()
    close_up: CloseUp | None = None
    sound: bool = True

    def format_lines(self, width: int) -> list[str]:
        """Format the question and its answer, folded for a terminal."""
        texts = [f"lesson {self.name}: {self.question}", *self.follows]
        return [line for text in texts for line in wrap(text, width, subsequent_indent="  ")]

    def as_dict(self) -> dict[str, Any]:
        """Convert question and answer to JSON's types."""
        return {"name": self.name, "question": self.question, "follows": list(self.follows), "sound": self.sound}
