"""The elementary functions keep their stated bounds, and their special values, in both precisions."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mpmath import mpf

from render.language import elementary, polynomials
from render.language.elementary import atan2, clamp, cos, exp, exp2, fract, log, log2, mix, power, sin, smoothstep

INF, NAN = math.inf, math.nan
REALS = (np.float32, np.float64)
BITS = {np.float32: 24, np.float64: 53}
LOWEST_EXPONENT = {np.float32: -149, np.float64: -1074}
LARGEST_ANGLE = {np.float32: 2.0**17, np.float64: 2.0**30}

both = pytest.mark.parametrize("real", REALS)


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    """Infinities and NaN are results here, not accidents. mpmath works in more digits than any argument can need."""
    with np.errstate(all="ignore"), mpmath.workprec(400):
        yield


def ulps(got: Any, exact: mpf) -> float:
    """How far a numpy real is from the exact value, in units in the last place of the exact value."""
    if not np.isfinite(got):
        return INF
    real = type(got)
    _, exponent = mpmath.frexp(exact)
    unit = mpf(2) ** max(exponent - BITS[real], LOWEST_EXPONENT[real])
    return float(abs(mpf(float(got)) - exact) / unit)


def reals(real: Any, low: float, high: float) -> st.SearchStrategy[Any]:
    """Draws of one precision, from low to high."""
    low, high = float(real(low)), float(real(high))
    return st.floats(low, high, width=32 if real is np.float32 else 64).map(real)


class Bound(NamedTuple):
    """A function of one real, the exact one, the stated bound in ulp, and the range it holds on, by precision."""

    function: Callable[[Any], Any]
    exact: Callable[[mpf], mpf]
    ulp: float
    range: dict[Any, tuple[float, float]]


def range_of(narrow: tuple[float, float], wide: tuple[float, float]) -> dict[Any, tuple[float, float]]:
    return {np.float32: narrow, np.float64: wide}


POSITIVE = range_of((2.0**-149, 3.4e38), (2.0**-1074, 1.7e308))
ANGLES = {real: (-limit, limit) for real, limit in LARGEST_ANGLE.items()}
BOUNDS = [
    Bound(exp2, lambda x: mpf(2) ** x, 1, range_of((-152, 127.9), (-1080, 1023.9))),
    Bound(exp, mpmath.exp, 1, range_of((-105, 88.7), (-750, 709.7))),
    Bound(log2, lambda x: mpmath.log(x, 2), 1, POSITIVE),
    Bound(log, mpmath.log, 1, POSITIVE),
    Bound(sin, mpmath.sin, 2, ANGLES),
    Bound(cos, mpmath.cos, 2, ANGLES),
]
bounds = pytest.mark.parametrize("bound", BOUNDS, ids=lambda bound: bound.function.__name__)


@both
@bounds
@given(data=st.data())
def test_a_function_keeps_its_bound(bound: Bound, real: Any, data: st.DataObject) -> None:
    x = data.draw(reals(real, *bound.range[real]) | reals(real, *(max(0.5, bound.range[real][0]), 2.0)))

    assert ulps(bound.function(x), bound.exact(mpf(float(x)))) <= bound.ulp


@both
@given(data=st.data())
def test_atan2_keeps_its_bound(real: Any, data: st.DataObject) -> None:
    wide = reals(real, -3e38, 3e38) | reals(real, -2.0, 2.0)
    x, y = data.draw(wide), data.draw(wide.filter(bool))  # mpmath's zero has no sign; signed zeros are special values

    assert ulps(atan2(y, x), mpmath.atan2(mpf(float(y)), mpf(float(x)))) <= 3


@both
@given(data=st.data())
def test_power_keeps_its_bound(real: Any, data: st.DataObject) -> None:
    x = data.draw(reals(real, 2.0**-126, 3e38) | reals(real, 0.6, 1.7))
    share = data.draw(st.floats(-1, 1))
    reach = {np.float32: 125, np.float64: 1020}[real]
    y = real(share * min(reach / max(abs(math.log2(x)), 1e-30), 1e30))
    exact = mpf(float(x)) ** mpf(float(y))

    assert ulps(power(x, y), exact) <= 1 + abs(mpmath.log(exact, 2)) / 16


def closest_to_zeros(real: Any) -> Iterator[Any]:
    """Reals closer to a multiple of pi / 2 than all others of the same exponent: continued fractions of it."""
    limit = int(math.log2(LARGEST_ANGLE[real]))
    for exponent in range(1 - BITS[real], limit - BITS[real] + 1):
        rest, (before, numerator), (below, denominator) = mpmath.pi / 2 * mpf(2) ** -exponent, (0, 1), (1, 0)
        while True:
            whole = int(mpmath.floor(rest))
            before, numerator = numerator, whole * numerator + before
            below, denominator = denominator, whole * denominator + below
            if numerator >= 1 << BITS[real]:
                break
            if 0 < float(numerator) * 2.0**exponent <= LARGEST_ANGLE[real]:
                yield real(float(numerator) * 2.0**exponent)
            rest = 1 / (rest - whole)


@both
@pytest.mark.parametrize("bound", BOUNDS[-2:], ids=["sin", "cos"])
def test_angles_next_to_zeros_are_as_good(bound: Bound, real: Any) -> None:
    hard = set(closest_to_zeros(real))

    assert len(hard) > 60
    assert max(ulps(bound.function(x), bound.exact(mpf(float(x)))) for x in hard) <= bound.ulp


@both
def test_rounding_never_hides_at_the_edges_of_an_interval(real: Any) -> None:
    corners = map(real, (0.5, math.sqrt(0.5), math.sqrt(2), math.pi / 4, math.tan(math.pi / 8), 1))
    edges = {np.nextafter(x, real(toward)) for x in corners for toward in (0, x, 9)}

    for bound in BOUNDS:
        assert max(ulps(bound.function(x), bound.exact(mpf(float(x)))) for x in edges) <= bound.ulp


@both
def test_powers_of_two_are_exact_both_ways(real: Any) -> None:
    exponents = range(LOWEST_EXPONENT[real], -LOWEST_EXPONENT[real] - BITS[real] + 3)

    assert [exp2(real(k)) for k in exponents] == [math.ldexp(1.0, k) for k in exponents]
    assert [log2(real(math.ldexp(1.0, k))) for k in exponents] == list(exponents)


@both
@given(data=st.data())
def test_sine_is_odd_and_cosine_even(real: Any, data: st.DataObject) -> None:
    x = data.draw(reals(real, *ANGLES[real]))

    assert (sin(-x), cos(-x)) == (-sin(x), cos(x))


SPECIAL = [
    (exp2, (INF,), INF), (exp2, (-INF,), 0.0), (exp2, (NAN,), NAN), (exp2, (1e9,), INF), (exp2, (-1e9,), 0.0),
    (exp, (INF,), INF), (exp, (-INF,), 0.0), (exp, (NAN,), NAN), (exp, (1e9,), INF), (exp, (-1e9,), 0.0),
    (exp, (-0.0,), 1.0), (exp2, (-0.0,), 1.0),
    (log2, (0.0,), -INF), (log2, (-0.0,), -INF), (log2, (INF,), INF), (log2, (-1.0,), NAN), (log2, (-INF,), NAN),
    (log, (0.0,), -INF), (log, (-0.0,), -INF), (log, (INF,), INF), (log, (-1.0,), NAN), (log, (1.0,), 0.0),
    (log, (NAN,), NAN), (log2, (NAN,), NAN),
    (sin, (0.0,), 0.0), (sin, (-0.0,), 0.0), (sin, (INF,), NAN), (sin, (NAN,), NAN), (sin, (2e9,), NAN),
    (cos, (0.0,), 1.0), (cos, (-INF,), NAN), (cos, (NAN,), NAN), (cos, (-2e9,), NAN),
    (power, (NAN, 0.0), 1.0), (power, (-2.0, 0.0), 1.0), (power, (1.0, NAN), 1.0), (power, (1.0, INF), 1.0),
    (power, (0.0, 2.0), 0.0), (power, (0.0, -2.0), INF), (power, (-0.0, 3.0), 0.0), (power, (0.0, INF), 0.0),
    (power, (INF, 0.5), INF), (power, (INF, -0.5), 0.0), (power, (2.0, INF), INF), (power, (2.0, -INF), 0.0),
    (power, (0.5, INF), 0.0), (power, (0.5, -INF), INF), (power, (-2.0, 2.0), NAN), (power, (-INF, 2.0), NAN),
    (power, (NAN, 2.0), NAN), (power, (2.0, NAN), NAN), (power, (1e30, 1e30), INF), (power, (1e30, -1e30), 0.0),
    (atan2, (NAN, 1.0), NAN), (atan2, (1.0, NAN), NAN), (atan2, (INF, NAN), NAN),
    (clamp, (NAN, -1.0, 1.0), -1.0), (clamp, (7.0, -1.0, 1.0), 1.0), (clamp, (-INF, -1.0, 1.0), -1.0),
    (smoothstep, (-3.0,), 0.0), (smoothstep, (0.5,), 0.5), (smoothstep, (INF,), 1.0), (smoothstep, (NAN,), 0.0),
    (fract, (-0.25,), 0.75), (fract, (-1e-30,), 1.0), (fract, (INF,), NAN), (fract, (NAN,), NAN),
]  # fmt: skip


@both
@pytest.mark.parametrize(
    ("function", "given_", "expected"), SPECIAL, ids=[f"{case[0].__name__}{case[1]}" for case in SPECIAL]
)
def test_special_values_are_as_stated(function: Any, given_: tuple[float, ...], expected: float, real: Any) -> None:
    got = function(*map(real, given_))

    assert type(got) is real
    assert (np.isnan(got) and np.isnan(expected)) or (got == expected and np.signbit(got) == np.signbit(expected))


@both
@pytest.mark.parametrize("y", [0.0, -0.0, 1.0, -1.0, INF, -INF])
@pytest.mark.parametrize("x", [0.0, -0.0, 1.0, -1.0, INF, -INF])
def test_atan2_knows_the_signs_of_zeros_and_infinities(x: float, y: float, real: Any) -> None:
    got, expected = atan2(real(y), real(x)), real(math.atan2(y, x))

    assert (got, np.signbit(got)) == (expected, np.signbit(expected))


@both
def test_subnormals_go_in_and_come_out(real: Any) -> None:
    tiny = real(2.0 ** LOWEST_EXPONENT[real])

    assert (sin(tiny), atan2(tiny, real(1)), fract(tiny)) == (tiny, tiny, tiny)
    assert (exp2(log2(tiny)), power(tiny, real(1)), cos(tiny)) == (tiny, tiny, 1)


@both
@given(data=st.data())
def test_a_blend_begins_and_ends_where_it_should(real: Any, data: st.DataObject) -> None:
    a, b = (data.draw(reals(real, -1e6, 1e6)) for _ in "ab")
    t = data.draw(reals(real, 0.0, 1.0))

    assert (mix(a, b, real(0)), mix(a, b, real(1))) == (a, b)
    exact = mpf(float(a)) + mpf(float(t)) * (mpf(float(b)) - mpf(float(a)))
    assert abs(mpf(float(mix(a, b, t))) - exact) <= float(np.spacing(max(abs(a), abs(b))))


@both
@given(data=st.data())
def test_smoothstep_rises_from_zero_to_one(real: Any, data: st.DataObject) -> None:
    low, high = sorted(data.draw(reals(real, 0.0, 1.0)) for _ in "ab")

    assert 0 <= smoothstep(low) <= smoothstep(high) + 2 * np.finfo(real).eps
    assert smoothstep(high) <= 1 + np.finfo(real).eps


@pytest.fixture(scope="module")
def derive(script: Callable[[str], ModuleType]) -> ModuleType:
    """The script that derived the polynomials."""
    return script("derive_elementary")


def test_the_polynomials_are_those_that_the_script_derives(derive: ModuleType) -> None:
    source = Path(polynomials.__file__).read_text(encoding="utf-8")
    fits = [
        (number, real)
        for name, kernel in derive.kernels().items()
        for degree, real in zip(derive.DEGREES[name], derive.REALS, strict=True)
        if degree < 6  # the others take seconds
        for number in derive.fit(kernel, degree, real)[0]
    ]

    assert [derive.shown(number, real) for number, real in fits if derive.shown(number, real) not in source] == []


def test_the_constants_are_those_that_the_script_derives(derive: ModuleType) -> None:
    source = Path(elementary.__file__).read_text(encoding="utf-8")
    parts = [
        derive.shown(part, real)
        for value, count in derive.constants().values()
        for real in derive.REALS
        for part in derive.parts(value, count, real)
    ]

    assert [part for part in parts if part not in source] == []
