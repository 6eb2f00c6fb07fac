"""Intrinsics for the slots of `warp`: what lanes of a warp exchange, and what they share with all others.

`GPU` is for a GPU, where a lane is a thread and 32 of them vote; `ALONE` for numba's simulator, where each
thread is a warp of its own. Whole numbers of the warp are int32 lanes: a GPU has no others in its registers.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

from render.codegen import host
from render.codegen.lane_types import Lanes
from render.kernels import slots

COUNT = Lanes(types.int32, 1)
I1, I32, I64 = ir.IntType(1), ir.IntType(32), ir.IntType(64)
ALL, BALLOT, INDEXED, ACROSS = (
    I32(0xFFFFFFFF),
    I32(3),
    I32(0),
    I32(3),
)  # lanes that take part; modes of `vote` and `shfl`


def _call_function(builder: Any, name: str, result: Any, *values: Any) -> Any:
    """Call a function of NVVM or LLVM."""
    kind = ir.FunctionType(result, [value.type for value in values])
    return builder.call(cgutils.get_or_insert_function(builder.module, kind, name), values)


def _take_ballot(builder: Any, mask: Any) -> Any:
    """Take a ballot: a bit for each lane of the warp that says yes; all have to come here."""
    both = _call_function(builder, "llvm.nvvm.vote.sync", ir.LiteralStructType((I32, I1)), ALL, BALLOT, mask)
    return builder.extract_value(both, 0)


def _read_register(builder: Any, name: str, kind: Any, letter: str) -> Any:
    """Read a special register of the thread, anew each time."""
    suffix = f"u{kind.width}"
    return builder.asm(ir.FunctionType(kind, []), f"mov.{suffix} $0, %{name};", f"={letter},~{{memory}}", [], True)


def _make_unary(emit: Callable[[Any, Any], Any]) -> Any:
    """Make an intrinsic of a mask or a whole number that gives a whole number."""

    @intrinsic
    def word(typingctx: Any, value: Any) -> Any:
        def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
            return emit(builder, args[0])

        return COUNT(value), codegen

    return word


def _make_nullary(emit: Callable[[Any], Any], kind: Any = COUNT) -> Any:
    """Make an intrinsic without arguments."""

    @intrinsic
    def word(typingctx: Any) -> Any:
        def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
            return emit(builder)

        return kind(), codegen

    return word


def _count_votes(builder: Any, mask: Any) -> Any:
    return _call_function(builder, "llvm.ctpop.i32", I32, _take_ballot(builder, mask))


def _count_before(builder: Any, mask: Any) -> Any:
    lower = builder.asm(ir.FunctionType(I32, []), "mov.u32 $0, %lanemask_lt;", "=r", [], False)
    return _call_function(builder, "llvm.ctpop.i32", I32, builder.and_(_take_ballot(builder, mask), lower))


def _take_from_first(builder: Any, value: Any) -> Any:
    both = ir.LiteralStructType((I32, I1))
    shuffled = _call_function(builder, "llvm.nvvm.shfl.sync.i32", both, ALL, INDEXED, value, I32(0), I32(31))
    return builder.extract_value(shuffled, 0)


def _read_lane_number(builder: Any) -> Any:
    return builder.asm(ir.FunctionType(I32, []), "mov.u32 $0, %laneid;", "=r", [], False)


def _sum_warp(builder: Any, value: Any) -> Any:
    """Sum over the warp: in five turns each lane adds what one 1, 2, 4, ... lanes away has come to."""
    both = ir.LiteralStructType((I32, I1))
    for away in (1, 2, 4, 8, 16):
        other = _call_function(builder, "llvm.nvvm.shfl.sync.i32", both, ALL, ACROSS, value, I32(away), I32(31))
        value = builder.add(value, builder.extract_value(other, 0))
    return value


@intrinsic
def divide_whole(typingctx: Any, number: Any, by: Any) -> Any:
    """Divide whole numbers that are not negative: quotient and remainder."""

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        quotient = builder.udiv(*args)
        rest = builder.sub(args[0], builder.mul(quotient, args[1]))
        return context.make_tuple(builder, sig.return_type, [quotient, rest])

    return types.UniTuple(COUNT, 2)(COUNT, COUNT), codegen


@intrinsic
def multiply_whole(typingctx: Any, number: Any, by: Any) -> Any:
    """Multiply whole numbers in 32 bits."""

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        return builder.mul(*args)

    return COUNT(COUNT, COUNT), codegen


@intrinsic
def add_at(typingctx: Any, array: Any, index: Any, value: Any) -> Any:
    """Add: array[index] += value (int64), undisturbed by other threads that do the same; gives what was there."""

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        data = context.make_array(sig.args[0])(context, builder, args[0]).data
        return builder.atomic_rmw("add", builder.gep(data, [args[1]]), args[2], "monotonic")

    return types.int64(array, types.int64, types.int64), codegen


SHARED: dict[Callable[..., Any], Any] = {
    slots.divided: divide_whole,
    slots.multiplied: multiply_whole,
    slots.add_at: add_at,
}
GPU = SHARED | {
    slots.votes: _make_unary(_count_votes),
    slots.before: _make_unary(_count_before),
    slots.from_first: _make_unary(_take_from_first),
    slots.lane_number: _make_nullary(_read_lane_number),
    slots.warp_lanes: _make_nullary(lambda _builder: I64(32), types.int64),
    slots.warp_sum: _make_unary(_sum_warp),
    slots.multiprocessor: _make_nullary(lambda builder: _read_register(builder, "smid", I32, "r"), types.int32),
    slots.device_clock: _make_nullary(lambda builder: _read_register(builder, "globaltimer", I64, "l"), types.int64),
}
ALONE = SHARED | {
    slots.votes: _make_unary(lambda builder, mask: builder.zext(mask, I32)),
    slots.before: _make_unary(lambda _builder, _mask: I32(0)),
    slots.from_first: _make_unary(lambda _builder, value: value),
    slots.lane_number: _make_nullary(lambda _builder: I32(0)),
    slots.warp_lanes: _make_nullary(lambda _builder: I64(1), types.int64),
    slots.warp_sum: _make_unary(lambda _builder, value: value),
    slots.multiprocessor: _make_nullary(lambda _builder: I32(0), types.int32),
    slots.device_clock: _make_nullary(lambda builder: _call_function(builder, host.CLOCK, I64), types.int64),
}
