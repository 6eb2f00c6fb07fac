"""Target `cuda`: numba-cuda compiles the scene for a graphics card, one lane a thread.

The same driver and the same words as on the CPU, and the same bits. With `--simulate` the kernel runs in numba's
simulator instead, on any machine.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from render.codegen import code_cache, cuda_code
from render.errors import ModeUnavailable
from render.kernels.launch import SQUARE_HEIGHT
from render.parameters import P, members
from render.runtime import several, simulator
from render.runtime.cuda import discovery as cards
from render.runtime.cuda.device import CudaDevice
from render.runtime.kernel import LaunchKernel
from render.runtime.launch import LAUNCHES, launches

if TYPE_CHECKING:
    from render.request import Request
    from render.runtime.kernel import Announce
    from render.scene import Scene

KIND = "device"
PRECISIONS = ("f32", "f64")
BAND_ROWS = SQUARE_HEIGHT
DROPS_GIL = True

NAMES = {"f32": "float32", "f64": "float64"}
Codes = dict[tuple[int, int], bytes]  # machine code by compute capability
SIMULATED_STREAMS = 2  # they take turns; two, so that one tile can wait while another is painted


def missing(request: Request | None = None) -> tuple[str, str] | None:
    """Why no card can be used here and what to do about it, or None; the simulator needs none."""
    if request is not None and request.simulate:
        return None
    found = cards.find()
    return None if found.reason is None else (found.reason, found.remedy)


def compile(scene: Scene, request: Request, announce: Announce) -> LaunchKernel:
    """A kernel for all cards, or for the simulator; announced where it must be compiled first.

    Raises ModeUnavailable where there is no card that can be used.
    """
    precision = NAMES[request.precision]
    made = cuda_code.program(scene, request)
    if request.simulate:
        key = cuda_code.simulated_key(made)
        if code_cache.read(key) is None:
            _announce(f"compiling {scene.name} for the {simulator.NAME}, {precision}", announce)
        simulated = _simulated(str(scene.path), key, request, made.p)
        simulated.open()
        return simulated
    found = cards.find()
    if found.reason is not None:
        raise ModeUnavailable(found.reason, found.remedy)
    codes: Codes = {}
    for one in found.usable:
        if one.capability not in codes:
            say = partial(_announce, f"compiling {scene.name} for {one.name}, {precision}", announce)
            codes[one.capability] = cuda_code.machine_code(made, one.capability, found.toolkit, say)
    return _on_cards(found.usable, codes, announce, request, made.p)


def _simulated(path: str, key: str, request: Request, p: P) -> LaunchKernel:
    """A kernel for the simulator, whose code is, or comes to be, in the cache under this key."""
    start = partial(simulator.Simulator, path, key, request, members(p))
    about = f"one lane a thread, simulated, {NAMES[request.precision]}"
    return LaunchKernel(start, simulator.NAME, about, SIMULATED_STREAMS, again=partial(_simulated, path, key))


def _on_cards(usable: Sequence[cards.Card], codes: Codes, announce: Announce, request: Request, p: P) -> LaunchKernel:
    """A kernel for these GPUs, from the machine code for each compute capability."""
    makes = {}
    for one in usable:
        name = one.name if len(usable) == 1 else f"{one.name} {one.number}"
        makes[name] = partial(CudaDevice, one, codes[one.capability], request, tuple(p), name=name)
    make = next(iter(makes.values())) if len(makes) == 1 else partial(several.Several, makes)
    about, together = f"one lane a thread, {NAMES[request.precision]}", several.joined(one.name for one in usable)
    again = partial(_on_cards, usable, codes, announce)
    return LaunchKernel(make, together, about, min(launches(request), LAUNCHES), announce, again=again)


def _announce(compiling: str, announce: Announce) -> None:
    announce(f"{compiling} ({code_cache.describe_keeping()})")
