"""One numba extension type for all lanes: `lanes(dtype, n)`.

For n > 1 it is an LLVM vector, for n = 1 a plain LLVM scalar, so the same scene serves one lane, 64 lanes and a
CUDA thread. Operators and the words of `render.lanes` are typed and lowered here, each to the one LLVM
instruction (or the short fixed sequence) that IEEE 754 fixes: no fast-math flag, no libm call. Constants and
numba scalars that meet lanes take the lanes' own dtype; two lanes must agree in dtype and n.

Importing this module registers everything with numba; numba-cuda takes the same registrations.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from itertools import product
from typing import Any

from llvmlite import ir
from numba.core import cgutils, types
from numba.core.datamodel import models
from numba.core.imputils import lower_builtin
from numba.core.typing.templates import AbstractTemplate, infer_global, signature
from numba.extending import intrinsic, register_model

from render import primitives

INT_OF = {types.float32: types.int32, types.float64: types.int64}
REAL_OF = {integer: real for real, integer in INT_OF.items()}
MANTISSA_BITS = {types.float32: 24, types.float64: 53}


class Lanes(types.Type):  # type: ignore[misc]
    """N lanes of one dtype: float32, float64, int32, int64."""

    def __init__(self, dtype: Any, n: int) -> None:
        self.dtype = dtype
        self.n = n
        super().__init__(name=f"lanes({dtype}, {n})")


class Mask(types.Type):  # type: ignore[misc]
    """N truth values; they remember the precision of the lanes that were compared."""

    def __init__(self, dtype: Any, n: int) -> None:
        self.dtype = dtype
        self.n = n
        super().__init__(name=f"mask({dtype}, {n})")


def _vector(element: ir.Type, n: int) -> ir.Type:
    return element if n == 1 else ir.VectorType(element, n)


@register_model(Lanes)
class LanesModel(models.PrimitiveModel):  # type: ignore[misc]
    """Lanes are the LLVM vector of their dtype, or its scalar."""

    def __init__(self, dmm: Any, fe_type: Lanes) -> None:
        super().__init__(dmm, fe_type, _vector(dmm.lookup(fe_type.dtype).get_value_type(), fe_type.n))


@register_model(Mask)
class MaskModel(models.PrimitiveModel):  # type: ignore[misc]
    """A mask is the LLVM vector of i1, or i1."""

    def __init__(self, dmm: Any, fe_type: Mask) -> None:
        super().__init__(dmm, fe_type, _vector(ir.IntType(1), fe_type.n))


# --- values -----------------------------------------------------------------------------------------------


def _splat(builder: Any, scalar: Any, n: int) -> Any:
    if n == 1:
        return scalar
    i32 = ir.IntType(32)
    one = builder.insert_element(ir.Constant(ir.VectorType(scalar.type, n), ir.Undefined), scalar, i32(0))
    return builder.shuffle_vector(one, one, ir.Constant(ir.VectorType(i32, n), [0] * n))


def constant(lane_type: Lanes, value: float) -> Any:
    """The LLVM constant with `value` in every lane."""
    element = {types.float32: ir.FloatType(), types.float64: ir.DoubleType()}.get(lane_type.dtype)
    if element is None:
        element = ir.IntType(lane_type.dtype.bitwidth)
    scalar = ir.Constant(element, value)
    return scalar if lane_type.n == 1 else ir.Constant(ir.VectorType(element, lane_type.n), [scalar] * lane_type.n)


def _bring(context: Any, builder: Any, value: Any, source: Any, target: Any) -> Any:
    """Value as `target` lanes: lanes as they are, a scalar converted once and splatted."""
    if isinstance(source, (Lanes, Mask)) or not isinstance(target, (Lanes, Mask)):
        return value
    if isinstance(target, Mask):
        return _splat(builder, context.cast(builder, value, source, types.boolean), target.n)
    return _splat(builder, context.cast(builder, value, source, target.dtype), target.n)


def _common(args: tuple[Any, ...]) -> Lanes | None:
    """The lane type that the arguments share, scalars set aside; None where they disagree."""
    found = {a for a in args if isinstance(a, Lanes)}
    scalars = [a for a in args if not isinstance(a, Lanes)]
    if len(found) != 1 or not all(isinstance(a, types.Number) for a in scalars):
        return None
    common = next(iter(found))
    if common.dtype in REAL_OF and any(isinstance(a, types.Float) for a in scalars):
        return None  # a fraction has no place among whole numbers
    return common


# --- typing and lowering ----------------------------------------------------------------------------------

Emit = Callable[..., Any]
Kinds = Sequence[tuple[type, ...]]


REALS = (Lanes, types.Number)
MASKS = (Mask, types.Boolean)


def _define(word: Any, kinds: Kinds, typing: Callable[..., Any], emit: Emit) -> None:
    """Type `word` by `typing(*args) -> (result, *operand types) or None` and lower it by `emit`.

    `kinds` holds, operand by operand, the type classes that may stand there; each combination with lanes or a
    mask in it gets the lowering, since numba finds lowerings by class and takes no ambiguity.
    `emit(context, builder, result, operand types, values)` gets its operands already converted.
    """
    arity = len(kinds)

    class Template(AbstractTemplate):  # type: ignore[misc]
        def generic(self, args: Any, kws: Any) -> Any:
            if kws or len(args) != arity or not any(isinstance(a, (Lanes, Mask)) for a in args):
                return None
            plan = typing(*args)
            return None if plan is None else signature(plan[0], *args)

    infer_global(word)(Template)

    def lower(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        result, *operands = typing(*sig.args)
        values = [
            _bring(context, builder, value, source, target)
            for value, source, target in zip(args, sig.args, operands, strict=True)
        ]
        return emit(context, builder, result, operands, values)

    for combination in product(*kinds):
        if any(kind in (Lanes, Mask) for kind in combination):
            lower_builtin(word, *combination)(lower)


def _same(*args: Any) -> Any:
    common = _common(args)
    return None if common is None else (common,) * (len(args) + 1)


def _real(*args: Any) -> Any:
    common = _common(args)
    return None if common is None or common.dtype not in INT_OF else (common,) * (len(args) + 1)


def _whole(*args: Any) -> Any:
    common = _common(args)
    return None if common is None or common.dtype not in REAL_OF else (common,) * (len(args) + 1)


def _comparison(*args: Any) -> Any:
    common = _common(args)
    return None if common is None else (Mask(REAL_OF.get(common.dtype, common.dtype), common.n), common, common)


def _masks(*args: Any) -> Any:
    first = next(a for a in args if isinstance(a, Mask))
    if any(a.n != first.n if isinstance(a, Mask) else not isinstance(a, types.Boolean) for a in args):
        return None
    return first, *[a if isinstance(a, Mask) else first for a in args]


def _arithmetic(real: str, whole: str) -> Emit:
    def emit(_context: Any, builder: Any, result: Any, _operands: Any, values: Any) -> Any:
        return getattr(builder, real if result.dtype in INT_OF else whole)(*values)

    return emit


def _product(context: Any, builder: Any, result: Any, _operands: Any, values: Any) -> Any:
    """A product that stays one: NVVM would contract it with a sum that follows, unless it is told how to round."""
    if type(context).__module__.startswith("numba.cuda"):
        kind = values[0].type
        name = f"llvm.nvvm.mul.rn.{'f' if result.dtype == types.float32 else 'd'}"
        return builder.call(cgutils.get_or_insert_function(builder.module, ir.FunctionType(kind, [kind] * 2), name), values)
    return builder.fmul(*values)


def _plain(name: str) -> Emit:
    return lambda _c, builder, _r, _o, values: getattr(builder, name)(*values)


def _compare(symbol: str) -> Emit:
    def emit(_context: Any, builder: Any, _result: Any, operands: Any, values: Any) -> Any:
        if operands[0].dtype in REAL_OF:
            return builder.icmp_signed(symbol, *values)
        return (builder.fcmp_unordered if symbol == "!=" else builder.fcmp_ordered)(symbol, *values)

    return emit


def _negate(_context: Any, builder: Any, result: Any, _operands: Any, values: Any) -> Any:
    if result.dtype in REAL_OF:
        return builder.neg(values[0])
    return builder.fsub(constant(result, -0.0), values[0])  # libNVVM's dialect has no fneg


def _invert(_context: Any, builder: Any, _result: Any, _operands: Any, values: Any) -> Any:
    return builder.not_(values[0])


for _operators, _emit in (
    ((operator.add, operator.iadd), _arithmetic("fadd", "add")),
    ((operator.sub, operator.isub), _arithmetic("fsub", "sub")),
):
    for _word in _operators:
        _define(_word, [REALS] * 2, _same, _emit)
for _word in (operator.mul, operator.imul):
    _define(_word, [REALS] * 2, _real, _product)
for _word in (operator.truediv, operator.itruediv):
    _define(_word, [REALS] * 2, _real, _plain("fdiv"))
for _word, _name in (
    (operator.and_, "and_"),
    (operator.iand, "and_"),
    (operator.or_, "or_"),
    (operator.ior, "or_"),
    (operator.xor, "xor"),
    (operator.ixor, "xor"),
):
    _define(_word, [REALS] * 2, _whole, _plain(_name))
    _define(_word, [MASKS] * 2, _masks, _plain(_name))
for _word, _name in ((operator.lshift, "shl"), (operator.rshift, "ashr")):
    _define(_word, [REALS] * 2, _whole, _plain(_name))
for _word, _symbol in (
    (operator.lt, "<"),
    (operator.le, "<="),
    (operator.gt, ">"),
    (operator.ge, ">="),
    (operator.eq, "=="),
    (operator.ne, "!="),
):
    _define(_word, [REALS] * 2, _comparison, _compare(_symbol))
_define(operator.neg, [REALS], _same, _negate)
_define(operator.pos, [REALS], _same, lambda _c, _b, _r, _o, values: values[0])
_define(operator.invert, [REALS], _whole, _invert)
_define(operator.invert, [MASKS], _masks, _invert)


# --- the words --------------------------------------------------------------------------------------------


def _intrinsic(name: str) -> Emit:
    def emit(_context: Any, builder: Any, _result: Any, _operands: Any, values: Any) -> Any:
        kind = values[0].type
        suffix = f"v{kind.count}{kind.element.intrinsic_name}" if isinstance(kind, ir.VectorType) else kind.intrinsic_name
        declared = cgutils.get_or_insert_function(
            builder.module, ir.FunctionType(kind, [kind] * len(values)), f"{name}.{suffix}"
        )
        return builder.call(declared, values)

    return emit


def _bits_type(lane_type: Lanes) -> Lanes:
    return Lanes(INT_OF[lane_type.dtype], lane_type.n)


def _llvm(lane_type: Lanes) -> ir.Type:
    return constant(lane_type, 0).type


def _absolute(_context: Any, builder: Any, result: Any, _operands: Any, values: Any) -> Any:
    whole = _bits_type(result)
    clear = constant(whole, (1 << (whole.dtype.bitwidth - 1)) - 1)
    return builder.bitcast(builder.and_(builder.bitcast(values[0], _llvm(whole)), clear), _llvm(result))


def _smaller(_context: Any, builder: Any, _result: Any, _operands: Any, values: Any) -> Any:
    return builder.select(builder.fcmp_ordered("<", *values), *values)


def _larger(_context: Any, builder: Any, _result: Any, _operands: Any, values: Any) -> Any:
    return builder.select(builder.fcmp_ordered(">", *values), *values)


def _where_types(mask: Any, a: Any, b: Any) -> Any:
    if not isinstance(mask, Mask):
        return None
    if isinstance(a, Mask) or isinstance(b, Mask):
        return (mask, mask, mask, mask)
    chosen = _common((Lanes(mask.dtype, mask.n), a, b)) or _common((a, b))
    return None if chosen is None or chosen.n != mask.n else (chosen, mask, chosen, chosen)


def _any(_context: Any, builder: Any, _result: Any, operands: Any, values: Any) -> Any:
    if operands[0].n == 1:
        return values[0]
    together = ir.IntType(operands[0].n)
    return builder.icmp_unsigned("!=", builder.bitcast(values[0], together), together(0))


def _truncate(_context: Any, builder: Any, result: Any, operands: Any, values: Any) -> Any:
    """Saturating conversion: clamp, convert, then mend the top end and NaN, which the clamp cannot express."""
    (value,) = values
    real = operands[0]
    top = 1 << (result.dtype.bitwidth - 1)
    last = top - (top >> MANTISSA_BITS[real.dtype])  # the largest real below 2^31 or 2^63
    low, high = constant(real, float(-top)), constant(real, float(last))
    inside = builder.select(builder.fcmp_ordered(">", value, low), value, low)
    inside = builder.select(builder.fcmp_ordered("<", inside, high), inside, high)
    whole = builder.fptosi(inside, _llvm(result))
    over = builder.fcmp_ordered(">", value, high)
    whole = builder.select(over, constant(result, top - 1), whole)
    return builder.select(builder.fcmp_unordered("uno", value, value), constant(result, 0), whole)


def _take_types(array: Any, index: Any) -> Any:
    if not isinstance(array, types.Array) or array.ndim != 1 or not isinstance(index, Lanes):
        return None
    return Lanes(REAL_OF.get(index.dtype, index.dtype), index.n), array, index


def _take(context: Any, builder: Any, result: Any, operands: Any, values: Any) -> Any:
    array_type, index_type = operands
    array = context.make_array(array_type)(context, builder, values[0])
    length = builder.extract_value(array.shape, 0)
    inside = _clamped_index(builder, index_type, values[1], length)

    def element(i: Any) -> Any:
        place = builder.gep(array.data, [i])
        stored = context.unpack_value(builder, array_type.dtype, place)
        return context.cast(builder, stored, array_type.dtype, result.dtype)

    if result.n == 1:
        return element(builder.sext(inside, length.type) if inside.type != length.type else inside)
    return _gather(builder, result, inside, length.type, element)


def _clamped_index(builder: Any, index_type: Lanes, index: Any, length: Any) -> Any:
    """The index as whole numbers in 0 .. length - 1; NaN and what is below become 0."""
    if index_type.dtype in INT_OF:
        index = _truncate(None, builder, _bits_type(index_type), [index_type], [index])
        index_type = _bits_type(index_type)
    zero = constant(index_type, 0)
    scalar = zero.type if index_type.n == 1 else zero.type.element
    last = builder.sub(length, length.type(1))
    last = _splat(builder, builder.trunc(last, scalar) if scalar != length.type else last, index_type.n)
    index = builder.select(builder.icmp_signed(">", index, zero), index, zero)
    return builder.select(builder.icmp_signed("<", index, last), index, last)


def _gather(builder: Any, result: Lanes, index: Any, wide: Any, element: Callable[[Any], Any]) -> Any:
    """Load lane by lane in a small loop over the stack; unrolled, 64 lanes would drown the compiler."""
    indices = cgutils.alloca_once(builder, index.type)
    loaded = cgutils.alloca_once(builder, _llvm(result))
    builder.store(index, indices)
    index_cells = builder.bitcast(indices, index.type.element.as_pointer())
    loaded_cells = builder.bitcast(loaded, _llvm(result).element.as_pointer())
    with cgutils.for_range(builder, wide(result.n)) as loop:
        i = builder.load(builder.gep(index_cells, [loop.index]))
        i = builder.sext(i, wide) if i.type != wide else i
        builder.store(element(i), builder.gep(loaded_cells, [loop.index]))
    return builder.load(loaded)


_define(primitives.fma, [REALS] * 3, _real, _intrinsic("llvm.fma"))
_define(primitives.sqrt, [REALS], _real, _intrinsic("llvm.sqrt"))
_define(primitives.floor, [REALS], _real, _intrinsic("llvm.floor"))
_define(primitives.abs, [REALS], _real, _absolute)
_define(abs, [REALS], _real, _absolute)
_define(primitives.minimum, [REALS] * 2, _real, _smaller)
_define(primitives.maximum, [REALS] * 2, _real, _larger)
_define(primitives.where, [(Mask,), (*REALS, Mask), (*REALS, Mask)], _where_types, _plain("select"))
_define(primitives.any_lane, [(Mask,)], lambda mask: (types.boolean, mask) if isinstance(mask, Mask) else None, _any)
_define(primitives.take, [(types.Array,), (Lanes,)], _take_types, _take)
_define(
    primitives.to_int,
    [(Lanes,)],
    lambda a: (_bits_type(a), a) if isinstance(a, Lanes) and a.dtype in INT_OF else None,
    _truncate,
)
_define(
    primitives.bits,
    [(Lanes,)],
    lambda a: (_bits_type(a), a) if isinstance(a, Lanes) and a.dtype in INT_OF else None,
    lambda _c, builder, result, _o, values: builder.bitcast(values[0], _llvm(result)),
)


def _real_of(i: Any) -> Any:
    return (Lanes(REAL_OF[i.dtype], i.n), i) if isinstance(i, Lanes) and i.dtype in REAL_OF else None


_define(primitives.to_real, [(Lanes,)], _real_of, lambda _c, builder, result, _o, v: builder.sitofp(v[0], _llvm(result)))
_define(primitives.from_bits, [(Lanes,)], _real_of, lambda _c, builder, result, _o, v: builder.bitcast(v[0], _llvm(result)))


# --- what only the driver uses ------------------------------------------------------------------------------


def splat(lane_type: Any) -> Any:
    """An intrinsic that turns a scalar into `lane_type` lanes (or a boolean into a mask)."""

    @intrinsic
    def convert(typingctx: Any, value: Any) -> Any:  # noqa: ARG001  (numba's protocol)
        def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
            return _bring(context, builder, args[0], sig.args[0], lane_type)

        return lane_type(value), codegen

    return convert


def lane_numbers(lane_type: Any, wide: int) -> Any:
    """An intrinsic giving (column, row) of each lane in a patch `wide` lanes wide, as `lane_type` lanes."""

    @intrinsic
    def numbers(typingctx: Any) -> Any:  # noqa: ARG001
        def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:  # noqa: ARG001
            zero = constant(lane_type, 0)
            if lane_type.n == 1:
                return context.make_tuple(builder, sig.return_type, [zero, zero])
            element = zero.type.element
            cells = [
                ir.Constant(zero.type, [ir.Constant(element, part(i)) for i in range(lane_type.n)])
                for part in (lambda i: i % wide, lambda i: i // wide)
            ]
            return context.make_tuple(builder, sig.return_type, cells)

        return types.UniTuple(lane_type, 2)(), codegen

    return numbers


@intrinsic
def lift(typingctx: Any, values: Any, like: Any) -> Any:  # noqa: ARG001
    """A flat tuple of lanes and scalars, every member as lanes like `like`."""
    if not isinstance(values, types.BaseTuple) or not isinstance(like, Lanes):
        return None
    for member in values:
        if not (member == like or isinstance(member, types.Number)):
            return None

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        members = [
            _bring(context, builder, builder.extract_value(args[0], i), member, like)
            for i, member in enumerate(values)
        ]
        return context.make_tuple(builder, sig.return_type, members)

    return types.UniTuple(like, len(values))(values, like), codegen


@intrinsic
def choose(typingctx: Any, mask: Any, a: Any, b: Any) -> Any:  # noqa: ARG001
    """`where` for whole states: member by member."""
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
def real_count(typingctx: Any, steps: Any, like: Any) -> Any:  # noqa: ARG001
    """Whole-number lanes of any width as real lanes like `like`."""

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:  # noqa: ARG001
        return builder.sitofp(args[0], _llvm(like))

    return like(steps, like), codegen


@intrinsic
def total(typingctx: Any, values: Any) -> Any:  # noqa: ARG001
    """The sum over all whole-number lanes, as int64."""

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:  # noqa: ARG001
        return _sum(builder, builder.sext(args[0], _llvm(Lanes(types.int64, values.n))), values.n)

    return types.int64(values), codegen


@intrinsic
def how_many(typingctx: Any, mask: Any) -> Any:  # noqa: ARG001
    """In how many lanes a mask is true, as int64."""

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:  # noqa: ARG001
        return _sum(builder, builder.zext(args[0], _llvm(Lanes(types.int64, mask.n))), mask.n)

    return types.int64(mask), codegen


def _sum(builder: Any, wide: Any, n: int) -> Any:
    """The sum of n int64 lanes."""
    if n == 1:
        return wide
    kind = ir.FunctionType(ir.IntType(64), [wide.type])
    reduce = cgutils.get_or_insert_function(builder.module, kind, f"llvm.vector.reduce.add.v{n}i64")
    return builder.call(reduce, [wide])


@intrinsic
def unpack(typingctx: Any, values: Any) -> Any:  # noqa: ARG001
    """Stack memory that holds the lanes one after the other."""

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:  # noqa: ARG001
        place = cgutils.alloca_once(builder, args[0].type)
        builder.store(args[0], place)
        element = args[0].type if values.n == 1 else args[0].type.element
        return builder.bitcast(place, element.as_pointer())

    return types.CPointer(values.dtype)(values), codegen
