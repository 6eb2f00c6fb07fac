"""The primitive words on lanes: each of `render.language.primitives` as the LLVM instructions that give the same bits.

Importing this module registers them with numba; numba-cuda takes the same registrations.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba.core import cgutils, types

from render.codegen import avx512
from render.codegen.lane_types import (
    INT_OF,
    MANTISSA_BITS,
    REAL_OF,
    REALS,
    Emit,
    Lanes,
    Mask,
    bits_type,
    common_type,
    compiles_for_gpu,
    define_word,
    emit_instruction,
    lane_constant,
    llvm_type,
    splat_scalar,
    type_reals,
)
from render.language import primitives


def _emit_intrinsic(name: str) -> Emit:
    def emit(_context: Any, builder: Any, _result: Any, _operands: Any, values: Any) -> Any:
        kind = values[0].type
        vector = isinstance(kind, ir.VectorType)
        suffix = f"v{kind.count}{kind.element.intrinsic_name}" if vector else kind.intrinsic_name
        typed = ir.FunctionType(kind, [kind] * len(values))
        return builder.call(cgutils.get_or_insert_function(builder.module, typed, f"{name}.{suffix}"), values)

    return emit


def _emit_abs(_context: Any, builder: Any, result: Any, _operands: Any, values: Any) -> Any:
    whole = bits_type(result)
    clear = lane_constant(whole, (1 << (whole.dtype.bitwidth - 1)) - 1)
    return builder.bitcast(builder.and_(builder.bitcast(values[0], llvm_type(whole)), clear), llvm_type(result))


def _emit_choice(symbol: str) -> Emit:
    return lambda _c, builder, _r, _o, values: builder.select(builder.fcmp_ordered(symbol, *values), *values)


def _where_types(mask: Any, a: Any, b: Any) -> Any:
    if not isinstance(mask, Mask):
        return None
    if isinstance(a, Mask) or isinstance(b, Mask):
        return (mask, mask, mask, mask)
    chosen = common_type((Lanes(mask.dtype, mask.n), a, b)) or common_type((a, b))
    return None if chosen is None or chosen.n != mask.n else (chosen, mask, chosen, chosen)


def _type_truth(mask: Any) -> Any:
    return (types.boolean, mask) if isinstance(mask, Mask) else None


def _emit_any(_context: Any, builder: Any, _result: Any, operands: Any, values: Any) -> Any:
    if operands[0].n == 1:
        return values[0]
    together = ir.IntType(operands[0].n)
    return builder.icmp_unsigned("!=", builder.bitcast(values[0], together), together(0))


def _emit_truncate(_context: Any, builder: Any, result: Any, operands: Any, values: Any) -> Any:
    """Convert with saturation: clamp, convert, then mend the top end and NaN, which the clamp cannot express."""
    (value,) = values
    real = operands[0]
    top = 1 << (result.dtype.bitwidth - 1)
    last = top - (top >> MANTISSA_BITS[real.dtype])  # the largest real below 2^31 or 2^63
    low, high = lane_constant(real, float(-top)), lane_constant(real, float(last))
    inside = builder.select(builder.fcmp_ordered(">", value, low), value, low)
    inside = builder.select(builder.fcmp_ordered("<", inside, high), inside, high)
    whole = builder.fptosi(inside, llvm_type(result))
    over = builder.fcmp_ordered(">", value, high)
    whole = builder.select(over, lane_constant(result, top - 1), whole)
    return builder.select(builder.fcmp_unordered("uno", value, value), lane_constant(result, 0), whole)


def _take_types(array: Any, index: Any) -> Any:
    if not isinstance(array, types.Array) or array.ndim != 1 or not isinstance(index, Lanes):
        return None
    return Lanes(REAL_OF.get(index.dtype, index.dtype), index.n), array, index


def _emit_take(context: Any, builder: Any, result: Any, operands: Any, values: Any) -> Any:
    array_type, index_type = operands
    array = context.make_array(array_type)(context, builder, values[0])
    length = builder.extract_value(array.shape, 0)
    if compiles_for_gpu(context) and index_type.dtype in INT_OF:
        index_type, index = Lanes(types.int32, 1), _emit_index(builder, values[1])
    else:
        index = values[1]
    inside = _clamped_index(builder, index_type, index, length)

    def element(i: Any) -> Any:
        place = builder.gep(array.data, [i])
        stored = context.unpack_value(builder, array_type.dtype, place)
        return context.cast(builder, stored, array_type.dtype, result.dtype)

    if result.n == 1:
        return element(builder.sext(inside, length.type) if inside.type != length.type else inside)
    if array_type.dtype == result.dtype:
        kind = llvm_type(result).element
        if (lanes := avx512.gather(builder, kind, array.data, inside, result.dtype.bitwidth // 8)) is not None:
            return lanes
    return _gather_lanes(builder, result, inside, length.type, element)


def _emit_index(builder: Any, value: Any) -> Any:
    """Convert a real to int32 by a GPU's own instruction, which saturates; NaN becomes 0, or the least there is.

    No array of a GPU has 2^31 members, so that is enough of an index that is to be clamped.
    """
    name = f"llvm.nvvm.{'f' if isinstance(value.type, ir.FloatType) else 'd'}2i.rz"
    declared = ir.FunctionType(ir.IntType(32), [value.type])
    return builder.call(cgutils.get_or_insert_function(builder.module, declared, name), [value])


def _clamped_index(builder: Any, index_type: Lanes, index: Any, length: Any) -> Any:
    """Clamp the index to 0 .. length - 1, as integers; NaN becomes 0."""
    if index_type.dtype in INT_OF:
        index = _emit_truncate(None, builder, bits_type(index_type), [index_type], [index])
        index_type = bits_type(index_type)
    zero = lane_constant(index_type, 0)
    scalar = zero.type if index_type.n == 1 else zero.type.element
    last = builder.sub(length, length.type(1))
    last = splat_scalar(builder, builder.trunc(last, scalar) if scalar != length.type else last, index_type.n)
    index = builder.select(builder.icmp_signed(">", index, zero), index, zero)
    return builder.select(builder.icmp_signed("<", index, last), index, last)


def _gather_lanes(builder: Any, result: Lanes, index: Any, wide: Any, element: Callable[[Any], Any]) -> Any:
    """Load lane by lane in a small loop over the stack; unrolled, 64 lanes would drown the compiler."""
    indices = cgutils.alloca_once(builder, index.type)
    loaded = cgutils.alloca_once(builder, llvm_type(result))
    builder.store(index, indices)
    index_cells = builder.bitcast(indices, index.type.element.as_pointer())
    loaded_cells = builder.bitcast(loaded, llvm_type(result).element.as_pointer())
    with cgutils.for_range(builder, wide(result.n)) as loop:
        i = builder.load(builder.gep(index_cells, [loop.index]))
        i = builder.sext(i, wide) if i.type != wide else i
        builder.store(element(i), builder.gep(loaded_cells, [loop.index]))
    return builder.load(loaded)


def _type_whole(a: Any) -> Any:
    return (bits_type(a), a) if isinstance(a, Lanes) and a.dtype in INT_OF else None


def _type_real(i: Any) -> Any:
    return (Lanes(REAL_OF[i.dtype], i.n), i) if isinstance(i, Lanes) and i.dtype in REAL_OF else None


def _emit_conversion(name: str) -> Emit:
    return lambda _c, builder, result, _o, values: getattr(builder, name)(values[0], llvm_type(result))


define_word(primitives.fma, [REALS] * 3, type_reals, _emit_intrinsic("llvm.fma"))
define_word(primitives.sqrt, [REALS], type_reals, _emit_intrinsic("llvm.sqrt"))
define_word(primitives.floor, [REALS], type_reals, _emit_intrinsic("llvm.floor"))
define_word(primitives.abs, [REALS], type_reals, _emit_abs)
define_word(abs, [REALS], type_reals, _emit_abs)
define_word(primitives.minimum, [REALS] * 2, type_reals, _emit_choice("<"))
define_word(primitives.maximum, [REALS] * 2, type_reals, _emit_choice(">"))
define_word(primitives.where, [(Mask,), (*REALS, Mask), (*REALS, Mask)], _where_types, emit_instruction("select"))
define_word(primitives.any_lane, [(Mask,)], _type_truth, _emit_any)
define_word(primitives.take, [(types.Array,), (Lanes,)], _take_types, _emit_take)
define_word(primitives.to_int, [(Lanes,)], _type_whole, _emit_truncate)
define_word(primitives.bits, [(Lanes,)], _type_whole, _emit_conversion("bitcast"))
define_word(primitives.to_real, [(Lanes,)], _type_real, _emit_conversion("sitofp"))
define_word(primitives.from_bits, [(Lanes,)], _type_real, _emit_conversion("bitcast"))
