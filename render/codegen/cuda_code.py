"""Machine code for a GPU: compiled by numba-cuda once, kept, and loaded by the driver alone ever after.

The simulator's threads run the same source compiled for the CPU, which is kept in the same way.
"""

from __future__ import annotations

import ctypes
import time
from collections.abc import Callable

from render.codegen import code_cache, host, packages, plain_numba
from render.codegen.program import ENTRY, Program, warp_program
from render.request import Request
from render.scene import Scene

Capability = tuple[int, int]


def make_program(scene: Scene, request: Request) -> Program:
    """Make the code of one thread: a lane of a warp, which takes pixels from the launch's queue."""
    return warp_program(scene, request)


def load_machine_code(
    made: Program, capability: Capability, toolkit: Capability | None, announce: Callable[[], None]
) -> bytes:
    """Load the kernel for GPUs of this compute capability from the cache, or compile (which is announced) and keep it.

    toolkit: the version of CUDA that compiles.

    Raises SceneError where the scene cannot be compiled, RenderError where the CUDA packages do not work together.
    """
    key = made.cache_key("cuda", ("gpu", str(packages.find_version("numba-cuda")), str(toolkit), str(capability)))

    def compile_now() -> bytes:
        announce()
        with plain_numba.import_plainly():
            from render.codegen import cuda_compiler  # slow to import, and not needed in a second run

        closest = cuda_compiler.find_closest_capability(capability)
        text = cuda_compiler.emit_ptx(cuda_compiler.compile_kernels(made, closest), closest)
        return cuda_compiler.assemble_tightly(text, closest)[0]

    return code_cache.obtain_code(key, compile_now)


def simulated_cache_key(made: Program) -> str:
    """Cache key for the simulator's thread code."""
    return made.cache_key("cuda", ("simulated", *host.cpu_target()))


KEPT: list[object] = []  # engines, which must outlive the code that they hold, and what that calls


def load_thread(made: Program, key: str) -> Callable[..., None]:
    """Compile one thread's code for this CPU, or take it from the cache: the simulator calls it as a C function.

    It holds the GIL: the simulator's threads take turns anyway, and so they need not fight for it.
    """

    def compile_now() -> bytes:
        from render.codegen import cuda_compiler

        return cuda_compiler.compile_thread(made)

    code = code_cache.obtain_code(key, compile_now)
    clock = ctypes.CFUNCTYPE(ctypes.c_int64)(time.perf_counter_ns)
    host.offer(host.CLOCK, ctypes.cast(clock, ctypes.c_void_p).value or 0)
    address, engine = host.load_code(code, ENTRY)
    call = ctypes.PYFUNCTYPE(None, ctypes.c_void_p, *[ctypes.c_int64] * 7)(address)
    KEPT.extend((engine, clock))
    return call
