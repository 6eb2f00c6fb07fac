"""Write the figures of README.md and benchmarks/README.md from results/*.json, or check that they are these.

    python benchmarks/figures.py [--check]

Between `<!-- figures: NAME -->` and `<!-- end of figures -->` stands a table that is made here, a column for each
machine. A figure that is known to worse than 5 % has its interval beside it; one that a busy machine hides is left
out. Nothing else of the files is touched. --check: exit 1 where a table is not what the results say.
"""

from __future__ import annotations

import argparse
import math
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parent.parent
sys.path.insert(1, str(ROOT))

from harness.passes import duration  # noqa: E402
from harness.record import Record, read  # noqa: E402
from harness.verdicts import WIDE  # noqa: E402
from reports.figures import Time, base_of, ratio, share, time_of  # noqa: E402

RESULTS = ROOT / "benchmarks" / "results"
FILES = (ROOT / "README.md", ROOT / "benchmarks" / "README.md")
MARKED = re.compile(r"(<!-- figures: ([\w-]+) -->\n).*?(<!-- end of figures -->)", re.DOTALL)

HIDDEN = 0.3  # half an interval, beyond which a figure is left out
Say = Callable[[Record, str], str | None]


def sure(words: str, half: float | None) -> str | None:
    """A figure as it is where it is known to 5 %, with its interval up to 30 %, and beyond that none."""
    if half is None or half <= WIDE:
        return words
    return f"{words} ± {100 * half:.0f} %" if half <= HIDDEN else None


def seconds(record: Record, name: str) -> str | None:
    """A case's time."""
    time = time_of(record, record.cases[name])
    return sure(duration(time.quick), _half(time)) if time else None


def times_as_fast(record: Record, name: str) -> str | None:
    """Compute how many times as fast as the case that it is compared with."""
    row = record.cases[name]
    base = base_of(record, row)
    found = ratio(record, row, base) if base else None
    return sure(f"{found.middle:.{1 if found.middle >= 1 else 2}f}", found.half) if found else None


def of_limit(record: Record, name: str) -> str | None:
    """The share of the limit."""
    reached, time = share(record, record.cases[name]), time_of(record, record.cases[name])
    return sure(f"{100 * reached:.0f} %", _half(time)) if reached is not None and time else None


def _half(time: Time) -> float | None:
    """Half a time's interval; none for a transcribed one, and no limit to it where passes are too few."""
    return None if not time.samples else time.half if time.half is not None else math.inf


class Line(NamedTuple):
    """A row of a table: what it says, of which case, and how."""

    words: str
    case: str
    say: Say


CPU = (
    Line("one core, whole set, limit 500, float64, painted, against C++", "core/whole set f64/painted", times_as_fast),
    Line("the same, steps alone", "core/whole set f64/steps alone", times_as_fast),
    Line("limit 5000, painted, against C++", "core/whole set, limit 5000 f64/painted", times_as_fast),
    Line("inside the set, share of the core's limit, float64", "core/interior f64/painted", of_limit),
    Line("the same, float32", "core/interior f32/painted", of_limit),
    Line("shortcuts on against off, limit 5000", "core/shortcuts, limit 5000, f64/on", times_as_fast),
    Line("`still_life`, vectors against one lane", "ray_marching/still_life 640x360/simd", times_as_fast),
    Line("two threads against one worker", "scaling/threads/2 threads", times_as_fast),
    Line("two processes against one worker", "scaling/processes/2 processes", times_as_fast),
    Line("`python -m render --help`", "startup/help/render --help", seconds),
    Line("`python -m render --size 1920x1080`, one worker", "startup/1920x1080 to PNG/draw, 1 worker", seconds),
    Line("compiling `mandelbrot`, the first time", "compiling/mandelbrot/render", seconds),
)
_SQL = "peers/sql-mandelbrot frame"
PEERS = (
    Line("`render` as people run it, one core", f"{_SQL}, one core/render", seconds),
    Line("`render`, every step made, colours and all", f"{_SQL}, one core/render, shortcuts off", seconds),
    Line("`render`, every step made, steps alone", f"{_SQL}, one core/render, steps alone", seconds),
    Line("C++ intrinsics", f"{_SQL}, one core/C++ intrinsics", seconds),
    Line("Mojo", f"{_SQL}, one core/Mojo", seconds),
    Line("numba `@njit`", f"{_SQL}, one core/numba @njit", seconds),
    Line("NumPy", f"{_SQL}, one core/NumPy", seconds),
    Line("`render`, all cores", f"{_SQL}, all cores/render", seconds),
    Line("numba `parallel=True`, all cores", f"{_SQL}, all cores/numba parallel=True", seconds),
    Line("Taichi, all cores", f"{_SQL}, all cores/Taichi", seconds),
    Line("`render --mode cuda`, picture at home", f"{_SQL}, GPU/render", seconds),
    Line("numba-cuda, counts at home", f"{_SQL}, GPU/numba-cuda", seconds),
    Line("CuPy, counts at home", f"{_SQL}, GPU/CuPy", seconds),
)
GPU = (
    Line("whole set, limit 1000, float64, kernel", "gpu/whole set f64/painted", seconds),
    Line("the same, share of the GPU's limit", "gpu/whole set f64/painted", of_limit),
    Line("the same, against CUDA C++", "gpu/whole set f64/painted", times_as_fast),
    Line("float32, kernel", "gpu/whole set f32/painted", seconds),
    Line("the same, against CUDA C++", "gpu/whole set f32/painted", times_as_fast),
    Line("inside the set, share of the limit, float64", "gpu/interior f64/painted", of_limit),
    Line("the same, float32", "gpu/interior f32/painted", of_limit),
    Line("`still_life`, kernel", "gpu/still_life/painted", seconds),
)
TABLES = {"cpu": CPU, "peers": PEERS, "gpu": GPU}


def results() -> dict[str, Record]:
    """All results, by the name of their file."""
    return {path.stem: read(path) for path in sorted(RESULTS.glob("*.json"))}


def heading(record: Record) -> str:
    """A column's head: CPU and GPU, and whether the figures are transcribed."""
    of = record.machine
    gpu = (of.get("gpus") or [{}])[0].get("name")
    words = f"{gpu or of['cpu']}, {of['cpus']} CPUs"
    return words + (", transcribed" if any(row.get("summary") for row in record.cases.values()) else "")


def table(lines: tuple[Line, ...], runs: dict[str, Record]) -> Iterator[str]:
    """A table of those machines that have a figure of it."""
    cells = {name: [_cell(line, record) for line in lines] for name, record in runs.items()}
    shown = {name: column for name, column in cells.items() if any(column)}
    yield "| |" + "".join(f" {heading(runs[name])} |" for name in shown)
    yield "|---|" + "---:|" * len(shown)
    for number, line in enumerate(lines):
        if any(column[number] for column in shown.values()):
            yield f"| {line.words} |" + "".join(f" {column[number] or ''} |" for column in shown.values())


def _cell(line: Line, record: Record) -> str | None:
    return line.say(record, line.case) if line.case in record.cases else None


def renew(text: str, runs: dict[str, Record]) -> str:
    """A file's text with all its tables made anew. Raises KeyError for a table that nobody knows."""

    def made(found: re.Match[str]) -> str:
        lines = "\n".join(table(TABLES[found[2]], runs))
        return f"{found[1]}{lines}\n{found[3]}"

    return MARKED.sub(made, text)


def main() -> int:
    """Write or check; the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 where a table is out of date")
    check = parser.parse_args().check
    runs, stale = results(), []
    for path in FILES:
        text = path.read_text(encoding="utf-8")
        new = renew(text, runs)
        if new != text:
            stale.append(path)
            if not check:
                path.write_text(new, encoding="utf-8")
    for path in stale:
        print(f"{path.relative_to(ROOT)}: {'out of date: python benchmarks/figures.py' if check else 'written'}")
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
