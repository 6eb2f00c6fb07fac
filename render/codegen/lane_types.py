"""One numba extension type for all lanes: `lanes(dtype, n)`.

For n > 1 it is an LLVM vector, for n = 1 a plain LLVM scalar, so the same scene serves one lane, 64 lanes and a
CUDA thread. Operators are typed and lowered here, words in `lane_primitives`, each to the one LLVM instruction (or the
short fixed sequence) that IEEE 754 fixes: no fast-math flag, no libm call. Constants and
numba scalars that meet lanes take the lanes' own dtype; two lanes must agree in dtype and n.

Importing this module registers everything with numba; numba-cuda takes the same registrations.
"""

from __future__ import annotations

import inspect
import operator
from collections.abc import Callable, Sequence
from functools import wraps
from itertools import product
from typing import Any

from llvmlite import ir
from numba.core import cgutils, types
from numba.core.datamodel import models
from numba.core.imputils import lower_builtin
from numba.core.typing.templates import AbstractTemplate, infer_global, signature
from numba.extending import intrinsic, register_model

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


def _vector_type(element: ir.Type, n: int) -> ir.Type:
    return element if n == 1 else ir.VectorType(element, n)


@register_model(Lanes)
class LanesModel(models.PrimitiveModel):  # type: ignore[misc]
    """Lanes are the LLVM vector of their dtype, or its scalar."""

    def __init__(self, dmm: Any, fe_type: Lanes) -> None:
        super().__init__(dmm, fe_type, _vector_type(dmm.lookup(fe_type.dtype).get_value_type(), fe_type.n))


@register_model(Mask)
class MaskModel(models.PrimitiveModel):  # type: ignore[misc]
    """A mask is the LLVM vector of i1, or i1."""

    def __init__(self, dmm: Any, fe_type: Mask) -> None:
        super().__init__(dmm, fe_type, _vector_type(ir.IntType(1), fe_type.n))


def lane_intrinsic(typing: Callable[..., Any]) -> Callable[[Callable[..., Any]], Any]:
    """Make a numba intrinsic of the function that emits its code, `emit(context, builder, sig, args)`.

    It is typed as `define_word` types a word: `typing(*operands) -> (result, *operand types) or None`, whose parameters
    are the intrinsic's own.
    """

    def decorate(emit: Callable[..., Any]) -> Any:
        @wraps(emit)
        def define(_typingctx: Any, *operands: Any) -> Any:
            plan = typing(*operands)
            return None if plan is None else (signature(*plan), emit)

        own = inspect.signature(typing)
        context = inspect.Parameter("typingctx", inspect.Parameter.POSITIONAL_OR_KEYWORD)
        define.__dict__["__signature__"] = own.replace(parameters=[context, *own.parameters.values()])
        return intrinsic(define)

    return decorate


# --- values -----------------------------------------------------------------------------------------------


def splat_scalar(builder: Any, scalar: Any, n: int) -> Any:
    """Splat one scalar to n lanes."""
    if n == 1:
        return scalar
    i32 = ir.IntType(32)
    one = builder.insert_element(ir.Constant(ir.VectorType(scalar.type, n), ir.Undefined), scalar, i32(0))
    return builder.shuffle_vector(one, one, ir.Constant(ir.VectorType(i32, n), [0] * n))


def lane_constant(lane_type: Lanes, value: float) -> Any:
    """Return the LLVM constant with `value` in every lane."""
    element = {types.float32: ir.FloatType(), types.float64: ir.DoubleType()}.get(lane_type.dtype)
    if element is None:
        element = ir.IntType(lane_type.dtype.bitwidth)
    scalar = ir.Constant(element, value)
    return scalar if lane_type.n == 1 else ir.Constant(ir.VectorType(element, lane_type.n), [scalar] * lane_type.n)


def convert_operand(context: Any, builder: Any, value: Any, source: Any, target: Any) -> Any:
    """Convert a value to `target` lanes: lanes stay as they are, a scalar is converted once and splatted."""
    if isinstance(source, (Lanes, Mask)) or not isinstance(target, (Lanes, Mask)):
        return value
    if isinstance(target, Mask):
        return splat_scalar(builder, context.cast(builder, value, source, types.boolean), target.n)
    return splat_scalar(builder, context.cast(builder, value, source, target.dtype), target.n)


def common_type(args: tuple[Any, ...]) -> Lanes | None:
    """Return the lane type that the arguments share, scalars set aside; None if they disagree."""
    lane_kinds = {a for a in args if isinstance(a, Lanes)}
    scalars = [a for a in args if not isinstance(a, Lanes)]
    if len(lane_kinds) != 1 or not all(isinstance(a, types.Number) for a in scalars):
        return None
    shared = next(iter(lane_kinds))
    if shared.dtype in REAL_OF and any(isinstance(a, types.Float) for a in scalars):
        return None  # a fraction has no place among whole numbers
    return shared


def bits_type(lane_type: Lanes) -> Lanes:
    """Return the integer lanes that are as wide as these reals."""
    return Lanes(INT_OF[lane_type.dtype], lane_type.n)


def llvm_type(lane_type: Lanes) -> ir.Type:
    """Return the LLVM type of these lanes."""
    return lane_constant(lane_type, 0).type


# --- typing and lowering ----------------------------------------------------------------------------------

Emit = Callable[..., Any]
Kinds = Sequence[tuple[type, ...]]


REALS = (Lanes, types.Number)
MASKS = (Mask, types.Boolean)


def define_word(word: Any, kinds: Kinds, typing: Callable[..., Any], emit: Emit) -> None:
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
            convert_operand(context, builder, value, source, target)
            for value, source, target in zip(args, sig.args, operands, strict=True)
        ]
        return emit(context, builder, result, operands, values)

    for combination in product(*kinds):
        if any(kind in (Lanes, Mask) for kind in combination):
            lower_builtin(word, *combination)(lower)


def _type_same(*args: Any) -> Any:
    shared = common_type(args)
    return None if shared is None else (shared,) * (len(args) + 1)


def type_reals(*args: Any) -> Any:
    """Type a word on reals: operands and result alike."""
    shared = common_type(args)
    return None if shared is None or shared.dtype not in INT_OF else (shared,) * (len(args) + 1)


def _type_whole(*args: Any) -> Any:
    shared = common_type(args)
    return None if shared is None or shared.dtype not in REAL_OF else (shared,) * (len(args) + 1)


def _type_comparison(*args: Any) -> Any:
    shared = common_type(args)
    return None if shared is None else (Mask(REAL_OF.get(shared.dtype, shared.dtype), shared.n), shared, shared)


def type_masks(*args: Any) -> Any:
    """Type a word on masks; the result remembers the first mask's precision."""
    first = next(a for a in args if isinstance(a, Mask))
    if any(a.n != first.n if isinstance(a, Mask) else not isinstance(a, types.Boolean) for a in args):
        return None
    return first, *[a if isinstance(a, Mask) else first for a in args]


def _emit_arithmetic(real: str, whole: str) -> Emit:
    def emit(_context: Any, builder: Any, result: Any, _operands: Any, values: Any) -> Any:
        return getattr(builder, real if result.dtype in INT_OF else whole)(*values)

    return emit


def compiles_for_gpu(context: Any) -> bool:
    """Tell numba-cuda's lowering context from numba's own."""
    return type(context).__module__.startswith("numba.cuda")


def _emit_product(context: Any, builder: Any, result: Any, _operands: Any, values: Any) -> Any:
    """Emit a product that is never fused: NVVM would contract it with a sum unless its rounding is named."""
    if compiles_for_gpu(context):
        kind = values[0].type
        name = f"llvm.nvvm.mul.rn.{'f' if result.dtype == types.float32 else 'd'}"
        typed = ir.FunctionType(kind, [kind] * 2)
        return builder.call(cgutils.get_or_insert_function(builder.module, typed, name), values)
    return builder.fmul(*values)


def emit_instruction(name: str) -> Emit:
    """Emit the LLVM instruction of this name."""
    return lambda _c, builder, _r, _o, values: getattr(builder, name)(*values)


def _emit_shift(name: str) -> Emit:
    def emit(_context: Any, builder: Any, result: Any, _operands: Any, values: Any) -> Any:
        width = lane_constant(result, result.dtype.bitwidth)
        far = builder.icmp_unsigned(">=", values[1], width)  # as numpy has it; LLVM leaves it open
        shifted = getattr(builder, name)(values[0], builder.select(far, lane_constant(result, 0), values[1]))
        if name == "ashr":
            beyond = builder.ashr(values[0], lane_constant(result, result.dtype.bitwidth - 1))
        else:
            beyond = lane_constant(result, 0)
        return builder.select(far, beyond, shifted)

    return emit


def _emit_compare(symbol: str) -> Emit:
    def emit(_context: Any, builder: Any, _result: Any, operands: Any, values: Any) -> Any:
        if operands[0].dtype in REAL_OF:
            return builder.icmp_signed(symbol, *values)
        return (builder.fcmp_unordered if symbol == "!=" else builder.fcmp_ordered)(symbol, *values)

    return emit


def _emit_negate(_context: Any, builder: Any, result: Any, _operands: Any, values: Any) -> Any:
    if result.dtype in REAL_OF:
        return builder.neg(values[0])
    return builder.fsub(lane_constant(result, -0.0), values[0])  # libNVVM's dialect has no fneg


def _emit_invert(_context: Any, builder: Any, _result: Any, _operands: Any, values: Any) -> Any:
    return builder.not_(values[0])


for _words, _typing, _emit in (
    ((operator.add, operator.iadd), _type_same, _emit_arithmetic("fadd", "add")),
    ((operator.sub, operator.isub), _type_same, _emit_arithmetic("fsub", "sub")),
    ((operator.mul, operator.imul), type_reals, _emit_product),
    ((operator.truediv, operator.itruediv), type_reals, emit_instruction("fdiv")),
    ((operator.lshift,), _type_whole, _emit_shift("shl")),
    ((operator.rshift,), _type_whole, _emit_shift("ashr")),
):
    for _word in _words:
        define_word(_word, [REALS] * 2, _typing, _emit)
for _name in ("and_", "or_", "xor"):
    for _word in (getattr(operator, _name), getattr(operator, f"i{_name.rstrip('_')}")):
        define_word(_word, [REALS] * 2, _type_whole, emit_instruction(_name))
        define_word(_word, [MASKS] * 2, type_masks, emit_instruction(_name))
for _name, _symbol in {"lt": "<", "le": "<=", "gt": ">", "ge": ">=", "eq": "==", "ne": "!="}.items():
    define_word(getattr(operator, _name), [REALS] * 2, _type_comparison, _emit_compare(_symbol))
define_word(operator.neg, [REALS], _type_same, _emit_negate)
define_word(operator.pos, [REALS], _type_same, lambda _c, _b, _r, _o, values: values[0])
define_word(operator.invert, [REALS], _type_whole, _emit_invert)
define_word(operator.invert, [MASKS], type_masks, _emit_invert)
