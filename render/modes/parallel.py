"""Mode `parallel`: several workers at the same instant. Several chefs.

    worker 0  |1111|3333|5555|
    worker 1  |2222|4444|6666|

What a worker is, the backend says (`render.backends`): a thread of this process, ready at once and the default; a
process, which costs half a second to start and may die without harm to the frame; or one on another machine.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from render import backends

if TYPE_CHECKING:
    from render.painting.painter import Done, Painter
    from render.plan import Tile
    from render.request import Request

KIND = "cpu"
OPTIONS = frozenset({"workers", "backend", "in_flight", "tile_timeout", "cluster"})
IN_FLIGHT = 1


def unavailable_reason(request: Request) -> tuple[str, str] | None:
    """Say why the backend starts no workers here, or None. Raises UnknownName for an unknown backend."""
    return _load_backend(request).unavailable_reason()


def needs_shared_canvas(request: Request) -> bool:
    """Tell if the backend's workers are other processes."""
    return _load_backend(request).NEEDS_SHARED_CANVAS


def run(tiles: Sequence[Tile], painter: Painter) -> Iterator[Done]:
    """Paint the tiles on all workers, which are ready before the first tile is given out; yield each as it is done."""
    yield from _load_backend(painter.request).run(tiles, painter)


def _load_backend(request: Request) -> backends.Backend:
    return backends.load(str(request.backend))
