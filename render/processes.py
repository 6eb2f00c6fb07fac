"""Guard processes against closed standard streams, a parent that dies, and interrupts that are not theirs."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

STOPPED_SECONDS = 5.0  # that a worker may be stopped
PARENT_SECONDS = 0.5  # between two looks at whether the parent still lives


def open_closed_streams() -> None:
    """Open those that are closed, to nowhere: the next file would get their numbers, and other processes need them."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            opened = os.open(os.devnull, os.O_RDWR)  # the lowest number that is free, which is this one
            os.set_inheritable(opened, True)  # noqa: FBT003  (its only argument)


def is_stopped(pid: int) -> bool:
    """Test whether a process was stopped (SIGSTOP), where the system shows it."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] in {"T", "t"}
    except (OSError, IndexError):
        return False


def exit_with_parent(parent: int) -> None:
    """Watch the process that started this one, and end with it, whatever is under way."""

    def watch_parent() -> None:
        while os.getppid() == parent:
            time.sleep(PARENT_SECONDS)
        os._exit(0)

    if hasattr(os, "getppid"):
        with contextlib.suppress(RuntimeError):  # no more threads are allowed: better no watch than no worker
            threading.Thread(target=watch_parent, daemon=True, name="parent-watch").start()


def end_with_pipe(descriptor: int) -> None:
    """Have the system end this process when the last holder of a pipe's other end has gone; `descriptor`: this end.

    It needs no thread of this process to run, so that nothing can hold it up. The pipe must carry nothing.
    """
    with contextlib.suppress(ImportError, AttributeError, OSError):  # another system, where others must see to it
        import fcntl
        import select

        fcntl.fcntl(descriptor, fcntl.F_SETOWN, os.getpid())
        fcntl.fcntl(descriptor, fcntl.F_SETFL, fcntl.fcntl(descriptor, fcntl.F_GETFL) | os.O_ASYNC)  # SIGIO ends it
        if select.select([descriptor], [], [], 0)[0]:  # it has gone already
            os._exit(0)


@contextlib.contextmanager
def without_interrupts() -> Iterator[None]:
    """Start processes in here that no Ctrl-C reaches: a terminal sends it to all, and they leave with their parent."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    from multiprocessing import resource_tracker

    resource_tracker.ensure_running()  # else it is started in here, which lets interrupts through again
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
