"""A file that the processes of one run share, in memory where there is room for it, and in a folder of its own."""

from __future__ import annotations

import errno
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from render.errors import OutputError

MEMORY = "/dev/shm"  # noqa: S108  (a private folder is made in it)
SPARE = 4 << 20  # bytes that must be left beside the file, for what else the processes share
NAME = "canvas"


@contextmanager
def shared_file(size: int) -> Iterator[Path]:
    """Make a file of so many bytes, all 0, which is removed at the end. Raises OutputError where there is no room."""
    _remove_orphans()
    with _create_folder(size) as folder:
        yield Path(folder) / NAME


def _create_folder(size: int) -> tempfile.TemporaryDirectory[str]:
    """Create a folder with the file: in memory if it fits there, else where temporary files are."""
    for place in (MEMORY, None):
        try:
            folder = tempfile.TemporaryDirectory(prefix=f"render-{os.getpid()}-", dir=place, ignore_cleanup_errors=True)
        except OSError as error:  # there is no such place, or nobody may write there
            failure = error
            continue
        try:
            _allocate_file(Path(folder.name) / NAME, size)
            return folder
        except OSError as error:
            folder.cleanup()
            failure = error
    raise OutputError(
        f"there is no room for a frame of {size / 2**20:.3g} MiB that processes could share: {failure.strerror}",
        f"free some in {MEMORY}, name another place by TMPDIR, or add --backend threading",
    ) from failure


def _allocate_file(path: Path, size: int) -> None:
    """Take the room at once where the system can: to write to a file that then finds none ends a process (SIGBUS)."""
    with path.open("wb") as file:
        try:
            os.posix_fallocate(file.fileno(), 0, size)
        except (AttributeError, OSError) as error:
            if getattr(error, "errno", None) in (errno.ENOSPC, errno.EFBIG, errno.EDQUOT):
                raise
            file.truncate(size)  # this system, or this file system, takes it when it is needed
    if hasattr(os, "statvfs"):
        left = os.statvfs(path)
        if left.f_bavail * left.f_frsize < SPARE:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _remove_orphans() -> None:
    """Remove what processes left in memory that were killed with a file open. Temporary folders the system sweeps."""
    for left in Path(MEMORY).glob("render-*-*"):
        ours = re.fullmatch(r"render-(\d+)-\w{8}", left.name)
        if ours and (left / NAME).is_file() and not _is_alive(int(ours[1])):
            shutil.rmtree(left, ignore_errors=True)


def _is_alive(process: int) -> bool:
    if os.name == "nt":  # there, signal 0 would end it
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:  # it lives, and is somebody else's
        return True
    return True
