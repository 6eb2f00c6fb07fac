"""Lanes in memory: the numba intrinsics with which the driver puts lanes away and takes them up again."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

from render.codegen import host
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


# --- lanes that change their places ---------------------------------------------------------------------------


def pack_intrinsic(kind: Lanes) -> Any:
    """Make the intrinsic `pack(pointer, source, bits, target, apart, like)` for racks of lanes of one kind.

    With AVX-512 a vector at a time (vpcompress into a register: to memory it is slow on Zen 4), else lane by lane.
    """
    rows_apart = ir.IntType(64)(kind.n)

    @intrinsic
    def pack(typingctx: Any, pointer: Any, source: Any, bits: Any, target: Any, apart: Any, like: Any) -> Any:
        def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
            memory, source, bits, target, apart, _ = args
            if not _has_compress():
                _copy_lanes(builder, memory, len(like) + 2, bits, (source, rows_apart), (target, apart), packed=True)
                return context.get_dummy_value()
            for first, vector, mask, before in _vectors_of(builder, kind, bits):
                compress = _declare_x86(builder, "compress", vector)
                place, end = builder.add(source, source.type(first)), builder.add(target, before)
                for _ in range(len(like) + 2):
                    lanes = builder.load(_address(builder, memory, place, vector), align=_element_bytes(kind))
                    packed = builder.call(compress, [lanes, vector(ir.Undefined), mask])
                    builder.store(packed, _address(builder, memory, end, vector), align=_element_bytes(kind))
                    place, end = builder.add(place, rows_apart), builder.add(end, apart)
            return context.get_dummy_value()

        return types.void(pointer, types.int64, types.int64, types.int64, types.int64, like), codegen

    return pack


def spread_intrinsic(kind: Lanes) -> Any:
    """Make the intrinsic `spread(pointer, source, target, bits, like)` for racks of lanes of one kind."""
    rows_apart = ir.IntType(64)(kind.n)

    @intrinsic
    def spread(typingctx: Any, pointer: Any, source: Any, target: Any, bits: Any, like: Any) -> Any:
        def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
            memory, source, target, bits, _ = args
            if not _has_compress():
                ends = (source, rows_apart), (target, rows_apart)
                _copy_lanes(builder, memory, len(like) + 2, bits, *ends, packed=False)
                return context.get_dummy_value()
            for first, vector, mask, before in _vectors_of(builder, kind, bits):
                expand = _declare_x86(builder, "expand", vector)
                place, end = builder.add(source, before), builder.add(target, target.type(first))
                for _ in range(len(like) + 2):
                    lanes = builder.load(_address(builder, memory, place, vector), align=_element_bytes(kind))
                    there = _address(builder, memory, end, vector)
                    kept = builder.load(there, align=_element_bytes(kind))
                    builder.store(builder.call(expand, [lanes, kept, mask]), there, align=_element_bytes(kind))
                    place, end = builder.add(place, rows_apart), builder.add(end, rows_apart)
            return context.get_dummy_value()

        return types.void(pointer, types.int64, types.int64, types.int64, like), codegen

    return spread


def _has_compress() -> bool:
    return {"avx512f", "avx512vl"} <= host.cpu_features()


def _element_bytes(kind: Lanes) -> int:
    return int(kind.dtype.bitwidth) // 8


def _vectors_of(builder: Any, kind: Lanes, bits: Any) -> Iterator[tuple[int, Any, Any, Any]]:
    """For each register of lanes: its first lane, its type, its mask of the bits, and how many bits come before."""
    count = min(kind.n, ALIGNMENT // _element_bytes(kind))
    vector = ir.VectorType(llvm_type(Lanes(kind.dtype, 1)), count)
    ones = cgutils.get_or_insert_function(builder.module, ir.FunctionType(bits.type, [bits.type]), "llvm.ctpop.i64")
    before = bits.type(0)
    for first in range(0, kind.n, count):
        own = builder.trunc(builder.lshr(bits, bits.type(first)), ir.IntType(count))
        yield first, vector, builder.bitcast(own, ir.VectorType(ir.IntType(1), count)), before
        before = builder.add(before, builder.call(ones, [builder.zext(own, bits.type)]))


def _declare_x86(builder: Any, word: str, vector: Any) -> Any:
    mask = ir.VectorType(ir.IntType(1), vector.count)
    name = f"llvm.x86.avx512.mask.{word}.v{vector.count}{vector.element.intrinsic_name}"
    return cgutils.get_or_insert_function(builder.module, ir.FunctionType(vector, [vector, vector, mask]), name)


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
