"""What juggling costs: mode concurrent against sequential, for slices of several lengths. Sets painter.SLICE_NS.

    python benchmarks/juggling.py [--runs N] [--all]

Both modes take turns with the same frame; the pictures must be equal before a time counts. Printed are how much longer
concurrent takes, how much of its time lies between slices (event loop, switches, bookkeeping: from its own trace, so a
busy machine does not hide it), how many slices there are, and the longest one, for which the event loop could
not have answered anybody. Only the chosen length is measured unless --all is given.
"""

from __future__ import annotations

import sys

from pairs import Times, in_turn, machine_line, median_ratio, options, ratio

from render import engine, stats
from render.frame import Frame
from render.frontend.library import race_requests
from render.painting import painter
from render.request import Request

SLICES_NS = (200_000, 500_000, 1_000_000, painter.SLICE_NS, 3_000_000, 10_000_000)
FRAME = {"view": "seahorses", "samples": 8}
AIM = 2.0  # per cent


class Drawing:
    """A request as a work: its paint time; and of each frame the share between slices and the longest slice."""

    def __init__(self, request: Request, expected: Frame) -> None:
        self.request, self.expected = request, expected
        self.between: list[float] = []
        self.longest: list[float] = []
        self.slices = 0

    def __call__(self) -> float:
        """Draw once; ends the program where the picture is not as expected."""
        frame = engine.draw(self.request)
        if frame.sha256 != self.expected.sha256:
            sys.exit("the pictures differ: no figure")
        told, spans = stats.of(frame.trace), frame.trace.of_kind("paint")
        self.between.append(100 * sum(told.idle.values()) / told.seconds["paint"])
        self.longest.append(max(span.t1 - span.t0 for span in spans) / 1e6)
        self.slices = len(spans)
        return told.seconds["paint"]


def line(length: int, juggling: Drawing, times: dict[str, Times]) -> None:
    """Print one length of slices."""
    longer = 100 * (ratio(times["concurrent"], times["sequential"]) - 1)
    median = 100 * (median_ratio(times["concurrent"], times["sequential"]) - 1)
    figures = f"{times['concurrent'].best * 1e3:9.1f}{longer:+9.2f} %{median:+7.2f} %{min(juggling.between):12.2f} %"
    told = f"{length / 1e6:8.1f}{figures}{juggling.slices:8}{min(juggling.longest):9.1f}"
    verdict = "reached" if longer <= AIM else "missed"
    print(told + (f"   (chosen) aim {AIM:g} %: {verdict}" if length == painter.SLICE_NS else ""))


def main() -> None:
    """Print one line for each length."""
    parser = options(__doc__ or "", 7)
    parser.add_argument("--all", action="store_true", help="all lengths, not only the chosen one")
    typed = parser.parse_args()
    print(machine_line())
    print(f"{'slice ms':>8}{'ms':>9}{'longer':>11}{'median':>9}{'between':>14}{'slices':>8}{'longest':>9}")
    plodding, juggling = race_requests(dict(FRAME), ["sequential", "concurrent"])
    expected = engine.draw(plodding)
    chosen = painter.SLICE_NS
    for length in SLICES_NS if typed.all else (chosen,):
        works = {"sequential": Drawing(plodding, expected), "concurrent": Drawing(juggling, expected)}
        painter.SLICE_NS = length
        times = in_turn(works, typed.runs)
        painter.SLICE_NS = chosen
        line(length, works["concurrent"], times)


if __name__ == "__main__":
    main()
