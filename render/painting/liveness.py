"""For how long a worker may give no sign of life before it is taken to hang."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from render.request import Request

QUIET_SECONDS, QUIET_FACTOR = 20.0, 10.0  # at least so long, and so many times the longest pause between two signs
LOOK_SECONDS = 0.25  # between two looks at the workers


def quiet_limit(request: Request, longest_ns: int) -> float:
    """Return the seconds that a worker may be quiet; `longest_ns`: the longest pause between two signs so far."""
    limit = request.tile_timeout_ns / 1e9 or max(QUIET_SECONDS, QUIET_FACTOR * longest_ns / 1e9)
    return limit + request.wait_ns / 1e9


class ThreadState:
    """The tile that a thread is at, its signs of life, and for how long nobody has seen another (s)."""

    def __init__(self) -> None:
        self.tile, self.beats, self.last, self.longest = -1, 0, time.monotonic_ns(), 0
        self.seen, self.quiet = -1, 0.0


class ThreadWatch:
    """Watches the threads that paint: each reports its tiles, and the waiting thread asks which one hangs."""

    def __init__(self, request: Request) -> None:
        self._request = request
        self._states: dict[int, ThreadState] = {}
        self._looked = time.monotonic()

    def write_tile(self, tile: int) -> None:
        """Note that the calling thread is at a tile."""
        self._states.setdefault(threading.get_ident(), ThreadState()).tile = tile
        self.write_heartbeat()

    def write_heartbeat(self) -> None:
        """Note that the calling thread goes on."""
        state, now = self._states.setdefault(threading.get_ident(), ThreadState()), time.monotonic_ns()
        state.longest, state.last = max(state.longest, now - state.last), now
        state.beats += 1

    def leave(self) -> None:
        """Note that the calling thread has nothing to do any more."""
        self._states.pop(threading.get_ident(), None)

    def find_silent(self) -> tuple[int, float] | None:
        """Return a tile whose thread has given no sign of life for too long, and for how long (s)."""
        now, states = time.monotonic_ns(), list(self._states.values())
        limit = quiet_limit(self._request, max((state.longest for state in states), default=0))
        silent = [(state.tile, (now - state.last) / 1e9) for state in states]
        return next((found for found in silent if found[1] > limit), None)

    def find_hung(self) -> tuple[int, float] | None:
        """Return a tile whose thread hangs, and for how long (s), once all threads that are left do."""
        now = time.monotonic()
        passed = min(now - self._looked, 2 * LOOK_SECONDS)  # we may have been stopped ourselves, and they with us
        self._looked = now
        states = list(self._states.values())
        limit = quiet_limit(self._request, max((state.longest for state in states), default=0))
        for state in states:
            state.seen, state.quiet = state.beats, state.quiet + passed if state.seen == state.beats else 0.0
        if states and all(state.quiet > limit for state in states):
            return states[0].tile, states[0].quiet
        return None
