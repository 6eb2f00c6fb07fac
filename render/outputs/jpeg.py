"""The picture as JPEG, for places that take nothing else. It loses a little: only PNG, WebP and .npz compare equal."""

from __future__ import annotations

from collections.abc import Sequence

from render.frame import Frame
from render.outputs import check_side
from render.pictures import pillow

SUFFIXES = (".jpg", ".jpeg")
ABOUT = "the picture with some loss, for places that take nothing else, with its request"
LARGEST_SIDE = 65500  # pixels of a side, in libjpeg
MOST_TILES = None
KEEPS_PIXELS = True
open_sink = None
QUALITY = 95  # whole colours for every pixel, and errors of some levels


def write(frames: Sequence[Frame], *, plain: bool = False) -> bytes:
    """Encode the first frame (a race's are all equal); plain: without the request. Raises UsageError."""
    frame = frames[0]
    check_side("a .jpg", LARGEST_SIDE, frame.request.width, frame.request.height)
    about = None if plain else frame.request.as_dict()
    return pillow.encode_image(frame.rgb, "JPEG", about, quality=QUALITY, subsampling=0, optimize=False)
