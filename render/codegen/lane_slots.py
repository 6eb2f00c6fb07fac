"""Numba intrinsics for lanes beyond the vocabulary, which fill the slots of the driver."""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

from render.codegen.lane_types import Lanes, Mask, bits_type, convert_operand, lane_constant, llvm_type


def splat_intrinsic(lane_type: Any) -> Any:
    """Make an intrinsic that turns a scalar into `lane_type` lanes (or a boolean into a mask)."""

    @intrinsic
    def convert(typingctx: Any, value: Any) -> Any:
        def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
            return convert_operand(context, builder, args[0], sig.args[0], lane_type)

        return lane_type(value), codegen

    return convert


def patch_intrinsic(lane_type: Any, wide: int) -> Any:
    """Make an intrinsic for (column, row) of each lane in a patch `wide` lanes wide, as `lane_type` lanes."""

    @intrinsic
    def numbers(typingctx: Any) -> Any:
        def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
            zero = lane_constant(lane_type, 0)
            if lane_type.n == 1:
                return context.make_tuple(builder, sig.return_type, [zero, zero])
            element = zero.type.element
            places = [divmod(lane, wide) for lane in range(lane_type.n)]
            cells = [
                ir.Constant(zero.type, [ir.Constant(element, value) for value in values])
                for values in ([column for _, column in places], [row for row, _ in places])
            ]
            return context.make_tuple(builder, sig.return_type, cells)

        return types.UniTuple(lane_type, 2)(), codegen

    return numbers


def lane_numbers_intrinsic(lane_type: Any) -> Any:
    """Make an intrinsic for 0, 1, 2, ... as `lane_type` lanes."""

    @intrinsic
    def lane_numbers(typingctx: Any) -> Any:
        def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
            kind = llvm_type(lane_type)
            if lane_type.n == 1:
                return kind(0)
            return ir.Constant(kind, [ir.Constant(kind.element, lane) for lane in range(lane_type.n)])

        return lane_type(), codegen

    return lane_numbers


@intrinsic
def lift_state(typingctx: Any, values: Any, like: Any) -> Any:
    """Turn every member of a flat tuple of lanes and scalars into lanes like `like`."""
    if not isinstance(values, types.BaseTuple) or not isinstance(like, Lanes):
        return None
    for member in values:
        if not (member == like or isinstance(member, types.Number)):
            return None

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        members = [
            convert_operand(context, builder, builder.extract_value(args[0], i), member, like)
            for i, member in enumerate(values)
        ]
        return context.make_tuple(builder, sig.return_type, members)

    return types.UniTuple(like, len(values))(values, like), codegen


@intrinsic
def select_state(typingctx: Any, mask: Any, a: Any, b: Any) -> Any:
    """Select between whole states, member by member."""
    if not isinstance(mask, Mask) or a != b:
        return None

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        members = [
            builder.select(args[0], builder.extract_value(args[1], i), builder.extract_value(args[2], i))
            for i in range(len(a))
        ]
        return context.make_tuple(builder, sig.return_type, members)

    return a(mask, a, b), codegen


@intrinsic
def int_to_real(typingctx: Any, steps: Any, like: Any) -> Any:
    """Convert integer lanes of any width to real lanes like `like`."""

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        return builder.sitofp(args[0], llvm_type(like))

    return like(steps, like), codegen


def truncate_intrinsic(count: Any = None) -> Any:
    """Make an intrinsic that converts reals to integers that hold them: of this type, or as wide as the reals."""

    @intrinsic
    def real_to_int(typingctx: Any, small: Any) -> Any:
        whole = bits_type(small) if count is None else Lanes(count, small.n)

        def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
            return builder.fptosi(args[0], llvm_type(whole))

        return whole(small), codegen

    return real_to_int


@intrinsic
def sum_lanes(typingctx: Any, values: Any) -> Any:
    """Sum over all integer lanes, as int64."""

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        return _emit_sum(builder, builder.sext(args[0], llvm_type(Lanes(types.int64, values.n))), values.n)

    return types.int64(values), codegen


def _emit_sum(builder: Any, wide: Any, n: int) -> Any:
    """Sum n int64 lanes."""
    if n == 1:
        return wide
    kind = ir.FunctionType(ir.IntType(64), [wide.type])
    reduce = cgutils.get_or_insert_function(builder.module, kind, f"llvm.vector.reduce.add.v{n}i64")
    return builder.call(reduce, [wide])


@intrinsic
def unpack_lanes(typingctx: Any, values: Any) -> Any:
    """Store the lanes one after the other in stack memory; return a pointer to it."""

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        place = cgutils.alloca_once(builder, args[0].type)
        builder.store(args[0], place)
        element = args[0].type if values.n == 1 else args[0].type.element
        return builder.bitcast(place, element.as_pointer())

    return types.CPointer(values.dtype)(values), codegen
