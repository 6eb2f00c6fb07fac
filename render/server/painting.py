"""A painting: what some clients wait for, painted slice by slice in whatever worker has a turn for it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np

from render.errors import RenderError, TileError
from render.trace import Recorder

if TYPE_CHECKING:
    from render.frontend.sessions import StartedWindow
    from render.server.pyramid import Area, Pyramids

TURN_NS = 200_000_000  # after which a tile is suspended for the next client; most need a tenth of it
MOST_NS = 20_000_000_000  # of painting one tile: nobody waits so long, and no parameter may ask for more


class Painted(NamedTuple):
    """A finished painting: the file that is sent, and its pixels (height, width, 3) uint8."""

    data: bytes
    rgb: np.ndarray


class TooCostly(TileError):
    """Painting was given up: it took too long."""


class Brush(Protocol):
    """A worker's way to paint."""

    def paint(self, painting: Painting, ns: int) -> Painted | None:
        """Paint for about so many ns, and record it; return what is finished, or None. Raises RenderError."""
        ...

    def close(self) -> None:
        """Release what painting needs."""
        ...


class Painting:
    """An area that somebody wants. `wait_ns`: what its worker waits for data first, where nobody else has.

    `pixels`: they are wanted themselves, so a file that is known does not do.

    The event loop calls `finish` when it is told so; `stopped` is set by the loop and read by the worker.
    """

    def __init__(
        self, key: Hashable, area: Area, report: Callable[[Painting], None], *, wait_ns: int = 0, pixels: bool = False
    ) -> None:
        self.key, self.area, self.wait_ns, self.pixels = key, area, wait_ns, pixels
        self.recorder = Recorder()
        self.stopped = threading.Event()
        self.window: StartedWindow | None = None
        self.painted: Painted | None = None
        self.error: Exception | None = None
        self.workers: list[int] = []  # those that were at it, by number
        self.spent = 0  # ns
        self._report = report

    def work(self, brush: Brush, worker: int, recall: Callable[[Area], bytes | None], turn_ns: int) -> bool:
        """Let a worker have a turn at it; return whether it is over: finished, failed, or stopped."""
        if self.wait_ns:
            with self.recorder.span("wait", 0):
                self.stopped.wait(self.wait_ns / 1e9)
            self.wait_ns = 0
        known = None if self.pixels else recall(self.area)
        if known is not None and not self.stopped.is_set():
            self.painted = Painted(known, np.zeros((0, 0, 3), np.uint8))
            return self._end()
        t0 = self.recorder.clock()
        try:
            if not self.stopped.is_set():
                self.workers.append(worker)
                self.painted = brush.paint(self, turn_ns)
                self.spent += self.recorder.clock() - t0
                if self.painted is None and self.spent > MOST_NS:
                    raise TooCostly(f"this takes more than {MOST_NS // 10**9} s", "zoom out, or lower the limit")
        except RenderError as error:
            self.error = error
        except Exception as error:  # noqa: BLE001  (it is told to whoever waits for the tile)
            self.error = RenderError(f"{type(error).__name__}: {error}", "this is a bug in render")
        return self._end() if self.over or self.stopped.is_set() else False

    @property
    def over(self) -> bool:
        """Tell if there is nothing left to do."""
        return self.painted is not None or self.error is not None

    def drop(self) -> None:
        """Give back the memory that painting needs."""
        if self.window is not None:
            self.window.close()
            self.window = None

    def _end(self) -> bool:
        self.drop()
        self._report(self)
        return True


class ThreadBrush:
    """Paints in the calling thread: compiled code drops Python's lock, so threads paint at the same instant."""

    def __init__(self, pyramids: Pyramids) -> None:
        self._pyramids = pyramids

    def paint(self, painting: Painting, ns: int) -> Painted | None:
        """Paint slices of the painting's window."""
        if painting.window is None:
            painting.window = self._pyramids.start(painting.area)
        with painting.recorder.record_work("paint", 0):
            if not painting.window.paint(ns, painting.stopped.is_set):
                return None
        window = painting.window.result
        assert window is not None
        return Painted(window.png(), window.rgb)

    def close(self) -> None:
        """Do nothing: sessions are shared by all."""
