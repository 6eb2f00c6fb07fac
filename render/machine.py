"""The machine that this process may use: its CPUs, their name, and its memory."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator
from functools import cache
from math import ceil
from pathlib import Path, PurePosixPath

GROUPS, MINE = Path("/sys/fs/cgroup"), Path("/proc/self/cgroup")  # Linux's control groups, and this process's


def cpus() -> int:
    """Count the CPUs that this process may keep busy: by affinity, and by its control groups' quotas."""
    return _usable_cpus(affinity(), quota())


def _usable_cpus(allowed: int, granted: float | None) -> int:
    return allowed if granted is None else max(1, min(allowed, ceil(granted)))


def affinity() -> int:
    """Count the CPUs that the system may put this process on."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on every system
        return os.cpu_count() or 1


def quota() -> float | None:
    """Read the CPUs' worth of time that control groups grant; None without a limit. The smallest grant holds."""
    return min((granted / period for granted, period in _read_quotas()), default=None)


def load() -> float | None:
    """Read the load of the last minute: how many processes had or wanted a CPU; None where it is not known."""
    try:
        return round(os.getloadavg()[0], 2)
    except (AttributeError, OSError):  # not on every system
        return None


def memory() -> int:
    """Count the bytes of memory that this process may use: the least of the machine's and all limits.

    A large number where the system does not say.
    """
    try:
        installed = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        installed = 1 << 62
    limits = [_read_numbers(group / "memory.max") for group in _control_groups("")]
    limits += [_read_numbers(group / "memory.limit_in_bytes") for group in _control_groups("memory")]
    return min([installed, *(limit[0] for limit in limits if limit), *_address_space()])


def _address_space() -> Iterator[int]:
    """Yield the bytes that this process may address, where a limit is set (`ulimit -v`)."""
    try:
        import resource
    except ImportError:  # not on every system
        return
    granted, _ = resource.getrlimit(resource.RLIMIT_AS)
    if granted != resource.RLIM_INFINITY:
        yield granted


def _read_quotas() -> Iterator[tuple[int, int]]:
    """Yield the microseconds of CPU granted, and per how many, by each group that limits this process."""
    quotas = [_read_numbers(group / "cpu.max") for group in _control_groups("")]
    quotas += [
        _read_numbers(group / "cpu.cfs_quota_us") + _read_numbers(group / "cpu.cfs_period_us")
        for group in _control_groups("cpu")
    ]
    for numbers in quotas:
        if len(numbers) == 2 and min(numbers) > 0:  # version 1 writes -1 for no limit
            yield numbers[0], numbers[1]


def _control_groups(controller: str) -> Iterator[Path]:
    """List the folders of the control groups of this process, its own first; no controller: those of version 2."""
    try:
        lines = MINE.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return
    for line in lines:
        _, controllers, place = line.split(":", 2)
        if controller in controllers.split(","):
            inner = PurePosixPath(place.lstrip("/"))
            yield from (GROUPS / controller / group for group in (inner, *inner.parents))


def _read_numbers(path: Path) -> list[int]:
    """Read the whole numbers in a file; none where it is missing, or says that there is no limit."""
    try:
        return [int(word) for word in path.read_text(encoding="ascii").split()]
    except (OSError, ValueError):
        return []


def default_workers() -> int:
    """Choose as many workers as CPUs, but two at least: one worker could not show what parallel means."""
    return max(2, cpus())


@cache
def cpu_name() -> str:
    """Name the CPU as the system does."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
        return next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def describe_machine() -> dict[str, object]:
    """Describe the machine for a trace.

    `cpus` are those that this process may keep busy; what limits them: `cpus_machine` are there, `cpus_affinity` may
    be run on, and `cpus_quota` is the control groups' grant (None: no limit).
    """
    allowed, granted = affinity(), quota()
    return {
        "system": f"{platform.system()}-{platform.release()}-{platform.machine()}",  # platform() would start a program
        "python": platform.python_version(),
        "cpu": cpu_name(),
        "cpus": _usable_cpus(allowed, granted),
        "cpus_machine": os.cpu_count() or 1,
        "cpus_affinity": allowed,
        "cpus_quota": granted,
    }
