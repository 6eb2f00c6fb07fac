"""Mode `cuda`: a GPU, thousands of lanes at once. A thousand stages on one evening.

    stream 0  |1 2 3 4 5 6 7 8 |copy |
    stream 1           |9 10 11 12 13|copy |
    stream 2                   |14 15 16 ...

A stream is a queue of launches; each paints many tiles, on all the GPU's multiprocessors, and copies them back. While
one stream copies, another paints, so a frame is a few launches (`LAUNCHES`). The host only hands out tiles: those whose
data has come (`--wait`) go together, and a tile whose data is not there is in no launch. Several GPUs share one queue
of tiles; what a GPU that fails has not finished goes back into it.

Without a GPU that can be used it does not run, and says why; `--simulate` runs the same kernel in numba's simulator.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from render.errors import RenderError
from render.painting.painter import Done, Launcher, TileTable
from render.plan import Tile, tile_of
from render.runtime.kernel import LAUNCHES, pieces

if TYPE_CHECKING:
    from render.painting.painter import Painter
    from render.request import Request
    from render.runtime.kernel import Painted, Stream

KIND = "device"
OPTIONS = frozenset({"simulate"})
IN_FLIGHT = 1
Result = TypeVar("Result")
SPIN = 200_000  # ns in which the streams are looked at again and again: to be woken up takes as long as a small launch
SHORTEST_PAUSE, LONGEST_PAUSE = 50_000, 1_000_000  # ns between two looks after that
NAMED = 8  # tiles in a message
PATIENCE = 32  # a look comes late by so small a share of the time that nothing has happened


def unavailable_reason(request: Request) -> None:
    """Nothing: a device is the target's business."""


def needs_shared_canvas(request: Request) -> bool:
    """Rows come back to this process, from the GPU as from the simulator."""
    return False


def run(tiles: Sequence[Tile], painter: Painter) -> Iterator[Done]:
    """Keep all streams busy; yield each tile as its pixels arrive."""
    assert isinstance(painter, Launcher)
    try:
        yield from Host(tiles, painter, painter.open_streams()).run()
    except BaseException:
        painter.launches.close()
        raise
    painter.launches.leave()


class Turn(NamedTuple):
    """A launch on its stream."""

    table: TileTable
    stream: Stream


class Host:
    """Hands tiles to streams and takes them back, and never waits for one while another could go on.

    All tiles ask for their data at the start; a launch takes those whose data has come, so many of them that there are
    few launches. A tile that has no room in a launch is painted in pieces, and is done when its last piece is.
    """

    def __init__(
        self,
        tiles: Sequence[Tile],
        painter: Launcher,
        streams: Sequence[Stream],
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._painter, self._recorder, self._sleep = painter, painter.recorder, sleep
        self._streams, self._free = list(streams), deque(streams)
        self._pieces: dict[int, list[int]] = {}  # of tiles that were cut: how many are left, and their steps so far
        self._todo = TileTable.of(self._cut(tiles))  # made once: while the host prepares a launch, the device has none
        devices = len({id(stream.device) for stream in streams})
        self._share = -(-len(self._todo.tiles) // (LAUNCHES * devices))  # of the tiles, for one launch
        self._painting: list[Turn] = []
        self._looked = self._asked = self._recorder.clock()  # when something last happened; when data was asked for
        self._supplied: set[int] = set()  # tiles whose data was waited for

    def run(self) -> Iterator[Done]:
        """Tiles as they are done. Raises TileError, or RenderError where the last device fails."""
        self._go_on()
        while self._todo.tiles or self._painting:
            ready = self._ready()
            painted = ready and self._brought(ready)
            if ready is None or painted is None:
                self._pause()
                self._go_on()
                continue
            self._looked = self._recorder.clock()
            made, bad = painted.made.tolist(), painted.bad.tolist()
            failure = self._went_on()  # the device has its next tiles before anybody looks at these
            self._painter.record_launch(ready.table, ready.stream, painted)
            yield from self._done(ready.table, made, bad)
            if failure is not None:
                raise failure
        while self._painter.record_squares():
            pass

    def _cut(self, tiles: Sequence[Tile]) -> Sequence[Tile]:
        """The tiles, or pieces of them where they have no room in a launch."""
        wide, high = (min(sizes) for sizes in zip(*(stream.shape[1:] for stream in self._streams), strict=True))
        request = self._painter.request
        if min(request.tile[0], request.width) <= wide and min(request.tile[1], request.height) <= high:
            return tiles
        made: list[Tile] = []
        for tile in tiles:
            cut = [Tile(tile.number, *piece) for piece in pieces(*tile[1:], wide, high)]
            if len(cut) > 1:
                self._pieces[tile.number] = [len(cut), 0]
            made += cut
        return made

    def _done(self, table: TileTable, made: list[int], bad: list[int]) -> Iterator[Done]:
        """Those of a launch that are done, and then the first that failed."""
        if not self._pieces and not any(bad):
            yield from map(Done, table.tiles, made)
            return
        failed: list[tuple[Tile, int]] = []
        for tile, steps, strange in zip(table.tiles, made, bad, strict=True):
            if strange:
                failed.append((tile, strange))
                continue
            piece = self._pieces.get(tile.number)
            if piece is None:
                yield Done(tile, steps)
            else:
                piece[:] = piece[0] - 1, piece[1] + steps
                if not piece[0]:
                    yield Done(tile_of(self._painter.request, tile.number), piece[1])
        for tile, strange in failed:
            self._painter.finish_tile(tile, 0, strange)  # raises TileError

    def _ready(self) -> Turn | None:
        """The oldest launch that has ended, if any."""
        for turn in list(self._painting):
            if turn in self._painting and self._guarded(turn, turn.stream.ready):  # its device may have failed
                return turn
        return None

    def _went_on(self) -> RenderError | None:
        """Go on; what fails is to be raised when the tiles that are done have been yielded."""
        try:
            self._go_on()
        except RenderError as failure:
            return failure
        return None

    def _go_on(self) -> None:
        """Launch tiles whose data is there on each free stream."""
        while self._todo.tiles and self._free and self._recorder.clock() >= self._asked + self._painter.request.wait_ns:
            stream = self._free.popleft()
            count = min(self._share, stream.shape.tiles)
            table, self._todo = self._todo.part(0, count), self._todo.part(count)
            self._launch(Turn(table, stream))

    def _launch(self, turn: Turn) -> None:
        """Begin to paint tiles whose data is there."""
        self._painting.append(turn)
        if self._painter.request.wait_ns:
            fresh = {tile.number: tile for tile in turn.table.tiles if tile.number not in self._supplied}
            self._supplied.update(fresh)
            self._painter.record_waiting(TileTable.of(list(fresh.values())), turn.stream, self._asked)
        self._guarded(turn, partial(turn.stream.submit, turn.table.rectangles))

    def _pause(self) -> None:
        """Do what can be done later, or let others run, or where nothing has happened for a while, sleep.

        Where nothing is being painted, until the tiles' data is due.
        """
        if self._painter.record_squares():
            return
        now = self._recorder.clock()
        idle = now - self._looked
        pause = 0 if idle < SPIN else min(max(idle // PATIENCE, SHORTEST_PAUSE), LONGEST_PAUSE)
        if not self._painting:
            pause = self._asked + self._painter.request.wait_ns - now
        self._sleep(max(pause, 0) / 1e9)

    def _brought(self, turn: Turn) -> Painted | None:
        """Collect a launch onto the canvas and free its stream; None where its device has failed."""
        painted = self._guarded(turn, partial(self._painter.collect, turn.table, turn.stream))
        if painted is not None:
            self._painting.remove(turn)
            self._free.append(turn.stream)
        return painted

    def _guarded(self, turn: Turn, action: Callable[[], Result]) -> Result | None:
        """Do something for a launch. Where that fails its device is lost, and None is returned."""
        try:
            return action()
        except RenderError as failure:
            self._lose(turn, failure)
        except Exception as error:  # noqa: BLE001  (reported as the tile's failure, unless other devices go on)
            first, *rest = turn.table.tiles
            beside = [one for one in self._painting if one.stream.device is turn.stream.device and one is not turn]
            others = [tile.number for tile in rest] + [tile.number for one in beside for tile in one.table.tiles]
            named = ", ".join(map(str, others[:NAMED])) + (", ..." if len(others) > NAMED else "")
            more = f" (tiles {named} were painted beside it)" if others else ""
            self._lose(turn, self._painter.tile_failure(first, f"{type(error).__name__}: {error}{more}"))
        return None

    def _lose(self, turn: Turn, failure: RenderError) -> None:
        """Go on without a device that has failed: others paint what it has not finished. Raises for the last."""
        device = turn.stream.device
        left = [stream for stream in self._streams if stream.device is not device]
        if not left:
            raise failure
        self._painter.launches.report_failure(f"{device.name}: {failure}")
        lost = [tile for one in self._painting if one.stream.device is device for tile in one.table.tiles]
        self._todo = TileTable.of([*lost, *self._todo.tiles])
        self._streams, self._free = left, deque(stream for stream in self._free if stream in left)
        self._painting = [one for one in self._painting if one.stream.device is not device]
