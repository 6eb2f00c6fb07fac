"""What each instruction of arithmetic computes, for all lanes together, to the last bit.

`meaning` finds it by the whole opcode with all its modifiers, so that one which is not known here is never passed
over. Every rounding is to nearest: other roundings, `.ftz`, `.sat` of floats and whatever is approximate are errors.
Only the payload of a NaN is the CPU's own. Source: NVIDIA, Parallel Thread Execution ISA 9, section 9.7.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from numba import vectorize
from numba.extending import intrinsic

from tests.ptx.text import PtxError

Function = Callable[..., Any]
DTYPES = (
    {"pred": np.dtype(np.bool_)}
    | {
        f"{letter}{size}": np.dtype(f"{kind}{size // 8}")
        for letter, kind, sizes in (
            ("b", "u", (8, 16, 32, 64)),
            ("u", "u", (8, 16, 32, 64)),
            ("s", "i", (8, 16, 32, 64)),
        )
        for size in sizes
    }
    | {"f32": np.dtype(np.float32), "f64": np.dtype(np.float64)}
)
INT, BITS, FLOAT = r"([su](?:16|32|64))", r"(b(?:16|32|64))", r"(f(?:32|64))"
ANY = r"([subf](?:16|32|64)|pred)"
ORDERED = {"eq": np.equal, "lt": np.less, "le": np.less_equal, "gt": np.greater, "ge": np.greater_equal}
UNSIGNED = {"lo": "lt", "ls": "le", "hi": "gt", "hs": "ge"}
OPPOSITE = {"ltu": "ge", "leu": "gt", "gtu": "le", "geu": "lt"}
ROUNDINGS = {"n": np.rint, "z": np.trunc, "m": np.floor, "p": np.ceil}


class Meaning(NamedTuple):
    """The type of the result, those of the sources, and the function from these to that."""

    result: str
    sources: tuple[str, ...]
    function: Function


FORMS: list[tuple[re.Pattern[str], Callable[..., Meaning]]] = []


def form(pattern: str) -> Callable[[Callable[..., Meaning]], Callable[..., Meaning]]:
    """Enter a function from an opcode's variable parts to its meaning."""

    def enter(made: Callable[..., Meaning]) -> Callable[..., Meaning]:
        FORMS.append((re.compile(pattern), made))
        return made

    return enter


@cache
def meaning(opcode: str) -> Meaning:
    """What an opcode computes. Raises PtxError for one that is not known."""
    for pattern, made in FORMS:
        if found := pattern.fullmatch(opcode):
            return made(*found.groups())
    raise PtxError(f"unknown instruction {opcode}")


def bits_of(kind: str) -> int:
    """The number of bits of a type."""
    return int(DTYPES[kind].itemsize) * 8


def unsigned(kind: str) -> Any:
    """The unsigned integer of a type's size."""
    return DTYPES[f"u{bits_of(kind)}"]


# --- floating point -------------------------------------------------------------------------------------------


@intrinsic
def _once_rounded(_: Any, a: Any, b: Any, c: Any) -> Any:
    """The compiler's fma: the CPU's instruction, or the C library's function where it has none."""
    return a(a, b, c), lambda _context, builder, _signature, values: builder.fma(*values)


@cache
def fma() -> Function:
    """a b + c rounded once, compiled when it is first asked for."""

    def each(a: Any, b: Any, c: Any) -> Any:
        return _once_rounded(a, b, c)

    return vectorize(["f4(f4,f4,f4)", "f8(f8,f8,f8)"])(each)  # type: ignore[no-any-return]


@form(rf"(add|sub|mul)(?:\.rn)?\.{FLOAT}")
def _float_arithmetic(name: str, kind: str) -> Meaning:
    return Meaning(kind, (kind, kind), {"add": np.add, "sub": np.subtract, "mul": np.multiply}[name])


@form(rf"div\.rn\.{FLOAT}")
def _divide(kind: str) -> Meaning:
    return Meaning(kind, (kind, kind), np.divide)


@form(rf"(sqrt|rcp)\.rn\.{FLOAT}")
def _root(name: str, kind: str) -> Meaning:
    one = DTYPES[kind].type(1)
    return Meaning(kind, (kind,), np.sqrt if name == "sqrt" else lambda a: np.divide(one, a))


@form(rf"(?:fma|mad)\.rn\.{FLOAT}")
def _multiply_add(kind: str) -> Meaning:
    return Meaning(kind, (kind, kind, kind), fma())


@form(rf"(neg|abs)\.{FLOAT}")
def _float_sign(name: str, kind: str) -> Meaning:
    return Meaning(kind, (kind,), np.negative if name == "neg" else np.abs)


@form(rf"copysign\.{FLOAT}")
def _copysign(kind: str) -> Meaning:
    return Meaning(kind, (kind, kind), lambda sign, size: np.copysign(size, sign))


@form(rf"(min|max)(\.NaN)?\.{FLOAT}")
def _float_extreme(name: str, passes: str | None, kind: str) -> Meaning:
    """Of a number and a NaN the number, unless NaN passes; -0 is less than +0."""
    whole = unsigned(kind)
    pick = {"min": np.minimum, "max": np.maximum}[name] if passes else {"min": np.fmin, "max": np.fmax}[name]
    both = np.bitwise_or if name == "min" else np.bitwise_and

    def extreme(a: np.ndarray, b: np.ndarray) -> Any:
        return np.where(a == b, both(a.view(whole), b.view(whole)).view(a.dtype), pick(a, b))

    return Meaning(kind, (kind, kind), extreme)


@form(rf"testp\.(finite|infinite|number|notanumber)\.{FLOAT}")
def _test(name: str, kind: str) -> Meaning:
    tests: dict[str, Function] = {
        "finite": np.isfinite,
        "infinite": np.isinf,
        "number": lambda a: ~np.isnan(a),
        "notanumber": np.isnan,
    }
    return Meaning("pred", (kind,), tests[name])


# --- comparing and choosing -----------------------------------------------------------------------------------


def comparison(name: str, kind: str) -> Function:
    """The function of a comparison's name. Raises PtxError for one that this type does not have."""
    if kind[0] == "u" and name in UNSIGNED:
        return ORDERED[UNSIGNED[name]]
    if name == "ne" and kind[0] != "f":
        return np.not_equal
    if name in ORDERED and (kind[0] != "b" or name == "eq"):
        return ORDERED[name]
    floats: dict[str, Function] = {
        "ne": lambda a, b: (a < b) | (a > b),
        "equ": lambda a, b: ~((a < b) | (a > b)),
        "neu": np.not_equal,
        "num": lambda a, b: ~(np.isnan(a) | np.isnan(b)),
        "nan": lambda a, b: np.isnan(a) | np.isnan(b),
    }
    if kind[0] == "f" and name in floats:
        return floats[name]
    if kind[0] == "f" and name in OPPOSITE:
        return lambda a, b: ~ORDERED[OPPOSITE[name]](a, b)
    raise PtxError(f"no comparison {name} of {kind}")


@form(rf"setp\.([a-z]+)(?:\.(and|or|xor))?\.{ANY}")
def _compare(name: str, joined: str | None, kind: str) -> Meaning:
    compare = comparison(name, kind)
    if joined is None:
        return Meaning("pred", (kind, kind), compare)
    join = {"and": np.logical_and, "or": np.logical_or, "xor": np.logical_xor}[joined]
    return Meaning("pred", (kind, kind, "pred"), lambda a, b, c: join(compare(a, b), c))


@form(rf"set\.([a-z]+)\.([su]32|f32)\.{ANY}")
def _compare_to_number(name: str, result: str, kind: str) -> Meaning:
    compare, yes = (
        comparison(name, kind),
        DTYPES[result].type(1 if result == "f32" else -1 if result == "s32" else ~0 & 0xFFFFFFFF),
    )
    return Meaning(result, (kind, kind), lambda a, b: np.where(compare(a, b), yes, DTYPES[result].type(0)))


@form(r"selp\.([subf](?:16|32|64))")
def _select(kind: str) -> Meaning:
    return Meaning(kind, (kind, kind, "pred"), lambda a, b, yes: np.where(yes, a, b))


@form(r"slct\.([subf](?:16|32|64))\.(s32|f32)")
def _select_by_sign(kind: str, by: str) -> Meaning:
    return Meaning(kind, (kind, kind, by), lambda a, b, sign: np.where(sign >= 0, a, b))


@form(rf"(?:mov|cvta(?:\.to)?(?:\.(?:global|const|local|shared|param)))\.{ANY}")
def _move(kind: str) -> Meaning:
    return Meaning(kind, (kind,), lambda a: a)


# --- conversions ----------------------------------------------------------------------------------------------


@form(rf"cvt(?:\.rn)?\.{FLOAT}\.([su](?:8|16|32|64))")
@form(r"cvt\.(f64)\.(f32)")
@form(r"cvt\.rn\.(f32)\.(f64)")
def _to_float(result: str, kind: str) -> Meaning:
    return Meaning(result, (kind,), lambda a: a.astype(DTYPES[result]))


@form(r"cvt(?:\.r([nzmp])i)?(\.sat)?\.(?:(f32)\.f32|(f64)\.f64)")
def _float_in_place(rounding: str | None, saturated: str | None, single: str | None, double: str | None) -> Meaning:
    """To a whole number of the same type, or clamped to 0..1 with 0 for a NaN, or both."""
    kind = single or double or ""
    whole: Function = ROUNDINGS[rounding] if rounding else lambda a: a
    if not saturated:
        return Meaning(kind, (kind,), whole)
    none, one = DTYPES[kind].type(0), DTYPES[kind].type(1)
    return Meaning(kind, (kind,), lambda a: np.where(whole(a) > 0, np.fmin(whole(a), one), none))


@form(rf"cvt\.r([nzmp])i(?:\.sat)?\.([su](?:8|16|32|64))\.{FLOAT}")
def _to_whole(rounding: str, result: str, kind: str) -> Meaning:
    """The nearest that the type holds; 0 for a NaN."""
    least, most = _range(result)

    def whole(a: np.ndarray) -> Any:
        a = ROUNDINGS[rounding](a)
        below, above = a <= least, a >= a.dtype.type(most + 1)  # powers of two: exact in either type
        inside = np.where(below | above | np.isnan(a), 0, a).astype(DTYPES[result])
        return np.where(below, DTYPES[result].type(least), np.where(above, DTYPES[result].type(most), inside))

    return Meaning(result, (kind,), whole)


@form(r"cvt(\.sat)?\.([su](?:8|16|32|64))\.([su](?:8|16|32|64))")
def _between_integers(saturated: str | None, result: str, kind: str) -> Meaning:
    if not saturated:
        return Meaning(result, (kind,), lambda a: a.astype(DTYPES[result]))
    (least, most), (lowest, highest) = _range(result), _range(kind)
    bounds = DTYPES[kind].type(max(least, lowest)), DTYPES[kind].type(min(most, highest))
    return Meaning(result, (kind,), lambda a: np.clip(a, *bounds).astype(DTYPES[result]))


def _range(kind: str) -> tuple[int, int]:
    told = np.iinfo(DTYPES[kind])
    return int(told.min), int(told.max)
