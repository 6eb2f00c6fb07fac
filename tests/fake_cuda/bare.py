"""The program beside the stand-in for NVIDIA's driver, and no more: `python -m tests.fake_cuda.bare --mode cuda ...`.

Launches paint nothing, but leave a record for each square, as they do on a GPU. So what such a run imports is what a
user's run imports.
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Callable
from functools import cache
from threading import Thread
from typing import Any

from render.__main__ import run
from render.runtime.cuda import driver, early


def leave_records(values: tuple[int, ...]) -> None:
    """Write what a launch with these parameters would: the multiprocessor, the start and the end of each square."""
    from render.codegen.settings import cell_numbers
    from render.kernels.launch import RECORD
    from render.runtime.launch import Shape

    shape = Shape(*values[-3:])
    count = RECORD * shape.tiles * shape.squares
    (ctypes.c_int64 * count).from_address(values[cell_numbers("records")[0]])[:] = [7, 1, 2] * (count // RECORD)


@cache
def load_driver(real: Any = driver.load_driver) -> Any:
    """Load the driver; its launches leave records."""
    loaded = real()
    launch = loaded.cuLaunchKernel

    def launch_kernel(*arguments: Any) -> Any:
        leave_records(arguments[-2][0])
        return launch(*arguments)

    loaded.cuLaunchKernel = launch_kernel
    return loaded


def start(real: Callable[[], Thread] = early.start) -> Thread:
    """Start the driver, and say so."""
    sys.stderr.write("the driver starts\n")
    return real()


if __name__ == "__main__":
    driver.load_driver, early.start = load_driver, start
    sys.exit(run())
