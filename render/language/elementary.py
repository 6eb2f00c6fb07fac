"""Elementary functions out of the primitive words alone, so that every target gives them the same bits.

A C library's `sin` differs from a GPU's in the last place, and a picture would show it. Here all is
fma, integer and bit operations on lanes: a few exact steps bring the argument into a small interval, a polynomial
does the rest. One source serves float32 and float64. A lane shows its precision by arithmetic (`_wide`), a constant
joins it by `_own`, and compilers fold both away, with the polynomial of the other precision.

Bounds are in units in the last place (ulp) of the exact result; `tests/test_elementary.py` measures them against
mpmath. Polynomials and constants are our own fits: `benchmarks/derive_elementary.py` prints them.

A product that a sum needs is made by `fma(a, b, 0.0)`: compilers for GPUs fuse bare products into sums.
"""

from __future__ import annotations

import math

from render.language.polynomials import (
    atan_series,
    cos_series,
    exp2_series,
    is_wide,
    log2_series,
    nought,
    rough_log2_series,
    sin_series,
)
from render.language.primitives import Lane, abs, bits, floor, fma, from_bits, maximum, minimum, to_real, where

INFINITY = math.inf
NAN = math.nan
SQUARE_ROOT_OF_HALF = 0.7071067811865476

# Each constant as a sum of parts, for float64 and for float32.
TWO_OVER_LN2 = (2.8853900817779268, 4.0710547481862066e-17)
TWO_OVER_LN2_F32 = (2.88539, 3.851926e-08)
ONE_OVER_LN2 = (1.4426950408889634, 2.0355273740931033e-17)
ONE_OVER_LN2_F32 = (1.442695, 1.925963e-08)
LN2 = (0.6931471805599453, 2.3190468138462996e-17)
LN2_F32 = (0.6931472, -1.9046542e-09)
HALF_PI = (1.5707963267948966, 6.123233995736766e-17, -1.4973849048591698e-33)
HALF_PI_F32 = (1.5707964, -4.371139e-08, -1.7151245e-15)
QUARTER_PI = (0.7853981633974483, 3.061616997868383e-17)
QUARTER_PI_F32 = (0.7853982, -2.1855694e-08)
TWO_OVER_PI = 0.6366197723675814


# --- what scenes use ----------------------------------------------------------------------------------------


def exp2(x: Lane) -> Lane:
    """2 to the power x, within 1 ulp; exact where x is a whole number.

    Infinity above 1024 (float32: 128), 0 below -1075 (-150), subnormal between; NaN gives NaN.
    """
    return where(x == x, _exp2_of_sum(_within_exponents(x), nought(x)), x)


def exp(x: Lane) -> Lane:
    """e to the power x, within 1 ulp. Overflow gives infinity, underflow subnormals and 0; NaN gives NaN."""
    inside = _within_exponents(x)
    scale = _own(x, ONE_OVER_LN2[0], ONE_OVER_LN2_F32[0])
    rest = _own(x, ONE_OVER_LN2[1], ONE_OVER_LN2_F32[1])
    high = fma(inside, scale, 0.0)
    low = fma(inside, rest, fma(inside, scale, -high))
    return where(x == x, _exp2_of_sum(high, low), x)


def log2(x: Lane) -> Lane:
    """The logarithm of x to base 2, within 1 ulp, subnormal x too; exact where x is a power of two.

    Minus infinity for either zero, infinity for infinity, NaN below zero and for NaN.
    """
    rounded, _ = _log2_as_sum(x)
    return _log_with_ends(x, rounded)


def rough_log2(x: Lane) -> Lane:
    """The logarithm of x to base 2 within 2^-23 (float32: and 1 ulp), for colours: a fifth of the work of `log2`.

    For positive normal numbers only; exact where x is a power of two.
    """
    places = _mantissa_bits(x)
    exponent = (bits(x) - bits(nought(x) + SQUARE_ROOT_OF_HALF)) >> places
    t = from_bits(bits(x) - (exponent << places)) - 1.0
    return fma(t, rough_log2_series(t), to_real(exponent))


def log(x: Lane) -> Lane:
    """The natural logarithm of x, within 1 ulp, subnormal x too. Special values as for `log2`."""
    high, low = _log2_as_sum(x)
    ln2 = _own(x, LN2[0], LN2_F32[0])
    rest = _own(x, LN2[1], LN2_F32[1])
    return _log_with_ends(x, fma(high, ln2, fma(low, ln2, high * rest)))


def power(x: Lane, y: Lane) -> Lane:
    """X to the power y for x >= 0. A result 2^e is within 1 + |e| / 16 ulp: 2 where it is 2^-16 .. 2^16.

    As IEEE 754 has it: 1 where y is 0 or x is 1, whatever the other is; zero and infinity by the sign of y; NaN where
    either is NaN. A negative x gives NaN, even where y is a whole number; -0.0 counts as 0.0.
    """
    high, low = _log2_as_sum(x)
    high = _log_with_ends(x, high)
    product = fma(y, high, 0.0)
    inside = _within_exponents(product)
    rest = where(product == inside, fma(y, low, fma(y, high, -product)), nought(x))
    result = where(product == product, _exp2_of_sum(inside, rest), product)
    return where((y == 0.0) | (x == 1.0), nought(x) + 1.0, result)


def sin(x: Lane) -> Lane:
    """The sine of x in radians, within 2 ulp for |x| <= 2^30 (float32: 2^17).

    Either zero gives 0.0. A larger |x|, an infinite one and NaN give NaN: their angle would be noise.
    """
    return _sin_after(x, 0)


def cos(x: Lane) -> Lane:
    """The cosine of x in radians, within 2 ulp for |x| <= 2^30 (float32: 2^17); NaN beyond, as `sin`."""
    return _sin_after(x, 1)


def atan2(y: Lane, x: Lane) -> Lane:
    """The angle of the point (x, y) in radians, -pi .. pi, within 3 ulp.

    Zeros and infinities as IEEE 754 has them: the signs of zeros count, atan2(0, 0) is 0 and atan2(0, -0) is pi, two
    infinities make an odd multiple of pi / 4. NaN where either is NaN.
    """
    along, across = abs(x), abs(y)
    low, high = _ratio_in_range(minimum(along, across), maximum(along, across))
    steep = low > high * 0.41421356  # tan(pi / 8): then the angle is measured from pi / 4
    zero = nought(x)
    below = where(steep, low + high, high)
    t = where(steep, low - high, low) / where(below == 0.0, zero + 1.0, below)
    z = t * t
    angle = fma(t * z, atan_series(z), t)
    eighths = where(steep, zero + 1.0, zero)
    swapped = across > along
    eighths = where(swapped, 2.0 - eighths, eighths)
    angle = where(swapped, -angle, angle)
    behind = bits(x) < 0
    eighths = where(behind, 4.0 - eighths, eighths)
    angle = where(behind, -angle, angle)
    angle = fma(eighths, _own(x, QUARTER_PI[1], QUARTER_PI_F32[1]), angle)
    angle = fma(eighths, _own(x, QUARTER_PI[0], QUARTER_PI_F32[0]), angle)
    signed = from_bits(bits(angle) | (bits(y) & bits(-zero)))
    return where((x == x) & (y == y), signed, x + y)


def clamp(x: Lane, low: Lane, high: Lane) -> Lane:
    """Clamp x between low and high (low <= high); NaN gives low."""
    return minimum(maximum(x, low), high)


def mix(a: Lane, b: Lane, t: Lane) -> Lane:
    """The blend (1 - t) a + t b, within 1 ulp of the larger of a and b; exactly a at t = 0 and b at t = 1."""
    return fma(t, b, fma(-t, a, a))


def smoothstep(t: Lane) -> Lane:
    """The smooth rise 3 t^2 - 2 t^3 from 0 to 1, level at both ends; t is first held between 0 and 1, NaN as 0."""
    inside = clamp(t, 0.0, 1.0)
    return inside * inside * fma(-2.0, inside, 3.0)


def fract(x: Lane) -> Lane:
    """X less the whole number below it: 0 <= fract < 1, but 1 for a negative x too small to be told from 0.

    NaN for an infinite x and for NaN. A product goes in as `fma(a, b, 0.0)`, since x feeds a difference.
    """
    return x - floor(x)


# --- precision ----------------------------------------------------------------------------------------------


def _own(x: Lane, wide: float, narrow: float) -> Lane:
    """Choose the constant for x's precision: `wide` for float64 lanes, `narrow` for float32."""
    zero = nought(x)
    return where(is_wide(x), zero + wide, zero + narrow)


def _mantissa_bits(x: Lane) -> Lane:
    """52 or 23, as integer lanes: how far the exponent stands from the right."""
    zero = bits(x) & 0
    return where(is_wide(x), zero + 52, zero + 23)


def _rounder(x: Lane) -> Lane:
    """1.5 * 2^52 or 1.5 * 2^23. A sum with it is rounded to a whole number, which its low bits hold."""
    return _own(x, 1.5 * 2.0**52, 1.5 * 2.0**23)


# --- powers and logarithms ----------------------------------------------------------------------------------


def _within_exponents(x: Lane) -> Lane:
    """Clamp x to where 2^x and e^x have long overflowed or become 0, and half of it still is an exponent."""
    limit = _own(x, 1100.0, 160.0)
    return clamp(x, -limit, limit)


def _exp2_of_sum(high: Lane, low: Lane) -> Lane:
    """2^(high + low) for a small low: 2^whole by exponent bits, 2^f with |f| <= 1/2 by polynomial.

    The power of two comes in two halves: one alone could not reach the subnormals.
    """
    rounder = _rounder(high)
    shifted = high + rounder
    whole = bits(shifted) - bits(rounder)
    f = (high - (shifted - rounder)) + low
    result = fma(f, exp2_series(f), 1.0)
    half = whole >> 1
    return result * _two_to(half, result) * _two_to(whole - half, result)


def _two_to(i: Lane, x: Lane) -> Lane:
    """2^i for integer lanes i in the range of normal numbers, in x's precision."""
    return from_bits((i << _mantissa_bits(x)) + bits(nought(x) + 1.0))


def _log2_as_sum(x: Lane) -> tuple[Lane, Lane]:
    """log2(x) and what its rounding lost, together to 2^-60 (float32: 2^-30), for finite x > 0; else of no meaning.

    x = 2^k m with sqrt(1/2) <= m < sqrt(2); log2(m) = 2 / ln 2 * atanh(s), s = (m - 1) / (m + 1), where the quotient
    keeps its remainder, since `power` multiplies what is lost here by up to a thousand.
    """
    k, m = _exponent_and_rest(where((x > 0.0) & (x < INFINITY), x, nought(x) + 1.0))
    scale = _own(x, TWO_OVER_LN2[0], TWO_OVER_LN2_F32[0])
    scale_rest = _own(x, TWO_OVER_LN2[1], TWO_OVER_LN2_F32[1])
    above, below = m - 1.0, m + 1.0
    below_rest = m - (below - 1.0)
    inverse = 1.0 / below
    s = above * inverse
    s_rest = fma(-s, below_rest, fma(-s, below, above)) * inverse
    z = s * s
    high = fma(s, scale, 0.0)
    low = fma(s_rest, scale, fma(s, scale_rest, fma(s, scale, -high)))
    low = fma(s * z, log2_series(z), low)
    total = k + high
    low = ((k - total) + high) + low
    return total + low, low - ((total + low) - total)


def _exponent_and_rest(x: Lane) -> tuple[Lane, Lane]:
    """(k, m), both real, with x = 2^k m and sqrt(1/2) <= m < sqrt(2), for finite x > 0."""
    places = _mantissa_bits(x)
    small = (bits(x) >> places) == 0
    lifted = bits(where(small, x * _two_to(places, x), x))
    exponent = (lifted - bits(nought(x) + SQUARE_ROOT_OF_HALF)) >> places
    m = from_bits(lifted - (exponent << places))
    return to_real(exponent - where(small, places, places & 0)), m


def _log_with_ends(x: Lane, y: Lane) -> Lane:
    """Correct the logarithm y of x where x is not a positive finite number."""
    zero = nought(x)
    y = where(x > 0.0, y, where(x == 0.0, zero - INFINITY, zero + NAN))
    return where(x == INFINITY, x, y)


# --- angles -------------------------------------------------------------------------------------------------


def _sin_after(x: Lane, quarters: int) -> Lane:
    """sin(x + quarters * pi / 2).

    x less the nearest multiple n of pi / 2, taken away in three parts: the first fma is exact, as its result is below 1
    and a multiple of the last place of x or of the part; the third part is felt only where x is close to a zero.
    """
    inside = abs(x) <= _own(x, 2.0**30, 2.0**17)
    angle = where(inside, x, nought(x))
    rounder = _rounder(x)
    shifted = fma(angle, TWO_OVER_PI, rounder)
    quadrant = bits(shifted) - bits(rounder) + quarters
    n = shifted - rounder
    r = fma(-n, _own(x, HALF_PI[0], HALF_PI_F32[0]), angle)
    r = fma(-n, _own(x, HALF_PI[1], HALF_PI_F32[1]), r)
    r = fma(-n, _own(x, HALF_PI[2], HALF_PI_F32[2]), r)
    z = r * r
    sine = fma(r * z, sin_series(z), r)
    cosine = fma(z, fma(z, cos_series(z), -0.5), 1.0)
    result = where((quadrant & 1) == 0, sine, cosine)
    result = where((quadrant & 2) == 0, result, -result)
    return where(inside, result, nought(x) + NAN)


def _ratio_in_range(low: Lane, high: Lane) -> tuple[Lane, Lane]:
    """Scale two numbers to a finite sum unless high alone is infinite, for 0 <= low <= high; their ratio stays.

    Two infinities count as equal. The quarter is exact where it is felt: a low that it makes inexact vanishes
    beside this high.
    """
    one = nought(high) + 1.0
    share = where(high > 2.0**100, one * 0.25, one)
    endless = low == INFINITY
    return where(endless, one, low * share), where(endless, one, high * share)
