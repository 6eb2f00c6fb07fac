"""Draw while everything goes wrong, and see that nothing is lost.

    python benchmarks/faults.py [RUNS] [SEED]

Each run (50 unless RUNS says otherwise) draws one picture in one mode, and one fault befalls it: workers are killed
(one, several, again and again, while they start), crash or are stopped; a cluster loses its scheduler or a host; the
program is killed, interrupted, stopped or told to end; the disk is full; there is no shared memory. Then the picture
must be that of a quiet run, at once or after `--resume`, which must have taken tiles from the journal; within 60 s; and
no process and no file may be left. A tile that kills all its workers and one that never ends must be named, and the
others be kept. Linux only.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path

from trials.bad_tiles import BAD_TILES, attempt_bad_tile
from trials.faults import FAULTS
from trials.runs import OWN_CLUSTER, Run, digest, leftovers, list_shared, run_to_end

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
if find_spec("distributed"):
    MODES["processes of Dask"] = ["--mode", "parallel", "--backend", "dask", "--workers", "2", *FRAME]
    MODES["a cluster"] = ["--mode", "parallel", "--backend", "dask", "--cluster", OWN_CLUSTER, *FRAME]


def attempt(name: str, mode: str, expected: str, folder: Path, tag: str) -> str:
    """Draw with a fault, and again until the picture is there; say how it went. Raises AssertionError."""
    fault, shared, resumed, turns = FAULTS[name], list_shared(), 0, 0
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
                elif not (fitting := [mode for mode in MODES if FAULTS[name].modes in mode]):
                    how = "not tried: Dask is not installed"
                else:
                    mode = random.choice(fitting)
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
