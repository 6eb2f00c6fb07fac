"""The code of a worker process: take a painter, paint the tiles that are sent, and send back what became of them.

A worker never sees a tile twice, nor keeps any: what it has not sent back when it dies is painted by another. It tells
how it is by three numbers in memory that it shares with its parent, so that nothing has to be sent while it paints.
"""

from __future__ import annotations

import contextlib
import mmap
import pickle
import struct
import time
from collections import deque
from collections.abc import Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from render.errors import RenderError
from render.painting.handfuls import Handful, paint_handfuls
from render.painting.painter import Painter
from render.processes import exit_with_parent
from render.trace import Span

if TYPE_CHECKING:
    from render.plan import Tile

SLOT = struct.Struct("=qqq")  # the tile under way or -1, signs of life so far, ns of the longest pause between two
IDLE_SECONDS = 300.0


class Load(NamedTuple):
    """Take a painter: where it lies, pickled, where this worker's slot is, and how many tiles to juggle."""

    painter: str
    slots: str
    number: int
    in_flight: int


class WorkerResult(NamedTuple):
    """The result of a call: the tiles done, or the error, and what was recorded meanwhile."""

    handful: Handful
    spans: Sequence[Span]


class Slot:
    """The state of a worker, in memory that its parent may read at any time. Each number is written at once."""

    def __init__(self, path: str, number: int) -> None:
        with Path(path).open("r+b") as file:
            self._memory = mmap.mmap(file.fileno(), 0)
        self._at, self._beats, self._longest = number * SLOT.size, 0, 0
        self._last = time.monotonic_ns()

    def write_tile(self, tile: int) -> None:
        """Write the tile that is painted from now on; -1: none."""
        struct.pack_into("=q", self._memory, self._at, tile)
        self.write_heartbeat()

    def write_heartbeat(self) -> None:
        """Write a sign of life."""
        now = time.monotonic_ns()
        self._beats, self._longest, self._last = self._beats + 1, max(self._longest, now - self._last), now
        struct.pack_into("=qq", self._memory, self._at + 8, self._beats, self._longest)

    def read_state(self) -> tuple[int, int, int]:
        """Read the tile in progress or -1, the count of heartbeats, and the longest pause between two in ns."""
        tile, beats, longest = SLOT.unpack_from(self._memory, self._at)
        return tile, beats, longest

    def clear_state(self) -> None:
        """Write that no heartbeat has come yet."""
        SLOT.pack_into(self._memory, self._at, -1, 0, 0)


def serve_calls(connection: Connection, parent: int) -> None:
    """Answer calls until the parent hangs up or nothing has come for IDLE_SECONDS.

    A call is a `Load`, answered with spans, or some tiles, answered with a `WorkerResult`: all together, or where tiles
    are juggled each as it is done, for each is then a call of its own.
    """
    exit_with_parent(parent)
    painter: Painter | None = None
    in_flight = 1
    with contextlib.suppress(EOFError, ConnectionError):
        while connection.poll(IDLE_SECONDS):
            call = connection.recv()
            if isinstance(call, Load):
                painter, in_flight = None, call.in_flight  # what it holds is given back first
                try:
                    painter = _load_painter(call)
                except Exception as error:  # noqa: BLE001  (raised where the tiles are awaited)
                    connection.send(RenderError(f"a worker cannot start: {type(error).__name__}: {error}"))
                else:
                    connection.send(painter.recorder.drain())
            else:
                assert painter is not None
                left = RemainingTiles(call, connection if in_flight > 1 else None)
                for handful in paint_handfuls(left.take_tile, painter, in_flight, 0 if in_flight > 1 else None):
                    connection.send(WorkerResult(handful, painter.recorder.drain()))


class RemainingTiles:
    """The tiles of a call that are left. With a connection, those of calls that come meanwhile too."""

    def __init__(self, tiles: Sequence[Tile], connection: Connection | None) -> None:
        self._tiles, self._connection = deque(tiles), connection

    def take_tile(self) -> Tile | None:
        """Take the next tile, or None if there is none just now."""
        while self._connection is not None and self._connection.poll():
            self._tiles.extend(self._connection.recv())
        return self._tiles.popleft() if self._tiles else None


def _load_painter(load: Load) -> Painter:
    t0 = time.perf_counter_ns()
    painter: Painter = pickle.loads(Path(load.painter).read_bytes())  # noqa: S301  (written by the parent)
    painter.recorder.add("start", t0, painter.recorder.clock())
    painter.report_to(Slot(load.slots, load.number))
    return painter
