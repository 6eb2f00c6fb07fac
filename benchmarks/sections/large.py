"""What a pixel costs, and how much memory it takes, from a frame that fits in memory to one that does not.

The same picture, painted and saved as PNG and as TIFF by processes of their own, whose code is loaded before they are
timed. The seconds are CPU time of the whole process, of all its threads, for so many pixels as the smallest frame has;
so the cases of a group should be equal, and `peak_bytes` of the facts (the most memory that was resident) bounded. The
largest frames take minutes: the section is measured when it is named, each frame once in a pass.

A time counts only where the file holds the right picture: its first one is read again, the hash of its pixels compared
with the document's, and windows from top to bottom with the same painted alone by target scalar.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from harness.cases import Case, Group, Missing, Once

SIDES = (2048, 8192, 32768)
FILES = ("PNG", "TIFF")
SUFFIXES = {"PNG": ".png", "TIFF": ".tif"}
WINDOWS, EDGE = 8, 64  # that are compared, and pixels of a side of one, at most
CHILD = """
import contextlib, io, json, pathlib, resource, sys
from render.frontend.cli import main

def spent():
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime

def draw(side, out):
    with contextlib.redirect_stdout(io.StringIO()) as said:
        assert main(["--size", side, "--out", out, "--json", "--quiet", "--fresh"]) == 0
    return json.loads(said.getvalue())

side, out = sys.argv[1:]
draw("64", out)
before = spent()
document = draw(side, out)
after, status = spent(), pathlib.Path("/proc/self/status")  # ru_maxrss is the parent's, where that is larger
lines = status.read_text().splitlines() if status.exists() else []
peak = next((int(line.split()[1]) for line in lines if line.startswith("VmHWM")), None)
print(json.dumps({"spent": after - before, "peak": peak, "sha256": document["sha256"]}))
"""


def groups(quick: bool) -> Iterator[Group]:  # noqa: FBT001  (one signature for all sections)
    """A group for each kind of file; in quick without the largest frame."""
    sides = SIDES[:-1] if quick else SIDES
    names = tuple(f"{side} x {side}" for side in sides)
    for kind in FILES:
        yield Group(
            f"frames to {kind}",
            names,
            partial(prepare, kind, sides),
            names[0],
            seconds=2.0,
            cold=True,
            on_request=True,
        )


def prepare(kind: str, sides: tuple[int, ...], stack: ExitStack) -> Iterator[Case | Missing]:
    """Frames of one picture, each larger than the one before."""
    from harness.whole import folder

    out = Path(folder(stack)) / f"picture{SUFFIXES[kind]}"
    for side in sides:
        facts: dict[str, object] = {"pixels": side * side}
        yield Case(f"{side} x {side}", whole(side, out, facts), equal=True, facts=facts, clock="process")


def whole(side: int, out: Path, facts: dict[str, object]) -> Once:
    """Draw a frame in a process of its own; note its peak of memory. Raises Differ where its picture is another."""
    from harness.cases import Differ

    def once() -> float:
        command = [sys.executable, "-c", CHILD, str(side), str(out)]
        run = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603  (our own)
        found = json.loads(run.stdout)
        if "sha256" not in facts:
            check_file(out, side, found["sha256"])
        out.unlink()
        if facts.setdefault("sha256", found["sha256"]) != found["sha256"]:
            raise Differ(1, 1, "pictures")
        if found["peak"]:
            facts["peak_bytes"] = 1024 * found["peak"]
        return float(found["spent"]) * (SIDES[0] / side) ** 2

    return once


def check_file(out: Path, side: int, sha256: str) -> None:
    """Check a saved frame against its hash and against windows. Raises Differ."""
    import hashlib

    import render
    from harness.cases import Differ
    from harness.program import check_equal
    from render.pictures import source

    found, places = hashlib.sha256(), [number * (side - 1) // (WINDOWS - 1) for number in range(WINDOWS)]
    with render.session(size=(side, side), mode="sequential", target="scalar") as session:
        for band in source.open_picture(out).read_bands():
            found.update(band.rgb.tobytes())
            while places and places[0] < band.y + len(band.rgb):
                place = places.pop(0)  # from corner to corner
                painted = band.rgb[place - band.y :, place:][:EDGE, :EDGE]
                alone = session.window(place, place, painted.shape[1], painted.shape[0]).rgb
                check_equal(painted, alone, "colours")
    if places or found.hexdigest() != sha256:
        raise Differ(1, 1, "pictures")
