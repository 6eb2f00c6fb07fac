"""A run of the program that something befalls, and what is left of it when it has ended."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from PIL import Image

from trials.clusters import Cluster

OWN_CLUSTER = "a cluster of its own"  # of a run: stands for the address
WORKERS = ("LokyProcess", "Dask Worker")  # in the names of processes
LONGEST = 60.0  # seconds that a run may take; more is a hang
SHM = Path("/dev/shm")  # noqa: S108
MAKER = re.compile(r"sem\.loky-(\d+)-")
ROOT = Path(__file__).parent.parent.parent


class Run:
    """One process that draws, and what it started. `tag` is in the environment of all of them."""

    def __init__(self, words: list[str], folder: Path, tag: str, before: list[str] | None = None) -> None:
        self.folder, self.tag = folder, tag
        (folder / "tmp").mkdir(exist_ok=True)
        self.cluster = Cluster() if OWN_CLUSTER in words else None
        words = [str(self.cluster.file) if self.cluster and word == OWN_CLUSTER else word for word in words]
        environment = os.environ | {"TMPDIR": str(folder / "tmp"), "RENDER_FAULTS": tag}
        command = [*(before or []), sys.executable, "-m", "render", *words, "--out", "a.png"]
        self.process = subprocess.Popen(
            command,
            cwd=folder,
            env=environment | {"PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def family(self) -> list[int]:
        """The processes that live and carry the tag, the one that draws first."""
        found = [int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit() and self._is_ours(path)]
        return sorted(found, key=lambda pid: (pid != self.process.pid, pid))

    def workers(self) -> list[int]:
        """Those of them that paint for it."""
        named = {pid: read_text(Path(f"/proc/{pid}/cmdline")) for pid in self.family()[1:]}
        return [pid for pid, name in named.items() if any(worker in name for worker in WORKERS)]

    def _is_ours(self, path: Path) -> bool:
        return f"RENDER_FAULTS={self.tag}\0" in read_text(path / "environ") and ") Z" not in read_text(path / "stat")

    def paints(self) -> bool:
        """Test whether tiles are kept already."""
        journal = self.folder / "a.png.journal"
        return journal.exists() and journal.stat().st_size > 2000

    def until(self, condition: Callable[[], object]) -> bool:
        """Wait until something is so, or the run has ended; tell which."""
        end = time.monotonic() + LONGEST
        while self.process.poll() is None and time.monotonic() < end:
            if condition():
                return True
            time.sleep(0.02)
        return False


def read_text(path: Path) -> str:
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""


def list_shared() -> set[str]:
    """List what lies in shared memory."""
    return {path.name for path in SHM.iterdir()} if SHM.exists() else set()


def send_signal(pid: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


def digest(path: Path) -> str:
    """The pixels of a picture, in short."""
    with Image.open(path) as image:
        return hashlib.sha256(image.convert("RGB").tobytes()).hexdigest()


def run_to_end(run: Run) -> tuple[int, str, str]:
    """Wait for a run; its exit code and what it said. A hang is killed, and raises TimeoutExpired."""
    try:
        said, complained = run.process.communicate(timeout=LONGEST)
    except subprocess.TimeoutExpired:
        for pid in run.family():
            send_signal(pid, signal.SIGKILL)
        raise
    finally:
        if run.cluster:
            run.cluster.close()
    return run.process.returncode, said, complained


def _ownerless(shared: set[str]) -> list[str]:
    """List the shared memory that came since `shared` was listed, and whose maker, named in it, lives no more."""
    found = [name for name in list_shared() - shared if name.startswith(("render", "sem.loky"))]
    return [name for name in found if not ((maker := MAKER.match(name)) and _lives(maker[1]))]


def _lives(pid: str) -> bool:
    return Path(f"/proc/{pid}").exists()


def leftovers(run: Run, shared: set[str]) -> Iterator[str]:
    """List what is left of a run that has ended; workers have two seconds to leave after a parent that was killed.

    Shared memory of processes that live and are no part of the run is theirs: others may run beside it.
    """
    end = time.monotonic() + 2.0
    while (run.family() or _ownerless(shared)) and time.monotonic() < end:
        time.sleep(0.05)
    yield from (f"process {pid} lives: {read_text(Path(f'/proc/{pid}/cmdline'))[:80]!r}" for pid in run.family())
    yield from (f"{SHM}/{name}" for name in _ownerless(shared))
    yield from map(str, (run.folder / "tmp").iterdir())
    yield from map(str, run.folder.glob(".render-*"))
