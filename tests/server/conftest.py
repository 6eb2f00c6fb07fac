"""Servers that run in a thread, on a loopback port of their own, and are asked through real sockets."""

from __future__ import annotations

import http.client
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, NamedTuple

import pytest

from render.server.app import format_address, make_app, make_server, open_socket
from render.server.record import Setting
from render.server.service import Service
from tests.conftest import HANGING


class Answer(NamedTuple):
    """An answer to one request."""

    status: int
    headers: dict[str, str]
    body: bytes


class Running(NamedTuple):
    """A server that runs: its address, and what is inside."""

    address: str
    port: int
    app: Any

    @property
    def service(self) -> Service:
        service: Service = self.app.state.service
        return service

    def get(self, path: str, *, method: str = "GET", **headers: str) -> Answer:
        """Ask for a path, on a connection of its own."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=HANGING)
        try:
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request(method, path, headers={"Connection": "close", **named})
            answer = connection.getresponse()
            return Answer(answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read())
        finally:
            connection.close()


@contextmanager
def running(setting: Setting, files: tuple[str, ...] = ()) -> Iterator[Running]:
    """Run a server; at the end nothing of it is left."""
    app = make_app(setting, files=files)
    listening = open_socket("127.0.0.1", 0)
    server = make_server(app)
    thread = threading.Thread(target=server.run, args=([listening],))
    thread.start()
    try:
        wait_until(lambda: server.started or not thread.is_alive())
        yield Running(format_address(listening), listening.getsockname()[1], app)
    finally:
        server.should_exit = True
        thread.join(HANGING)
        assert not thread.is_alive()
        assert not any(one.is_alive() for one in app.state.service.workers.threads)


def wait_until(true: Callable[[], bool]) -> None:
    """Wait until something is so, however busy the machine is."""
    until = time.monotonic() + HANGING
    while not true():
        assert time.monotonic() < until, "it does not come"
        time.sleep(0.005)


@pytest.fixture(scope="module")
def serve() -> Iterator[Callable[..., Running]]:
    """Starts servers: `serve(workers=1, data_ms=50)`; they end with the module's tests."""
    with ExitStack() as stack:

        def start(
            *,
            workers: int = 2,
            switching: bool = True,
            data_ms: int = 0,
            processes: bool = False,
            files: tuple[str, ...] = (),
        ) -> Running:
            setting = Setting(workers, switching, data_ms * 1_000_000, processes)
            return stack.enter_context(running(setting, files))

        yield start
