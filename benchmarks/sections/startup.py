"""How the program feels on the command line: whole processes, with every cache filled.

`--help` beside an interpreter that does nothing, and the default picture at 1920x1080 with one worker and with all,
split by what the program reports of itself (the ledger of `--json`). A second run must not compile.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

from harness.cases import Absent, Case, Group, Missing, Once

NOTHING, HELP, ALONE, ALL = "python -c pass", "render --help", "draw, 1 worker", "draw, all CPUs"
SIZE = "1920x1080"


def groups(quick: bool) -> Iterator[Group]:  # noqa: FBT001  (one signature for all sections)
    """Help; in full also drawing."""
    yield Group("help", (NOTHING, HELP), prepare_help, NOTHING, "interpreter", seconds=2.0, controls=(NOTHING,))
    if not quick:
        yield Group(f"{SIZE} to PNG", (ALONE, ALL), prepare_draw, ALONE, "interpreter", seconds=4.0)


def prepare_help(stack: ExitStack) -> Iterator[Case | Missing]:
    """An interpreter, and the program's."""
    from harness.timing import timed
    from harness.whole import run

    yield Case(NOTHING, timed(lambda: run([sys.executable, "-c", "pass"])))
    yield Case(HELP, timed(lambda: run([sys.executable, "-m", "render", "--help"])), facts={"wanted": 0.1})


def prepare_draw(stack: ExitStack) -> Iterator[Case | Missing]:
    """The default picture; its hash is the same with one worker and with all."""
    from harness.cases import Differ
    from harness.whole import folder, run
    from render import machine

    out = folder(stack)
    hashes = set()
    for name, workers in ((ALONE, 1), (ALL, machine.default_workers())):
        command = [sys.executable, "-m", "render", "--size", SIZE, "--workers", str(workers), "--json", "--quiet"]
        command += ["--out", str(out / "picture.png")]
        run(command)
        second = run(command)
        if "compiling" in second.stderr:
            raise Absent("a second run compiles again: the code cache cannot be written")
        document = load(second.stdout)
        hashes.add(document["sha256"])
        if len(hashes) > 1:
            raise Differ(1, 1, "pictures")
        facts = {"workers": workers, "parts": document["seconds"]}
        yield Case(name, whole(command), equal=True, facts=facts)


def whole(command: list[str]) -> Once:
    """A process's wall time."""
    from harness.timing import timed
    from harness.whole import run

    return timed(lambda: run(command))


def load(text: str) -> dict[str, Any]:
    """Read the program's document."""
    import json

    document: dict[str, Any] = json.loads(text)
    return document
