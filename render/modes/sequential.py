"""Mode `sequential`: one worker, one tile after the other. One chef, one dish at a time.

    worker 0  |1111|2222|3333|4444|

The baseline that all others are measured against, and the template for writing a new mode.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from render.painting.painter import Done, Painter
    from render.plan import Tile
    from render.request import Request

KIND = "cpu"
OPTIONS: frozenset[str] = frozenset()
IN_FLIGHT = 1


def unavailable_reason(request: Request) -> None:
    """Return None: one worker is always available."""


def needs_shared_canvas(request: Request) -> bool:
    """Return False: this process alone paints."""
    return False


def run(tiles: Sequence[Tile], painter: Painter) -> Iterator[Done]:
    """Wait for a tile's data, paint it, take the next."""
    for tile in tiles:
        painter.wait(tile)
        yield painter.paint(tile)
