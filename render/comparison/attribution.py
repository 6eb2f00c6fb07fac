"""The differences of two pictures by tile, and who painted those tiles in which mode.

Everything comes from the pictures and what they carry (`render.pictures.provenance`). The frame is cut as the second
picture was, which is the one in question, or as the first where only that one carries it; pictures that carry nothing
are cut into squares of PLACE pixels, without names.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from render.comparison.compare import error_bands
from render.pictures.picture import Picture
from render.pictures.provenance import Provenance
from render.wording import count, join_words

PLACE = 64  # pixels along an edge, where no tiles are known
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
    """All places with differences, the worst first; of how many, and whether they are tiles or squares.

    a, b: what the pictures say of themselves, else None.
    """

    places: tuple[Place, ...]
    of: int
    tiled: bool
    a: Provenance | None
    b: Provenance | None

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


def attribute(a: Picture, b: Picture) -> Attribution | None:
    """Find where b differs from a, by tile and worker; None for pictures of different sizes or of several frames."""
    if a.size != b.size or a.more or b.more:
        return None
    error = np.concatenate([band.max(axis=2) for _, band in error_bands(a, b)])
    origin = b.provenance or a.provenance
    fits = origin is not None and (origin.request.height, origin.request.width) == error.shape
    wide, high = origin.request.tile if origin is not None and fits else (PLACE, PLACE)
    owned = [one if one and fits and one.request.tile == (wide, high) else None for one in (a.provenance, b.provenance)]
    columns = -(-error.shape[1] // wide)
    places = []
    for row, top in enumerate(range(0, error.shape[0], high)):
        band = error[top : top + high]
        for column in np.unique(np.flatnonzero(band.any(axis=0)) // wide).tolist():
            tile = row * columns + column
            workers = [one.worker_of(tile) if one else None for one in owned]
            places.append(
                _measure_place(tile, column * wide, top, band[:, column * wide : (column + 1) * wide], workers)
            )
    places.sort(key=lambda place: (-place.max_error, -place.differing_pixels, place.tile))
    return Attribution(tuple(places), columns * -(-error.shape[0] // high), fits, a.provenance, b.provenance)


def _measure_place(tile: int, x: int, y: int, error: np.ndarray, workers: list[int | None]) -> Place:
    height, width = error.shape
    rows, columns = np.flatnonzero(error.any(axis=1)), np.flatnonzero(error.any(axis=0))
    return Place(
        tile,
        x,
        y,
        width,
        height,
        int(np.count_nonzero(error)),
        int(error.max()),
        (y + int(rows[0]), y + int(rows[-1])),
        (x + int(columns[0]), x + int(columns[-1])),
        *workers,
    )


def format_attribution(attribution: Attribution) -> list[str]:
    """Format the attribution for people: how many tiles, whose they are, and the worst."""
    if not attribution.places:
        return []
    kind = "tile" if attribution.tiled else f"square of {PLACE} pixels"
    many = count(attribution.of, "tile") if attribution.tiled else f"{attribution.of} squares of {PLACE} pixels"
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
