"""The primitive words in plain Python, against what they mean: the hard values, and arithmetic that rounds once."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from fractions import Fraction
from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from render import lanes
from render.language import primitives
from render.language.primitives import NAMES, _math_fma, _odd_fma32, exact_fma, words

INTEGERS: dict[Any, Any] = {np.float32: np.int32, np.float64: np.int64}
REALS = list(INTEGERS)
DIGITS = {np.float32: 24, np.float64: 53}  # binary digits of a mantissa
both = pytest.mark.parametrize("real", REALS)
integer_values = st.integers(-(2**63), 2**63 - 1)


def hard(real: Any) -> list[Any]:
    """Values at which definitions part: ends, edges of integers, and what is not a number."""
    about, whole = np.finfo(real), np.iinfo(INTEGERS[real])
    ends = [about.smallest_subnormal, about.tiny, about.eps, about.max, np.inf, 0.0]
    plain = [0.5, 1.0, 1.5, 2.5, 3.0, float(whole.max), np.nextafter(real(whole.max), real(0)), 2.0 / 3.0]
    return [real(sign * value) for value in ends + plain for sign in (1, -1)] + [real(np.nan)]


@contextmanager
def no_warnings() -> Iterator[None]:
    """What target python does around all of it."""
    with np.errstate(all="ignore"):
        yield


def same(one: Any, other: Any) -> bool:
    """Equal to the last bit, and of one type; any NaN is like any other."""
    if type(one) is not type(other):
        return False
    return bool(np.isnan(one) and np.isnan(other)) or np.asarray(one).tobytes() == np.asarray(other).tobytes()


def nearest(exact: Fraction, real: Any) -> float:
    """The exact value rounded once, to nearest and to even (IEEE 754-2019, 4.3.1); the sign of zero is not told."""
    about, size = np.finfo(real), abs(exact)
    exponent = max(size.numerator.bit_length() - size.denominator.bit_length(), int(about.minexp) + 1)
    exponent += size >= Fraction(2) ** exponent  # the least power of two above it, as far as numbers are normal
    unit = Fraction(2) ** (exponent - DIGITS[real])
    near = round(size / unit) * unit  # of a Fraction: to even where halfway
    if near > Fraction(float(about.max)):
        return -math.inf if exact < 0 else math.inf
    return float(near) if exact >= 0 else -float(near)


def floats(real: Any) -> Any:
    return st.floats(width=32 if real is np.float32 else 64).map(real)


triples = st.sampled_from(REALS).flatmap(lambda real: st.tuples(st.just(real), *[floats(real)] * 3))


def about_one(real: Any) -> Any:
    """Numbers with all kinds of mantissas and like exponents, whose sums cancel."""
    digits = DIGITS[real]
    mantissa = st.integers(-(2**digits), 2**digits)
    return st.builds(lambda m, e: real(math.ldexp(m, e - digits)), mantissa, st.integers(-8, 8))


cancelling = st.sampled_from(REALS).flatmap(lambda real: st.tuples(st.just(real), *[about_one(real)] * 3))


def fma_is_exact(call: Callable[..., Any], real: Any, a: Any, b: Any, c: Any) -> None:
    with no_warnings():
        found = real(call(float(a), float(b), float(c)))
    if all(map(math.isfinite, (a, b, c))):
        assert found == nearest(Fraction(float(a)) * Fraction(float(b)) + Fraction(float(c)), real)
    else:
        with no_warnings():
            plain = real(float(a) * float(b) + float(c))  # an infinity or NaN, however it is rounded
        assert same(found, plain) or (math.isinf(c) and not math.isinf(a) and not math.isinf(b) and found == c)


@given(triples)
@example((np.float64, np.float64(2.0**-537), np.float64(2.0**-538), np.float64(0.0)))
@example((np.float64, np.float64(1e308), np.float64(10.0), np.float64(-np.inf)))
@example((np.float32, np.float32(3e38), np.float32(3e38), np.float32(-np.inf)))
def test_fma_rounds_once_for_any_numbers(triple: tuple[Any, ...]) -> None:
    real, *numbers = triple
    fma_is_exact(words(real)["fma"], real, *numbers)


@given(cancelling)
def test_fma_rounds_once_where_sums_cancel(triple: tuple[Any, ...]) -> None:
    real, *numbers = triple
    fma_is_exact(words(real)["fma"], real, *numbers)


@given(*[floats(np.float32)] * 3)
def test_single_precision_made_of_double_rounds_once_for_any_numbers(a: Any, b: Any, c: Any) -> None:
    fma_is_exact(_odd_fma32, np.float32, a, b, c)


@given(*[about_one(np.float32)] * 3)
def test_single_precision_made_of_double_rounds_once_where_sums_cancel(a: Any, b: Any, c: Any) -> None:
    fma_is_exact(_odd_fma32, np.float32, a, b, c)


@both
def test_fma_of_hard_values_is_exact(real: Any) -> None:
    for a, b, c in product(hard(real)[::2], hard(real)[1::3], hard(real)):
        fma_is_exact(words(real)["fma"], real, a, b, c)


def pythons_own(a: float, b: float, c: float) -> float:
    """`math.fma` of Python 3.13, which raises where IEEE 754 gives an infinity or NaN."""
    result = float(exact_fma(np.float64)(a, b, c))
    if math.isnan(result) and not any(map(math.isnan, (a, b, c))):
        raise ValueError
    if math.isinf(result) and all(map(math.isfinite, (a, b, c))):
        raise OverflowError
    return result


def test_pythons_own_fma_gives_infinities_and_nan(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(math, "fma", pythons_own, raising=False)
    for a, b, c in product(hard(np.float64), hard(np.float64)[1::3], hard(np.float64)[::2]):
        fma_is_exact(_math_fma, np.float64, a, b, c)
    largest, unit = float(np.finfo(np.float64).max), 2.0**970
    fma_is_exact(_math_fma, np.float64, 1 + 2.0**-52, largest - unit, unit)  # an infinity, but not in two roundings


@pytest.mark.parametrize(
    ("a", "b", "c", "sign"),
    [(1.0, 0.0, -0.0, 1), (-1.0, 0.0, -0.0, -1), (1.0, 1.0, -1.0, 1), (-0.0, 1.0, 0.0, 1), (-1.0, 0.0, 0.0, 1)],
)
@both
def test_fma_knows_the_sign_of_zero(real: Any, a: float, b: float, c: float, sign: int) -> None:
    found = words(real)["fma"](real(a), real(b), real(c))
    assert (found, math.copysign(1, found)) == (0.0, sign)


@both
def test_a_library_whose_fma_rounds_twice_is_not_used(real: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    own = words(real)["fma"]
    monkeypatch.setattr(primitives, "_library_fma", lambda *_: lambda a, b, c: float(real(real(a) * real(b)) + real(c)))
    monkeypatch.setattr(primitives, "_math_fma", own)
    monkeypatch.setattr(primitives, "_odd_fma32", own)
    assert exact_fma.__wrapped__(real) is own


def test_where_no_fma_rounds_once_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(primitives, "_library_fma", lambda *_: None)
    monkeypatch.setattr(primitives, "_math_fma", lambda a, b, c: a * b + c)
    with pytest.raises(RuntimeError, match="no correct fma"):
        exact_fma.__wrapped__(np.float64)


@both
def test_minimum_and_maximum_give_the_second_where_nothing_is_less(real: Any) -> None:
    for a, b in product(hard(real), repeat=2):
        assert same(words(real)["minimum"](a, b), [b, a][int(a < b)])
        assert same(words(real)["maximum"](a, b), [b, a][int(a > b)])


@both
def test_abs_clears_the_sign_bit_and_nothing_else(real: Any) -> None:
    integer = INTEGERS[real]
    for a in hard(real):
        cleared = integer(int(a.view(integer)) & np.iinfo(integer).max).view(real)
        assert same(words(real)["abs"](a), cleared)


@both
def test_floor_is_the_largest_whole_number_not_above(real: Any) -> None:
    for a in hard(real):
        found = words(real)["floor"](a)
        expected = real(math.floor(float(a))) if math.isfinite(a) and a != 0 else a
        assert same(found, expected)
        assert math.copysign(1, found) == math.copysign(1, a) or np.isnan(a)


@both
def test_sqrt_is_the_nearest_number_to_the_root(real: Any) -> None:
    with no_warnings():
        for a in hard(real):
            found = words(real)["sqrt"](a)
            if a in (0, np.inf):
                assert same(found, a)
            elif not a > 0:
                assert np.isnan(found)
            else:
                below, above = (Fraction(float(np.nextafter(found, real(end)))) for end in (0, np.inf))
                middle = Fraction(float(found))
                assert ((below + middle) / 2) ** 2 <= Fraction(float(a)) <= ((above + middle) / 2) ** 2


@both
def test_whole_numbers_saturate_and_nan_is_0(real: Any) -> None:
    integer = INTEGERS[real]
    lowest, highest = np.iinfo(integer).min, np.iinfo(integer).max
    for a in hard(real):
        expected = 0 if np.isnan(a) else highest if a == np.inf else lowest if a == -np.inf else int(a)
        assert same(words(real)["to_int"](a), integer(min(max(expected, lowest), highest)))


@both
def test_take_clamps_its_index(real: Any) -> None:
    array, integer = np.array([5.0, 6.0, 7.0], real), INTEGERS[real]
    for a in hard(real):
        at = int(words(real)["to_int"](a))
        assert same(words(real)["take"](array, a), array[min(max(at, 0), 2)])
    for i in (-5, 0, 1, 2, 3, np.iinfo(integer).max):
        assert same(words(real)["take"](array, integer(i)), array[min(max(i, 0), 2)])


@both
def test_take_rounds_towards_zero_and_gives_the_lanes_precision(real: Any) -> None:
    assert same(words(real)["take"](np.array([5.0, 6.0]), real(1.99)), real(6.0))
    assert same(words(real)["take"]([0.1], real(-0.5)), real(0.1))


@both
def test_bits_there_and_back_change_nothing(real: Any) -> None:
    for a in hard(real):
        pattern = words(real)["bits"](a)
        assert type(pattern) is INTEGERS[real]
        assert words(real)["from_bits"](pattern).tobytes() == a.tobytes()


@both
@given(integer_values)
def test_the_real_of_a_whole_number_is_the_nearest(real: Any, number: int) -> None:
    number = max(min(number, np.iinfo(INTEGERS[real]).max), np.iinfo(INTEGERS[real]).min)
    found = words(real)["to_real"](INTEGERS[real](number))
    assert type(found) is real
    assert found == nearest(Fraction(number), real)


@both
@pytest.mark.parametrize("mask", [True, False, np.True_, np.False_])
def test_where_chooses_and_gives_lanes(mask: Any, real: Any) -> None:
    where, integer = words(real)["where"], INTEGERS[real]
    for a, b in product(hard(real), repeat=2):
        assert same(where(mask, a, b), a if mask else b)
    assert same(where(mask, real(1), 2), real(1 if mask else 2))
    assert same(where(mask, 1.0, 2), real(1 if mask else 2))
    assert same(where(mask, integer(1), 2), integer(1 if mask else 2))
    assert same(where(mask, np.True_, False), np.bool_(mask))


@pytest.mark.parametrize("mask", [True, False, np.True_, np.False_])
def test_any_lane_of_one_lane_is_that_lane(mask: Any) -> None:
    assert primitives.any_lane(mask) is bool(mask)
    assert words(np.float64)["any_lane"](mask) is bool(mask)


@both
@pytest.mark.parametrize("name", ["sqrt", "abs", "floor", "to_int", "bits"])
def test_the_modules_words_of_one_number_are_those_of_its_precision(name: str, real: Any) -> None:
    with no_warnings():
        for a in hard(real):
            assert same(getattr(primitives, name)(a), words(real)[name](a))


@both
@pytest.mark.parametrize("name", ["minimum", "maximum"])
def test_the_modules_words_of_two_numbers_are_those_of_their_precision(name: str, real: Any) -> None:
    for a, b in product(hard(real), repeat=2):
        assert same(getattr(primitives, name)(a, b), words(real)[name](a, b))
        assert same(getattr(primitives, name)(a, 1.0), words(real)[name](a, 1.0))  # a constant takes the lanes' own


@both
def test_the_modules_other_words_are_those_of_their_precision(real: Any) -> None:
    array, three, integer = np.array([1.0, 2.0], real), real(3.0), INTEGERS[real]
    bound = words(real)
    assert same(primitives.fma(three, 0.1, 0.2), bound["fma"](three, 0.1, 0.2))
    assert same(primitives.where(True, three, 2.0), bound["where"](True, three, 2.0))
    assert same(primitives.take(array, three), bound["take"](array, three))
    assert same(primitives.to_real(integer(7)), bound["to_real"](integer(7)))
    assert same(primitives.from_bits(integer(7)), bound["from_bits"](integer(7)))


def test_plain_python_numbers_count_as_double_precision() -> None:
    assert same(primitives.fma(0.1, 0.1, 0.1), words(np.float64)["fma"](0.1, 0.1, 0.1))
    assert same(primitives.sqrt(2), np.float64(2) ** np.float64(0.5))


@pytest.mark.parametrize("name", sorted(NAMES))
def test_every_word_is_bound_documented_and_offered_to_scenes(name: str) -> None:
    assert all(name in words(real) for real in REALS)
    assert getattr(primitives, name).__doc__
    assert getattr(lanes, name) is getattr(primitives, name)
