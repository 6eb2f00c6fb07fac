"""The numbers themselves, for numpy: `np.load(path)` gives the pixels, and the steps of every sample.

    rgb       (height, width, 3) uint8
    steps     (height, width) int32, where a pixel is one sample
    inside    (height, width) bool, likewise: whether that sample was still alive at the limit
    request   the request, as JSON (a text without axes); not in a plain file

Stored as they are, not packed: it is the fastest way there and back.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from io import BytesIO

import numpy as np

from render.frame import Frame

SUFFIXES = (".npz",)
ABOUT = "pixels, steps and what is inside, as numpy arrays"
LARGEST_SIDE = None
MOST_TILES = None
open_sink = None


def write(frames: Sequence[Frame], *, plain: bool = False) -> bytes:
    """Pack the arrays of the first frame (a race's are all equal). The same frame gives the same bytes."""
    frame = frames[0]
    arrays = {"rgb": frame.rgb}
    if frame.steps is not None:
        arrays["steps"] = frame.steps
    if frame.inside is not None:
        arrays["inside"] = frame.inside
    if not plain:
        arrays["request"] = np.array(json.dumps(frame.request.as_dict()))
    file = BytesIO()
    np.savez(file, allow_pickle=False, **arrays)
    return file.getvalue()
