"""The costs of tiles, estimated before they are painted, for an order that starts with the longest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from render.frame import open_canvas
from render.parameters import P
from render.plan import Tile, cut
from render.request import Request
from render.runtime.kernel import Kernel
from render.trace import Recorder

if TYPE_CHECKING:
    import numpy as np

COARSE = 16  # pixels along an edge that one pixel stands for, at least
MOST_COARSE = 4096  # pixels a side of the picture that costs are estimated from


def estimate_costs(request: Request, recorder: Recorder, kernel: Kernel, p: P) -> Mapping[int, int]:
    """Estimated steps of each tile by number, from a picture 1/16 as wide and high, painted with the same numbers.

    It is smaller still for a frame of more than 2^16 pixels a side.
    """
    coarse = max(COARSE, -(-max(request.width, request.height) // MOST_COARSE))
    small = replace(
        request,
        width=-(-request.width // coarse),
        height=-(-request.height // coarse),
        samples=1,
        mode="sequential",
        backend=None,
        order="rows",
        tile=(64, 64),
        only_tile=None,
        wait_ns=0,
    )
    with recorder.span("plan"), open_canvas(small, shared=False) as surface:
        kernel.for_request(small, p).paint(surface, 0, 0, small.width, small.height)
        _, counts, _ = surface.take_pixels()
        assert counts is not None  # of one sample a pixel
        return {tile.number: _estimate_tile(counts, tile, coarse) for tile in cut(request)}


def _estimate_tile(counts: np.ndarray, tile: Tile, coarse: int) -> int:
    """Estimate the steps of a tile from the coarse steps under it."""
    rows = slice(tile.y // coarse, (tile.y + tile.height - 1) // coarse + 1)
    columns = slice(tile.x // coarse, (tile.x + tile.width - 1) // coarse + 1)
    return int(counts[rows, columns].mean() * tile.width * tile.height)
