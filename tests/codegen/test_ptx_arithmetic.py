"""What the emulator of PTX computes, against exact numbers; its threads are tried in `test_ptx`."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.ptx import integers  # noqa: F401  (enters the meanings of its instructions)
from tests.ptx.arithmetic import FORMS, meaning


def compute(opcode: str, *values: Any) -> np.ndarray:
    """What one instruction makes of these values."""
    told = meaning(opcode)
    with np.errstate(all="ignore"):
        arrays = [np.atleast_1d(np.asarray(value)) for value in values]
        return np.asarray(told.function(*arrays))


REALS = {np.float32: 32, np.float64: 64}


def numbers(real: type[np.float32 | np.float64]) -> st.SearchStrategy[Any]:
    """Numbers whose products lie near each other, and near halfway between two others."""
    edges = [1 + 2.0**-12, 1 - 2.0**-24, 2.0**-126, 2.0**-149, 1 + 2.0**-23, 1 + 2.0**-27, 2.0**-1022, 5e-324]
    short = st.builds(math.ldexp, st.integers(-9, 9), st.integers(-30, 30))
    wide = st.floats(width=64 if real is np.float64 else 32, allow_nan=False, allow_infinity=False)
    return st.one_of(wide, short, st.sampled_from(edges)).map(real)


def rounded(exact: Fraction, real: type[np.floating]) -> float:
    """The nearest number of a type, of two the even one: by whole numbers alone."""
    digits, least = (24, -149) if real is np.float32 else (53, -1074)
    if not exact:
        return 0.0
    size = abs(exact)
    exponent = size.numerator.bit_length() - size.denominator.bit_length()
    exponent -= size < Fraction(2) ** exponent
    unit = Fraction(2) ** max(exponent - digits + 1, least)
    value = round(size / unit) * unit  # of a Fraction: to the even one
    most = Fraction(float(np.finfo(real).max))
    return math.copysign(math.inf if value > most else float(value), float(1 if exact > 0 else -1))


@pytest.mark.parametrize("real", REALS)
@given(data=st.data())
def test_a_fused_product_and_sum_is_rounded_once(real: type[np.float32 | np.float64], data: st.DataObject) -> None:
    a, b = data.draw(numbers(real)), data.draw(numbers(real))
    with np.errstate(all="ignore"):
        product = a * b
        c = data.draw(numbers(real) | st.sampled_from([-product, product * real(2.0**-25), product * real(2.0**-54)]))
    assume(math.isfinite(c))
    exact = Fraction(float(a)) * Fraction(float(b)) + Fraction(float(c))

    assert compute(f"fma.rn.f{REALS[real]}", a, b, c)[0] == real(rounded(exact, real))


def test_a_float32_sum_is_not_rounded_twice() -> None:
    """As it would be by float64, which drops what decides between two float32."""
    a, b, c = np.float32(1 + 2.0**-12), np.float32(1 + 2.0**-12), np.float32(2.0**-54)
    through_double = np.float32(float(a) * float(b) + float(c))

    told = compute("fma.rn.f32", a, b, c)[0]

    assert told == np.float32(rounded(Fraction(float(a)) ** 2 + Fraction(float(c)), np.float32))
    assert told != through_double


@pytest.mark.parametrize(
    ("opcode", "value", "whole"),
    [
        ("cvt.rzi.s32.f32", np.float32(3e9), 2**31 - 1),
        ("cvt.rzi.s32.f64", -1e300, -(2**31)),
        ("cvt.rzi.s32.f32", np.float32("nan"), 0),
        ("cvt.rzi.u32.f64", -0.9, 0),
        ("cvt.rzi.u8.f32", np.float32(300), 255),
        ("cvt.rzi.s64.f64", 2.0**63, 2**63 - 1),
        ("cvt.rzi.s64.f32", np.float32("-inf"), -(2**63)),
        ("cvt.rzi.u64.f64", 2.0**64 - 2048, 2**64 - 2048),
        ("cvt.rni.s32.f64", 2.5, 2),
        ("cvt.rmi.s32.f32", np.float32(-2.5), -3),
        ("cvt.rpi.s32.f32", np.float32(-2.5), -2),
        ("cvt.sat.u8.s32", np.int32(-7), 0),
        ("cvt.sat.s16.u32", np.uint32(70000), 32767),
        ("cvt.u16.s64", np.int64(-1), 65535),
        ("cvt.s64.s8", np.int8(-3), -3),
        ("cvt.sat.f32.f32", np.float32("nan"), 0),
        ("cvt.rni.f64.f64", -0.5, 0),
        ("cvt.rn.f32.u64", np.uint64(2**63 + 2**39 + 1), 2**63 + 2**40),
    ],
)
def test_conversions_saturate_and_round(opcode: str, value: Any, whole: int) -> None:
    assert int(compute(opcode, value)[0]) == whole


@pytest.mark.parametrize(
    ("opcode", "values", "result"),
    [
        ("min.f32", (np.float32("nan"), np.float32(2)), 2.0),
        ("max.f64", (-0.0, 0.0), 0.0),
        ("min.f64", (0.0, -0.0), -0.0),
        ("neg.f64", (0.0,), -0.0),
        ("copysign.f32", (np.float32(-1), np.float32(3)), -3.0),
        ("div.rn.f64", (1.0, -0.0), -math.inf),
        ("rcp.rn.f32", (np.float32(3),), float(np.float32(1) / np.float32(3))),
        ("sqrt.rn.f64", (2.0,), math.sqrt(2.0)),
        ("add.rn.f32", (np.float32(1), np.float32(2.0**-25)), 1.0),
    ],
)
def test_floating_point(opcode: str, values: tuple[Any, ...], result: float) -> None:
    told = compute(opcode, *values)[0]

    assert (told, math.copysign(1, told)) == (result, math.copysign(1, result))


@pytest.mark.parametrize(
    ("name", "with_nan", "less", "equal"),
    [
        ("eq", False, False, True),
        ("ne", False, True, False),
        ("lt", False, True, False),
        ("ge", False, False, True),
        ("equ", True, False, True),
        ("neu", True, True, False),
        ("ltu", True, True, False),
        ("leu", True, True, True),
        ("gtu", True, False, False),
        ("geu", True, False, True),
        ("num", False, True, True),
        ("nan", True, False, False),
    ],
)
def test_comparisons_ordered_and_not(name: str, with_nan: bool, less: bool, equal: bool) -> None:
    answers = compute(f"setp.{name}.f64", [math.nan, 1.0, 2.0], [1.0, 2.0, 2.0])

    assert answers.tolist() == [with_nan, less, equal]


WORDS = st.integers(0, 2**64 - 1) | st.sampled_from([0, 1, 2**31, 2**32 - 1, 2**63, 2**64 - 1])
EXACTLY: dict[str, Callable[..., int]] = {
    "add": lambda a, b: a + b,
    "sub": lambda a, b: a - b,
    "mul.lo": lambda a, b: a * b,
    "mul.hi": lambda a, b: a * b,
    "div": lambda a, b: abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1) if b else -1,
    "rem": lambda a, b: abs(a) % abs(b) * (-1 if a < 0 else 1) if b else a,
    "sad": lambda a, b: abs(a - b),
    "min": min,
    "max": max,
}


@pytest.mark.parametrize("kind", ["u16", "s16", "u32", "s32", "u64", "s64"])
@pytest.mark.parametrize("name", EXACTLY)
@settings(max_examples=25)
@given(first=WORDS, second=WORDS)
def test_whole_numbers_wrap(name: str, kind: str, first: int, second: int) -> None:
    size, dtype = int(kind[1:]), np.dtype(f"{'i' if kind[0] == 's' else 'u'}{int(kind[1:]) // 8}")
    a, b = (np.array([value % 2**size], f"u{size // 8}").view(dtype) for value in (first, second))
    exact = EXACTLY[name](int(a[0]), int(b[0])) >> (size if name == "mul.hi" else 0)
    more = (np.zeros(1, dtype),) if name == "sad" else ()

    assert int(compute(f"{name}.{kind}", a, b, *more)[0]) % 2**size == exact % 2**size


@given(word=WORDS, place=st.integers(0, 70), count=st.integers(0, 70))
def test_fields_of_bits(word: int, place: int, count: int) -> None:
    bits, where, many = np.uint64(word), np.uint32(place), np.uint32(count)
    field = word >> place & (1 << count) - 1
    mask = ((1 << count) - 1 << place) % 2**64

    assert int(compute("bfe.u64", bits, where, many)[0]) == field
    assert int(compute("bfi.b64", np.uint64(0), bits, where, many)[0]) == word & ~mask
    assert int(compute("popc.b64", bits)[0]) == word.bit_count()
    assert int(compute("clz.b64", bits)[0]) == 64 - word.bit_length()
    assert int(compute("bfind.u64", bits)[0]) == (word.bit_length() - 1) % 2**32
    assert int(compute("brev.b64", bits)[0]) == int(f"0b{word:064b}"[:1:-1], 2)
    assert int(compute("shl.b64", bits, where)[0]) == (word << place) % 2**64
    assert int(compute("shr.u64", bits, where)[0]) == word >> place


@pytest.mark.parametrize(
    ("opcode", "values", "result"),
    [
        ("bfe.s32", (np.int32(0x00F0), np.uint32(4), np.uint32(4)), -1),
        ("bfe.s32", (np.int32(-1), np.uint32(40), np.uint32(4)), -1),
        ("shr.s32", (np.int32(-5), np.uint32(99)), -1),
        ("prmt.b32", (np.uint32(0x33221100), np.uint32(0x77665544), np.uint32(0x0F62)), 0x00006622),
        ("prmt.b32", (np.uint32(0x80), np.uint32(0), np.uint32(0x8888)), 0xFFFFFFFF),
        ("lop3.b32", (np.uint32(12), np.uint32(10), np.uint32(9), np.uint32(0xE8)), 8 | 8),
        ("shf.l.wrap.b32", (np.uint32(0x80000000), np.uint32(1), np.uint32(1)), 3),
        ("mad.wide.s32", (np.int32(-2), np.int32(2**30), np.int64(5)), 5 - 2**31),
        ("slct.s32.f32", (np.int32(1), np.int32(2), np.float32(-0.0)), 1),
    ],
)
def test_bits_and_choices(opcode: str, values: tuple[Any, ...], result: int) -> None:
    assert int(compute(opcode, *values)[0]) == result


def test_no_opcode_means_two_things() -> None:
    for opcode in ("mov.u32", "add.s32", "add.rn.f32", "cvt.rzi.s32.f32", "cvt.u32.u64", "min.f32", "mul.wide.s32"):
        assert sum(1 for pattern, _ in FORMS if pattern.fullmatch(opcode)) == 1
