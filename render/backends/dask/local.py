"""A cluster of processes on this machine: its scheduler is in this process, its workers leave with it.

A cluster that is given up while it starts is ended as fast as one that paints: its processes are known before they are
ready, which Dask's own list of them is not.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from multiprocessing import current_process
from typing import Any

import dask
from distributed import LocalCluster, Nanny

from render import machine
from render.backends import start_tracker, starts_workers
from render.backends.dask.messages import SCENES
from render.errors import ModeUnavailable
from render.processes import STOPPED_SECONDS, is_stopped, without_interrupts
from render.storage.temporary_folder import temporary_folder

FILES, FILES_EACH = 40, 10  # open files of a cluster, and of each process: counted, and a few more
START_SECONDS = 120.0  # in which another process gets ready
CLOSE_SECONDS = 2.0  # that a connection, or a process, may take to end well
END_SECONDS = 10.0  # that it may take to end all processes
LEAVE_SECONDS = 0.5  # that a process which paints may take to leave; an interrupt is not kept waiting for its tile
LOOK_SECONDS = 0.02  # between two looks at whether a process has started that is to end
ALTERNATIVE = "add --backend loky, or --backend threading"
SETTINGS = {
    "distributed.worker.multiprocessing-method": "loky",  # Dask's own would run the caller's script again
    "distributed.scheduler.allowed-failures": 1,  # a tile is tried alone after that
}


@contextlib.contextmanager
def start_cluster(processes: int) -> Iterator[LocalProcesses]:
    """Start a cluster of so many processes, which are gone at the end. Raises ModeUnavailable."""
    if current_process().daemon:
        raise ModeUnavailable(
            "mode parallel cannot run here: this process is a daemon of multiprocessing, which may start no other",
            ALTERNATIVE,
        )
    if not starts_workers("loky"):
        raise ModeUnavailable(
            "mode parallel cannot run here: Dask starts no processes without semaphores, which this system lacks "
            "(/dev/shm) or JOBLIB_MULTIPROCESSING forbids",
            ALTERNATIVE,
        )
    _check_files(processes)
    import joblib.externals.loky.backend.context  # noqa: F401  (makes its way to start clean processes known)

    with contextlib.ExitStack() as stack:
        stack.enter_context(dask.config.set(SETTINGS))
        try:
            folder = stack.enter_context(_worker_folder())
        except OSError as error:
            raise ModeUnavailable(
                f"mode parallel cannot run here: Dask's workers have no place for their files ({error.strerror})",
                f"set TMPDIR to a folder that can be written, or {ALTERNATIVE}",
            ) from error
        try:
            stack.enter_context(dask.config.set({"temporary-directory": folder}))
            local = stack.enter_context(contextlib.closing(LocalProcesses(folder)))
            local.start_processes(processes, at_once=2 * machine.cpus())
        except (RuntimeError, OSError) as error:
            raise ModeUnavailable(
                f"mode parallel cannot run here: Dask starts no processes ({describe_cause(error)})",
                f"allow more processes (ulimit -u), files (ulimit -n) and shared memory (/dev/shm), or {ALTERNATIVE}",
            ) from error
        yield local


def _check_files(processes: int) -> None:
    """Raise ModeUnavailable where so many processes need more open files than are allowed: minutes before they do."""
    try:
        import resource
    except ImportError:  # another system
        return
    allowed, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed, most = FILES + FILES_EACH * processes, (allowed - FILES) // FILES_EACH
    if allowed not in (-1, resource.RLIM_INFINITY) and allowed < needed:
        fewer = f"give --workers {most} or fewer, " if most > 0 else ""
        raise ModeUnavailable(
            f"mode parallel cannot run here: a cluster of {processes} processes needs {needed} open files, and "
            f"{allowed} are allowed",
            f"{fewer}allow more (ulimit -n {needed}), or {ALTERNATIVE}",
        )


@contextlib.contextmanager
def _worker_folder() -> Iterator[str]:
    """Make a folder for workers, gone as soon as this process was killed and its workers have left.

    The process that removes what others of loky leave behind is there anyway, for the workers: it sees to that.
    """
    from joblib.externals.loky.backend import resource_tracker

    start_tracker()
    with temporary_folder("render-dask-") as path:
        resource_tracker.register(str(path), "folder")
        try:
            yield str(path)
        finally:
            resource_tracker.unregister(str(path), "folder")


class LocalProcesses:
    """A cluster without workers yet, whose files lie in a folder; `close` ends it whatever it is doing."""

    def __init__(self, folder: str) -> None:
        self._nannies: list[Any] = []  # each starts a process, and another in its place
        self._starting: Future[None] | None = None
        self._stopped: dict[int, float] = {}  # since when (s), by process
        # in a thread, so that a signal that comes meanwhile finds it whole, and all of it is ended
        with ThreadPoolExecutor(1) as pool:
            with without_interrupts():  # its threads, and the processes that they start, get none either
                made = pool.submit(self._make_cluster, folder)
            try:
                self.cluster = made.result()
            except BaseException:
                made.add_done_callback(_close_made)
                raise

    def _make_cluster(self, folder: str) -> Any:
        known = self._nannies

        class KnownNanny(Nanny):  # type: ignore[misc]
            def __init__(self, *where: Any, **options: Any) -> None:
                super().__init__(*where, **options)
                known.append(self)

        return LocalCluster(
            n_workers=0,
            worker_class=KnownNanny,
            threads_per_worker=1,
            memory_limit=0,  # of workers; the system has one
            dashboard_address="127.0.0.1:0",
            local_directory=folder,
            resources={SCENES: 1},
            silence_logs=logging.CRITICAL,
        )

    def start_processes(self, count: int, at_once: int) -> None:
        """Start so many, and wait until they are ready. Raises RuntimeError or OSError, also where none gets ready."""

        async def start_all() -> None:
            for started in range(0, count, at_once):  # all of many at once would get ready late, and together
                self.cluster.scale(min(started + at_once, count))
                await self.cluster

        self._starting = asyncio.run_coroutine_threadsafe(start_all(), self.cluster.loop.asyncio_loop)
        while True:
            ready = len(self.cluster.scheduler_info["workers"])
            try:
                return self._starting.result(START_SECONDS)
            except TimeoutError:
                if len(self.cluster.scheduler_info["workers"]) == ready:
                    raise

    def end_stopped(self) -> None:
        """End the processes that were stopped (SIGSTOP) some seconds ago; others are started in their places."""
        now = time.monotonic()
        stopped = {nanny.pid for nanny in self._nannies if nanny.pid is not None and is_stopped(nanny.pid)}
        self._stopped = {pid: self._stopped.get(pid, now) for pid in stopped}
        for pid, since in self._stopped.items():
            if now - since > STOPPED_SECONDS:
                _kill(pid)

    def close(self) -> None:
        """Have the processes leave; end those that paint or still start: they would keep the cluster from closing."""
        with contextlib.suppress(Exception):
            self.cluster.sync(self._end_processes, callback_timeout=END_SECONDS)
        close_quietly(self.cluster)

    async def _end_processes(self) -> None:
        starts = self._starting is not None and not self._starting.done()
        while self._starting is not None and not self._starting.done():
            self._kill_processes()
            await asyncio.sleep(LOOK_SECONDS)
        closing = [asyncio.ensure_future(nanny.close(timeout=CLOSE_SECONDS)) for nanny in self._nannies]
        if closing:
            await asyncio.wait(closing, timeout=0.0 if starts else LEAVE_SECONDS)
            self._kill_processes()
            await asyncio.gather(*closing, return_exceptions=True)

    def _kill_processes(self) -> None:
        """End those that are there, stopped ones too. Dask would ask them after a while, and not so that they must."""
        for nanny in self._nannies:
            if nanny.pid is not None:
                _kill(nanny.pid)


def _kill(pid: int) -> None:
    with contextlib.suppress(OSError):  # it has just ended
        os.kill(pid, getattr(signal, "SIGKILL", signal.SIGTERM))


def _close_made(made: Future[Any]) -> None:
    """Close a cluster that nobody waits for any more, if it was made."""
    if made.exception() is None:
        close_quietly(made.result())


def close_quietly(opened: Any) -> None:
    """Close a client or a cluster; one that has lost its other end is as good as closed."""
    with contextlib.suppress(Exception):
        opened.close(timeout=CLOSE_SECONDS)


def describe_cause(error: BaseException) -> str:
    """Name the cause of an error, in one line: what the system says, if it does."""
    chain = [error]
    while chain[-1].__cause__ is not None:
        chain.append(chain[-1].__cause__)
    told = [one.strerror for one in chain if isinstance(one, OSError) and one.strerror]
    if told:
        return str(told[-1])
    if any(isinstance(one, (TimeoutError, OSError)) for one in chain):
        return "no answer in time"
    if "failed to start" in str(error):  # Dask's own words
        return "they end as they start"
    return " ".join(str(error).split())[:200] or type(error).__name__
