"""Requested and available workers and CPUs, and what limits them.

"Sixteen workers" says little on a machine, or in a container, that lets two of them run. A trace keeps what its process
was allowed when it was made; for one that does not, the spans show what they can.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from render import cpu_time
from render.trace import Trace, on_gpu
from render.wording import count, join_words


@dataclass(frozen=True)
class Claims:
    """Workers and CPUs of a run. None where the trace does not record it.

    asked, seen: workers that were requested, and that painted. machine, affinity: CPUs there are, and that the process
    may be put on; quota: CPUs' worth of time that control groups grant (None: no limit, or not known); allowed: what
    is left of them; used: CPUs on which a paint span started or ended, and there may have been more in between.
    hosts: of a cluster whose workers painted, 1 without one; machines: how many these are, for several hosts
    (containers, say) may be one; clock_error: by how many seconds times of another host may be wrong.
    """

    asked: int | None
    seen: int
    machine: int | None
    affinity: int | None
    quota: float | None
    allowed: int | None
    used: int | None
    hosts: int = 1
    machines: int | None = None
    clock_error: float = 0.0

    @property
    def limits(self) -> list[str]:
        """The limits that keep the process from using the whole machine, in words."""
        if self.allowed is None or (self.machine is not None and self.allowed >= self.machine):
            return []
        limits = ["affinity"] if self.affinity is not None and self.affinity == self.allowed else []
        granted = self.quota is not None and self.quota <= self.allowed
        return limits + ([f"a control group that grants {self.quota:g}"] if granted else [])

    @property
    def missing(self) -> int:
        """The number of requested workers that painted nothing."""
        return max((self.asked or 0) - self.seen, 0)

    @property
    def worth(self) -> float | None:
        """CPUs' worth of time that the process may have: whole CPUs, or what control groups grant of them."""
        return self.quota if self.allowed and self.quota is not None and self.quota < self.allowed else self.allowed

    @property
    def one_cpu(self) -> bool:
        """True where there was but one CPU to run on. A quota does not count: it grants time, on whatever CPUs."""
        return 1 in (self.affinity, self.machine)

    def describe_cpus(self) -> str | None:
        """State how many CPUs the process may use, and what limits them; None if not known."""
        if self.allowed is None:
            return None
        if self.machines is not None:
            return f"its workers may use {count(self.allowed, 'CPU')} of {count(self.machines, 'machine')}"
        whole = "" if self.machine in (None, self.allowed) else f" of {self.machine}"
        why = f" ({join_words(self.limits)})" if self.limits else ""
        return f"this process may use {count(self.allowed, 'CPU')}{whole}{why}"

    def describe_hosts(self) -> str:
        """Say on how many machines its workers were, where there are several hosts; nothing otherwise."""
        if self.hosts < 2 or self.machines is None:
            return ""
        if self.machines == self.hosts:
            return f" on {self.hosts} machines"
        return f" on {self.hosts} hosts of {'one machine' if self.machines == 1 else f'{self.machines} machines'}"

    def as_dict(self) -> dict[str, Any]:
        """Convert the CPUs to JSON's types; the workers stand elsewhere in the document."""
        names = ("machine", "affinity", "quota", "allowed", "used")
        return {name: getattr(self, name) for name in names}


def of(trace: Trace) -> Claims:
    """Read the claims from the facts and spans of a trace. Facts of a strange type, from a file, count as missing."""
    workers = trace.workers
    machines, errors = _read_hosts(trace)
    painted = {machines.get(host, -1) for host in trace.hosts}
    return Claims(
        asked=_positive_int(trace.facts.get("asked")),
        seen=len(workers),
        machine=_positive_int(trace.facts.get("cpus_machine")),
        affinity=_positive_int(trace.facts.get("cpus_affinity")),
        quota=_positive_number(trace.facts.get("cpus_quota")),
        allowed=trace.cpus,
        used=_count_used(trace, machines) or None,
        hosts=max(len(trace.hosts), 1),
        machines=None if -1 in painted or not painted else len(painted),
        clock_error=max((errors.get(host, 0) for host in trace.hosts), default=0) / 1e9,
    )


def _read_hosts(trace: Trace) -> tuple[dict[str, int], dict[str, int]]:
    """Read the machine of each host of a cluster, by number, and by how many ns its times may be wrong."""
    names, machines, errors = (trace.facts.get(name) for name in ("hosts", "host_machines", "clock_errors_ns"))
    found: list[dict[str, int]] = []
    for numbers in (machines, errors):
        pairs = zip(names, numbers, strict=False) if isinstance(names, list) and isinstance(numbers, list) else ()
        found.append({name: n for name, n in pairs if isinstance(name, str) and type(n) is int and n >= 0})
    return found[0], found[1]


def _count_used(trace: Trace, machines: dict[str, int]) -> int:
    """Count the CPUs on which paint spans started or ended; one number is another CPU on another machine."""
    paint = trace.columns.of_kind("paint")
    where = np.array([machines.get(worker.host, 0) for worker in paint.workers] or [0], np.int64)[paint.worker]
    places = [(where << 32) + cpu for cpu in (paint.cpu, paint.cpu_end)]
    known = [place[cpu >= 0] for place, cpu in zip(places, (paint.cpu, paint.cpu_end), strict=True)]
    return len(set(np.concatenate(known).tolist()))


def _positive_int(value: object) -> int | None:
    return value if type(value) is int and value > 0 else None


def _positive_number(value: object) -> float | None:
    return float(value) if type(value) in (int, float) and 0 < value < float("inf") else None  # type: ignore[arg-type, operator]


def list_hosts(trace: Trace) -> list[dict[str, Any]]:
    """List the hosts of a cluster that painted: how many workers, which machine, and how well its clock is tied.

    Numbers that the trace does not record are None.
    """
    machines, errors = _read_hosts(trace)
    return [
        {
            "host": host,
            "workers": sum(worker.host == host for worker in trace.workers),
            "machine": machines.get(host),
            "clock_error_seconds": errors[host] / 1e9 if host in errors else None,
        }
        for host in trace.hosts
        if host
    ]


def describe_claims(trace: Trace) -> str | None:
    """State the claims in a sentence; None where one worker was requested and painted, or none painted."""
    claims = of(trace)
    if not claims.seen or on_gpu(trace.workers):
        return None
    if claims.seen == 1 and claims.asked in (None, 1):
        return None
    on = f" on {count(claims.used, 'CPU')}" if claims.used is not None else ""
    left = f", {claims.missing} got no tile" if claims.missing else ""
    cpus = f"; {text}" if (text := claims.describe_cpus()) else ""
    if claims.describe_hosts():
        mean = cpu_time.of(trace).mean
        given = "" if mean is None else f"; {mean:.1f} on a CPU on average"
        return f"{_describe_requested(claims)}{claims.seen} workers{claims.describe_hosts()}{given}{left}{cpus}"
    return f"{_describe_requested(claims)}{claims.seen} painted{on}{left}{cpus}"


def describe_missing_workers(trace: Trace) -> Iterator[str]:
    """Say how many of the workers that were requested got no tile, if any; a GPU's are not counted."""
    claims = of(trace)
    if claims.seen and claims.missing and not on_gpu(trace.workers):
        yield f"{_describe_requested(claims)}{claims.seen} painted, {claims.missing} got no tile"


def _describe_requested(claims: Claims) -> str:
    return "" if claims.asked is None else f"{count(claims.asked, 'worker')} requested, "
