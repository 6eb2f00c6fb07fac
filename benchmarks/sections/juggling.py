"""What juggling costs: mode concurrent against sequential.

The same frame in both modes, by the trace. `between slices` of the facts is the share of concurrent's time in which
nothing is painted, which a busy machine does not hide; `longest slice` is how long the event loop could not have
answered anybody. Also with slices of other lengths, from which `painter.SLICE_NS` was chosen.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

from harness.cases import Case, Group, Missing, Once

OTHERS_NS = (200_000, 500_000, 3_000_000, 10_000_000)


def groups(quick: bool) -> Iterator[Group]:  # noqa: FBT001  (one signature for all sections)
    """Both modes, and slices of other lengths; nothing in quick, where `modes` has both."""
    if not quick:
        others = (f"concurrent, {length / 1e6:g} ms" for length in OTHERS_NS)
        yield Group("modes", ("sequential", "concurrent", *others), prepare, base="sequential", seconds=3.0)


def prepare(stack: ExitStack) -> Iterator[Case | Missing]:
    """Pictures are compared in every run."""
    from harness.program import ask, painting
    from render import engine
    from render.painting import painter

    options: dict[str, Any] = {"view": "seahorses", "samples": 4, "size": (640, 360)}
    plodding, juggling = ask(**options), ask(**options, mode="concurrent")
    expected = engine.draw(plodding).sha256
    yield Case("sequential", painting(plodding, expected), equal=True)
    yield Case("concurrent", painting(juggling, expected), equal=True, facts=describe_slices(juggling))
    for length in OTHERS_NS:
        yield Case(
            f"concurrent, {length / 1e6:g} ms", with_slices(painting(juggling, expected), length, painter), equal=True
        )


def with_slices(once: Once, length: int, painter: Any) -> Once:
    """The same with slices of so many nanoseconds."""

    def changed() -> float:
        chosen = painter.SLICE_NS
        painter.SLICE_NS = length
        try:
            return once()
        finally:
            painter.SLICE_NS = chosen

    return changed


def describe_slices(request: Any) -> dict[str, float]:
    """Say what one run's trace says of its slices."""
    from render import engine, stats

    frame = engine.draw(request)
    told, spans = stats.of(frame.trace), frame.trace.of_kind("paint")
    return {
        "between slices": sum(told.idle.values()) / told.seconds["paint"],
        "longest slice": max(span.t1 - span.t0 for span in spans) / 1e9,
        "slices": len(spans),
    }
