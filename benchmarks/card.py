"""Measure a GPU by itself: an entry point to the sections `gpu`, `designs` and `host` of run.py, with a report.

    python benchmarks/card.py [WORD...] [--precision f64|f32] [--passes N] [--out FILE.json]

A word is `host`, which needs no GPU and prints what each further tile costs the host; `designs`, which sets the
program's kernel beside others written by hand, view by view; or a part of the name of a group of section `gpu`:
ceilings, interior, whole, tiles, launches ... Without a word: all of `gpu`.

Every picture is compared with the CPU's first, and where it differs there is no figure. Exit 0 done; 1 where pictures
differ or there is no GPU; 2 for wrong use; 130 interrupted.
"""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
from pathlib import Path

import run

from harness import passes
from reports import findings, markdown

SECTIONS = ("gpu", "designs", "host")


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("words", nargs="*", metavar="WORD", help="host, designs, or a part of a group's name")
    parser.add_argument("--precision", choices=("f64", "f32"), help="only this one, and what has no precision")
    parser.add_argument("--passes", "--runs", type=int, default=3, metavar="N", help="of each group; %(default)s")
    parser.add_argument("--out", type=Path, metavar="FILE.json", help="keep the samples, for report.py")
    return parser.parse_args(arguments)


def choose(words: list[str], precision: str | None) -> passes.Chosen:
    """Choose groups of SECTIONS by words and precision."""
    other = {"f64": "f32", "f32": "f64"}.get(precision or "", "no other")
    return [
        (section, group)
        for section, group in run.choose([*SECTIONS], quick=False)
        if other not in group.name
        and any(word == section or (section == "gpu" and word in group.name) for word in words or ["gpu"])
    ]


def main() -> int:
    """Measure and report; the exit code."""
    typed = parse()
    chosen = choose(typed.words, typed.precision)
    if not chosen or typed.passes < 1:
        names = ", ".join(group.name for section, group in run.choose(["gpu"], quick=False))
        print(f"nothing to measure; there are: {', '.join(SECTIONS)}; of gpu: {names}", file=sys.stderr)
        return 2
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # who ends a run early sees what was measured
    with tempfile.TemporaryDirectory(prefix="benchmarks-") as folder:
        out = typed.out or Path(folder) / "gpu.json"
        options = run.parse(["--out", str(out), "--passes", str(typed.passes)])
        found = run.started(options)
        try:
            found.write(out)
        except OSError as error:
            print(f"cannot write {out}: {error.strerror}\nname another file with --out", file=sys.stderr)
            return 1
        code = run.measure(options, found, chosen)
        if code == run.INTERRUPTED:
            print("interrupted; this was measured:", file=sys.stderr)
    print(markdown.report([(out.stem, found)]))
    if "designs" in typed.words and found.machine.get("gpus") and not found.run["interrupted"]:
        from gpu import nsight

        print("\n".join(nsight.describe_passes((typed.precision,) if typed.precision else ("f64", "f32"))))
    for text in findings.further_tiles(found):
        print(text)
    if not any(row.get("samples") for row in found.cases.values()):
        reasons = {str(row.get("reason")) for row in found.cases.values() if row.get("reason")}
        print(f"nothing is measured: {found.machine.get('gpu_reason') or '; '.join(sorted(reasons))}")
        return code or 1
    return code


if __name__ == "__main__":
    sys.exit(main())
