"""Progress lines: how far a draw is and how long the rest may take, where no terminal shows the tiles."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from threading import Event, Thread
from typing import TextIO

from render.painting.course import Moment, Watch

FIRST_SECONDS, MAX_SECONDS = 10.0, 60.0  # to the first line; between two lines at most, each time twice as long
MIN_SECONDS = 2.0  # of painting; before that, an estimate of the rest means little

Seconds = Callable[[], float]


def describe_left(moment: Moment) -> str:
    """Say how long the rest may take, if it takes as long as what is done: ", about 40 s left"; empty if too early.

    What is done is counted in tiles, or in their estimated cost where the plan knows it.
    """
    if moment.seconds < MIN_SECONDS or not 0 < moment.share < 1:
        return ""
    return f", about {describe_roughly(moment.seconds * (1 - moment.share) / moment.share)} left"


def describe_roughly(seconds: float) -> str:
    """Say a time as exactly as an estimate deserves: "5 s", "40 s", "12 min", "3 h 20 min"."""
    if seconds < 10:
        return f"{max(round(seconds), 1)} s"
    if seconds < 90:
        return f"{round(seconds / 5) * 5} s"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes} min"
    hours, minutes = divmod(round(minutes / 10) * 10, 60)
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"


class ProgressLines:
    """The progress of a draw, as a line whenever it is asked for; finished tiles are noted as they come."""

    def __init__(self, began: float) -> None:
        self.began = began
        self.done: int = 0
        self.latest: Moment | None = None

    def note_tile(self, moment: Moment) -> None:
        """Note a finished tile; the count starts anew with another run."""
        again = self.latest is not None and self.latest.request is moment.request
        self.done = self.done + 1 if again else 1
        self.latest = moment

    def current_line(self, now: float) -> str:
        """Say how many tiles are finished and how long the rest may take."""
        moment = self.latest
        if moment is None:
            return f"no tile finished after {describe_roughly(now - self.began)}"
        return f"{moment.name}: {self.done} of {moment.tiles} tiles{describe_left(moment)}"


@contextmanager
def report_lines(stream: TextIO, clock: Seconds = time.monotonic) -> Iterator[Watch]:
    """Write a progress line now and then, from a thread of its own; none for a draw that soon finishes."""
    report, ended = ProgressLines(clock()), Event()
    thread = Thread(target=_write_lines, args=(report, stream, ended, clock), daemon=True, name="progress")
    try:
        thread.start()
    except RuntimeError:  # no more threads are allowed: better no line than no picture
        yield report.note_tile
        return
    try:
        yield report.note_tile
    finally:
        ended.set()
        thread.join()


def _write_lines(report: ProgressLines, stream: TextIO, ended: Event, clock: Seconds) -> None:
    pause = FIRST_SECONDS
    with suppress(OSError, ValueError):  # whoever listened has gone
        while not ended.wait(pause):
            stream.write(f"render: {report.current_line(clock())}\n")
            stream.flush()
            pause = min(2 * pause, MAX_SECONDS)
