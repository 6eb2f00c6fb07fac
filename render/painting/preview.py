"""A small picture of a frame that is too large to be looked at, or to be kept in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from render.frame import Canvas
    from render.plan import Tile

LONGEST = 1280  # pixels of the longer side, at most
LOOKS = 4  # places along an edge of what one pixel stands for, which are averaged


class Preview:
    """A small picture of a frame, made of its tiles as they come: a pixel is the mean of some of those it stands for.

    rgb (height, width, 3) uint8: black where nothing is finished.
    """

    def __init__(self, width: int, height: int) -> None:
        self._edge = -(-max(width, height) // LONGEST)
        self._step = -(-self._edge // LOOKS)
        shape = -(-height // self._edge), -(-width // self._edge)
        self._sums, self._looks = np.zeros((*shape, 3), np.uint32), np.zeros((*shape, 1), np.uint32)
        self.rgb = np.zeros((*shape, 3), np.uint8)

    def add_tile(self, canvas: Canvas, tile: Tile) -> None:
        """Look at every `step`th row and column of the frame that lies in a tile."""
        rows, columns = (
            np.arange(-(-start // self._step) * self._step, start + length, self._step)
            for start, length in ((tile.y, tile.height), (tile.x, tile.width))
        )
        if not (rows.size and columns.size):
            return
        seen = canvas.rgb[rows[0] - canvas.y : rows[-1] - canvas.y + 1 : self._step]
        seen = seen[:, columns[0] - canvas.x : columns[-1] - canvas.x + 1 : self._step]
        (down, tall), (across, wide) = (_count_runs(places // self._edge) for places in (rows, columns))
        sums = np.add.reduceat(seen, tall, axis=0, dtype=np.uint32)
        here = slice(down[0], down[-1] + 1), slice(across[0], across[-1] + 1)
        self._sums[here] += np.add.reduceat(sums, wide, axis=1)
        high, broad = (np.diff(starts, append=places.size) for starts, places in ((tall, rows), (wide, columns)))
        self._looks[here] += (high[:, None] * broad)[..., None].astype(np.uint32)
        self.rgb[here] = (self._sums[here] + self._looks[here] // 2) // np.maximum(self._looks[here], 1)


def _count_runs(places: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the distinct values of a sorted array, without gaps, and where each starts."""
    starts = np.flatnonzero(np.diff(places, prepend=places[0] - 1))
    return places[starts], starts
