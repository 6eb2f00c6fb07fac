"""One group, one pass, in a process of its own: what crashes, hangs or prints there harms nothing else.

The parent starts `run.py --one SECTION GROUP`; the child measures and writes one JSON document to its standard output,
from which everything that others print is kept away.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from harness.cases import Absent, Case, Differ, Differing, Group, Missing, groups
from harness.timing import YARDSTICKS, measure

SCRIPT = Path(__file__).parent.parent / "run.py"
PATIENCE = 300.0  # seconds for one pass of one group, preparing included


def measure_apart(
    section: str, group: Group, *, quick: bool, seconds: float, environment: Mapping[str, str], patience: float
) -> dict[str, Any]:
    """Measure a group in a fresh process: `{"cases": [...], "yardstick": [...]}`; a crash is every case's reason."""
    command = [sys.executable, str(SCRIPT), "--one", section, group.name, "--seconds", str(seconds)]
    command += ["--quick"] if quick else []
    with tempfile.TemporaryFile() as errors:
        child = subprocess.Popen(  # noqa: S603  (this program)
            command, stdout=subprocess.PIPE, stderr=errors, env=os.environ | dict(environment)
        )
        try:
            out, _ = child.communicate(timeout=patience)
        except subprocess.TimeoutExpired:
            _end(child)
            return _lost(group, f"took more than {patience:.0f} seconds")
        except BaseException:
            _end(child)
            raise
        if child.returncode:
            errors.seek(0)
            last = errors.read().decode(errors="replace").strip().splitlines()[-1:]
            return _lost(group, f"its process ended with {_ending(child.returncode)}: {''.join(last) or 'no message'}")
    document: dict[str, Any] = json.loads(out)
    return document


def _end(child: subprocess.Popen[bytes]) -> None:
    """Ask the child to stop; kill it if it does not."""
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


def run_child(section: str, name: str, *, quick: bool, seconds: float) -> None:
    """Measure a group in this process and print the document; nothing else reaches the standard output."""
    answer = os.dup(1)
    os.dup2(2, 1)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    (group,) = (one for one in groups(section, quick=quick) if one.name == name)
    with os.fdopen(answer, "w", encoding="utf-8") as out:
        json.dump(_measured(group, seconds), out)


def _measured(group: Group, seconds: float) -> dict[str, Any]:
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
        series, yards = measure(ready, YARDSTICKS[group.yardstick](), seconds, cold=group.cold)
    for case, found in zip(ready, series, strict=True):
        equal = case.equal
        row = {"case": case.name, "samples": found.samples, "warmup": found.warmup, "repeats": found.repeats}
        row["equal"] = {"differing": equal.pixels, "why": equal.why} if isinstance(equal, Differing) else equal
        rows.append(row | {"facts": dict(case.facts), "clock": case.clock})
    return {"cases": rows, "yardstick": yards}


def _prepared(group: Group, stack: ExitStack) -> Any:
    """Yield what the group yields, then the rest of its cases with the reason that stopped it."""
    from render.errors import RenderError

    left = list(group.names)
    equal: Any = None
    try:
        for one in group.prepare(stack):
            left.remove(one.name)
            yield one
        reason = "the section says nothing of it"
    except Absent as absent:
        reason = str(absent)
    except Differ as differ:
        reason = f"not equal: {differ}"
        equal = {"differing": differ.differing, "why": "a fault: these must be equal"}
    except RenderError as error:
        reason = error.cause
    except Exception as error:  # noqa: BLE001  (a case that fails must not take the others with it)
        reason = f"fails: {type(error).__name__}: {error}"
    for name in left:
        yield {"case": name, "reason": reason, "equal": equal}
