"""The picture, for everyone. It carries what was asked and how long that took, so it can be compared and redone."""

from __future__ import annotations

import json
from collections.abc import Sequence

from render.document import document
from render.frame import Frame
from render.picture import REQUEST

SUFFIXES = (".png",)
ABOUT = "the picture, with request and timings as text chunks"
TIMINGS = "render:timings"


def write(frames: Sequence[Frame], *, plain: bool = False) -> bytes:
    """The first frame (those of a race are all equal) as PNG.

    Plain: without text chunks, so that equal pictures are equal files.
    """
    frame = frames[0]
    if plain:
        return frame.png()
    timings = document(frame)
    del timings["out"]
    return frame.png({REQUEST: json.dumps(frame.request.as_dict()), TIMINGS: json.dumps(timings)})
