"""Taichi, a kernel on the CPU.

All CPUs; the outermost loop is parallel, and LLVM compiles its body. Fast-math is on, as Taichi has it unless told
otherwise: it fuses and reorders what it likes. No vectors, no shortcuts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.cases import Absent
from peers import Counts, Frame
from peers.numba_loop import plane
from render import machine

if TYPE_CHECKING:
    import numpy as np

NAME, CORES, WHY = "Taichi", "all", "its compiler fuses and reorders what it likes (fast-math, its default)"


def build(frame: Frame) -> Counts:
    """Start Taichi and make the kernel, which it compiles when it first runs. Raises Absent."""
    try:
        import taichi as ti
    except ImportError as error:
        raise Absent(f"taichi is not installed ({error}): pip install 'render[bench]'") from error
    real = ti.f32 if frame.precision == "f32" else ti.f64
    ti.init(arch=ti.cpu, cpu_max_num_threads=machine.cpus(), default_fp=real, log_level=ti.ERROR, offline_cache=False)
    width, height, limit = frame.width, frame.height, frame.limit

    def paint(out, xs, ys):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
        for j, i in ti.ndrange(height, width):
            cx, cy = xs[i], ys[j]
            x, y = ti.cast(0, real), ti.cast(0, real)
            xx, yy = ti.cast(0, real), ti.cast(0, real)
            steps = 0
            while steps < limit and xx + yy <= 4:
                y = (x + x) * y + cy
                x = xx - yy + cx
                xx = x * x
                yy = y * y
                steps += 1
            out[j, i] = steps

    lines = ti.types.ndarray(dtype=real, ndim=1)
    paint.__annotations__ = {"out": ti.types.ndarray(dtype=ti.i32, ndim=2), "xs": lines, "ys": lines}
    kernel: Any = ti.kernel(paint)
    xs, ys = plane(frame)

    def counts(out: np.ndarray) -> None:
        kernel(out, xs, ys)
        ti.sync()

    return counts
