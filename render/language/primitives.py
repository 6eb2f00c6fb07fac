"""The primitive words of the lane vocabulary: what every target must provide, and what they mean.

Here they are for plain Python, one lane at a time, on numpy scalars (`np.float32` or `np.float64`, integers of the
same width, `np.bool_` for masks). `words(real)` gives them bound to one precision, which is what target `python`
runs; the module's own functions look at their operands and are what a scene's `prepare` calls. The numba targets
replace each of them by the LLVM instruction that IEEE 754 fixes (`render.codegen.lane_primitives`).
"""

from __future__ import annotations

import builtins
import ctypes
import math
import sys
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

Lane = Any  # one lane (numpy scalar), a vector of lanes or a CUDA thread's value; the target decides
Real = Any  # np.float32 or np.float64
INTEGER_OF: dict[Real, Any] = {np.float32: np.int32, np.float64: np.int64}


def _library_fma(name: str, kind: Any) -> Callable[..., float] | None:
    """Load `fma` or `fmaf` of the C library, called with the GIL held (0.3 us a call); None where there is none."""
    library = "ucrtbase" if sys.platform == "win32" else None
    try:
        call = getattr(ctypes.PyDLL(library), name)
    except (OSError, AttributeError):
        return None
    call.restype = kind
    call.argtypes = [kind] * 3
    return call  # type: ignore[no-any-return]


def _odd_fma32(a: float, b: float, c: float) -> float:
    """Compute a float32 fma in float64: the exact product, a sum rounded to odd, one rounding at the end.

    Boldo and Melquiond, "Emulation of FMA and correctly rounded sums", IEEE TC 57(4), 2008.
    """
    product = a * b  # 24 + 24 bits fit into 53
    total = product + c
    if math.isfinite(total):
        back = total - product
        error = (product - (total - back)) + (c - back)
        if error and not int(math.frexp(total)[0] * (1 << 53)) & 1:
            total = math.nextafter(total, math.inf if error > 0 else -math.inf)
    return total


def _math_fma(a: float, b: float, c: float) -> float:
    """Call `math.fma` (Python 3.13), with IEEE results in place of its exceptions."""
    try:
        return math.fma(a, b, c)  # type: ignore[attr-defined,no-any-return]
    except OverflowError:
        return math.copysign(math.inf, a * b + c)  # rounded twice, the sum may be finite; its sign is right
    except ValueError:
        return math.nan


HARD = (  # a, b, c, result: each wrong by one unit where the product, or the sum, is rounded on the way
    (np.float64, 1 + 2.0**-27, 1 + 2.0**-27, -1 - 2.0**-26, 2.0**-54),
    (np.float64, 1 + 2.0**-52, 1 - 2.0**-53, -1.0, 2.0**-53 - 2.0**-105),
    (np.float32, 1 + 2.0**-12, 1 + 2.0**-12, -1 - 2.0**-11, 2.0**-24),
    (np.float32, 1 + 2.0**-23, 2.0**-24 - 2.0**-47, 1 + 2.0**-23, 1 + 2.0**-23),  # through float64: 1 + 2^-22
)


@cache
def exact_fma(real: Real) -> Callable[..., float]:
    """Find a multiply-add that rounds once: the C library's, or one made here where that fails the hard cases."""
    name, kind = ("fmaf", ctypes.c_float) if real is np.float32 else ("fma", ctypes.c_double)
    own = _odd_fma32 if real is np.float32 else _math_fma
    for call in (_library_fma(name, kind), own):
        if call and all(real(call(a, b, c)) == real(exact) for kind_, a, b, c, exact in HARD if kind_ is real):
            return call
    raise RuntimeError("this machine's C library has no correct fma; Python 3.13 or later brings its own")


@cache
def words(real: Real) -> dict[str, Callable[..., Any]]:
    """Bind the primitive words to one precision, by name. Results are of type `real`, its integer, or np.bool_."""
    integer = INTEGER_OF[real]
    multiply_add = exact_fma(real)
    lowest, highest = int(np.iinfo(integer).min), int(np.iinfo(integer).max)

    def fma(a: Lane, b: Lane, c: Lane) -> Lane:
        return real(multiply_add(float(a), float(b), float(c)))

    def sqrt(a: Lane) -> Lane:
        return np.sqrt(real(a))

    def abs(a: Lane) -> Lane:
        return builtins.abs(real(a))

    def floor(a: Lane) -> Lane:
        return np.floor(real(a))

    def minimum(a: Lane, b: Lane) -> Lane:
        a, b = real(a), real(b)
        return a if a < b else b

    def maximum(a: Lane, b: Lane) -> Lane:
        a, b = real(a), real(b)
        return a if a > b else b

    def where(mask: Lane, a: Lane, b: Lane) -> Lane:
        chosen, other = (a, b) if mask else (b, a)
        kind = type(chosen)
        if kind is real or kind is integer or kind is np.bool_:
            return chosen
        kind = type(other)
        return kind(chosen) if kind is integer or kind is np.bool_ else real(chosen)

    def any_lane(mask: Lane) -> bool:
        return bool(mask)

    def to_int(a: Lane) -> Lane:
        if a != a:
            return integer(0)
        return integer(highest if a >= highest else lowest if a <= lowest else int(a))

    def take(array: Any, index: Lane) -> Lane:
        return real(array[min(max(int(to_int(index)), 0), len(array) - 1)])

    def to_real(i: Lane) -> Lane:
        return real(i)

    def bits(a: Lane) -> Lane:
        return real(a).view(integer)

    def from_bits(i: Lane) -> Lane:
        return integer(i).view(real)

    return {name: word for name, word in locals().items() if name in NAMES}


def _precision(*operands: Any) -> Real:
    return np.float32 if any(isinstance(a, (np.float32, np.int32)) for a in operands) else np.float64


def fma(a: Lane, b: Lane, c: Lane) -> Lane:
    """a * b + c with one rounding (IEEE 754-2019, 5.4.1)."""
    return words(_precision(a, b, c))["fma"](a, b, c)


def sqrt(a: Lane) -> Lane:
    """The correctly rounded square root; NaN below zero."""
    return words(_precision(a))["sqrt"](a)


def abs(a: Lane) -> Lane:
    """The magnitude of a; clears the sign bit."""
    return words(_precision(a))["abs"](a)


def floor(a: Lane) -> Lane:
    """The largest whole number not above a, still real."""
    return words(_precision(a))["floor"](a)


def minimum(a: Lane, b: Lane) -> Lane:
    """The smaller of a and b: where(a < b, a, b)."""
    return words(_precision(a, b))["minimum"](a, b)


def maximum(a: Lane, b: Lane) -> Lane:
    """The larger of a and b: where(a > b, a, b)."""
    return words(_precision(a, b))["maximum"](a, b)


def where(mask: Lane, a: Lane, b: Lane) -> Lane:
    """A where the mask is true, b elsewhere."""
    return words(_precision(a, b))["where"](mask, a, b)


def any_lane(mask: Lane) -> bool:
    """Test whether the mask is true in any lane. Use it to save work only: it must not change a lane's result."""
    return bool(mask)


def take(array: Any, index: Lane) -> Lane:
    """array[floor(index)], the index clamped to the array; NaN counts as 0."""
    return words(_precision(index))["take"](array, index)


def to_int(a: Lane) -> Lane:
    """A truncated to an integer of the same width, saturating; NaN gives 0."""
    return words(_precision(a))["to_int"](a)


def to_real(i: Lane) -> Lane:
    """The real nearest to the integer i."""
    return words(_precision(i))["to_real"](i)


def bits(a: Lane) -> Lane:
    """The bit pattern of a as an integer of the same width."""
    return words(_precision(a))["bits"](a)


def from_bits(i: Lane) -> Lane:
    """The real whose bit pattern is i."""
    return words(_precision(i))["from_bits"](i)


NAMES = {
    *("fma", "sqrt", "abs", "floor", "minimum", "maximum", "where", "any_lane"),
    *("take", "to_int", "to_real", "bits", "from_bits"),
}
