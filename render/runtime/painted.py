"""The results of a launch on a GPU, and the copying of its tiles to their places in the frame."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from render.frame import Canvas


class Painted(NamedTuple):
    """The results of a launch, valid until its stream's next: of each of its n tiles, and of all its squares.

    Times are in ns of the host's clock. rgb (n, height, width, 3) uint8 and steps (n, height, width) int32, marked, are
    slots, in whose first rows and columns the tiles lie; steps is None where the frame keeps none. made, bad (n,): the
    steps made and the samples that are NaN. first, last (n,): when a tile's first square was begun and its last one
    finished. squares: the multiprocessor, the tile (its place in the launch), start and end of each square as four
    columns, or None where the multiprocessors are none. handed: when the launch was given to the device, or None where
    it had to wait for its turn. step: ns between two times of a square.
    """

    rgb: np.ndarray
    steps: np.ndarray | None
    made: np.ndarray
    bad: np.ndarray
    first: np.ndarray
    last: np.ndarray
    began: int
    painted: int
    arrived: int
    squares: np.ndarray | None = None
    handed: int | None = None
    step: int = 0

    def copy_to(self, canvas: Canvas, rectangles: np.ndarray) -> None:
        """Copy the tiles, which lie at (x, y, width, height) of the frame, to their places: rectangles (n, 4)."""
        sizes = rectangles[:, 2] << 32 | rectangles[:, 3]
        for size in sorted(set(sizes.tolist())):
            these = np.flatnonzero(sizes == size)
            left, top = rectangles[these, 0] - canvas.x, rectangles[these, 1] - canvas.y
            width, height = size >> 32, size & 0xFFFFFFFF
            windows(canvas.rgb, width, height)[top, left] = rows(self.rgb, width, height)[these]
            if canvas.steps is not None and self.steps is not None:
                windows(canvas.steps, width, height)[top, left] = rows(self.steps, width, height)[these]


def windows(pixels: np.ndarray, width: int, height: int) -> np.ndarray:
    """View all rectangles of a size in (rows, columns, ...), by the place of their top left corner; to be written.

    A row of one, (height,), is one value, so that it is copied at once.
    """
    rows, columns, *_ = pixels.shape
    down, right, *_ = pixels.strides
    shape = rows - height + 1, columns - width + 1, height
    return np.ndarray(shape, np.dtype((np.void, width * right)), pixels, 0, (down, right, down))


def rows(slots: np.ndarray, width: int, height: int) -> np.ndarray:
    """View what lies in the first rows and columns of slots (n, rows, columns, ...) in the same way."""
    each, down, right, *_ = slots.strides
    return np.ndarray((len(slots), height), np.dtype((np.void, width * right)), slots, 0, (each, down))
