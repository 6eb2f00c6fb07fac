"""Backend `turns`, for a test: the one who asks is the only worker."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from render.painting.painter import Done, Painter
from render.plan import Tile

NEEDS_SHARED_CANVAS = False


def unavailable_reason() -> None:
    """Nothing: somebody asks."""


def run(tiles: Sequence[Tile], painter: Painter) -> Iterator[Done]:
    for tile in tiles:
        painter.wait(tile)
        yield painter.paint(tile)
