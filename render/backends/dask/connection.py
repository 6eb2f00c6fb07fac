"""The connection to a cluster's scheduler: the one that is named, or that of a cluster of processes on this machine.

A connection is kept for the next run of this process that wants the same, and closed when the process ends. What Dask
would log about workers that come and go is left out: the run reports it.
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import json
import logging
import os
import tempfile
import warnings
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from multiprocessing import current_process
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import dask
from distributed import Client, LocalCluster, Nanny
from distributed.versions import VersionMismatchWarning

from render.backends import FILTER_LOCK
from render.backends.dask.messages import SCENES
from render.errors import ModeUnavailable
from render.processes import without_interrupts

if TYPE_CHECKING:
    from render.request import Request
    from render.trace import Recorder

CONNECT_SECONDS = 5.0
DASHBOARD_SECONDS = 1.0
CLOSE_SECONDS = 2.0  # that a connection may take to end well
LEAVE_SECONDS = 0.5  # that a process which paints may take to leave; an interrupt is not kept waiting for its tile
REMEDY = "start one (dask scheduler) and workers (dask worker ADDRESS), or leave --cluster out"
TLS_REMEDY = "start one with the certificates of Dask's configuration (distributed.comm.tls), and configure them here"
ALTERNATIVE = "add --backend loky, or --backend threading"


class Wanted(NamedTuple):
    """The cluster that a run wants: that of a scheduler, or so many processes of this machine."""

    address: str | None
    processes: int


class Connection:
    """A client of a scheduler; `is_own`: of a cluster that was started here. Raises ModeUnavailable."""

    def __init__(self, wanted: Wanted) -> None:
        self.wanted, self.is_own = wanted, wanted.address is None
        self._closing = contextlib.ExitStack()
        try:
            self.client = (
                self._start_cluster(wanted.processes)
                if wanted.address is None
                else self._find_scheduler(wanted.address)
            )
        except BaseException:
            self._closing.close()
            raise

    @property
    def address(self) -> str:
        """The scheduler's address."""
        return str(self.client.scheduler.address)

    def is_alive(self) -> bool:
        """Tell if the scheduler is still there, as far as is known."""
        return bool(self.client.status == "running")

    def close(self) -> None:
        """Let go of the scheduler; end a cluster that was started here."""
        self._closing.close()

    def _start_cluster(self, processes: int) -> Any:
        if current_process().daemon:
            raise ModeUnavailable(
                "mode parallel cannot run here: this process is a daemon of multiprocessing, which may start no other",
                ALTERNATIVE,
            )
        import joblib.externals.loky.backend.context  # noqa: F401  (makes its way to start clean processes known)

        settings = {
            "distributed.worker.multiprocessing-method": "loky",  # Dask's own would run the caller's script again
            "distributed.scheduler.allowed-failures": 1,  # a tile is tried alone after that
        }
        self._closing.enter_context(dask.config.set(settings))
        try:
            with without_interrupts():  # its threads, and the processes that they start, get none either
                folder = self._closing.enter_context(temporary_folder())
                # in a thread, so that a signal that comes meanwhile finds it started, and all of it is ended
                with dask.config.set({"temporary-directory": folder}), ThreadPoolExecutor(1) as pool:
                    starting = pool.submit(
                        LocalCluster,
                        n_workers=processes,
                        threads_per_worker=1,
                        memory_limit=0,  # of workers; the system has one
                        dashboard_address="127.0.0.1:0",
                        local_directory=folder,
                        resources={SCENES: 1},
                        silence_logs=logging.CRITICAL,
                    )
                    self._closing.callback(_close_started, starting)
                    cluster = starting.result()
        except (RuntimeError, OSError) as error:
            raise ModeUnavailable(
                f"mode parallel cannot run here: Dask starts no processes ({describe_cause(error)})",
                f"allow more open files (ulimit -n) and processes (ulimit -u), or {ALTERNATIVE}",
            ) from error
        return self._open_client(cluster)

    def _find_scheduler(self, address: str) -> Any:
        if "://" in address:
            return self._open_client(address)
        path = Path(address).expanduser()
        try:
            found = json.loads(path.read_bytes())["address"]
            if not isinstance(found, str) or "://" not in found:  # Dask would start a cluster of its own for null
                raise ValueError
        except (OSError, ValueError, KeyError, TypeError) as error:
            why = getattr(error, "strerror", None) or "it is no scheduler file"
            raise ModeUnavailable(
                f"mode parallel cannot run here: cannot read the scheduler file {address}: {why}",
                f"start a scheduler: dask scheduler --scheduler-file {address}",
            ) from error
        return self._open_client(found)

    def _open_client(self, where: Any) -> Any:
        """Connect to a cluster or an address."""
        try:
            with FILTER_LOCK, warnings.catch_warnings():
                warnings.simplefilter("ignore", VersionMismatchWarning)  # other versions of libraries give equal bits
                client = Client(where, timeout=CONNECT_SECONDS, set_as_default=False)
        except Exception as error:  # whatever its transports raise
            raise ModeUnavailable(
                f"mode parallel cannot run here: no scheduler answers at {where} ({describe_cause(error)})",
                TLS_REMEDY if str(where).startswith("tls") else REMEDY,
            ) from error
        self._closing.callback(_close_quietly, client)
        return client


@contextlib.contextmanager
def temporary_folder() -> Iterator[str]:
    """Make a folder that is gone at the end, and also when this process was killed and its workers have left.

    The process that removes what others of loky leave behind is there anyway, for the workers: it sees to that.
    """
    from joblib.externals.loky.backend import resource_tracker

    with tempfile.TemporaryDirectory(prefix="render-dask-", ignore_cleanup_errors=True) as folder:
        resource_tracker.register(folder, "folder")
        try:
            yield folder
        finally:
            resource_tracker.unregister(folder, "folder")


def _end_processes(cluster: Any) -> None:
    """Have the processes of a cluster leave, and end those that still paint: they would keep it from closing.

    Dask would kill them after a while, but loky's processes have no `kill`.
    """

    async def close_all() -> None:
        nannies = [one for one in cluster.workers.values() if isinstance(one, Nanny)]
        closing = [asyncio.ensure_future(nanny.close(timeout=CLOSE_SECONDS)) for nanny in nannies]
        if closing:
            await asyncio.wait(closing, timeout=LEAVE_SECONDS)
            for nanny in nannies:
                if nanny.process is not None and nanny.process.process is not None:
                    await nanny.process.process.terminate()
            await asyncio.gather(*closing, return_exceptions=True)

    with contextlib.suppress(Exception):
        cluster.sync(close_all, callback_timeout=CLOSE_SECONDS)


def _close_started(starting: Future[Any]) -> None:
    """Close a cluster, if it started."""
    if starting.done() and starting.exception() is None:
        _end_processes(starting.result())
        _close_quietly(starting.result())


def _close_quietly(opened: Any) -> None:
    """Close a client or a cluster; one that has lost its other end is as good as closed."""
    with contextlib.suppress(Exception):
        opened.close(timeout=CLOSE_SECONDS)


def describe_dashboard(link: str) -> str:
    """Return the link with what stands in the way of it; nothing where the scheduler was started without one."""
    from urllib.error import HTTPError
    from urllib.request import ProxyHandler, build_opener

    if not link.startswith("http"):
        return link
    try:
        with build_opener(ProxyHandler({})).open(link, timeout=DASHBOARD_SECONDS) as page:
            lacks = b"needs bokeh" in page.read(1000)
            return f"{link} (its scheduler lacks bokeh, which it needs)" if lacks else link
    except HTTPError:
        return ""
    except (OSError, ValueError):
        return f"{link} (not reached from here)"


def describe_cause(error: BaseException) -> str:
    """Name the cause of an error, in one line: what the system says, if it does."""
    chain = [error]
    while chain[-1].__cause__ is not None:
        chain.append(chain[-1].__cause__)
    told = [one.strerror for one in chain if isinstance(one, OSError) and one.strerror]
    if told:
        return str(told[-1])
    if any(isinstance(one, (TimeoutError, OSError)) for one in chain):
        return f"no answer within {CONNECT_SECONDS:.0f} s"
    return " ".join(str(error).split())[:200] or type(error).__name__


@contextlib.contextmanager
def quiet_logs() -> Iterator[None]:
    """Let Dask write nothing into its logs in here."""
    names = [name for name in logging.root.manager.loggerDict if name.partition(".")[0] in ("distributed", "tornado")]
    found = [logging.getLogger(name) for name in ("distributed", *names)]
    before = [(logger, logger.level) for logger in found]
    for logger, level in before:
        if level != logging.NOTSET or logger.name == "distributed":
            logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        for logger, level in before:
            logger.setLevel(level)


# --- one that no run uses just now ---------------------------------------------------------------------------

KEPT: list[Connection] = []
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=KEPT.clear)  # its threads are not forked


@contextlib.contextmanager
def lend_connection(request: Request, recorder: Recorder) -> Iterator[Connection]:
    """Take the connection that was kept, or make one; keep it again after a run that ends well."""
    wanted = Wanted(request.cluster, request.workers if request.cluster is None else 0)
    with quiet_logs():
        connection = _take_kept(wanted)
        if connection is None:
            with recorder.span("start"):
                connection = Connection(wanted)
            dashboard = describe_dashboard(connection.client.dashboard_link)
            if dashboard:
                recorder.announce(f"the cluster's dashboard: {dashboard}")
        try:
            yield connection
        except BaseException:
            connection.close()
            raise
        KEPT.append(connection)
        while len(KEPT) > 1:  # threads that draw at once have one each
            KEPT.pop(0).close()


def _take_kept(wanted: Wanted) -> Connection | None:
    """Take the kept connection, if it is the one that is wanted; close any other."""
    while KEPT:
        with contextlib.suppress(IndexError):  # another thread was quicker
            connection = KEPT.pop()
            if connection.wanted == wanted and connection.is_alive():
                return connection
            connection.close()
    return None


@atexit.register
def _close_kept() -> None:
    with quiet_logs():
        while KEPT:
            KEPT.pop().close()
