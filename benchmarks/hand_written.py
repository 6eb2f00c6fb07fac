"""What the program is measured against on the Mandelbrot set: a C++ loop, a plain numba loop, and the core's limit.

The C++ stands in `references/mandelbrot.cpp`; it is built here for this CPU, where a compiler is to be found. All of
them write the steps of one sample a pixel, and nothing else.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numba
from compiled import compiled
from numba.core import types
from numba.extending import intrinsic

from render.codegen import cpu_compiler, host
from render.kernels.slots import patch, reals, total
from render.language.primitives import fma, to_int
from render.request import Request
from render.sampling import grid
from render.scene import REALS

if TYPE_CHECKING:
    import numpy as np

SOURCE = Path(__file__).parent / "references" / "mandelbrot.cpp"
FLAGS = ("-O3", "-march=native", "-ffp-contract=off", "-std=c++17", "-shared", "-fPIC")
COMPILERS = ("g++", "clang++", "c++")
CHAINS = 9  # of fma, and a third as many of sums, that wait for nothing but themselves


class Absent(Exception):
    """Why a reference cannot be had here."""


def compiler() -> str:
    """The C++ compiler of this machine; CXX comes first. Raises Absent."""
    chosen = os.environ.get("CXX")
    found = shutil.which(chosen) if chosen else next(filter(None, map(shutil.which, COMPILERS)), None)
    if found is None:
        raise Absent(f"{chosen or 'none of ' + ', '.join(COMPILERS)} is not installed")
    return found


class HandWritten:
    """The C++ loop: `counts(...)`, and `issue(...)` for the core's limit. Raises Absent where it cannot be built."""

    def __init__(self) -> None:
        program = compiler()
        with tempfile.TemporaryDirectory() as folder:
            library = Path(folder) / "mandelbrot.so"
            made = subprocess.run(  # noqa: S603  (the compiler that the user has chosen)
                [program, *FLAGS, str(SOURCE), "-o", str(library)], capture_output=True, text=True, check=False
            )
            if made.returncode:
                why = next(
                    (line for line in made.stderr.splitlines() if "error" in line), f"exit code {made.returncode}"
                )
                raise Absent(f"{Path(program).name} fails: {why.replace(str(SOURCE), SOURCE.name)}")
            self.library = ctypes.CDLL(str(library))
        self.library.instructions.restype = ctypes.c_char_p
        self.name = f"C++, {self.library.instructions().decode()}, 4 vectors"
        real, whole = ctypes.c_double, ctypes.c_int
        for bits in REALS:
            paint, issue = self._function("paint", bits), self._function("issue", bits)
            paint.argtypes = [ctypes.c_void_p, whole, whole, real, real, real, real, whole, whole]
            paint.restype = None
            issue.argtypes, issue.restype = [ctypes.c_long, whole, real, real], real

    def _function(self, name: str, precision: str) -> Any:
        return getattr(self.library, f"{name}_{precision}")

    def counts(self, request: Request, out: np.ndarray, *, test: bool = True) -> None:
        """The steps of every pixel, into (height, width) int32; without a test, all points must be inside."""
        at, bailout = grid(request), REALS[request.precision](request.values["bailout"])
        self._function("paint", request.precision)(
            out.ctypes.data,
            request.width,
            request.height,
            at.x0,
            at.y0,
            at.pitch,
            bailout * bailout,
            request.limit,
            test,
        )

    def issue(self, precision: str, rounds: int, sums: bool) -> int:  # noqa: FBT001  (one signature with numba's)
        """So many rounds of independent fma, and sums if wanted; gives how many lanes a vector has."""
        self._function("issue", precision)(rounds, sums, 0.999, 0.001)
        return int(self._function("lanes", precision)())


@intrinsic
def _fma(typingctx: Any, a: Any, b: Any, c: Any) -> Any:
    """A * b + c, rounded once, which numba itself does not offer."""

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        return builder.fma(*args)

    return types.float64(types.float64, types.float64, types.float64), codegen


@numba.njit(nogil=True)
def _plain(out: np.ndarray, x0: float, y0: float, pitch: float, reach: float, limit: int) -> None:
    height, width = out.shape
    for j in range(height):
        cy = _fma(height / 2 - j - 0.5, pitch, y0)
        for i in range(width):
            cx = _fma(i + 0.5 - width / 2, pitch, x0)
            x = y = 0.0
            steps = 0
            while steps < limit and _fma(x, x, y * y) <= reach:
                part = _fma(-y, y, cx)
                y = _fma(x + x, y, cy)
                x = _fma(x, x, part)
                steps += 1
            out[j, i] = steps


def plain_counts(request: Request, out: np.ndarray) -> None:
    """The same by the loop that everybody writes first, in numba, one sample at a time; float64 only."""
    at, bailout = grid(request), float(request.values["bailout"])
    _plain(out, float(at.x0), float(at.y0), float(at.pitch), bailout * bailout, request.limit)


# --- the core's limit ---------------------------------------------------------------------------------------


class Rounds(NamedTuple):
    """What `independent` is told."""

    rounds: Any
    sums: Any
    scale: Any
    shift: Any


def independent(at: Any) -> int:
    """Nine chains of fma and, if asked for, three of sums: no instruction waits for one in another chain."""
    a, row = patch()
    scale, shift = reals(at.scale), reals(at.shift)
    b, c, d, e, f, g, h, i = a + 1.0, a + 2.0, a + 3.0, a + 4.0, a + 5.0, a + 6.0, a + 7.0, a + 8.0
    k, m, n = row, row + 1.0, row + 2.0
    if at.sums:
        for _ in range(at.rounds):
            a, b, c = fma(a, scale, shift), fma(b, scale, shift), fma(c, scale, shift)
            d, e, f = fma(d, scale, shift), fma(e, scale, shift), fma(f, scale, shift)
            g, h, i = fma(g, scale, shift), fma(h, scale, shift), fma(i, scale, shift)
            k, m, n = k + shift, m + shift, n + shift
    else:
        for _ in range(at.rounds):
            a, b, c = fma(a, scale, shift), fma(b, scale, shift), fma(c, scale, shift)
            d, e, f = fma(d, scale, shift), fma(e, scale, shift), fma(f, scale, shift)
            g, h, i = fma(g, scale, shift), fma(h, scale, shift), fma(i, scale, shift)
    return total(to_int(a + b + c + d + e + f + g + h + i + k + m + n))


def vector_lanes(precision: str) -> int:
    """How many lanes the widest vector register of this CPU holds."""
    have = host.cpu_features()
    bits = 512 if "avx512f" in have else 256 if "avx" in have else 128
    return bits // (64 if precision == "f64" else 32)


def numba_issue(precision: str) -> Callable[[int, bool], int]:
    """The same as `HandWritten.issue`, compiled by numba: `issue(rounds, sums)`."""
    real, lanes = REALS[precision], vector_lanes(precision)
    example = Rounds(1, 1, real(0.999), real(0.001))
    kinds = (cpu_compiler.record_type(example),)
    run = compiled(independent, (example,), kinds, precision=precision, lanes=lanes, across=4)

    def issue(rounds: int, sums: bool) -> int:  # noqa: FBT001  (one signature with C++'s)
        run(example._replace(rounds=rounds, sums=int(sums)))
        return lanes

    return issue
