"""The picture, for everyone. It carries its request, who painted each tile and how long that took.

So it can be compared and redone, and a difference can be traced to a tile and a worker. Of a picture that comes in
bands the request stands in front of the pixels, the rest behind them.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

from render.findings.document import collect_texts
from render.frame import Frame
from render.pictures import png_writer
from render.pictures.bands import Sink
from render.pictures.picture import REQUEST
from render.request import Request

SUFFIXES = (".png",)
ABOUT = "the picture, with request, owners of tiles and timings as text chunks"
LARGEST_SIDE = png_writer.LARGEST_SIDE
MOST_TILES = None
KEEPS_PIXELS = True


def write(frames: Sequence[Frame], *, plain: bool = False) -> bytes:
    """Encode the first frame (a race's are all equal) as PNG.

    Plain: without text chunks, so that equal pictures are equal files.
    """
    frame = frames[0]
    return frame.png() if plain else frame.png(collect_texts(frame))


def open_sink(file: BinaryIO, _folder: Path, request: Request, *, plain: bool) -> Sink:
    """Start a file of bands."""
    texts = {} if plain else {REQUEST: json.dumps(request.as_dict())}
    return png_writer.PngSink(file, request.width, request.height, texts)
