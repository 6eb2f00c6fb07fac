"""Numba, the plain loop under `@njit`.

One thread, one pixel at a time: LLVM makes no vectors of a loop whose length is unknown. No shortcuts, and no fma.
"""

from __future__ import annotations

import numba
import numpy as np

from peers import UNFUSED, Counts, Frame

NAME, CORES, WHY = "numba @njit", "one", UNFUSED


def plane(frame: Frame) -> tuple[np.ndarray, np.ndarray]:
    """Return the real parts of all columns and the imaginary parts of all rows, in the frame's precision."""
    real = np.float32 if frame.precision == "f32" else np.float64
    x = frame.x0 + (np.arange(frame.width) + 0.5 - frame.width / 2) * frame.pitch
    y = frame.y0 + (frame.height / 2 - np.arange(frame.height) - 0.5) * frame.pitch
    return x.astype(real), y.astype(real)


@numba.njit(cache=True, nogil=True)
def count_steps(cx: float, cy: float, limit: int) -> int:
    """Count the steps of one point."""
    x = y = xx = yy = cx - cx
    steps = 0
    while steps < limit and xx + yy <= 4:
        y = (x + x) * y + cy
        x = xx - yy + cx
        xx, yy = x * x, y * y
        steps += 1
    return steps


@numba.njit(cache=True, nogil=True)
def paint(out: np.ndarray, xs: np.ndarray, ys: np.ndarray, limit: int) -> None:
    """Count the steps of every pixel, one after the other."""
    for j in range(ys.size):
        for i in range(xs.size):
            out[j, i] = count_steps(xs[i], ys[j], limit)


def build(frame: Frame) -> Counts:
    """Return the loop, which numba compiles for the frame's precision when it first runs."""
    xs, ys = plane(frame)
    return lambda out: paint(out, xs, ys, frame.limit)
