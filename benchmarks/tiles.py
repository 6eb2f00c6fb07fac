"""How large should tiles be, and does it help to paint the costly ones first? Sets the constants of render.plan.

    python benchmarks/tiles.py [--seconds N]

1. What a tile costs besides its pixels, in each mode: a frame that takes hardly a step, in 4096 tiles and in 16.
2. An even frame (inside the set, no shortcuts) and an uneven one (the race's) by tiles a worker. Each tile is timed
   with one worker (what a tenth of its samples stay under, so that others on this machine hardly count), and the
   schedule for several is worked out: whoever is free takes the next, which costs what the first table says. Shown is
   the share of all workers' time in which pixels are painted: 1 would be perfect.
3. The same for each order with the default tile, and how long the last worker works alone.
4. What this machine does with the default tile, against one worker.

Frames take turns and are timed as those of all benchmarks are (`harness.timing`); all pictures of a frame must be equal
before a time counts.
"""

from __future__ import annotations

import argparse
import heapq
import platform
import sys
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import partial
from math import isqrt
from typing import Any

from harness.cases import Case
from harness.timing import measure, none
from harness.verdicts import quick
from render import engine, machine, plan, stats
from render.frontend.races import RACE_DEFAULTS
from render.options import complete
from render.painting.costs import estimate_costs
from render.preparation import Preparation
from render.request import Request
from render.trace import Recorder, Trace

EVEN: dict[str, Any] = {"parameters": {"x": -0.15, "zoom": 40, "shortcuts": 0}, "samples": 1, "limit": 3000}
EMPTY: dict[str, Any] = {"parameters": {"x": 1.9, "zoom": 40}, "size": (1024, 1024), "samples": 1, "limit": 1}
FRAMES = {"even": EVEN, "uneven": RACE_DEFAULTS}
TILES_PER_WORKER = (2, 4, 8, 16, 32, 64)
WORKERS = (2, 4, 8, 16)
WHO: dict[str, dict[str, Any]] = {
    "sequential": {"mode": "sequential"},
    "concurrent": {"mode": "concurrent"},
    "threading": {"mode": "parallel", "backend": "threading", "workers": machine.default_workers()},
    "loky": {"mode": "parallel", "backend": "loky", "workers": machine.default_workers()},
}


def draw_in_turn(requests: Mapping[Any, Request], spent: float) -> dict[Any, list[Trace]]:
    """Draw requests of one picture in turn for so many seconds; the traces of each."""
    found: dict[Any, list[Trace]] = {name: [] for name in requests}
    pictures = set()

    def once(name: Any) -> float:
        frame = engine.draw(requests[name])
        pictures.add((frame.sha256, frame.total_steps))
        found[name].append(frame.trace)
        return stats.of(frame.trace).seconds["tiles"]

    measure([Case(str(name), partial(once, name)) for name in requests], none(), spent)
    if len(pictures) != 1:
        sys.exit("the pictures differ: no figure")
    return found


def seconds(traces: Iterable[Trace]) -> float:
    """The time in which all tiles were painted."""
    return quick([stats.of(trace).seconds["tiles"] for trace in traces])


def by_tile(traces: Iterable[Trace]) -> list[float]:
    """The seconds of each tile, by number."""
    runs = [sorted(trace.of_kind("paint"), key=lambda span: span.tile) for trace in traces]
    return [quick([(span.t1 - span.t0) / 1e9 for span in turns]) for turns in zip(*runs, strict=True)]


def finished(costs: Iterable[float], workers: int) -> list[float]:
    """Compute when each worker is done, if whoever is free takes the next tile."""
    free = [0.0] * workers
    for cost in costs:
        heapq.heapreplace(free, free[0] + cost)
    return sorted(free)


def overhead(spent: float) -> float:
    """The first table; gives what a tile costs that is given to a thread (s)."""
    found = {}
    print("a tile costs, besides its pixels:")
    for who, how in WHO.items():
        requests = {edge: complete(tile=edge, **EMPTY, **how) for edge in (16, 256)}
        took = {edge: seconds(traces) for edge, traces in draw_in_turn(requests, spent).items()}
        found[who] = (took[16] - took[256]) / (4096 - 16)
        print(f"    {who:10} {found[who] * 1e6:7.1f} us")
    return found["threading"]


def sizes(what: dict[str, Any], each: float, spent: float) -> None:
    """The second table, for one frame; `each`: what a tile costs besides its pixels (s)."""
    asked = complete(mode="sequential", **what)
    area = asked.width * asked.height
    edges = {n * w: max(isqrt(area // (n * w)) // 8 * 8, 8) for n in TILES_PER_WORKER for w in WORKERS}
    traces = draw_in_turn({edge: replace(asked, tile=(edge, edge)) for edge in edges.values()}, spent)
    costs = {edge: by_tile(painted) for edge, painted in traces.items()}
    print("    tiles a worker" + "".join(f"{workers:6} workers" for workers in WORKERS) + "   (edge)")
    for tiles in TILES_PER_WORKER:
        line = f"    {tiles:14}"
        for workers in WORKERS:
            edge = edges[tiles * workers]
            last = finished([cost + each for cost in costs[edge]], workers)[-1]
            line += f"{sum(costs[edge]) / workers / last:8.3f} {edge:5}"
        print(line)


def orders(what: dict[str, Any], spent: float) -> None:
    """The third table, for one frame."""
    for workers in WORKERS:
        asked = complete(mode="parallel", workers=workers, **what)
        asked = replace(asked, mode="sequential", backend=None)
        costs = by_tile(draw_in_turn({0: asked}, spent)[0])
        recorder, preparation = Recorder(), Preparation()
        kernel, p = preparation.make_kernel(asked, engine.announce_nothing), preparation.prepare_numbers(asked)
        for order in plan.ORDERS:
            tiles = plan.plan(replace(asked, order=order), lambda: estimate_costs(asked, recorder, kernel, p))  # noqa: B023
            done = finished([costs[tile.number] for tile in tiles], workers)
            told = f"{sum(done) / workers / done[-1]:6.3f}, the last alone for {(done[-1] - done[-2]) * 1e3:6.1f} ms"
            print(f"    {workers:3} workers, {order:8}{told}")
        [planning] = recorder.drain()
        print(f"    estimating the costs took {(planning.t1 - planning.t0) / 1e6:.1f} ms")


def speed_ups(what: dict[str, Any], spent: float) -> None:
    """The fourth table, for one frame."""
    asked = {who: complete(**what, **how) for who, how in WHO.items()}
    asked = {who: replace(one, tile=asked["threading"].tile) for who, one in asked.items()}
    took = {who: seconds(traces) for who, traces in draw_in_turn(asked, spent).items()}
    told = (f"{who} {took['sequential'] / taken:.2f}" for who, taken in took.items())
    print(f"    {', '.join(told)} (sequential: {took['sequential']:.2f} s)")


def main() -> None:
    """Print all tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=10.0, metavar="N", help="of each measurement; %(default)s")
    spent = parser.parse_args().seconds
    print(f"{machine.cpu_name()}, {machine.cpus()} CPUs, Python {platform.python_version()}")
    each = overhead(spent)
    for name, what in FRAMES.items():
        print(f"the {name} frame, by tiles a worker: the share that is painted, and the edge of a tile")
        sizes(what, each, spent)
        print(f"the {name} frame, by order")
        orders(what, spent)
        print(f"the {name} frame, as this machine paints it: speed-up")
        speed_ups(what, spent)


if __name__ == "__main__":
    main()
