"""Addresses and their answers. Nothing that a client sends becomes a path of the file system or unbounded work."""

from __future__ import annotations

import asyncio
import re
import secrets
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from render import __version__, options
from render.errors import ModeUnavailable, RenderError, UsageError
from render.frame import Frames
from render.outputs import page
from render.outputs import trace as saved
from render.server import lesson, player, site
from render.server.clients import COOKIE, Client, Clients
from render.server.downloads import DOWNLOADS, check_size, paint_picture
from render.server.guard import POLICY, refuse
from render.server.painting import TooCostly
from render.server.pyramid import SIDES, Area, NotThere
from render.server.service import Gone, Overloaded, Service

NUMBER = re.compile(r"[0-9]{1,10}")
FOREVER = "public, max-age=86400"  # a tile never changes; but a new version of the program may have another one
FRESH = {"cache-control": "no-store"}
THEATRE_POLICY = (  # the page's own policy, in its head, names its one script and style and forbids all else
    "default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'; frame-ancestors 'none'"
)
PLAYER_POLICY = f"{POLICY}; media-src blob:"
STATUS: Mapping[type[RenderError], int] = {  # the first that an error is one of
    NotThere: 404,
    UsageError: 400,
    Overloaded: 503,
    Gone: 499,  # nobody reads it
    TooCostly: 504,
    ModeUnavailable: 501,
    RenderError: 500,
}
MOST_CHOICES = 40  # in a query
Endpoint = Callable[[Request], Coroutine[Any, Any, Response]]


def answer_errors(endpoint: Endpoint) -> Endpoint:
    """Turn what an endpoint raises into an answer."""

    async def answer(request: Request) -> Response:
        try:
            return await endpoint(request)
        except RenderError as error:
            status = next(code for kind, code in STATUS.items() if isinstance(error, kind))
            return refuse(status, error.cause, error.remedy, again=1 if status == 503 else None)

    return answer


@asynccontextmanager
async def watch_client(request: Request) -> AsyncIterator[asyncio.Future[None]]:
    """Yield what is done as soon as the client has left; Starlette does not cancel an endpoint then."""

    async def wait_for_disconnect() -> None:
        while (await request.receive())["type"] != "http.disconnect":
            pass

    task = asyncio.ensure_future(wait_for_disconnect())
    try:
        yield task
    finally:
        task.cancel()


def identify_client(request: Request) -> tuple[Client, int]:
    """Find out who asks, and the number that the lesson gives them."""
    clients: Clients = request.app.state.clients
    address = request.client.host if request.client else ""
    client = clients.identify(address, request.cookies.get(COOKIE, ""))
    return client, clients.number(client)


def parse_choices(request: Request, *own: str) -> dict[str, str]:
    """Take view, limit and parameters from a query, without the endpoint's own words. Raises UsageError."""
    pairs = request.query_params.multi_items()
    names = [name for name, _ in pairs]
    if len(pairs) > MOST_CHOICES or len(set(names)) < len(names):
        raise UsageError("a query with too many values, or the same twice", "give each value once")
    return {name: value for name, value in pairs if name not in own}


@answer_errors
async def send_tile(request: Request) -> Response:
    """Send a tile: /tiles/SCENE/Z/X/Y.png or Y@2x.png."""
    service: Service = request.app.state.service
    name, *numbers = (request.path_params[part] for part in ("scene", "z", "x", "y"))
    row, at, scale = numbers[2].partition("@")
    if not all(NUMBER.fullmatch(number) for number in (*numbers[:2], row)) or (at and scale != "2x"):
        raise NotThere("there is no such tile", "ask for /tiles/SCENE/Z/X/Y.png or /tiles/SCENE/Z/X/Y@2x.png")
    z, x, y = int(numbers[0]), int(numbers[1]), int(row)
    area = service.pyramids.tile(name, z, x, y, 2 if at else 1, parse_choices(request))
    return await send_area(request, service, area, f"{z}/{x}/{y}")


async def send_area(request: Request, service: Service, area: Area, label: str) -> Response:
    """Send an area, unless the client has it already."""
    headers = {"etag": area.etag, "cache-control": FOREVER, "cross-origin-resource-policy": "cross-origin"}
    known = [tag.strip().removeprefix("W/") for tag in request.headers.get("if-none-match", "").split(",")]
    if area.etag in known or "*" in known:
        return Response(status_code=304, headers=headers)
    if request.method == "HEAD":
        return _without_length(Response(media_type="image/png", headers=headers))
    client, user = identify_client(request)
    async with watch_client(request) as left:
        data = await service.fetch(area, client, user, label, left)
    return Response(data, media_type="image/png", headers=headers)


def _without_length(response: Response) -> Response:
    """Leave the length out: it is that of a file that was not painted."""
    del response.headers["content-length"]
    return response


@answer_errors
async def send_tilejson(request: Request) -> Response:
    """Describe a scene's tiles as TileJSON 3.0.0 does."""
    pyramids = request.app.state.service.pyramids
    name = request.path_params["scene"]
    chosen = parse_choices(request)
    area = pyramids.area(name, chosen, (SIDES[1], SIDES[1]))
    query = f"?{request.url.query}" if chosen else ""
    document = {
        "tilejson": "3.0.0",
        "name": name,
        "description": pyramids.describe(name)["about"],
        "version": __version__,
        "scheme": "xyz",
        "tiles": [f"{str(request.base_url).rstrip('/')}/tiles/{name}/{{z}}/{{x}}/{{y}}.png{query}"],
        "minzoom": 0,
        "maxzoom": pyramids.deepest_zoom(name, area.view, area.settings),
        "bounds": [-180, -85.05112877980659, 180, 85.05112877980659],  # what other programs take the square for
        "center": [0, 0, 1],
        "tileSize": SIDES[1],
    }
    return JSONResponse(document, headers={"cross-origin-resource-policy": "cross-origin"})


@answer_errors
async def send_scenes(request: Request) -> Response:
    """Describe all scenes: parameters, views, zooms."""
    pyramids = request.app.state.service.pyramids
    return JSONResponse({"version": __version__, "scenes": [pyramids.describe(name) for name in pyramids.names()]})


@answer_errors
async def send_picture(request: Request) -> Response:
    """Send a whole picture: /picture/SCENE.png?width=1280&height=720 with view, limit and parameters."""
    service: Service = request.app.state.service
    words = request.query_params
    width, height = (options.parse_whole(words.get(side, ""), side) for side in ("width", "height"))
    check_size(width, height)
    area = service.pyramids.area(
        request.path_params["scene"], parse_choices(request, "width", "height"), (width, height)
    )
    service.pyramids.request(area)
    name = f"{area.scene}-{area.view}-{width}x{height}.png"
    headers = {"content-disposition": f'attachment; filename="{name}"', **FRESH}
    if request.method == "HEAD":
        return _without_length(Response(media_type="image/png", headers=headers))
    client, user = identify_client(request)
    downloads: asyncio.Semaphore = request.app.state.downloads
    if downloads.locked():
        raise Overloaded(f"{DOWNLOADS} pictures are being painted already", "ask again later")
    async with downloads, watch_client(request) as left:
        data = await paint_picture(service, area, client, user, f"{width} x {height}", left)
    return Response(data, media_type="image/png", headers=headers)


async def send_health(request: Request) -> Response:
    """Say that the program is alive."""
    return JSONResponse({"status": "ok", "version": __version__}, headers=FRESH)


async def send_readiness(request: Request) -> Response:
    """Say whether another request would be taken."""
    ready = request.app.state.service.is_ready
    return JSONResponse({"ready": True}, headers=FRESH) if ready else refuse(503, "too much to do", again=1)


async def send_metrics(request: Request) -> Response:
    """Send figures as Prometheus reads them."""
    service: Service = request.app.state.service
    lines = []
    for name, kind, value, about in lesson.list_metrics(service, request.app.state.clients):
        lines += [f"# HELP render_{name} {about}", f"# TYPE render_{name} {kind}", f"render_{name} {value}"]
    return PlainTextResponse("\n".join(lines) + "\n", headers=FRESH, media_type="text/plain; version=0.0.4")


async def send_lesson(request: Request) -> Response:
    """Send what the lesson shows of the last seconds."""
    _, user = identify_client(request)
    return JSONResponse(lesson.describe(request.app.state.service, user), headers=FRESH)


@answer_errors
async def send_trace(request: Request) -> Response:
    """Send the record as a saved trace, for `render show`."""
    return await _send_trace(request, _read_record(request), "server")


@answer_errors
async def send_theatre(request: Request) -> Response:
    """Send the record as the theatre."""
    return await _send_theatre(request, _read_record(request))


@answer_errors
async def send_film_trace(request: Request) -> Response:
    """Send the record of a film that was painted while it played as a saved trace."""
    return await _send_trace(request, player.read_run(request), "film")


@answer_errors
async def send_film_theatre(request: Request) -> Response:
    """Send the record of a film that was painted while it played as the theatre."""
    return await _send_theatre(request, player.read_run(request))


def _read_record(request: Request) -> Frames:
    frames: Frames | None = request.app.state.service.record.to_frames()
    if frames is None:
        raise NotThere("nothing has been painted yet", "look at some tiles first")
    return frames


async def _send_trace(request: Request, frames: Frames, name: str) -> Response:
    data = await _report(request, frames, saved.write)
    headers = {"content-disposition": f'attachment; filename="{name}.trace.json"', **FRESH}
    return Response(data, media_type="application/json", headers=headers)


async def _send_theatre(request: Request, frames: Frames) -> Response:
    data = await _report(request, frames, page.write)
    return Response(data, media_type="text/html", headers={"content-security-policy": THEATRE_POLICY, **FRESH})


async def _report(request: Request, frames: Frames, write: Callable[[Frames], bytes]) -> bytes:
    """Make a file of a run, beside the event loop, a few at a time. Raises Overloaded."""
    reports: asyncio.Semaphore = request.app.state.reports
    if reports.locked():
        raise Overloaded("others are being given the record", "ask again later")
    async with reports:
        return await asyncio.to_thread(write, frames)


async def send_explorer(request: Request) -> Response:
    """Send the explorer; who has no cookie gets one, and so a queue of their own."""
    response = HTMLResponse(site.build_page("explorer"), headers={"cache-control": "no-cache"})
    if not request.cookies.get(COOKIE):
        response.set_cookie(COOKIE, secrets.token_urlsafe(16), httponly=True, samesite="strict")
    return response


async def send_player(request: Request) -> Response:
    """Send the player."""
    headers = {"content-security-policy": PLAYER_POLICY, "cache-control": "no-cache"}
    return HTMLResponse(site.build_page("player"), headers=headers)


def watches_client(send: player.Sender) -> Endpoint:
    """Let an endpoint know when its client has left."""

    async def answer(request: Request) -> Response:
        async with watch_client(request) as left:
            return await send(request, left)

    return answer_errors(answer)


async def send_static(request: Request) -> Response:
    """Send a style or a script of the explorer or the player."""
    static = site.read_static(request.path_params["name"])
    if static is None:
        return refuse(404, "there is no such file")
    headers = {"etag": static.etag, "cache-control": "no-cache"}
    if request.headers.get("if-none-match") == static.etag:
        return Response(status_code=304, headers=headers)
    return Response(static.data, media_type=static.media_type, headers=headers)


ROUTES: Mapping[str, Endpoint] = {
    "/": send_explorer,
    "/static/{name}": send_static,
    "/tiles/{scene}/{z}/{x}/{y}.png": send_tile,
    "/tiles/{scene}.json": send_tilejson,
    "/tiles/{scene}/tilejson.json": send_tilejson,
    "/scenes.json": send_scenes,
    "/picture/{scene}.png": send_picture,
    "/lesson.json": send_lesson,
    "/lesson.trace.json": send_trace,
    "/lesson.html": send_theatre,
    "/play": send_player,
    "/play/start": answer_errors(player.start_film),
    **{path: watches_client(send) for path, send in player.SENDERS.items()},
    "/play/{name}/film.trace.json": send_film_trace,
    "/play/{name}/theatre.html": send_film_theatre,
    "/healthz": send_health,
    "/readyz": send_readiness,
    "/metrics": send_metrics,
}


def make_routes() -> list[Route]:
    """List the routes; all may be read, and nothing else."""
    return [Route(path, endpoint, methods=["GET"]) for path, endpoint in ROUTES.items()]
