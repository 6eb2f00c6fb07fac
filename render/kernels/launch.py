"""The shape of a launch on a GPU, which the kernel's code and its host agree on.

Warps take squares of pixels from a queue; blocks are so many threads; what they count stands in front of the pixels.
"""

from __future__ import annotations

SQUARE_WIDTH, SQUARE_HEIGHT = 8, 4  # pixels that the 32 lanes of a warp begin together
THREADS = 128  # of a block: four warps
TALLIES = 64  # pairs of (steps made, samples that are NaN), so that blocks seldom wait for each other to add
QUEUE = 2 * TALLIES  # behind them stands how many squares have been taken
RECORD = 3  # numbers for each block: its multiprocessor, its first and its last instant in ns of the device's clock
