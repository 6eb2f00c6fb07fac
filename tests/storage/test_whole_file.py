"""Files that are whole or untouched, and nothing beside them, whenever their writer is killed."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from render.storage import whole_file
from render.storage.lock import try_lock
from render.storage.whole_file import remove_orphans, write_whole
from tests.conftest import HANGING

posix = pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX files")
KILLED = """
import os, sys
from pathlib import Path
from render.storage.whole_file import write_whole
if {named}:
    del os.O_TMPFILE
def pieces():
    yield b"half"
    os.kill(os.getpid(), 9)
write_whole(Path("a.png"), pieces())
"""


@pytest.fixture(params=[False, True], ids=["without a name", "named"])
def named(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Whether new files have a name from the first, as on other systems."""
    if request.param:
        monkeypatch.delattr(os, "O_TMPFILE", raising=False)
    return bool(request.param)


@posix
def test_of_a_writer_that_was_killed_nothing_is_left_after_the_next(
    named: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.png").write_bytes(b"old")
    run = subprocess.run([sys.executable, "-c", KILLED.format(named=named)], cwd=tmp_path, check=False)
    assert run.returncode == -signal.SIGKILL
    assert (tmp_path / "a.png").read_bytes() == b"old"
    assert len(list(tmp_path.iterdir())) == 1 + named

    monkeypatch.setattr(whole_file, "YOUNG", -1.0)
    write_whole(tmp_path / "b.png", [b"new", b"er"])
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"a.png": b"old", "b.png": b"newer"}


@posix
def test_it_is_on_the_disk_before_it_has_its_name(named: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[tuple[bool, int]] = []

    def note(descriptor: int) -> None:
        synced.append((stat.S_ISDIR(os.fstat(descriptor).st_mode), os.fstat(descriptor).st_size))
        assert (tmp_path / "a.png").exists() == synced[-1][0]

    monkeypatch.setattr(os, "fsync", note)
    write_whole(tmp_path / "a.png", [b"abc"])
    assert [folder for folder, _ in synced] == [False, True]
    assert synced[0][1] == 3


@posix
def test_what_others_write_just_now_and_what_is_not_ours_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(whole_file, "YOUNG", -1.0)
    written, mine, left = (tmp_path / name for name in (f".render-{'a' * 16}", ".render-notes", f".render-{'b' * 16}"))
    for path in (written, mine, left):
        path.touch()
        os.utime(path, (0, time.time() - 100))
    with written.open("rb") as file:
        assert try_lock(file.fileno())
        remove_orphans(tmp_path)
        assert sorted(tmp_path.iterdir()) == sorted([written, mine])


@posix
def test_a_file_so_new_that_its_writer_may_not_have_locked_it_stays(tmp_path: Path) -> None:
    new, old = (tmp_path / f".render-{letter * 16}" for letter in "ab")
    for path in (new, old):
        path.touch()
        os.utime(path, (0, time.time() + (HANGING if path == new else -100)))
    remove_orphans(tmp_path)
    assert list(tmp_path.iterdir()) == [new]
