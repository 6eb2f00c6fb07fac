"""A file that is either whole and on the disk, or as it was before, whenever the process or the power fails.

The bytes go to a new file in the same folder. On Linux it has no name until it is whole, so that nothing is left of a
process that was killed. Elsewhere it has one, and a lock: whoever writes there next removes those without a holder.
"""

from __future__ import annotations

import contextlib
import os
import re
import stat
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from render.storage.lock import try_lock

OWN_NAME = re.compile(r"\.render-[0-9a-f]{16}")
YOUNG = 2.0  # seconds: a file so new may not be locked yet


def write_whole(target: Path, pieces: Iterable[bytes]) -> None:
    """Write a regular file, which keeps its permissions if it is there. Raises OSError; then nothing has changed."""
    with open_whole(target) as file:
        file.writelines(pieces)


@contextlib.contextmanager
def open_whole(target: Path) -> Iterator[BinaryIO]:
    """Open a new file, to be written and read, that takes the target's place when this is left without an error."""
    remove_orphans(target.parent)
    fresh = temporary_name(target)
    try:
        with open_nameless(fresh) as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
            name_file(file, fresh)
            if os.name != "nt":  # while it is locked
                replace_file(target, fresh)
        if os.name == "nt":  # no open file is renamed there
            replace_file(target, fresh)
    finally:
        fresh.unlink(missing_ok=True)
    sync_folder(target.parent)


def replace_file(target: Path, fresh: Path) -> None:
    """Put a file in the place of another, whose permissions it takes."""
    if target.exists():
        fresh.chmod(stat.S_IMODE(target.stat().st_mode))
    fresh.replace(target)


def check_room(target: Path) -> None:
    """Make a file in the target's folder and remove it. Raises OSError where that fails."""
    probe = temporary_name(target)
    probe.touch(exist_ok=False)
    probe.unlink()


def temporary_name(target: Path) -> Path:
    """Return an unused name in the same folder."""
    return target.with_name(f".render-{os.urandom(8).hex()}")


def sync_folder(folder: Path) -> None:
    """Have the names in a folder on the disk, where the system can do that."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def remove_orphans(folder: Path) -> None:
    """Remove the files of writers that were killed."""
    with contextlib.suppress(OSError):
        for path in folder.glob(".render-*"):
            if OWN_NAME.fullmatch(path.name) and time.time() - path.stat().st_mtime > YOUNG:
                with path.open("rb") as file:
                    if try_lock(file.fileno()):
                        path.unlink()


@contextlib.contextmanager
def open_nameless(name: Path) -> Iterator[BinaryIO]:
    """Open a new file: without a name where that is possible, else locked."""
    try:
        descriptor = os.open(name.parent, os.O_TMPFILE | os.O_RDWR, 0o666)
        if not os.path.exists(_link(descriptor)):  # noqa: PTH110  (no /proc: it could never have a name)
            os.close(descriptor)
            raise OSError
    except (AttributeError, OSError):  # of this system, or of this file system
        descriptor = os.open(name, os.O_CREAT | os.O_EXCL | os.O_RDWR | getattr(os, "O_BINARY", 0), 0o666)
    with open(name, "w+b", opener=lambda _path, _flags: descriptor) as file:
        try_lock(descriptor)
        yield file


def _link(descriptor: int) -> str:
    return f"/proc/self/fd/{descriptor}"


def name_file(file: BinaryIO, name: Path) -> None:
    """Give a new file its name, if it has none."""
    if os.fstat(file.fileno()).st_nlink:
        return
    folder = os.open(name.parent, os.O_RDONLY)
    try:  # with a folder Python follows the link, as it must
        os.link(_link(file.fileno()), name.name, src_dir_fd=folder, dst_dir_fd=folder)
    finally:
        os.close(folder)
