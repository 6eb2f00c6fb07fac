"""Numba intrinsics for lanes beyond the vocabulary, which fill the slots of the driver."""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba.core import cgutils, types

from render.codegen.lane_types import (
    Lanes,
    Mask,
    bits_type,
    convert_operand,
    lane_intrinsic,
    llvm_type,
)


def splat_intrinsic(lane_type: Any) -> Any:
    """Make an intrinsic that turns a scalar into `lane_type` lanes (or a boolean into a mask)."""

    @lane_intrinsic(lambda value: (lane_type, value))
    def convert(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        return convert_operand(context, builder, args[0], sig.args[0], lane_type)

    return convert


def patch_intrinsic(lane_type: Any, wide: int) -> Any:
    """Make an intrinsic for (column, row) of each lane in a patch `wide` lanes wide, as `lane_type` lanes."""

    @lane_intrinsic(lambda: (types.UniTuple(lane_type, 2),))
    def numbers(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        kind = llvm_type(lane_type)
        rows, columns = zip(*(divmod(lane, wide) for lane in range(lane_type.n)), strict=True)
        cells = [_each_lane(kind, places) for places in (columns, rows)]
        return context.make_tuple(builder, sig.return_type, cells)

    return numbers


def _each_lane(kind: Any, values: Any) -> Any:
    """Return the LLVM constant with a value for each lane."""
    if not isinstance(kind, ir.VectorType):
        return kind(values[0])
    return ir.Constant(kind, [ir.Constant(kind.element, value) for value in values])


def lane_numbers_intrinsic(lane_type: Any) -> Any:
    """Make an intrinsic for 0, 1, 2, ... as `lane_type` lanes."""

    @lane_intrinsic(lambda: (lane_type,))
    def lane_numbers(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        return _each_lane(llvm_type(lane_type), range(lane_type.n))

    return lane_numbers


def _lift_types(values: Any, like: Any) -> Any:
    if not isinstance(values, types.BaseTuple) or not isinstance(like, Lanes):
        return None
    fits = all(member == like or isinstance(member, types.Number) for member in values)
    return (types.UniTuple(like, len(values)), values, like) if fits else None


@lane_intrinsic(_lift_types)
def lift_state(context: Any, builder: Any, sig: Any, args: Any) -> Any:
    """Turn every member of a flat tuple of lanes and scalars into lanes like `like`."""
    values, like = sig.args
    members = [
        convert_operand(context, builder, builder.extract_value(args[0], i), member, like)
        for i, member in enumerate(values)
    ]
    return context.make_tuple(builder, sig.return_type, members)


@lane_intrinsic(lambda mask, a, b: (a, mask, a, b) if isinstance(mask, Mask) and a == b else None)
def select_state(context: Any, builder: Any, sig: Any, args: Any) -> Any:
    """Select between whole states, member by member."""
    mask, *states = args
    members = [
        builder.select(mask, *(builder.extract_value(state, i) for state in states))
        for i in range(len(sig.return_type))
    ]
    return context.make_tuple(builder, sig.return_type, members)


@lane_intrinsic(lambda steps, like: (like, steps, like))
def int_to_real(context: Any, builder: Any, sig: Any, args: Any) -> Any:
    """Convert integer lanes of any width to real lanes like `like`."""
    return builder.sitofp(args[0], llvm_type(sig.return_type))


def truncate_intrinsic(count: Any = None) -> Any:
    """Make an intrinsic that converts reals to integers that hold them: of this type, or as wide as the reals."""

    @lane_intrinsic(lambda small: (bits_type(small) if count is None else Lanes(count, small.n), small))
    def real_to_int(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        return builder.fptosi(args[0], llvm_type(sig.return_type))

    return real_to_int


@lane_intrinsic(lambda values: (types.int64, values))
def sum_lanes(context: Any, builder: Any, sig: Any, args: Any) -> Any:
    """Sum over all integer lanes, as int64."""
    n = sig.args[0].n
    wide = builder.sext(args[0], llvm_type(Lanes(types.int64, n)))
    if n == 1:
        return wide
    kind = ir.FunctionType(ir.IntType(64), [wide.type])
    reduce = cgutils.get_or_insert_function(builder.module, kind, f"llvm.vector.reduce.add.v{n}i64")
    return builder.call(reduce, [wide])


@lane_intrinsic(lambda values: (types.CPointer(values.dtype), values))
def unpack_lanes(context: Any, builder: Any, sig: Any, args: Any) -> Any:
    """Store the lanes one after the other in stack memory; return a pointer to it."""
    place = cgutils.alloca_once(builder, args[0].type)
    builder.store(args[0], place)
    element = args[0].type if sig.args[0].n == 1 else args[0].type.element
    return builder.bitcast(place, element.as_pointer())
