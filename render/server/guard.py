"""Guard the server: the headers of every answer, and the requests that are refused.

A page of another site may make a browser ask this server for things, under a name of its own that leads here (DNS
rebinding). So every request must name a host that is this server: a loopback name, or what the owner bound it to.
"""

from __future__ import annotations

import ipaddress
import socket
from typing import TYPE_CHECKING

from starlette.responses import JSONResponse

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "x-frame-options": "DENY",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
}
LONGEST_TARGET = 4096  # letters of a path with its query


class Hosts:
    """The names that this server goes by, for one that is bound to `bound`."""

    def __init__(self, bound: str) -> None:
        self._names = {"localhost", bound.lower().strip("[]")}
        self._open = not _is_loopback(bound)
        if self._open:
            name = socket.gethostname().lower()
            self._names |= {name, f"{name.partition('.')[0]}.local"}

    def allow(self, header: str) -> bool:
        """Tell if a Host header names this server; addresses do, where it is bound to more than loopback."""
        host = header.strip().lower()
        if host.startswith("["):
            host, _, port = host[1:].partition("]")
            port = port.removeprefix(":")
        else:
            host, _, port = host.partition(":")
        if port and not (port.isascii() and port.isdigit()):
            return False
        if host in self._names:
            return True
        try:
            address = ipaddress.ip_address(host)
        except ValueError:
            return False
        return self._open or address.is_loopback


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() == "localhost"


class Guard:
    """Checks the host of each request, and adds HEADERS to each answer that has none of its own.

    It does not stand between an endpoint and the news that a client has left, as Starlette's own base class would.
    """

    def __init__(self, app: ASGIApp, hosts: Hosts, origin: str | None = None) -> None:
        """Take the application; `origin`: whose pages may read its answers (CORS), if anybody's."""
        self._app, self._hosts = app, hosts
        self._headers = HEADERS | ({} if origin is None else {"access-control-allow-origin": origin})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                given = {name.lower() for name, _ in message["headers"]}
                more = [(name.encode(), value.encode()) for name, value in self._headers.items()]
                message["headers"] = [*message["headers"], *(pair for pair in more if pair[0] not in given)]
            await send(message)

        answer = self._app
        named = [value.decode("latin-1") for name, value in scope["headers"] if name == b"host"]
        if len(named) != 1 or not self._hosts.allow(named[0]):
            answer = refuse(400, "this server goes by another name")
        elif len(scope.get("raw_path") or b"") + len(scope["query_string"]) > LONGEST_TARGET:
            answer = refuse(414, "the address is too long")
        await answer(scope, receive, send_guarded)


def refuse(status: int, why: str, remedy: str = "", *, again: int | None = None) -> JSONResponse:
    """Answer with what is wrong; `again`: seconds after which it may be asked again."""
    headers = {"cache-control": "no-store"} | ({} if again is None else {"retry-after": str(again)})
    return JSONResponse({"error": why} | ({"remedy": remedy} if remedy else {}), status, headers)
