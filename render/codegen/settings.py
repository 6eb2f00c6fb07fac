"""The settings of compiled code for each rectangle: frame, grid, tables and where its pixels go.

`Settings` is what the driver sees as `at`. Its scalars and arrays, and after them those of the scene's `p`, are
passed as one block of 8-byte cells: a number is its cell, an array is the two cells (address, length).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from render.request import Request
from render.sampling import grid, offsets, srgb_table
from render.scene import REALS


class Settings(NamedTuple):
    """The driver's `at`. Lengths in pixels; `offsets` flat (across, down) pairs; `steps` is empty if not kept.

    The rectangle lies at (x, y) of the frame, and its first pixel is number `first` of `rgb` and of `steps`, which have
    `stride` pixels in a row: where a pixel is in the frame and where it is in memory have nothing in common.
    share: of a sample in its pixel.
    images: so many rows below the rectangle are mirror images of rows in it, and are stored with them. outcome: samples
    that are NaN, and 1 when the rectangle is done. budget: steps after which to come back; room and notes: what is
    underway then, see `driver`. copies, enough (pixels in its list, before the first pass follows on), waiting, tiles,
    counters, tallies, records, and room: a GPU's launch, see `render.kernels.launch`; there each tile has a slot of its
    own in `rgb` and `steps`, one after the other.
    """

    x: Any
    y: Any
    width: Any
    height: Any
    first: Any
    stride: Any
    frame_height: Any
    images: Any
    limit: Any
    samples: Any
    share: Any
    shortcuts: Any
    keep_steps: Any
    x0: Any
    y0: Any
    pitch: Any
    half_width: Any
    half_height: Any
    offsets: Any
    table: Any
    rgb: Any
    steps: Any
    outcome: Any
    budget: Any
    room: Any
    notes: Any
    copies: Any
    enough: Any
    waiting: Any
    tiles: Any
    counters: Any
    tallies: Any
    records: Any


ARRAYS = {
    *("offsets", "table", "rgb", "steps", "outcome", "room", "notes"),
    *("waiting", "tiles", "counters", "tallies", "records"),
}


def request_settings(request: Request) -> Settings:
    """Make the settings of a request, with an empty rectangle and no memory for its pixels."""
    return Settings(
        x=0,
        y=0,
        width=0,
        height=0,
        first=0,
        stride=0,
        frame_height=request.height,
        images=0,
        limit=request.limit,
        samples=request.samples,
        share=REALS[request.precision](1) / REALS[request.precision](request.samples),
        shortcuts=int(request.values["shortcuts"]),
        keep_steps=0,
        **grid(request)._asdict(),
        offsets=offsets(request.samples).astype(REALS[request.precision]).reshape(-1),
        table=srgb_table(),
        rgb=np.zeros(0, np.uint8),
        steps=np.zeros(0, np.int32),
        outcome=np.zeros(2, np.int64),
        budget=0,
        room=np.zeros(0, REALS[request.precision]),
        notes=np.zeros(0, np.int64),
        copies=1,
        enough=0,
        waiting=np.zeros(0, np.int32),
        tiles=np.zeros(0, np.int32),
        counters=np.zeros(0, np.int64),
        tallies=np.zeros(0, np.int64),
        records=np.zeros(0, np.int64),
    )


def pack_cells(
    *records: tuple[Any, ...], address: Callable[[np.ndarray], int] = lambda array: array.ctypes.data
) -> np.ndarray:
    """Pack named tuples of scalars and arrays into cells (int64, flat). Keep the arrays alive while it is used.

    `address` says where the code will find an array, if that is not this process's memory.
    """
    cells: list[bytes] = []
    for value in (value for record in records for value in record):
        if isinstance(value, np.ndarray):
            cells.append(np.array([address(value), value.size], np.int64).tobytes())
        else:
            number = np.asarray(value)
            number = number if number.dtype.kind == "f" else number.astype(np.int64)
            cells.append(number.tobytes().ljust(8, b"\0"))
    return np.frombuffer(bytearray(b"".join(cells)), np.int64)


def cell_numbers(*names: str) -> list[int]:
    """Return the cell numbers of these members of the settings, in order; an array has two."""
    places = {}
    first = 0
    for field in Settings._fields:
        places[field] = range(first, first + (2 if field in ARRAYS else 1))
        first = places[field].stop
    return [place for name in names for place in places[name]]
