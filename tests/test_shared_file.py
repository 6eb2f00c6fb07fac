"""A file for several processes: its room is there before anybody writes to it, and nothing is left behind."""

from __future__ import annotations

import errno
import os
import sys
from pathlib import Path

import pytest

from render import shared_file as files
from render.errors import OutputError
from render.shared_file import shared_file

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere it is looked at in other ways")


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    """A folder that stands for memory, and one for temporary files."""
    memory, elsewhere = tmp_path / "memory", tmp_path / "elsewhere"
    memory.mkdir()
    elsewhere.mkdir()
    monkeypatch.setattr(files, "MEMORY", str(memory))
    monkeypatch.setattr("tempfile.tempdir", str(elsewhere))
    return memory, elsewhere


def full(*folders: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let these be file systems without any room."""
    allocate = os.posix_fallocate

    def refuse(descriptor: int, offset: int, size: int) -> None:
        path = Path(f"/proc/self/fd/{descriptor}").readlink()
        if path.parent.parent in folders:
            raise OSError(errno.ENOSPC, "No space left on device")
        allocate(descriptor, offset, size)

    monkeypatch.setattr(os, "posix_fallocate", refuse)


def test_its_room_is_taken_at_once_and_given_back(places: tuple[Path, Path]) -> None:
    with shared_file(100_000) as path:
        assert path.parent.parent == places[0]
        assert path.stat().st_size == 100_000
        assert path.stat().st_blocks * 512 >= 100_000, "it is no hole"
        assert not any(path.read_bytes())
    assert not list(places[0].iterdir())


def test_without_room_in_memory_it_is_elsewhere(places: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    full(places[0], monkeypatch=monkeypatch)
    with shared_file(100_000) as path:
        assert path.parent.parent == places[1]
        assert not list(places[0].iterdir())


def test_where_there_is_no_memory_to_share_it_is_elsewhere(places: tuple[Path, Path]) -> None:
    places[0].rmdir()
    with shared_file(100) as path:
        assert path.parent.parent == places[1]


def test_without_any_room_it_is_refused_and_nothing_is_left(
    places: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    full(*places, monkeypatch=monkeypatch)
    with pytest.raises(OutputError, match="no space for a shared frame of 1 MiB") as caught, shared_file(1 << 20):
        pass
    assert "--backend threading" in caught.value.remedy
    assert not [path for place in places for path in place.iterdir()]


def test_only_our_own_leftovers_are_swept(places: tuple[Path, Path]) -> None:
    thesis, left = places[0] / "render-2024-final", places[0] / "render-999999999-abcdefgh"
    for folder, name in ((thesis, "thesis.txt"), (left, "canvas")):
        folder.mkdir()
        (folder / name).touch()

    with shared_file(1):
        assert thesis.exists()
        assert not left.exists()
