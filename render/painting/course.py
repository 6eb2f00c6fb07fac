"""The progress of a run: watchers are notified of each tile, and finished tiles are kept, whatever ends it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import NamedTuple

import numpy as np

from render.errors import OutputError, RenderError
from render.frame import Canvas
from render.painting.painter import Done
from render.plan import Tile
from render.request import Request
from render.storage.journal import Journal
from render.trace import Recorder, Worker

Progress = Callable[[Done, int], None]  # a tile that is done, and how many there are in all
Salvage = Callable[[np.ndarray], str]  # keeps an unfinished picture, black where it is not painted, and says where


class Moment(NamedTuple):
    """A tile is done: of which run, the tile, how many this run paints, who painted it, and the canvas as it is now.

    share: of the work that is done (0..1), by the tiles' estimated cost where the plan knows it, else by their number;
    seconds: since the painting began.
    """

    request: Request
    name: str
    done: Done
    tiles: int
    worker: Worker
    rgb: np.ndarray
    share: float = 0.0
    seconds: float = 0.0


Watch = Callable[[Moment], None]


class RunProgress:
    """Progress of a run. `costs`: estimated steps by tile, where they are known; `canvas`: the pixels so far."""

    def __init__(
        self,
        request: Request,
        name: str,
        tiles: Sequence[Tile],
        costs: Mapping[int, int],
        recorder: Recorder,
        canvas: np.ndarray,
    ) -> None:
        self.kept: list[Tile] = []
        self.steps, self.resumed, self.tiles = 0, 0, len(tiles)
        self._request, self._name, self._recorder, self._canvas = request, name, recorder, canvas
        self._costs, self._cost = costs, sum(costs.values())
        self._spent, self._began = 0, recorder.clock()

    def count_resumed(self, tiles: Sequence[Tile], steps: int) -> None:
        """Count tiles that an earlier run has done, and the steps of their samples."""
        self.kept += tiles
        self.steps += steps
        self.resumed = len(tiles)
        self._cost -= sum(self._costs.get(tile.number, 0) for tile in tiles)

    def count_tile(self, done: Done, progress: Progress | None, watch: Watch | None) -> None:
        """Count a finished tile, and notify the watchers."""
        self.steps += done.steps
        self.kept.append(done.tile)
        if progress is not None:
            progress(done, self.tiles - self.resumed)
        if watch is not None:
            self._spent += self._costs.get(done.tile.number, 0)
            tiles = self.tiles - self.resumed
            share = self._spent / self._cost if self._cost else (len(self.kept) - self.resumed) / tiles
            seconds = (self._recorder.clock() - self._began) / 1e9
            worker = self._recorder.painter_of(done.tile.number)
            watch(Moment(self._request, self._name, done, tiles, worker, self._canvas, share, seconds))


def resume_tiles(journal: Journal, surface: Canvas, tiles: Sequence[Tile], course: RunProgress) -> Sequence[Tile]:
    """Put the tiles on the canvas that an earlier run has kept; return those that are left."""
    restored = journal.restore(surface, tiles)
    course.count_resumed([tile for tile in tiles if tile.number in restored], sum(restored.values()))
    journal.start(surface, len(tiles))
    return [tile for tile in tiles if tile.number not in restored]


@contextmanager
def keep_on_error(
    rgb: np.ndarray, course: RunProgress, salvage: Salvage | None, journal: Journal | None
) -> Iterator[None]:
    """Keep the finished tiles whatever ends the painting, and have the error say where.

    A picture of them takes time to save, which whoever interrupts does not have.
    """
    try:
        yield
    except BaseException as error:
        hint = "" if journal is None else journal.stop()
        if salvage is not None and course.kept and isinstance(error, Exception):
            unfinished = np.zeros_like(rgb)
            for _, x, y, width, height in course.kept:
                unfinished[y : y + height, x : x + width] = rgb[y : y + height, x : x + width]
            with suppress(OutputError):  # the first failure is the one reported
                place = salvage(unfinished)
                hint = f"{len(course.kept)} of {course.tiles} tiles are kept in {place}" + (f"; {hint}" if hint else "")
        add_hint(error, hint)
        raise


def add_hint(error: BaseException, hint: str) -> None:
    """Have an error say what to do about it first: in its remedy, or where it has none as a note."""
    if not hint:
        return
    if isinstance(error, RenderError):
        error.remedy = f"{hint}; {error.remedy}" if error.remedy else hint
    else:
        error.add_note(hint)
