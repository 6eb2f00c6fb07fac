"""How the program feels on the command line: whole processes, with every cache filled.

`--help` beside an interpreter that does nothing, and the default picture at 1920x1080 with one worker, with all, and on
a GPU, with the seconds of each stage by the program's own trace (`parts` of the facts). A second run must not compile.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

from harness.cases import Absent, Case, Group, Missing, Once

NOTHING, HELP = "python -c pass", "render --help"
ALONE, ALL, GPU = "draw, 1 worker", "draw, all CPUs", "draw, GPU"
SIZE = "1920x1080"


def groups(quick: bool) -> Iterator[Group]:  # noqa: FBT001  (one signature for all sections)
    """Help; in full also drawing."""
    yield Group("help", (NOTHING, HELP), prepare_help, NOTHING, "interpreter", seconds=2.0, controls=(NOTHING,))
    if not quick:
        yield Group(f"{SIZE} to PNG", (ALONE, ALL, GPU), prepare_draw, ALONE, "interpreter", seconds=4.0)


def prepare_help(stack: ExitStack) -> Iterator[Case | Missing]:
    """An interpreter, and the program's."""
    from harness.timing import timed
    from harness.whole import run

    yield Case(NOTHING, timed(lambda: run([sys.executable, "-c", "pass"])))
    yield Case(HELP, timed(lambda: run([sys.executable, "-m", "render", "--help"])), facts={"wanted": 0.1})


def prepare_draw(stack: ExitStack) -> Iterator[Case | Missing]:
    """The default picture; its hash is the same whoever paints it."""
    from harness.cases import Differ
    from harness.whole import folder
    from render import machine

    out = folder(stack)
    hashes = set()
    ways = {ALONE: ["--workers", "1"], ALL: ["--workers", str(machine.default_workers())], GPU: ["--mode", "cuda"]}
    for name, how in ways.items():
        command = [sys.executable, "-m", "render", "--size", SIZE, *how, "--json", "--quiet"]
        command += ["--out", str(out / "picture.png")]
        try:
            document = second_run(command)
        except Absent as absent:
            yield Missing(name, str(absent))
            continue
        hashes.add(document["sha256"])
        if len(hashes) > 1:
            raise Differ(1, 1, "pictures")
        yield Case(name, whole(command), equal=True, facts={"parts": document["seconds"]})


def second_run(command: list[str]) -> dict[str, Any]:
    """Run twice, and return the program's second document. Raises Absent."""
    from harness.whole import run

    run(command)
    second = run(command)
    if "compiling" in second.stderr:
        raise Absent("a second run compiles again: the code cache cannot be written")
    document: dict[str, Any] = json.loads(second.stdout)
    return document


def whole(command: list[str]) -> Once:
    """A process's wall time."""
    from harness.timing import timed
    from harness.whole import run

    return timed(lambda: run(command))
