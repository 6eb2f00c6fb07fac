"""What a tile costs besides painting it: threads, processes, and the workers of a cluster.

A frame of small, quick tiles with two workers of each backend, all on this machine; seconds are those of one tile, from
giving the tiles to the mode until the last is on the canvas, over their number. `dask, one by one` sends each tile as a
task of its own, as it does with tiles that take 0.1 s; `dask` sends quick ones together. On a network the round trips
and the pixels' way come on top.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from typing import Any

from harness.cases import Case, Group, Missing, Once

NAMES = ("threading", "loky", "dask", "dask, one by one")
EDGE = 64


def groups(quick: bool) -> Iterator[Group]:  # noqa: FBT001  (one signature for all sections)
    """Sixty tiles of 64 x 64 pixels."""
    yield Group(f"tiles of {EDGE}x{EDGE}", NAMES, partial(prepare, (640, 384)), "loky", "cores", seconds=2.0)


def prepare(size: tuple[int, int], stack: ExitStack) -> Iterator[Case | Missing]:
    """The same tiles by each backend. Raises Differ."""
    from harness.program import ask
    from render import backends, engine, plan
    from render.errors import RenderError
    from render.trace import Recorder
    from sections.recording import painting

    request = replace(ask(mode="parallel", size=size, limit=20, workers=2), tile=(EDGE, EDGE))
    tiles = len(plan.plan(request))
    expected = engine.draw(request).rgb
    for name in NAMES:
        backend = name.partition(",")[0]
        missing = backends.load(backend).unavailable_reason()
        if missing is not None:
            yield Missing(name, missing[0])
            continue
        at_once = 1 if name != backend else None
        try:
            _, once = painting(replace(request, backend=backend), Recorder, expected)
        except RenderError as error:
            yield Missing(name, error.cause)
            continue
        yield Case(name, partial(time_tile, once, tiles, at_once), equal=True, facts={"tiles": tiles, "workers": 2})


def time_tile(once: Once, tiles: int, at_once: int | None) -> float:
    """Seconds of one tile; at_once: how many Dask sends together, at most (None: its own choice)."""
    if at_once is None:
        return once() / tiles
    from render.backends.dask import crew

    chosen: Any = crew.MOST_AT_ONCE
    crew.MOST_AT_ONCE = at_once
    try:
        return once() / tiles
    finally:
        crew.MOST_AT_ONCE = chosen
