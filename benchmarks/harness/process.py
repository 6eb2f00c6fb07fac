"""One section, one pass, in a process of its own: what crashes, hangs or prints there harms nothing else.

The parent starts `run.py --one SECTION --group NAME ...`; the child measures one group after the other and writes a
line of JSON for each to its standard output, from which everything that others print is kept away. Where it ends
early, the group that it was at gets the reason, and a new process goes on with the next.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple, Self

from harness.cases import Absent, Case, Differ, Differing, Group, Missing, groups
from harness.timing import YARDSTICKS, measure

SCRIPT = Path(__file__).parent.parent / "run.py"
PATIENCE = 300.0  # seconds for one pass of one section, preparing included
LATE = "took more than"


class Part(NamedTuple):
    """The work of one process: groups of a section, and the share of their own seconds that each takes."""

    section: str
    groups: Sequence[Group]
    quick: bool
    share: float


def measure_apart(
    part: Part, environment: Mapping[str, str], patience: float = PATIENCE
) -> Iterator[tuple[Group, dict[str, Any]]]:
    """Measure groups in fresh processes: each with `{"cases": [...], "yardstick": [...]}`, as they come.

    patience: seconds that one process may take; a crash, or more time, is the reason of every case of its group.
    """
    left = list(part.groups)
    while left:
        reason = "its process ended early"
        with _Child(part._replace(groups=left), environment, patience) as child:
            for text in child.lines():
                yield left.pop(0), json.loads(text)
            reason = child.ending()
        if left:
            yield left[0], _lost(left.pop(0), reason)


class _Child:
    """A process that measures; ended with the block."""

    def __init__(self, part: Part, environment: Mapping[str, str], patience: float) -> None:
        self.errors = tempfile.TemporaryFile()  # noqa: SIM115  (closed with the block)
        command = [sys.executable, str(SCRIPT), "--one", part.section, "--share", str(part.share)]
        command += [word for group in part.groups for word in ("--group", group.name)]
        command += ["--quick"] if part.quick else []
        self.process = subprocess.Popen(  # noqa: S603  (this program)
            command, stdout=subprocess.PIPE, stderr=self.errors, text=True, env=os.environ | dict(environment)
        )
        self.patience, self.late = patience, False
        self.timer = threading.Timer(patience, self._stop)

    def _stop(self) -> None:
        self.late = True
        self.process.kill()

    def __enter__(self) -> Self:
        self.timer.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self.timer.cancel()
        _end(self.process)
        assert self.process.stdout is not None
        self.process.stdout.close()
        self.errors.close()

    def lines(self) -> Iterator[str]:
        """Yield what it answers, line by line, until it ends."""
        assert self.process.stdout is not None
        yield from self.process.stdout

    def ending(self) -> str:
        """Why it ended before all was measured."""
        code = self.process.wait()
        if self.late:
            return f"{LATE} {self.patience:.0f} seconds"
        self.errors.seek(0)
        last = self.errors.read().decode(errors="replace").strip().splitlines()[-1:]
        return f"its process ended with {_ending(code)}: {''.join(last) or 'no message'}"


def _end(child: subprocess.Popen[str]) -> None:
    """Ask a child that still runs to stop; kill it if it does not."""
    if child.poll() is None:
        child.terminate()
    try:
        child.wait(5)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


def _ending(code: int) -> str:
    return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"


def _lost(group: Group, reason: str) -> dict[str, Any]:
    return {"cases": [{"case": name, "reason": reason, "equal": None} for name in group.names], "yardstick": []}


def run_child(section: str, names: Sequence[str], *, quick: bool, share: float) -> None:
    """Measure groups in this process, and write a line for each; nothing else reaches the standard output."""
    answer = os.dup(1)
    os.dup2(2, 1)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    known = {group.name: group for group in groups(section, quick=quick)}
    with os.fdopen(answer, "w", encoding="utf-8") as out:
        for name in names:
            print(json.dumps(measure_group(known[name], share * known[name].seconds)), file=out, flush=True)


def measure_group(group: Group, seconds: float) -> dict[str, Any]:
    """Prepare a group's cases and measure them in this process; reasons for those that cannot run."""
    ready: list[Case] = []
    rows: list[dict[str, Any]] = []
    with ExitStack() as stack:
        for one in _prepared(group, stack):
            if isinstance(one, Missing):
                rows.append({"case": one.name, "reason": one.reason, "equal": None})
            elif isinstance(one, Case):
                ready.append(one)
            else:
                rows.append(one)
        if not ready:
            return {"cases": rows, "yardstick": []}
        measured = measure(ready, YARDSTICKS[group.yardstick](), seconds, cold=group.cold)
    for case, found in zip(ready, measured.series, strict=True):
        if found.failure is not None:
            rows.append(describe_failure(case.name, found.failure))
            continue
        equal = case.equal
        row = {"case": case.name, "samples": found.samples, "warmup": found.warmup, "repeats": found.repeats}
        row["equal"] = {"differing": equal.pixels, "why": equal.why} if isinstance(equal, Differing) else equal
        rows.append(row | {"facts": dict(case.facts), "clock": case.clock})
    return {"cases": rows, "yardstick": measured.yardstick, "waited": measured.waited}


def _prepared(group: Group, stack: ExitStack) -> Iterator[Case | Missing | dict[str, Any]]:
    """Yield what the group yields, then the rest of its cases with the reason that stopped it."""
    left = list(group.names)
    stopped: Exception = Absent("the section says nothing of it")
    try:
        for one in group.prepare(stack):
            left.remove(one.name)
            yield one
    except Exception as error:  # noqa: BLE001  (a case that fails must not take the others with it)
        stopped = error
    yield from (describe_failure(name, stopped) for name in left)


def describe_failure(name: str, error: Exception) -> dict[str, Any]:
    """Make the row of a case that cannot run, or that failed while it ran."""
    from render.errors import RenderError

    equal = None
    if isinstance(error, Absent):
        reason = str(error)
    elif isinstance(error, Differ):
        reason = f"not equal: {error}"
        equal = {"differing": error.differing, "why": "a fault: these must be equal"}
    elif isinstance(error, RenderError):
        reason = error.cause
    else:
        reason = f"fails: {type(error).__name__}: {error}"
    return {"case": name, "reason": reason, "equal": equal}
