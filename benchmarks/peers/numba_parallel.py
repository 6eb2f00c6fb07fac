"""Numba, the plain loop under `@njit(parallel=True)`, rows by `prange`.

All CPUs, rows dealt out in equal shares beforehand, so that those with the costly rows end last. No vectors, no
shortcuts, no fma.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numba

from peers import UNFUSED, Counts, Frame
from peers.numba_loop import count_steps, plane
from render import machine

if TYPE_CHECKING:
    import numpy as np

NAME, CORES, WHY = "numba parallel=True", "all", UNFUSED


@numba.njit(cache=True, parallel=True)
def paint(out: np.ndarray, xs: np.ndarray, ys: np.ndarray, limit: int) -> None:
    """Count the steps of every pixel, rows in parallel."""
    for j in numba.prange(ys.size):
        for i in range(xs.size):
            out[j, i] = count_steps(xs[i], ys[j], limit)


def build(frame: Frame) -> Counts:
    """Return the loop, with a thread for each CPU that this process may use."""
    numba.set_num_threads(min(machine.cpus(), numba.config.NUMBA_NUM_THREADS))
    xs, ys = plane(frame)
    return lambda out: paint(out, xs, ys, frame.limit)
