"""Backend `threading`: threads of this process, which paint at the same instant where compiled code drops the GIL.

Target `python` holds it, so there its threads only take turns: see for yourself.

joblib starts the threads, and they are kept between runs. Tiles do not come back through joblib, which looks for
results every 10 ms, ten times as long as a small frame takes: the workers put them into a queue of their own. Where a
system has no semaphores (in hardened containers, say), joblib starts nothing at all, but threads need none.
"""

from __future__ import annotations

import contextlib
import threading
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any

from render.backends import FILTER_LOCK, Kept, starts_workers
from render.errors import ModeUnavailable
from render.painting.handfuls import Handful, Handout
from render.painting.liveness import LOOK_SECONDS, ThreadWatch

if TYPE_CHECKING:
    from render.painting.painter import Done, Painter
    from render.plan import Tile

NEEDS_SHARED_CANVAS = False  # threads share this process's memory


def unavailable_reason() -> None:
    """Return None: threads are always available."""


def run(tiles: Sequence[Tile], painter: Painter) -> Iterator[Done]:
    """Have all workers start, then take tile after tile, so that none hoards work; yield each as it is done."""
    started = painter.recorder.clock()
    workers, handout = painter.request.workers, Handout(tiles, painter)
    finished: SimpleQueue[Handful | BaseException] = SimpleQueue()
    watch = ThreadWatch(painter.request)
    painter.report_to(watch)
    ready: SimpleQueue[None] = SimpleQueue()
    go = threading.Event()

    def paint_tiles() -> None:
        ready.put(None)
        go.wait()
        try:
            for handful in handout.paint():
                finished.put(handful)
        except BaseException as error:  # noqa: BLE001  (it is raised where the tiles are awaited)
            finished.put(error)
        watch.leave()

    with contextlib.ExitStack() as stack:
        with _report_refusal(workers):
            stack.enter_context(_lend_pool(workers)).start_calls(paint_tiles)
        stack.callback(go.set)
        stack.callback(handout.left.clear)  # before: nobody takes a tile once this is given up
        for _ in range(workers):
            ready.get()
        painter.recorder.add("start", started, painter.recorder.clock())
        go.set()
        yield from handout.collect(lambda: _receive_handful(finished, watch, painter, tiles))


def _receive_handful(
    finished: SimpleQueue[Handful | BaseException], watch: ThreadWatch, painter: Painter, tiles: Sequence[Tile]
) -> Handful:
    """Wait for the next tiles. Raises what a worker raised, or TileError where none gives a sign of life."""
    while True:
        try:
            handful = finished.get(timeout=LOOK_SECONDS)
        except Empty:
            hung = watch.find_hung()
            if hung is not None:
                number, seconds = hung
                tile = next(tile for tile in tiles if tile.number == number)
                raise painter.tile_failure(tile, f"its thread gave no sign of life for {seconds:.0f} s") from None
            continue
        if isinstance(handful, BaseException):
            raise handful
        return handful


class Pool:
    """Threads that joblib has started and that live on between runs."""

    def __init__(self, workers: int) -> None:
        from joblib import Parallel

        size = max(workers, 2)  # asked for one, joblib would paint in the calling thread
        self.workers = workers
        self._parallel = Parallel(
            n_jobs=size, backend="threading", batch_size=1, pre_dispatch="all", return_as="generator_unordered"
        )
        self._parallel.__enter__()
        self._calls: Any = None
        self._starter = threading.get_ident()

    def start_calls(self, work: Callable[[], None]) -> None:
        """Have each worker call a function."""
        from joblib import delayed

        for _ in self._calls or ():  # the calls of the run before, which have all returned
            pass
        self._calls, self._starter = self._parallel(delayed(work)() for _ in range(self.workers)), threading.get_ident()

    def close(self) -> None:
        """Let the threads end when what they do is done; joblib would give advice on how to plan the calls better."""
        with FILTER_LOCK, warnings.catch_warnings():  # not while others run, for filters are everybody's
            warnings.filterwarnings("ignore", message=".*adjusting the input task")
            if self._calls is not None and self._starter == threading.get_ident():
                self._calls.close()
            for _ in (
                self._calls or ()
            ):  # joblib closes calls in the thread that made them only; here they have returned
                pass
            self._parallel.__exit__(None, None, None)


class Threads:
    """Threads started anew for each run, without joblib, whose pool needs a semaphore."""

    def __init__(self, workers: int) -> None:
        self.workers = workers

    def start_calls(self, work: Callable[[], None]) -> None:
        """Have each worker call a function."""
        for _ in range(self.workers):
            threading.Thread(target=work, name="painter", daemon=True).start()

    def close(self) -> None:
        """Do nothing: a thread ends with its call."""


KEPT = Kept[Pool](4)  # runs at the same instant have one each


def _lend_pool(workers: int) -> AbstractContextManager[Pool | Threads]:
    """Lend a pool that was kept, or another; threads of its own where joblib starts none."""
    if not starts_workers("threading"):
        return contextlib.closing(Threads(workers))
    return KEPT.lend(lambda pool: pool.workers == workers, lambda: Pool(workers))


@contextlib.contextmanager
def _report_refusal(workers: int) -> Iterator[None]:
    """Start so many threads in here. Raises ModeUnavailable where the system does not let us."""
    try:
        yield
    except (RuntimeError, AttributeError) as error:  # the second is what a pool stumbles over that cannot start
        raise ModeUnavailable(
            f"mode parallel cannot run here: the system does not start {workers} more threads",
            "give fewer --workers, or allow more (ulimit -u, ulimit -v)",
        ) from error
