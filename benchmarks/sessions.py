"""What a frame costs besides its painting: drawn alone, and in a session.

    python benchmarks/sessions.py [TIMES]

For each mode of the CPU, 256 x 256 pixels of the Mandelbrot set at another zoom each time: milliseconds of the call
less those from the first tile's start to the last one's end, the least and the median of TIMES calls. `window` paints
a window of a single pixel of a world of 2^31 x 2^31.
"""

from __future__ import annotations

import platform
import sys
from collections.abc import Callable
from statistics import median
from time import perf_counter
from typing import Any

import render
from render import machine, stats

SIZE = (256, 256)
MODES: dict[str, dict[str, Any]] = {
    "sequential": {"mode": "sequential"},
    "concurrent": {"mode": "concurrent"},
    "threading": {"mode": "parallel", "backend": "threading"},
    "loky": {"mode": "parallel", "backend": "loky"},
}


def besides(draw: Callable[..., render.Frame], times: int, **asked: Any) -> list[float]:
    """Milliseconds of each call but for its painting; one call before them is not counted."""
    taken = []
    for turn in range(times + 1):
        t0 = perf_counter()
        frame = draw(parameters={"zoom": 1 + turn / times}, **asked)
        taken.append(1e3 * (perf_counter() - t0 - stats.of(frame.trace).seconds["paint"]))
    return taken[1:]


def windows(times: int) -> list[float]:
    """Milliseconds of each window of one pixel, outside of the set."""
    with render.session(mode="sequential", size=1 << 31) as s:
        taken = []
        for x in range(times + 1):
            t0 = perf_counter()
            s.window(x, 0, 1, 1)
            taken.append(1e3 * (perf_counter() - t0))
    return taken[1:]


def line(what: str, taken: list[float]) -> str:
    """One row of the table."""
    return f"{what:22}{min(taken):8.2f}{median(taken):8.2f}"


def main(times: int) -> None:
    """Print one line for each mode and way."""
    print(f"{machine.cpu_name()}, {machine.cpus()} CPUs, Python {platform.python_version()}, {times} calls")
    print("ms besides painting      least  median")
    for name, how in MODES.items():
        print(line(f"{name}, alone", besides(render.draw, times, size=SIZE, **how)))
        with render.session(size=SIZE, **how) as s:
            print(line(f"{name}, session", besides(s.draw, times)))
    print(line("window", windows(times)))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 30)
