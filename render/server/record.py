"""The record: who wanted what, when it waited for data and for a worker, and who painted it when.

The last requests only, so it never grows. Its spans are those of any trace: a request that was painted is a tile, and
`to_frames` makes a saved trace of them, whose picture has all their tiles side by side, made small.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from math import isqrt
from typing import TYPE_CHECKING, Any

import numpy as np

from render import machine
from render.frame import Frame, Frames
from render.request import Request
from render.trace import SYSTEM_CLOCK, Clock, Span, Trace
from render.wording import count

if TYPE_CHECKING:
    from render.server.painting import Painting

KEPT = 600  # requests
THUMB = 64  # pixels along an edge


@dataclass
class Asked:
    """One request: who asked for what, and its times in ns of the record's clock.

    `waits` are spans of waiting for data, `paints` those of painting, by the workers `by`; `busy_ns` is how long
    workers were busy with it in all. A request whose tile others had wanted before has none of these. `outcome`: ""
    while it is open.
    """

    number: int
    user: int
    label: str
    arrived: int
    waits: list[Span] = field(default_factory=list)
    paints: list[Span] = field(default_factory=list)
    done: int = 0
    outcome: str = ""
    thumb: np.ndarray | None = None
    by: tuple[int, ...] = ()
    painting: Painting | None = None  # while it is open and somebody is to paint it
    busy_ns: int = 0

    def finish(self, now: int, outcome: str) -> None:
        """Note that it is over: "painted", "cached", "shared", "gone", "refused" or "failed"."""
        self.done, self.outcome, self.painting = now, outcome, None

    @property
    def waited_ns(self) -> int:
        """Time that it waited for data."""
        return sum(span.t1 - span.t0 for span in self.waits)


@dataclass(frozen=True)
class Setting:
    """The server's settings that a record keeps: so many workers, whether it switches, and how long data takes (ns)."""

    workers: int
    switching: bool
    data_ns: int
    processes: bool = False

    @property
    def title(self) -> str:
        """The title of a run of such a server."""
        who = "server" if self.workers == 1 else f"server of {self.workers} workers"
        return f"{who} ({'switching' if self.switching else 'one by one'})"


class Record:
    """The last requests, in the order in which they came."""

    def __init__(self, setting: Setting, clock: Clock = SYSTEM_CLOCK, kept: int = KEPT) -> None:
        self.setting, self.clock, self.began = setting, clock, clock()
        self._asked: deque[Asked] = deque(maxlen=kept)
        self.losses: deque[str] = deque(maxlen=20)  # of workers' processes, in words
        self._next = 0

    def __len__(self) -> int:
        """Count the requests that are kept."""
        return len(self._asked)

    def arrive(self, user: int, label: str) -> Asked:
        """Note that a request has come."""
        asked = Asked(self._next, user, label, self.clock())
        self._next += 1
        self._asked.append(asked)
        return asked

    def since(self, t0: int) -> list[Asked]:
        """List the requests that were not over at a time, or came later."""
        return [asked for asked in self._asked if not asked.outcome or asked.done >= t0]

    def to_frames(self) -> Frames | None:
        """Make a run of what was painted, as outputs take it; None where nothing was."""
        done = [(asked, asked.thumb) for asked in self._asked if asked.thumb is not None]
        if not done:
            return None
        columns = isqrt(len(done) - 1) + 1
        rows = -(-len(done) // columns)
        rgb = np.zeros((rows * THUMB, columns * THUMB, 3), np.uint8)
        spans: list[Span] = []
        for number, (asked, thumb) in enumerate(done):
            row, column = divmod(number, columns)
            rgb[row * THUMB : (row + 1) * THUMB, column * THUMB : (column + 1) * THUMB] = thumb
            spans += [span._replace(tile=number) for span in (*asked.waits, *asked.paints)]
        users = len({asked.user for asked, _ in done})
        what = f"{count(len(done), 'request')} of {count(users, 'user')}"
        began = min(asked.arrived for asked, _ in done)
        ended = max(asked.done for asked, _ in done)
        trace = Trace(tuple(spans), began, began, ended, self._facts())
        return Frames((Frame(rgb, None, 0, self._request(what, rgb), trace),))

    def _facts(self) -> dict[str, Any]:
        facts = {"device": machine.cpu_name(), "simulated": False, "label": self.setting.title, "server": True}
        lost = {"lost_workers": "; ".join(self.losses)} if self.losses else {}
        return {**machine.describe_machine(), **facts, "asked": self.setting.workers, **lost}

    def _request(self, what: str, rgb: np.ndarray) -> Request:
        """The request that stands for all: no scene draws this picture, so it names none."""
        high, wide, _ = rgb.shape
        several = self.setting.workers > 1
        return Request(
            scene="server",
            view=what,
            parameters=(),
            width=wide,
            height=high,
            samples=4,
            limit=1,
            precision="f64",
            mode="parallel" if several else "concurrent" if self.setting.switching else "sequential",
            target="simd",
            backend=("loky" if self.setting.processes else "threading") if several else None,
            workers=self.setting.workers,
            in_flight=4096 if self.setting.switching else 1,
            wait_ns=self.setting.data_ns,
            tile=(THUMB, THUMB),
            order="rows",
        )


def make_thumb(rgb: np.ndarray) -> np.ndarray:
    """Make a picture small: every so many pixels one is kept (THUMB, THUMB, 3)."""
    high, wide, _ = rgb.shape
    rows, columns = (np.arange(THUMB) * side // THUMB for side in (high, wide))
    return np.ascontiguousarray(rgb[rows[:, None], columns])
