"""Pictures larger than memory: bands of rows, each as wide as the picture, one after the other from top to bottom.

A sink takes the bands of one picture and makes a file of them while it is still being painted; an output that can do
that has `open_sink` (`render.outputs`). A source gives the bands of a picture that is in a file. Neither ever holds
more than a few bands.

    y           of the band's first row in the picture; each begins where the one before has ended
    rgb         (rows, width, 3) uint8: ROWS rows or a multiple of them, but for the last band
    steps       (rows, width) int32, where a pixel is one sample; else None
    inside      (rows, width) bool, likewise
    alpha       (rows, width) as rgb, of a file that says how transparent its pixels are; else None

A band is lent: its arrays are used again when `write_band` has returned, so what a sink still needs then, it copies.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple, Protocol

import numpy as np

ROWS = 256  # of a band, or a multiple of them: a row of a TIFF's tiles


class Band(NamedTuple):
    """Rows `y` to `y + len(rgb)` of a picture."""

    y: int
    rgb: np.ndarray
    steps: np.ndarray | None = None
    inside: np.ndarray | None = None
    alpha: np.ndarray | None = None


class Sink(Protocol):
    """A file that is made of bands. Whoever opened the file gives it its name when all is written, or discards it.

    expected_bytes: of the disk, temporary files included; a packed picture is expected to be a third of its pixels.
    """

    expected_bytes: int

    def write_band(self, band: Band) -> None:
        """Take the next band; wait while there is more to pack and to write than memory should hold. Raises OSError."""
        ...

    def finish(self, texts: Mapping[str, str]) -> None:
        """Write what follows the last band; `texts`, by keyword: request, owners, timings; none for a plain file."""
        ...

    def abandon(self) -> None:
        """Stop, and let go of threads and temporary files: the picture is not going to be finished."""
        ...


class Source(Protocol):
    """A picture in a file, of any size."""

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        ...

    def read_bands(self) -> Iterator[Band]:
        """Yield bands of ROWS rows, the last one of what is left, from the top. Raises InputError where it is damaged.

        May be called again, for another pass.
        """
        ...


class Regrouping:
    """Bands of any height, one below the other, cut anew: of ROWS rows or a multiple of them, but for the last."""

    def __init__(self) -> None:
        self._left: Band | None = None  # what is left of those before: fewer rows

    def cut(self, band: Band, *, last: bool) -> Iterator[Band]:
        """Yield what can be made of this band and of what was left; of the last one all."""
        if self._left is not None:
            missing = ROWS - len(self._left.rgb)
            joined = _join_bands(self._left, _cut_rows(band, 0, missing))
            band = _cut_rows(band, missing, len(band.rgb))
            self._left = None
            if len(joined.rgb) < ROWS and not last:
                self._left = joined
                return
            yield joined
        whole = len(band.rgb) if last else len(band.rgb) // ROWS * ROWS
        if whole:
            yield _cut_rows(band, 0, whole)
        if whole < len(band.rgb):
            self._left = _join_bands(_cut_rows(band, whole, len(band.rgb)))  # a copy: the canvas is used for others


def _cut_rows(band: Band, first: int, end: int) -> Band:
    rows = slice(first, end)
    steps, inside = (None if array is None else array[rows] for array in (band.steps, band.inside))
    return Band(band.y + first, band.rgb[rows], steps, inside)


def _join_bands(*bands: Band) -> Band:
    """Copy bands that lie below each other into one."""
    rgb = np.concatenate([band.rgb for band in bands])
    steps = [band.steps for band in bands if band.steps is not None]
    inside = [band.inside for band in bands if band.inside is not None]
    return Band(bands[0].y, rgb, np.concatenate(steps) if steps else None, np.concatenate(inside) if inside else None)
