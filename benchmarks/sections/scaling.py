"""Several workers against one.

The race's frame with 1, 2, 4 ... workers up to the CPUs, as threads and as processes, from the first tile's start to
the last one's end, by the trace. `busy` is the machine's own limit: as many threads that only multiply matrices. From
the times follow speed-up, efficiency, the share that did not gain (Karp and Flatt) and what Amdahl's law makes of it.
Then sizes of tiles, and orders.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from typing import Any

from harness.cases import Case, Group, Missing

EDGES = (16, 32, 64, 128, 256)


def counts() -> list[int]:
    """1, 2, 4 ... and the number of CPUs; two at least."""
    from render import machine

    most = max(2, machine.cpus())
    return sorted({1, most, *(1 << n for n in range(1, most.bit_length()) if 1 << n < most)})


def groups(quick: bool) -> Iterator[Group]:  # noqa: FBT001  (one signature for all sections)
    """Workers; in full also processes, tiles and orders."""
    threads = ("sequential", *(f"{count} threads" for count in counts()), *(f"{count} busy" for count in counts()))
    options = {"view": "seahorses", "samples": 4, "size": (640, 360) if quick else (1280, 720)}
    yield Group("threads", threads, partial(prepare_threads, options), "sequential", "cores", seconds=3.0)
    if quick:
        return
    processes = ("sequential", *(f"{count} processes" for count in counts()))
    yield Group("processes", processes, partial(prepare_processes, options), "sequential", "cores", seconds=3.0)
    tiles = ("chosen", *(f"{edge}x{edge}" for edge in EDGES))
    plain = options | {"samples": 1}
    yield Group("tiles", tiles, partial(prepare_tiles, plain), "chosen", "cores", seconds=2.0)
    from render.plan import ORDERS

    yield Group("orders", tuple(ORDERS), partial(prepare_orders, plain), "rows", "cores", seconds=2.0)


def prepare_threads(options: dict[str, Any], stack: ExitStack) -> Iterator[Case | Missing]:
    """Threads, and threads that do nothing but multiply."""
    yield from _workers(options, "threading", "threads")
    from harness.timing import busy_threads

    for count in counts():
        once = stack.enter_context(busy_threads(count))
        yield Case(f"{count} busy", once, facts={"workers": count, "kind": "busy"})


def prepare_processes(options: dict[str, Any], stack: ExitStack) -> Iterator[Case | Missing]:
    """Processes, which live from frame to frame."""
    yield from _workers(options, "loky", "processes")


def _workers(options: dict[str, Any], backend: str, called: str) -> Iterator[Case | Missing]:
    from harness.program import ask, painting
    from render import engine

    alone = ask(**options)
    many = ask(**options, mode="parallel", backend=backend, workers=max(counts()))
    alone = replace(alone, tile=many.tile)
    expected = engine.draw(alone).sha256
    facts = {"pixels": alone.width * alone.height, "kind": called}
    yield Case("sequential", painting(alone, expected, seconds="tiles"), equal=True, facts=facts | {"workers": 1})
    for count in counts():
        once = painting(replace(many, workers=count), expected, seconds="tiles")
        yield Case(f"{count} {called}", once, equal=True, facts=facts | {"workers": count})


def prepare_tiles(options: dict[str, Any], stack: ExitStack) -> Iterator[Case | Missing]:
    """Sizes of tiles, all CPUs."""
    from harness.program import ask, painting
    from render import engine

    request = ask(**options, mode="parallel")
    expected = engine.draw(request).sha256
    shapes = {"chosen": request.tile} | {f"{edge}x{edge}": (edge, edge) for edge in EDGES}
    for name, tile in shapes.items():
        once = painting(replace(request, tile=tile), expected, seconds="tiles")
        yield Case(name, once, equal=True, facts={"tile": list(tile)})


def prepare_orders(options: dict[str, Any], stack: ExitStack) -> Iterator[Case | Missing]:
    """Orders, with tiles large enough that the order matters."""
    from harness.program import ask, painting
    from render import engine
    from render.plan import ORDERS

    request = replace(ask(**options, mode="parallel"), tile=(256, 256))
    expected = engine.draw(request).sha256
    for order in ORDERS:
        yield Case(order, painting(replace(request, order=order), expected, seconds="tiles"), equal=True)
