"""Backend `threading`: threads of this process, which paint at the same instant where compiled code drops the GIL.

Target `python` holds it, so there its threads only take turns: see for yourself.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from render.backends import missing_workers, results

if TYPE_CHECKING:
    from render.painter import Done, Painter
    from render.plan import Tile

SHARED = False  # threads share this process's memory
READY_SECONDS = 30.0


def missing() -> tuple[str, str] | None:
    """Why joblib starts no threads here, or None."""
    return missing_workers("threading")


def run(tiles: Sequence[Tile], painter: Painter) -> Iterator[Done]:
    """A pool of threads, fed one tile at a time so that none hoards work."""
    started = painter.recorder.clock()
    from joblib import Parallel, delayed

    def paint(tile: Tile) -> Done:
        painter.wait(tile)
        return painter.paint(tile)

    workers = painter.request.workers
    with Parallel(n_jobs=workers, backend="threading", batch_size=1, return_as="generator_unordered") as pool:
        meet(pool, delayed, workers)
        painter.recorder.add("start", started, painter.recorder.clock())
        yield from results(pool(delayed(paint)(tile) for tile in tiles))


def meet(pool: Any, delayed: Any, workers: int) -> None:
    """Have all workers start before the first tile is given out."""
    barrier = threading.Barrier(workers)

    def arrive() -> None:
        with contextlib.suppress(threading.BrokenBarrierError):
            barrier.wait(READY_SECONDS)

    for _ in pool(delayed(arrive)() for _ in range(workers)):
        pass
