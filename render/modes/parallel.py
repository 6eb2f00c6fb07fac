"""Mode `parallel`: several workers at the same instant, through joblib. Several chefs.

    worker 0  |1111|3333|5555|
    worker 1  |2222|4444|6666|

The backend says what a worker is. `threading` (the default): threads of this process, which really paint at once
because compiled code drops the GIL (target `python` holds it, so its threads only take turns: see for yourself).
`loky`: processes, each with a GIL of its own; they cost half a second to start, and may die without harm to the frame.
Where a system has no semaphores (in hardened containers, say), joblib starts nothing at all, but threads need none.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from multiprocessing import current_process
from queue import Empty, SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING

from render import processes
from render.errors import ModeUnavailable, UnknownName
from render.modes import cpu_targets

if TYPE_CHECKING:
    from render.painter import Done, Painter
    from render.plan import Tile
    from render.request import Request

TARGETS = cpu_targets()
OPTIONS = frozenset({"workers", "backend"})
BACKENDS = ("threading", "loky")  # the default first
INSTEAD = "add --backend threading, or --mode sequential"


def missing(request: Request) -> tuple[str, str] | None:
    """Why joblib starts no processes here, or None. Raises UnknownName for a backend that is not known."""
    if request.backend not in BACKENDS:
        raise UnknownName("backend", str(request.backend), BACKENDS)
    if not shared(request) or processes.able(request.backend):
        return None
    if os.environ.get("JOBLIB_MULTIPROCESSING", "1") != "1":
        told = os.environ["JOBLIB_MULTIPROCESSING"]
        return f"joblib starts no processes, for JOBLIB_MULTIPROCESSING is {told}", f"unset it, or {INSTEAD}"
    if current_process().daemon:
        return "this process is a daemon of multiprocessing, which may start no other", INSTEAD
    return "there are no semaphores for processes (is /dev/shm missing, full or read-only?)", INSTEAD


def shared(request: Request) -> bool:
    """Processes paint on a canvas in a file; threads share this process's memory."""
    return request.backend == "loky"


def run(tiles: Sequence[Tile], painter: Painter) -> Iterator[Done]:
    """Tiles as the workers finish them. The workers are ready before the first tile is given out."""
    if shared(painter.request):
        yield from processes.run(tiles, painter)
    elif processes.able("threading"):
        yield from threads(tiles, painter)
    else:
        yield from plain_threads(tiles, painter)


def threads(tiles: Sequence[Tile], painter: Painter) -> Iterator[Done]:
    """A pool of threads, fed one tile at a time so that none hoards work."""
    started = painter.recorder.clock()
    from joblib import Parallel, delayed

    def paint(tile: Tile) -> Done:
        painter.wait(tile)
        return painter.paint(tile)

    workers = painter.request.workers
    pool = Parallel(n_jobs=workers, backend="threading", batch_size=1, return_as="generator_unordered")
    with ExitStack() as stack:
        with _starting(workers):
            stack.enter_context(pool)
            processes.meet(pool, delayed, workers)
        painter.recorder.add("start", started, painter.recorder.clock())
        yield from processes.results(pool(delayed(paint)(tile) for tile in tiles))


@contextmanager
def _starting(workers: int) -> Iterator[None]:
    """Start so many threads in here. Raises ModeUnavailable where the system does not let us."""
    try:
        yield
    except (RuntimeError, AttributeError) as error:  # the second is what a pool stumbles over that cannot start
        raise ModeUnavailable(
            f"mode parallel cannot run here: the system does not start {workers} threads more",
            "give fewer --workers, or allow more (ulimit -u, ulimit -v)",
        ) from error


def plain_threads(tiles: Sequence[Tile], painter: Painter) -> Iterator[Done]:
    """The same without joblib, whose pool of threads needs a semaphore."""
    started = painter.recorder.clock()
    todo: SimpleQueue[Tile | None] = SimpleQueue()
    done: SimpleQueue[Done | BaseException | None] = SimpleQueue()

    def work() -> None:
        done.put(None)
        while (tile := todo.get()) is not None:
            try:
                painter.wait(tile)
                done.put(painter.paint(tile))
            except BaseException as error:  # noqa: BLE001  (it is raised where the tiles are awaited)
                done.put(error)

    workers = painter.request.workers
    try:
        with _starting(workers):
            for _ in range(workers):
                Thread(target=work, name="painter", daemon=True).start()
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
            with suppress(Empty):
                todo.get_nowait()
        for _ in range(workers):
            todo.put(None)
