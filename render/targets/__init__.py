"""Targets: what code runs. Each file in this folder is one target, found by its name and loaded on first use.

A target compiles a scene for a request and gives a kernel (`render.runtime.kernel`), which paints rectangles of it:

    KIND                                         "cpu" or "device": modes take the targets of their own kind
    PRECISIONS                                   those that it knows, of `render.request.PRECISIONS`
    BAND_ROWS                                    best tiles: bands of a multiple of so many rows; 0: small squares
    DROPS_GIL                                    whether other threads of Python run while it paints
    unavailable_reason(request) -> (reason, remedy) | None   why it cannot run here, and the way on
    compile(scene, request, announce) -> Kernel  `announce(text)` is called only when compiling takes time

`python` is the definition, slow and plain; all others must equal it to the last bit.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, NamedTuple, Protocol, cast

from render import registry

if TYPE_CHECKING:
    from render.request import Request
    from render.runtime.kernel import Announce, Kernel
    from render.scene import Scene


class Target(Protocol):
    """A target, as each file of this folder is one."""

    KIND: str
    PRECISIONS: tuple[str, ...]
    BAND_ROWS: int
    DROPS_GIL: bool

    def unavailable_reason(self, request: Request | None = None) -> tuple[str, str] | None:
        """Say why it cannot run this request (or any, without one) and what to do about it; None if it can."""

    def compile(self, scene: Scene, request: Request, announce: Announce) -> Kernel:
        """Make a kernel of the target's kind that paints this request."""


class Kind(NamedTuple):
    """A kind of targets: its default target, and the mode that paints a single tile with it."""

    default_target: str
    one_tile_mode: str


KINDS = {"cpu": Kind("simd", "sequential"), "device": Kind("cuda", "cuda")}


def names() -> list[str]:
    """List all targets."""
    return registry.names(__path__)


def of_kind(kind: str) -> list[str]:
    """List the targets of a kind, the default first. Loads them all."""
    default = KINDS[kind].default_target
    return sorted((name for name in names() if kind == load(name).KIND), key=lambda name: (name != default, name))


@cache
def load(name: str) -> Target:
    """Load a target by its name. Raises UnknownName."""
    return cast(Target, registry.load("target", __name__, name, names()))
