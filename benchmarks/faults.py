"""Draw while everything goes wrong, and see that nothing is lost.

    python benchmarks/faults.py [RUNS] [SEED]

Each run (50 unless RUNS says otherwise) draws one picture in one mode, and one fault befalls it: workers are killed
(one, several, again and again, while they start), crash or are stopped; the program is killed, interrupted or told to
end; the disk is full; there is no shared memory. Then the picture must be that of a quiet run, at once or after
`--resume`, which must have taken tiles from the journal; within 60 s; and no process and no file may be left. A tile
that kills all its workers and one that never ends must be named, and the others be kept. Linux only.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from PIL import Image

LONGEST = 60.0  # seconds that a run may take; more is a hang
FRAME = ["--scene", "mandelbrot", "--view", "seahorses", "--set", "shortcuts=0", "--size", "480x320", "--samples", "2"]
SMALL = [*FRAME[:8], "--samples", "1", "--limit", "4000", "--tile", "32"]  # all of it is a launch or two
MODES: dict[str, list[str]] = {
    "sequential": ["--mode", "sequential", *FRAME],
    "concurrent": ["--mode", "concurrent", *FRAME],
    "threads": ["--mode", "parallel", *FRAME],
    "processes": ["--mode", "parallel", "--backend", "loky", "--workers", "2", *FRAME],
    "juggling processes": ["--mode", "parallel", "--backend", "loky", "--workers", "2", "--in-flight", "3", *FRAME],
    "cuda, simulated": ["--mode", "cuda", "--simulate", *SMALL],
}
SHM = Path("/dev/shm")  # noqa: S108


class Run:
    """One process that draws, and what it started. `tag` is in the environment of all of them."""

    def __init__(self, words: list[str], folder: Path, tag: str, before: list[str] | None = None) -> None:
        self.folder, self.tag = folder, tag
        (folder / "tmp").mkdir(exist_ok=True)
        environment = os.environ | {"TMPDIR": str(folder / "tmp"), "RENDER_FAULTS": tag}
        command = [*(before or []), sys.executable, "-m", "render", *words, "--out", "a.png"]
        self.process = subprocess.Popen(
            command,
            cwd=folder,
            env=environment | {"PYTHONPATH": str(Path(__file__).parent.parent)},
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
        return [pid for pid in self.family()[1:] if "LokyProcess" in _read(Path(f"/proc/{pid}/cmdline"))]

    def _is_ours(self, path: Path) -> bool:
        return f"RENDER_FAULTS={self.tag}\0" in _read(path / "environ") and ") Z" not in _read(path / "stat")

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


def _read(path: Path) -> str:
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""


def _shared() -> set[str]:
    """List what lies in shared memory."""
    return {path.name for path in SHM.iterdir()} if SHM.exists() else set()


def _signal(pid: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


# --- what goes wrong ----------------------------------------------------------------------------------------


def _to_workers(run: Run, number: int, count: int) -> None:
    run.until(run.paints)
    for pid in random.sample(run.workers(), min(count, len(run.workers()))):
        _signal(pid, number)


def kill_one(run: Run) -> None:
    _to_workers(run, signal.SIGKILL, 1)


def kill_all(run: Run) -> None:
    _to_workers(run, signal.SIGKILL, 9)


def kill_twice(run: Run) -> None:
    _to_workers(run, signal.SIGKILL, 1)
    time.sleep(random.uniform(0.05, 0.9))
    _to_workers(run, signal.SIGKILL, 1)


def kill_while_starting(run: Run) -> None:
    for _ in range(random.randint(1, 4)):
        if run.until(run.workers):
            time.sleep(random.uniform(0.0, 0.3))
            for pid in run.workers():
                _signal(pid, signal.SIGKILL)


def kill_every_second(run: Run) -> None:
    for _ in range(8):
        if run.process.poll() is None:
            _to_workers(run, signal.SIGKILL, 1)
            time.sleep(1.0)


def crash(run: Run) -> None:
    _to_workers(run, signal.SIGSEGV, 1)


def stop(run: Run) -> None:
    _to_workers(run, signal.SIGSTOP, random.randint(1, 2))


def _to_program(number: int, *, group: bool = False) -> Callable[[Run], None]:
    def fault(run: Run) -> None:
        run.until(run.paints)
        time.sleep(random.uniform(0.0, 0.5))
        if run.process.poll() is None:
            for pid in run.family() if group else [run.process.pid]:
                _signal(pid, number)

    return fault


def kill_at_any_instant(run: Run) -> None:
    time.sleep(random.uniform(0.0, 6.0))
    _signal(run.process.pid, signal.SIGKILL)


def fill_disk(run: Run) -> None:
    """A file can be no longer from now on, as on a full disk."""
    run.until(run.paints)
    with contextlib.suppress(ProcessLookupError):
        resource.prlimit(run.process.pid, resource.RLIMIT_FSIZE, (20_000, 20_000))


def nothing(_run: Run) -> None:
    """All is as it should be, but for what the run was started with."""


class Fault(NamedTuple):
    """What befalls a run. modes: part of the names of those it is for; before: the command that it is started by."""

    befall: Callable[[Run], None]
    modes: str = ""
    before: tuple[str, ...] = ()


WITHOUT_SHM = ("unshare", "-m", "sh", "-c", 'mount -t tmpfs -o ro none /dev/shm && exec "$@"', "sh")
FAULTS = {
    "a worker is killed": Fault(kill_one, "processes"),
    "all workers are killed": Fault(kill_all, "processes"),
    "two workers are killed within a second": Fault(kill_twice, "processes"),
    "workers are killed while they start": Fault(kill_while_starting, "processes"),
    "a worker is killed every second": Fault(kill_every_second, "processes"),
    "a worker crashes": Fault(crash, "processes"),
    "workers are stopped": Fault(stop, "processes"),
    "SIGKILL": Fault(_to_program(signal.SIGKILL)),
    "SIGKILL at any instant": Fault(kill_at_any_instant),
    "Ctrl-C": Fault(_to_program(signal.SIGINT)),
    "Ctrl-C in a terminal": Fault(_to_program(signal.SIGINT, group=True)),
    "SIGTERM": Fault(_to_program(signal.SIGTERM)),
    "SIGHUP": Fault(_to_program(signal.SIGHUP)),
    "the disk is full": Fault(fill_disk),
    "no shared memory": Fault(nothing, "", WITHOUT_SHM),
}


# --- scenes that go wrong -----------------------------------------------------------------------------------

BAD_TILES = {  # what the upper left corner does, and what is said of its tile
    "a tile kills its workers": ("os.kill(os.getpid(), 11)", "was lost 3 times (SIGSEGV)"),
    "a tile exits": ("os._exit(3)", "was lost 3 times (exit code 3)"),
    "a tile takes all memory": ("os.kill(os.getpid(), 9)", "was lost 6 times (SIGKILL)"),
    "a tile never ends": ("time.sleep(1e6)", "was lost 2 times (no sign of life"),
    "a tile spins for ever": ("exec('while True: pass')", "was lost 2 times (no sign of life"),
}
BAD_SCENE = """\
import os, time
HOME = {home}
class Bad:
    def __call__(self, state):
        if "LokyProcess" in open("/proc/self/cmdline").read() and state[0] < -2.4 and state[1] > 1.5:
            {deed}
        return state[0] > 1e30
bad = Bad()
def start(x, y, p): return x, y
def step(state, p): return state
def alive(state, p): return bad(state)
def shade(state, steps, p): return 0.1, 0.2, 0.3
"""


def attempt_bad_tile(name: str, folder: Path, tag: str) -> str:
    """Draw a scene of which one tile is bad; the others must be kept, and it must be named."""
    deed, expected = BAD_TILES[name]
    (folder / "bad.py").write_text(BAD_SCENE.format(home=os.getpid(), deed=deed))
    words = ["--scene", "bad.py", "--target", "python", "--mode", "parallel", "--backend", "loky", "--workers", "2"]
    words += ["--size", "48x32", "--samples", "1", "--tile", "16", "--tile-timeout", "3", "--limit", "9"]
    shared = _shared()
    run = Run(words, folder, tag)
    code, _, complained = run_to_end(run)
    left = list(leftovers(run, shared))
    assert not left, f"left behind: {left}"
    assert code == 4, f"exit {code}: {complained}"
    assert f"tile 0 (x 0, y 0, 16 x 16) of scene bad.py failed: its worker {expected}" in complained, complained
    assert "--only-tile 0" in complained, complained
    assert "5 of 6 tiles are kept in a.unfinished.png" in complained, complained
    with Image.open(folder / "a.unfinished.png") as image:
        black = [image.getpixel((x, y)) == (0, 0, 0) for y in (8, 24) for x in (8, 24, 40)]
    assert black == [True] + [False] * 5, black
    return next(line for line in complained.splitlines() if "failed" in line)[:150]


# --- the trial ----------------------------------------------------------------------------------------------


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
            _signal(pid, signal.SIGKILL)
        raise
    return run.process.returncode, said, complained


def leftovers(run: Run, shared: set[str]) -> Iterator[str]:
    """List what is left of a run that has ended; workers have two seconds to leave after a parent that was killed."""
    end = time.monotonic() + 2.0
    while run.family() and time.monotonic() < end:
        time.sleep(0.05)
    yield from (f"process {pid} lives: {_read(Path(f'/proc/{pid}/cmdline'))[:80]!r}" for pid in run.family())
    yield from (f"{SHM}/{name}" for name in _shared() - shared if name.startswith(("render", "sem.loky")))
    yield from map(str, (run.folder / "tmp").iterdir())
    yield from map(str, run.folder.glob(".render-*"))


def attempt(name: str, mode: str, expected: str, folder: Path, tag: str) -> str:
    """Draw with a fault, and again until the picture is there; say how it went. Raises AssertionError."""
    fault, shared, resumed, turns = FAULTS[name], _shared(), 0, 0
    run = Run([*MODES[mode], "--json"], folder, tag, list(fault.before))
    fault.befall(run)
    code, said, complained = run_to_end(run)
    first = code
    while True:
        left = list(leftovers(run, shared))
        assert not left, f"left behind: {left}"
        assert "Traceback" not in complained, complained
        assert "fault of the program" not in complained, complained
        if code == 0:
            break
        kept = (folder / "a.png.journal").exists()
        assert turns < 3, f"exit {code}: {complained}"
        run, turns = Run([*MODES[mode], "--resume", "--json"], folder, tag), turns + 1
        code, said, complained = run_to_end(run)
        if code == 0:
            resumed = json.loads(said)["resumed"]
            assert resumed > 0 or not kept, "nothing was taken from the journal"
    assert digest(folder / "a.png") == expected, "another picture"
    files = sorted(path.name for path in folder.iterdir())
    assert files == ["a.png", "tmp"], f"left behind: {files}"
    document = json.loads(said)
    told = next((text for text in document["sentences"] if "replaced" in text), "")
    return f"exit {first}" + (f", then {resumed} of {document['tiles']} tiles resumed" if turns else "") + f" {told}"


def calibrate(folder: Path) -> None:
    """Set the limit so that a quiet run paints for some seconds; all have it from then on."""
    FRAME.extend(["--limit", "20000"])
    code, said, complained = run_to_end(Run([*MODES["threads"], *FRAME[-2:], "--json"], folder, "quiet"))
    assert code == 0, complained
    seconds = json.loads(said)["seconds"]["paint"]
    limit = str(min(max(int(20_000 * 3.0 / seconds), 1000), 10**6))
    for words in MODES.values():
        if "--view" in words:
            words.extend(["--limit", limit])


def main(runs: int, seed: int) -> int:
    """Make so many trials; print a line for each and return how many went wrong."""
    random.seed(seed)
    without_mounts = shutil.which("unshare") is None or os.geteuid() != 0
    with tempfile.TemporaryDirectory(prefix="faults-") as place:
        folder = Path(place)
        calibrate(folder)
        expected = {}
        for mode in ("threads", "cuda, simulated"):
            code, _, complained = run_to_end(Run(MODES[mode], folder, "quiet"))
            assert code == 0, complained
            expected[mode] = digest(folder / "a.png")
        wrong = 0
        for number in range(runs):
            name = [*FAULTS, *BAD_TILES][number % (len(FAULTS) + len(BAD_TILES))]
            trial, began, tag = folder / f"run-{number}", time.monotonic(), f"{os.getpid()}-{number}"
            trial.mkdir()
            mode = "processes"
            try:
                if name in BAD_TILES:
                    how = attempt_bad_tile(name, trial, tag)
                elif FAULTS[name].before and without_mounts:
                    how = "not tried: only the superuser can"
                else:
                    mode = random.choice([mode for mode in MODES if FAULTS[name].modes in mode])
                    how = attempt(name, mode, expected.get(mode, expected["threads"]), trial, tag)
            except (AssertionError, subprocess.TimeoutExpired, ValueError, OSError) as error:
                wrong, how = wrong + 1, f"WRONG: {error}"
            print(f"{number + 1:3} {mode}, {name}: {how} ({time.monotonic() - began:.0f} s)", flush=True)
            shutil.rmtree(trial, ignore_errors=True)
    print(f"{runs} runs, {wrong} went wrong (seed {seed})")
    return wrong


if __name__ == "__main__":
    asked = [int(word) for word in sys.argv[1:]]
    sys.exit(bool(main(asked[0] if asked else 50, asked[1] if len(asked) > 1 else random.randrange(10**6))))
