"""Target `simd`, the default: as many lanes as fit the machine, compiled by numba once and kept.

The number of lanes is a matter of speed alone; every number gives the same picture.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from render.compiler import native

if TYPE_CHECKING:
    from render.request import Request
    from render.scene import Scene
    from render.targets import Announce

BLOCK = 8
WIDTHS = (  # instruction set, its name, lanes: enough vectors in flight to hide the latency of fma
    ("avx512f", "AVX-512", 64),
    ("avx2", "AVX2", 32),
    ("avx", "AVX", 16),
    ("neon", "NEON", 16),
    ("sse2", "SSE2", 8),
)


def lanes() -> tuple[int, str]:
    """How many lanes this machine paints at once, and with which instructions."""
    have = native.features()
    return next(((count, name) for feature, name, count in WIDTHS if feature in have), (8, "this CPU's vectors"))


def missing() -> None:
    """Nothing: numba compiles for every CPU that it runs on."""


def compile(scene: Scene, request: Request, announce: Announce) -> native.NativeKernel:
    """Vector code that paints this request; announced where it must be compiled first."""
    count, instructions = lanes()
    return native.kernel(scene, request, count, BLOCK, f"{count} lanes, {instructions}", announce)
