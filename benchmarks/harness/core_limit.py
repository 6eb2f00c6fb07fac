"""What a core can at most: how many independent vector fma, and sums, it issues in a time.

A step of the Mandelbrot set is 3 fma and 1 sum. The loop here makes nothing but such groups, none of which waits for
another, so it is faster than any loop that steps real points.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from harness.compiled import compiled
from render.codegen import cpu_compiler, host
from render.kernels.slots import patch, reals, total
from render.language.primitives import fma, to_int
from render.scene import REALS


class Rounds(NamedTuple):
    """The arguments of `independent`."""

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
    """Count how many lanes the widest vector register of this CPU holds."""
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
