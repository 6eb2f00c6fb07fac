"""What runs in a worker process: take a painter, paint the tiles that are sent, and send back what became of them.

A worker never sees a tile twice, nor keeps any: what it has not sent back when it dies is painted by another. It tells
how it is by three numbers in memory that it shares with its parent, so that nothing has to be sent while it paints.
"""

from __future__ import annotations

import contextlib
import mmap
import os
import pickle
import struct
import threading
import time
from collections.abc import Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from render.errors import RenderError
from render.painting.handfuls import Handful, paint_handful
from render.painting.painter import Painter
from render.trace import Span

if TYPE_CHECKING:
    from render.plan import Tile

SLOT = struct.Struct("=qqq")  # the tile under way or -1, signs of life so far, ns of the longest pause between two
PARENT_SECONDS = 0.5  # between two looks at whether the parent still lives


class Load(NamedTuple):
    """Take a painter: where it lies, pickled, and where this worker's slot is (a path and the worker's number)."""

    painter: str
    slots: str
    number: int


class WorkerResult(NamedTuple):
    """What a worker sends back: the tiles done, or the error, and what it recorded meanwhile."""

    handful: Handful
    spans: tuple[Span, ...]


class Slot:
    """How a worker is, in memory that its parent reads at any time. Each of the three numbers is written at once."""

    def __init__(self, path: str, number: int) -> None:
        with Path(path).open("r+b") as file:
            self._memory = mmap.mmap(file.fileno(), 0)
        self._at, self._beats, self._longest = number * SLOT.size, 0, 0
        self._last = time.monotonic_ns()

    def write(self, tile: int) -> None:
        """Say which tile is painted from now on; -1: none."""
        struct.pack_into("=q", self._memory, self._at, tile)
        self.beat()

    def beat(self) -> None:
        """Give a sign of life."""
        now = time.monotonic_ns()
        self._beats, self._longest, self._last = self._beats + 1, max(self._longest, now - self._last), now
        struct.pack_into("=qq", self._memory, self._at + 8, self._beats, self._longest)

    def read(self) -> tuple[int, int, int]:
        """The tile under way or -1, how many signs of life, ns of the longest pause between two."""
        tile, beats, longest = SLOT.unpack_from(self._memory, self._at)
        return tile, beats, longest

    def clear(self) -> None:
        """Write that nothing has been heard yet."""
        SLOT.pack_into(self._memory, self._at, -1, 0, 0)


def serve(connection: Connection, parent: int) -> None:
    """Do what is sent, until the parent hangs up. Calls: a `Load`, answered with spans; tiles, with a WorkerResult."""
    exit_with_parent(parent)
    painter: Painter | None = None
    slot: Slot | None = None
    with contextlib.suppress(EOFError, BrokenPipeError):
        while True:
            call = connection.recv()
            if isinstance(call, Load):
                painter, slot = None, None  # what they hold is given back first
                try:
                    slot = Slot(call.slots, call.number)
                    painter = _load_painter(call.painter, slot)
                except Exception as error:  # noqa: BLE001  (told where the tiles are awaited)
                    connection.send(RenderError(f"a worker cannot start: {type(error).__name__}: {error}"))
                else:
                    connection.send(painter.recorder.drain())
            else:
                assert painter is not None
                assert slot is not None
                connection.send(paint_tiles(call, painter, slot))


def exit_with_parent(parent: int) -> None:
    """Watch the process that started this worker, and end with it, also in the midst of a tile."""

    def watch_parent() -> None:
        while os.getppid() == parent:
            time.sleep(PARENT_SECONDS)
        os._exit(0)

    if hasattr(os, "getppid"):
        with contextlib.suppress(RuntimeError):  # no more threads are allowed: better no watch than no worker
            threading.Thread(target=watch_parent, daemon=True, name="parent-watch").start()


def _load_painter(path: str, slot: Slot) -> Painter:
    t0 = time.perf_counter_ns()
    painter: Painter = pickle.loads(Path(path).read_bytes())  # noqa: S301  (written by the parent)
    painter.recorder.add("start", t0, painter.recorder.clock())
    painter.call_between_slices(slot.beat)
    return painter


def paint_tiles(tiles: Sequence[Tile], painter: Painter, slot: Slot) -> WorkerResult:
    """Paint these tiles. An error is sent back as a value, with the tiles that were done before it."""
    left = iter(tiles)

    def take_tile() -> Tile | None:
        tile = next(left, None)
        slot.write(-1 if tile is None else tile.number)
        return tile

    handful = paint_handful(take_tile, painter)
    return WorkerResult(handful, painter.recorder.drain())
