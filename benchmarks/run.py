"""Run the benchmarks of this machine, and keep all samples in one file.

    python benchmarks/run.py [--quick] [--only NAME]... [--out FILE.json] [--resume]

Pictures are compared first, and only equal ones are timed; a peer that paints a little differently has its differing
pixels counted. What cannot run here has a row with the reason. `python benchmarks/report.py FILE.json` shows the file,
merges several, and compares two of one machine.

--only takes a section, a group or a part of a case's name, and may be given several times. A run takes six minutes at
most, with --quick one. Ctrl-C keeps what was measured, and --resume goes on with it. Exit 0 done, 1 where pictures that
must be equal are not, 2 for wrong use, 130 interrupted.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(1, str(ROOT))  # what is measured is this source tree, installed or not

from harness import machine, passes, process, record  # noqa: E402
from harness.cases import Group, groups, sections, title  # noqa: E402
from harness.timing import one_thread_libraries  # noqa: E402

INTERRUPTED = 130  # an exit code


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    width = max(map(len, sections())) + 2
    names = "".join(f"\n    {name:{width}}{title(name)}" for name in sections())
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=f"sections:{names}", formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="fewer cases, in less than a minute")
    parser.add_argument("--only", action="append", default=[], metavar="NAME", help="sections, groups or cases")
    parser.add_argument("--out", type=Path, default=Path("benchmarks.json"), metavar="FILE.json", help="%(default)s")
    parser.add_argument("--resume", action="store_true", help="go on with what --out holds")
    parser.add_argument("--passes", type=int, metavar="N", help="passes at most; the time is not limited then")
    parser.add_argument("--one", metavar="SECTION", help=argparse.SUPPRESS)  # these three: of a measuring process
    parser.add_argument("--group", action="append", default=[], help=argparse.SUPPRESS)
    parser.add_argument("--share", type=float, default=1.0, help=argparse.SUPPRESS)
    typed = parser.parse_args(arguments)
    if typed.passes is not None and typed.passes < 1:
        parser.error("--passes: at least 1")
    return typed


def choose(only: list[str], *, quick: bool) -> passes.Chosen:
    """Choose the groups that these words name: a section, or a part of a group's or a case's name.

    Without any: all that need not be named.
    """
    return [
        (section, group)
        for section in sections()
        for group in groups(section, quick=quick)
        if (not only and not group.on_request) or any(_names(word, section, group) for word in only)
    ]


def _names(word: str, section: str, group: Group) -> bool:
    """Tell whether a word of --only names a group; by a part of its name only where it need not be named."""
    if word in sections():
        return word == section
    if group.on_request:
        return word in (group.name, f"{section}/{group.name}")
    return any(word in f"{section}/{group.name}/{name}" for name in group.names)


def started(typed: argparse.Namespace) -> record.Record:
    """Begin a record, or go on with the one that --resume names. Raises Unreadable."""
    if typed.resume and typed.out.exists():
        found = record.read(typed.out)
        here = machine.describe()
        if not machine.same(found.machine, here):
            raise record.Unreadable(f"{typed.out} was measured on another machine: {found.machine.get('cpu')}")
        if found.machine.get("commit") != here["commit"]:
            raise record.Unreadable(f"{typed.out} was measured with another version of the program: start anew")
        if found.run.get("quick") != typed.quick:
            raise record.Unreadable(
                f"{typed.out} was measured {'with' if found.run.get('quick') else 'without'} --quick"
            )
        found.run["interrupted"] = False
        return found
    told = {"quick": typed.quick, "only": typed.only, "started": now(), "finished": None, "interrupted": False}
    return record.Record(machine.describe(), told)


def now() -> str:
    """The time, in UTC."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def environment(scratch: str) -> dict[str, str]:
    """Return what measuring processes share: this tree, numba's cache of the peers, and a place for compiled code."""
    shared = one_thread_libraries() | {"NUMBA_CACHE_DIR": f"{scratch}/numba", "BENCHMARKS_SCRATCH": scratch}
    shared["PYTHONPATH"] = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
    if not keeps_code():
        shared["RENDER_CACHE_DIR"] = f"{scratch}/code"  # a read-only home: compile once for all processes all the same
    return shared


def keeps_code() -> bool:
    """Try whether the program's own cache can be written, in which compiled code outlives a process."""
    from render.codegen.code_cache import cache_folder

    try:
        cache_folder().mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=cache_folder()):
            return True
    except (OSError, RuntimeError):  # RuntimeError: there is no home folder
        return False


def measure(typed: argparse.Namespace, found: record.Record, chosen: passes.Chosen) -> int:
    """Measure, and return the exit code."""
    plan = passes.QUICK if typed.quick else passes.FULL
    if typed.passes is not None:
        plan = plan._replace(passes=typed.passes, seconds=float("inf"))
    for section in dict.fromkeys(section for section, _ in chosen):
        found.declare(section, [group for one, group in chosen if one == section])
    with tempfile.TemporaryDirectory(prefix="benchmarks-") as scratch:
        try:
            passes.run(found, chosen, plan, typed.out, environment(scratch), passes.to_terminal)
        except KeyboardInterrupt:
            return INTERRUPTED
    from render import machine as here

    found.run |= {"finished": now(), "load_after": here.load()}
    found.write(typed.out)
    differing = [row["name"] for row in found.cases.values() if "reason" in row and row["equal"] is not None]
    for name in differing:
        print(f"{name}: {found.cases[name]['reason']}", file=sys.stderr)
    return 1 if differing else 0


def main() -> int:
    """Run; the exit code."""
    typed = parse()
    if typed.one:
        process.run_child(typed.one, typed.group, quick=typed.quick, share=typed.share)
        return 0
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # who ends a run early keeps what was measured
    chosen = choose(typed.only, quick=typed.quick)
    if not chosen:
        print(f"nothing is called {' or '.join(typed.only)}; there are: {', '.join(sections())}", file=sys.stderr)
        return 2
    try:
        found = started(typed)
        found.write(typed.out)
    except record.Unreadable as error:
        print(f"{error}\nname another file with --out, or leave --resume out", file=sys.stderr)
        return 2
    except OSError as error:
        print(f"cannot write {typed.out}: {error.strerror}\nname another file with --out", file=sys.stderr)
        return 1
    code = measure(typed, found, chosen)
    if code == INTERRUPTED:
        print(f"interrupted; what was measured is in {typed.out}: go on with --resume", file=sys.stderr)
        return code
    print(f"{typed.out}: show it with python benchmarks/report.py {typed.out}", file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
