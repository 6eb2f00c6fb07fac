"""The machine that this process may use: its CPUs, and their name."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable, Iterator
from functools import cache
from math import ceil
from pathlib import Path, PurePosixPath

GROUPS = Path("/sys/fs/cgroup")
MEMBERSHIP = Path("/proc/self/cgroup")


def cpus() -> int:
    """How many CPUs this process may keep busy: by affinity, and by the control groups' quota where there is one."""
    granted = quota()
    return affinity() if granted is None else max(1, min(affinity(), ceil(granted)))


def affinity() -> int:
    """How many CPUs the system may put this process on."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on every system
        return os.cpu_count() or 1


def quota() -> float | None:
    """CPUs' worth of time that Linux control groups grant, of either version; None where none sets a limit.

    The group of this process and all above it count, and the smallest grant holds. A container may be told a path
    that it cannot see; its own group is then the root of what it does see.
    """
    try:
        rows = [line.split(":", 2) for line in MEMBERSHIP.read_text(encoding="utf-8").splitlines()]
    except OSError:
        rows = []
    found = list(_grants(GROUPS, "/", _granted))
    for _, controllers, path in (row for row in rows if len(row) == 3):
        if not controllers:
            found += _grants(GROUPS, path, _granted)
        elif "cpu" in controllers.split(","):
            for mount in (GROUPS / controllers, GROUPS / "cpu"):
                found += [*_grants(mount, path, _granted_v1), *_grants(mount, "/", _granted_v1)]
    return min(found, default=None)


def _grants(mount: Path, path: str, read: Callable[[Path], float | None]) -> Iterator[float]:
    """The limits of the group at this path and of those above it."""
    group = PurePosixPath(path.lstrip("/"))
    for name in (group, *group.parents):
        try:
            granted = read(mount / name)
        except (OSError, ValueError):
            continue
        if granted is not None:
            yield granted


def _granted(group: Path) -> float | None:
    """Version 2: "QUOTA PERIOD" in microseconds, or "max PERIOD"."""
    granted, period = (group / "cpu.max").read_text(encoding="ascii").split()
    return None if granted == "max" else int(granted) / int(period)


def _granted_v1(group: Path) -> float | None:
    """Version 1: a quota of -1 is no limit."""
    granted = int((group / "cpu.cfs_quota_us").read_text(encoding="ascii"))
    return granted / int((group / "cpu.cfs_period_us").read_text(encoding="ascii")) if granted > 0 else None


def default_workers() -> int:
    """As many as there are CPUs, but two at least: one worker could not show what parallel means."""
    return max(2, cpus())


@cache
def cpu_name() -> str:
    """What the system calls its CPU."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
        return next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def facts() -> dict[str, object]:
    """What a trace says about where it was made.

    `cpus` are those that this process may keep busy; what limits them: `cpus_machine` are there, `cpus_affinity` may
    be run on, and `cpus_quota` is the control groups' grant (None: no limit).
    """
    return {
        "system": platform.platform(terse=True),
        "python": platform.python_version(),
        "cpu": cpu_name(),
        "cpus": cpus(),
        "cpus_machine": os.cpu_count() or 1,
        "cpus_affinity": affinity(),
        "cpus_quota": quota(),
    }
