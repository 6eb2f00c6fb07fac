"""The progress of a run: watchers are notified of each tile, and finished tiles are kept, whatever ends it."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import cached_property
from typing import NamedTuple

import numpy as np

from render.errors import OutputError, RenderError
from render.painting.painter import Done
from render.plan import tile_of
from render.request import Request
from render.storage.journal import Journal
from render.trace import Recorder, Worker

Salvage = Callable[[np.ndarray], str]  # keeps an unfinished picture, black where it is not painted, and says where


class Moment(NamedTuple):
    """A tile is done: of which run, the tile, how many this run paints, who painted it, and the picture as it is now.

    rgb: the frame's pixels, or of a frame too large for memory a small picture of it (`render.painting.slabs`). share:
    of the work that is done (0..1), by the tiles' estimated cost where the plan knows it, else by their number.
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
    """Progress of a run of so many tiles. `kept`: those that an earlier run has done; `picture`: the pixels so far.

    costs: estimated steps by tile, where they are known by the time that a tile is finished.
    """

    def __init__(
        self,
        request: Request,
        name: str,
        tiles: int,
        kept: Collection[int],
        costs: Mapping[int, int],
        recorder: Recorder,
        picture: np.ndarray,
    ) -> None:
        self.finished = array("q")  # the numbers of tiles, in order
        self.steps, self.resumed, self.tiles = 0, 0, tiles
        self._request, self._name, self._recorder = request, name, recorder
        self.picture = picture
        self._kept, self._costs = kept, costs
        self._spent, self._began = 0, recorder.clock()

    @cached_property
    def _cost(self) -> int:
        """The estimated steps of all tiles that this run paints."""
        return sum(self._costs.values()) - sum(self._costs.get(number, 0) for number in self._kept)

    def count_resumed(self, restored: Mapping[int, int]) -> None:
        """Count tiles that an earlier run has done, by number, with the steps of their samples."""
        self.finished.extend(restored)
        self.steps += sum(restored.values())
        self.resumed += len(restored)

    def count_tile(self, done: Done, watch: Watch | None) -> None:
        """Count a finished tile, and notify the watchers."""
        self.steps += done.steps
        self.finished.append(done.tile.number)
        if watch is not None:
            tiles = self.tiles - len(self._kept)
            self._spent += self._costs.get(done.tile.number, 0)
            share = self._spent / self._cost if self._cost else (len(self.finished) - self.resumed) / max(tiles, 1)
            seconds = (self._recorder.clock() - self._began) / 1e9
            worker = self._recorder.painter_of(done.tile.number)
            watch(Moment(self._request, self._name, done, tiles, worker, self.picture, share, seconds))


@contextmanager
def keep_on_error(
    request: Request, course: RunProgress, salvage: Salvage | None, journal: Journal | None
) -> Iterator[None]:
    """Keep the finished tiles whatever ends the painting, and have the error say where.

    A picture of them takes time to save, which whoever interrupts does not have.
    """
    try:
        yield
    except BaseException as error:
        hint = "" if journal is None else journal.stop()
        if salvage is not None and course.finished and isinstance(error, Exception):
            unfinished = np.zeros_like(course.picture)
            for number in course.finished:
                _, x, y, width, height = tile_of(request, number)
                unfinished[y : y + height, x : x + width] = course.picture[y : y + height, x : x + width]
            with suppress(OutputError):  # the first failure is the one reported
                kept = f"{len(course.finished)} of {course.tiles} tiles are kept in {salvage(unfinished)}"
                hint = f"{kept}; {hint}" if hint else kept
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
