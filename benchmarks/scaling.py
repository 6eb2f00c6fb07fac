"""How mode parallel scales: several workers against one, the size of tiles, and the order in which they are painted.

    python benchmarks/scaling.py [--runs N] [--workers N] [SECTION...]

sections: workers tiles orders (all unless named)

    workers   threads and processes (loky) against sequential, on an even frame (interior points: every pixel costs the
              same) and on the uneven one of the race; both take one worker about a second or more, warm. Beside
              them the machine's own limit: as many threads that do nothing but independent fma, against one.
    tiles     the race's frame cut into larger and smaller tiles; the default is marked.
    orders    each --order: how long the worker that idled longest was idle, from the first tile's start to the last
              one's end, for the default tiles and for large ones.

All pictures of a frame are checked equal before a time counts.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

from hand_written import numba_issue
from pairs import Times, Work, against, in_turn, machine_line, median_ratio, options, ratio, timed

from render import engine, machine, stats
from render.frame import Frame
from render.frontend.library import race_requests
from render.plan import ORDERS, cut
from render.request import Request

EVEN = {"x": -0.1, "zoom": 40.0, "shortcuts": 0}
EVEN_LIMIT = 9000  # a second or more on one AVX-512 core
AIMS = {"even": 1.9, "race": 1.85}
EDGES = (16, 32, 64, 128, 256, 512)
LARGE = (256, 256)
ISSUED = 100_000_000  # rounds of independent fma: about a quarter of a second


def frames(workers: int) -> dict[str, dict[str, Request]]:
    """By name of the frame and of who paints it."""
    made = {}
    even = {"parameters": EVEN, "size": (1024, 1024), "samples": 1, "limit": EVEN_LIMIT}
    for name, drawn in (("even", even), ("race", {})):
        alone, threads = race_requests(dict(drawn) | {"workers": workers}, ["sequential", "parallel"])
        (processes,) = race_requests(
            dict(drawn) | {"workers": workers, "backend": "loky", "tile": alone.tile}, ["parallel"]
        )
        made[name] = {"sequential": alone, "threading": threads, "loky": processes}
    return made


class Drawing:
    """A request as a work: the seconds from the first tile's start to the last one's end, and all else in `seen`."""

    def __init__(self, request: Request, expected: Frame) -> None:
        self.request, self.expected = request, expected
        self.seen: list[stats.Stats] = []

    def __call__(self) -> float:
        """Draw once; ends the program where the picture is not as expected."""
        frame = engine.draw(self.request)
        if frame.sha256 != self.expected.sha256:
            sys.exit(f"{frame.title}: the pictures differ: no figure")
        self.seen.append(stats.of(frame.trace))
        return self.seen[-1].seconds["tiles"]

    @property
    def idle(self) -> Times:
        """How long the worker that idled longest was idle meanwhile, round by round."""
        return Times(tuple(max(one.idle.values()) for one in self.seen))


def at_once(threads: int) -> Work:
    """Threads that only issue fma, all at the same instant."""
    issue = numba_issue("f64")
    pool = ThreadPoolExecutor(threads)
    return timed(lambda: list(pool.map(lambda _: issue(ISSUED, False), range(threads))))  # noqa: FBT003


def workers(count: int, runs: int) -> None:
    """Several against one."""
    for name, requests in frames(count).items():
        expected = {who: engine.draw(request) for who, request in requests.items()}["sequential"]
        works: dict[str, Work] = {who: Drawing(request, expected) for who, request in requests.items()}
        times = in_turn({**works, "1 busy": at_once(1), "all busy": at_once(count)}, runs)
        alone, one = requests["sequential"], times["sequential"]
        size = f"{alone.width}x{alone.height}"
        print(f"\n{name} frame, {size}, {count} workers, tiles of {shown(alone.tile)}; all pictures equal")
        print(f"  {'':12}{'ms':>9}{'median':>9}{'speed-up':>10}{'median':>8}{'of limit':>10}")
        most = count * ratio(times["1 busy"], times["all busy"])
        for who in works:
            line = f"  {who:12}{times[who].best * 1e3:9.1f}{times[who].median * 1e3:9.1f}"
            if who != "sequential":
                reached = ratio(one, times[who])
                line += f"{reached:10.2f}{median_ratio(one, times[who]):8.2f}{reached / most:10.1%}"
                line += f"   {against(reached, AIMS[name])}"
            print(line)
        print(f"  limit: {count} threads that only issue fma do {most:.2f} times the work of one in the same time")


def shown(tile: tuple[int, int]) -> str:
    """Width and height."""
    return f"{tile[0]}x{tile[1]}"


def tiles(count: int, runs: int) -> None:
    """Larger and smaller tiles."""
    request = frames(count)["race"]["threading"]
    expected = engine.draw(request)
    shapes = {shown(tile): tile for tile in sorted({request.tile, *((edge, edge) for edge in EDGES)})}
    works = {name: Drawing(replace(request, tile=tile), expected) for name, tile in shapes.items()}
    times = in_turn(works, runs)
    best = min(spent.best for spent in times.values())
    print(f"\ntiles of the race's frame, {count} threads")
    print(f"  {'':9}{'tiles':>6}{'ms':>9}{'median':>9}{'slower':>9}{'idle ms':>9}")
    for name, spent in times.items():
        number = len(cut(works[name].request))
        mark = "   (the default)" if shapes[name] == request.tile else ""
        slower, idle = spent.best / best - 1, works[name].idle.median * 1e3
        print(f"  {name:9}{number:6}{spent.best * 1e3:9.1f}{spent.median * 1e3:9.1f}{slower:9.1%}{idle:9.1f}{mark}")


def orders(count: int, runs: int) -> None:
    """What the order does to idling; half the samples, for only the shape of the work matters."""
    request = replace(frames(count)["race"]["threading"], samples=8)
    expected = engine.draw(request)
    for tile in (request.tile, LARGE):
        works = {order: Drawing(replace(request, tile=tile, order=order), expected) for order in ORDERS}
        times = in_turn(works, runs)
        print(f"\norders, the race's frame, {count} threads, tiles of {shown(tile)}")
        print(f"  {'':9}{'ms':>9}{'median':>9}{'longest idle ms':>17}{'median':>9}{'of the time':>13}")
        for order, spent in times.items():
            idle = works[order].idle
            share = idle.median / spent.median
            times_line = f"  {order:9}{spent.best * 1e3:9.1f}{spent.median * 1e3:9.1f}"
            print(f"{times_line}{idle.best * 1e3:17.1f}{idle.median * 1e3:9.1f}{share:13.1%}")


SECTIONS: Mapping[str, Any] = {section.__name__: section for section in (workers, tiles, orders)}


def main() -> None:
    """Measure what is asked for."""
    parser = options(__doc__ or "", 3)
    parser.add_argument("--workers", type=int, default=max(2, machine.cpus()), metavar="N", help="the CPUs unless told")
    parser.add_argument("sections", nargs="*", metavar="SECTION", help=", ".join(SECTIONS))
    typed = parser.parse_args()
    unknown = sorted(set(typed.sections) - set(SECTIONS))
    if unknown:
        parser.error(f"no section {unknown[0]}; there are {', '.join(SECTIONS)}")
    print(machine_line())
    for name in typed.sections or SECTIONS:
        SECTIONS[name](typed.workers, typed.runs)


if __name__ == "__main__":
    main()
