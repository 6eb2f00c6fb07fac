"""The CPU time that the painting of a run was given, from its trace: who was on a CPU, not only at a tile.

A paint span says that a worker is *at* a tile. Only while it has a CPU does it paint, and only workers that have a CPU
at the same instant are parallel. The system's scheduler may give one CPU to several workers in turn; their spans then
overlap, and their CPU time does not.

    mean = CPU time of all paint spans / (last paint end - first paint start)

It is measured and never clamped. Above 1 it proves that at some instant two workers were on a CPU at once, for one CPU
gives no more than a second of its time in a second.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from render.trace import Span, Trace
from render.trace.spans import UNKNOWN

WHOLE = 0.95  # share of a span's time; above, the rest is no more than interrupts and reading clocks


class OnCpu(NamedTuple):
    """Mean number of workers that had a CPU, and the CPUs that the process may use; None where that is not known."""

    mean: float | None
    cpus: int | None


def of(trace: Trace) -> OnCpu:
    """Measure a run: the CPU time of its paint spans over the time from the first one's start to the last one's end."""
    paint = trace.columns.of_kind("paint")
    if not len(paint) or (paint.on_cpu == UNKNOWN).any():
        return OnCpu(None, trace.cpus)
    window = int(paint.t1.max() - paint.t0.min())
    return OnCpu(int(paint.on_cpu.sum()) / window if window else None, trace.cpus)


def sum_cpu_time(spans: Iterable[Span]) -> int | None:
    """Add up the CPU time of these spans, in ns; None where it is not known of one of them."""
    total = 0
    for span in spans:
        if span.on_cpu is None:
            return None
        total += span.on_cpu
    return total


def cpu_share(span: Span) -> float:
    """Return the share (0..1) of its time for which a paint span had a CPU, as pictures show it.

    It is 1 where that is not known, nothing was measured, or the difference would not be seen (`WHOLE`).
    """
    length = span.t1 - span.t0
    if span.on_cpu is None or not length or span.on_cpu >= WHOLE * length:
        return 1.0
    return span.on_cpu / length
