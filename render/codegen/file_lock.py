"""A lock between processes and threads that is never left behind.

It is a lock of the operating system on a file, which goes when its holder ends, however that happens. Where there are
no such locks, or the file cannot be made, all go on at once: that costs time, never the run.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from render.storage.lock import try_lock

TIMEOUT_SECONDS = 60.0  # a holder that takes longer was stopped, or this machine is so busy that it does not matter
POLL_SECONDS = 0.02  # between two attempts


@contextlib.contextmanager
def take_turn(path: Path, waiting: Callable[[], None]) -> Iterator[None]:
    """Hold the lock of this file while the body runs; `waiting` is called once if another has it.

    The holder removes the file at the end. So all who waited for it go on at once, without a lock: what the holder
    made is there, or cannot be kept. After a holder that was killed the file is still there, and the next in turn holds
    the lock.
    """
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT)
    except OSError:
        yield
        return
    try:
        if _wait_for(path, descriptor, waiting):
            try:
                yield
            finally:
                with contextlib.suppress(OSError):  # Windows removes no file that others have open
                    path.unlink()
        else:
            yield
    finally:
        os.close(descriptor)  # and with it goes the lock


def _wait_for(path: Path, descriptor: int, waiting: Callable[[], None]) -> bool:
    """Wait for the lock and take it; False where the holder has removed the file, and where there are no locks."""
    until = time.monotonic() + TIMEOUT_SECONDS
    announced = False
    while not (locked := try_lock(descriptor)):
        if locked is None or time.monotonic() > until or not _is_still_there(path, descriptor):
            return False
        if not announced:
            waiting()
            announced = True
        time.sleep(POLL_SECONDS)
    return _is_still_there(path, descriptor)


def _is_still_there(path: Path, descriptor: int) -> bool:
    """Tell if the open file still has its name."""
    try:
        return os.path.samestat(path.stat(), os.fstat(descriptor))
    except OSError:
        return False
