"""One launch on a graphics card: which threads it has, where they write, and what comes back.

A launch paints one rectangle of the frame, a thread for each pixel. The 32 threads of a warp cover 8 x 4 pixels,
since neighbours end at similar steps and a warp is as slow as its slowest thread; four warps are a block of 16 x 8.
What the threads write lies in one piece of memory, so that one copy brings it all back: tallies, step counts, pixels.

The card and the simulator both launch what is described here; neither numba nor CUDA is needed to describe it.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from render.compiler.settings import Settings
from render.request import Request

BLOCK_WIDTH, BLOCK_HEIGHT = 16, 8  # pixels; `cuda_front` deals them out to the threads
THREADS = BLOCK_WIDTH * BLOCK_HEIGHT
TALLIES = 64  # pairs of (steps made, samples that are NaN), so that blocks seldom wait for each other to add
TALLY_BYTES = TALLIES * 2 * 8


class Painted(NamedTuple):
    """What a launch brought back, valid until the stream's next. Times in ns of the host's clock.

    rgb (height, width, 3) uint8; steps (height, width) int32, or None where the frame keeps none.
    """

    rgb: np.ndarray
    steps: np.ndarray | None
    made: int
    bad: int
    began: int
    painted: int
    arrived: int


class Rows(NamedTuple):
    """The memory of a launch, as the threads see it: all flat."""

    outcome: np.ndarray
    steps: np.ndarray
    rgb: np.ndarray

    def told(self, at: Settings) -> Settings:
        """The driver's settings for threads that write here."""
        kept = int(self.steps.size > 0)
        return at._replace(outcome=self.outcome, steps=self.steps, rgb=self.rgb, keep_steps=kept)

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
    return TALLY_BYTES + width * height * (7 if request.samples == 1 else 3)


def rows(memory: np.ndarray, request: Request, width: int, height: int) -> Rows:
    """A piece of memory (uint8, flat, at least `size` bytes) as the rows of one launch."""
    behind = TALLY_BYTES + width * height * (4 if request.samples == 1 else 0)
    return Rows(
        memory[:TALLY_BYTES].view(np.int64),
        memory[TALLY_BYTES:behind].view(np.int32),
        memory[behind : behind + 3 * width * height],
    )
