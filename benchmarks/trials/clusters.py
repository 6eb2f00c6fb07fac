"""A Dask cluster of its own for one run: a scheduler and two hosts, each one process.

They have no nanny, of which semaphores would be left when it is killed.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
START_SECONDS = 30.0


class Cluster:
    """Starts at once; its files lie outside the folder of the run, and its processes do not count as the run's."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="faults-cluster-", ignore_cleanup_errors=True)
        self.file = Path(self._folder.name) / "scheduler.json"
        here = ["--scheduler-file", str(self.file), "--no-dashboard"]
        self.scheduler = self._start("distributed.cli.dask_scheduler", *here, "--port", "0", "--host", "127.0.0.1")
        self.hosts = [
            self._start("distributed.cli.dask_worker", *here, "--nthreads", "1", "--no-nanny") for _ in range(2)
        ]
        end = time.monotonic() + START_SECONDS
        while not (self.file.exists() and self.file.stat().st_size):
            assert time.monotonic() < end, "no scheduler starts"
            time.sleep(0.05)

    def _start(self, *words: str) -> subprocess.Popen[bytes]:
        nowhere = subprocess.DEVNULL
        environment = os.environ | {"TMPDIR": self._folder.name, "PYTHONPATH": str(ROOT)}
        command = [sys.executable, "-m", *words]
        return subprocess.Popen(command, stdout=nowhere, stderr=nowhere, env=environment, start_new_session=True)

    def close(self) -> None:
        """End all that is left of it."""
        for process in (self.scheduler, *self.hosts):
            kill(process)
        self._folder.cleanup()


def kill(process: subprocess.Popen[bytes]) -> None:
    """Kill a process of a cluster, and those that it started, as when the power of its machine fails."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        return
    process.wait()
