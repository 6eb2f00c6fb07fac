"""One compiles and the others wait for it, in processes and in threads, and nobody waits for the dead."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import IO

import pytest

from render.codegen import code_cache, file_lock
from tests.conftest import HANGING

ROOT = Path(__file__).parents[2]
KEY = "0123456789abcdef"
OBTAIN = """\
import pathlib, sys, time
from render.codegen import code_cache

def make():
    print("made", flush=True)
    {meanwhile}
    return b"machine code"

print("here", flush=True)
sys.stdin.readline()
code = code_cache.obtain_code("0123456789abcdef", make, lambda: print("waiting", flush=True))
print(code.decode())
"""

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="its locks are others")


@pytest.fixture
def empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of its own for compiled code, not made yet."""
    monkeypatch.setenv("RENDER_CACHE_DIR", str(tmp_path / "code"))
    return tmp_path / "code"


def begin(meanwhile: str) -> subprocess.Popen[str]:
    """A process that is about to ask for the code, and does `meanwhile` if it has to make it."""
    process = subprocess.Popen(
        [sys.executable, "-c", OBTAIN.format(meanwhile=meanwhile)],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert heard(process) == "here"
    return process


def heard(process: subprocess.Popen[str]) -> str:
    """The next thing that it says."""
    assert process.stdout is not None
    return process.stdout.readline().strip()


def ask(process: subprocess.Popen[str]) -> IO[str]:
    """Let it go on."""
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()
    return process.stdin


@pytest.mark.usefixtures("empty")
def test_of_several_processes_one_makes_the_code() -> None:
    processes = [begin("time.sleep(0.3)") for _ in range(6)]
    for process in processes:
        ask(process)
    said = [process.communicate(timeout=HANGING)[0].split("\n")[:-1] for process in processes]

    assert sum("made" in lines for lines in said) == 1
    assert all(lines[-1] == "machine code" for lines in said)


def test_a_maker_that_is_killed_frees_the_next(empty: Path) -> None:
    killed, later = begin("time.sleep(600)"), begin("pass")
    ask(killed)
    assert heard(killed) == "made"
    ask(later)
    assert heard(later) == "waiting"
    killed.kill()

    assert later.communicate(timeout=HANGING)[0].split() == ["made", "machine", "code"]
    assert [path.name for path in empty.iterdir()] == [f"{KEY}.code"]
    killed.communicate()


@pytest.mark.usefixtures("empty")
def test_of_several_threads_one_makes_the_code() -> None:
    made: list[int] = []
    together = Barrier(4)

    def obtain(number: int) -> bytes:
        together.wait()
        return code_cache.obtain_code(KEY, lambda: made.append(number) or b"code")  # type: ignore[func-returns-value]

    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(obtain, range(4))) == {b"code"}
    assert len(made) == 1


def test_whoever_waited_for_what_cannot_be_kept_makes_it_without_waiting_for_the_others(tmp_path: Path) -> None:
    path, waited = tmp_path / "lock", list[int]()

    with file_lock.take_turn(path, lambda: None):
        other = os.open(path, os.O_RDWR)

    assert not file_lock._wait_for(path, other, lambda: waited.append(1))  # noqa: SLF001
    assert not waited
    os.close(other)


def test_a_maker_that_stands_still_is_not_waited_for_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file_lock, "TIMEOUT_SECONDS", 0.05)
    order = []

    with file_lock.take_turn(tmp_path / "lock", lambda: order.append("nobody")):
        with file_lock.take_turn(tmp_path / "lock", lambda: order.append("waits")):
            order.append("goes on")
        assert (tmp_path / "lock").exists(), "it is not the other's to remove"

    assert order == ["waits", "goes on"]


def test_without_locks_everybody_goes_on(empty: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr("fcntl.flock", refuse)
    assert code_cache.obtain_code(KEY, lambda: b"code") == b"code"
    assert code_cache.read(KEY) == b"code"
    assert empty.is_dir()
