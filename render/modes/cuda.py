"""Mode `cuda`: a graphics card, thousands of lanes at once. A thousand stages on one evening.

    stream 0  |111|444|
    stream 1   |222|555|
    stream 2    |333|666|

A stream is a queue of launches; each paints one tile and copies it back. The card works on several at a time, so one
stream's copy hides behind another's painting. The host only hands out tiles: while one waits for its data (`--wait`),
streams whose tiles are ready go on. Several cards share one queue of tiles; what a card that fails has not finished
goes back into it.

Without a card that can be used it does not run, and says why; `--simulate` runs the same kernel in numba's simulator.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from render.errors import RenderError
from render.painting.painter import Launcher

if TYPE_CHECKING:
    from render.painting.painter import Done, Painter
    from render.plan import Tile
    from render.request import Request
    from render.runtime.kernel import Painted, Stream

KIND = "device"
OPTIONS = frozenset({"simulate", "blocks"})
IN_FLIGHT = 1
Result = TypeVar("Result")
SPIN = 200_000  # ns in which the streams are looked at again and again: to be woken up takes as long as a small launch
SHORTEST_PAUSE, LONGEST_PAUSE = 50_000, 1_000_000  # ns between two looks after that
PATIENCE = 32  # a look comes late by so small a share of the time that nothing has happened


def unavailable_reason(request: Request) -> None:
    """Nothing: a device is the target's business."""


def needs_shared_canvas(request: Request) -> bool:
    """Rows come back to this process, from the card as from the simulator."""
    return False


def run(tiles: Sequence[Tile], painter: Painter) -> Iterator[Done]:
    """Keep all streams busy; yield each tile as its pixels arrive."""
    assert isinstance(painter, Launcher)
    try:
        yield from Host(tiles, painter, painter.open()).run()
    finally:
        painter.launches.close()


class Turn(NamedTuple):
    """A tile on its stream: since when it is there, and when its data is."""

    tile: Tile
    stream: Stream
    since: int
    due: int


class Host:
    """Hands tiles to streams and takes them back, and never waits for one while another could go on."""

    def __init__(
        self,
        tiles: Sequence[Tile],
        painter: Launcher,
        streams: Sequence[Stream],
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._todo = deque(tiles)
        self._streams = list(streams)
        self._free = deque(streams)
        self._waiting: deque[Turn] = deque()
        self._painting: list[Turn] = []
        self._supplied: set[int] = set()  # tiles whose data was waited for
        self._painter, self._recorder, self._sleep = painter, painter.recorder, sleep
        self._looked = self._recorder.clock()  # when something last happened

    def run(self) -> Iterator[Done]:
        """Tiles as they are done. Raises TileError, or RenderError where the last card fails."""
        self._go_on()
        while self._todo or self._waiting or self._painting:
            ready = self._ready()
            painted = ready and self._brought(ready)
            if ready is None or painted is None:
                self._pause()
                self._go_on()
                continue
            self._looked = self._recorder.clock()
            done = self._painter.done(ready.tile, painted.made, painted.bad)
            failure = self._went_on()  # the card has its next tile before anybody looks at this one
            self._painter.record(ready.tile, ready.stream, painted)
            yield done
            if failure is not None:
                raise failure
        while self._painter.record_blocks():
            pass

    def _ready(self) -> Turn | None:
        """The oldest launch that has ended, if any."""
        for turn in list(self._painting):
            if turn in self._painting and self._guarded(turn, turn.stream.ready):  # its card may have failed meanwhile
                return turn
        return None

    def _went_on(self) -> RenderError | None:
        """Go on; what fails is to be raised when the tiles that are done have been told."""
        try:
            self._go_on()
        except RenderError as failure:
            return failure
        return None

    def _go_on(self) -> None:
        """Give each free stream a tile, and launch those whose data is there."""
        while self._todo and self._free:
            now, tile = self._recorder.clock(), self._todo.popleft()
            due = now if tile.number in self._supplied else now + self._painter.request.wait_ns
            self._waiting.append(Turn(tile, self._free.popleft(), now, due))
        for turn in [turn for turn in self._waiting if turn.due <= self._recorder.clock()]:
            if turn in self._waiting:  # its card may have failed meanwhile
                self._launch(turn)

    def _launch(self, turn: Turn) -> None:
        """Begin to paint a tile whose data is there."""
        self._waiting.remove(turn)
        self._painting.append(turn)
        number, *rectangle = turn.tile
        if self._painter.request.wait_ns and number not in self._supplied:
            self._recorder.add("wait", turn.since, self._recorder.clock(), number, turn.stream.worker)
            self._supplied.add(number)
        self._guarded(turn, partial(turn.stream.submit, *rectangle))

    def _pause(self) -> None:
        """Do what can be done later, or let others run, or where nothing has happened for a while, sleep.

        Never past the next tile that is due.
        """
        if self._painter.record_blocks():
            return
        now = self._recorder.clock()
        idle = now - self._looked
        pause = 0 if idle < SPIN else min(max(idle // PATIENCE, SHORTEST_PAUSE), LONGEST_PAUSE)
        if self._waiting:
            until = min(turn.due for turn in self._waiting) - now
            pause = min(pause, until) if self._painting else until
        self._sleep(max(pause, 0) / 1e9)

    def _brought(self, turn: Turn) -> Painted | None:
        """The tile's pixels on the canvas, its stream free; None where its card has failed."""
        painted = self._guarded(turn, partial(self._painter.collect, turn.tile, turn.stream))
        if painted is not None:
            self._painting.remove(turn)
            self._free.append(turn.stream)
        return painted

    def _guarded(self, turn: Turn, action: Callable[[], Result]) -> Result | None:
        """Do something for a tile. Where that fails its card is done with, and None is given."""
        try:
            return action()
        except RenderError as failure:
            self._lose(turn, failure)
        except Exception as error:  # noqa: BLE001  (told as the tile's failure, unless other cards go on)
            beside = [one.tile.number for one in self._painting if one.stream.device is turn.stream.device]
            others = ", ".join(str(number) for number in beside if number != turn.tile.number)
            told = f" (tiles {others} were painted beside it)" if others else ""
            self._lose(turn, self._painter.failure(turn.tile, f"{type(error).__name__}: {error}{told}"))
        return None

    def _lose(self, turn: Turn, failure: RenderError) -> None:
        """Go on without a card that has failed: others paint what it has not finished. Raises for the last."""
        device = turn.stream.device
        left = [stream for stream in self._streams if stream.device is not device]
        if not left:
            raise failure
        self._painter.launches.report_failure(f"{device.name}: {failure}")
        begun = [*self._painting, *self._waiting]
        self._todo.extendleft(one.tile for one in reversed(begun) if one.stream.device is device)
        self._streams, self._free = left, deque(stream for stream in self._free if stream in left)
        self._painting = [one for one in self._painting if one.stream.device is not device]
        self._waiting = deque(one for one in self._waiting if one.stream.device is not device)
