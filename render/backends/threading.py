"""Backend `threading`: threads of this process, which paint at the same instant where compiled code drops the GIL.

Target `python` holds it, so there its threads only take turns: see for yourself. Where a system has no semaphores (in
hardened containers, say), joblib starts nothing at all, but threads need none.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator, Sequence
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any

from render.backends import starts_workers, yield_results
from render.errors import ModeUnavailable
from render.painting.handfuls import Handout

if TYPE_CHECKING:
    from render.painting.painter import Done, Painter
    from render.plan import Tile

NEEDS_SHARED_CANVAS = False  # threads share this process's memory
READY_SECONDS = 30.0


def unavailable_reason() -> None:
    """Nothing: threads are always there."""


def run(tiles: Sequence[Tile], painter: Painter) -> Iterator[Done]:
    """Through joblib, or without it where it starts nothing."""
    yield from (run_pool if starts_workers("threading") else run_threads)(tiles, painter)


def run_pool(tiles: Sequence[Tile], painter: Painter) -> Iterator[Done]:
    """A pool of threads that take tile after tile, so that none hoards work."""
    started = painter.recorder.clock()
    from joblib import Parallel, delayed

    workers, handout = painter.request.workers, Handout(tiles, painter)
    pool = Parallel(n_jobs=workers, backend="threading", batch_size=1, return_as="generator_unordered")
    with contextlib.ExitStack() as stack:
        with _report_thread_limit(workers):
            stack.enter_context(pool)
            start_workers(pool, delayed, workers)
        painter.recorder.add("start", started, painter.recorder.clock())
        yield from handout.collect(yield_results(pool(delayed(paint)() for paint in handout)))


@contextlib.contextmanager
def _report_thread_limit(workers: int) -> Iterator[None]:
    """Start so many threads in here. Raises ModeUnavailable where the system does not let us."""
    try:
        yield
    except (RuntimeError, AttributeError) as error:  # the second is what a pool stumbles over that cannot start
        raise ModeUnavailable(
            f"mode parallel cannot run here: the system does not start {workers} threads more",
            "give fewer --workers, or allow more (ulimit -u, ulimit -v)",
        ) from error


def start_workers(pool: Any, delayed: Any, workers: int) -> None:
    """Have all workers start before the first tile is given out."""
    barrier = threading.Barrier(workers)

    def await_others() -> None:
        with contextlib.suppress(threading.BrokenBarrierError):
            barrier.wait(READY_SECONDS)

    for _ in pool(delayed(await_others)() for _ in range(workers)):
        pass


def run_threads(tiles: Sequence[Tile], painter: Painter) -> Iterator[Done]:
    """The same without joblib, whose pool of threads needs a semaphore."""
    started = painter.recorder.clock()
    todo: SimpleQueue[Tile | None] = SimpleQueue()
    done: SimpleQueue[Done | BaseException | None] = SimpleQueue()

    def paint_queued() -> None:
        done.put(None)
        while (tile := todo.get()) is not None:
            try:
                painter.wait(tile)
                done.put(painter.paint(tile))
            except BaseException as error:  # noqa: BLE001  (it is raised where the tiles are awaited)
                done.put(error)

    workers = painter.request.workers
    try:
        with _report_thread_limit(workers):
            for _ in range(workers):
                threading.Thread(target=paint_queued, name="painter", daemon=True).start()
        for _ in range(workers):
            done.get()
        painter.recorder.add("start", started, painter.recorder.clock())
        for tile in tiles:
            todo.put(tile)
        for _ in tiles:
            result = done.get()
            if isinstance(result, BaseException):
                raise result
            assert result is not None
            yield result
    finally:
        while not todo.empty():  # nobody else puts anything there
            with contextlib.suppress(Empty):
                todo.get_nowait()
        for _ in range(workers):
            todo.put(None)
