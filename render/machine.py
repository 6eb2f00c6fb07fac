"""The machine that this process may use: its CPUs, and their name."""

from __future__ import annotations

import os
import platform
from functools import cache
from pathlib import Path


def cpus() -> int:
    """How many CPUs this process may run on: by affinity, and by the control group's quota where there is one."""
    try:
        count = len(os.sched_getaffinity(0))
    except AttributeError:  # not on every system
        count = os.cpu_count() or 1
    quota = _quota()
    return count if quota is None else max(1, min(count, quota))


def _quota() -> int | None:
    """Whole CPUs that a Linux control group (version 2) grants, or None where it sets no limit."""
    try:
        granted, period = Path("/sys/fs/cgroup/cpu.max").read_text(encoding="ascii").split()
    except (OSError, ValueError):
        return None
    return None if granted == "max" else -(-int(granted) // int(period))


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
    """What a trace says about where it was made."""
    return {
        "system": platform.platform(terse=True),
        "python": platform.python_version(),
        "cpu": cpu_name(),
        "cpus": cpus(),
    }
