"""One launch on a GPU: which tiles it paints, where its threads write, and what comes back.

A launch paints many tiles, in the order of its table (`render.kernels.launch`). It has no more thread blocks than the
device holds at once: their warps take squares of 8 x 4 pixels until all are taken (`warp`). All that the threads write
lies in one piece of memory, so that one copy brings it back:

    counters, tallies, records | steps, pixels | tiles
    zero when it starts          written         read
    brought back when it has ended               brought there before

GPU and simulator both launch what is described here; neither numba nor CUDA is needed to describe it.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import accumulate, pairwise
from math import prod
from typing import NamedTuple

import numpy as np

from render.codegen.settings import Settings
from render.kernels.launch import (
    BLOCK_HEIGHT,
    BLOCK_WIDTH,
    COUNTERS,
    LIST_ENTRY,
    MEMBERS,
    RECORD,
    SQUARE,
    SQUARE_HEIGHT,
    SQUARE_WIDTH,
    TALLY,
    TILE,
    copies,
)
from render.request import Request
from render.runtime.painted import Painted
from render.scene import REALS

LAUNCHES = 2  # of a frame where memory allows it: one paints while another's pixels are copied (benchmarks/card.py)
STREAMS = 4  # of a GPU, where a frame takes so many launches
MOST_BYTES = 32 << 20  # of a launch's memory, here and on the device: larger ones gain nothing, and take long to pin
MOST_TILES = (1 << 16) - 1  # of a launch, as of blocks that lie behind each other in a grid
MOST_PIXELS = 1 << 30  # of a launch: threads count them in 32 bits
WIDEST = 1 << 17  # pixels of a slot, so that a few rows of it are no more than a launch takes
MOST_LISTED = 1 << 28  # bytes of a list; what has no room there is followed anew
SLOT = 1 << 22  # pixels of one that is asked for by itself, some 30 MB


Grid = tuple[int, int, int]  # thread blocks across, down, deep


class Shape(NamedTuple):
    """The shape of a launch: so many tiles, each in a slot of width x height pixels."""

    tiles: int
    width: int
    height: int

    @property
    def squares(self) -> int:
        """Count the squares of pixels in a slot."""
        return -(-self.width // SQUARE_WIDTH) * -(-self.height // SQUARE_HEIGHT)

    def grids(self, most: int) -> tuple[Grid, Grid]:
        """Give each pass its thread blocks: the first has a warp for each square, the second no more than `most`."""
        first = -(-self.width // BLOCK_WIDTH), -(-self.height // BLOCK_HEIGHT), self.tiles
        return first, (min(prod(first), most), 1, 1)


OnHost = Callable[[np.ndarray, int, int], None]  # puts times (2, n), of when a launch began and had painted, right


class Memory(NamedTuple):
    """The memory of a launch, as the threads see it: all flat."""

    counters: np.ndarray
    tallies: np.ndarray
    records: np.ndarray
    steps: np.ndarray
    rgb: np.ndarray
    tiles: np.ndarray

    def settings(self, at: Settings) -> Settings:
        """Give the driver's settings for threads that write here."""
        return at._replace(
            **self._asdict(), keep_steps=int(self.steps.size > 0), copies=copies(self.tiles.size // TILE)
        )

    def painted(
        self, shape: Shape, on_host: OnHost, began: int, painted: int, arrived: int, handed: int | None, step: int
    ) -> Painted:
        """Give what came back of a launch of this shape; `on_host` puts times of its squares on the host's clock."""
        made, bad = self.tallies.reshape(-1, shape.tiles, TALLY).sum(axis=0).T
        records, tiles = self.records.reshape(-1, RECORD), np.repeat(np.arange(shape.tiles), shape.squares)
        there = records[:, 2] != 0
        if not there.all():  # squares that lie outside of their tiles
            records, tiles = records[there], tiles[there]
        multiprocessors, starts, ends = columns = records.T.copy()  # what is alike stands side by side
        on_host(columns[1:], began, painted)
        bounds = np.searchsorted(tiles, np.arange(shape.tiles))
        return Painted(
            rgb=self.rgb.reshape(shape.tiles, shape.height, shape.width, 3),
            steps=self.steps.reshape(shape.tiles, shape.height, shape.width) if self.steps.size else None,
            made=made,
            bad=bad,
            first=np.minimum.reduceat(starts, bounds),
            last=np.maximum.reduceat(ends, bounds),
            began=began,
            painted=painted,
            arrived=arrived,
            squares=np.stack([multiprocessors, tiles, starts, ends]),
            handed=handed,
            step=step,
        )


class Sizes(NamedTuple):
    """Bytes of a launch's memory, from its beginning: what is cleared, what is brought back, all of it."""

    cleared: int
    back: int
    whole: int


def sizes(request: Request, shape: Shape) -> Sizes:
    """Measure the memory of a launch."""
    ends = list(accumulate(_parts(request, shape)))
    return Sizes(ends[2], ends[4], ends[5])


def share_out(memory: np.ndarray, request: Request, shape: Shape) -> Memory:
    """Cut a piece of memory (uint8, flat, large enough and on a multiple of 8) into the parts of one launch."""
    ends = list(accumulate(_parts(request, shape)))
    kinds = (np.int64, np.int64, np.int64, np.int32, np.uint8, np.int32)
    parts = [memory[t0:t1].view(kind) for (t0, t1), kind in zip(pairwise([0, *ends]), kinds, strict=True)]
    whole = Memory(*parts)
    return whole._replace(rgb=whole.rgb[: 3 * prod(shape)])


class List(NamedTuple):
    """The list of a launch's pixels that wait for the second pass (`render.kernels.passes`), all flat; never copied.

    waiting: their numbers, the steps of their samples, how many samples each has behind it. room: states and light.
    """

    waiting: np.ndarray
    room: np.ndarray

    def settings(self, at: Settings) -> Settings:
        """Give the driver's settings for threads that list pixels here."""
        return at._replace(**self._asdict(), stride=self.room.size // MEMBERS)


def make_list(request: Request, shape: Shape, most: int) -> List:
    """Give the list of a launch, of memory that is taken when it is touched; its room has so many bytes at most."""
    pixels, real = SQUARE * shape.tiles * shape.squares, REALS[request.precision]
    return List(np.empty(LIST_ENTRY * pixels, np.int32), np.empty(min(pixels * MEMBERS, most // real().nbytes), real))


def _parts(request: Request, shape: Shape) -> tuple[int, ...]:
    """The bytes of each of a launch's parts, those whose numbers are widest first."""
    tiles, pixels = shape.tiles, prod(shape)
    return (
        8 * COUNTERS,
        8 * TALLY * tiles * copies(tiles),
        8 * RECORD * tiles * shape.squares,
        4 * pixels * (request.samples == 1),
        -(-3 * pixels // 8) * 8,  # so that the table stands where its numbers may
        4 * TILE * tiles,
    )


def fit(request: Request, room: int = MOST_BYTES) -> Shape | None:
    """Give the largest launch of a request that is wanted and has room in so many bytes; None where there is none.

    It takes a share of the frame's tiles. Where not even one of them has room, its slots are smaller than tiles, which
    are then cut into pieces (`pieces`).
    """
    rows, columns = request.rows_and_columns
    tiles = 1 if request.only_tile is not None else rows * columns
    width, height = min(request.tile[0], request.width, WIDEST), min(request.tile[1], request.height)
    room = min(room, MOST_BYTES)

    def holds(shape: Shape) -> bool:
        return (
            shape.tiles <= MOST_TILES
            and shape.tiles * shape.squares * SQUARE <= MOST_PIXELS
            and sizes(request, shape).whole <= room
        )

    low, high = 0, -(-tiles // LAUNCHES)
    while low < high:  # the most tiles that have room
        middle = (low + high + 1) // 2
        low, high = (middle, high) if holds(Shape(middle, width, height)) else (low, middle - 1)
    if low:
        return Shape(low, width, height)
    while not holds(Shape(1, width, height)):
        if height > SQUARE_HEIGHT:
            height = -(-height // (2 * SQUARE_HEIGHT)) * SQUARE_HEIGHT
        elif width > SQUARE_WIDTH:
            width = -(-width // (2 * SQUARE_WIDTH)) * SQUARE_WIDTH
        else:
            return None
    return Shape(1, width, height)


def pieces(x: int, y: int, width: int, height: int, wide: int, high: int) -> list[tuple[int, int, int, int]]:
    """Cut a rectangle into such as have room in a slot, row by row; itself alone where it has."""
    return [
        (left, top, min(wide, x + width - left), min(high, y + height - top))
        for top in range(y, y + height, high)
        for left in range(x, x + width, wide)
    ]


def launches(request: Request) -> int:
    """Count the launches of a request where memory allows what is wanted."""
    shape = fit(request)
    assert shape is not None, "a launch has room for a few rows"
    rows, columns = request.rows_and_columns
    tiles = 1 if request.only_tile is not None else rows * columns
    width, height = min(request.tile[0], request.width), min(request.tile[1], request.height)
    return -(-tiles // shape.tiles) * -(-width // shape.width) * -(-height // shape.height)
