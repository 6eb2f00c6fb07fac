"""When a card's multiprocessors were at work, from what the blocks of one launch recorded.

Many blocks are on a multiprocessor at once, and there are tens of thousands in a launch; what is told of them is when
there was at least one.
"""

from __future__ import annotations

import numpy as np

TIME_BITS = 44  # of a key; so a launch may last some hours, and there may be half a million multiprocessors


def busy(blocks: np.ndarray, gap: int = 0) -> np.ndarray:
    """Per multiprocessor the time in which any block was there, as disjoint intervals.

    blocks: (n, 3) int64, the multiprocessor, start and end of each, in ns. Intervals with no more than `gap` ns between
    them are one. Gives the same columns, by multiprocessor and time.
    """
    if not len(blocks):
        return blocks
    multiprocessors, starts, ends = blocks.T
    zero = int(starts.min())
    place = multiprocessors << TIME_BITS
    starts, ends = place | (starts - zero), place | np.maximum(ends - zero, starts - zero)
    order = np.argsort(starts)
    starts, reached = starts[order], np.maximum.accumulate(ends[order])
    new = np.flatnonzero(starts[1:] > reached[:-1] + gap) + 1
    starts, ends = starts[np.r_[0, new]], reached[np.r_[new - 1, -1]]
    moment = (1 << TIME_BITS) - 1
    return np.stack([starts >> TIME_BITS, (starts & moment) + zero, (ends & moment) + zero], axis=1)
