"""Frames that show no picture of a scene but many small ones side by side: a film's frames, a server's requests.

What stands on such a sheet is a fact of its trace, since no request could draw it.
"""

from __future__ import annotations

from typing import NamedTuple

from render.findings.films import is_film
from render.frame import Frame
from render.wording import count


class Sheet(NamedTuple):
    """A sheet in words: what it shows, the title of a page about it, and what each of its tiles is."""

    shows: str
    title: str
    tile: str


def describe_sheet(frame: Frame) -> Sheet | None:
    """Describe the sheet of a film or of a server's record; None for the picture of a scene."""
    request, facts = frame.request, frame.trace.facts
    if is_film(frame.trace):
        frames = facts.get("frames", 0)
        shows = (
            f"{request.scene}, view {request.view}: {count(frames if type(frames) is int else 0, 'frame')} of a film"
        )
        return Sheet(shows, "A film, and who worked on which frame", "one frame")
    if facts.get("server") is True:
        return Sheet(request.view, "A server, and who painted which request", "what one user asked for")
    return None
