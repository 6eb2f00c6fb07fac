"""Target `simd`, the default: as many lanes as fit the machine, compiled by numba once and kept.

The number of lanes is a matter of speed alone; every number gives the same picture.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from render.codegen import host
from render.codegen.program import Width, vector_program
from render.runtime.cpu import native

if TYPE_CHECKING:
    from render.request import Request
    from render.runtime.kernel import Announce
    from render.scene import Scene

KIND = "cpu"
PRECISIONS = ("f32", "f64")
BAND_ROWS = 0
DROPS_GIL = True

REGISTERS = (  # instruction set, its name, bytes of a register
    ("avx512f", "AVX-512", 64),
    ("avx2", "AVX2", 32),
    ("avx", "AVX", 32),
    ("neon", "NEON", 16),
    ("sse2", "SSE2", 16),
)
NEVER = 1 << 40  # as costly as that, and no lane is taken out before its whole group has ended


def vector_registers() -> tuple[int, str]:
    """Return the bytes of this CPU's vector registers, and the name of the instructions that use them.

    A CPU without fma gets the same bits from the C library, one lane after the other.
    """
    have = host.cpu_features()
    known = ((size, name) for feature, name, size in REGISTERS if feature in have)
    size, name = next(known, (16, "this CPU's vectors"))
    return size, name if have & {"fma", "neon"} else f"{name} without fma, which is slow"


def choose_width(scene: Scene, precision: str) -> tuple[Width, str]:
    """Choose how many lanes to paint at once; return it and the instructions' name (benchmarks/widths.py)."""
    size, name = vector_registers()
    register = size // (8 if precision == "f64" else 4)
    if scene.absorbing:  # cheap steps: four registers in flight hide most of the latency of fma
        return Width(4 * register, groups=1, first=16, batch=16, removal_cost=16, move_cost=0), name
    # neighbours are best shaded together
    return Width(2 * register, groups=1, first=0, batch=1, removal_cost=NEVER, move_cost=0), name


def unavailable_reason(request: Request | None = None) -> None:
    """Return None: numba compiles for every CPU that it runs on."""


def compile(scene: Scene, request: Request, announce: Announce) -> native.NativeKernel:
    """Make vector code that paints this request; announce it if it must be compiled first."""
    chosen, instructions = choose_width(scene, request.precision)
    program = vector_program(scene, request, chosen)
    return native.make_kernel(program, scene, request, f"{chosen.lanes} lanes, {instructions}", announce)
