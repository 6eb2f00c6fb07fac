"""The request: what to draw, how to cut it, who draws it. Frozen, checked, and all that workers are passed.

A request is complete: every default has been filled in (`render.options` does that), so two equal requests give
the same picture to the last bit, on every machine.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import PurePath
from typing import Any

from render.errors import UsageError

Value = float | int | bool | str

LARGEST_SIDES = {"f32": 1 << 17, "f64": 1 << 31}  # in float32, i + 0.5 + k/64 is exact up to 2^17
LARGEST_SIDE = LARGEST_SIDES["f32"]
MOST_SAMPLES = 1024
MOST_WORKERS = 1024
MOST_TILES = 1 << 20  # each has a place in the plan and spans in the trace
HIGHEST_LIMIT = (1 << 31) - 1024  # step counts are int32, and the driver looks some steps ahead
LONGEST_WAIT = 3_600_000_000_000  # ns: an hour
PRECISIONS = ("f32", "f64")
WORDS = ("scene", "view", "precision", "mode", "target", "order")
DRAWN = ("scene", "parameters", "width", "height", "samples", "limit", "precision")


@dataclass(frozen=True)
class Request:
    """One picture, cut and assigned. Sizes are pixels, `wait_ns` nanoseconds; `backend` is None outside mode parallel.

    `tile_timeout_ns`: how long a worker may show no sign of life; 0: derived from the tiles before. `cluster`: the
    scheduler of a backend over several machines; None: on this one. With one, `workers` are the most that are used.

    Raises UsageError where a value is out of its range.
    """

    scene: str
    view: str
    parameters: tuple[tuple[str, Value], ...]
    width: int
    height: int
    samples: int
    limit: int
    precision: str
    mode: str
    target: str
    backend: str | None
    workers: int
    in_flight: int
    wait_ns: int
    tile: tuple[int, int]
    order: str
    only_tile: int | None = None
    simulate: bool = False
    tile_timeout_ns: int = 0
    cluster: str | None = None

    def __post_init__(self) -> None:
        """Check each word's and each number's type and range."""
        self._check_types()
        for name, lowest, highest in (
            ("width", 1, LARGEST_SIDES["f64"]),
            ("height", 1, LARGEST_SIDES["f64"]),
            ("samples", 1, MOST_SAMPLES),
            ("limit", 1, HIGHEST_LIMIT),
            ("workers", 1, MOST_WORKERS),
            ("in_flight", 1, 4096),
            ("wait_ns", 0, LONGEST_WAIT),
            ("tile_timeout_ns", 0, 24 * LONGEST_WAIT),
        ):
            value = getattr(self, name)
            if not _is_whole(value) or not lowest <= value <= highest:
                written = name.replace("_", " ")
                raise UsageError(f"{written} is {value!s:.60}", f"give a whole number from {lowest} to {highest}")
        if self.precision not in PRECISIONS:
            raise UsageError(f"precision is {self.precision!r}", f"choose from {', '.join(PRECISIONS)}")
        largest = LARGEST_SIDES[self.precision]
        if max(self.width, self.height) > largest:
            raise UsageError(
                f"{self.precision} has no exact positions in a frame of {self.width} x {self.height} pixels",
                f"use --precision f64, or a frame of at most {largest} pixels a side",
            )
        if len(self.tile) != 2 or not all(_is_whole(edge) and edge >= 1 for edge in self.tile):
            raise UsageError(f"a tile of {' x '.join(map(str, self.tile))} pixels", "give at least one pixel each way")
        tiles = self.rows_and_columns[0] * self.rows_and_columns[1]
        if self.only_tile is not None and not (_is_whole(self.only_tile) and 0 <= self.only_tile < tiles):
            raise UsageError(
                f"there is no tile {self.only_tile!s:.60}: this frame has tiles 0 to {tiles - 1}",
                "name one of these, or change --tile",
            )

    def _check_types(self) -> None:
        """Raise UsageError for what only a file, or a caller of the library, could get wrong."""
        remedy = "draw the picture again"
        for name in WORDS:
            if not isinstance(getattr(self, name), str):
                raise UsageError(f"{name} is {getattr(self, name)!r:.60}, which is no text", remedy)
        for name in ("backend", "cluster"):
            if not isinstance(getattr(self, name), (str, type(None))):
                raise UsageError(f"{name} is {getattr(self, name)!r:.60}, which is no text", remedy)
        for name, value in self.parameters:
            if not isinstance(name, str) or not isinstance(value, (int, float, str)):
                raise UsageError(f"parameter {name!s:.60} is neither number nor text", remedy)

    @property
    def rows_and_columns(self) -> tuple[int, int]:
        """The number of rows of tiles, and of tiles in a row."""
        wide, high = self.tile
        return -(-self.height // high), -(-self.width // wide)

    @property
    def values(self) -> dict[str, Value]:
        """The scene's parameters by name."""
        return dict(self.parameters)

    def as_dict(self) -> dict[str, Any]:
        """Convert to JSON's types: parameters as an object, the tile as a list."""
        return asdict(self) | {"parameters": self.values, "tile": list(self.tile)}

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> Request:
        """Restore a request from `as_dict`. Raises UsageError where something is missing or strange."""
        names = {field.name for field in fields(cls)}
        try:
            known = {name: value for name, value in stored.items() if name in names}
            parameters = tuple(sorted(dict(stored["parameters"]).items()))
            return cls(**known | {"parameters": parameters, "tile": tuple(stored["tile"])})
        except (KeyError, TypeError, ValueError) as error:
            raise UsageError(f"not a stored request: {error!r}", "draw the picture again") from error

    def picture_key(self) -> dict[str, Any]:
        """Everything that decides the picture, and nothing else: requests that agree here give equal pictures."""
        stored = self.as_dict() | {"scene": PurePath(self.scene).stem}  # however the way to its file was written
        return {name: stored[name] for name in DRAWN}


def _is_whole(value: Any) -> bool:
    """Test for a whole number; Python's and JSON's true is none."""
    return isinstance(value, int) and not isinstance(value, bool)
