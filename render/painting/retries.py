"""Retries: the tiles that are left, those tried again when a worker is lost, and those given up.

A tile whose worker was lost waits a little and is tried again after those that nobody has tried yet: alone, so that
the next loss has one suspect. It is given up as failed where the process ended by its own doing (a segmentation fault,
an exit) BY_TILE times, or did not move HANGS times; or where others ended it (SIGKILL, as a system without memory sends
it) OUTSIDE times in a row, with no tile done anywhere in between.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from render.errors import TileError
    from render.plan import Tile

BY_TILE, HANGS, OUTSIDE = 3, 2, 6
FIRST_PAUSE, LONGEST_PAUSE = 0.1, 2.0  # seconds before a tile is tried again; each time twice as long


class Death(NamedTuple):
    """The loss of a worker, in words. by_tile: the tile that it was at may be the cause; hung: it did not move."""

    how: str
    by_tile: bool
    hung: bool = False


class Suspect(NamedTuple):
    """A tile whose worker was lost, and from when on (s) it may be tried again."""

    due: float
    tile: Tile


class Todo:
    """The tiles of one run. Times are seconds of one clock; `fail` makes the error of a tile that is given up."""

    def __init__(self, tiles: Sequence[Tile], fail: Callable[[Tile, str], TileError]) -> None:
        self.left = {tile.number: tile for tile in tiles}  # neither done nor given up
        self.failed: list[TileError] = []
        self._fail = fail
        self._fresh = deque(tiles)
        self._suspects: list[Suspect] = []
        self._deaths: Counter[int] = Counter()  # by tile: of its own doing
        self._kills: Counter[int] = Counter()  # by tile: by others, since any tile was done

    @property
    def count_untried(self) -> int:
        """Count the tiles that no worker has tried yet."""
        return len(self._fresh)

    @property
    def suspects(self) -> list[Tile]:
        """List the tiles that wait to be tried again."""
        return [suspect.tile for suspect in self._suspects]

    def take_tiles(self, now: float, size: int) -> Sequence[Tile]:
        """Take the next tiles to paint, at most `size`; none if the rest is being painted or must wait."""
        if self._fresh:
            return [self._fresh.popleft() for _ in range(min(size, len(self._fresh)))]
        for suspect in sorted(self._suspects):
            if suspect.due <= now:
                self._suspects.remove(suspect)
                return (suspect.tile,)
        return ()

    def finish_tile(self, number: int) -> bool:
        """Count a tile as finished; return False if it was already."""
        self._kills.clear()
        return self.left.pop(number, None) is not None

    def give_back(self, tiles: Sequence[Tile]) -> None:
        """Take back tiles that no worker has started."""
        self._fresh.extendleft(tile for tile in reversed(tiles) if tile.number in self.left)

    def suspect_tile(self, tile: Tile, due: float) -> None:
        """Take back a tile that may have cost workers; it is tried again alone, from `due` on."""
        if tile.number in self.left:
            self._suspects.append(Suspect(due, tile))

    def give_up(self, tile: Tile, why: str) -> None:
        """Count a tile as failed."""
        if self.left.pop(tile.number, None) is not None:
            self.failed.append(self._fail(tile, why))

    def take_back_lost(self, tiles: Sequence[Tile], at: int, death: Death, now: float) -> bool:
        """Take back the tiles of a worker lost at tile `at` (-1: at none); return whether it was at one."""
        self.give_back([tile for tile in tiles if tile.number != at])
        tile = self.left.get(at)
        if tile is None or tile not in tiles:
            return False
        if death.by_tile:
            self._deaths[at] += 1
        else:
            self._kills[at] += 1
        tried = self._deaths[at] + self._kills[at]
        if self._deaths[at] >= (HANGS if death.hung else BY_TILE) or self._kills[at] >= OUTSIDE:
            self.give_up(tile, f"its worker was lost {tried} times ({death.how})")
        else:
            self._suspects.append(Suspect(now + min(FIRST_PAUSE * 2 ** (tried - 1), LONGEST_PAUSE), tile))
        return True
