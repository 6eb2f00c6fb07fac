"""The differences of two pictures by tile, and who painted those tiles in which mode.

Everything comes from the pictures and what they carry (`render.pictures.provenance`). The frame is cut as the second
picture was, which is the one in question, or as the first where only that one carries it; pictures that carry nothing
are cut into squares of PLACE pixels, larger ones where they are large, without names.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from render.comparison.compare import error_bands, take_largest_channel
from render.pictures.provenance import Provenance
from render.pictures.source import AnyPicture
from render.wording import count, join_words

PLACE, MOST_SQUARES = 64, 1 << 16  # pixels along an edge, where no tiles are known; of how many places at most
FAR = 1 << 40  # beyond all rows and columns
WORST, NAMED = 10, 4  # places in the document; named to people


@dataclass(frozen=True)
class Place:
    """A tile (or a square) with differences in it: where it lies, how many pixels differ, and how far at most.

    `rows` and `columns` are the first and last of the picture that hold differences; `a` and `b` the workers that
    painted it in the two pictures, where that is known.
    """

    tile: int
    x: int
    y: int
    width: int
    height: int
    differing_pixels: int
    max_error: int
    rows: tuple[int, int]
    columns: tuple[int, int]
    a: int | None = None
    b: int | None = None


@dataclass(frozen=True)
class Attribution:
    """All places with differences, the worst first, and of how many.

    square: pixels along the edge of each; None: they are tiles. a, b: what the pictures say of themselves, else None.
    """

    places: tuple[Place, ...]
    of: int
    square: int | None
    a: Provenance | None
    b: Provenance | None

    @property
    def tiled(self) -> bool:
        """True where the places are the tiles of a picture."""
        return self.square is None

    def as_dict(self) -> dict[str, Any]:
        """Convert to JSON's types: the number of places, the worst of them, and how many each worker painted."""
        return {
            "tiled": self.tiled,
            "places": self.of,
            "differing": len(self.places),
            "runs": {name: origin.title if origin else None for name, origin in (("a", self.a), ("b", self.b))},
            "workers": {name: dict(sorted(self.count_by_worker(name).items())) for name in ("a", "b")},
            "worst": [asdict(place) for place in self.places[:WORST]],
        }

    def count_by_worker(self, picture: str) -> Counter[int]:
        """Count the differing tiles that each worker of picture `a` or `b` painted."""
        return Counter(worker for place in self.places if (worker := getattr(place, picture)) is not None)


def attribute(a: AnyPicture, b: AnyPicture) -> Attribution | None:
    """Find where b differs from a, by tile and worker; None for pictures of different sizes or of several frames."""
    if a.size != b.size or a.more or b.more:
        return None
    width, height = a.size
    origin = b.provenance or a.provenance
    fits = origin is not None and (origin.request.width, origin.request.height) == (width, height)
    wide, high = origin.request.tile if origin is not None and fits else choose_square(width, height)
    owned = [one if one and fits and one.request.tile == (wide, high) else None for one in (a.provenance, b.provenance)]
    places = []
    tiles = _TileRow(width, wide)
    for y, error in error_bands(a, b):
        top, rows = y, take_largest_channel(error)
        while len(rows):
            part, rows = np.split(rows, [high - top % high])
            tiles.add_rows(top, part)
            top += len(part)
            if top % high == 0 or top == height:
                places += tiles.take_places((top - 1) // high, high, height, owned)
    places.sort(key=lambda place: (-place.max_error, -place.differing_pixels, place.tile))
    many = -(-width // wide) * -(-height // high)
    return Attribution(tuple(places), many, None if fits else wide, a.provenance, b.provenance)


def choose_square(width: int, height: int) -> tuple[int, int]:
    """Choose the squares that stand for tiles: PLACE pixels along an edge, twice as many while there are too many."""
    edge = PLACE
    while -(-width // edge) * -(-height // edge) > MOST_SQUARES:
        edge *= 2
    return edge, edge


class _TileRow:
    """The differences in one row of tiles, summed up while its rows of pixels come."""

    def __init__(self, width: int, wide: int) -> None:
        self.width, self.wide = width, wide
        self.lefts = np.arange(0, width, wide)
        self.clear()

    def clear(self) -> None:
        """Get ready for the next row of tiles."""
        tiles = len(self.lefts)
        self.pixels, self.largest = np.zeros(tiles, np.int64), np.zeros(tiles, np.int64)
        self.first_row, self.last_row = np.full(tiles, FAR), np.full(tiles, -1)
        self.first_column, self.last_column = np.full(tiles, FAR), np.full(tiles, -1)

    def add_rows(self, top: int, error: np.ndarray) -> None:
        """Add rows of pixels, from row `top` of the picture; `error` (rows, width): the largest of each pixel."""
        if not error.any():
            return
        differs = error > 0
        columns, rows = differs.any(axis=0), np.logical_or.reduceat(differs, self.lefts, axis=1)
        x, y = np.arange(self.width), np.arange(top, top + len(error))[:, None]
        self.pixels += np.add.reduceat(differs.sum(axis=0), self.lefts)
        self.largest = np.maximum(self.largest, np.maximum.reduceat(error.max(axis=0), self.lefts))
        self.first_row = np.minimum(self.first_row, np.where(rows, y, FAR).min(axis=0))
        self.last_row = np.maximum(self.last_row, np.where(rows, y, -1).max(axis=0))
        first, last = np.where(columns, x, FAR), np.where(columns, x, -1)
        self.first_column = np.minimum(self.first_column, np.minimum.reduceat(first, self.lefts))
        self.last_column = np.maximum(self.last_column, np.maximum.reduceat(last, self.lefts))

    def take_places(self, row: int, high: int, height: int, owned: list[Provenance | None]) -> list[Place]:
        """Return those of the tiles that differ, in row `row` of them, and start anew."""
        places = []
        for column in np.flatnonzero(self.pixels).tolist():
            tile, left, top = row * len(self.lefts) + column, column * self.wide, row * high
            size = min(self.wide, self.width - left), min(high, height - top)
            differing, most = int(self.pixels[column]), int(self.largest[column])
            rows = int(self.first_row[column]), int(self.last_row[column])
            columns = int(self.first_column[column]), int(self.last_column[column])
            workers = [one.worker_of(tile) if one else None for one in owned]
            places.append(Place(tile, left, top, *size, differing, most, rows, columns, *workers))
        self.clear()
        return places


def format_attribution(attribution: Attribution) -> list[str]:
    """Format the attribution for people: how many tiles, whose they are, and the worst."""
    if not attribution.places:
        return []
    edge = attribution.square
    kind = "tile" if edge is None else f"square of {edge} pixels"
    many = count(attribution.of, "tile") if edge is None else f"{attribution.of} squares of {edge} pixels"
    lines = [
        f"{len(attribution.places)} of {many} {'differs' if len(attribution.places) == 1 else 'differ'}"
        + _describe_painters(attribution)
    ]
    lines += [
        f"{kind} {place.tile} {_describe_extent(place)}{_name_painters(attribution, place)}"
        for place in attribution.places[:NAMED]
    ]
    if len(attribution.places) > NAMED:
        lines.append(f"and {len(attribution.places) - NAMED} more, less bad")
    return lines


def _describe_painters(attribution: Attribution) -> str:
    """Say who painted them in the second picture, and how many tiles each painted there."""
    if attribution.b is None or attribution.b.workers is None or not attribution.count_by_worker("b"):
        return ""
    painted = Counter(worker for worker in attribution.b.workers if worker is not None)
    shares = [
        f"{tiles} of the {painted[worker]} of worker {worker}"
        for worker, tiles in sorted(attribution.count_by_worker("b").items())
    ]
    return f"; in {attribution.b.title} they are {join_words(shares)}"


def _describe_extent(place: Place) -> str:
    """Describe the part of the place that differs, as far as it is not the whole."""
    text = f"(x {place.x}, y {place.y}, {place.width} x {place.height}): {count(place.differing_pixels, 'pixel')}"
    if place.rows != (place.y, place.y + place.height - 1):
        text += f", rows {place.rows[0]} to {place.rows[1]}"
    if place.columns != (place.x, place.x + place.width - 1):
        text += f", columns {place.columns[0]} to {place.columns[1]}"
    return f"{text}, by {place.max_error} at most"


def _name_painters(attribution: Attribution, place: Place) -> str:
    painters = [
        f"worker {worker} in {origin.title}"
        for origin, worker in ((attribution.a, place.a), (attribution.b, place.b))
        if origin is not None and worker is not None
    ]
    return f"; painted by {join_words(painters)}" if painters else ""
