"""Small functions in the lane vocabulary, compiled as the driver is: to compare with it, or to find a core's limit.

What is written here uses the compiler's parts and none of the driver, so it stays what it is when the driver changes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numba
from numba.core import types

from render.codegen import cpu_compiler
from render.codegen.retarget import retarget
from render.codegen.settings import pack_cells

Function = Callable[..., Any]

OPTIONS = {"error_model": "numpy", "forceinline": True, "no_cpython_wrapper": True, "_nrt": False}


def compiled(
    function: Function,
    records: tuple[Any, ...],
    kinds: tuple[Any, ...],
    *,
    precision: str,
    lanes: int,
    across: int = 8,
    slots: Mapping[Any, Any] | None = None,
    words: Mapping[Function, Any] | None = None,
) -> Callable[..., int]:
    """`function(*records) -> int` as machine code for this CPU, to be called with records like these.

    records: named tuples of scalars and arrays. kinds: their numba types (`cpu_compiler.record_type`, `p_type`).
    slots: plain functions that stand for others, and numbers. words: what stands for a function and is used as it is.
    across: lanes in a row of a patch.
    """
    firsts = [0]
    for record in records:
        firsts.append(firsts[-1] + len(pack_cells(record)))
    readers = [cpu_compiler.cell_reader(kind, first) for kind, first in zip(kinds, firsts, strict=False)]
    body = retarget(
        function,
        words=cpu_compiler.lane_words(precision, lanes, across) | dict(words or {}),
        slots=slots or {},
        wrap=numba.njit(**OPTIONS),
    )
    if len(readers) == 1:
        (only,) = readers

        def entry(cells: Any) -> Any:
            return body(only(cells))
    else:
        first, second = readers

        def entry(cells: Any) -> Any:
            return body(first(cells), second(cells))

    signature = types.int64(types.CPointer(types.int64))
    code = numba.cfunc(signature, error_model="numpy", _nrt=False)(entry)
    call = code.ctypes

    def run(*given: Any) -> int:
        cells = pack_cells(*given)
        return int(call(cells.ctypes.data_as(call.argtypes[0])))

    run.__dict__["code"] = code  # it owns the machine code
    return run
