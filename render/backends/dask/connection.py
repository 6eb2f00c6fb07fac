"""The connection to a cluster's scheduler: the one that is named, or that of a cluster of processes on this machine.

A connection is kept for the next run of this process that wants the same, and closed when the process ends. What Dask
would log about workers that come and go is left out: the run reports it.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import logging
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from distributed import Client
from distributed.versions import VersionMismatchWarning

from render.backends import FILTER_LOCK, Kept
from render.backends.dask.local import LocalProcesses, close_quietly, describe_cause, start_cluster
from render.errors import ModeUnavailable

if TYPE_CHECKING:
    from render.request import Request
    from render.trace import Recorder

CONNECT_SECONDS = 5.0
DASHBOARD_SECONDS = 1.0
REMEDY = "start one (dask scheduler) and workers (dask worker ADDRESS), or leave --cluster out"
TLS_REMEDY = "start one with the certificates of Dask's configuration (distributed.comm.tls), and configure them here"


class Wanted(NamedTuple):
    """The cluster that a run wants: that of a scheduler, or so many processes of this machine."""

    address: str | None
    processes: int


class Connection:
    """A client of a scheduler. Raises ModeUnavailable.

    is_own: of a cluster that was started here; is_new: no run has had it.
    """

    def __init__(self, wanted: Wanted) -> None:
        self.wanted, self.is_own, self.is_new = wanted, wanted.address is None, True
        self._closing = contextlib.ExitStack()
        self._local: LocalProcesses | None = None
        try:
            if wanted.address is None:
                self._local = self._closing.enter_context(start_cluster(wanted.processes))
                self.client = self._open_client(self._local.cluster)
            else:
                self.client = self._open_client(find_scheduler(wanted.address))
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

    def end_stopped(self) -> None:
        """End the processes of this machine that were stopped; others are started in their places."""
        if self._local is not None:
            self._local.end_stopped()

    def close(self) -> None:
        """Let go of the scheduler; end a cluster that was started here."""
        self._closing.close()

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
        self._closing.callback(close_quietly, client)
        return client


def find_scheduler(address: str) -> str:
    """Return the address of a scheduler, which may stand in a file. Raises ModeUnavailable."""
    if "://" in address:
        return address
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
    return found


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


@contextlib.contextmanager
def quiet_logs() -> Iterator[None]:
    """Let Dask write nothing into its logs in here, nor its event loop."""
    before = silence_logs()
    try:
        yield
    finally:
        for logger, level in before:
            logger.setLevel(level)


def silence_logs() -> list[tuple[logging.Logger, int]]:
    """Silence the logs of Dask and of its event loop; return their levels before."""
    roots = ("distributed", "asyncio")
    names = [name for name in logging.root.manager.loggerDict if name.partition(".")[0] in ("distributed", "tornado")]
    found = [logging.getLogger(name) for name in dict.fromkeys((*roots, *names))]
    before = [(logger, logger.level) for logger in found if logger.level != logging.NOTSET or logger.name in roots]
    for logger, _ in before:
        logger.setLevel(logging.CRITICAL + 1)
    return before


KEPT = Kept[Connection](1)
atexit.register(silence_logs)  # first, and for good: of processes that were still starting Dask would tell at the end


@contextlib.contextmanager
def lend_connection(request: Request, recorder: Recorder) -> Iterator[Connection]:
    """Lend the connection that was kept, or close it and make another."""
    wanted = Wanted(request.cluster, request.workers if request.cluster is None else 0)

    def connect() -> Connection:
        KEPT.close()
        with recorder.span("start"):
            return Connection(wanted)

    with quiet_logs(), KEPT.lend(lambda kept: kept.wanted == wanted and kept.is_alive(), connect) as connection:
        if connection.is_new:
            connection.is_new = False
            dashboard = describe_dashboard(connection.client.dashboard_link)
            if dashboard:
                recorder.announce(f"the cluster's dashboard: {dashboard}")
        yield connection
