"""What is known of the driver's functions is what NVIDIA's own header says of them."""

from __future__ import annotations

import ctypes
import re
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from render.runtime.cuda.calls import ENTRY_POINTS, Driver, EntryPoint, _lay_out

C_TYPES = {  # of parameters that are no pointers
    "int": ctypes.c_int,
    "unsigned int": ctypes.c_uint,
    "unsigned char": ctypes.c_ubyte,
    "size_t": ctypes.c_size_t,
    "float": ctypes.c_float,
    "CUdevice": ctypes.c_int,
    "CUresult": ctypes.c_int,
    "CUdeviceptr": ctypes.c_uint64,
    **dict.fromkeys(("CUcontext", "CUmodule", "CUfunction", "CUstream", "CUevent"), ctypes.c_void_p),
}
UNVERSIONED = {"cuEventElapsedTime"}  # its second version is of CUDA 12.8; an older driver has the first


@pytest.fixture(scope="module")
def header() -> str:
    """NVIDIA's cuda.h, as the extra `cuda` installs it."""
    package = find_spec("nvidia")
    assert package is not None
    found = [
        path for place in package.submodule_search_locations or () for path in Path(place).glob("*/include/cuda.h")
    ]
    assert found, "no package of NVIDIA's has cuda.h"
    return found[0].read_text(encoding="utf-8", errors="replace")


def kinds(parameter: str, entry_point: EntryPoint, number: int) -> tuple[Any, Any]:
    """The ctype of one parameter, by us and by the header; of one that is filled in, what it points to."""
    text = re.sub(r"\b\w+$", "", parameter.replace("const ", "").strip()).strip()
    if number < len(entry_point.gives):
        assert text.endswith("*"), f"{parameter} is not filled in"
        ours, text = entry_point.gives[number], text[:-1].strip()
    else:
        ours = entry_point.takes[number - len(entry_point.gives)]
    if ours is ctypes.c_char_p:
        return ours, ctypes.c_char_p if text in {"char *", "void *"} else None
    if ours is ctypes.POINTER(ctypes.c_char_p):
        return ours, ctypes.POINTER(ctypes.c_char_p) if text == "char **" else None
    return ours, ctypes.c_void_p if text.endswith("*") else C_TYPES[text]


@pytest.mark.parametrize("name", ENTRY_POINTS)
def test_a_function_takes_and_gives_what_the_header_says(name: str, header: str) -> None:
    entry_point = ENTRY_POINTS[name]
    declared = re.search(rf"^CUresult CUDAAPI {name}\((.*?)\);", header, re.MULTILINE | re.DOTALL)
    assert declared is not None
    parameters = [] if declared[1] == "void" else declared[1].split(",")

    assert len(parameters) == len(entry_point.gives) + len(entry_point.takes)
    for number, parameter in enumerate(parameters):
        ours, theirs = kinds(parameter, entry_point, number)
        assert ours is theirs, f"{parameter.strip()}: {ours}"


@pytest.mark.parametrize("name", sorted(set(ENTRY_POINTS) - UNVERSIONED))
def test_a_function_is_of_the_version_that_programs_in_c_get(name: str, header: str) -> None:
    newest = re.search(rf"^#define {name} +(?:__CUDA_API_\w+\()?(\w+)", header, re.MULTILINE)

    assert name + ENTRY_POINTS[name].version == (newest[1] if newest else name)


def test_parameters_lie_as_c_lays_them_out() -> None:
    kinds: tuple[Any, ...] = (ctypes.c_int32, ctypes.c_double, ctypes.c_float, ctypes.c_int64, ctypes.c_int32)
    values = (-7, 0.1, 0.5, -(1 << 60), 3)

    parameters = _lay_out(kinds)
    parameters.form.pack_into(parameters.room, 0, *values)

    assert tuple(kind.from_address(at).value for kind, at in zip(kinds, parameters.places, strict=True)) == values
    assert _lay_out(()).form.size == 0


def test_what_is_no_driver_is_refused() -> None:
    with pytest.raises(AttributeError, match="cuGetErrorName"):
        Driver(ctypes.CDLL(None))
