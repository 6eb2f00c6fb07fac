"""Starts NVIDIA's driver before anything else is known of the request: it takes half a second, beside all imports.

Nothing is imported for it: the driver's calls let other threads run Python meanwhile, and imports would not.
The driver's own call returns at once where it has been made before, and waits where it is under way in another thread.
So whoever asks later (`discovery`, `driver`) asks as if nothing had been started, and gets errors in the same way.
"""

from __future__ import annotations

import ctypes
from threading import Thread
from typing import Any

from render.runtime.cuda.driver import driver_library


def start() -> Thread:
    """Start the driver, and on each GPU the context that all of this process shares, on a thread of its own.

    Python waits for the thread when it ends, for a process that ends while its driver starts may crash.
    """
    thread = Thread(target=_start_contexts, name="start of the GPUs")
    thread.start()
    return thread


def _start_contexts() -> None:
    """Make the context of each GPU. What fails is reported when the GPU is used."""
    try:
        library = driver_library()
    except OSError:
        return
    count, device = ctypes.c_int(), ctypes.c_int()
    if library.cuInit(0) or library.cuDeviceGetCount(ctypes.byref(count)):
        return
    starting = []
    for number in range(count.value):
        if not library.cuDeviceGet(ctypes.byref(device), number):
            starting.append(Thread(target=_retain_context, args=(library, device.value), name=f"start of GPU {number}"))
            starting[-1].start()
    for thread in starting:
        thread.join()


def _retain_context(library: Any, device: int) -> None:
    context = ctypes.c_void_p()
    library.cuDevicePrimaryCtxRetain(ctypes.byref(context), device)
