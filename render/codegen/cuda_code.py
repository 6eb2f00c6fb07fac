"""Machine code for a GPU: compiled by numba-cuda once, kept, and loaded by the driver alone ever after.

The simulator's threads run the same source compiled for the CPU, which is kept in the same way.
"""

from __future__ import annotations

import ctypes
import time
from collections.abc import Callable
from importlib.metadata import version

from render.codegen import code_cache, host, plain_numba
from render.codegen.program import ENTRY, Program, warp_program
from render.request import Request
from render.scene import Scene

Capability = tuple[int, int]


def program(scene: Scene, request: Request) -> Program:
    """The code of one thread: a lane of a warp, which takes pixels from the launch's queue."""
    return warp_program(scene, request)


def machine_code(
    made: Program, capability: Capability, toolkit: Capability | None, announce: Callable[[], None]
) -> bytes:
    """The kernel for GPUs of this compute capability, from the cache, or compiled now (which is announced) and kept.

    toolkit: the version of CUDA that compiles.

    Raises SceneError where the scene cannot be compiled, RenderError where the CUDA packages do not work together.
    """
    key = made.cache_key("cuda", ("gpu", version("numba-cuda"), str(toolkit), str(capability)))

    def compiled() -> bytes:
        announce()
        with plain_numba.import_plainly():
            from render.codegen import cuda_compiler  # slow to import, and not needed in a second run

        closest = cuda_compiler.closest(capability)
        text = cuda_compiler.assembly(cuda_compiler.compiled(made, closest), closest)
        return cuda_compiler.tight_code(text, closest)[0]

    return code_cache.obtain_code(key, compiled)


def simulated_key(made: Program) -> str:
    """Cache key for the simulator's thread code."""
    return made.cache_key("cuda", ("simulated", *host.cpu_target()))


KEPT: list[object] = []  # engines, which must outlive the code that they hold, and what that calls


def thread(made: Program, key: str) -> Callable[..., None]:
    """Compile one thread's code for this CPU, or take it from the cache: the simulator calls it as a C function.

    It holds the GIL: the simulator's threads take turns anyway, and so they need not fight for it.
    """

    def compiled() -> bytes:
        from render.codegen import cuda_compiler

        return cuda_compiler.thread_code(made)

    code = code_cache.obtain_code(key, compiled)
    clock = ctypes.CFUNCTYPE(ctypes.c_int64)(time.perf_counter_ns)
    host.offer(host.CLOCK, ctypes.cast(clock, ctypes.c_void_p).value or 0)
    address, engine = host.load_code(code, ENTRY)
    call = ctypes.PYFUNCTYPE(None, ctypes.c_void_p, *[ctypes.c_int64] * 7)(address)
    KEPT.extend((engine, clock))
    return call
