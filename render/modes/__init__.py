"""Modes: who works when. Each file in this folder is one mode, found by its name and loaded on first use.

A mode receives tiles and a painter and yields done tiles as they finish, each exactly once. It never sees a
file, a scene or a pixel. `sequential` is the template; a new mode is a new file and nothing else:

    run(tiles, painter) -> Iterator[Done]      closing the iterator stops the work; raises TileError
    KIND                                       of the targets that it takes: "cpu" or "device"
    OPTIONS                                    the options of the command line that are its own
    IN_FLIGHT                                  tiles that each worker has in flight where nothing is said
    unavailable_reason(request) -> (reason, remedy) or None      why it cannot run here, and the way on
    needs_shared_canvas(request) -> bool       must the canvas be one that other processes can open?
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from typing import TYPE_CHECKING, Protocol, cast

from render import registry, targets

if TYPE_CHECKING:
    from render.painting.painter import Done, Painter
    from render.plan import Tile
    from render.request import Request

IN_TEACHING_ORDER = ("sequential", "concurrent", "parallel", "cuda")


class Mode(Protocol):
    """A mode, as each file of this folder is one."""

    KIND: str
    OPTIONS: frozenset[str]
    IN_FLIGHT: int

    def run(self, tiles: Sequence[Tile], painter: Painter) -> Iterator[Done]:
        """Paint the tiles; yield each as it is done. For targets of KIND "device" the painter is a Launcher."""

    def unavailable_reason(self, request: Request) -> tuple[str, str] | None:
        """Say why this mode cannot run here and what to do about it; None if it can."""

    def needs_shared_canvas(self, request: Request) -> bool:
        """Tell if other processes must be able to open the canvas."""


def names() -> list[str]:
    """List all modes: the four of the lesson in its order, then any others."""
    registered = set(registry.names(__path__))
    return [name for name in IN_TEACHING_ORDER if name in registered] + sorted(registered.difference(IN_TEACHING_ORDER))


@cache
def load(name: str) -> Mode:
    """Load a mode by its name. Raises UnknownName."""
    return cast(Mode, registry.load("mode", __name__, name, names()))


def own_options() -> frozenset[str]:
    """List the options that are some mode's own."""
    return frozenset[str]().union(*(load(name).OPTIONS for name in names()))


def select_race_options(name: str) -> frozenset[str]:
    """Give the options that a mode takes in a race, where tiles in flight are for a mode that juggles by itself."""
    mode = load(name)
    return mode.OPTIONS if mode.IN_FLIGHT > 1 else mode.OPTIONS - {"in_flight"}


def unavailable_reason(request: Request) -> tuple[str, str] | None:
    """Say what a request's mode or target lacks here and what to do about it; None if it can be painted."""
    return load(request.mode).unavailable_reason(request) or targets.load(request.target).unavailable_reason(request)
