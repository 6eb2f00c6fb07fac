"""The shape of a launch on a GPU, which the kernel's code and its host agree on.

A launch paints many tiles. Each has a slot of the launch's memory, all slots of one size, and as many squares of 8 x 4
pixels as fill its slot; squares are numbered slot by slot, so a square's number tells its tile by one division:

    number of a square   0 1 2 3 4 5 | 6 7 8 9 10 11 | 12 ...     here with 6 squares a slot
    tile (of the table)  0           | 1             | 2

Squares that lie outside of a tile smaller than its slot are taken and left. The table of tiles has TILE numbers for
each: where it lies in the frame, and how large it is. Each square's record says where and when it was painted; what a
tile's samples come to is added up in its tally, of which there are several copies where tiles are few (`copies`), so
that threads seldom wait for each other to add.
"""

from __future__ import annotations

SQUARE_WIDTH, SQUARE_HEIGHT = 8, 4  # pixels that the 32 lanes of a warp begin together
SQUARE = SQUARE_WIDTH * SQUARE_HEIGHT
THREADS = 128  # of a block: four warps, which begin with two squares by two
BLOCK_WIDTH, BLOCK_HEIGHT = 2 * SQUARE_WIDTH, 2 * SQUARE_HEIGHT  # pixels of those
MEMBERS = 8  # rows of the list's room: the members of a state, and the sums of three colours
TILE = 4  # int32 for each tile: x, y, width, height, in pixels of the frame
LIST_ENTRY = 3  # int32 for each pixel of the list: its number, its sample's steps, the samples before that
TALLY = 2  # int64 for each tile: steps made, samples that are NaN
TALLIES = 4096  # of a launch, or one for each tile where there are more
COUNTERS = 8  # int64 that are 0 when a launch starts: what its passes count for all threads together
LISTED, TAKEN = 0, 1  # of the counters: how many pixels are in the list, and how many have been taken from it
RECORD = 3  # int64 for each square: its multiprocessor, its first and its last instant in ns of the device's clock


def copies(tiles: int) -> int:
    """Count the tallies of each of so many tiles: a power of two."""
    return 1 << max((TALLIES // max(tiles, 1)).bit_length() - 1, 0)
