"""Lanes as pixels: the numba intrinsics with which the driver writes whole rows of a patch."""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba.core import cgutils, types

from render.codegen import avx512
from render.codegen.lane_types import Lanes, lane_intrinsic, llvm_type

I8, I32 = ir.IntType(8), ir.IntType(32)


@lane_intrinsic(lambda table, red, green, blue: (types.CPointer(types.int32), table, red, green, blue))
def look_up_codes(context: Any, builder: Any, sig: Any, args: Any) -> Any:
    """Look three steps of a table of bytes up in each lane; return a pointer to an int32 for each, red lowest.

    With AVX-512 four bytes are loaded for one: three must lie behind the table.
    """
    data, n = context.make_array(sig.args[0])(context, builder, args[0]).data, sig.args[1].n
    codes = [_look_up(builder, data, steps, n) for steps in args[1:]]
    together = codes[0]
    for shift, code in ((8, codes[1]), (16, codes[2])):
        moved = builder.shl(code, ir.Constant(code.type, [shift] * n))
        together = builder.or_(together, moved)
    place = cgutils.alloca_once(builder, together.type)
    builder.store(together, place)
    return builder.bitcast(place, I32.as_pointer())


def _look_up(builder: Any, data: Any, steps: Any, n: int) -> Any:
    """Return the byte of each lane's step as int32 lanes."""
    kind = ir.VectorType(I32, n)
    index = steps if steps.type == kind else builder.trunc(steps, kind)
    lanes = avx512.gather(builder, I32, data, index, 1)
    if lanes is None:
        return _look_up_lanes(builder, data, index, n)
    return builder.and_(lanes, ir.Constant(kind, [255] * n))


def _look_up_lanes(builder: Any, data: Any, index: Any, n: int) -> Any:
    """Look up lane by lane, in a loop over the stack."""
    indices, found = cgutils.alloca_once(builder, index.type), cgutils.alloca_once(builder, index.type)
    builder.store(index, indices)
    ends = [builder.bitcast(place, I32.as_pointer()) for place in (indices, found)]
    with cgutils.for_range(builder, ir.IntType(64)(n)) as loop:
        step, code = (builder.gep(end, [loop.index]) for end in ends)
        byte = builder.load(builder.gep(data, [builder.load(step)]))
        builder.store(builder.zext(byte, I32), code)
    return builder.load(found)


def pixels_intrinsic(wide: int) -> Any:
    """Make the intrinsic `put_pixels(rgb, place, codes, lane)` for rows of so many pixels."""
    bytes_of = [4 * pixel + channel for pixel in range(wide) for channel in range(3)]

    @lane_intrinsic(lambda rgb, place, codes, lane: (types.void, rgb, types.int64, codes, types.int64))
    def put_pixels(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        rgb, place, codes, lane = args
        row = _load_row(builder, codes, lane, ir.VectorType(I8, 4 * wide))
        packed = builder.shuffle_vector(row, row, ir.Constant(ir.VectorType(I32, 3 * wide), bytes_of))
        _store_row(builder, packed, rgb, builder.mul(place, place.type(3)))
        return context.get_dummy_value()

    return put_pixels


def counts_intrinsic(wide: int) -> Any:
    """Make the intrinsic `put_counts(steps, place, counts, lane)` for rows of so many counts."""

    @lane_intrinsic(lambda steps, place, counts, lane: (types.void, steps, types.int64, counts, types.int64))
    def put_counts(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        steps, place, counts, lane = args
        row = _load_row(builder, counts, lane, llvm_type(Lanes(sig.args[2].dtype, wide)))
        narrow = row if row.type.element == I32 else builder.trunc(row, ir.VectorType(I32, wide))
        _store_row(builder, narrow, steps, place)
        return context.get_dummy_value()

    return put_counts


def _load_row(builder: Any, memory: Any, lane: Any, kind: ir.Type) -> Any:
    return builder.load(builder.bitcast(builder.gep(memory, [lane]), kind.as_pointer()), align=4)


def _store_row(builder: Any, row: Any, memory: Any, first: Any) -> None:
    place = builder.bitcast(builder.gep(memory, [first]), row.type.as_pointer())
    builder.store(row, place, align=row.type.element.width // 8)
