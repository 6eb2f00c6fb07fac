"""Lanes in memory: the numba intrinsics with which the driver puts lanes away and takes them up again."""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

from render.codegen.lane_types import INT_OF, Lanes, Mask, lane_constant, llvm_type

ALIGNMENT = 64  # bytes, of the memory and of whole vectors in it


@intrinsic
def array_pointer(typingctx: Any, array: Any) -> Any:
    """Return a pointer to the first element of an array."""

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        return context.make_array(array)(context, builder, args[0]).data

    return types.CPointer(array.dtype)(array), codegen


@intrinsic
def int_pointer(typingctx: Any, array: Any) -> Any:
    """Return a pointer to an array's reals, read as integers of the same width."""
    whole = INT_OF[array.dtype]

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        data = context.make_array(array)(context, builder, args[0]).data
        return builder.bitcast(data, ir.IntType(whole.bitwidth).as_pointer())

    return types.CPointer(whole)(array), codegen


def _vector_at(builder: Any, pointer: Any, place: Any, kind: Lanes, row: int = 0) -> Any:
    """Return the address of a vector, `row` vectors behind the place."""
    start = builder.gep(pointer, [builder.add(place, place.type(row * kind.n))])
    return builder.bitcast(start, llvm_type(kind).as_pointer())


def _vector_alignment(kind: Lanes) -> int:
    return min(ALIGNMENT, kind.n * kind.dtype.bitwidth // 8)


def load_intrinsic(kind: Lanes) -> Any:
    """Make the intrinsic `fetch(pointer, place)` for lanes of one kind."""

    @intrinsic
    def fetch(typingctx: Any, pointer: Any, place: Any) -> Any:
        def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
            return builder.load(_vector_at(builder, args[0], args[1], kind), align=_vector_alignment(kind))

        return kind(pointer, types.int64), codegen

    return fetch


@intrinsic
def store_lanes(typingctx: Any, pointer: Any, place: Any, lanes: Any) -> Any:
    """Store lanes at a place that is a multiple of their number."""

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        builder.store(args[2], _vector_at(builder, args[0], args[1], lanes), align=_vector_alignment(lanes))
        return context.get_dummy_value()

    return types.void(pointer, types.int64, lanes), codegen


@intrinsic
def load_state(typingctx: Any, pointer: Any, place: Any, like: Any) -> Any:
    """Load as many lanes one behind the other as a state like `like` has members."""

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        members = [
            builder.load(_vector_at(builder, args[0], args[1], kind, row), align=_vector_alignment(kind))
            for row, kind in enumerate(like)
        ]
        return context.make_tuple(builder, like, members)

    return like(pointer, types.int64, like), codegen


@intrinsic
def store_state(typingctx: Any, pointer: Any, place: Any, state: Any) -> Any:
    """Store the members of a state one behind the other."""

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        for row, kind in enumerate(state):
            lanes = builder.extract_value(args[2], row)
            builder.store(lanes, _vector_at(builder, args[0], args[1], kind, row), align=_vector_alignment(kind))
        return context.get_dummy_value()

    return types.void(pointer, types.int64, state), codegen


@intrinsic
def load_rows(typingctx: Any, pointer: Any, place: Any, apart: Any, like: Any) -> Any:
    """Load as many lanes as a state like `like` has members, so many numbers from one to the next."""

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        members, place = [], args[1]
        for kind in like:
            members.append(builder.load(_vector_at(builder, args[0], place, kind), align=_vector_alignment(kind)))
            place = builder.add(place, args[2])
        return context.make_tuple(builder, like, members)

    return like(pointer, types.int64, types.int64, like), codegen


@intrinsic
def store_rows(typingctx: Any, pointer: Any, place: Any, apart: Any, state: Any) -> Any:
    """Store the members of a state so many numbers from one to the next."""

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        place = args[1]
        for row, kind in enumerate(state):
            lanes = builder.extract_value(args[3], row)
            builder.store(lanes, _vector_at(builder, args[0], place, kind), align=_vector_alignment(kind))
            place = builder.add(place, args[2])
        return context.get_dummy_value()

    return types.void(pointer, types.int64, types.int64, state), codegen


@intrinsic
def same_bits(typingctx: Any, a: Any, b: Any) -> Any:
    """Return a mask of the lanes in which all members of two states have the same bits."""
    kind = a[0]
    whole = Lanes(INT_OF[kind.dtype], kind.n)

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        differing = lane_constant(whole, 0)
        for row in range(len(a)):
            one, other = (builder.bitcast(builder.extract_value(state, row), llvm_type(whole)) for state in args)
            differing = builder.or_(differing, builder.xor(one, other))
        return builder.icmp_signed("==", differing, lane_constant(whole, 0))

    return Mask(kind.dtype, kind.n)(a, b), codegen


@intrinsic
def mask_to_bits(typingctx: Any, mask: Any) -> Any:
    """Return a mask as an int64, lane 0 its lowest bit.

    It is made 64 lanes wide first: of fewer, LLVM 20 would send the number through memory and wait for it.
    """

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        i64 = ir.IntType(64)
        if mask.n == 1:
            return builder.zext(args[0], i64)
        none = ir.Constant(args[0].type, [ir.IntType(1)(0)] * mask.n)
        lanes = [lane if lane < mask.n else mask.n for lane in range(64)]
        wide = builder.shuffle_vector(args[0], none, ir.Constant(ir.VectorType(ir.IntType(32), 64), lanes))
        return builder.bitcast(wide, i64)

    return types.int64(mask), codegen


def _bit_intrinsic(name: str, *more: int) -> Any:
    @intrinsic
    def word(typingctx: Any, number: Any) -> Any:
        def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
            i64 = ir.IntType(64)
            flags = [ir.IntType(1)(flag) for flag in more]
            kind = ir.FunctionType(i64, [i64, *[flag.type for flag in flags]])
            function = cgutils.get_or_insert_function(builder.module, kind, f"{name}.i64")
            return builder.call(function, [args[0], *flags])

        return types.int64(types.int64), codegen

    return word


count_ones = _bit_intrinsic("llvm.ctpop")
count_trailing_zeros = _bit_intrinsic("llvm.cttz", 1)  # 1: never asked of zero


@intrinsic
def bits_to_mask(typingctx: Any, number: Any, like: Any) -> Any:
    """Return the mask for lanes `like` whose `mask_to_bits` is the number."""

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        narrow = args[0] if like.n == 64 else builder.trunc(args[0], ir.IntType(like.n))
        return builder.bitcast(narrow, ir.VectorType(ir.IntType(1), like.n))

    return Mask(like.dtype, like.n)(types.int64, like), codegen
