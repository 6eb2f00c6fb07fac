"""What was asked for and what was really there: workers, CPUs, and what limits them.

"Sixteen workers" says little on a machine, or in a container, that lets two of them run. A trace keeps what its process
was allowed when it was made; of one that does not, what the spans show is told.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from render.trace import Trace, on_card
from render.wording import count, listed


@dataclass(frozen=True)
class Claims:
    """Workers and CPUs of a run. None where the trace does not tell.

    asked, seen: workers that were asked for, and that painted. machine, affinity: CPUs there are, and that the process
    may be put on; quota: CPUs' worth of time that control groups grant (None: no limit, or not known); allowed: what
    is left of them; used: CPUs on which a paint span began or ended, and there may have been more in between.
    """

    asked: int | None
    seen: int
    machine: int | None
    affinity: int | None
    quota: float | None
    allowed: int | None
    used: int | None

    @property
    def limits(self) -> list[str]:
        """What keeps the process from using the whole machine, in words."""
        if self.allowed is None or (self.machine is not None and self.allowed >= self.machine):
            return []
        held = ["affinity"] if self.affinity is not None and self.affinity == self.allowed else []
        granted = self.quota is not None and self.quota <= self.allowed
        return held + ([f"a control group that grants {self.quota:g}"] if granted else [])

    @property
    def worth(self) -> float | None:
        """CPUs' worth of time that the process may have: whole CPUs, or what control groups grant of them."""
        return self.quota if self.allowed and self.quota is not None and self.quota < self.allowed else self.allowed

    @property
    def one_cpu(self) -> bool:
        """Whether there was but one CPU to run on. A quota does not count: it grants time, on whatever CPUs."""
        return 1 in (self.affinity, self.machine)

    def as_dict(self) -> dict[str, Any]:
        """For JSON: the CPUs; the workers stand elsewhere in the document."""
        names = ("machine", "affinity", "quota", "allowed", "used")
        return {name: getattr(self, name) for name in names}


def of(trace: Trace) -> Claims:
    """What the facts and spans of a trace tell. Facts of a strange kind, from a file, count as not told."""
    workers = trace.workers
    cpus = {cpu for span in trace.spans if span.kind == "paint" for cpu in (span.cpu, span.cpu_end) if cpu >= 0}
    return Claims(
        asked=_positive_int(trace.facts.get("asked")),
        seen=len(workers),
        machine=_positive_int(trace.facts.get("cpus_machine")),
        affinity=_positive_int(trace.facts.get("cpus_affinity")),
        quota=_positive_number(trace.facts.get("cpus_quota")),
        allowed=trace.cpus,
        used=len(cpus) or None,
    )


def _positive_int(value: object) -> int | None:
    return value if type(value) is int and value > 0 else None


def _positive_number(value: object) -> float | None:
    return float(value) if type(value) in (int, float) and 0 < value < float("inf") else None  # type: ignore[arg-type, operator]


def describe_claims(trace: Trace) -> str | None:
    """Tell the claims in a sentence; None where one worker was asked for and painted, or nobody did."""
    found = of(trace)
    if not found.seen or on_card(trace.workers):
        return None
    if found.seen == 1 and found.asked in (None, 1):
        return None
    asked = f"asked {count(found.asked, 'worker')}, " if found.asked is not None else ""
    on = f" on {count(found.used, 'CPU')}" if found.used is not None else ""
    left = (found.asked or 0) - found.seen
    nothing = f", {left} got no tile" if left > 0 else ""
    said = f"{asked}{found.seen} painted{on}{nothing}"
    if found.allowed is None:
        return said
    whole = "" if found.machine in (None, found.allowed) else f" of {found.machine}"
    why = f" ({listed(found.limits)})" if found.limits else ""
    return f"{said}; this process may use {count(found.allowed, 'CPU')}{whole}{why}"
