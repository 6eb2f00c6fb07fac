"""The order of the stages: what an estimate of costs is made of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import product

import numpy as np

from render import engine
from render.painting.costs import COARSE
from render.plan import Tile, cut
from render.request import Request


def test_the_costly_tiles_are_those_that_a_coarse_picture_says(ask: Callable[..., Request]) -> None:
    """Tiles of 40 x 28 pixels, whose edges lie across the pixels of the coarse picture."""
    place = {"x": -0.6, "y": 0.35, "zoom": 1.3, "shortcuts": 0}
    request = ask(width=320, height=208, tile=(40, 28), order="costly", target="scalar", limit=300, parameters=place)
    small = replace(request, width=20, height=13, tile=(20, 13), order="rows")
    coarse = np.asarray(engine.draw(small).steps)

    def cost(tile: Tile) -> int:
        across, down = range(tile.x, tile.x + tile.width), range(tile.y, tile.y + tile.height)
        under = {(y // COARSE, x // COARSE) for y, x in product(down, across)}
        return int(np.mean([coarse[place] for place in under]) * tile.width * tile.height)

    done: list[Tile] = []
    engine.draw(request, watch=lambda moment: done.append(moment.done.tile))

    assert done == sorted(cut(request), key=lambda tile: (-cost(tile), tile.number))
    assert len({cost(tile) for tile in done}) >= 32  # so that the order says something
