"""A temporary folder that goes with its owner, however that ends: at once, or when the next one is made.

The owner has a lock on it (`lock`). Who makes a folder of the same kind removes those of this user that nobody holds.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from render.storage.lock import try_lock

YOUNG = 2.0  # seconds: a folder so new may not be locked yet


@contextlib.contextmanager
def temporary_folder(prefix: str) -> Iterator[Path]:
    """Make a folder that is gone at the end; `prefix`: of its name, and of those that are swept. Raises OSError."""
    sweep_orphans(Path(tempfile.gettempdir()), prefix)
    with (
        tempfile.TemporaryDirectory(prefix=prefix, ignore_cleanup_errors=True) as name,
        _open_folder(Path(name)) as descriptor,
    ):
        if descriptor is not None:
            try_lock(descriptor)
        yield Path(name)


def sweep_orphans(place: Path, prefix: str) -> None:
    """Remove the folders of owners that were killed."""
    for path in place.glob(f"{prefix}*"):
        with contextlib.suppress(OSError), _open_folder(path) as descriptor:
            if descriptor is None:
                continue
            found = os.fstat(descriptor)
            is_ours = found.st_uid == os.geteuid() and time.time() - found.st_mtime > YOUNG
            if is_ours and try_lock(descriptor):
                shutil.rmtree(path, ignore_errors=True)


@contextlib.contextmanager
def _open_folder(path: Path) -> Iterator[int | None]:
    """Open a folder to lock it; None where the system does not open any."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except (AttributeError, OSError):  # another system; or it is no folder
        yield None
        return
    try:
        yield descriptor
    finally:
        os.close(descriptor)
