"""The part that needs numba: from the filled driver to object code for this CPU."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import llvmlite.ir as ir
import numba
import numpy as np
from numba.core import types
from numba.extending import intrinsic
from numba.np import arrayobj

from render.compiler import driver, lane_types, slots
from render.compiler.native import ENTRY, WORDS, Program
from render.compiler.retarget import retarget
from render.compiler.settings import Settings, settings
from render.request import Request

REAL_TYPES = {"f32": types.float32, "f64": types.float64}
OPTIONS = {"error_model": "numpy", "forceinline": True, "no_cpython_wrapper": True, "_nrt": False}


def field_type(value: Any) -> Any:
    """The numba type of one member of `p` or of the settings."""
    if isinstance(value, np.ndarray):
        return types.Array(numba.from_dtype(value.dtype), 1, "C", readonly=not value.flags.writeable)
    return numba.from_dtype(value.dtype) if isinstance(value, np.floating) else types.int64


def record_type(record: Any) -> Any:
    """The numba type of a named tuple of scalars and arrays."""
    return types.NamedTuple([field_type(value) for value in record], type(record))


def lane_words(precision: str, lanes: int, patch_width: int) -> dict[Callable[..., Any], Any]:
    """What stands for the lanes' own names of `slots` and for the primitive words."""
    real = lane_types.Lanes(REAL_TYPES[precision], lanes)
    return WORDS | {
        slots.reals: lane_types.splat(real),
        slots.counts: lane_types.splat(lane_types.Lanes(types.int32, lanes)),
        slots.mask: lane_types.splat(lane_types.Mask(real.dtype, lanes)),
        slots.patch: lane_types.lane_numbers(real, patch_width),
        slots.lift: lane_types.lift,
        slots.choose: lane_types.choose,
        slots.real_count: lane_types.real_count,
        slots.total: lane_types.total,
        slots.how_many: lane_types.how_many,
        slots.unpack: lane_types.unpack,
    }


def reader(record: Any, first: int) -> Any:
    """An intrinsic that rebuilds a named tuple from the cells, beginning with cell number `first`."""

    @intrinsic
    def read(typingctx: Any, cells: Any) -> Any:  # noqa: ARG001  (numba's protocol)
        def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:  # noqa: ARG001
            members, cell = [], first

            def load(number: int, kind: ir.Type) -> Any:
                place = builder.gep(args[0], [ir.Constant(ir.IntType(64), number)])
                return builder.load(builder.bitcast(place, kind.as_pointer()))

            for member in record:
                if isinstance(member, types.Array):
                    members.append(_array(context, builder, member, load(cell, ir.IntType(64)), load(cell + 1, ir.IntType(64))))
                    cell += 2
                else:
                    members.append(load(cell, context.get_value_type(member)))
                    cell += 1
            return context.make_tuple(builder, record, members)

        return record(cells), codegen

    return read


def _array(context: Any, builder: Any, kind: Any, address: Any, length: Any) -> Any:
    """An array that somebody else owns."""
    array = context.make_array(kind)(context, builder)
    size = context.get_abi_sizeof(context.get_data_type(kind.dtype))
    arrayobj.populate_array(
        array,
        data=builder.inttoptr(address, array.data.type),
        shape=[length],
        strides=[ir.Constant(ir.IntType(64), size)],
        itemsize=ir.Constant(ir.IntType(64), size),
        meminfo=None,
    )
    return array._getvalue()


def compile_program(made: Program) -> bytes:
    """Object code with the C function `int64 render_paint(int64 *cells)`."""
    at_type = record_type(_example(made.precision))
    p_type = record_type(made.p)
    width = sum(1 + isinstance(member, types.Array) for member in at_type)
    read_at, read_p = reader(at_type, 0), reader(p_type, width)
    paint = retarget(
        driver.paint,
        words=lane_words(made.precision, made.lanes, made.names["PATCH_WIDTH"]),
        slots=made.slots,
        names=made.names,
        wrap=numba.njit(**OPTIONS),
    )

    def entry(cells: Any) -> int:
        return paint(read_at(cells), read_p(cells))

    compiled = numba.cfunc(types.int64(types.CPointer(types.int64)), error_model="numpy", _nrt=False)(entry)
    return emit(compiled)


def emit(compiled: Any) -> bytes:
    """The object code of a compiled C callback, its function renamed to ENTRY."""
    library = compiled._library
    library._ensure_finalized()
    module = library._final_module.clone()
    module.get_function(compiled._wrapper_name).name = ENTRY
    return bytes(library._codegen._tm.emit_object(module))


def _example(precision: str) -> Settings:
    """Settings whose members have the types of every request of this precision."""
    parameters = (("shortcuts", 1), ("x", 0.0), ("y", 0.0), ("zoom", 1.0))
    request = Request("", "", parameters, 1, 1, 1, 1, precision, "", "", None, 1, 1, 0, (1, 1), "rows")
    return settings(request)
