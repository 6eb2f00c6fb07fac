"""Instructions of AVX-512 that LLVM has no portable word for, a register of lanes at a time.

Who uses them asks `has` first, and has another way where it says no.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from llvmlite import ir
from numba.core import cgutils

from render.codegen import host

BYTES = 64  # of a register
I32 = ir.IntType(32)
GATHERS = {"double": "qpd", "float": "dps", "i32": "dpi"}  # each with indices as wide as what is loaded


def has(*features: str) -> bool:
    """Test whether this CPU has these of its features, named as in LLVM."""
    return set(features) <= host.cpu_features()


def split_lanes(builder: Any, element: Any, n: int, bits: Any) -> Iterator[tuple[int, Any, Any, Any]]:
    """For each register of n lanes: its first lane, its type, its mask of the bits, and how many bits come before."""
    count = min(n, BYTES // _size(element))
    vector = ir.VectorType(element, count)
    ones = cgutils.get_or_insert_function(builder.module, ir.FunctionType(bits.type, [bits.type]), "llvm.ctpop.i64")
    before = bits.type(0)
    for first in range(0, n, count):
        own = builder.trunc(builder.lshr(bits, bits.type(first)), ir.IntType(count))
        yield first, vector, builder.bitcast(own, ir.VectorType(ir.IntType(1), count)), before
        before = builder.add(before, builder.call(ones, [builder.zext(own, bits.type)]))


def compress(builder: Any, lanes: Any, mask: Any) -> Any:
    """Move the lanes of a mask side by side to the front; the others are anything."""
    return _call_masked(builder, "compress", lanes, lanes.type(ir.Undefined), mask)


def expand(builder: Any, lanes: Any, kept: Any, mask: Any) -> Any:
    """Move the first lanes to those of a mask; the others are as in `kept`."""
    return _call_masked(builder, "expand", lanes, kept, mask)


def _call_masked(builder: Any, word: str, lanes: Any, kept: Any, mask: Any) -> Any:
    kind = lanes.type
    name = f"llvm.x86.avx512.mask.{word}.v{kind.count}{kind.element.intrinsic_name}"
    declared = ir.FunctionType(kind, [kind, kind, mask.type])
    return builder.call(cgutils.get_or_insert_function(builder.module, declared, name), [lanes, kept, mask])


def gather(builder: Any, element: Any, data: Any, index: Any, scale: int) -> Any:
    """Load what lies at `index` times `scale` bytes from `data`, lane by lane; None where that fills no register.

    element: double, float or i32, as wide as the indices.
    """
    count = BYTES // _size(element)
    if index.type.count % count or not has("avx512f"):
        return None
    vector, mask = ir.VectorType(element, count), ir.VectorType(ir.IntType(1), count)
    kind = ir.FunctionType(vector, [vector, data.type, ir.VectorType(index.type.element, count), mask, I32])
    name = f"llvm.x86.avx512.mask.gather.{GATHERS[str(element)]}.512"
    load = cgutils.get_or_insert_function(builder.module, kind, name)
    every, parts = ir.Constant(mask, [1] * count), []
    for first in range(0, index.type.count, count):
        own = ir.Constant(ir.VectorType(I32, count), list(range(first, first + count)))
        part = builder.shuffle_vector(index, index, own)
        parts.append(builder.call(load, [vector(ir.Undefined), data, part, every, I32(scale)]))
    return _join_vectors(builder, parts)


def _join_vectors(builder: Any, parts: list[Any]) -> Any:
    """Join vectors of one type, a power of two of them, end to end."""
    while len(parts) > 1:
        both = ir.Constant(ir.VectorType(I32, 2 * parts[0].type.count), list(range(2 * parts[0].type.count)))
        parts = [builder.shuffle_vector(a, b, both) for a, b in zip(parts[::2], parts[1::2], strict=True)]
    return parts[0]


def _size(element: Any) -> int:
    return {"double": 8, "float": 4}.get(str(element)) or element.width // 8
