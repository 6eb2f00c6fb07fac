"""Lanes in memory: the numba intrinsics with which the driver puts lanes away and takes them up again."""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba.core import cgutils, types

from render.codegen.lane_types import INT_OF, Lanes, Mask, lane_constant, lane_intrinsic, llvm_type

ALIGNMENT = 64  # bytes, of the memory and of whole vectors in it
I64 = ir.IntType(64)


@lane_intrinsic(lambda array: (types.CPointer(array.dtype), array))
def array_pointer(context: Any, builder: Any, sig: Any, args: Any) -> Any:
    """Return a pointer to the first element of an array."""
    return context.make_array(sig.args[0])(context, builder, args[0]).data


@lane_intrinsic(lambda array: (types.CPointer(INT_OF[array.dtype]), array))
def int_pointer(context: Any, builder: Any, sig: Any, args: Any) -> Any:
    """Return a pointer to an array's reals, read as integers of the same width."""
    data = context.make_array(sig.args[0])(context, builder, args[0]).data
    return builder.bitcast(data, ir.IntType(sig.return_type.dtype.bitwidth).as_pointer())


def _vector_at(builder: Any, pointer: Any, place: Any, kind: Lanes, row: int = 0) -> Any:
    """Return the address of a vector, `row` vectors behind the place."""
    start = builder.gep(pointer, [builder.add(place, place.type(row * kind.n))])
    return builder.bitcast(start, llvm_type(kind).as_pointer())


def _vector_alignment(kind: Lanes) -> int:
    return min(ALIGNMENT, kind.n * kind.dtype.bitwidth // 8)


def load_intrinsic(kind: Lanes) -> Any:
    """Make the intrinsic `fetch(pointer, place)` for lanes of one kind."""

    @lane_intrinsic(lambda pointer, place: (kind, pointer, types.int64))
    def fetch(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        pointer, place = args
        return builder.load(_vector_at(builder, pointer, place, kind), align=_vector_alignment(kind))

    return fetch


@lane_intrinsic(lambda pointer, place, lanes: (types.void, pointer, types.int64, lanes))
def store_lanes(context: Any, builder: Any, sig: Any, args: Any) -> Any:
    """Store lanes at a place that is a multiple of their number."""
    (pointer, place, lanes), kind = args, sig.args[2]
    builder.store(lanes, _vector_at(builder, pointer, place, kind), align=_vector_alignment(kind))
    return context.get_dummy_value()


@lane_intrinsic(lambda pointer, place, like: (like, pointer, types.int64, like))
def load_state(context: Any, builder: Any, sig: Any, args: Any) -> Any:
    """Load as many lanes one behind the other as a state like `like` has members."""
    pointer, place, _ = args
    members = [
        builder.load(_vector_at(builder, pointer, place, kind, row), align=_vector_alignment(kind))
        for row, kind in enumerate(sig.return_type)
    ]
    return context.make_tuple(builder, sig.return_type, members)


@lane_intrinsic(lambda pointer, place, state: (types.void, pointer, types.int64, state))
def store_state(context: Any, builder: Any, sig: Any, args: Any) -> Any:
    """Store the members of a state one behind the other."""
    pointer, place, state = args
    for row, kind in enumerate(sig.args[2]):
        lanes = builder.extract_value(state, row)
        builder.store(lanes, _vector_at(builder, pointer, place, kind, row), align=_vector_alignment(kind))
    return context.get_dummy_value()


@lane_intrinsic(lambda pointer, place, apart, like: (like, pointer, types.int64, types.int64, like))
def load_rows(context: Any, builder: Any, sig: Any, args: Any) -> Any:
    """Load as many lanes as a state like `like` has members, so many numbers from one to the next."""
    members, (pointer, place, apart, _) = [], args
    for kind in sig.return_type:
        members.append(builder.load(_vector_at(builder, pointer, place, kind), align=_vector_alignment(kind)))
        place = builder.add(place, apart)
    return context.make_tuple(builder, sig.return_type, members)


@lane_intrinsic(lambda pointer, place, apart, state: (types.void, pointer, types.int64, types.int64, state))
def store_rows(context: Any, builder: Any, sig: Any, args: Any) -> Any:
    """Store the members of a state so many numbers from one to the next."""
    pointer, place, apart, state = args
    for row, kind in enumerate(sig.args[3]):
        lanes = builder.extract_value(state, row)
        builder.store(lanes, _vector_at(builder, pointer, place, kind), align=_vector_alignment(kind))
        place = builder.add(place, apart)
    return context.get_dummy_value()


@lane_intrinsic(lambda a, b: (Mask(a[0].dtype, a[0].n), a, b))
def same_bits(context: Any, builder: Any, sig: Any, args: Any) -> Any:
    """Return a mask of the lanes in which all members of two states have the same bits."""
    whole = Lanes(INT_OF[sig.return_type.dtype], sig.return_type.n)
    differing = lane_constant(whole, 0)
    for row in range(len(sig.args[0])):
        one, other = (builder.bitcast(builder.extract_value(state, row), llvm_type(whole)) for state in args)
        differing = builder.or_(differing, builder.xor(one, other))
    return builder.icmp_signed("==", differing, lane_constant(whole, 0))


@lane_intrinsic(lambda mask: (types.int64, mask))
def mask_to_bits(context: Any, builder: Any, sig: Any, args: Any) -> Any:
    """Return a mask as an int64, lane 0 its lowest bit.

    It is made 64 lanes wide first: of fewer, LLVM 20 would send the number through memory and wait for it.
    """
    (mask,), n = args, sig.args[0].n
    if n == 1:
        return builder.zext(mask, I64)
    none = ir.Constant(mask.type, [ir.IntType(1)(0)] * n)
    lanes = [lane if lane < n else n for lane in range(64)]
    wide = builder.shuffle_vector(mask, none, ir.Constant(ir.VectorType(ir.IntType(32), 64), lanes))
    return builder.bitcast(wide, I64)


def _bit_intrinsic(name: str, *more: int) -> Any:
    @lane_intrinsic(lambda number: (types.int64, types.int64))
    def word(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        flags = [ir.IntType(1)(flag) for flag in more]
        kind = ir.FunctionType(I64, [I64, *[flag.type for flag in flags]])
        function = cgutils.get_or_insert_function(builder.module, kind, f"{name}.i64")
        return builder.call(function, [args[0], *flags])

    return word


count_ones = _bit_intrinsic("llvm.ctpop")
count_trailing_zeros = _bit_intrinsic("llvm.cttz", 1)  # 1: never asked of zero


@lane_intrinsic(lambda number, like: (Mask(like.dtype, like.n), types.int64, like))
def bits_to_mask(context: Any, builder: Any, sig: Any, args: Any) -> Any:
    """Return the mask for lanes `like` whose `mask_to_bits` is the number."""
    (number, _), n = args, sig.return_type.n
    narrow = number if n == 64 else builder.trunc(number, ir.IntType(n))
    return builder.bitcast(narrow, ir.VectorType(ir.IntType(1), n))
