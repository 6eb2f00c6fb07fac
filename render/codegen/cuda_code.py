"""Machine code for a graphics card: compiled by numba-cuda once, kept, and loaded by the driver alone ever after.

The simulator's threads run the same source compiled for the CPU, which is kept in the same way.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from importlib.metadata import version

from render.codegen import code_cache, host, plain_numba
from render.codegen.program import ENTRY, Program, warp_program
from render.errors import UsageError
from render.request import Request
from render.scene import Scene

Capability = tuple[int, int]
MOST_PIXELS = 1 << 30  # of a launch: a card counts them in 32 bits


def program(scene: Scene, request: Request) -> Program:
    """What one thread does: a lane of a warp, which takes pixels from the launch's queue.

    Raises UsageError where a tile has too many of them.
    """
    check_tile(request)
    return warp_program(scene, request)


def check_tile(request: Request) -> None:
    """Raise UsageError where a tile has too many pixels for one launch."""
    if min(request.tile[0], request.width) * min(request.tile[1], request.height) > MOST_PIXELS:
        raise UsageError(f"a tile of a card has no more than {MOST_PIXELS:,} pixels", "give a smaller --tile")


def machine_code(
    made: Program, capability: Capability, toolkit: Capability | None, recording: bool, announce: Callable[[], None]
) -> bytes:
    """The kernel for GPUs of this compute capability, from the cache, or compiled now (which is announced) and kept.

    toolkit: the version of CUDA that compiles. recording: whether its blocks tell where and when they ran.

    Raises SceneError where the scene cannot be compiled, RenderError where the CUDA packages do not work together.
    """
    key = made.cache_key("cuda", ("card", version("numba-cuda"), str(toolkit), str(capability), str(recording)))

    def compiled() -> bytes:
        announce()
        with plain_numba.import_plainly():
            from render.codegen import cuda_compiler  # slow to import, and not needed in a second run

        closest = cuda_compiler.closest(capability)
        text = cuda_compiler.assembly(cuda_compiler.compiled(made, closest, recording), closest)
        return cuda_compiler.machine_code(text, closest)[0]

    return code_cache.obtain_code(key, compiled)


def simulated_key(made: Program) -> str:
    """Under which the code of the simulator's threads is kept."""
    return made.cache_key("cuda", ("simulated", *host.cpu_target()))


KEPT: list[object] = []  # engines, which must outlive the code that they hold


def thread(made: Program, key: str) -> Callable[..., None]:
    """What one thread does, compiled for this CPU or taken from the cache: the simulator calls it as a C function.

    It holds the GIL: the simulator's threads take turns anyway, and so they need not fight for it.
    """

    def compiled() -> bytes:
        from render.codegen import cuda_compiler

        return cuda_compiler.thread_code(made)

    code = code_cache.obtain_code(key, compiled)
    address, engine = host.load_code(code, ENTRY)
    call = ctypes.PYFUNCTYPE(None, ctypes.c_void_p, *[ctypes.c_int64] * 5)(address)
    KEPT.append(engine)
    return call
