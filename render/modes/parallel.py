"""Mode `parallel`: several workers at the same instant, through joblib. Several chefs.

    worker 0  |1111|3333|5555|
    worker 1  |2222|4444|6666|

The backend says what a worker is. `threading` (the default): threads of this process, which really paint at once
because compiled code drops the GIL (target `python` holds it, so its threads only take turns: see for yourself).
`loky`: processes, each with a GIL of its own; they cost half a second to start, and may die without harm to the frame.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from render import processes
from render.errors import UnknownName
from render.handfuls import Handout
from render.modes import cpu_targets

if TYPE_CHECKING:
    from render.painter import Done, Painter
    from render.plan import Tile
    from render.request import Request

TARGETS = cpu_targets()
OPTIONS = frozenset({"workers", "backend"})
BACKENDS = ("threading", "loky")  # the default first


def missing(request: Request) -> tuple[str, str] | None:
    """Why joblib starts no workers here, or None. Raises UnknownName for a backend that is not known."""
    if request.backend not in BACKENDS:
        raise UnknownName("backend", str(request.backend), BACKENDS)
    if processes.able(request.backend):
        return None
    if os.environ.get("JOBLIB_MULTIPROCESSING") == "0":
        return "joblib starts no workers, for JOBLIB_MULTIPROCESSING is 0", "unset it, or add --mode sequential"
    others = "" if request.backend == BACKENDS[0] else f", or --backend {BACKENDS[0]}"
    return f"joblib starts no workers of backend {request.backend} in this process", f"add --mode sequential{others}"


def shared(request: Request) -> bool:
    """Processes paint on a canvas in a file; threads share this process's memory."""
    return request.backend == "loky"


def run(tiles: Sequence[Tile], painter: Painter) -> Iterator[Done]:
    """Tiles as the workers finish them. The workers are ready before the first tile is given out."""
    yield from (processes.run if shared(painter.request) else threads)(tiles, painter)


def threads(tiles: Sequence[Tile], painter: Painter) -> Iterator[Done]:
    """A pool of threads that take tile after tile, so that none hoards work."""
    started = painter.recorder.clock()
    from joblib import Parallel, delayed

    workers, handout = painter.request.workers, Handout(tiles, painter)
    with Parallel(n_jobs=workers, backend="threading", batch_size=1, return_as="generator_unordered") as pool:
        processes.meet(pool, delayed, workers)
        painter.recorder.add("start", started, painter.recorder.clock())
        yield from handout.collect(processes.results(pool(delayed(paint)() for paint in handout)))
