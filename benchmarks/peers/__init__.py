"""Others who paint the Mandelbrot set, each a file written as its own community would write it well.

A peer has a docstring (its first line says what it is, the rest what it does not do), and

    NAME        how reports call it
    CORES       "one" or "all": what it uses
    WHY         why its counts may differ from the program's; None where they must be equal
    build(frame) -> Callable[[np.ndarray], None]     raises Absent with the reason

What `build` returns writes the steps of every pixel, and nothing else, into (height, width) int32: the smallest n for
which |z_n| > 2, else the limit; z_0 = 0. It runs once before it is timed, so what compiles has compiled.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import numpy as np

Counts = Callable[["np.ndarray"], None]

UNFUSED = "it rounds products before it adds them, and the program does not (fma)"


class Frame(NamedTuple):
    """What is painted: pixel (i, j) stands for x0 + (i + 0.5 - width / 2) pitch, y0 + (height / 2 - j - 0.5) pitch."""

    width: int
    height: int
    x0: float
    y0: float
    pitch: float
    limit: int
    precision: str  # "f32" or "f64"


def names() -> list[str]:
    """List all peers."""
    return sorted(path.stem for path in Path(__file__).parent.glob("[!_]*.py"))


def load(name: str) -> Any:
    """Load a peer's file, which imports nothing heavy before `build`."""
    return import_module(f"peers.{name}")
