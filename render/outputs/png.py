"""The picture, for everyone. It carries its request, who painted each tile and how long that took.

So it can be compared and redone, and a difference can be traced to a tile and a worker.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from render.findings.document import draw_document
from render.frame import Frame
from render.pictures.picture import OWNERS, REQUEST, TIMINGS
from render.pictures.provenance import encode_provenance

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
    if plain:
        return frame.png()
    timings = draw_document(frame)
    del timings["out"]
    owned = encode_provenance(frame.request, frame.title, frame.trace)
    texts = {REQUEST: json.dumps(frame.request.as_dict()), OWNERS: owned, TIMINGS: json.dumps(timings)}
    return frame.png(texts)
