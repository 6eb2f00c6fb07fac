"""The Mandelbrot set on one core: against hand-written C++, against a plain numba loop, and against the core's limit.

    python benchmarks/mandelbrot.py [--runs N] [--precision f64|f32] [SECTION...]

sections: whole5000 whole500 interior boundary shortcuts deep (all unless named)

Each section paints one frame (one sample, one worker, bailout 2) in turn with its references. Step counts are compared
first, and where they differ there is no figure. "Painted" is the paint time of the whole program, colours and all;
"steps alone" is the program with a scene whose colours cost nothing; the references write step counts and nothing
else.

The limit: a step is 3 fma and 1 sum. How many such groups a second the core issues is measured in the same rounds, by
a loop of nothing but that, in which no instruction waits for another. "Of limit" is steps a second over that; "most"
is the ratio that would be reached at the limit.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping
from functools import cache, partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from hand_written import CHAINS, Absent, HandWritten, numba_issue, plain_counts
from pairs import Times, against, in_turn, machine_line, median_ratio, options, ratio, timed

from render import engine, stats
from render.options import complete
from render.request import Request

BARE = str(Path(__file__).parent / "references" / "bare_mandelbrot.py")
WHOLE = {"x": -0.75, "y": 0.0, "zoom": 1.6, "bailout": 2.0, "shortcuts": 0}
INTERIOR = WHOLE | {"x": -0.1, "zoom": 40.0}
BOUNDARY = WHOLE | {"x": -0.743643887037151, "y": 0.13182590420533, "zoom": 1e5}
ROUNDS = 200_000  # of the calibration: about half a millisecond
PAINTED, BARELY, PLAIN = "painted", "steps alone", "numba, plain loop"

Issue = Callable[[int, bool], int]
Works = dict[str, Callable[[], float]]


class Differ(Exception):
    """Step counts are not equal, so no time counts."""


def asked(
    parameters: Mapping[str, Any], limit: int, precision: str, size: int = 1024, scene: str = "mandelbrot"
) -> Request:
    """One sample a pixel, one worker."""
    return complete(
        scene=scene,
        parameters=dict(parameters),
        size=(size, size),
        samples=1,
        limit=limit,
        precision=precision,
        mode="sequential",
    )


def painting(request: Request, expected: np.ndarray) -> Callable[[], float]:
    """The paint time of a request. Raises Differ where its step counts are not as expected."""

    def once() -> float:
        frame = engine.draw(request)
        assert frame.steps is not None
        same(frame.steps, expected)
        return stats.of(frame.trace).seconds["paint"]

    return once


def same(steps: np.ndarray, expected: np.ndarray) -> None:
    """Raise Differ unless all counts are equal."""
    differing = int((steps != expected).sum())
    if differing:
        raise Differ(f"{differing} of {steps.size} step counts differ")


def steps_of(request: Request) -> np.ndarray:
    """The program's own counts; drawing once also compiles."""
    steps = engine.draw(request).steps
    assert steps is not None
    return steps


@cache
def by_hand() -> HandWritten:
    """The C++ loop. Raises Absent."""
    return HandWritten()


@cache
def calibrations(precision: str) -> dict[str, Issue]:
    """Loops that issue so many rounds of independent instructions, by who compiled them."""
    try:
        return {"numba": numba_issue(precision), "C++": partial(by_hand().issue, precision)}
    except Absent:
        return {"numba": numba_issue(precision)}


def fma_rate(precision: str, *, sums: bool) -> tuple[float, int]:
    """How many vector fma the core issues a nanosecond, with a sum for every three or without; and a vector's lanes."""
    best, lanes = 0.0, 0
    for issue in calibrations(precision).values():
        for _ in range(5):
            t0 = time.perf_counter_ns()
            lanes = issue(ROUNDS, sums)
            best = max(best, ROUNDS * CHAINS / (time.perf_counter_ns() - t0))
    return best, lanes


def measured(works: Works, precision: str, runs: int) -> tuple[dict[str, Times], float]:
    """The times of all works, taken in turn with the calibration, and the limit in steps a second."""
    rates = []

    def calibrate() -> float:
        rate, lanes = fma_rate(precision, sums=True)
        rates.append(rate * 1e9 / 3 * lanes)
        return 0.0

    times = in_turn({**works, "limit": calibrate}, runs)
    return {name: times[name] for name in works}, max(rates)


def calibration_line(precision: str) -> str:
    """The core's rates in words."""
    (alone, lanes), (mixed, _) = fma_rate(precision, sums=False), fma_rate(precision, sums=True)
    return (
        f"{precision}: {alone:.2f} fma of {lanes} lanes a ns; with a sum for every three {mixed:.2f}, "
        f"which is {mixed / 3 * lanes:.2f} G steps/s ({', '.join(calibrations(precision))})"
    )


class Section(NamedTuple):
    """One frame's times; ratios are against `base`, if there is one. No limit: steps a second mean nothing."""

    title: str
    steps: int
    times: Mapping[str, Times]
    limit: float | None
    base: str | None
    aims: Mapping[str, float]  # of ratios; without a base, of shares of the limit

    def show(self) -> None:
        """Print the table."""
        print(f"\n{self.title}; {self.steps / 1e9:.3f} G steps, all counts equal")
        print(f"  {'':34}{'ms':>8}{'median':>8}{'ratio':>8}{'median':>8}{'G steps/s':>11}{'of limit':>10}")
        for name in self.times:
            print("  " + self._line(name).rstrip())
        if self.limit is not None:
            most = f"; most: {self.times[self.base].best * self.limit / self.steps:.2f}" if self.base else ""
            print(f"  limit {self.limit / 1e9:.2f} G steps/s{most}")

    def _line(self, name: str) -> str:
        spent, rate = self.times[name], self.steps / self.times[name].best
        line = f"{name:34}{spent.best * 1e3:8.1f}{spent.median * 1e3:8.1f}"
        reached = 0.0
        if self.base in (None, name):
            line += 16 * " "
        else:
            reached = ratio(self.times[str(self.base)], spent)
            line += f"{reached:8.2f}{median_ratio(self.times[str(self.base)], spent):8.2f}"
        if self.limit is not None:
            line += f"{rate / 1e9:11.2f}{rate / self.limit:10.1%}"
            reached = reached if self.base else rate / self.limit
        return line + (f"   {against(reached, self.aims[name])}" if name in self.aims else "")


def total(counts: np.ndarray) -> int:
    """All steps of a frame."""
    return int(counts.sum(dtype=np.int64))


def beside(works: Works, request: Request, expected: np.ndarray, *, test: bool = True) -> str | None:
    """Add the C++ loop to the works, if it can be had here; gives its name. Raises Differ."""
    try:
        hand = by_hand()
    except Absent as absent:
        print(f"\nthe C++ loop is absent: {absent}")
        return None
    out = np.zeros_like(expected)
    hand.counts(request, out, test=test)
    same(out, expected)
    name = hand.name if test else f"{hand.name}, no test"
    works[name] = timed(lambda: hand.counts(request, out, test=test))
    return name


def both(parameters: Mapping[str, Any], limit: int, precision: str, size: int) -> tuple[Request, np.ndarray, Works]:
    """The request, its step counts, and the program as two works: with colours, and steps alone. Raises Differ."""
    request = asked(parameters, limit, precision, size)
    bare = asked(parameters, limit, precision, size, BARE)
    expected = steps_of(request)
    same(steps_of(bare), expected)
    return request, expected, {PAINTED: painting(request, expected), BARELY: painting(bare, expected)}


def whole(limit: int, aims: Mapping[str, float], precision: str, runs: int) -> None:
    """The whole set against the C++ loop."""
    request, expected, works = both(WHOLE, limit, precision, 1024)
    base = beside(works, request, expected)
    times, most = measured(works, precision, runs)
    title = f"whole set, 1024x1024, limit {limit}, {precision}, shortcuts=0"
    Section(title, total(expected), times, most, base, aims if base else {}).show()


def whole5000(precision: str, runs: int) -> None:
    """Aim: painted, colours and all, 1.25 times as fast as C++."""
    whole(5000, {PAINTED: 1.25}, precision, runs)


def whole500(precision: str, runs: int) -> None:
    """Aim: the same for the steps alone."""
    whole(500, {BARELY: 1.25}, precision, runs)


def interior(precision: str, runs: int) -> None:
    """No sample ends: how near to the limit is the loop itself? The C++ loop does not even test."""
    request, expected, works = both(INTERIOR, 50_000, precision, 192)
    same(expected, np.full_like(expected, 50_000))
    beside(works, request, expected, test=False)
    times, most = measured(works, precision, runs)
    title = f"interior points only, 192x192, limit 50000, {precision}, shortcuts=0"
    Section(title, total(expected), times, most, None, {PAINTED: 0.80 if precision == "f64" else 0.75}).show()


def boundary(precision: str, runs: int) -> None:
    """Along the boundary, where neighbours end at very different steps: against a plain loop; float64 only."""
    if precision != "f64":
        return
    request, expected, works = both(BOUNDARY, 8192, precision, 1024)
    beside(works, request, expected)
    out = np.zeros_like(expected)
    plain_counts(request, out)
    same(out, expected)
    works[PLAIN] = timed(lambda: plain_counts(request, out))
    times, most = measured(works, precision, runs)
    title = f"boundary, zoom 1e5, 1024x1024, limit 8192, {precision}, shortcuts=0"
    Section(title, total(expected), times, most, PLAIN, {PAINTED: 12.0}).show()


def shortcuts(precision: str, runs: int) -> None:
    """Shortcuts on against off; the picture and all counts are the same."""
    request, cut = asked(WHOLE, 5000, precision), asked(WHOLE | {"shortcuts": 1}, 5000, precision)
    plodding, cutting = engine.draw(request), engine.draw(cut)
    if plodding.sha256 != cutting.sha256:
        raise Differ("the pictures differ")
    expected = steps_of(request)
    works = {"shortcuts on": painting(cut, expected), "off": painting(request, expected)}
    title = f"shortcuts, whole set, 1024x1024, limit 5000, {precision}"
    Section(title, total(expected), in_turn(works, runs), None, "off", {"shortcuts on": 3.0}).show()


def deep(precision: str, runs: int) -> None:
    """Limit 50,000 against limit 1,000, shortcuts on: it should cost hardly more."""
    works, steps = {}, {}
    for limit in (50_000, 1_000):
        request = asked(WHOLE | {"shortcuts": 1}, limit, precision)
        expected = steps_of(request)
        steps[limit] = total(expected)
        works[f"limit {limit}"] = painting(request, expected)
    times = in_turn(works, runs)
    far, near = times["limit 50000"], times["limit 1000"]
    print(f"\nlimit 50000 against 1000, whole set, 1024x1024, {precision}, shortcuts on")
    print(f"  {far.best * 1e3:.1f} ms against {near.best * 1e3:.1f} ms: {ratio(far, near):.2f} times the time", end=" ")
    print(f"(median {median_ratio(far, near):.2f}) for {steps[50_000] / steps[1_000]:.1f} times the steps; aim: near 1")


SECTIONS = {section.__name__: section for section in (whole5000, whole500, interior, boundary, shortcuts, deep)}


def main() -> int:
    """Measure the sections that are asked for; 1 where step counts differ."""
    parser = options(__doc__ or "", 7)
    parser.add_argument("--precision", choices=("f64", "f32"), help="only this one")
    parser.add_argument("sections", nargs="*", metavar="SECTION", help=", ".join(SECTIONS))
    typed = parser.parse_args()
    unknown = sorted(set(typed.sections) - set(SECTIONS))
    if unknown:
        parser.error(f"no section {unknown[0]}; there are {', '.join(SECTIONS)}")
    precisions = (typed.precision,) if typed.precision else ("f64", "f32")
    print(machine_line())
    print("\n".join(map(calibration_line, precisions)))
    status = 0
    for name in typed.sections or SECTIONS:
        for precision in precisions:
            try:
                SECTIONS[name](precision, typed.runs)
            except Differ as difference:
                print(f"\n{name}, {precision}: {difference}: no figure")
                status = 1
    return status


if __name__ == "__main__":
    sys.exit(main())
