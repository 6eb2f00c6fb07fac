"""Stories: why anyone wants concurrency, raced beside the plain runs, in which nothing has to be waited for.

In a story every tile first waits for its data, as real programs do, and one worker or several take tiles one by one or
juggle them. A run of a story has the fact `story`, its name, in its trace; runs without it are plain. What a story is
called, what its runs are called and what follows from them is decided here, for every surface alike.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

from render.frame import Frame
from render.request import Request
from render.wording import as_sentence, format_time

DEFAULT, NONE = "server", "none"  # of `race --story`
CURVE = "workers"  # what runs with 1, 2, 4 workers have for a story (`render.findings.speed_up`)
SHORTEST, LONGEST = 2_000_000, 50_000_000  # ns that one tile waits
MOST_TILES = 256  # of a story; a frame that is cut finer is cut coarser for it


@dataclass(frozen=True)
class Story:
    """A story. `about`: who wants what, and waits for what. `titles`: of its runs, one by one and juggling.

    A title has the plural of `who` where several workers do it. in_flight: tiles that a worker juggles; waiting_ns:
    what all tiles wait for their data, added up.
    """

    name: str
    about: str
    who: str
    titles: tuple[str, str]
    in_flight: int
    waiting_ns: int

    def describe(self, wait_ns: int) -> str:
        """Say what the story is about, in a sentence, where each tile waits so long."""
        return as_sentence(f"{self.about} ({format_time(wait_ns / 1e9)})")

    def title(self, workers: int, *, juggles: bool) -> str:
        """Name a run: "server (switching)", "2 servers (one by one)"."""
        who = self.who if workers == 1 else f"{workers} {self.who}s"
        return f"{who} ({self.titles[juggles]})"

    def wait_ns(self, request: Request) -> int:
        """Give the time that each tile of a request waits, so that all of them together wait as long as it takes."""
        share = self.waiting_ns // prod(request.rows_and_columns)
        return min(max(round(share, -6), SHORTEST), LONGEST)


STORIES = {
    story.name: story
    for story in (
        Story(
            name="server",
            about="four users ask a server for tiles, and each tile waits for a slow database first",
            who="server",
            titles=("one by one", "switching"),
            in_flight=4,
            waiting_ns=1_300_000_000,
        ),
        Story(
            name="player",
            about="a player shows a film in parts, and each part must be loaded first",
            who="player",
            titles=("load, then play", "loading ahead"),
            in_flight=2,
            waiting_ns=700_000_000,
        ),
    )
}
WHO = (("sequential", False), ("concurrent", True), ("parallel", False), ("parallel", True))  # mode; does it juggle?


def name_of(frame: Frame) -> str | None:
    """Give the story that a run belongs to; None for a plain run."""
    name = frame.trace.facts.get("story")
    return name if isinstance(name, str) and name else None


def story_of(frame: Frame) -> Story | None:
    """Return the story that a run belongs to; None for a plain run."""
    return STORIES.get(name_of(frame) or "")
