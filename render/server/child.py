"""A worker's process: it paints what it is sent, in memory of its own, and may be killed without harm to the server.

The worker's thread sends an area and waits for the answer; anything that it sends meanwhile means: stop. A process that
dies is replaced, and what it was at is painted once more, a few times at most.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import time
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, NamedTuple

from render.errors import RenderError
from render.processes import exit_with_parent
from render.server.painting import MOST_NS, Painted, Painting
from render.server.pyramid import Area, Pyramids
from render.trace import Recorder, Span

if TYPE_CHECKING:
    import numpy as np

TRIES = 3  # of one painting, whose process dies
LOOK_SECONDS = 0.01  # between two looks at whether the painting is still wanted
HUNG_SECONDS = 2 * MOST_NS / 1e9
STOP = None


class Answer(NamedTuple):
    """The outcome of painting an area: its file and pixels, or the error, or neither where it was stopped."""

    spans: Sequence[Span]
    data: bytes = b""
    rgb: np.ndarray | None = None
    error: RenderError | None = None


def serve_areas(connection: Connection, parent: int, files: tuple[str, ...]) -> None:
    """Paint the areas that come, until the parent hangs up."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal sends Control-C to all; the parent says when to end
    exit_with_parent(parent)
    pyramids = Pyramids(files)
    with contextlib.suppress(EOFError, OSError):
        while True:
            area = connection.recv()
            if area is not STOP:
                connection.send(_paint(area, pyramids, connection.poll))


def _paint(area: Area, pyramids: Pyramids, stop: Callable[[], bool]) -> Answer:
    recorder = Recorder()
    try:
        window = pyramids.start(area)
        with contextlib.closing(window), recorder.record_work("paint", 0):
            done = window.paint(MOST_NS, stop)
        if not done or window.result is None:
            return Answer(tuple(recorder.drain()))
        return Answer(tuple(recorder.drain()), window.result.png(), window.result.rgb)
    except RenderError as error:
        return Answer(tuple(recorder.drain()), error=error)


class ProcessBrush:
    """Paints in a process, which is started when it is first needed. `report_loss` is called with how one died."""

    def __init__(self, files: tuple[str, ...], report_loss: Callable[[str], None]) -> None:
        self._files, self._report_loss = files, report_loss
        self._process: multiprocessing.process.BaseProcess | None = None
        self._connection: Connection | None = None

    def paint(self, painting: Painting, ns: int) -> Painted | None:
        """Have the process paint the whole area. Raises RenderError, also where its processes keep dying."""
        for _ in range(TRIES):
            try:
                answer = self._ask(painting)
            except (EOFError, OSError):
                self._report_loss(self._describe_death())
                self.close()
                continue
            painting.recorder.extend(answer.spans)
            if answer.error is not None:
                raise answer.error
            return None if answer.rgb is None else Painted(answer.data, answer.rgb)
        raise RenderError(f"the process that paints it was lost {TRIES} times", "ask for it again")

    def _ask(self, painting: Painting) -> Answer:
        connection = self._connection or self._start()
        connection.send(painting.area)
        asked, told = time.monotonic(), False
        while not connection.poll(LOOK_SECONDS):
            if painting.stopped.is_set() and not told:
                connection.send(STOP)
                told = True
            if time.monotonic() - asked > HUNG_SECONDS:
                raise EOFError
        answer: Answer = connection.recv()
        return answer

    def _start(self) -> Connection:
        context = multiprocessing.get_context("spawn")  # nothing is forked beside threads and an event loop
        self._connection, theirs = context.Pipe()
        self._process = context.Process(target=serve_areas, args=(theirs, os.getpid(), self._files), daemon=True)
        try:
            self._process.start()
        finally:
            theirs.close()
        return self._connection

    def _describe_death(self) -> str:
        if self._process is None:
            return "it did not start"
        self._process.join(0.2)
        code = self._process.exitcode
        return "it did not move" if code is None else f"exit code {code}" if code >= 0 else f"signal {-code}"

    def close(self) -> None:
        """End the process, whatever it does."""
        if self._connection is not None:
            self._connection.close()
        if self._process is not None and self._process.pid is not None:
            self._process.kill()
            self._process.join(2)
        self._process = self._connection = None
