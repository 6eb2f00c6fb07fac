"""How the program feels on the command line: whole processes, from the shell's point of view.

    python benchmarks/startup.py [--runs N] [SECTION...]

sections: draw help second cold pixels (all unless named)

    draw     `python -m render --size 1920x1080`, warm, with one worker and with all: the process's wall time, split by
             what the program says of itself (--json) into imports, painting, saving and the rest
    help     `python -m render --help`, beside an interpreter that does nothing
    second   a second run compiles nothing and imports no compiler
    cold     what compiling each scene takes for the first time, in an empty cache, against a budget
    pixels   what happens to the pixels of a 1920x1080 frame besides stepping and shading: mean of the samples, sRGB and
             storing (a scene without steps, painted), PNG, and the saved trace; and Pillow's own PNG beside it

Caches are folders of their own, removed at the end; nothing of the user's is touched.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple

from pairs import Times, in_turn, machine_line, options, ratio, timed
from PIL import Image

from render import engine, machine, scene, stats
from render.frame import Frames
from render.options import complete
from render.outputs import trace as saved
from render.pictures import picture

BLANK = str(Path(__file__).parent / "references" / "blank.py")
SIZE = "1920x1080"
BUDGETS = {"mandelbrot": 6.0, "julia": 6.0, "still_life": 8.0, "mandelbulb": 8.0}  # seconds, on a core of 2023
BUDGET = 8.0  # of any other scene
WHOLE, REST, HELP, PIXELS = 0.6, 0.15, 0.1, 0.020  # aims in seconds
KINDS = ("import", "start", "compile", "plan", "paint", "save")


class Ran(NamedTuple):
    """One process: its wall time, the document that it printed, and what it said meanwhile."""

    wall: float
    document: dict[str, Any]
    told: str

    @property
    def seconds(self) -> dict[str, float]:
        """What the program says of itself."""
        return dict(self.document["seconds"])


def ran(cache: str, *arguments: str, flags: tuple[str, ...] = ()) -> Ran:
    """Run the program in a fresh process. Ends this one where it fails."""
    command = [sys.executable, *flags, "-m", "render", *arguments]
    environment = os.environ | {"RENDER_CACHE_DIR": cache}
    t0 = time.perf_counter_ns()
    made = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)  # noqa: S603
    wall = (time.perf_counter_ns() - t0) / 1e9
    if made.returncode:
        sys.exit(f"{' '.join(command)} fails: {made.stderr}")
    return Ran(wall, json.loads(made.stdout) if "--json" in arguments else {}, made.stderr)


def drawing(folder: str, *arguments: str) -> tuple[str, ...]:
    """The arguments of one draw whose picture goes to a scratch folder."""
    return "--out", str(Path(folder) / "picture.png"), "--json", *arguments


def draw(folder: str, runs: int) -> None:
    """The default picture at 1080p, warm."""
    counts = dict.fromkeys((1, machine.default_workers()))
    asked = {count: drawing(folder, "--size", SIZE, "--workers", str(count)) for count in counts}
    seen: dict[int, list[Ran]] = {count: [] for count in counts}
    for count in counts:
        ran(folder, *asked[count])
    for _ in range(runs):
        for count in counts:
            seen[count].append(ran(folder, *asked[count]))
    print(f"\npython -m render --size {SIZE}, warm, whole process, of {runs} runs the shortest; ms")
    print(f"  {'workers':8}{'whole':>8}{'median':>8}" + "".join(f"{kind:>9}" for kind in (*KINDS, "python", "rest")))
    for count in counts:
        best = min(seen[count], key=lambda run: run.wall)
        seconds = best.seconds
        parts = [seconds[kind] for kind in KINDS] + [best.wall - seconds["total"]]
        left = [*parts, best.wall - sum(parts)]
        median = statistics.median(run.wall for run in seen[count])
        print(f"  {count:<8}{best.wall * 1e3:8.0f}{median * 1e3:8.0f}" + "".join(f"{part * 1e3:9.1f}" for part in left))
        rest = min(run.wall - run.seconds["paint"] - run.seconds["import"] for run in seen[count])
        print(f"  {'':8}whole {below(best.wall, WHOLE)};", end=" ")
        print(f"all but painting and imports {rest * 1e3:.0f} ms, {below(rest, REST)}")
    print("  python: before the program is entered and after its document; rest: what no span tells")


def below(reached: float, aim: float) -> str:
    """An aim that is to stay below, in ms."""
    return f"aim under {aim * 1e3:.0f} ms: {'reached' if reached < aim else 'missed'}"


def help(folder: str, runs: int) -> None:
    """How soon the program answers at all."""
    nothing = [sys.executable, "-c", "pass"]
    times = in_turn(
        {
            "--help": lambda: ran(folder, "--help").wall,
            "nothing": timed(lambda: subprocess.run(nothing, check=True)),  # noqa: S603
        },
        2 * runs,
    )
    print(f"\npython -m render --help: {shown(times['--help'])}, {below(times['--help'].best, HELP)}", end="")
    print(f"; an interpreter that does nothing: {shown(times['nothing'])}")


def shown(times: Times) -> str:
    """The shortest time and the median."""
    return f"{times.best * 1e3:.1f} ms (median {times.median * 1e3:.1f})"


def second(folder: str, runs: int) -> None:
    """A second run compiles nothing."""
    asked = drawing(folder, "--size", "320x180")
    ran(folder, *asked)
    again = ran(folder, *asked, flags=("-X", "importtime"))
    imported = {line.rpartition("|")[2].strip().partition(".")[0] for line in again.told.splitlines() if "|" in line}
    compiling = "compiling" in again.told
    loading = again.seconds["import"]
    verdict = "failed" if compiling or "numba" in imported else "nothing compiled, numba not imported"
    print(f"\nsecond run: {verdict}; imports with machine code {loading * 1e3:.1f} ms (and times written)")


def cold(folder: str, runs: int) -> None:
    """The first run of each scene."""
    print("\nfirst run of each scene, in an empty cache, at 64x36")
    for name in scene.names():
        with tempfile.TemporaryDirectory() as empty:
            first = ran(empty, *drawing(folder, "--scene", name, "--size", "64x36"))
        spent, budget = first.seconds["compile"], BUDGETS.get(name, BUDGET)
        said = next((line for line in first.told.splitlines() if "compiling" in line), "without a word")
        verdict = "kept" if spent <= budget else "missed"
        print(f"  {name:12}{spent:6.2f} s compiling,{first.wall:6.2f} s in all; budget {budget:g} s: {verdict}")
        print(f"  {'':12}told: {said}")


def pixels(folder: str, runs: int) -> None:
    """What happens to the pixels besides stepping and shading."""
    blank = complete(scene=BLANK, size=SIZE, samples=1, mode="sequential")
    frame = engine.draw(complete(size=SIZE, mode="sequential"))
    engine.draw(blank)
    texts = {"render:request": json.dumps(frame.request.as_dict())}
    works = {
        "mean, sRGB, storing": lambda: stats.of(engine.draw(blank).trace).seconds["paint"],
        "PNG": timed(lambda: picture.encode_png(frame.rgb, texts)),
        "saved trace": timed(lambda: saved.write(Frames((frame,)))),
        "PNG by Pillow": timed(lambda: Image.fromarray(frame.rgb).save(BytesIO(), "png")),
    }
    times = in_turn(works, max(runs, 3))
    print(f"\nthe pixels of a {SIZE} frame, one worker; ms")
    for name, spent in times.items():
        print(f"  {name:22}{shown(spent)}")
    whole = sum(times[name].best for name in ("mean, sRGB, storing", "PNG", "saved trace"))
    print(f"  the first three together: {whole * 1e3:.1f} ms, {below(whole, PIXELS)}")
    print(f"  PNG is {ratio(times['PNG by Pillow'], times['PNG']):.1f} times as fast as Pillow's,", end=" ")
    print(f"{len(picture.encode_png(frame.rgb)) / 1e6:.2f} MB")


SECTIONS: Mapping[str, Any] = {section.__name__: section for section in (draw, help, second, cold, pixels)}


def main() -> None:
    """Measure what is asked for."""
    parser = options(__doc__ or "", 5)
    parser.add_argument("sections", nargs="*", metavar="SECTION", help=", ".join(SECTIONS))
    typed = parser.parse_args()
    unknown = sorted(set(typed.sections) - set(SECTIONS))
    if unknown:
        parser.error(f"no section {unknown[0]}; there are {', '.join(SECTIONS)}")
    print(machine_line())
    with tempfile.TemporaryDirectory() as folder:
        for name in typed.sections or SECTIONS:
            SECTIONS[name](folder, typed.runs)


if __name__ == "__main__":
    main()
