"""The part that needs numba: from the filled driver to object code for this CPU."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numba
import numpy as np
from llvmlite import ir
from numba.core import types
from numba.core.errors import NumbaError
from numba.extending import intrinsic
from numba.np import arrayobj

from render.codegen import (
    host,
    lane_memory,
    lane_moves,
    lane_pixels,
    lane_primitives,
    lane_slots,
    lane_types,
    llvm_module,
)
from render.codegen.program import ENTRY, WORDS, Program
from render.codegen.retarget import retarget
from render.codegen.settings import Settings, request_settings
from render.errors import ModeUnavailable, SceneError
from render.kernels import slots
from render.request import Request

REGISTERED = lane_primitives  # imported so that numba knows the words
REAL_TYPES = {"f32": types.float32, "f64": types.float64}


def field_type(value: Any) -> Any:
    """Return the numba type of one member of `p` or of the settings."""
    if isinstance(value, np.ndarray):
        return types.Array(numba.from_dtype(value.dtype), 1, "C", readonly=not value.flags.writeable)
    return numba.from_dtype(value.dtype) if isinstance(value, np.floating) else types.int64


def record_type(record: Any) -> Any:
    """Return the numba type of a named tuple of scalars and arrays."""
    return types.NamedTuple([field_type(value) for value in record], type(record))


def p_type(p: Any, lanes: int) -> Any:
    """Return the numba type of a scene's `p`, whose real numbers are lanes from the start.

    So they keep the request's precision whatever they meet, as they do in target `python`: numba would compute
    `p.a - 0.1` in float64, although p.a is a float32.
    """
    plain = map(field_type, p)
    kinds = [lane_types.Lanes(kind, lanes) if isinstance(kind, types.Float) else kind for kind in plain]
    return types.NamedTuple(kinds, type(p))


def lane_words(precision: str, lanes: int, patch_width: int, count: Any = None) -> dict[Callable[..., Any], Any]:
    """Map the lanes' own names in `slots`, and the primitive words, to their intrinsics.

    `count`: the type of step counts; if not given, whole numbers as wide as the reals.
    """
    real = lane_types.Lanes(REAL_TYPES[precision], lanes)
    whole = lane_types.bits_type(real)
    return WORDS | {
        slots.reals: lane_slots.splat_intrinsic(real),
        slots.counts: lane_slots.splat_intrinsic(whole if count is None else lane_types.Lanes(count, lanes)),
        slots.mask: lane_slots.splat_intrinsic(lane_types.Mask(real.dtype, lanes)),
        slots.patch: lane_slots.patch_intrinsic(real, patch_width),
        slots.lane_numbers: lane_slots.lane_numbers_intrinsic(whole),
        slots.lift: lane_slots.lift_state,
        slots.choose: lane_slots.select_state,
        slots.from_lane_bits: lane_memory.bits_to_mask,
        slots.same_bits: lane_memory.same_bits,
        slots.real_count: lane_slots.int_to_real,
        slots.truncated: lane_slots.truncate_intrinsic(count),
        slots.total: lane_slots.sum_lanes,
        slots.lane_bits: lane_memory.mask_to_bits,
        slots.ones: lane_memory.count_ones,
        slots.first_one: lane_memory.count_trailing_zeros,
        slots.pixel_codes: lane_pixels.look_up_codes,
        slots.put_pixels: lane_pixels.pixels_intrinsic(patch_width),
        slots.put_counts: lane_pixels.counts_intrinsic(patch_width),
        slots.unpack: lane_slots.unpack_lanes,
        slots.memory: lane_memory.array_pointer,
        slots.whole_memory: lane_memory.int_pointer,
        slots.fetch: lane_memory.load_intrinsic(real),
        slots.keep: lane_memory.store_lanes,
        slots.fetch_all: lane_memory.load_state,
        slots.keep_all: lane_memory.store_state,
        slots.pack: lane_moves.pack_intrinsic(real),
        slots.spread: lane_moves.spread_intrinsic(real),
        slots.fetch_apart: lane_memory.load_rows,
        slots.keep_apart: lane_memory.store_rows,
    }


def count_cells(record: Any) -> int:
    """Count the cells that a named tuple takes."""
    return sum(1 + isinstance(member, types.Array) for member in record)


def cell_reader(record: Any, first: int, fixed: Mapping[str, int] = MappingProxyType({})) -> Any:
    """Make an intrinsic that rebuilds a named tuple from the cells, beginning with cell number `first`.

    The cells are memory, or, for a GPU, a tuple: its arguments, which lie in constant memory. `fixed`: whole numbers
    by their names that are constants of the code, whatever their cells hold.
    """

    @intrinsic
    def read(typingctx: Any, cells: Any) -> Any:
        def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
            members, cell = [], first

            def load(number: int, kind: ir.Type) -> Any:
                if isinstance(sig.args[0], types.BaseTuple):
                    return _reinterpret_cell(builder, builder.extract_value(args[0], number), kind)
                place = builder.gep(args[0], [ir.Constant(ir.IntType(64), number)])
                return builder.load(builder.bitcast(place, kind.as_pointer()))

            for name, member in zip(record.fields, record, strict=True):
                if isinstance(member, types.Array):
                    address, length = (load(number, ir.IntType(64)) for number in (cell, cell + 1))
                    members.append(_build_array(context, builder, member, address, length))
                    cell += 2
                elif name in fixed:
                    members.append(ir.Constant(context.get_value_type(member), fixed[name]))
                    cell += 1
                else:
                    members.append(_load_number(context, builder, member, partial(load, cell)))
                    cell += 1
            return context.make_tuple(builder, record, members)

        return record(cells), codegen

    return read


def _reinterpret_cell(builder: Any, cell: Any, kind: ir.Type) -> Any:
    """Reinterpret a cell's lowest bytes as another type."""
    if isinstance(kind, ir.FloatType):
        return builder.bitcast(builder.trunc(cell, ir.IntType(32)), kind)
    return builder.bitcast(cell, kind)


def _load_number(context: Any, builder: Any, kind: Any, load: Callable[[ir.Type], Any]) -> Any:
    """Load a scalar, or splat it to all lanes."""
    if isinstance(kind, lane_types.Lanes):
        return lane_types.splat_scalar(builder, load(context.get_value_type(kind.dtype)), kind.n)
    return load(context.get_value_type(kind))


def _build_array(context: Any, builder: Any, kind: Any, address: Any, length: Any) -> Any:
    """Build an array that somebody else owns; on a GPU in global memory."""
    array = context.make_array(kind)(context, builder)
    size = context.get_abi_sizeof(context.get_data_type(kind.dtype))
    data = array.data.type
    if lane_types.compiles_for_gpu(context):
        shared = builder.inttoptr(address, ir.PointerType(data.pointee, 1))
        pointer = builder.addrspacecast(shared, data)
    else:
        pointer = builder.inttoptr(address, data)
    arrayobj.populate_array(
        array,
        data=pointer,
        shape=[length],
        strides=[ir.Constant(ir.IntType(64), size)],
        itemsize=ir.Constant(ir.IntType(64), size),
        meminfo=None,
    )
    return array._getvalue()


def compile_program(program: Program) -> bytes:
    """Compile object code with the C function `int64 render_paint(int64 *cells)`.

    Raises SceneError where the scene cannot be compiled, ModeUnavailable where NUMBA_DISABLE_JIT is set.
    """
    if numba.config.DISABLE_JIT:
        raise ModeUnavailable(
            "numba does not compile: NUMBA_DISABLE_JIT is set", "unset it, or add --target python, which is slow"
        )
    at_type = record_type(_example_settings(program.precision))
    read_at, read_p = cell_reader(at_type, 0), cell_reader(p_type(program.p, program.lanes), count_cells(at_type))
    paint = retarget(
        program.root,
        words=lane_words(program.precision, program.lanes, program.slots.get(slots.PATCH_WIDTH, 1)),
        slots=program.slots,
        wrap=llvm_module.make_inlined,
    )

    def entry(cells: Any) -> Any:
        return paint(read_at(cells), read_p(cells))

    return compile_function(entry, types.int64(types.CPointer(types.int64)), program.source)


EXPLANATIONS = {  # what numba says, in our words
    "NRT required": "a list or an array is made here",
    "reflected list": "a global of the scene is a list (make it a tuple, or let prepare give it as an array)",
    "Untyped global name": "a global of the scene is neither a number, a tuple nor a function",
}
DULL = re.compile("Failed in|During|File |There are|- Of which|Overload|With argument|No match|<source")  # lines of it


def explain_error(error: NumbaError, source: str) -> SceneError:
    """Turn numba's error into one line with the line number in the scene's file."""
    text = re.sub(r"\x1b\[[0-9;]*m", "", str(error))
    name = re.escape(Path(source).name)  # numba shortens the path before it, seen from the current folder
    place = re.search(rf'{name}(?:", line | \(|:)(\d+)', text)
    lines = [line.strip() for line in text.splitlines()]
    clear = [line for line in lines if line and not DULL.match(line)]
    told = " ".join(clear[:2]) or type(error).__name__
    what = next((plain for sign, plain in EXPLANATIONS.items() if sign in text), told)
    line = f", line {place[1]}" if place else ""
    return SceneError(
        f"{source}{line}: cannot be compiled: {what[:200]}",
        "write it in the words of render.lanes, tuples and loops of fixed count; target python may still run it",
    )


# What object code may ask of the C library, and of who loads it (`host.offer`); anything else would end the process.
C_LIBRARY = frozenset({"memcpy", "memset", "memmove", "fma", "fmaf", "floor", "floorf", "sqrt", "sqrtf"})
OFFERED = C_LIBRARY | {host.CLOCK}


def compile_function(function: Callable[..., Any], signature: Any, source: str) -> bytes:
    """Compile object code of a function and all that it calls, as the C function ENTRY.

    Raises SceneError where numba does not understand the scene (its file is `source`), or where the code would need
    numba's own run-time library, which a second run does not load.
    """
    try:
        whole = llvm_module.compile_module(function, signature, ENTRY)
    except NumbaError as error:
        raise explain_error(error, source) from error
    foreign = {
        symbol.name
        for symbol in (*whole.functions, *whole.global_variables)
        if symbol.is_declaration and not symbol.name.startswith("llvm.") and symbol.name not in OFFERED
    }
    if foreign:
        raise SceneError(
            f"{source}: the scene raises, builds lists or calls Python, which compiled code cannot",
            f"use the words of render.lanes and tuples only (it would need {min(foreign)})",
        )
    return llvm_module.emit_object_code(whole)


def _example_settings(precision: str) -> Settings:
    """Make settings whose members have the types of every request of this precision."""
    parameters = (("shortcuts", 1), ("x", 0.0), ("y", 0.0), ("zoom", 1.0))
    request = Request("", "", parameters, 1, 1, 1, 1, precision, "", "", None, 1, 1, 0, (1, 1), "rows")
    return request_settings(request)
