"""Show runs of the benchmarks: merge machines, or compare two runs of one.

    python benchmarks/report.py FILE.json ... [--html FILE.html] [--check]

Prints Markdown; --html writes one page that needs nothing else. Where the last two files are runs of one machine, each
case gets a verdict from the raw samples: FAST, SLOW, SAME or AMBIGUOUS (`harness/verdicts.py` says by which test).
--check: exit 1 where a case is SLOW, or its picture is no longer equal. Exit 2 for a file that cannot be read.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(1, str(ROOT))

from harness import machine, record, verdicts  # noqa: E402
from reports import findings, markdown, page  # noqa: E402


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE.json", help="records that run.py has written")
    parser.add_argument("--html", type=Path, metavar="FILE.html", help="write a page as well")
    parser.add_argument("--check", action="store_true", help="exit 1 where a case is SLOW")
    parser.add_argument("--pyperf", type=Path, metavar="FILE.json", help="write the last file's samples for pyperf")
    return parser.parse_args(arguments)


def names(runs: list[record.Record], files: list[Path]) -> list[str]:
    """Name each run after its file; by place where two files have one name."""
    stems = [path.stem for path in files]
    return [stem if stems.count(stem) == 1 else f"{number}: {stem}" for number, stem in enumerate(stems, 1)]


def failing(found: dict[str, verdicts.Verdict], after: record.Record) -> list[str]:
    """Name what --check does not let pass: what is slower, and pictures that should be equal and are not."""
    slow = [name for name, one in found.items() if one.word == verdicts.SLOW]
    return slow + [name for name, row in after.cases.items() if row.get("reason") and row.get("equal") is not None]


def show(text: str) -> None:
    """Print; a reader who has seen enough (`| head`) may close the pipe."""
    try:
        print(text, flush=True)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def main() -> int:
    """Report; the exit code."""
    typed = parse()
    try:
        runs = [record.read(path) for path in typed.files]
    except record.Unreadable as error:
        print(f"{error}\nmake one with python benchmarks/run.py --out FILE.json", file=sys.stderr)
        return 2
    compared = None
    if len(runs) > 1 and machine.same(runs[-2].machine, runs[-1].machine):
        compared = verdicts.compare(runs[-2], runs[-1])
    named = list(zip(names(runs, typed.files), runs, strict=True))
    try:
        if typed.html:
            typed.html.write_text(page.write(named, compared), encoding="utf-8")
        if typed.pyperf:
            typed.pyperf.write_text(record.for_pyperf(runs[-1]), encoding="utf-8")
    except OSError as error:
        print(f"cannot write {error.filename}: {error.strerror}\nname another file", file=sys.stderr)
        return 1
    show(markdown.report(named, compared))
    if not typed.check:
        return 0
    if compared is None:
        print("--check compares two runs of one machine: these are not", file=sys.stderr)
        return 2
    wrong = failing(compared, runs[-1])
    print(f"{findings.counted(compared)}" + "".join(f"\nSLOW or not equal: {name}" for name in wrong), file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
