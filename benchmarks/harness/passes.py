"""All groups, pass after pass, until their figures are known well enough, stop getting better, or the time is over.

A pass goes through all sections once, each in a process of its own, so that the passes of a group lie minutes apart:
noise that lasts a minute then spoils one of them, not all. The record is written after every group, so an interruption
keeps what was measured.
"""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from harness.cases import Group
from harness.process import LATE, PATIENCE, Part, measure_apart
from harness.record import Record
from harness.verdicts import FEW, estimate, quick, unstable

KNOWN = 0.01  # half an interval, with which a figure is known well enough
BETTER, TRIED = 0.9, 4  # so many passes that do not narrow the interval by a tenth have not helped


class Plan(NamedTuple):
    """The time of a run: seconds in all, passes at most, and the share of each group's own seconds a pass."""

    quick: bool
    seconds: float
    passes: int
    share: float


QUICK = Plan(quick=True, seconds=48.0, passes=12, share=0.25)
FULL = Plan(quick=False, seconds=345.0, passes=8, share=0.35)
LEAST = 10.0  # seconds that a process gets even when the time is over

Chosen = Sequence[tuple[str, Group]]


def run(
    record: Record,
    chosen: Chosen,
    plan: Plan,
    path: Path | None,
    environment: Mapping[str, str],
    say: Callable[[str], None],
) -> None:
    """Measure the groups into the record. KeyboardInterrupt passes through, with the record written."""
    began = time.monotonic()
    ends = began + plan.seconds
    say(f"{len(chosen)} group{'' if len(chosen) == 1 else 's'} of cases, {describe_limit(plan)}")
    halves: dict[str, list[float | None]] = {}
    parts: dict[str, list[Group]] = {}
    for section, group in chosen:
        parts.setdefault(section, []).append(group)
    try:
        for number in range(plan.passes):
            for section, all_groups in parts.items():
                todo = [
                    group
                    for group in all_groups
                    if record.made(section, group) <= number
                    and not settled(halves.get(f"{section}/{group.name}", []), cold=group.cold)
                ]
                left = ends - time.monotonic()
                if left <= 0:
                    return
                if not todo:
                    continue
                part = Part(section, todo, plan.quick, plan.share)
                t0 = time.monotonic()
                patience = min(max(left, LEAST), PATIENCE)
                for group, measured in measure_apart(part, environment, patience):
                    if time.monotonic() > ends and is_lost(measured):
                        break  # the time of the run was over, which is no fault of the group
                    record.add_pass(section, group, measured)
                    halves.setdefault(f"{section}/{group.name}", []).append(widest(record, section, group))
                    took, t0 = time.monotonic() - t0, time.monotonic()
                    say(f"pass {number + 1}: {line(record, section, group)} ({took:.1f} s; {t0 - began:.0f} s in all)")
                    save(record, path)
    except KeyboardInterrupt:
        record.run["interrupted"] = True
        raise
    finally:
        save(record, path)


def save(record: Record, path: Path | None) -> None:
    """Say how sure all figures are, and write the record where there is a file to write."""
    judge(record)
    if path is not None:
        record.write(path)


def describe_limit(plan: Plan) -> str:
    """Say how long a run takes at most."""
    if plan.seconds == math.inf:
        return f"{plan.passes} {'pass' if plan.passes == 1 else 'passes'}"
    most = plan.seconds + LEAST
    words = f"{most:.0f} seconds" if most <= 90 else f"{math.ceil(most / 60)} minutes"
    return f"{words} at most; less where all is known well before"


def is_lost(measured: Mapping[str, Any]) -> bool:
    """Tell whether a group's process was ended because of its time."""
    return any(str(row.get("reason", "")).startswith(LATE) for row in measured["cases"])


def settled(halves: Sequence[float | None], *, cold: bool = False) -> bool:
    """Tell whether more passes of a group bring nothing: all is known well enough, or the last pass did not help.

    cold: its samples take seconds each, so as many passes as tell how sure they are do.
    """
    if halves and halves[-1] is None:  # nothing of it can run here
        return True
    known = [half for half in halves if half is not None]
    if len(known) < FEW:
        return False
    return cold or known[-1] <= KNOWN or (len(known) > TRIED and known[-1] > BETTER * known[-TRIED])


def widest(record: Record, section: str, group: Group) -> float | None:
    """Half the widest interval of a group's cases; None where none could run."""
    rows = [record.cases[f"{section}/{group.name}/{name}"] for name in group.names]
    return max((estimate(record, row).half for row in rows if row.get("samples")), default=None)


def judge(record: Record) -> None:
    """Say of each case whether its samples carry a figure."""
    for row in record.cases.values():
        if row.get("samples"):
            row["unstable"] = unstable(record, row)


def line(record: Record, section: str, group: Group) -> str:
    """One line of progress: each case's quick time, or a dash."""
    words = []
    for name in group.names:
        row = record.cases[f"{section}/{group.name}/{name}"]
        words.append(f"{name} {duration(quick(row['samples']))}" if row.get("samples") else f"{name} -")
    return f"{section}/{group.name}: " + ", ".join(words)


def duration(seconds: float) -> str:
    """Seconds as people read them."""
    for scale, unit in ((1, "s"), (1e3, "ms"), (1e6, "us")):
        if seconds * scale >= 1:
            return f"{seconds * scale:.3g} {unit}"
    return f"{seconds * 1e9:.3g} ns"


def to_terminal(text: str) -> None:
    """Show progress where it does not mix with results."""
    print(text, file=sys.stderr, flush=True)
