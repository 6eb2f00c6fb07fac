"""The polynomials behind the elementary functions, highest coefficient first, for float64 and float32 lanes.

All are our own fits, printed by `benchmarks/derive_elementary.py`. A compiler folds the choice of precision away.
"""

from __future__ import annotations

from render.language.primitives import Lane, bits, fma, from_bits, where


def nought(x: Lane) -> Lane:
    """0.0 as a lane of x's precision, whatever x is; `nought(x) + c` is the constant c as such a lane."""
    return from_bits(bits(x) & 0)


def is_wide(x: Lane) -> Lane:
    """Return the mask that is true for float64 lanes: there 1 + 2^-30 is more than 1."""
    one = nought(x) + 1.0
    return one + 2.0**-30 > one


def exp2_series(f: Lane) -> Lane:
    """(2^f - 1) / f for |f| <= 1/2; 2^f to 2^-59 (float32: 2^-28)."""
    wide = fma(f, 2.7295238697208585e-11, 4.476647935358633e-10)
    wide = fma(f, fma(f, wide, 7.053778109632672e-09), 1.0177908060560725e-07)
    wide = fma(f, fma(f, wide, 1.3215489698854663e-06), 1.525273422533645e-05)
    wide = fma(f, fma(f, wide, 0.00015403530390137698), 0.001333355814598103)
    wide = fma(f, fma(f, wide, 0.009618129107629934), 0.055504108664823505)
    wide = fma(f, fma(f, wide, 0.2402265069591007), 0.6931471805599453)
    narrow = fma(f, 0.00015326812, 0.0013391026)
    narrow = fma(f, fma(f, narrow, 0.009618506), 0.055503596)
    narrow = fma(f, fma(f, narrow, 0.24022648), 0.6931472)
    return where(is_wide(f), wide, narrow)


def log2_series(z: Lane) -> Lane:
    """(log2((1 + s) / (1 - s)) - 2 s / ln 2) / s^3 for z = s^2, |s| <= 0.1716; log2 to 2^-66 (float32: 2^-36)."""
    wide = fma(z, 0.19091334581020758, 0.19119104997635017)
    wide = fma(z, fma(z, wide, 0.22198717573803511), 0.2623076186315886)
    wide = fma(z, fma(z, wide, 0.3205989034674337), 0.4121985830825041)
    wide = fma(z, fma(z, wide, 0.5770780163556545), 0.9617966939259756)
    narrow = fma(z, 0.33648837, 0.4119273)
    narrow = fma(z, fma(z, narrow, 0.5770788), 0.9617967)
    return where(is_wide(z), wide, narrow)


def sin_series(z: Lane) -> Lane:
    """(sin(r) - r) / r^3 for z = r^2, |r| <= pi / 4; sin to 2^-58 (float32: 2^-28)."""
    wide = fma(z, 1.5896915888029162e-10, -2.5050760358165943e-08)
    wide = fma(z, fma(z, wide, 2.75573137077305e-06), -0.00019841269829859695)
    wide = fma(z, fma(z, wide, 0.008333333333322491), -0.16666666666666632)
    narrow = fma(z, fma(z, -0.0001951879, 0.008332192), -0.16666655)
    return where(is_wide(z), wide, narrow)


def cos_series(z: Lane) -> Lane:
    """(cos(r) - 1 + r^2 / 2) / r^4 for z = r^2, |r| <= pi / 4; cos to 2^-64 (float32: 2^-33)."""
    wide = fma(z, -1.1359934893282401e-11, 2.0875729291835087e-09)
    wide = fma(z, fma(z, wide, -2.7557314401087685e-07), 2.480158728967164e-05)
    wide = fma(z, fma(z, wide, -0.0013888888888874474), 0.0416666666666666)
    narrow = fma(z, fma(z, 2.4430674e-05, -0.0013887301), 0.041666646)
    return where(is_wide(z), wide, narrow)


def atan_series(z: Lane) -> Lane:
    """(atan(t) - t) / t^3 for z = t^2, |t| <= tan(pi / 8); atan to 2^-59 (float32: 2^-30)."""
    wide = fma(z, fma(z, -0.017919208071380515, 0.03807514672402213), -0.05039706228827073)
    wide = fma(z, fma(z, wide, 0.05847974905136901), -0.06663115293569175)
    wide = fma(z, fma(z, wide, 0.0769206115228171), -0.09090897806923469)
    wide = fma(z, fma(z, wide, 0.11111110785017053), -0.14285714280223805)
    wide = fma(z, fma(z, wide, 0.19999999999953816), -0.333333333333332)
    narrow = fma(z, fma(z, -0.060927935, 0.106001884), -0.14244512)
    narrow = fma(z, fma(z, narrow, 0.19998533), -0.33333316)
    return where(is_wide(z), wide, narrow)


def rough_log2_series(t: Lane) -> Lane:
    """log2(1 + t) / t for sqrt(1/2) - 1 <= t <= sqrt(2) - 1; log2 to 2^-24."""
    wide = fma(t, -0.14577059321778793, 0.2369047752448638)
    wide = fma(t, fma(t, wide, -0.25006574239117574), 0.2867051151075963)
    wide = fma(t, fma(t, wide, -0.3600872941271462), 0.4809395532685132)
    wide = fma(t, fma(t, wide, -0.7213571512701258), 1.442694771102442)
    narrow = fma(t, -0.14571196, 0.23684128)
    narrow = fma(t, fma(t, narrow, -0.25006336), 0.28671655)
    narrow = fma(t, fma(t, narrow, -0.36008847), 0.48093888)
    narrow = fma(t, fma(t, narrow, -0.7213571), 1.4426948)
    return where(is_wide(t), wide, narrow)
