"""CuPy, an elementwise kernel of a few lines of C, as its users write one.

One GPU; the counts are copied home. Products and sums are contracted as NVRTC likes. No shortcuts, nothing refilled: a
warp steps until its last pixel has ended.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.cases import Absent
from peers import Counts, Frame
from peers.numba_loop import plane

if TYPE_CHECKING:
    import numpy as np

NAME, CORES, WHY = "CuPy", "gpu", "its compiler contracts products and sums"
STEPS = """
    T x = 0, y = 0, xx = 0, yy = 0;
    int n = 0;
    while (n < limit && xx + yy <= 4) {
        y = (x + x) * y + cy;
        x = xx - yy + cx;
        xx = x * x;
        yy = y * y;
        n++;
    }
    steps = n;
"""


def build(frame: Frame) -> Counts:
    """Return the kernel, which CuPy compiles when it first runs. Raises Absent."""
    try:
        import cupy as cp
    except ImportError as error:
        raise Absent(f"cupy is not installed ({error}): pip install cupy-cuda13x, on a machine with a GPU") from error
    try:
        cp.cuda.Device().use()
    except cp.cuda.runtime.CUDARuntimeError as error:
        raise Absent(f"CuPy finds no GPU: {error}") from error
    kernel = cp.ElementwiseKernel("T cx, T cy, int32 limit", "int32 steps", STEPS, "mandelbrot")
    xs, ys = (cp.asarray(one) for one in plane(frame))
    columns, rows = xs[None, :], ys[:, None]
    there = cp.empty((frame.height, frame.width), cp.int32)

    def counts(out: np.ndarray) -> None:
        kernel(columns, rows, frame.limit, there)
        there.get(out=out)

    return counts
