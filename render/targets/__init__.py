"""Targets: what code runs. Each file in this folder is one target, found by its name and loaded on first use.

A target compiles a scene for a request and gives a kernel that paints rectangles of the frame:

    missing() -> str | None                             why this target cannot run here, or None
    compile(scene, request, announce) -> Reusable       `announce(text)` is called only when compiling takes time

`python` is the definition, slow and plain; `scalar`, `simd` and `cuda` must equal it to the last bit.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import cache
from typing import TYPE_CHECKING, Protocol, cast

from render import registry

if TYPE_CHECKING:
    from render.frame import Canvas, Went
    from render.parameters import P
    from render.request import Request
    from render.scene import Scene

Announce = Callable[[str], None]


class Underway(Protocol):
    """A rectangle of the frame that was begun."""

    def go(self, budget: int) -> Went:
        """Paint on; come back after about so many steps, be it in the midst of a sample."""
        ...


class Kernel(Protocol):
    """Compiled code for one request; it can be sent to another process, which then compiles nothing."""

    about: str  # what runs, in words: "64 lanes of float64 (AVX-512)"

    def paint(self, canvas: Canvas, x: int, y: int, width: int, height: int) -> tuple[int, int]:
        """Paint a rectangle of the frame; give the steps made and the number of samples that are NaN."""
        ...


class Reusable(Kernel, Protocol):
    """A kernel as a target compiles it: it can be given another request of its scene without compiling anything."""

    def for_request(self, request: Request, p: P) -> Reusable:
        """Give the same code another request, in the same precision; `p` has members of the same kinds."""
        ...


class Pausable(Kernel, Protocol):
    """A kernel that can put a rectangle aside; those of the CPU's targets can."""

    def begin(self, canvas: Canvas, x: int, y: int, width: int, height: int) -> AbstractContextManager[Underway]:
        """Paint a rectangle bit by bit."""
        ...


class Target(Protocol):
    """What each file of this folder offers."""

    def missing(self) -> str | None:
        """Why this target cannot run here, or None."""
        ...

    def compile(self, scene: Scene, request: Request, announce: Announce) -> Reusable:
        """Code that paints this request."""
        ...


def names() -> list[str]:
    """All targets there are."""
    return registry.names(__path__)


@cache
def load(name: str) -> Target:
    """The target of this name. Raises UnknownName."""
    return cast(Target, registry.load("target", __name__, name, names()))
