"""Tiles that were painted, of bounded size: the one that nobody has asked for longest goes first."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Hashable

OVERHEAD = 500  # bytes that a tile takes besides its own


class Cache:
    """Bytes by key, `most` bytes in all. Threads may share it."""

    def __init__(self, most: int) -> None:
        self._most, self._lock = most, threading.Lock()
        self._kept: OrderedDict[Hashable, bytes] = OrderedDict()
        self.bytes = 0

    def __len__(self) -> int:
        """Count the tiles."""
        return len(self._kept)

    def get(self, key: Hashable) -> bytes | None:
        """Return a tile, if it is there."""
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
            return self._kept.get(key)

    def keep(self, key: Hashable, data: bytes) -> None:
        """Keep a tile; one larger than a quarter of the cache is not kept."""
        size = len(data) + OVERHEAD
        if size > self._most // 4:
            return
        with self._lock:
            if key in self._kept:
                self.bytes -= len(self._kept.pop(key)) + OVERHEAD
            self._kept[key] = data
            self.bytes += size
            while self.bytes > self._most:
                _, oldest = self._kept.popitem(last=False)
                self.bytes -= len(oldest) + OVERHEAD
