"""Who asks: a client is known by its cookie `client`, or else by its address.

A cookie is anybody's to invent, so one address has at most so many clients at a time; beyond that its cookies share
the queue of the address, until one of the others has been quiet for a while.
"""

from __future__ import annotations

import re
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import NamedTuple

COOKIE = "client"
GOOD = re.compile(r"[A-Za-z0-9_-]{1,64}")
MOST_OF_ADDRESS = 200  # clients: a lecture hall behind one address
MOST_KNOWN = 5000
QUIET_SECONDS = 60.0  # after which a client may be forgotten for another one


class Client(NamedTuple):
    """One that asks: its address, and its cookie or nothing."""

    address: str
    cookie: str = ""


class Clients:
    """Those that are known, each with its number; the one that nobody has heard of longest is forgotten first."""

    def __init__(
        self,
        most_of_address: int = MOST_OF_ADDRESS,
        most_known: int = MOST_KNOWN,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Take the bounds, and a clock that gives seconds."""
        self._most_of_address, self._most_known, self._clock = most_of_address, most_known, clock
        self._numbers: OrderedDict[Client, int] = OrderedDict()
        self._heard: dict[Client, float] = {}
        self._of_address: dict[str, int] = {}
        self._next = 1

    def __len__(self) -> int:
        """Count those that are known."""
        return len(self._numbers)

    def identify(self, address: str, cookie: str) -> Client:
        """Return the client of a request; it is known from now on."""
        client = Client(address, cookie if GOOD.fullmatch(cookie) else "")
        if client not in self._numbers and self._of_address.get(address, 0) >= self._most_of_address:
            oldest = next(known for known in self._numbers if known.address == address)
            if self._clock() - self._heard[oldest] > QUIET_SECONDS:
                self._forget(oldest)
            else:
                client = Client(address)
        if client not in self._numbers:
            self._numbers[client] = self._next
            self._of_address[address] = self._of_address.get(address, 0) + 1
            self._next += 1
            while len(self._numbers) > self._most_known:
                self._forget(next(iter(self._numbers)))
        self._numbers.move_to_end(client)
        self._heard[client] = self._clock()
        return client

    def number(self, client: Client) -> int:
        """Return a client's number, which says nothing about who it is; 0 for one that was forgotten."""
        return self._numbers.get(client, 0)

    def _forget(self, client: Client) -> None:
        del self._numbers[client], self._heard[client]
        self._of_address[client.address] -= 1
        if not self._of_address[client.address]:
            del self._of_address[client.address]
