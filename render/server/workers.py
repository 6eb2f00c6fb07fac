"""The workers: threads that take the next turn, one after the other, as long as there is any.

A thread paints itself, or has a process paint for it (`child`), which may die: the thread then starts another one.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from contextlib import closing
from typing import TYPE_CHECKING

from render.server.painting import Brush, Painting
from render.server.turns import Turns

if TYPE_CHECKING:
    from render.server.pyramid import Area

UNLIMITED_NS = 1 << 62
MOST_SUSPENDED = 16  # tiles: each holds some MB; beyond that, whoever has a turn keeps it until the tile is done


class Workers:
    """So many workers for the turns. `brush` makes the way to paint of each.

    `suspends`: a painting that is not finished after `turn_ns` goes back to its queue. `recall` finds what was painted
    already. All but `take_turns` may be called from any thread.
    """

    def __init__(
        self,
        number: int,
        turns: Turns[Painting],
        brush: Callable[[], Brush],
        recall: Callable[[Area], bytes | None],
        turn_ns: int,
    ) -> None:
        self._turns, self._brush, self._recall, self._turn_ns = turns, brush, recall, turn_ns
        self._changed = threading.Condition()
        self._stopping = False
        self._suspended: set[Painting] = set()
        self.at_work: dict[int, Painting] = {}  # by worker
        self.threads = [
            threading.Thread(target=self._take_turns, args=(one,), name=f"server worker {one}", daemon=True)
            for one in range(number)
        ]

    def start(self) -> None:
        """Start them. Raises RuntimeError where the system starts no more threads."""
        for thread in self.threads:
            thread.start()

    def stop(self) -> None:
        """Stop what they paint, and them."""
        with self._changed:
            self._stopping = True
            for painting in self.at_work.values():
                painting.stopped.set()
            self._changed.notify_all()
        for thread in self.threads:
            if thread.is_alive():
                thread.join(2)

    def count_waiting(self) -> int:
        """Count the paintings that wait for a worker."""
        return len(self._turns)

    def submit(self, client: Hashable, painting: Painting) -> None:
        """Put a painting into a client's queue; no matter whether it stands in others. Raises Full."""
        with self._changed:
            if not painting.over and painting not in self.at_work.values():
                self._turns.add(client, painting.key, painting)
                self._changed.notify()

    def withdraw(self, client: Hashable, painting: Painting, *, last: bool) -> bool:
        """Take it out of a client's queue; if it was the last client's, stop it. Return whether nobody had begun it."""
        with self._changed:
            self._turns.remove(painting.key, None if last else client)
            if not last:
                return False
            painting.stopped.set()
            if painting in self.at_work.values():
                return False
            self._suspended.discard(painting)
            painting.drop()
            return not painting.workers

    def _take_turns(self, number: int) -> None:
        with closing(self._brush()) as brush:
            while self._take_turn(number, brush):
                pass

    def _take_turn(self, number: int, brush: Brush) -> bool:
        """Wait for a turn and have it; return False where the workers are to stop."""
        with self._changed:
            while not self._stopping and (turn := self._turns.take()) is None:
                self._changed.wait()
            if self._stopping:
                return False
            assert turn is not None
            client, painting = turn
            self._suspended.discard(painting)
            self.at_work[number] = painting
            turn_ns = self._turn_ns if len(self._suspended) < MOST_SUSPENDED else UNLIMITED_NS
        over = painting.work(brush, number, self._recall, turn_ns)
        with self._changed:
            del self.at_work[number]
            if not over and painting.stopped.is_set():
                painting.drop()
            elif not over:
                self._suspended.add(painting)
                self._turns.give_back(client, painting.key, painting)
                self._changed.notify()
        return True
