"""A file that grows: what was there stays until the first piece is whole, and then every instant can be read."""

from __future__ import annotations

import io
import stat
from pathlib import Path

import pytest

from render.storage.growing_file import GrowingFile, open_growing


def test_what_was_there_stays_until_the_first_piece_is_there(tmp_path: Path) -> None:
    target = tmp_path / "film"
    target.write_bytes(b"before")
    target.chmod(0o640)
    with open_growing(target) as file:
        assert target.read_bytes() == b"before"
        file.append(b"one")
        assert target.read_bytes() == b"one"
        file.append(b"....", [(3, b" two")])
        assert target.read_bytes() == b"one two"
        assert file.size == 7
    assert stat.S_IMODE(target.stat().st_mode) == 0o640
    assert list(tmp_path.iterdir()) == [target]


def test_a_patch_comes_after_the_bytes_and_is_one_write() -> None:
    """A patch makes them count, so nobody may see it before them, or half of it."""
    raw = Recorded()
    file = GrowingFile(Path("film"), io.BufferedWriter(raw), Path("fresh"), placed=True)
    file.append(b"head")
    file.append(b"0000body", [(4, b"size"), (0, b"HEAD")])
    assert raw.writes == [(0, b"head"), (4, b"0000body"), (4, b"size"), (0, b"HEAD")]


class Recorded(io.RawIOBase):
    """A file that remembers what was written where."""

    def __init__(self) -> None:
        self.place = 0
        self.writes: list[tuple[int, bytes]] = []

    def writable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, _whence: int = 0, /) -> int:
        self.place = offset
        return offset

    def write(self, data: object, /) -> int:
        self.writes.append((self.place, bytes(memoryview(data))))  # type: ignore[arg-type]
        self.place += len(self.writes[-1][1])
        return len(self.writes[-1][1])


def test_nothing_is_left_of_a_file_without_a_piece(tmp_path: Path) -> None:
    with pytest.raises(KeyError), open_growing(tmp_path / "film"):
        raise KeyError
    assert list(tmp_path.iterdir()) == []


def test_what_was_written_stays_after_a_failure(tmp_path: Path) -> None:
    def write(file: GrowingFile) -> None:
        file.append(b"one")
        raise KeyError

    with pytest.raises(KeyError), open_growing(tmp_path / "film") as file:
        write(file)
    assert (tmp_path / "film").read_bytes() == b"one"
