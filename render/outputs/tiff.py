"""The picture as a tiled TIFF with a pyramid: it opens at once in viewers of maps and large pictures, at any size.

It carries the same texts as the PNG: its request, who painted each tile and how long that took.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

from render.findings.document import collect_texts
from render.frame import Frame
from render.pictures.bands import Sink
from render.pictures.tiff import TiffSink, encode_tiff, open_spool
from render.request import Request

SUFFIXES = (".tif", ".tiff")
ABOUT = "the picture of any size in tiles with a pyramid, for QGIS, GDAL and vips, with request, owners and timings"
LARGEST_SIDE = None
MOST_TILES = None
KEEPS_PIXELS = True


def write(frames: Sequence[Frame], *, plain: bool = False) -> bytes:
    """Encode the first frame (a race's are all equal); plain: without texts, so that equal pictures are equal files."""
    frame = frames[0]
    return encode_tiff(frame.rgb, {} if plain else collect_texts(frame))


def open_sink(file: BinaryIO, folder: Path, request: Request, *, plain: bool) -> Sink:
    """Begin a file of bands; the spool of the smaller copies, a third of its size, lies in `folder`."""
    return TiffSink(file, open_spool(folder), request.width, request.height, plain=plain)
