"""The application, and running it: one event loop for all users, and workers that paint."""

from __future__ import annotations

import asyncio
import ipaddress
import json
import socket
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware

from render.errors import RenderError, UsageError
from render.options import DEFAULTS
from render.server.clients import Clients
from render.server.downloads import DOWNLOADS
from render.server.guard import Guard, Hosts, refuse
from render.server.player import Screenings
from render.server.pyramid import Pyramids
from render.server.record import Setting
from render.server.routes import make_routes
from render.server.service import Service
from render.server.settings import Settings
from render.wording import count, format_time

if TYPE_CHECKING:
    from types import FrameType

    from starlette.requests import Request
    from starlette.responses import Response

GRACE_SECONDS = 2  # that open answers have to be sent, once the server is to end
MOST_CONNECTIONS = 2000
REPORTS = 2  # traces and theatres that are written at once
LONGEST_HEADERS = 16_384  # bytes


def make_app(
    setting: Setting, *, host: str = "127.0.0.1", files: tuple[str, ...] = (), origin: str | None = None
) -> Starlette:
    """Make the application. `files`: scenes of the owner's; `origin`: whose pages may read answers (CORS).

    Raises as `Pyramids` does.
    """
    pyramids = Pyramids(files)

    @asynccontextmanager
    async def run_service(app: Starlette) -> AsyncIterator[None]:
        await asyncio.to_thread(pyramids.session, DEFAULTS["scene"])  # others when they are first needed
        app.state.service = service = Service(pyramids, setting, files=files)
        service.start()
        try:
            yield
        finally:
            app.state.screenings.stop()
            await service.stop()

    async def refuse_unknown(_request: Request, error: Exception) -> Response:
        status = getattr(error, "status_code", 404)
        return refuse(status, "only GET and HEAD are answered" if status == 405 else "there is nothing here")

    app = Starlette(
        routes=make_routes(),
        middleware=[Middleware(Guard, hosts=Hosts(host), origin=origin)],
        lifespan=run_service,
        exception_handlers={404: refuse_unknown, 405: refuse_unknown},
    )
    app.state.clients = Clients()
    app.state.screenings = Screenings()
    app.state.downloads, app.state.reports = asyncio.Semaphore(DOWNLOADS), asyncio.Semaphore(REPORTS)
    return app


def open_socket(host: str, port: int) -> socket.socket:
    """Listen on a host and port (0: any that is free). Raises UsageError, or RenderError where it is taken."""
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
    except OSError as error:
        raise UsageError(f"there is no host {host}", "give --host 127.0.0.1, or an address of this machine") from error
    listening = socket.socket(family, socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
        listening.listen(512)
    except OSError as error:
        listening.close()
        raise RenderError(
            f"cannot listen on {host}, port {port}: {error.strerror}",
            "give another --port (0 takes one that is free) or --host",
        ) from error
    return listening


def format_address(listening: socket.socket) -> str:
    """Write the address that a browser takes; of a socket that listens on all, the one that others reach."""
    host, port = listening.getsockname()[:2]
    if ipaddress.ip_address(host).is_unspecified:
        host = find_outward_address(listening.family)
    return f"http://{f'[{host}]' if ':' in host else host}:{port}/"


def find_outward_address(family: int) -> str:
    """Find this machine's address towards other machines; its loopback without a network. Nothing is sent."""
    loopback, elsewhere = ("::1", "2001:db8::1") if family == socket.AF_INET6 else ("127.0.0.1", "192.0.2.1")
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect((elsewhere, 9))  # of documentation (RFC 5737, RFC 3849): it only looks for the way
        except OSError:
            return loopback
        return str(probe.getsockname()[0])


class Server(uvicorn.Server):
    """uvicorn's server, which announces its address when it is ready, and lets all that wait go when it is to end."""

    def __init__(self, config: uvicorn.Config, app: Starlette, announce: Callable[[str], None]) -> None:
        super().__init__(config)
        self._app, self._announce = app, announce
        self._loop: asyncio.AbstractEventLoop | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, and say where."""
        await super().startup(sockets)
        self._loop = asyncio.get_running_loop()
        if self.started and sockets:
            self._announce(format_address(sockets[0]))

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """End soon: those that wait are told so at once."""
        super().handle_exit(sig, frame)
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._app.state.service.close)


def announce_nothing(address: str) -> None:
    """Announce nothing."""


def make_server(app: Starlette, announce: Callable[[str], None] = announce_nothing) -> Server:
    """Make the server of an application; `announce` is called with its address when it is ready."""
    config = uvicorn.Config(
        app,
        http="h11",
        ws="none",
        lifespan="on",
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,  # an address that a client writes itself is none
        limit_concurrency=MOST_CONNECTIONS,
        timeout_graceful_shutdown=GRACE_SECONDS,
        h11_max_incomplete_event_size=LONGEST_HEADERS,
    )
    return Server(config, app, announce)


def serve(settings: Settings) -> int:
    """Serve until a signal comes, which is raised again at the end. Raises RenderError where it cannot start."""
    app = make_app(settings.setting, host=settings.host, files=settings.scenes, origin=settings.origin)
    listening = open_socket(settings.host, settings.port)
    if not settings.quiet:
        print(f"render: {describe_settings(settings)}", file=sys.stderr, flush=True)

    def announce(address: str) -> None:
        document = json.dumps({"address": address, **settings.as_dict()})
        print(document if settings.json else f"render serves at {address}", flush=True)

    server = make_server(app, announce)
    server.run(sockets=[listening])
    if not server.started:
        raise RenderError("the server could not start", "what is printed above says why")
    return 0


def describe_settings(settings: Settings) -> str:
    """Say how the server works."""
    setting = settings.setting
    data = f"every request waits {format_time(setting.data_ns / 1e9)} for its data; " if setting.data_ns else ""
    how = "switching between users" if setting.switching else "one request at a time"
    each = " each" * (setting.workers > 1 and not setting.switching)
    who = count(setting.workers, "process" if setting.processes else "thread")
    return f"{data}{who}, {how}{each}; Control-C ends it"
