"""What recording costs: the same tiles painted with the recorder, and with one that keeps nothing.

    python benchmarks/recording.py [--runs N]

Both take turns, in each mode of the CPU, with the default tiles and with very small ones. The difference is so small
that a busy machine hides it; so it is worked out as well: what one span takes (reading the clock, the
thread's CPU time and the CPU's number twice each, keeping the record), measured alone, times the spans of the run, as a
share of the paint time.
"""

from __future__ import annotations

import time
from dataclasses import replace

from pairs import Work, in_turn, machine_line, median_ratio, options, ratio

from render import modes, plan, scene, targets, trace
from render.frame import open_canvas
from render.frontend.library import race_requests
from render.painting.painter import Painter
from render.request import Request
from render.trace import Recorder

FRAME = {"view": "seahorses", "samples": 4}
SMALL = (32, 32)
AIM = 1.0  # per cent
BATCH, BATCHES = 500, 100  # spans that are recorded to see what one takes; the fastest batch counts


class Forgetful(Recorder):
    """Keeps nothing of painting, and reads no clock for it."""

    def painting(self, tile: int) -> Forgotten:
        """Forget it."""
        return Forgotten(self, tile)


class Forgotten(trace.PaintSpan):
    """A paint span that is not recorded."""

    def __enter__(self) -> None:
        pass

    def __exit__(self, *error: object) -> None:
        pass


class Painting:
    """A request as a work, with a recorder of this kind; `spans` of the last time."""

    def __init__(self, request: Request, recorder: type[Recorder]) -> None:
        self.request, self.recorder, self.spans = request, recorder, 0
        self.kernel = targets.load(request.target).compile(scene.load(request.scene), request, lambda _text: None)

    def __call__(self) -> float:
        """Seconds from giving the tiles to the mode until the last is done."""
        recorder, mode = self.recorder(), modes.load(self.request.mode)
        tiles = plan.plan(self.request)
        with open_canvas(self.request, shared=mode.needs_shared_canvas(self.request)) as surface:
            painter = Painter(self.request, surface, self.kernel, recorder)
            t0 = time.perf_counter_ns()
            for _ in mode.run(tiles, painter):
                pass
            spent = time.perf_counter_ns() - t0
        self.spans = len(recorder.drain())
        return spent / 1e9


def one_span() -> float:
    """Seconds that recording one span takes."""
    best = float("inf")
    for _ in range(BATCHES):
        recorder = Recorder()
        begun = time.perf_counter_ns()
        for number in range(BATCH):
            with recorder.record_painting(number):
                pass
        best = min(best, (time.perf_counter_ns() - begun) / BATCH / 1e9)
    return best


def main() -> None:
    """Print one line for each mode and size of tiles."""
    runs = options(__doc__ or "", 5).parse_args().runs
    print(machine_line())
    each = one_span()
    print(f"one span: {each * 1e6:.2f} us\n")
    print(f"  {'':30}{'spans':>7}{'ms':>9}{'worked out':>14}{'seen':>10}{'median':>10}")
    for request in race_requests(dict(FRAME), ["sequential", "concurrent", "parallel"]):
        for tile in (request.tile, SMALL):
            line(replace(request, tile=tile), each, runs)


def line(request: Request, each: float, runs: int) -> None:
    """One mode with one size of tiles."""
    kept, forgotten = Painting(request, Recorder), Painting(request, Forgetful)
    kept(), forgotten()
    works: dict[str, Work] = {"kept": kept, "forgotten": forgotten}
    times = in_turn(works, runs)
    share = 100 * each * kept.spans / times["kept"].best
    seen = 100 * (ratio(times["kept"], times["forgotten"]) - 1)
    median = 100 * (median_ratio(times["kept"], times["forgotten"]) - 1)
    name = f"{request.mode}, tiles of {request.tile[0]}x{request.tile[1]}"
    verdict = "reached" if share <= AIM else "missed"
    print(
        f"  {name:30}{kept.spans:7}{times['kept'].best * 1e3:9.1f}{share:12.3f} %{seen:+8.2f} %{median:+8.2f} %"
        f"   aim under {AIM:g} %: {verdict}"
    )


if __name__ == "__main__":
    main()
