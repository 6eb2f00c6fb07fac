"""Backend `loky`: processes, each with a GIL of its own. Every tile exactly once, although workers may die.

joblib's loky loses a whole call when one worker dies, so the call is made again for the tiles that are left. Marks in
the run's folder say which tiles were under way; a tile that was under way at two deaths runs alone from then on, and
one that takes its worker with it a third time is given up as failed. A tile painted twice writes the same bits, and
only the first counts.

Workers map the canvas's file, load the machine code they are sent, and neither import numba nor compile. They live
on between runs, and leave when this process does, however it ends.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import pickle
import re
import threading
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import cache, lru_cache
from multiprocessing import current_process
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from render import streams
from render.backends import starts_workers, yield_results
from render.errors import ModeUnavailable, RenderError
from render.painting.handfuls import Handful, cut_handfuls, paint_handfuls
from render.painting.painter import Done, Painter
from render.trace import Span

if TYPE_CHECKING:
    from render.plan import Tile

MAX_DEATHS = 3  # a tile whose worker died so often is the cause
READY_SECONDS = 30.0
STALL_SECONDS = 10.0  # seconds in which workers die and nothing comes of it: no tile, and no worker that is ready
ALTERNATIVE = "add --backend threading, or --mode sequential"
NEEDS_SHARED_CANVAS = True  # the canvas is a file, which all workers map
CALL_LOCK = threading.Lock()  # stopping one loky call kills the workers of every other in this process


def unavailable_reason() -> tuple[str, str] | None:
    """Why joblib starts no processes here, or None."""
    if starts_workers("loky"):
        return None
    if os.environ.get("JOBLIB_MULTIPROCESSING", "1") != "1":
        told = os.environ["JOBLIB_MULTIPROCESSING"]
        return f"joblib starts no processes, for JOBLIB_MULTIPROCESSING is {told}", f"unset it, or {ALTERNATIVE}"
    if current_process().daemon:
        return "this process is a daemon of multiprocessing, which may start no other", ALTERNATIVE
    return "there are no semaphores for processes (is /dev/shm missing, full or read-only?)", ALTERNATIVE


class WorkerResult(NamedTuple):
    """What a worker sends back: the tiles done, or the error, and what it recorded meanwhile."""

    handful: Handful
    spans: tuple[Span, ...]


def run(tiles: Sequence[Tile], painter: Painter) -> Iterator[Done]:
    """Paint the tiles in processes; yield each as it is done. Raises TileError, also for a tile that kills workers."""
    folder = painter.canvas.folder
    (folder / "painter").write_bytes(pickle.dumps(painter))
    (folder / "begun").mkdir()
    todo = {tile.number: tile for tile in tiles}
    deaths: Counter[int] = Counter()
    with CALL_LOCK:
        _start_workers(folder, painter)
        progress = time.monotonic()
        while todo:
            alone = [number for number in todo if deaths[number] >= MAX_DEATHS - 1][:1]
            try:
                for answer in _paint_in_workers(folder, [todo[n] for n in alone or todo], painter.request.workers):
                    painter.recorder.extend(answer.spans)
                    for done in answer.handful.done:
                        del todo[done.tile.number]
                        progress = time.monotonic()
                        yield done
                    if answer.handful.error is not None:
                        raise answer.handful.error
            except _broken_executor() as error:
                if _count_deaths(folder, todo, deaths, painter, error):
                    progress = time.monotonic()
                elif time.monotonic() - progress > STALL_SECONDS:
                    raise RenderError(
                        f"workers die before they paint anything ({_describe_death(error)})", "try --backend threading"
                    ) from error


def _broken_executor() -> type[Exception]:
    """What a call raises whose worker died."""
    from concurrent.futures import BrokenExecutor

    return BrokenExecutor


def _count_deaths(
    folder: Path, todo: dict[int, Tile], deaths: Counter[int], painter: Painter, error: Exception
) -> bool:
    """Count a death against each tile that was under way; whether there was any. Raises TileError for too many."""
    begun = {int(mark.read_bytes() or -1) for mark in (folder / "begun").iterdir()}
    for mark in (folder / "begun").iterdir():
        mark.unlink(missing_ok=True)
    suspects = begun & todo.keys()
    deaths.update(suspects)
    for number in suspects:
        if deaths[number] >= MAX_DEATHS and suspects == {number}:
            raise painter.failure(
                todo[number], f"its worker died {deaths[number]} times ({_describe_death(error)})"
            ) from error
    return bool(suspects)


def _describe_death(error: Exception) -> str:
    """Tell how a worker ended, as far as loky does: its exit codes, for what it says about their causes is guessed."""
    codes = re.search(r"exit codes of the workers are \{(.*?)\}", str(error))
    return f"exit {codes[1]}" if codes else " ".join(str(error).split())


def _paint_in_workers(folder: Path, tiles: Sequence[Tile], workers: int) -> Iterator[WorkerResult]:
    return _call_workers(workers, [(paint_tiles, (str(folder), handful)) for handful in cut_handfuls(tiles, workers)])


def _call_workers(workers: int, calls: Sequence[tuple[Callable[..., Any], tuple[Any, ...]]]) -> Iterator[Any]:
    """Results of calls made in worker processes, in the order in which they come."""
    if workers == 1:  # asked for one worker, joblib paints in the calling process; one process was asked for
        try:
            for function, arguments in calls:
                yield _single_worker_pool().submit(function, *arguments).result()
        except _broken_executor():
            _single_worker_pool.cache_clear()
            raise
        return
    from joblib import Parallel, delayed

    pool = Parallel(
        n_jobs=workers,
        backend="loky",
        batch_size=1,  # "auto" would hand out tiles by the handful, and one worker might paint them all
        return_as="generator_unordered",
        mmap_mode=None,
        initializer=exit_with_parent,
        initargs=(os.getpid(),),
    )
    yield from yield_results(pool(delayed(function)(*arguments) for function, arguments in calls))


def _ignore_replaced_workers() -> None:
    """Take no notice of a worker that joblib replaces, from now on: its manager thread warns, whenever that may be.

    joblib suspects a leak of memory where a large canvas is mapped.
    """
    warnings.filterwarnings("ignore", message="A worker stopped while some jobs were given", category=UserWarning)


@cache
def _silence_manager_thread() -> None:
    """Let joblib's manager thread trip in silence over calls that were cancelled under it.

    When a call is given up early it may look for one that is gone: a KeyError that ends nothing but a thread that is
    ending anyway, and would fill the terminal.
    """
    told = threading.excepthook

    def hook(failed: threading.ExceptHookArgs) -> None:
        name = failed.thread.name if failed.thread else ""
        if not (name.startswith("ExecutorManagerThread") and issubclass(failed.exc_type, KeyError)):
            told(failed)

    threading.excepthook = hook


@cache
def _single_worker_pool() -> Any:
    """A pool of one process, kept for later runs as joblib keeps its own."""
    from joblib.externals.loky import ProcessPoolExecutor

    pool = ProcessPoolExecutor(max_workers=1, timeout=300, initializer=exit_with_parent, initargs=(os.getpid(),))
    atexit.register(pool.shutdown, kill_workers=True)
    return pool


def _start_workers(folder: Path, painter: Painter) -> None:
    """Have all workers start and load what they need before the first tile is given out.

    Some of an earlier run may be dying just now, and any may be killed while they start: then all are started anew, as
    long as some get ready meanwhile, and for some time after that.
    """
    workers = painter.request.workers
    streams.open_closed_streams()  # a worker without a standard error ends at once
    _silence_manager_thread()
    _ignore_replaced_workers()
    progress = time.monotonic()
    with painter.recorder.span("start"):
        while True:
            try:
                for spans in _call_workers(workers, [(report_ready, (str(folder), workers))] * workers):
                    painter.recorder.extend(spans)
                return
            except OSError as error:  # too few open files, say, for the pipes to them
                raise ModeUnavailable(
                    f"mode parallel cannot run here: no processes can be started ({error.strerror})",
                    f"allow more open files (ulimit -n) and processes (ulimit -u), or {ALTERNATIVE}",
                ) from error
            except _broken_executor() as error:
                were_ready = list(folder.glob("ready-*"))
                for mark in were_ready:
                    mark.unlink()
                if were_ready:
                    progress = time.monotonic()
                elif time.monotonic() - progress > STALL_SECONDS:
                    raise RenderError(
                        f"the worker processes do not start: {_describe_death(error)}", "try --backend threading"
                    ) from error


# --- in the worker -----------------------------------------------------------------------------------------


def exit_with_parent(parent: int) -> None:
    """Watch the process that started this worker, and end with it: loky's workers would outlive its sudden death."""

    def watch_parent() -> None:
        while os.getppid() == parent:
            time.sleep(1.0)
        os._exit(0)

    if hasattr(os, "getppid"):
        with contextlib.suppress(RuntimeError):  # no more threads are allowed: better no watch than no worker
            threading.Thread(target=watch_parent, daemon=True, name="parent-watch").start()


@lru_cache(maxsize=2)
def _load_painter(folder: str) -> Painter:
    """The painter of this run, unpacked once in each worker."""
    t0 = time.perf_counter_ns()
    painter: Painter = pickle.loads((Path(folder) / "painter").read_bytes())  # noqa: S301  (written by the parent)
    painter.recorder.add("start", t0, painter.recorder.clock())
    return painter


def report_ready(folder: str, workers: int) -> tuple[Span, ...]:
    """Unpack the painter, then wait until all workers have done so."""
    painter = _load_painter(folder)
    (Path(folder) / f"ready-{os.getpid()}").touch()
    until = time.monotonic() + READY_SECONDS
    while len(list(Path(folder).glob("ready-*"))) < workers and time.monotonic() < until:
        time.sleep(0.002)
    return painter.recorder.drain()


def paint_tiles(folder: str, tiles: Sequence[Tile]) -> WorkerResult:
    """Paint these tiles. An error is sent back as a value: raised, it would lose tiles that others have finished.

    A file of this process holds the number of the tile that is under way, for whoever asks after the process's death.
    """
    painter = _load_painter(folder)
    mark = Path(folder) / "begun" / str(os.getpid())
    left = iter(tiles)
    try:
        with mark.open("wb", buffering=0) as file:

            def take_tile() -> Tile | None:
                tile = next(left, None)
                if tile is not None:
                    file.seek(0)
                    file.write(b"%-10d" % tile.number)
                return tile

            [handful] = paint_handfuls(take_tile, painter, 1)
    finally:
        mark.unlink(missing_ok=True)
    return WorkerResult(handful, painter.recorder.drain())
