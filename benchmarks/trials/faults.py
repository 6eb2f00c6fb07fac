"""What goes wrong: each fault, the modes that it is for, and the command that a run is started by."""

from __future__ import annotations

import contextlib
import random
import resource
import signal
import time
from collections.abc import Callable
from typing import NamedTuple

from trials.clusters import kill
from trials.runs import Run, send_signal


def signal_workers(run: Run, number: int, count: int) -> None:
    run.until(run.paints)
    for pid in random.sample(run.workers(), min(count, len(run.workers()))):
        send_signal(pid, number)


def kill_one(run: Run) -> None:
    signal_workers(run, signal.SIGKILL, 1)


def kill_all(run: Run) -> None:
    signal_workers(run, signal.SIGKILL, 9)


def kill_twice(run: Run) -> None:
    signal_workers(run, signal.SIGKILL, 1)
    time.sleep(random.uniform(0.05, 0.9))
    signal_workers(run, signal.SIGKILL, 1)


def kill_while_starting(run: Run) -> None:
    for _ in range(random.randint(1, 4)):
        if run.until(run.workers):
            time.sleep(random.uniform(0.0, 0.3))
            for pid in run.workers():
                send_signal(pid, signal.SIGKILL)


def kill_every_second(run: Run) -> None:
    for _ in range(8):
        if run.process.poll() is None:
            signal_workers(run, signal.SIGKILL, 1)
            time.sleep(1.0)


def crash(run: Run) -> None:
    signal_workers(run, signal.SIGSEGV, 1)


def stop(run: Run) -> None:
    signal_workers(run, signal.SIGSTOP, random.randint(1, 2))


def signal_program(number: int, *, group: bool = False) -> Callable[[Run], None]:
    def fault(run: Run) -> None:
        run.until(run.paints)
        time.sleep(random.uniform(0.0, 0.5))
        if run.process.poll() is None:
            for pid in run.family() if group else [run.process.pid]:
                send_signal(pid, number)

    return fault


def stop_program(run: Run) -> None:
    """Stop the program for some seconds, as Ctrl-Z and fg do."""
    run.until(run.paints)
    send_signal(run.process.pid, signal.SIGSTOP)
    time.sleep(random.uniform(0.5, 6.0))
    send_signal(run.process.pid, signal.SIGCONT)


def kill_scheduler(run: Run) -> None:
    run.until(run.paints)
    assert run.cluster is not None
    kill(run.cluster.scheduler)


def kill_host(run: Run) -> None:
    run.until(run.paints)
    assert run.cluster is not None
    kill(random.choice(run.cluster.hosts))


def kill_at_any_instant(run: Run) -> None:
    time.sleep(random.uniform(0.0, 6.0))
    send_signal(run.process.pid, signal.SIGKILL)


def fill_disk(run: Run) -> None:
    """A file can be no longer from now on, as on a full disk."""
    run.until(run.paints)
    with contextlib.suppress(ProcessLookupError):
        resource.prlimit(run.process.pid, resource.RLIMIT_FSIZE, (20_000, 20_000))


def nothing(_run: Run) -> None:
    """All is as it should be, but for what the run was started with."""


class Fault(NamedTuple):
    """What befalls a run. modes: part of the names of those it is for; before: the command that it is started by."""

    befall: Callable[[Run], None]
    modes: str = ""
    before: tuple[str, ...] = ()


WITHOUT_SHM = ("unshare", "-m", "sh", "-c", 'mount -t tmpfs -o ro none /dev/shm && exec "$@"', "sh")
FAULTS = {
    "a worker is killed": Fault(kill_one, "processes"),
    "all workers are killed": Fault(kill_all, "processes"),
    "two workers are killed within a second": Fault(kill_twice, "processes"),
    "workers are killed while they start": Fault(kill_while_starting, "processes"),
    "a worker is killed every second": Fault(kill_every_second, "processes"),
    "a worker crashes": Fault(crash, "processes"),
    "workers are stopped": Fault(stop, "processes"),
    "the scheduler is killed": Fault(kill_scheduler, "a cluster"),
    "a host of the cluster is killed": Fault(kill_host, "a cluster"),
    "the program is stopped for a while": Fault(stop_program),
    "SIGKILL": Fault(signal_program(signal.SIGKILL)),
    "SIGKILL at any instant": Fault(kill_at_any_instant),
    "Ctrl-C": Fault(signal_program(signal.SIGINT)),
    "Ctrl-C in a terminal": Fault(signal_program(signal.SIGINT, group=True)),
    "SIGTERM": Fault(signal_program(signal.SIGTERM)),
    "SIGHUP": Fault(signal_program(signal.SIGHUP)),
    "the disk is full": Fault(fill_disk),
    "no shared memory": Fault(nothing, "", WITHOUT_SHM),
}
