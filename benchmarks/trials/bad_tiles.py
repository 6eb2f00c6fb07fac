"""Scenes of which one tile is bad: it kills whoever paints it, or never ends."""

from __future__ import annotations

import os
from pathlib import Path

from PIL import Image

from trials.runs import Run, leftovers, list_shared, run_to_end

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
    shared = list_shared()
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
