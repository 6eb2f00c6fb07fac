"""One worker process as its parent sees it: loky starts it, a pipe joins the two, and it may die at any time.

The process and nothing else is loky's (joblib's way to start a clean one on every system, threads or not). Its pools
lose all workers where one dies, and nobody could say who was at what; here each worker is on its own.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from multiprocessing import util
from typing import Any

from render import processes
from render.backends import ignore_warnings, start_tracker
from render.backends.loky.worker import serve_calls
from render.painting.retries import Death

ENVIRONMENT = {"JOBLIB_MULTIPROCESSING": "0"}  # it starts no processes: joblib need not try whether it can, and warn
OUTSIDE = {"SIGKILL", "SIGTERM", "SIGHUP", "SIGINT"}  # nobody but another process ends one so; a system without memory


class WorkerProcess:
    """A process that takes calls and answers each. Raises OSError where the system does not start one."""

    def __init__(self) -> None:
        with ignore_warnings():
            from joblib.externals.loky.backend.context import get_context

        processes.open_closed_streams()  # a worker without a standard error ends at once
        start_tracker()
        context = get_context("loky")
        self.connection, theirs = context.Pipe()
        self._process = context.Process(target=serve_calls, args=(theirs, os.getpid()), daemon=True, env=ENVIRONMENT)
        try:
            with processes.without_interrupts():
                self._process.start()
        except BaseException:
            self.connection.close()
            raise
        finally:
            theirs.close()

    @property
    def pid(self) -> int:
        """Its process number."""
        return int(self._process.pid)

    def send_call(self, call: object) -> None:
        """Send it a call; for a dead one the call is lost, and `receive_result` raises."""
        with contextlib.suppress(OSError):
            self.connection.send(call)

    def receive_result(self) -> Any:
        """Wait for its next result. Raises EOFError or OSError if it has died."""
        return self.connection.recv()

    def is_alive(self) -> bool:
        """Tell if it is alive."""
        return bool(self._process.is_alive())

    def is_stopped(self) -> bool:
        """Test whether it was stopped (SIGSTOP), where the system shows it."""
        return processes.is_stopped(self.pid)

    def kill(self) -> None:
        """End it now, whatever it does."""
        with contextlib.suppress(OSError):
            if sys.platform == "win32":
                self._process.terminate()
            else:
                os.kill(self.pid, signal.SIGKILL)
        self.connection.close()

    def describe_death(self) -> Death:
        """Describe how it died, once `receive_result` has raised."""
        self.connection.close()
        self._process.join(5)
        code = self._process.exitcode
        if code is None:  # only its end of the pipe is gone
            self.kill()
            return Death("it hung up", by_tile=True)
        if code >= 0:
            return Death(f"exit code {code}", by_tile=True)
        name = signal.Signals(-code).name if -code in set(signal.Signals) else f"signal {-code}"
        return Death(name, by_tile=name not in OUTSIDE)

    def join(self) -> None:
        """Wait until one that was killed has ended."""
        self._process.join(5)


# --- those that no run uses just now, which live on between runs --------------------------------------------

IDLE: list[WorkerProcess] = []
FORKED: list[WorkerProcess] = []  # those of the process that this one was forked from, never touched
_owner: int | None = None


def take_idle() -> WorkerProcess | None:
    """Take a process that is there already, or None."""
    while IDLE:
        with contextlib.suppress(IndexError):  # another thread was quicker
            process = IDLE.pop()
            if process.is_alive() and not process.is_stopped():
                return process
            process.kill()
    return None


def keep_idle(process: WorkerProcess) -> None:
    """Keep a process that has answered all its calls; those that are kept end with this one."""
    global _owner  # noqa: PLW0603  (once for each process)
    if _owner != os.getpid():
        _owner = os.getpid()
        util.Finalize(None, _end_idle, exitpriority=100)  # before multiprocessing waits for children, which takes 300 s
    IDLE.append(process)


def _end_idle() -> None:
    killed = list(IDLE)
    IDLE.clear()
    for process in killed:
        process.kill()
    for process in killed:
        process.join()


def _forget() -> None:
    FORKED.extend(IDLE)
    IDLE.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
