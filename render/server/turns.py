"""Turns: a queue for each client, and the clients served one after the other, so that a greedy one starves nobody.

Knows neither time nor threads, so that tests are exact. A job may stand in the queues of several clients (they want
the same tile); the first of them whose turn it is takes it out of all.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Generic, TypeVar

Job = TypeVar("Job")


class Full(Exception):
    """There is no room for one more job."""


class Turns(Generic[Job]):
    """Jobs by client and key. At most `most_each` wait for one client, `most_in_all` for all (counted once each)."""

    def __init__(self, most_each: int, most_in_all: int) -> None:
        self._most_each, self._most_in_all = most_each, most_in_all
        self._queues: dict[Hashable, dict[Hashable, Job]] = {}  # the clients in the order of their turns
        self._wanted: dict[Hashable, set[Hashable]] = {}  # by key: the clients in whose queues it stands

    def __len__(self) -> int:
        """Count the jobs that wait."""
        return len(self._wanted)

    def count_clients(self) -> int:
        """Count the clients that have jobs waiting."""
        return len(self._queues)

    def add(self, client: Hashable, key: Hashable, job: Job) -> None:
        """Put a job at the end of a client's queue; one that is new gets its turn after all others. Raises Full."""
        queue = self._queues.get(client, {})
        if key in queue:
            return
        if len(queue) >= self._most_each or (key not in self._wanted and len(self) >= self._most_in_all):
            raise Full
        self._queues.setdefault(client, queue)[key] = job
        self._wanted.setdefault(key, set()).add(client)

    def take(self) -> tuple[Hashable, Job] | None:
        """Take the first job of the client whose turn it is, and put that client last; None where nobody waits."""
        for client, queue in self._queues.items():
            key, job = next(iter(queue.items()))
            self.remove(key)
            if client in self._queues:
                self._queues[client] = self._queues.pop(client)
            return client, job
        return None

    def give_back(self, client: Hashable, key: Hashable, job: Job) -> None:
        """Put a suspended job first in its client's queue, whatever its length; the client is last in turn."""
        queue = self._queues.pop(client, {})
        self._queues[client] = {key: job, **queue}
        self._wanted.setdefault(key, set()).add(client)

    def remove(self, key: Hashable, client: Hashable | None = None) -> bool:
        """Take a job out of one client's queue, or of all; return whether it stands in none any more."""
        holders = self._wanted.get(key, set())
        for one in [client] if client is not None else list(holders):
            if one in holders:
                holders.discard(one)
                del self._queues[one][key]
                if not self._queues[one]:
                    del self._queues[one]
        if not holders:
            self._wanted.pop(key, None)
        return not holders
