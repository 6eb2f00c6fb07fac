"""Tiles handed out by the handful, so that a million small ones cost little more than painting them.

To wake up whoever awaits a tile takes as long as painting a tiny one. So a worker takes tile after tile from what is
left, in order, and tells which it has done when SHORTEST has passed. Longer tiles are told one by one, no worker hoards
any, and what was done before a tile failed is not lost.

Processes cannot take from one queue so cheaply: they are sent so many tiles as take that long.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from render.errors import RenderError
from render.painting.painter import Done, Painter

if TYPE_CHECKING:
    from render.plan import Tile

SHORTEST = 5_000_000  # ns that a worker paints before it comes back: handing out is 1 % of that


class Handful(NamedTuple):
    """What a worker comes back with: the tiles that it has done, and why it could not do one more."""

    done: list[Done]
    error: RenderError | None = None


def paint_handful(take: Callable[[], Tile | None], painter: Painter, ns: int | None = None) -> Handful:
    """Paint the tiles that `take` gives until it gives none, one fails, or so many nanoseconds have passed."""
    done: list[Done] = []
    clock = painter.recorder.clock
    until = None if ns is None else clock() + ns
    try:
        while (tile := take()) is not None:
            painter.wait(tile)
            done.append(painter.paint(tile))
            if until is not None and clock() >= until:
                break
    except RenderError as error:
        return Handful(done, error)
    return Handful(done)


class Handout:
    """The tiles that are left; workers of one process take them."""

    def __init__(self, tiles: Sequence[Tile], painter: Painter) -> None:
        self.left, self._count = deque(tiles), len(tiles)
        self.painter = painter

    def __iter__(self) -> Iterator[Callable[[], Handful]]:
        """Calls for workers, as long as there are tiles left."""
        while self.left:
            yield self.paint

    def paint(self) -> Handful:
        """A handful of them, painted by the calling thread."""
        return paint_handful(self._take, self.painter, SHORTEST)

    def _take(self) -> Tile | None:
        try:
            return self.left.popleft()  # atomic
        except IndexError:  # others were quicker
            return None

    def collect(self, receive: Callable[[], Handful]) -> Iterator[Done]:
        """Yield all tiles as their handfuls come. Raises the first error; then, or given up, nobody takes more."""
        left = self._count
        try:
            while left:
                done, error = receive()
                yield from done
                left -= len(done)
                if error is not None:
                    raise error
        finally:
            self.left.clear()
