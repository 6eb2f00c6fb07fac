"""From a frame to the ordered list of its tiles.

Tiles are numbered row by row from the top left, whatever the order they are painted in, so a tile keeps its
number when only the order changes. A frame is one slab, or, where it is not to be in memory as a whole, several: some
rows of tiles each, painted one after the other from the top; the order of tiles then holds inside a slab.
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


class Slab(NamedTuple):
    """Whole rows of tiles: the frame's rows of pixels from `y`, so many."""

    y: int
    height: int


TILES_PER_WORKER = 16  # so that the last one is a small share of a worker's work (benchmarks/tiles.py)
SMALLEST, LARGEST = 32, 256  # pixels along an edge; below, handing a tile out costs as much as painting it


def choose_tile(width: int, height: int, workers: int) -> tuple[int, int]:
    """Choose a square tile, a multiple of 8 pixels (the lanes' patch), for a frame and a number of workers."""
    edge = isqrt(width * height // (TILES_PER_WORKER * max(workers, 4)))
    edge = min(max(edge // 8 * 8, SMALLEST), LARGEST)
    while -(-width // edge) * -(-height // edge) > MOST_TILES // 4:
        edge *= 2
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
    wide, high = request.tile
    row, column = divmod(number, request.rows_and_columns[1])
    x, y = column * wide, row * high
    return Tile(number, x, y, min(wide, request.width - x), min(high, request.height - y))


def find_tile(request: Request, x: int, y: int, width: int, height: int) -> int | None:
    """Return the number of the tile that is this rectangle, or None."""
    columns = request.rows_and_columns[1]
    tile = tile_of(request, y // request.tile[1] * columns + x // request.tile[0])
    return tile.number if tile[1:] == (x, y, width, height) else None


def cut(request: Request, slab: Slab | None = None) -> tuple[Tile, ...]:
    """Cut a request, or one slab of it, into its tiles, row by row. Raises UsageError where they are too many."""
    check_count(request)
    rows, columns = request.rows_and_columns
    first, last = 0, rows
    if slab is not None:
        first = slab.y // request.tile[1]
        last = first + -(-slab.height // request.tile[1])
    wide, high = request.tile
    across = [(x, min(wide, request.width - x)) for x in range(0, request.width, wide)]
    down = [(y, min(high, request.height - y)) for y in range(first * high, last * high, high)]
    places = ((x, y, width, height) for y, height in down for x, width in across)
    return tuple(Tile(number, *place) for number, place in enumerate(places, first * columns))


def cut_slabs(request: Request, rows: int) -> tuple[Slab, ...]:
    """Cut a request into slabs of so many rows of tiles, from the top; the last may be lower."""
    high = request.tile[1] * rows
    return tuple(Slab(y, min(high, request.height - y)) for y in range(0, request.height, high))


Cost = Callable[[], Mapping[int, int]] | None


def plan(request: Request, cost: Cost = None, slab: Slab | None = None) -> tuple[Tile, ...]:
    """List the tiles to paint of a request, or of one slab of it, in order; of `only_tile` that one, where it lies in.

    `cost()`, called for order costly only: estimated costs by tile number.
    """
    if request.only_tile is not None:
        tile = tile_of(request, request.only_tile)
        return (tile,) if slab is None or slab.y <= tile.y < slab.y + slab.height else ()
    return ORDERS[request.order](cut(request, slab), cost)


def _measure_first_row(tiles: tuple[Tile, ...]) -> tuple[int, int]:
    """Return the number of the first tile, and how many tiles are in its row."""
    return tiles[0].number, sum(tile.y == tiles[0].y for tile in tiles)


def _by_spiral(tiles: tuple[Tile, ...], _cost: Cost) -> tuple[Tile, ...]:
    """Order by rings around the middle, each clockwise from its top left corner: the middle is looked at first."""
    first, columns = _measure_first_row(tiles)
    rows = len(tiles) // columns

    def place(tile: Tile) -> tuple[int, int, int]:
        row, column = divmod(tile.number - first, columns)
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
    first, columns = _measure_first_row(tiles)
    side = 1 << max(columns - 1, len(tiles) // columns - 1, 1).bit_length()

    def distance(tile: Tile) -> int:
        row, column = divmod(tile.number - first, columns)
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
    "rows": lambda tiles, _cost: tiles,
    "spiral": _by_spiral,
    "hilbert": _by_hilbert,
    "costly": _by_cost,
}
