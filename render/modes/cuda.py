"""Mode `cuda`: a graphics card, thousands of lanes at once. A thousand stages on one evening.

    stream 0  |111|444|
    stream 1   |222|555|
    stream 2    |333|666|

A stream is a queue of launches; each paints one tile and copies it back. The card works on several at a time, so one
stream's copy hides behind another's painting. The host only hands out tiles: while one waits for its data (`--wait`),
streams whose tiles are ready go on.

Without a card that can be used it does not run, and says why; `--simulate` runs the same kernel in numba's simulator.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, NamedTuple, TypeVar, cast

from render import cards
from render.errors import RenderError

if TYPE_CHECKING:
    from render.compiler.launch import Painted
    from render.painter import Done, Painter
    from render.plan import Tile
    from render.request import Request
    from render.targets.cuda import CudaKernel, Stream

TARGETS = ("cuda",)
OPTIONS = frozenset({"simulate", "blocks"})
Result = TypeVar("Result")
SHORTEST_PAUSE, LONGEST_PAUSE = 20_000, 1_000_000  # ns between two looks at the streams


def missing(request: Request) -> tuple[str, str] | None:
    """Why no card can be used here and what to do about it; the simulator is always there."""
    if request.simulate:
        return None
    found = cards.find()
    return None if found.reason is None else (found.reason, found.remedy)


def shared(request: Request) -> bool:
    """Rows come back to this process, from the card as from the simulator."""
    return False


def run(tiles: Sequence[Tile], painter: Painter) -> Iterator[Done]:
    """Keep all streams busy; yield each tile as its pixels arrive."""
    kernel = cast("CudaKernel", painter.kernel)
    try:
        with painter.recorder.span("start"):
            streams = kernel.open(painter.recorder.clock)
        yield from Host(tiles, painter, streams).run()
    finally:
        kernel.close()


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
        painter: Painter,
        streams: Sequence[Stream],
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._todo = deque(tiles)
        self._free = deque(streams)
        self._waiting: deque[Turn] = deque()
        self._painting: list[Turn] = []
        self._painter, self._recorder, self._sleep = painter, painter.recorder, sleep
        self._looked = self._recorder.clock()  # when something last happened

    def run(self) -> Iterator[Done]:
        """Tiles as they are done."""
        while self._todo or self._waiting or self._painting:
            self._hand_out()
            self._launch_what_is_due()
            ready = next((turn for turn in self._painting if self._guarded(turn, turn.stream.done)), None)
            if ready is None:
                self._pause()
                continue
            self._looked = self._recorder.clock()
            yield self._taken_back(ready)

    def _hand_out(self) -> None:
        while self._todo and self._free:
            now = self._recorder.clock()
            due = now + self._painter.request.wait_ns
            self._waiting.append(Turn(self._todo.popleft(), self._free.popleft(), now, due))

    def _launch_what_is_due(self) -> None:
        """All tiles wait equally long, so the first in line is the first due."""
        while self._waiting and self._waiting[0].due <= (now := self._recorder.clock()):
            turn = self._waiting.popleft()
            if self._painter.request.wait_ns:
                self._recorder.add("wait", turn.since, now, turn.tile.number, turn.stream.worker)
            _, *rectangle = turn.tile
            self._guarded(turn, partial(turn.stream.begin, *rectangle))
            self._painting.append(turn)

    def _pause(self) -> None:
        """Sleep a little, and longer the longer nothing happens; never past the next tile that is due."""
        now = self._recorder.clock()
        pause = min(max((now - self._looked) // 8, SHORTEST_PAUSE), LONGEST_PAUSE)
        if self._waiting:
            until = self._waiting[0].due - now
            pause = min(pause, until) if self._painting else until
        self._sleep(max(pause, 0) / 1e9)

    def _taken_back(self, turn: Turn) -> Done:
        """The tile's pixels on the canvas, its spans recorded, its stream free. Raises TileError."""
        tile, stream, painter = turn.tile, turn.stream, self._painter
        kernel = cast("CudaKernel", painter.kernel)
        painted: Painted = self._guarded(turn, partial(kernel.end, stream, painter.canvas, tile.x, tile.y))
        self._recorder.add("paint", painted.began, painted.painted, tile.number, stream.worker)
        self._recorder.add("transfer", painted.painted, painted.arrived, tile.number, stream.worker)
        self._painting.remove(turn)
        self._free.append(stream)
        return painter.done(tile, painted.made, painted.bad)

    def _guarded(self, turn: Turn, action: Callable[[], Result]) -> Result:
        """Do something for a tile; what goes wrong becomes its TileError, unless it tells itself what to do."""
        try:
            return action()
        except RenderError:
            raise
        except Exception as error:
            raise self._painter.failure(turn.tile, f"{type(error).__name__}: {error}") from error
