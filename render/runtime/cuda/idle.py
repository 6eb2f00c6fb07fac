"""Waits for a GPU that may be busy for minutes, without holding anybody up.

Nothing stops a launch, and a call of the driver that waits for one holds up Control-C. So the GPU is looked at again
and again, for a moment by the one who asked and then in the background. Where the process ends before, so does the
launch.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from threading import Thread

LOOKS, PAUSE = 50, 0.001  # so often somebody looks, so many seconds apart, before it is done in the background


def when_idle(busy: Callable[[], bool], then: Callable[[], None]) -> None:
    """Call `then` when `busy` says no: here and now if it does so soon, and otherwise on a thread of its own."""
    try:
        for _ in range(LOOKS):
            if not busy():
                break
            time.sleep(PAUSE)
    finally:
        if busy():
            with suppress(RuntimeError):  # Python is ending, and starts no threads
                Thread(target=_later, args=(busy, then), name="gpu", daemon=True).start()
        else:
            then()


def _later(busy: Callable[[], bool], then: Callable[[], None]) -> None:
    while busy():
        time.sleep(LOOKS * PAUSE)
    then()
