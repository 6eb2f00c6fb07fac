"""What juggling costs: mode concurrent against sequential, for slices of several lengths. Sets painter.SLICE_NS.

    python benchmarks/juggling.py [PAIRS]

Each pair paints the same frame in both modes, one after the other; the pictures must be equal before a time counts.
Printed are the ratio of the paint times (concurrent / sequential; minimum, median and maximum of the pairs) and
the longest time that the event loop could not have answered anybody, which is the longest slice.
"""

from __future__ import annotations

import platform
import statistics
import sys

from render import engine, machine, painter, stats
from render.library import entrants

SLICES_NS = (200_000, 500_000, 1_000_000, 1_500_000, 3_000_000, 10_000_000)


def pair() -> tuple[float, float]:
    """The ratio of one pair, and the longest slice in ms."""
    plodding, juggling = (engine.draw(request) for request in entrants({}, ["sequential", "concurrent"]))
    if plodding.sha256 != juggling.sha256:
        sys.exit("the pictures differ: no figure")
    ratio = stats.of(juggling.trace).seconds["paint"] / stats.of(plodding.trace).seconds["paint"]
    return ratio, max(span.t1 - span.t0 for span in juggling.trace.of_kind("paint")) / 1e6


def main(pairs: int) -> None:
    """Print one line for each length."""
    print(f"{machine.cpu_name()}, {machine.cpus()} CPUs, Python {platform.python_version()}, {pairs} pairs each")
    print("slice ms   concurrent / sequential        longest slice ms")
    chosen = painter.SLICE_NS
    for length in SLICES_NS:
        painter.SLICE_NS = length
        pair()
        ratios, longest = zip(*(pair() for _ in range(pairs)), strict=True)
        figures = f"{min(ratios):.3f}  {statistics.median(ratios):.3f}  {max(ratios):.3f}"
        print(f"{length / 1e6:8.1f}   {figures}          {max(longest):.1f}{'   (chosen)' if length == chosen else ''}")
    painter.SLICE_NS = chosen


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
