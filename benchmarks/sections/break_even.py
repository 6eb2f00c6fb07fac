"""The smallest frame at which each mode wins.

The same view at growing sizes in every mode, drawn in a session: below some size, starting workers costs more than they
bring. The report draws the curves and says where they cross on this machine.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial

from harness.cases import Case, Group, Missing
from sections.modes import WAYS, prepare_modes

SIZES = ((32, 18), (64, 36), (128, 72), (256, 144), (512, 288), (1024, 576))


def groups(quick: bool) -> Iterator[Group]:  # noqa: FBT001  (one signature for all sections)
    """One group for each size; in quick three that take little time."""
    for size in SIZES[:5:2] if quick else SIZES:
        name, prepared = f"{size[0]}x{size[1]}", partial(prepare, size)
        yield Group(name, tuple(WAYS), prepared, "sequential", "cores", seconds=1.5)


def prepare(size: tuple[int, int], stack: ExitStack) -> Iterator[Case | Missing]:
    """Every mode paints the race's view with four samples."""
    yield from prepare_modes({"scene": "mandelbrot", "view": "seahorses", "samples": 4, "size": size}, stack)
