"""Derive the polynomials and constants of `render/language/`; prints them.

    python benchmarks/derive_elementary.py

Each polynomial is a minimax fit (Remez's exchange on a fine grid, in 60 digits), weighted so that what is small is
the relative error of the whole function. Its coefficients are rounded to the precision that uses them from the
lowest up, and those above are fitted again each time, so rounding costs next to nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import NamedTuple

import mpmath
import numpy as np
from mpmath import mpf

Function = Callable[[mpf], mpf]
Real = type[np.floating]
REALS: tuple[Real, Real] = (np.float64, np.float32)
GRID = 128  # even, so that 0 is no point of a symmetric interval
DIGITS = mpmath.workdps(60)  # whatever precision the caller works in, the last place of a fit depends on it


class Kernel(NamedTuple):
    """A function to fit: `of(x)` on [low, high], with `weight(x)` turning its error into that of the whole."""

    of: Function
    weight: Function
    low: mpf
    high: mpf


def _atanh_share() -> Kernel:
    scale = 2 / mpmath.log(2)  # log2(m) = scale * atanh(s), s = (m - 1) / (m + 1), z = s * s
    high = ((mpmath.sqrt(2) - 1) / (mpmath.sqrt(2) + 1)) ** 2

    def of(z: mpf) -> mpf:
        s = mpmath.sqrt(z)
        return scale * (mpmath.atanh(s) / s - 1) / z

    return Kernel(of, lambda z: z / scale, high / 1000, high)


@DIGITS
def kernels() -> dict[str, Kernel]:
    """List what is fitted, by the name of the function that uses it."""
    quarter = (mpmath.pi / 4) ** 2
    eighth = mpmath.tan(mpmath.pi / 8) ** 2
    half = mpf("0.501")
    root = mpmath.sqrt
    return {
        "exp2_series": Kernel(lambda f: (2**f - 1) / f, lambda f: abs(f) / 2**f, -half, half),
        "log2_series": _atanh_share(),
        "sin_series": Kernel(lambda z: (mpmath.sin(root(z)) / root(z) - 1) / z, lambda z: z, quarter / 1000, quarter),
        "cos_series": Kernel(
            lambda z: (mpmath.cos(root(z)) - 1 + z / 2) / z**2, lambda z: z**2, quarter / 1000, quarter
        ),
        "atan_series": Kernel(lambda z: (mpmath.atan(root(z)) / root(z) - 1) / z, lambda z: z, eighth / 1000, eighth),
        "rough_log2_series": Kernel(lambda t: mpmath.log(1 + t, 2) / t, abs, root(mpf(1) / 2) - 1, root(mpf(2)) - 1),
    }


DEGREES = {  # (float64, float32): the lowest that leave 2^-57 and 2^-28 or less; for log2 2^-64 and 2^-36, see power
    "exp2_series": (11, 5),
    "log2_series": (7, 3),
    "sin_series": (5, 2),
    "cos_series": (5, 2),
    "atan_series": (10, 4),
    "rough_log2_series": (7, 7),  # 2^-24 in both
}


def horner(coefficients: list[mpf], x: mpf) -> mpf:
    """The polynomial with these coefficients, the lowest first, at x."""
    total = mpf(0)
    for coefficient in reversed(coefficients):
        total = total * x + coefficient
    return total


def minimax(points: list[mpf], values: list[mpf], weights: list[mpf], degree: int) -> list[mpf]:
    """Remez's exchange on a grid: the polynomial whose largest weighted error over the points is smallest."""
    count = degree + 2
    chosen = [round((1 - np.cos(np.pi * k / (count - 1))) / 2 * (len(points) - 1)) for k in range(count)]
    best, smallest = [], mpf("inf")
    for _ in range(40):
        rows = [[points[i] ** j for j in range(degree + 1)] + [(-1) ** k / weights[i]] for k, i in enumerate(chosen)]
        *solution, level = mpmath.lu_solve(mpmath.matrix(rows), mpmath.matrix([values[i] for i in chosen]))
        errors = [w * (horner(solution, x) - v) for x, v, w in zip(points, values, weights, strict=True)]
        largest = max(abs(error) for error in errors)
        if largest < smallest:
            best, smallest = solution, largest
        if largest < abs(level) * mpf("1.001"):  # nothing can be better than level
            break
        chosen = alternation(errors, count)
    return best


def alternation(errors: list[mpf], count: int) -> list[int]:
    """The places of `count` errors that alternate in sign, each the largest of its run."""
    peaks: list[int] = []
    for i, error in enumerate(errors):
        if peaks and (error > 0) == (errors[peaks[-1]] > 0):
            if abs(error) > abs(errors[peaks[-1]]):
                peaks[-1] = i
        else:
            peaks.append(i)
    while len(peaks) > count:
        if len(peaks) == count + 1:  # one too many stands at an end
            del peaks[0 if abs(errors[peaks[0]]) < abs(errors[peaks[-1]]) else -1]
        else:  # two neighbours go together, so the signs still alternate
            pairs = [max(abs(errors[i]), abs(errors[j])) for i, j in pairwise(peaks)]
            low = pairs.index(min(pairs))
            del peaks[low : low + 2]
    return peaks


@DIGITS
def fit(kernel: Kernel, degree: int, real: Real) -> tuple[list[float], float]:
    """Coefficients in precision `real`, the lowest first, and the binary logarithm of the largest weighted error."""
    span = kernel.high - kernel.low
    points = [kernel.low + span * (1 - mpmath.cos(mpmath.pi * i / (GRID - 1))) / 2 for i in range(GRID)]
    values, weights = [kernel.of(x) for x in points], [kernel.weight(x) for x in points]
    fixed: list[mpf] = []
    rest, scales = values, weights
    for left in range(degree, -1, -1):
        fixed.append(mpf(float(real(minimax(points, rest, scales, left)[0]))))
        rest = [(v - fixed[-1]) / x for x, v in zip(points, rest, strict=True)]
        scales = [w * abs(x) for x, w in zip(points, scales, strict=True)]
    worst = max(abs(w * (horner(fixed, x) - v)) for x, v, w in zip(points, values, weights, strict=True))
    return [float(c) for c in fixed], float(mpmath.log(worst, 2))


@DIGITS
def parts(value: mpf, count: int, real: Real) -> list[float]:
    """The value as a sum of reals, each the nearest to what the ones before leave."""
    found: list[float] = []
    for _ in range(count):
        found.append(float(real(value)))
        value -= mpf(found[-1])
    return found


@DIGITS
def constants() -> dict[str, tuple[mpf, int]]:
    """Constants that the functions take in several parts, and in how many."""
    log = mpmath.log
    return {
        "2 / ln 2": (2 / log(2), 2),
        "1 / ln 2": (1 / log(2), 2),
        "ln 2": (log(2), 2),
        "pi / 2": (mpmath.pi / 2, 3),
        "pi / 4": (mpmath.pi / 4, 2),
    }


def main() -> None:
    """Print each polynomial with its error, then the constants."""
    for name, kernel in kernels().items():
        for degree, real in zip(DEGREES[name], REALS, strict=True):
            coefficients, bits = fit(kernel, degree, real)
            print(f"{name}, {real.__name__}, degree {degree}: largest error 2^{bits:.1f}")
            for coefficient in reversed(coefficients):
                print(f"    {shown(coefficient, real)}")
    for name, (value, count) in constants().items():
        for real in REALS:
            print(f"{name}, {real.__name__}: " + ", ".join(shown(part, real) for part in parts(value, count, real)))


def shown(value: float, real: Real) -> str:
    """The shortest decimal that reads back as this real."""
    return repr(float(str(real(value))))


if __name__ == "__main__":
    main()
