"""One launch on a graphics card: which threads it has, where they write, and what comes back.

A launch paints one rectangle of the frame. It has no more blocks than the card holds at once: their warps take
squares of 8 x 4 pixels from a queue until it is empty (`warp`). What the threads write lies in one piece of memory, so
that one copy brings it all back: tallies and the queue, records of the blocks where they are kept, step counts, pixels.

The card and the simulator both launch what is described here; neither numba nor CUDA is needed to describe it.
"""

from __future__ import annotations

from itertools import accumulate, pairwise
from typing import NamedTuple

import numpy as np

from render.compiler.settings import Settings
from render.request import Request

SQUARE_WIDTH, SQUARE_HEIGHT = 8, 4  # pixels that the 32 lanes of a warp begin together
THREADS = 128  # of a block: four warps
SQUARES = 4  # that a block begins with
TALLIES = 64  # pairs of (steps made, samples that are NaN), so that blocks seldom wait for each other to add
QUEUE = 2 * TALLIES  # behind them stands how many squares have been taken
TALLY_BYTES = (QUEUE + 2) * 8
RECORD = 3  # numbers for each block: its multiprocessor, its first and its last instant in ns of the card's clock


class Painted(NamedTuple):
    """What a launch brought back, valid until the stream's next. Times in ns of the host's clock.

    rgb (height, width, 3) uint8; steps (height, width) int32, marked, or None where the frame keeps none; blocks (n, 3)
    int64: the multiprocessor, start and end of each block, or None where they are not kept; handed: when the launch was
    given to the card, or None where it had to wait for its turn.
    """

    rgb: np.ndarray
    steps: np.ndarray | None
    made: int
    bad: int
    began: int
    painted: int
    arrived: int
    blocks: np.ndarray | None = None
    handed: int | None = None


class Rows(NamedTuple):
    """The memory of a launch, as the threads see it: all flat."""

    outcome: np.ndarray
    records: np.ndarray
    steps: np.ndarray
    rgb: np.ndarray

    def told(self, at: Settings) -> Settings:
        """The driver's settings for threads that write here."""
        kept = int(self.steps.size > 0)
        return at._replace(**self._asdict(), keep_steps=kept)

    def painted(
        self,
        width: int,
        height: int,
        began: int,
        painted: int,
        arrived: int,
        blocks: np.ndarray | None = None,
        handed: int | None = None,
    ) -> Painted:
        """These rows as what has come back."""
        made, bad = self.outcome[:QUEUE].reshape(TALLIES, 2).sum(axis=0).tolist()
        steps = self.steps.reshape(height, width) if self.steps.size else None
        return Painted(self.rgb.reshape(height, width, 3), steps, made, bad, began, painted, arrived, blocks, handed)


def recorded(request: Request) -> bool:
    """Whether blocks tell where and when they ran: a card's do, unless that is not wanted."""
    return request.blocks and not request.simulate


def blocks(width: int, height: int, most: int) -> int:
    """How many blocks paint a rectangle: no more than have squares to begin with, nor than the card holds at once."""
    squares = -(-width // SQUARE_WIDTH) * -(-height // SQUARE_HEIGHT)
    return min(-(-squares // SQUARES), most)


def size(request: Request, width: int, height: int, most: int) -> int:
    """The bytes that a launch of `most` blocks writes."""
    return sum(_parts(request, width, height, most))


def rows(memory: np.ndarray, request: Request, width: int, height: int, most: int) -> Rows:
    """A piece of memory (uint8, flat, at least `size` bytes) as the rows of one launch."""
    ends = list(accumulate(_parts(request, width, height, most)))
    tallies, records, steps, rgb = (memory[t0:t1] for t0, t1 in pairwise([0, *ends]))
    return Rows(tallies.view(np.int64), records.view(np.int64), steps.view(np.int32), rgb)


def _parts(request: Request, width: int, height: int, most: int) -> tuple[int, int, int, int]:
    """The bytes of each of a launch's rows, those whose numbers are widest first."""
    records = RECORD * 8 * blocks(width, height, most) if recorded(request) else 0
    return TALLY_BYTES, records, 4 * width * height * (request.samples == 1), 3 * width * height
