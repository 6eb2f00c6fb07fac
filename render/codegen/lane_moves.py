"""Lanes that change their places in racks: the numba intrinsics with which samples leave groups and come to them."""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba.core import cgutils, types

from render.codegen import avx512
from render.codegen.lane_types import Lanes, lane_intrinsic, llvm_type


def pack_intrinsic(kind: Lanes) -> Any:
    """Make the intrinsic `pack(pointer, source, bits, target, apart, like)` for racks of lanes of one kind.

    With AVX-512 a vector at a time (vpcompress into a register: to memory it is slow on Zen 4), else lane by lane.
    """
    rows_apart, size, element = ir.IntType(64)(kind.n), kind.dtype.bitwidth // 8, llvm_type(Lanes(kind.dtype, 1))

    def typed(pointer: Any, source: Any, bits: Any, target: Any, apart: Any, like: Any) -> Any:
        return types.void, pointer, *[types.int64] * 4, like

    @lane_intrinsic(typed)
    def pack(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        (memory, source, bits, target, apart, _), rows = args, len(sig.args[-1]) + 2
        if not avx512.has("avx512f", "avx512vl"):
            _copy_lanes(builder, memory, rows, bits, (source, rows_apart), (target, apart), packed=True)
            return context.get_dummy_value()
        for first, vector, mask, before in avx512.split_lanes(builder, element, kind.n, bits):
            place, end = builder.add(source, source.type(first)), builder.add(target, before)
            for _ in range(rows):
                lanes = builder.load(_address(builder, memory, place, vector), align=size)
                packed = avx512.compress(builder, lanes, mask)
                builder.store(packed, _address(builder, memory, end, vector), align=size)
                place, end = builder.add(place, rows_apart), builder.add(end, apart)
        return context.get_dummy_value()

    return pack


def spread_intrinsic(kind: Lanes) -> Any:
    """Make the intrinsic `spread(pointer, source, target, bits, like)` for racks of lanes of one kind."""
    rows_apart, size, element = ir.IntType(64)(kind.n), kind.dtype.bitwidth // 8, llvm_type(Lanes(kind.dtype, 1))

    @lane_intrinsic(lambda pointer, source, target, bits, like: (types.void, pointer, *[types.int64] * 3, like))
    def spread(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        (memory, source, target, bits, _), rows = args, len(sig.args[-1]) + 2
        if not avx512.has("avx512f", "avx512vl"):
            _copy_lanes(builder, memory, rows, bits, (source, rows_apart), (target, rows_apart), packed=False)
            return context.get_dummy_value()
        for first, vector, mask, before in avx512.split_lanes(builder, element, kind.n, bits):
            place, end = builder.add(source, before), builder.add(target, target.type(first))
            for _ in range(rows):
                lanes = builder.load(_address(builder, memory, place, vector), align=size)
                there = _address(builder, memory, end, vector)
                kept = builder.load(there, align=size)
                builder.store(avx512.expand(builder, lanes, kept, mask), there, align=size)
                place, end = builder.add(place, rows_apart), builder.add(end, rows_apart)
        return context.get_dummy_value()

    return spread


def _address(builder: Any, memory: Any, place: Any, vector: Any) -> Any:
    return builder.bitcast(builder.gep(memory, [place]), vector.as_pointer())


def _copy_lanes(
    builder: Any,
    memory: Any,
    rows: int,
    bits: Any,
    source: tuple[Any, Any],
    target: tuple[Any, Any],
    *,
    packed: bool,
) -> None:
    """Copy lane by lane, bit by bit: one end moves on by one, at the other the bit says where. Ends are (place, apart).

    In a loop on the bits that are left.
    """
    i64 = bits.type
    left = cgutils.alloca_once_value(builder, bits)
    done = cgutils.alloca_once_value(builder, i64(0))
    lowest = cgutils.get_or_insert_function(builder.module, ir.FunctionType(i64, [i64, ir.IntType(1)]), "llvm.cttz.i64")
    check, body, after = (builder.append_basic_block(name) for name in ("lanes", "lane", "copied"))
    builder.branch(check)
    builder.position_at_end(check)
    builder.cbranch(builder.icmp_unsigned("!=", builder.load(left), i64(0)), body, after)
    builder.position_at_end(body)
    rest, moved = builder.load(left), builder.load(done)
    lane = builder.call(lowest, [rest, ir.IntType(1)(1)])
    place = builder.add(source[0], lane if packed else moved)
    end = builder.add(target[0], moved if packed else lane)
    for _ in range(rows):
        builder.store(builder.load(builder.gep(memory, [place])), builder.gep(memory, [end]))
        place, end = builder.add(place, source[1]), builder.add(end, target[1])
    builder.store(builder.and_(rest, builder.sub(rest, i64(1))), left)
    builder.store(builder.add(moved, i64(1)), done)
    builder.branch(check)
    builder.position_at_end(after)
