"""What was asked for and what was really there: workers, CPUs, and what limits them.

"Sixteen workers" says little on a machine, or in a container, that lets two of them run. A trace keeps what its process
was allowed when it was made; of one that does not, what the spans show is told.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from render import stats
from render.trace import Trace, on_card
from render.wording import count, listed


@dataclass(frozen=True)
class Claims:
    """Workers and CPUs of a run. None where the trace does not tell.

    asked, seen: workers that were asked for, and that painted. machine, affinity: CPUs there are, and that the process
    may be put on; quota: CPUs' worth of time that control groups grant (None: no limit, or not known); allowed: what
    is left of them; used: CPUs on which a paint span began, which the system may have changed since.
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
    def most(self) -> int | None:
        """How many can run at the same instant: as many as there are workers, and no more than CPUs."""
        return None if self.allowed is None else min(self.allowed, self.seen)

    def as_dict(self) -> dict[str, Any]:
        """For JSON: the CPUs; the workers stand elsewhere in the document."""
        names = ("machine", "affinity", "quota", "allowed", "used")
        return {name: getattr(self, name) for name in names}


def of(trace: Trace) -> Claims:
    """What the facts and spans of a trace tell. Facts of a strange kind, from a file, count as not told."""
    workers = trace.workers
    cpus = {span.cpu for span in trace.spans if span.kind == "paint" and span.cpu >= 0}
    return Claims(
        asked=_whole(trace.facts.get("asked")),
        seen=len(workers),
        machine=_whole(trace.facts.get("cpus_machine")),
        affinity=_whole(trace.facts.get("cpus_affinity")),
        quota=_positive(trace.facts.get("cpus_quota")),
        allowed=_whole(trace.facts.get("cpus")),
        used=len(cpus) or None,
    )


def _whole(value: object) -> int | None:
    return value if type(value) is int and value > 0 else None


def _positive(value: object) -> float | None:
    return float(value) if type(value) in (int, float) and 0 < value < float("inf") else None  # type: ignore[arg-type, operator]


def line(trace: Trace) -> str | None:
    """The claims as a sentence, and what follows; None where one worker was asked for and painted, or nobody did."""
    found = of(trace)
    if not found.seen or on_card(trace.workers):
        return None
    if found.seen == 1 and found.asked in (None, 1):
        return None
    asked = f"asked {count(found.asked, 'worker')}, " if found.asked is not None else ""
    on = f" on {count(found.used, 'CPU')}" if found.used is not None else ""
    said = f"{asked}{found.seen} painted{on}"
    if found.allowed is None:
        return said
    whole = "" if found.machine in (None, found.allowed) else f" of {found.machine}"
    why = f" ({listed(found.limits)})" if found.limits else ""
    return f"{said}; this process may use {count(found.allowed, 'CPU')}{whole}{why}{_follows(trace, found)}"


def _follows(trace: Trace, found: Claims) -> str:
    """What that means for this run."""
    assert found.allowed is not None
    if found.asked is not None and found.seen < found.asked <= found.allowed:
        return f": {found.asked - found.seen} had nothing to do"
    if found.seen <= found.allowed:
        return ""
    begun = stats.of(trace).running.max
    if begun <= found.allowed:
        return ""
    return f": at most {found.allowed} can run at the same instant, though {begun} were at a tile, and took turns"
