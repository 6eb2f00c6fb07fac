"""A device that is left open between two frames: to open one takes longer than to paint a frame.

Kernels of the same code share one `Kept`. Whoever owns them (a session, a race) says that it wants devices kept, and
closes it in the end; until then each frame's kernel takes the device, starts it anew for its own request, and leaves
it for the next.
"""

from __future__ import annotations

import threading
import weakref
from typing import Generic, Protocol, TypeVar


class Closable(Protocol):
    """A device, as those see it that keep it."""

    def close(self) -> None:
        """Release everything."""
        ...


Kind = TypeVar("Kind", bound=Closable)


class Kept(Generic[Kind]):
    """At most one device. Threads may share it: those that find it taken open their own."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._devices: list[Kind] = []
        self._wanted = False
        weakref.finalize(self, _close_all, self._devices)

    def keep(self) -> None:
        """Keep from now on what is left here."""
        self._wanted = True

    def take(self) -> Kind | None:
        """Take the device that was left, if any."""
        with self._lock:
            return self._devices.pop() if self._devices else None

    def leave(self, device: Kind) -> None:
        """Leave a device that works for the next frame, or close it where nobody wants it."""
        with self._lock:
            if self._wanted and not self._devices:
                self._devices.append(device)
                return
        device.close()

    def close(self) -> None:
        """Close the device, and from now on those that are left."""
        with self._lock:
            self._wanted = False
        _close_all(self._devices)


def _close_all(devices: list[Kind]) -> None:
    while devices:
        devices.pop().close()
