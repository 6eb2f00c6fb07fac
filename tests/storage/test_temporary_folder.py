"""A temporary folder is gone with its owner, or when the next owner comes; one that is held stays."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from render.storage.temporary_folder import YOUNG, temporary_folder

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="no folder is locked there")


def age(folder: Path, seconds: float) -> None:
    """Make a folder look so old."""
    then = time.time() - seconds
    os.utime(folder, (then, then))


def test_who_makes_a_folder_removes_those_whose_owner_was_killed_and_no_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    code = (
        "from render.storage.temporary_folder import temporary_folder\nimport os\n"
        "with temporary_folder('mine-') as folder:\n"
        "    (folder / 'inside').mkdir()\n    os.kill(os.getpid(), 9)"
    )
    subprocess.run([sys.executable, "-c", code], env=os.environ | {"TMPDIR": str(tmp_path)}, check=False)
    (killed,) = tmp_path.iterdir()
    young, other = tmp_path / "mine-young", tmp_path / "other-old"
    for path in (young, other):
        path.mkdir()
    age(killed, YOUNG + 1)
    age(other, YOUNG + 1)
    with temporary_folder("mine-") as held:
        age(held, YOUNG + 1)
        with temporary_folder("mine-") as second:
            assert set(tmp_path.iterdir()) == {young, other, held, second}
    assert set(tmp_path.iterdir()) == {young, other}


def test_nothing_but_a_folder_is_touched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    (tmp_path / "kept").mkdir()
    os.mkfifo(tmp_path / "mine-pipe")
    (tmp_path / "mine-link").symlink_to(tmp_path / "kept")
    monkeypatch.setattr("render.storage.temporary_folder.YOUNG", -1.0)
    with temporary_folder("mine-"):
        assert {"kept", "mine-pipe", "mine-link"} < {path.name for path in tmp_path.iterdir()}
