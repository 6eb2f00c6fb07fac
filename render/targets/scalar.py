"""Target `scalar`: compiled, one lane at a time. What vectors bring is the difference between this and `simd`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from render.codegen.program import scalar_program
from render.runtime.cpu import native

if TYPE_CHECKING:
    from render.request import Request
    from render.runtime.kernel import Announce
    from render.scene import Scene

KIND = "cpu"
PRECISIONS = ("f32", "f64")
BAND_ROWS = 0
DROPS_GIL = True


def unavailable_reason(request: Request | None = None) -> None:
    """Return None: numba compiles for every CPU that it runs on."""


def compile(scene: Scene, request: Request, announce: Announce) -> native.NativeKernel:
    """Make one-lane code that paints this request; announce it if it must be compiled first."""
    return native.make_kernel(scalar_program(scene, request), scene, request, "one lane", announce)
