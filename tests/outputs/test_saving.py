"""Writing files: whole or not at all, found out before painting, and wherever the name points."""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path

import pytest

from render import outputs
from render.errors import OutputError, UsageError

posix = pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX files")
unprivileged = pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() == 0, reason="nothing is forbidden to the superuser"
)


def test_a_file_is_written_whole(tmp_path: Path) -> None:
    outputs.save(tmp_path / "a.png", b"new")
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("a.png", b"new")]


def test_a_file_that_is_there_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(b"old and longer")
    outputs.save(str(path), b"new")
    assert path.read_bytes() == b"new"


@posix
def test_a_new_file_has_the_usual_permissions(tmp_path: Path) -> None:
    (tmp_path / "usual").touch()
    outputs.save(tmp_path / "a.png", b"")
    assert (tmp_path / "a.png").stat().st_mode == (tmp_path / "usual").stat().st_mode


@posix
def test_a_replaced_file_keeps_its_permissions(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.touch()
    path.chmod(0o640)
    outputs.save(path, b"new")
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


@posix
@pytest.mark.parametrize("there", [True, False])
def test_a_link_keeps_pointing_to_its_target(tmp_path: Path, there: bool) -> None:
    target, link = tmp_path / "folder" / "target.png", tmp_path / "link.png"
    target.parent.mkdir()
    if there:
        target.write_bytes(b"old")
    link.symlink_to(target)
    outputs.check_writable(link)
    outputs.save(link, b"new")
    assert link.is_symlink()
    assert target.read_bytes() == b"new"


@posix
def test_a_pipe_is_written_directly(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.png"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        outputs.check_writable(pipe)
        outputs.save(pipe, b"new")
        assert os.read(reader, 10) == b"new"
    finally:
        os.close(reader)


@posix
def test_the_null_device_swallows_everything() -> None:
    outputs.check_writable(os.devnull)
    outputs.save(os.devnull, b"gone")
    assert Path(os.devnull).is_char_device()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_disk_is_named() -> None:
    with pytest.raises(OutputError, match="the disk is full") as caught:
        outputs.save("/dev/full", b"too much")
    assert "free some space" in caught.value.remedy


@posix
def test_half_a_file_never_gets_the_name(tmp_path: Path) -> None:
    resource = pytest.importorskip("resource")
    path = tmp_path / "a.png"
    path.write_bytes(b"old")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, limits[1]))
    try:
        with pytest.raises(OutputError, match=r"cannot write .*a\.png"):
            outputs.save(path, bytes(3 << 20))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert [(file.name, file.read_bytes()) for file in tmp_path.iterdir()] == [("a.png", b"old")]


def test_an_interrupt_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        outputs.save(tmp_path / "a.png", b"new")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("missing/a.png", "folder does not exist"),
        ("", "it is a folder"),
        ("missing/", "it is a folder"),
        ("x" * 300 + ".png", "name is too long"),
        ("a\0b.png", "null"),
        ("file/a.png", "[Nn]ot a directory|folder does not exist"),
    ],
)
@pytest.mark.parametrize("write", [outputs.check_writable, lambda path: outputs.save(path, b"")], ids=["check", "save"])
def test_a_name_that_cannot_be_written_is_refused(tmp_path: Path, write: object, name: str, why: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match=why) as caught:
        write(f"{tmp_path}/{name}")  # type: ignore[operator]
    assert caught.value.remedy
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


@posix
def test_a_ring_of_links_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.png").symlink_to(tmp_path / "b.png")
    (tmp_path / "b.png").symlink_to(tmp_path / "a.png")
    with pytest.raises(OutputError):
        outputs.check_writable(tmp_path / "a.png")


@posix
@unprivileged
@pytest.mark.parametrize("locked", ["a.png", "."])
def test_what_may_not_be_written_is_refused(tmp_path: Path, locked: str) -> None:
    (tmp_path / "a.png").touch()
    (tmp_path / locked).chmod(0o555)
    with pytest.raises(OutputError, match="permission denied"):
        outputs.check_writable(tmp_path / "a.png")
    tmp_path.chmod(0o755)


def test_a_read_only_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.png").touch()
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(OutputError, match="permission denied"):
        outputs.check_writable(tmp_path / "a.png")


def test_standard_output_stands_for_itself(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    outputs.check_writable("-")
    outputs.save("-", b"\x89PNG\r\n")
    assert capfdbinary.readouterr().out == b"\x89PNG\r\n"


def test_a_terminal_gets_no_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    with pytest.raises(UsageError, match="would go to the terminal"):
        outputs.check_writable("-")


@pytest.mark.parametrize("name", ["a.webp", "a.jpg"])
def test_a_frame_that_is_too_large_for_its_kind_of_file_is_refused_before_it_is_painted(name: str) -> None:
    makers = {name: outputs.by_suffix(name)}
    largest = makers[name].LARGEST_SIDE
    assert largest is not None
    outputs.check_sides(makers, largest, 1)
    with pytest.raises(UsageError, match=f"{name} can be at most {largest} pixels a side"):
        outputs.check_sides(makers, 1, largest + 1)


def test_checking_leaves_no_trace(tmp_path: Path) -> None:
    outputs.check_writable(tmp_path / "a.png")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("name", "output"),
    [
        ("a.png", "png"),
        ("b/A.PNG", "png"),
        ("a.b.npz", "npz"),
        ("a.txt", "table"),
        ("a.trace.json", "trace"),
        ("-", "png"),
    ],
)
def test_the_end_of_a_name_chooses_the_output(name: str, output: str) -> None:
    assert outputs.by_suffix(name) is outputs.load(output)


@pytest.mark.parametrize("name", ["picture", "a.gif", "png", ""])
def test_an_unknown_end_is_refused_with_those_that_are_known(name: str) -> None:
    with pytest.raises(UsageError) as caught:
        outputs.by_suffix(name)
    assert {".png", ".npz", ".txt", ".trace.json"} <= set(caught.value.remedy.replace(",", "").split())
