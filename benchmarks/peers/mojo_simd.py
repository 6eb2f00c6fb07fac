"""Mojo, explicit vectors (`references/mandelbrot.mojo`).

One thread: the standard library of the package `mojo` has no `parallelize` any more. fma as the program has it. Lanes
that have ended idle until the last of their vectors has; no shortcuts, no colours.
"""

from __future__ import annotations

import ctypes
import subprocess
import sys
from pathlib import Path
from shutil import which
from typing import TYPE_CHECKING

from harness.cases import Absent
from harness.scratch import build_once
from peers import Counts, Frame

if TYPE_CHECKING:
    import numpy as np

NAME, CORES, WHY = "Mojo", "one", "it places its pixels without fma"
SOURCE = Path(__file__).parent.parent / "references" / "mandelbrot.mojo"


def compiler() -> str:
    """Find the Mojo compiler: beside this Python, where pip puts it, or on the path. Raises Absent."""
    found = which("mojo", path=str(Path(sys.executable).parent)) or which("mojo")
    if found is None:
        raise Absent("mojo is not installed: pip install 'render[bench]'")
    return found


def compile_to(library: Path) -> None:
    """Compile the source. Raises Absent with the compiler's first error."""
    made = subprocess.run(  # noqa: S603  (the compiler that the user has installed)
        [compiler(), "build", "--emit", "shared-lib", str(SOURCE), "-o", str(library)],
        capture_output=True,
        text=True,
        check=False,
    )
    if made.returncode:
        why = next((line for line in made.stderr.splitlines() if "error" in line), f"exit code {made.returncode}")
        raise Absent(f"mojo fails: {why.replace(str(SOURCE), SOURCE.name)}")


def build(frame: Frame) -> Counts:
    """Compile it, once for all processes of a run. Raises Absent."""
    library = ctypes.CDLL(str(build_once(SOURCE, compile_to)))
    paint = {"f64": library.paint_f64, "f32": library.paint_f32}[frame.precision]
    paint.argtypes = [ctypes.c_ssize_t] * 3 + [ctypes.c_double] * 3 + [ctypes.c_ssize_t]
    paint.restype = None
    place = frame.x0, frame.y0, frame.pitch, frame.limit

    def counts(out: np.ndarray) -> None:
        paint(out.ctypes.data, frame.width, frame.height, *place)

    return counts
