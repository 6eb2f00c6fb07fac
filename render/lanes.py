"""The lane vocabulary: the small set of words in which scenes are written.

A *lane* is one sample's place in a vector or a GPU thread. A scene written in these words runs as plain
Python, as one-lane compiled code, as 64-lane vectors and as CUDA threads, and all of them agree to the last
bit, because every word is an operation that IEEE 754 fixes, or is built from such operations alone.

Words that a target must provide (the *primitives*):

    + - * / and comparisons     on lanes; a constant takes the lanes' own precision
    & | ~                       on masks, which comparisons make
    fma(a, b, c)                a * b + c, rounded once
    sqrt(a) abs(a) floor(a)
    minimum(a, b) maximum(a, b) where(a < b, a, b) and where(a > b, a, b): b where either is NaN
    where(mask, a, b)           a choice, lane by lane; never a branch
    any_lane(mask)              is it true in any lane of the vector? (may only save work, never change a result)
    take(array, index)          array[index], the index rounded down and clamped to the array; NaN counts as 0
    to_int(a) to_real(i)        truncation with saturation (NaN counts as 0); the nearest real
    bits(a) from_bits(i)        the bit pattern as an integer of the same width, and back

Integers know + - & | ^ << >> and comparisons; they wrap around. Words built from the primitives (the
*elementary functions*) stand in `render.language.elementary`. Both are offered here, so a scene needs one import:

    from render.lanes import fma, sqrt, where, sin, log2

No bare product may feed a sum: write `fma(a, b, c)`, not `a * b + c`. Compilers for GPUs contract the latter
silently, and the picture would differ.

The meaning of each primitive, one lane at a time, stands in `render.language.primitives`.
"""

from __future__ import annotations

from render.language.elementary import (
    atan2,
    clamp,
    cos,
    exp,
    exp2,
    fract,
    log,
    log2,
    mix,
    power,
    rough_log2,
    sin,
    smoothstep,
)
from render.language.primitives import (
    Lane,
    abs,
    any_lane,
    bits,
    floor,
    fma,
    from_bits,
    maximum,
    minimum,
    sqrt,
    take,
    to_int,
    to_real,
    where,
)

__all__ = [
    "Lane",
    "abs",
    "any_lane",
    "atan2",
    "bits",
    "clamp",
    "cos",
    "exp",
    "exp2",
    "floor",
    "fma",
    "fract",
    "from_bits",
    "log",
    "log2",
    "maximum",
    "minimum",
    "mix",
    "power",
    "rough_log2",
    "sin",
    "smoothstep",
    "sqrt",
    "take",
    "to_int",
    "to_real",
    "where",
]
