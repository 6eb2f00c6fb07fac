"""A file that grows, and is whole and readable at every instant, whenever the process or the power fails.

Until its first piece is complete it has no place: what was there before stays. From then on it only grows: bytes are
appended, and count only by a patch made after them, which no reader sees half.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from render.storage.whole_file import (
    name_file,
    open_nameless,
    remove_orphans,
    replace_file,
    sync_folder,
    temporary_name,
)


class GrowingFile:
    """A regular file while it is being written. Methods raise OSError."""

    def __init__(self, target: Path, file: BinaryIO, fresh: Path, *, placed: bool = False) -> None:
        self.target = target
        self.size = 0
        self._file, self._fresh, self._placed = file, fresh, placed

    def append(self, data: bytes, patches: Iterable[tuple[int, bytes]] = ()) -> None:
        """Append bytes; then overwrite earlier ones, each a pair of offset and bytes. The file then has its name."""
        self._write(self.size, data)
        self.size += len(data)
        for offset, patch in patches:
            self._write(offset, patch)
        if not self._placed:
            self._take_place()

    def close(self) -> None:
        """Have it on the disk."""
        os.fsync(self._file.fileno())
        self._file.close()

    def _write(self, offset: int, data: bytes) -> None:
        self._file.seek(offset)
        self._file.write(data)
        self._file.flush()

    def _take_place(self) -> None:
        name_file(self._file, self._fresh)
        if os.name == "nt":  # no open file is renamed there
            self._file.close()
        replace_file(self.target, self._fresh)
        if os.name == "nt":
            self._file = self.target.open("r+b")
        self._placed = True
        sync_folder(self.target.parent)


@contextlib.contextmanager
def open_growing(target: Path) -> Iterator[GrowingFile]:
    """Open a file that takes its place with its first bytes, and is on the disk when this is left. Raises OSError."""
    remove_orphans(target.parent)
    fresh = temporary_name(target)
    try:
        with open_nameless(fresh) as file:
            growing = GrowingFile(target, file, fresh)
            yield growing
            growing.close()
    finally:
        fresh.unlink(missing_ok=True)
