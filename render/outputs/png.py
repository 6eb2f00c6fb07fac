"""The picture, for everyone. It carries its request, who painted each tile and how long that took.

So it can be compared and redone, and a difference can be traced to a tile and a worker.
"""

from __future__ import annotations

from collections.abc import Sequence

from render.findings.document import collect_texts
from render.frame import Frame

SUFFIXES = (".png",)
ABOUT = "the picture, with request, owners of tiles and timings as text chunks"
LARGEST_SIDE = None
MOST_TILES = None
open_sink = None


def write(frames: Sequence[Frame], *, plain: bool = False) -> bytes:
    """Encode the first frame (a race's are all equal) as PNG.

    Plain: without text chunks, so that equal pictures are equal files.
    """
    frame = frames[0]
    return frame.png() if plain else frame.png(collect_texts(frame))
