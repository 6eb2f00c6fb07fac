"""Every word of the vocabulary means the same in Python, in one compiled lane and in a vector, to the last bit."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numba
import numpy as np
import pytest

from render import lanes
from render.codegen import host
from render.codegen.cpu_compiler import lane_words
from render.codegen.llvm_module import INNER
from render.codegen.retarget import retarget
from render.kernels.slots import patch, unpack
from render.lanes import (
    abs,
    any_lane,
    atan2,
    clamp,
    cos,
    exp,
    exp2,
    floor,
    fma,
    fract,
    from_bits,
    log,
    log2,
    maximum,
    minimum,
    mix,
    power,
    rough_log2,
    sin,
    smoothstep,
    sqrt,
    take,
    to_int,
    to_real,
    where,
)
from render.lanes import bits as pattern
from render.language import elementary, primitives
from render.scene import REALS

SPECIAL = [
    *(0.0, -0.0, 1.0, -1.0, 0.5, -2.5, 3.0, 7.99, 1e-3),
    *(1e5, -1e5, 2.0**31, -(2.0**31), 2.0**63, 1e38, 1e-40, 1e-45),
]
HARD = [*SPECIAL, float("inf"), float("-inf"), float("nan")]
TABLE = np.linspace(-1.0, 1.0, 17)


def one(a: Any, b: Any, c: Any) -> Any:
    """A slot for a word under test."""
    raise NotImplementedError


def two(a: Any, b: Any, c: Any) -> Any:
    """A slot for another."""
    raise NotImplementedError


def three(a: Any, b: Any, c: Any) -> Any:
    """A slot for a third: they are compiled together, which takes hardly longer than one."""
    raise NotImplementedError


def four(a: Any, b: Any, c: Any) -> Any:
    """A slot for the last."""
    raise NotImplementedError


SLOTS = one, two, three, four


def each(first: Any, second: Any, third: Any, out: Any, lanes_at_once: int) -> None:
    """Apply the words to arrays, so many lanes at a time."""
    column, _ = patch()
    for k in range(0, len(first), lanes_at_once):
        a, b, c = take(first, column + k), take(second, column + k), take(third, column + k)
        results = unpack(one(a, b, c)), unpack(two(a, b, c)), unpack(three(a, b, c)), unpack(four(a, b, c))
        for lane in range(lanes_at_once):
            out[0, k + lane], out[1, k + lane] = results[0][lane], results[1][lane]
            out[2, k + lane], out[3, k + lane] = results[2][lane], results[3][lane]


CASES: dict[str, Callable[..., Any]] = {  # each of three operands, so that one harness serves all
    "add": lambda a, b, c: a + b - c,
    "times": lambda a, b, c: a * b,
    "divide": lambda a, b, c: a / b,
    "negative": lambda a, b, c: -a,
    "constants": lambda a, b, c: fma(a, 0.1, 0.7) * 3 + 1,
    "comparisons": lambda a, b, c: where((a < b) & (b <= c) | ~(a == b), a, where(a != c, b, 0.1)),
    "other comparisons": lambda a, b, c: where((a > b) | (b >= c), 0.1, 0.3) + where(a > c, 1, 0),
    "any_lane saves work only": lambda a, b, c: where(a < b, a, b) if any_lane(a < b) else b,
    "integers": lambda a, b, c: to_real(((to_int(a) + 3) ^ 5) & 1023),
    "shifts": lambda a, b, c: to_real((pattern(a) >> 3) - (to_int(b) << 2)),
    "whole comparisons": lambda a, b, c: where(to_int(a) > to_int(b), a, b),
    "whole choice": lambda a, b, c: to_real(where(a > b, to_int(a), 7)),
    "bits": lambda a, b, c: from_bits(pattern(a) | 1),
    "abs": lambda a, b, c: abs(a),
    "atan2": lambda a, b, c: atan2(a, b),
    "clamp": clamp,
    "cos": lambda a, b, c: cos(a),
    "exp": lambda a, b, c: exp(a),
    "exp2": lambda a, b, c: exp2(a),
    "floor": lambda a, b, c: floor(a),
    "fma": fma,
    "fract": lambda a, b, c: fract(a),
    "log": lambda a, b, c: log(a),
    "log2": lambda a, b, c: log2(a),
    "rough_log2": lambda a, b, c: rough_log2(fma(a, a, 0.001)),
    "maximum": lambda a, b, c: maximum(a, b),
    "minimum": lambda a, b, c: minimum(a, b),
    "mix": mix,
    "power": lambda a, b, c: power(a, b),
    "sin": lambda a, b, c: sin(a),
    "smoothstep": lambda a, b, c: smoothstep(a),
    "sqrt": lambda a, b, c: sqrt(a),
}


@cache
def operands(precision: str) -> tuple[np.ndarray, ...]:
    """All pairs of hard values and some thousand drawn ones, as three arrays whose length is a multiple of 8."""
    draw = np.random.default_rng(5)
    pairs = np.array([(a, b) for a in HARD for b in HARD]).T
    spread = draw.normal(size=(2, 600)) * 10.0 ** draw.uniform(-6, 6, size=(2, 600))
    a, b = np.concatenate([pairs, spread], axis=1)[:, : (pairs.shape[1] + 600) // 8 * 8]
    with np.errstate(all="ignore"):
        return tuple(np.ascontiguousarray(part, dtype=REALS[precision]) for part in (a, b, np.roll(b, 3)))


def bits(values: np.ndarray) -> np.ndarray:
    """Bit patterns; one for all NaN, whose payload is nobody's business."""
    values = np.where(np.isnan(values), values.dtype.type(np.nan), values)
    return values.view(f"i{values.itemsize}")


@pytest.mark.parametrize("precision", ["f64", pytest.param("f32", marks=pytest.mark.slow)])
@pytest.mark.parametrize("names", [tuple(CASES)[first::8] for first in range(8)], ids=", ".join)
def test_a_word_means_the_same_everywhere(names: tuple[str, ...], precision: str) -> None:
    real = REALS[precision]
    bound = {getattr(primitives, name): meaning for name, meaning in primitives.words(real).items()}
    plain = [retarget(CASES[name], words=bound) for name in names]
    some = operands(precision)
    with np.errstate(all="ignore"):
        expected = np.array([[real(means(*values)) for values in zip(*some, strict=True)] for means in plain])

    for at_once in (1, 8):
        compiled = retarget(
            each,
            words=lane_words(precision, at_once, at_once),
            slots=dict(zip(SLOTS, map(CASES.get, names), strict=True)),
            wrap=numba.jit(**INNER | {"no_cpython_wrapper": False, "forceinline": False}),
        )
        out = np.zeros_like(expected)
        compiled(*some, out, at_once)
        differing = np.argwhere(bits(expected) != bits(out))

        assert not differing.size, [
            (names[word], *(a[k] for a in some), expected[word, k], out[word, k]) for word, k in differing[:3]
        ]


def test_take_rounds_down_clamps_and_counts_nan_as_zero() -> None:
    taken = [take(TABLE, np.float64(index)) for index in (2.9, -1.0, 99.0, float("nan"), float("inf"))]

    assert taken == [TABLE[2], TABLE[0], TABLE[16], TABLE[0], TABLE[16]]


def pick(table: Any, places: Any, out: Any, lanes_at_once: int) -> None:
    """Take from a table where an array says."""
    column, _ = patch()
    result = unpack(take(table, take(places, column)))
    for lane in range(lanes_at_once):
        out[lane] = result[lane]


@pytest.mark.parametrize(("precision", "at_once"), [("f32", 32), ("f64", 16)])
def test_take_loads_registers_of_lanes_where_the_cpu_can(precision: str, at_once: int) -> None:
    table, places = TABLE.astype(REALS[precision]), np.resize(np.array(HARD, REALS[precision]), at_once)
    compiled = retarget(
        pick,
        words=lane_words(precision, at_once, at_once),
        slots={},
        wrap=numba.jit(**INNER | {"no_cpython_wrapper": False, "forceinline": False}),
    )
    out = np.zeros_like(places)
    compiled(table, places, out, at_once)
    (code,) = compiled.inspect_llvm().values()

    assert (out == [take(table, place) for place in places]).all()
    assert ("gather" in code) == ("avx512f" in host.cpu_features())


def test_every_word_is_tried() -> None:
    tried = {name for case in CASES.values() for name in (case.__name__, *case.__code__.co_names)} | {"bits"}

    assert set(lanes.__all__) - {"Lane"} <= tried | {"take"}


def test_every_elementary_function_is_in_the_vocabulary() -> None:
    public = {
        name for name, value in vars(elementary).items() if callable(value) and value.__module__ == elementary.__name__
    }

    assert {name for name in public if not name.startswith("_")} <= set(lanes.__all__)
