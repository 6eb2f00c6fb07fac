"""A file that grows, and is whole and readable at every instant, whenever the process or the power fails.

Until its first piece is complete it has no place: what was there before stays. From then on it only grows: bytes are
appended, and count only by a patch made after them, which no reader sees half.
"""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from render.storage.whole_file import name_file, open_nameless, remove_orphans, sync_folder, temporary_name


class GrowingFile:
    """A regular file while it is being written. Methods raise OSError."""

    def __init__(self, target: Path, file: BinaryIO, fresh: Path) -> None:
        self.target = target
        self.size = 0
        self._file, self._fresh, self._placed = file, fresh, False

    def append(self, data: bytes, patches: Iterable[tuple[int, bytes]] = ()) -> None:
        """Append bytes; then overwrite earlier ones, each a pair of offset and bytes. The file then has its name."""
        self._write(self.size, data)
        self.size += len(data)
        for offset, patch in patches:
            self._write(offset, patch)
        if not self._placed:
            self._take_place()

    def _write(self, offset: int, data: bytes) -> None:
        left = memoryview(data)
        while left:
            written = os.pwrite(self._file.fileno(), left, offset)
            offset, left = offset + written, left[written:]

    def _take_place(self) -> None:
        name_file(self._file, self._fresh)
        if self.target.exists():
            self._fresh.chmod(stat.S_IMODE(self.target.stat().st_mode))
        self._fresh.replace(self.target)
        self._placed = True
        sync_folder(self.target.parent)


@contextlib.contextmanager
def open_growing(target: Path) -> Iterator[GrowingFile]:
    """Open a file that takes its place with its first bytes, and is on the disk when this is left. Raises OSError."""
    remove_orphans(target.parent)
    fresh = temporary_name(target)
    try:
        with open_nameless(fresh) as file:
            yield GrowingFile(target, file, fresh)
            os.fsync(file.fileno())
    finally:
        fresh.unlink(missing_ok=True)
