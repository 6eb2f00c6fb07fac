"""Tiles handed out by the handful, so that a million small ones cost little more than painting them.

Waking up the thread that waits for a tile takes as long as painting a tiny one. So a worker takes tile after tile from
what is left, in order, and reports those it has finished when SHORTEST has passed. Longer tiles are reported one by
one, no worker hoards any, and those finished before one failed are not lost.

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
    """The result of a worker's call: the tiles it finished, and the error of the one that failed."""

    done: list[Done]
    error: RenderError | None = None


def paint_handfuls(
    take: Callable[[], Tile | None], painter: Painter, in_flight: int, ns: int | None = None
) -> Iterator[Handful]:
    """Paint the tiles that `take` gives until it gives none or one fails; yield the finished ones every so many ns.

    None: once, at the end. `in_flight`: tiles that are juggled.
    """
    done: list[Done] = []
    clock = painter.recorder.clock
    reported = clock()
    try:
        for finished in paint_tiles(take, painter, in_flight):
            done.append(finished)
            if ns is not None and clock() >= reported + ns:
                yield Handful(done)
                done, reported = [], clock()
    except RenderError as error:
        yield Handful(done, error)
    else:
        if done or ns is None:
            yield Handful(done)


def paint_tiles(take: Callable[[], Tile | None], painter: Painter, in_flight: int) -> Iterator[Done]:
    """Paint the tiles that `take` gives until it gives none, one after the other or juggling. Raises RenderError."""
    if in_flight > 1:
        from render.painting.juggling import Juggler  # loads asyncio

        with Juggler(painter, in_flight) as juggler:
            yield from juggler.paint(take)
        return
    while (tile := take()) is not None:
        painter.wait(tile)
        yield painter.paint(tile)


def fair_share(in_flight: int, tiles: int, workers: int) -> int:
    """Compute how many tiles each worker may juggle, so that none has two where another could have one of them."""
    return max(min(in_flight, -(-tiles // workers)), 1)


class Handout:
    """The tiles that are left; workers of one process take them."""

    def __init__(self, tiles: Sequence[Tile], painter: Painter) -> None:
        self.left, self._count = deque(tiles), len(tiles)
        self.painter = painter

    def paint(self) -> Iterator[Handful]:
        """Paint in the calling thread until none is left; yield the tiles done by the handful."""
        request = self.painter.request
        in_flight = fair_share(request.in_flight, self._count, request.workers)
        return paint_handfuls(self._take, self.painter, in_flight, SHORTEST)

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
