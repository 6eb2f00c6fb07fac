"""NVIDIA's driver as this program uses it: started once, and each failure told in words.

Only the driver's own interface is used, through ctypes (`calls`); numba has no part in this.
"""

from __future__ import annotations

import ctypes
import sys
from functools import cache
from typing import Any

from render.errors import RenderError
from render.runtime.cuda.calls import Driver

NOT_READY = 600  # CUresult of a query
OUT_OF_MEMORY = 2
LOOK = "see what nvidia-smi says"
FAILURES = {  # by CUresult: what has happened to the GPU, not to one tile
    2: (  # also where the host's memory cannot be pinned
        "there is no memory left, on the GPU or on this machine for copies from it",
        "end other programs that use the GPU, let this one lock more memory (ulimit -l), or give a smaller --tile",
    ),
    46: ("the GPU is taken by another program", "try again when it is free"),
    200: ("the driver does not take the kernel", "update NVIDIA's driver"),
    209: ("the driver does not take the kernel", "update NVIDIA's driver"),
    214: ("the GPU found an error in its memory", LOOK),
    218: ("the driver does not take the kernel", "update NVIDIA's driver"),
    222: ("the driver does not take the kernel", "update NVIDIA's driver"),
    702: (
        "the driver stopped a launch that took too long, as it does on a GPU with a display",
        "give a smaller --tile",
    ),
    709: ("the GPU was lost", f"{LOOK}, and draw again"),
    999: ("the GPU was lost", f"{LOOK}, and draw again"),
}
SPENT = frozenset({700, 702, 709, 710, *range(714, 720)})  # after these a process gets nothing else from the GPU


class GpuFailed(RenderError):
    """A GPU cannot go on, whichever tile it was given. `code`, `name`: the driver's own."""

    code, name = 0, ""


class LaunchFailed(Exception):
    """A launch went wrong in a way that may be the tile's own. `code`: the driver's; its name is the message."""

    code = 0


def check_result(result: tuple[Any, ...]) -> Any:
    """Unwrap a driver result. Raises GpuFailed where the GPU is at fault, LaunchFailed otherwise."""
    code, *values = result
    if int(code):
        name = f"CUDA error {code}" if type(code) is int else code.name
        if int(code) in FAILURES:
            reason, remedy = FAILURES[int(code)]
            failure = GpuFailed(f"{reason} ({name})", remedy)
            failure.code, failure.name = int(code), name
            raise failure
        wrong = LaunchFailed(name)
        wrong.code = int(code)
        raise wrong
    return values[0] if values else None


def describe_start_failure(error: GpuFailed | LaunchFailed) -> GpuFailed:
    """Say that a GPU failed before anything was launched on it."""
    name = error.name if isinstance(error, GpuFailed) else str(error)
    if error.code in SPENT:
        reason = f"the GPU does nothing more for this process, in which a launch has failed ({name})"
        failure = GpuFailed(reason, "start the program, or Python, again")
    elif isinstance(error, GpuFailed):
        failure = GpuFailed(error.cause, error.remedy)
    else:
        failure = GpuFailed(f"the GPU does not start ({name})", LOOK)
    failure.code, failure.name = error.code, name
    return failure


def driver_library() -> Any:
    """Load the CUDA driver's library. Raises OSError where there is none."""
    if sys.platform == "win32":
        return ctypes.WinDLL("nvcuda.dll")
    return ctypes.CDLL("libcuda.so.1")


@cache
def load_driver() -> Any:
    """Load the driver's interface, and start the driver."""
    driver = Driver(driver_library())
    check_result(driver.cuInit(0))
    return driver


@cache
def retain_context(driver: Any, number: int) -> Any:
    """Retain the one context of a GPU that all of a process shares; it takes a while, so it is kept to the end."""
    return check_result(driver.cuDevicePrimaryCtxRetain(check_result(driver.cuDeviceGet(number))))
