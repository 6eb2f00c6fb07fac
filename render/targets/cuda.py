"""Target `cuda`: numba-cuda compiles the scene for a GPU, one lane a thread.

The same driver and the same words as on the CPU, and the same bits. With `--simulate` the kernel runs in numba's
simulator instead, on any machine.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from render.codegen import code_cache, cuda_code
from render.errors import ModeUnavailable
from render.kernels.launch import SQUARE_HEIGHT
from render.parameters import P, members_of
from render.runtime import several
from render.runtime.cuda import discovery
from render.runtime.cuda.device import CudaDevice
from render.runtime.cuda.toolkit import find_toolkit
from render.runtime.kept import Kept
from render.runtime.kernel import LaunchKernel
from render.runtime.launch import STREAMS, launches

if TYPE_CHECKING:
    from render.request import Request
    from render.runtime.kernel import Announce, Device, KeptDevice
    from render.scene import Scene
    from render.trace import Clock

KIND = "device"
PRECISIONS = ("f32", "f64")
BAND_ROWS = SQUARE_HEIGHT
DROPS_GIL = True

PRECISION_NAMES = {"f32": "float32", "f64": "float64"}
Codes = dict[tuple[int, int], bytes]  # machine code by compute capability
Fits = Callable[["Request", P], bool]
SIMULATED_STREAMS = 2  # they take turns; two, so that one tile can wait while another is painted


def unavailable_reason(request: Request | None = None) -> tuple[str, str] | None:
    """Say why no GPU can be used here and what to do about it, or None; the simulator needs none."""
    if request is not None and request.simulate:
        return None
    discovered = discovery.find()
    return None if discovered.reason is None else (discovered.reason, discovered.remedy)


def compile(scene: Scene, request: Request, announce: Announce) -> LaunchKernel:
    """Make a kernel for all GPUs, or for the simulator; announce it if it must be compiled first.

    Raises ModeUnavailable if no GPU can be used.
    """
    precision = PRECISION_NAMES[request.precision]
    program = cuda_code.make_program(scene, request)
    if request.simulate:
        from render.runtime import simulator

        key = cuda_code.simulated_cache_key(program)
        if code_cache.read(key) is None:
            _announce_compiling(f"compiling {scene.name} for the {simulator.NAME}, {precision}", announce)
        simulated = _simulated_kernel(str(scene.path), program.fits, Kept(), request, program.p)
        simulated.open()
        return simulated
    discovered = discovery.find()
    if discovered.reason is not None:
        raise ModeUnavailable(discovered.reason, discovered.remedy)
    codes: Codes = {}
    for one in discovered.usable:
        if one.capability not in codes:
            say = partial(_prepare_compiling, f"compiling {scene.name} for {one.name}, {precision}", announce)
            codes[one.capability] = cuda_code.load_machine_code(program, one.capability, discovered.toolkit, say)
    return _gpu_kernel(discovered.usable, codes, announce, program.fits, Kept(), request, program.p)


def _simulated_kernel(path: str, fits: Fits, kept: Kept[Device], request: Request, p: P) -> LaunchKernel:
    """Make a kernel for the simulator, whose code is, or will be, in the cache."""
    from render.runtime import simulator

    start = partial(simulator.Simulator, path, request, members_of(p))
    about = f"one lane a thread, simulated, {PRECISION_NAMES[request.precision]}"
    again, restart = partial(_simulated_kernel, path, fits, kept), partial(_restart, request, p)
    return LaunchKernel(start, simulator.NAME, about, SIMULATED_STREAMS, None, again, fits, restart, kept)


def _gpu_kernel(
    usable: Sequence[discovery.Gpu],
    codes: Codes,
    announce: Announce,
    fits: Fits,
    kept: Kept[Device],
    request: Request,
    p: P,
) -> LaunchKernel:
    """Make a kernel for these GPUs from the machine code for each compute capability."""
    openers = {}
    for one in usable:
        name = one.name if len(usable) == 1 else f"{one.name} {one.number}"
        openers[name] = partial(CudaDevice, one, codes[one.capability], request, tuple(p), name=name)
    make = next(iter(openers.values())) if len(openers) == 1 else partial(several.Several, openers)
    streams = min(launches(request), STREAMS)
    about, together = (
        f"one lane a thread, {PRECISION_NAMES[request.precision]}",
        several.join_names(one.name for one in usable),
    )
    again, restart = partial(_gpu_kernel, usable, codes, announce, fits, kept), partial(_restart, request, p)
    return LaunchKernel(make, together, about, streams, announce, again, fits, restart, kept)


def _restart(request: Request, p: P, device: KeptDevice, clock: Clock) -> bool:
    """Make a device that was kept open ready for a request."""
    return device.restart(request, p, clock)


def _prepare_compiling(compiling: str, announce: Announce) -> None:
    """Announce it. Raises ModeUnavailable where the toolkit that was there before is gone."""
    discovered = discovery.find(toolkit=find_toolkit)
    if discovered.reason is not None:
        raise ModeUnavailable(discovered.reason, discovered.remedy)
    _announce_compiling(compiling, announce)


def _announce_compiling(compiling: str, announce: Announce) -> None:
    announce(f"{compiling} ({code_cache.describe_caching()}) ...")
