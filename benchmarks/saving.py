"""Measure what saving a picture costs: filters and levels of PNG, time for picture and trace. Sets render.pictures.

    python benchmarks/saving.py [SIZE] [TIMES]

For the first view of each scene (SIZE, four samples): kilobytes and milliseconds for each filter and level, one
thread, filtering not counted; then those of what is used, whose pixels must come back before a time counts, with all
threads. At the end the time from a painted frame to its PNG and its saved trace, against its limit. Milliseconds are
the least of TIMES.
"""

from __future__ import annotations

import platform
import sys
import time
from collections.abc import Callable
from copy import copy
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
from isal import isal_zlib

from render import engine, machine, scene
from render.frame import Frame, Frames
from render.options import complete
from render.outputs import png, trace
from render.pictures import picture

FILTERS = ("none", "sub", "up", "average", "paeth")
LEVELS = (0, 1, 2, 3)
LIMIT_MS = 20.0


def filtered(rgb: np.ndarray) -> dict[str, bytes]:
    """All rows by each filter (PNG, third edition, section 9)."""
    height, width, _ = rgb.shape
    x = rgb.reshape(height, width * 3).astype(np.int16)
    a, b, c = np.zeros_like(x), np.zeros_like(x), np.zeros_like(x)
    a[:, 3:], b[1:], c[1:, 3:] = x[:, :-3], x[:-1], x[:-1, :-3]
    estimate = a + b - c
    to_a, to_b, to_c = abs(estimate - a), abs(estimate - b), abs(estimate - c)
    nearest = np.where((to_a <= to_b) & (to_a <= to_c), a, np.where(to_b <= to_c, b, c))
    rows = (x, x - a, x - b, x - (a + b) // 2, x - nearest)
    return {
        name: np.insert(row.astype(np.uint8), 0, kind, axis=1).tobytes()
        for kind, (name, row) in enumerate(zip(FILTERS, rows, strict=True))
    }


def least(times: int, work: Callable[[], Any]) -> tuple[float, Any]:
    """Milliseconds, and what came of it."""
    found, best = None, float("inf")
    for _ in range(times):
        t0 = time.perf_counter()
        found = work()
        best = min(best, time.perf_counter() - t0)
    return best * 1e3, found


def files(frame: Frame) -> int:
    """The bytes of picture and trace, made from a frame of which nothing is known yet."""
    fresh = replace(frame)
    return len(png.write(Frames((fresh,)))) + len(trace.write(Frames((fresh.with_trace(copy(frame.trace)),))))


def main(size: str, times: int) -> int:
    """Print a table for each scene."""
    print(f"{machine.cpu_name()}, {machine.cpus()} CPUs, Python {platform.python_version()}, {size}, least of {times}")
    slow = False
    for name in scene.names():
        frame = engine.draw(complete(scene=name, size=size))
        print(f"\n{name:10}" + "".join(f"         level {level}" for level in LEVELS))
        for kind, rows in filtered(frame.rgb).items():
            found = [least(times, partial(isal_zlib.compress, rows, level)) for level in LEVELS]
            print(f"{kind:10}" + "".join(f"{taken:6.1f} ms{len(made) / 1e3:6.0f} kB" for taken, made in found))
        taken, data = least(times, partial(picture.encode_png, frame.rgb))
        if not np.array_equal(picture.decode(data).rgb, frame.rgb):
            sys.exit(f"{name}: the pixels do not come back: no figure")
        print(f"as used   {taken:6.1f} ms{len(data) / 1e3:6.0f} kB")
        both = [(samples, engine.draw(complete(scene=name, size=size, samples=samples))) for samples in (1, 4)]
        for samples, one in both:
            taken, count = least(times, partial(files, one))
            slow |= taken > LIMIT_MS
            print(f"picture and trace, {samples} samples: {taken:.1f} ms ({LIMIT_MS:g}), {count / 1e3:.0f} kB")
    return int(slow)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else "1920x1080", int(sys.argv[2]) if len(sys.argv) > 2 else 9))
