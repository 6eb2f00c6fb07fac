"""A cluster of hosts on this machine, for tests: each in a network namespace of its own, joined by a bridge."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path

from tests.conftest import HANGING

ROOT = Path(__file__).parents[2]
NETWORK = "10.77.3"


@cache
def reason_to_skip() -> str:
    """Why no namespaces can be made here; nothing if they can."""
    if not sys.platform.startswith("linux") or shutil.which("ip") is None:
        return "network namespaces need Linux and the program ip"
    if os.geteuid() != 0:
        return "only root may make network namespaces"
    probe = f"render-probe-{os.getpid()}"
    made = _ip("netns", "add", probe, check=False)
    _ip("netns", "del", probe, check=False)
    return "" if made.returncode == 0 else f"this system makes no network namespaces: {made.stderr.strip()}"


def _ip(*words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["ip", *words], capture_output=True, text=True, check=check)  # noqa: S607


class Hosts:
    """Hosts by name, each with an address, in which processes run until the end of the test."""

    def __init__(self, names: Sequence[str], folder: Path) -> None:
        self._mark, self._folder = f"r{os.getpid()}", folder
        self.names = list(names)
        self.address = {name: f"{NETWORK}.{10 + number}" for number, name in enumerate(names)}
        self.processes: dict[str, list[subprocess.Popen[bytes]]] = {name: [] for name in names}

    def _namespace(self, name: str) -> str:
        return f"{self._mark}-{name}"

    def open(self) -> None:
        """Make the namespaces, a cable to each, and the switch between them."""
        switch = self._namespace("switch")
        _ip("netns", "add", switch)
        _ip("-n", switch, "link", "add", "br0", "type", "bridge")
        _ip("-n", switch, "link", "set", "br0", "up")
        for name in self.names:
            own = self._namespace(name)
            _ip("netns", "add", own)
            _ip("link", "add", "e0", "netns", own, "type", "veth", "peer", "name", f"v-{name}", "netns", switch)
            _ip("-n", switch, "link", "set", f"v-{name}", "master", "br0", "up")
            _ip("-n", own, "addr", "add", f"{self.address[name]}/24", "dev", "e0")
            _ip("-n", own, "link", "set", "e0", "up")
            _ip("-n", own, "link", "set", "lo", "up")

    def close(self) -> None:
        """End all processes, and remove everything."""
        for name in self.names:
            self.kill(name)
        for name in (*self.names, "switch"):
            _ip("netns", "del", self._namespace(name), check=False)

    def start(self, name: str, *words: str, environment: Mapping[str, str] | None = None) -> subprocess.Popen[bytes]:
        """Run Python on a host, in a group of processes of its own."""
        log = (self._folder / f"{name}-{len(self.processes[name])}.log").open("wb")
        command = ["ip", "netns", "exec", self._namespace(name), sys.executable, *words]
        process = subprocess.Popen(
            command,
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd=self._folder,
            env=os.environ | {"PYTHONPATH": str(ROOT), "TMPDIR": str(self._folder)} | dict(environment or {}),
            start_new_session=True,
        )
        log.close()
        self.processes[name].append(process)
        return process

    def run(self, name: str, *words: str, environment: Mapping[str, str] | None = None) -> subprocess.Popen[str]:
        """Run Python on a host, with pipes to what it writes."""
        command = ["ip", "netns", "exec", self._namespace(name), sys.executable, *words]
        return subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=self._folder,
            env=os.environ | {"PYTHONPATH": str(ROOT)} | dict(environment or {}),
        )

    def kill(self, name: str) -> None:
        """Kill all that runs on a host, as when its power goes."""
        for process in self.processes[name]:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait(HANGING)
        self.processes[name] = []

    def cut(self, name: str) -> None:
        """Pull the cable of a host."""
        _ip("-n", self._namespace("switch"), "link", "set", f"v-{name}", "down")


@contextlib.contextmanager
def open_hosts(names: Sequence[str], folder: Path) -> Iterator[Hosts]:
    """Hosts of these names, gone at the end."""
    hosts = Hosts(names, folder)
    try:
        hosts.open()
        yield hosts
    finally:
        hosts.close()


def wait_until(seen: Callable[[], bool], seconds: float = HANGING) -> None:
    """Wait until a function returns something true."""
    until = time.monotonic() + seconds
    while not seen():
        assert time.monotonic() < until, "it takes too long"
        time.sleep(0.05)
