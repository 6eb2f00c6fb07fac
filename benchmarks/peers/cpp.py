"""C++ with intrinsics (`references/mandelbrot.cpp`): AVX-512 or AVX2, four vectors in flight, a test at every step.

One thread. Lanes that have ended idle until the last of their vectors has; no shortcuts, no colours. It is built here
for this CPU, where a compiler is to be found.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.cases import Absent
from harness.scratch import build_once
from peers import Counts, Frame

if TYPE_CHECKING:
    import numpy as np

NAME, CORES, WHY = "C++ intrinsics", "one", None
SOURCE = Path(__file__).parent.parent / "references" / "mandelbrot.cpp"
FLAGS = ("-O3", "-march=native", "-ffp-contract=off", "-std=c++17", "-shared", "-fPIC")
COMPILERS = ("g++", "clang++", "c++")
PRECISIONS = ("f32", "f64")


def compiler() -> str:
    """Find the C++ compiler of this machine; CXX comes first. Raises Absent."""
    chosen = os.environ.get("CXX")
    found = shutil.which(chosen) if chosen else next(filter(None, map(shutil.which, COMPILERS)), None)
    if found is None:
        missing = f"CXX, which is {chosen}, names no program" if chosen else f"there is no {' or '.join(COMPILERS)}"
        raise Absent(f"no C++ compiler: {missing}")
    return found


def compile_to(library: Path) -> None:
    """Compile the source. Raises Absent with the compiler's first error."""
    program = compiler()
    made = subprocess.run(  # noqa: S603  (the compiler that the user has chosen)
        [program, *FLAGS, str(SOURCE), "-o", str(library)], capture_output=True, text=True, check=False
    )
    if made.returncode:
        why = next((line for line in made.stderr.splitlines() if "error" in line), f"exit code {made.returncode}")
        raise Absent(f"{Path(program).name} fails: {why.replace(str(SOURCE), SOURCE.name)}")


class HandWritten:
    """The C++ loop: `counts(...)`, and `issue(...)` for the core's limit. Raises Absent where it cannot be built."""

    def __init__(self) -> None:
        self.library = ctypes.CDLL(str(build_once(SOURCE, compile_to)))
        self.library.instructions.restype = ctypes.c_char_p
        self.instructions = self.library.instructions().decode()
        real, whole = ctypes.c_double, ctypes.c_int
        for bits in PRECISIONS:
            paint, issue = self._function("paint", bits), self._function("issue", bits)
            paint.argtypes = [ctypes.c_void_p, whole, whole, real, real, real, real, whole, whole]
            paint.restype = None
            issue.argtypes, issue.restype = [ctypes.c_long, whole, real, real], real

    def _function(self, name: str, precision: str) -> Any:
        return getattr(self.library, f"{name}_{precision}")

    def counts(self, frame: Frame, out: np.ndarray, *, test: bool = True) -> None:
        """Write the steps of every pixel into (height, width) int32; without a test, all points must be inside."""
        place = frame.width, frame.height, frame.x0, frame.y0, frame.pitch
        self._function("paint", frame.precision)(out.ctypes.data, *place, 4.0, frame.limit, test)

    def issue(self, precision: str, rounds: int, sums: bool) -> int:  # noqa: FBT001  (one signature with numba's)
        """Issue so many rounds of independent fma, and sums if wanted; return how many lanes a vector has."""
        self._function("issue", precision)(rounds, sums, 0.999, 0.001)
        return int(self._function("lanes", precision)())


def build(frame: Frame) -> Counts:
    """Compile it, once for all processes of a run. Raises Absent."""
    loop = HandWritten()
    return lambda out: loop.counts(frame, out)
