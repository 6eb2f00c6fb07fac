"""NVIDIA's driver interface through ctypes: each call returns its code and what it gives, as in cuda-bindings.

A run whose code is cached needs two dozen of the driver's functions, which have not changed for ten years. To import
cuda-bindings for them would take a tenth of the start (benchmarks/README.md); only what compiles needs those.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Mapping
from functools import cache
from struct import Struct, calcsize
from threading import Lock
from typing import Any, NamedTuple

INT, UINT, SIZE = ctypes.c_int, ctypes.c_uint, ctypes.c_size_t
HANDLE, HERE, TEXT = ctypes.c_void_p, ctypes.c_void_p, ctypes.c_char_p  # HERE: an address of this process
THERE = ctypes.c_uint64  # an address of the GPU


class EntryPoint(NamedTuple):
    """A function of the driver: what it gives, which its first parameters point to, and what it takes after that.

    version: the newest of its symbols that all drivers for CUDA 12 and later have.
    """

    gives: tuple[Any, ...]
    takes: tuple[Any, ...]
    version: str = ""


ENTRY_POINTS: dict[str, EntryPoint] = {
    "cuInit": EntryPoint((), (UINT,)),
    "cuDeviceGet": EntryPoint((INT,), (INT,)),
    "cuDevicePrimaryCtxRetain": EntryPoint((HANDLE,), (INT,)),
    "cuCtxSetCurrent": EntryPoint((), (HANDLE,)),
    "cuCtxSynchronize": EntryPoint((), ()),
    "cuModuleLoadData": EntryPoint((HANDLE,), (TEXT,)),
    "cuModuleGetFunction": EntryPoint((HANDLE,), (HANDLE, TEXT)),
    "cuModuleUnload": EntryPoint((), (HANDLE,)),
    "cuMemGetInfo": EntryPoint((SIZE, SIZE), (), "_v2"),
    "cuMemAlloc": EntryPoint((THERE,), (SIZE,), "_v2"),
    "cuMemFree": EntryPoint((), (THERE,), "_v2"),
    "cuMemHostAlloc": EntryPoint((HERE,), (SIZE, UINT)),
    "cuMemFreeHost": EntryPoint((), (HERE,)),
    "cuMemcpyHtoD": EntryPoint((), (THERE, HERE, SIZE), "_v2"),
    "cuMemcpyHtoDAsync": EntryPoint((), (THERE, HERE, SIZE, HANDLE), "_v2"),
    "cuMemcpyDtoHAsync": EntryPoint((), (HERE, THERE, SIZE, HANDLE), "_v2"),
    "cuMemsetD8Async": EntryPoint((), (THERE, ctypes.c_ubyte, SIZE, HANDLE)),
    "cuStreamCreate": EntryPoint((HANDLE,), (UINT,)),
    "cuStreamDestroy": EntryPoint((), (HANDLE,), "_v2"),
    "cuStreamQuery": EntryPoint((), (HANDLE,)),
    "cuEventCreate": EntryPoint((HANDLE,), (UINT,)),
    "cuEventDestroy": EntryPoint((), (HANDLE,), "_v2"),
    "cuEventRecord": EntryPoint((), (HANDLE, HANDLE)),
    "cuEventQuery": EntryPoint((), (HANDLE,)),
    "cuEventSynchronize": EntryPoint((), (HANDLE,)),
    "cuEventElapsedTime": EntryPoint((ctypes.c_float,), (HANDLE, HANDLE)),
    "cuLaunchKernel": EntryPoint((), (HANDLE, *[UINT] * 7, HANDLE, HERE, HERE)),
    "cuGetErrorName": EntryPoint((), (INT, ctypes.POINTER(TEXT))),
}


class Code(int):
    """The result of a call that failed (CUresult). `name`: the driver's own word for it."""

    name: str


class Driver:
    """The driver's functions by their names: `driver.cuMemAlloc(bytes)` returns (code, address).

    Raises AttributeError for a library that is no driver for CUDA 12 or later.
    """

    def __init__(self, library: ctypes.CDLL, entry_points: Mapping[str, EntryPoint] = ENTRY_POINTS) -> None:
        self._name_error = _bind(library, "cuGetErrorName", entry_points["cuGetErrorName"])
        for name, entry_point in entry_points.items():
            function = self._name_failures(_bind(library, name, entry_point))
            setattr(self, name, _with_parameters(function) if name == "cuLaunchKernel" else function)

    def __getattr__(self, name: str) -> Callable[..., tuple[Any, ...]]:
        """Those that were asked for stand in the object itself."""
        raise AttributeError(f"{name} is not among the entry points that are bound")

    def _name_failures(self, function: Callable[..., tuple[Any, ...]]) -> Callable[..., tuple[Any, ...]]:
        """Have codes of failures know their names."""

        def call(*arguments: Any) -> tuple[Any, ...]:
            result = function(*arguments)
            if not result[0]:
                return result
            code, name = Code(result[0]), ctypes.c_char_p()
            self._name_error(code, ctypes.byref(name))
            code.name = name.value.decode() if name.value else f"CUDA error {int(code)}"
            return (code, *result[1:])

        return call


def _bind(library: ctypes.CDLL, name: str, entry_point: EntryPoint) -> Callable[..., tuple[Any, ...]]:
    """Make a function that returns its code and what it gives."""
    function = library[name + entry_point.version]
    function.restype = ctypes.c_int
    function.argtypes = [*map(ctypes.POINTER, entry_point.gives), *entry_point.takes]
    if not entry_point.gives:
        return lambda *arguments: (function(*arguments),)

    def call(*arguments: Any) -> tuple[Any, ...]:
        given = [kind() for kind in entry_point.gives]
        return (function(*map(ctypes.byref, given), *arguments), *(one.value for one in given))

    return call


def _with_parameters(launch_kernel: Callable[..., tuple[Any, ...]]) -> Callable[..., tuple[Any, ...]]:
    """Have cuLaunchKernel take a kernel's parameters as (values, ctypes)."""

    def launch(*arguments: Any) -> tuple[Any, ...]:
        *before, (values, kinds), options = arguments
        parameters = _lay_out(kinds)
        with parameters.turn:
            parameters.form.pack_into(parameters.room, 0, *values)
            return launch_kernel(*before, parameters.places, options)  # which copies them

    return launch


class Parameters(NamedTuple):
    """Room for parameters of these kinds, and where each lies in it; for one launch at a time."""

    form: Struct
    room: Any
    places: Any
    turn: Lock


@cache
def _lay_out(kinds: tuple[Any, ...]) -> Parameters:
    """Lay out parameters of these ctypes behind each other: to pack anew is a tenth of making an object for each."""
    codes = "".join(kind._type_ for kind in kinds)
    form = Struct(f"@{codes}")
    room = ctypes.create_string_buffer(max(form.size, 1))
    offsets = (calcsize(f"@{codes[:number]}0{code}") for number, code in enumerate(codes))
    base = ctypes.addressof(room)
    return Parameters(form, room, (ctypes.c_void_p * len(codes))(*(base + offset for offset in offsets)), Lock())
