"""numba-cuda, as its own Mandelbrot example has it: a thread for each pixel under `@cuda.jit`.

One GPU; the counts are copied home. Products and sums are contracted as NVVM likes. No shortcuts, nothing refilled: a
warp steps until its last pixel has ended.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from harness.cases import Absent
from peers import Counts, Frame
from peers.numba_loop import plane

NAME, CORES, WHY = "numba-cuda", "gpu", "its compiler contracts products and sums"


def build(frame: Frame) -> Counts:
    """Return the kernel, which numba compiles when it first runs. Raises Absent."""
    try:
        from numba import config, cuda
    except ImportError as error:
        raise Absent(f"numba-cuda is not installed ({error}): pip install 'render[cuda]'") from error
    if config.ENABLE_CUDASIM:
        raise Absent("NUMBA_ENABLE_CUDASIM chooses numba's simulator, whose times mean nothing")
    if not cuda.is_available():
        raise Absent("numba finds no GPU")
    lend_row_stack()

    @cuda.jit
    def paint(out: Any, xs: Any, ys: Any, limit: Any) -> None:
        i, j = cuda.grid(2)
        if j < out.shape[0] and i < out.shape[1]:
            cx, cy = xs[i], ys[j]
            x = y = xx = yy = cx - cx
            steps = 0
            while steps < limit and xx + yy <= 4:
                y = (x + x) * y + cy
                x = xx - yy + cx
                xx, yy = x * x, y * y
                steps += 1
            out[j, i] = steps

    lines = [cuda.to_device(one) for one in plane(frame)]
    there = cuda.device_array((frame.height, frame.width), "int32")
    threads = 32, 8
    blocks = tuple(-(-size // edge) for size, edge in zip((frame.width, frame.height), threads, strict=True))

    def counts(out: np.ndarray) -> None:
        paint[blocks, threads](there, *lines, frame.limit)
        there.copy_to_host(out)

    return counts


def lend_row_stack() -> None:
    """Give NumPy back a name that 2.5 dropped and numba-cuda 0.30 looks up while it compiles, which failed without."""
    vars(np).setdefault("row_stack", np.vstack)
