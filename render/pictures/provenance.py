"""The origin of a picture: the request, who drew it, and which worker painted each tile.

A picture file carries it as text, so that `compare` can say whose tiles differ. The owners are kept small: two bytes a
tile (the worker's number in the order of their first paint, low byte first, 65535 for nobody), packed by zlib, in
base64; 3,600 tiles of four workers take some 2 KB.
"""

from __future__ import annotations

import json
import zlib
from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from unicodedata import category

import numpy as np

from render.errors import UsageError
from render.request import MOST_TILES, Request
from render.trace import Trace, tile_owners
from render.wording import make_harmless

NOBODY = 0xFFFF
OURS = "render:"  # the beginning of our keywords
NO_REQUEST = "carries no request: it is a film, a diagram, saved with --plain, or of another program"


@dataclass(frozen=True)
class Provenance:
    """Who drew a picture: `title` names the run ("parallel (threading)"), `workers` gives the painter of each tile.

    The workers are numbers by tile number, None for a tile that nobody painted; None where the file does not say.
    """

    request: Request
    title: str
    workers: tuple[int | None, ...] | None = None

    @property
    def tiles(self) -> int:
        """The number of tiles in the frame."""
        rows, columns = self.request.rows_and_columns
        return rows * columns

    def worker_of(self, tile: int) -> int | None:
        """Return the worker that painted a tile, where that is known."""
        return self.workers[tile] if self.workers is not None and tile < len(self.workers) else None


def make_provenance(request: Request, title: str, trace: Trace) -> Provenance:
    """Make the provenance of a run's own picture."""
    owned = tile_owners(trace)
    rows, columns = request.rows_and_columns
    return Provenance(request, title, tuple(owned.get(tile) for tile in range(rows * columns)))


def encode_provenance(request: Request, title: str, trace: Trace) -> str:
    """Title and owners as text for a picture file; no owners for a single tile of more than a plan has places for."""
    rows, columns = request.rows_and_columns
    if rows * columns > MOST_TILES:
        return json.dumps({"run": title})
    numbers = np.full(rows * columns, NOBODY, "<u2")
    for tile, worker in tile_owners(trace).items():
        if tile < len(numbers):
            numbers[tile] = min(worker, NOBODY - 1)
    tiles = b64encode(zlib.compress(numbers.tobytes(), 9)).decode()
    return json.dumps({"run": title, "tiles": tiles})


def join_texts(texts: Mapping[str, str]) -> str:
    """Join the texts of a picture, by keyword, for a format that has one description: a line for each."""
    return "\n".join(f"{name}={text}" for name, text in texts.items())


def split_texts(description: Any) -> dict[str, str]:
    """Split such a description again; without any of ours it gives nothing."""
    lines = description.split("\n") if isinstance(description, str) else []
    pairs = (line.partition("=")[::2] for line in lines if line.startswith(OURS))
    return dict(pairs)


def read_provenance(request: Any, owned: Any) -> Provenance | None:
    """Read the texts of a picture file; None where its request is none of ours. Unknown owners are left out."""
    drawn = _read_request(request)
    if drawn is None:
        return None
    titled = make_harmless(f"{drawn.mode} ({drawn.backend})" if drawn.backend else drawn.mode)
    try:
        stored = json.loads(owned) if isinstance(owned, str) else {}
        title = make_harmless(stored["run"]) if isinstance(stored.get("run"), str) else titled
        return Provenance(drawn, title, _read_owners(stored, drawn) if "tiles" in stored else None)
    except (AttributeError, TypeError, ValueError, KeyError, RecursionError, zlib.error):
        return Provenance(drawn, titled)


def _read_request(stored: Any) -> Request | None:
    try:
        members = json.loads(stored)
        request = Request.from_dict(members) if isinstance(members, dict) else None
        return request if request is not None and _first_unknown_word(request) is None else None
    except (TypeError, ValueError, RecursionError, UsageError):
        return None


def _first_unknown_word(request: Request) -> Any:
    """Find the first of a request's words that no request of this program has; None without one."""
    words = [request.scene, request.view, request.mode, request.target, request.order, *dict(request.parameters)]
    words += [request.backend] if request.backend is not None else []
    words += [value for value in request.values.values() if not isinstance(value, (int, float))]
    return next((word for word in words if not _is_plain_text(word)), None)


def _is_plain_text(word: Any) -> bool:
    """Test for a text without control characters, which a terminal would obey."""
    return isinstance(word, str) and not any(category(letter) == "Cc" for letter in word)


def _read_owners(stored: Mapping[str, Any], request: Request) -> tuple[int | None, ...]:
    rows, columns = request.rows_and_columns
    size = rows * columns * 2
    if rows * columns > MOST_TILES:
        raise ValueError("more tiles than this program cuts")
    raw = zlib.decompressobj().decompress(b64decode(stored["tiles"], validate=True), size + 1)  # whatever it claims
    if len(raw) != size:
        raise ValueError("not as many owners as tiles")
    return _known_owners(np.frombuffer(raw, "<u2").tolist())


def _known_owners(numbers: Sequence[int]) -> tuple[int | None, ...]:
    return tuple(None if number == NOBODY else number for number in numbers)
