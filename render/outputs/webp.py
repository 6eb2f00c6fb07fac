"""The picture as WebP, without loss: the same pixels as the PNG in fewer bytes, packed more slowly."""

from __future__ import annotations

from collections.abc import Sequence

from render.frame import Frame
from render.outputs import check_side
from render.pictures import pillow

SUFFIXES = (".webp",)
ABOUT = "the picture without loss, smaller than PNG, with its request"
LARGEST_SIDE = 16383  # pixels of a side
MOST_TILES = None
KEEPS_PIXELS = True
open_sink = None


def write(frames: Sequence[Frame], *, plain: bool = False) -> bytes:
    """Encode the first frame (a race's are all equal); plain: without the request. Raises UsageError."""
    frame = frames[0]
    check_side("a .webp", LARGEST_SIDE, frame.request.width, frame.request.height)
    return pillow.encode_image(frame.rgb, "WEBP", None if plain else frame.request.as_dict(), lossless=True, method=2)
