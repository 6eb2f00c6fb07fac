"""From a frame to the ordered list of its tiles.

Tiles are numbered row by row from the top left, whatever the order they are painted in, so a tile keeps its
number when only the order changes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import isqrt
from typing import NamedTuple

from render.errors import UsageError
from render.request import MOST_TILES, Request


class Tile(NamedTuple):
    """A rectangle of the frame, with its number. Pixels; (x, y) is the top left corner."""

    number: int
    x: int
    y: int
    width: int
    height: int


TILES_PER_WORKER = 16  # so that the last one is a small share of a worker's work (benchmarks/tiles.py)
SMALLEST, LARGEST = 32, 256  # pixels along an edge; below, handing a tile out costs as much as painting it


def choose_tile(width: int, height: int, workers: int) -> tuple[int, int]:
    """Choose a square tile, a multiple of 8 pixels (the lanes' patch), for a frame and a number of workers."""
    edge = isqrt(width * height // (TILES_PER_WORKER * max(workers, 4)))
    edge = min(max(edge // 8 * 8, SMALLEST), LARGEST)
    return min(edge, width), min(edge, height)


BANDS = 8  # of a frame, so that copies from a device hide behind painting
WIDEST_BAND = 1 << 17  # pixels: a few rows of a wider frame would be more than a launch takes
LARGEST_BAND = 1 << 21  # pixels: some ms of painting, and a few of them are memory that can be pinned at once


def choose_band(width: int, height: int, multiple: int) -> tuple[int, int]:
    """Choose a tile for a launch: as wide as the frame, one piece of the canvas, of a multiple of so many rows."""
    width = min(width, WIDEST_BAND)
    rows = min(-(-height // (BANDS * multiple)), max(LARGEST_BAND // (width * multiple), 1))
    return width, min(rows * multiple, height)


def check_count(request: Request) -> None:
    """Raise UsageError where a frame is cut into more tiles than a plan has places for."""
    tiles = request.rows_and_columns[0] * request.rows_and_columns[1]
    if tiles > MOST_TILES and request.only_tile is None:
        raise UsageError(f"{tiles} tiles are too many", "cut larger ones with --tile, or draw a smaller frame")


def tile_of(request: Request, number: int) -> Tile:
    """Return the tile of this number; those at the right and lower edge may be smaller."""
    return _nth_tile(request, number, request.rows_and_columns[1])


def _nth_tile(request: Request, number: int, columns: int) -> Tile:
    wide, high = request.tile
    row, column = divmod(number, columns)
    x, y = column * wide, row * high
    return Tile(number, x, y, min(wide, request.width - x), min(high, request.height - y))


def cut(request: Request) -> tuple[Tile, ...]:
    """Cut a request into its tiles, row by row. Raises UsageError where they are too many."""
    check_count(request)
    rows, columns = request.rows_and_columns
    return tuple(_nth_tile(request, number, columns) for number in range(rows * columns))


def plan(request: Request, cost: Callable[[], Mapping[int, int]] | None = None) -> tuple[Tile, ...]:
    """List the tiles to paint, in order. `cost()`, called for order costly only: estimated costs by tile number."""
    if request.only_tile is not None:
        return (tile_of(request, request.only_tile),)
    return ORDERS[request.order](cut(request), cost)


Cost = Callable[[], Mapping[int, int]] | None


def _by_rows(tiles: tuple[Tile, ...], _cost: Cost) -> tuple[Tile, ...]:
    return tiles


def _by_spiral(tiles: tuple[Tile, ...], _cost: Cost) -> tuple[Tile, ...]:
    """Order by rings around the middle, each clockwise from its top left corner: the middle is looked at first."""
    columns = sum(tile.y == 0 for tile in tiles)
    rows = len(tiles) // columns

    def place(tile: Tile) -> tuple[int, int, int]:
        row, column = divmod(tile.number, columns)
        right, down = 2 * column - (columns - 1), 2 * row - (rows - 1)  # twice the way from the middle
        ring = max(abs(right), abs(down))
        if down == -ring:
            return ring, 0, right
        if right == ring:
            return ring, 1, down
        if down == ring:
            return ring, 2, -right
        return ring, 3, -down

    return tuple(sorted(tiles, key=place))


def _by_hilbert(tiles: tuple[Tile, ...], _cost: Cost) -> tuple[Tile, ...]:
    """Order along Hilbert's curve: each tile next to the one before, where the frame allows it."""
    columns = sum(tile.y == 0 for tile in tiles)
    side = 1 << max(columns - 1, len(tiles) // columns - 1, 1).bit_length()

    def distance(tile: Tile) -> int:
        row, column = divmod(tile.number, columns)
        total, half = 0, side // 2
        while half:
            right, low = int(column & half > 0), int(row & half > 0)
            total += half * half * ((3 * right) ^ low)
            if not low:  # turn the quadrant so that the curve inside it joins on
                if right:
                    column, row = side - 1 - column, side - 1 - row
                column, row = row, column
            half //= 2
        return total

    return tuple(sorted(tiles, key=distance))


def _by_cost(tiles: tuple[Tile, ...], cost: Cost) -> tuple[Tile, ...]:
    """Order the longest first, so that no worker is left alone with one at the end."""
    estimate = cost() if cost is not None else {}
    return tuple(sorted(tiles, key=lambda tile: (-estimate.get(tile.number, 0), tile.number)))


ORDERS: dict[str, Callable[[tuple[Tile, ...], Cost], tuple[Tile, ...]]] = {
    "rows": _by_rows,
    "spiral": _by_spiral,
    "hilbert": _by_hilbert,
    "costly": _by_cost,
}
