"""A lock of the operating system on an open file. It goes with its holder, however that ends, and nobody asks a PID."""

from __future__ import annotations

import sys


def try_lock(descriptor: int) -> bool | None:
    """Take the lock of an open file if nobody has it; return whether that worked, None where there are no locks."""
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    except (ImportError, OSError):  # of this system, or of this file system
        return None
    return True
