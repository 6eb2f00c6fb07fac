"""What the instructions on integers and bits compute; see `arithmetic`, of which this is the other half."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.ptx.arithmetic import BITS, DTYPES, INT, Meaning, bits_of, form, unsigned

LOGIC = {"and": np.bitwise_and, "or": np.bitwise_or, "xor": np.bitwise_xor}
WIDER = {16: 32, 32: 64}


@form(rf"(add|sub|mul\.lo)\.{INT}")
def _arithmetic(name: str, kind: str) -> Meaning:
    return Meaning(kind, (kind, kind), {"add": np.add, "sub": np.subtract, "mul.lo": np.multiply}[name])


@form(r"(mul|mad)\.wide\.([su])(16|32)")
def _wide(name: str, sign: str, size: str) -> Meaning:
    kind, result = f"{sign}{size}", f"{sign}{WIDER[int(size)]}"
    wide = DTYPES[result]
    if name == "mul":
        return Meaning(result, (kind, kind), lambda a, b: a.astype(wide) * b.astype(wide))
    return Meaning(result, (kind, kind, result), lambda a, b, c: a.astype(wide) * b.astype(wide) + c)


def high(a: np.ndarray, b: np.ndarray) -> Any:
    """The upper half of a product; of 64 bits from four products of 32."""
    size = a.dtype.itemsize * 8
    if size < 64:
        wide = np.dtype(f"{a.dtype.kind}{size // 4}")
        return (a.astype(wide) * b.astype(wide) >> wide.type(size)).astype(a.dtype)
    x, y = a.view(np.uint64), b.view(np.uint64)
    half, low = np.uint64(32), np.uint64(0xFFFFFFFF)
    middle = (x >> half) * (y & low) + ((x & low) * (y & low) >> half)
    other = (x & low) * (y >> half) + (middle & low)
    upper = (x >> half) * (y >> half) + (middle >> half) + (other >> half)
    if a.dtype.kind == "i":
        upper = upper - np.where(a < 0, y, np.uint64(0)) - np.where(b < 0, x, np.uint64(0))
    return upper.view(a.dtype)


@form(rf"mul\.hi\.{INT}")
def _high(kind: str) -> Meaning:
    return Meaning(kind, (kind, kind), high)


@form(rf"mad\.(lo|hi)\.{INT}")
def _multiply_add(half: str, kind: str) -> Meaning:
    product = high if half == "hi" else np.multiply
    return Meaning(kind, (kind, kind, kind), lambda a, b, c: product(a, b) + c)


def quotient(a: np.ndarray, b: np.ndarray) -> Any:
    """Rounded towards zero; all bits set where it is divided by zero, which PTX leaves open."""
    whole = np.dtype(f"u{a.dtype.itemsize}")
    size, by = np.abs(a).view(whole), np.abs(b).view(whole)
    there = size // np.where(by == 0, whole.type(1), by)
    there = np.where((a < 0) ^ (b < 0), np.negative(there), there)
    return np.where(b == 0, ~whole.type(0), there).view(a.dtype)


@form(rf"(div|rem)\.{INT}")
def _divide(name: str, kind: str) -> Meaning:
    if name == "div":
        return Meaning(kind, (kind, kind), quotient)
    return Meaning(kind, (kind, kind), lambda a, b: np.where(b == 0, a, a - quotient(a, b) * b))


@form(rf"(min|max)\.{INT}")
def _extreme(name: str, kind: str) -> Meaning:
    return Meaning(kind, (kind, kind), np.minimum if name == "min" else np.maximum)


@form(r"(neg|abs)\.(s(?:16|32|64))")
def _sign(name: str, kind: str) -> Meaning:
    return Meaning(kind, (kind,), np.negative if name == "neg" else np.abs)


@form(rf"sad\.{INT}")
def _difference(kind: str) -> Meaning:
    return Meaning(kind, (kind, kind, kind), lambda a, b, c: c + np.where(a < b, b - a, a - b))


# --- bits -----------------------------------------------------------------------------------------------------


@form(r"(and|or|xor)\.(b(?:16|32|64)|pred)")
def _logic(name: str, kind: str) -> Meaning:
    return Meaning(kind, (kind, kind), LOGIC[name])


@form(r"not\.(b(?:16|32|64)|pred)")
def _not(kind: str) -> Meaning:
    return Meaning(kind, (kind,), np.invert)


@form(rf"cnot\.{BITS}")
def _is_zero(kind: str) -> Meaning:
    return Meaning(kind, (kind,), lambda a: (a == 0).astype(a.dtype))


@form(r"(shl|shr)\.([subf](?:16|32|64))")
def _shift(name: str, kind: str) -> Meaning:
    """By 32 bits of count; as much as the width or more moves everything out."""
    dtype, size = DTYPES[kind], bits_of(kind)

    def shift(a: np.ndarray, count: np.ndarray) -> Any:
        by = np.minimum(count, size - 1).astype(dtype)
        moved = a << by if name == "shl" else a >> by
        empty = a >> dtype.type(size - 1) if name == "shr" and kind[0] == "s" else dtype.type(0)
        return np.where(count >= size, empty, moved)

    return Meaning(kind, (kind, "u32"), shift)


@form(r"shf\.([lr])\.(clamp|wrap)\.b32")
def _funnel(side: str, mode: str) -> Meaning:
    """Shift two words as one, the first the lower, and give the upper (left) or the lower (right)."""

    def shift(a: np.ndarray, b: np.ndarray, count: np.ndarray) -> Any:
        by = (count & 31 if mode == "wrap" else np.minimum(count, 32)).astype(np.uint64)
        both = b.astype(np.uint64) << np.uint64(32) | a
        moved = both << by >> np.uint64(32) if side == "l" else both >> by
        return moved.astype(np.uint32)

    return Meaning("b32", ("b32", "b32", "u32"), shift)


def length(a: np.ndarray) -> Any:
    """The number of bits up to the highest that is set (unsigned)."""
    found = np.zeros(a.shape, np.uint32)
    for bit in range(a.dtype.itemsize * 8):
        found[(a >> a.dtype.type(bit)) & a.dtype.type(1) != 0] = bit + 1
    return found


@form(r"popc\.(b32|b64)")
def _count(kind: str) -> Meaning:
    return Meaning("u32", (kind,), lambda a: np.bitwise_count(a).astype(np.uint32))


@form(r"clz\.(b32|b64)")
def _leading(kind: str) -> Meaning:
    return Meaning("u32", (kind,), lambda a: np.uint32(bits_of(kind)) - length(a))


@form(r"bfind(\.shiftamt)?\.([su](?:32|64))")
def _highest(shift: str | None, kind: str) -> Meaning:
    """Where the highest bit is that differs from the sign; all bits set where there is none."""

    def find(a: np.ndarray) -> Any:
        found = length((a ^ (a >> a.dtype.type(bits_of(kind) - 1)) if kind[0] == "s" else a).view(unsigned(kind)))
        place = np.uint32(bits_of(kind)) - found if shift else found - np.uint32(1)
        return np.where(found == 0, np.uint32(0xFFFFFFFF), place)

    return Meaning("u32", (kind,), find)


@form(r"brev\.(b32|b64)")
def _reverse(kind: str) -> Meaning:
    def reverse(a: np.ndarray) -> Any:
        one, out = a.dtype.type(1), np.zeros_like(a)
        for bit in range(bits_of(kind)):
            out |= (a >> a.dtype.type(bit) & one) << a.dtype.type(bits_of(kind) - 1 - bit)
        return out

    return Meaning(kind, (kind,), reverse)


def ones(count: np.ndarray, dtype: np.dtype) -> Any:
    """So many bits set, from the lowest; the width at most."""
    size = dtype.itemsize * 8
    short = (dtype.type(1) << np.minimum(count, size - 1).astype(dtype)) - dtype.type(1)
    return np.where(count >= size, ~dtype.type(0), short)


@form(r"bfe\.([su](?:32|64))")
def _extract(kind: str) -> Meaning:
    """`count` bits from `place` on (the low bytes of both), the sign carried on; past the top bit only its sign."""
    whole, size = unsigned(kind), bits_of(kind)

    def extract(a: np.ndarray, place: np.ndarray, count: np.ndarray) -> Any:
        place, count = place & 255, count & 255
        value = a.view(whole)
        last = np.clip(place.astype(np.int64) + count - 1, 0, size - 1).astype(whole)
        sign = (value >> last & whole.type(1)) * whole.type(kind[0] == "s") * (count > 0).astype(whole)
        field = np.where(place < size, value >> np.minimum(place, size - 1).astype(whole), whole.type(0))
        held = ones(np.minimum(count, np.maximum(size - place.astype(np.int64), 0)), whole)
        return np.where(sign == 0, field & held, field & held | ~held).view(a.dtype)

    return Meaning(kind, (kind, "u32", "u32"), extract)


@form(r"bfi\.(b32|b64)")
def _insert(kind: str) -> Meaning:
    whole, size = DTYPES[kind], bits_of(kind)

    def insert(a: np.ndarray, b: np.ndarray, place: np.ndarray, count: np.ndarray) -> Any:
        place, count = place & 255, count & 255
        by = np.minimum(place, size - 1).astype(whole)
        held = np.where(place < size, ones(count, whole) << by, whole.type(0))
        return b & ~held | a << by & held

    return Meaning(kind, (kind, kind, "u32", "u32"), insert)


@form(r"prmt\.b32")
def _permute() -> Meaning:
    """Four bytes chosen from eight by the digits of the selector; a digit's top bit: its byte's sign, eight times."""

    def permute(a: np.ndarray, b: np.ndarray, chosen: np.ndarray) -> Any:
        both = b.astype(np.uint64) << np.uint64(32) | a
        out = np.zeros_like(both)
        for byte in range(4):
            digit = (chosen >> np.uint32(4 * byte)).astype(np.uint64)
            value = both >> (digit & np.uint64(7)) * np.uint64(8) & np.uint64(255)
            sign = (value >> np.uint64(7)) * np.uint64(255)
            out |= np.where(digit & np.uint64(8) != 0, sign, value) << np.uint64(8 * byte)
        return out.astype(np.uint32)

    return Meaning("b32", ("b32", "b32", "b32"), permute)


@form(r"lop3\.b32")
def _any_logic() -> Meaning:
    """Any function of three bits, told by its table of eight."""

    def logic(a: np.ndarray, b: np.ndarray, c: np.ndarray, table: np.ndarray) -> Any:
        out = np.zeros_like(a | b | c)
        for row in range(8):
            here = (a if row & 4 else ~a) & (b if row & 2 else ~b) & (c if row & 1 else ~c)
            out = out | np.where(table >> np.uint32(row) & np.uint32(1), here, np.uint32(0))
        return out

    return Meaning("b32", ("b32", "b32", "b32", "u32"), logic)
