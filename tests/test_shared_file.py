"""A file for several processes: its room is there before anybody writes to it, and nothing outlives it."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from render.errors import OutputError
from render.shared_file import shared_file

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere it is looked at in other ways")


@pytest.fixture(params=["without a name", "in a folder"])
def folder(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where temporary files lie; in the second case this system has no files without a name."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    if request.param == "in a folder":
        monkeypatch.delattr(os, "memfd_create")
    return tmp_path


def test_another_process_opens_it_by_its_path_and_it_is_gone_at_the_end(folder: Path) -> None:
    with shared_file(100_000) as path:
        code = f"open({str(path)!r}, 'r+b').write(b'from there')"
        subprocess.run([sys.executable, "-c", code], check=True)
        assert path.stat().st_size == 100_000
        assert path.stat().st_blocks * 512 >= 100_000, "it is no hole"
        assert path.read_bytes().rstrip(b"\0") == b"from there"
    assert not path.exists()
    assert not list(folder.iterdir())


def test_without_room_it_is_refused_and_nothing_is_left(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", refuse)
    with pytest.raises(OutputError, match="no room for 1 MiB") as caught, shared_file(1 << 20):
        pass
    assert "--backend threading" in caught.value.remedy
    assert not list(folder.iterdir())


def test_nothing_is_left_of_a_process_that_was_killed(tmp_path: Path) -> None:
    code = "from render.shared_file import shared_file\nimport os\nwith shared_file(99): os.kill(os.getpid(), 9)"
    memory = Path("/dev/shm")  # noqa: S108
    before = set(memory.glob("render*"))
    run = subprocess.run([sys.executable, "-c", code], env=os.environ | {"TMPDIR": str(tmp_path)}, check=False)
    assert run.returncode == -signal.SIGKILL
    assert not list(tmp_path.iterdir())
    assert set(memory.glob("render*")) <= before
