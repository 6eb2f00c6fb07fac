"""One launch on a graphics card: which threads it has, where they write, and what comes back.

A launch paints one rectangle of the frame, a thread for each pixel. The 32 threads of a warp cover 8 x 4 pixels,
since neighbours end at similar steps and a warp is as slow as its slowest thread; four warps are a block of 16 x 8.
What the threads write lies in one piece of memory, so that one copy brings it all back: tallies, records of the
blocks where they are kept, step counts, pixels.

The card and the simulator both launch what is described here; neither numba nor CUDA is needed to describe it.
"""

from __future__ import annotations

from itertools import accumulate, pairwise
from typing import NamedTuple

import numpy as np

from render.compiler.settings import Settings
from render.request import Request

BLOCK_WIDTH, BLOCK_HEIGHT = 16, 8  # pixels; `cuda_front` deals them out to the threads
THREADS = BLOCK_WIDTH * BLOCK_HEIGHT
TALLIES = 64  # pairs of (steps made, samples that are NaN), so that blocks seldom wait for each other to add
TALLY_BYTES = TALLIES * 2 * 8
RECORD = 3  # numbers for each block: its multiprocessor, its first and its last instant in ns of the card's clock


class Painted(NamedTuple):
    """What a launch brought back, valid until the stream's next. Times in ns of the host's clock.

    rgb (height, width, 3) uint8; steps (height, width) int32, or None where the frame keeps none; blocks (n, 3) int64:
    the multiprocessor, start and end of each block, or None where they are not kept.
    """

    rgb: np.ndarray
    steps: np.ndarray | None
    made: int
    bad: int
    began: int
    painted: int
    arrived: int
    blocks: np.ndarray | None = None


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

    def painted(self, width: int, height: int, began: int, painted: int, arrived: int) -> Painted:
        """These rows as what has come back."""
        made, bad = self.outcome.reshape(TALLIES, 2).sum(axis=0)
        steps = self.steps.reshape(height, width) if self.steps.size else None
        return Painted(self.rgb.reshape(height, width, 3), steps, int(made), int(bad), began, painted, arrived)


def blocks(width: int, height: int) -> tuple[int, int]:
    """How many blocks cover a rectangle, across and down."""
    return -(-width // BLOCK_WIDTH), -(-height // BLOCK_HEIGHT)


def size(request: Request, width: int, height: int) -> int:
    """The bytes that a launch writes."""
    return sum(_parts(request, width, height))


def rows(memory: np.ndarray, request: Request, width: int, height: int) -> Rows:
    """A piece of memory (uint8, flat, at least `size` bytes) as the rows of one launch."""
    ends = list(accumulate(_parts(request, width, height)))
    tallies, records, steps, rgb = (memory[t0:t1] for t0, t1 in pairwise([0, *ends]))
    return Rows(tallies.view(np.int64), records.view(np.int64), steps.view(np.int32), rgb)


def _parts(request: Request, width: int, height: int) -> tuple[int, int, int, int]:
    """The bytes of each of a launch's rows, those whose numbers are widest first."""
    across, down = blocks(width, height)
    records = RECORD * 8 * across * down if request.blocks and not request.simulate else 0
    return TALLY_BYTES, records, 4 * width * height * (request.samples == 1), 3 * width * height
