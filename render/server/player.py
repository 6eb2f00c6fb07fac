"""The player: films that are painted while they play, for a page that loads the next part while it plays this one."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from render import scene
from render.film import script as scripts
from render.film.screening import Part, Screening
from render.server.guard import refuse
from render.server.pyramid import NotThere
from render.server.service import Overloaded

SIZE, FPS, SECONDS, SAMPLES = (480, 270), 20, 10, 2
MOST_SCREENINGS, MOST_AT_WORK = 8, 2  # that are kept, and that are painted at the same time
POLL = 0.01  # seconds
FRESH = {"cache-control": "no-store"}
PART = "video/mp4"
OUR_SITE = ("none", "same-origin")  # who may start a film: a browser says whose page asks


class Screenings:
    """The films that players are watching, the oldest first; of bounded number."""

    def __init__(self) -> None:
        self._known: dict[str, Screening] = {}

    def open(self, words: Mapping[str, str]) -> Screening:
        """Start painting a film. Raises NotThere, Overloaded, and as `Screening` does."""
        name, view = words.get("scene", "mandelbrot"), words.get("view", "seahorses")
        if name not in scene.names() or view not in scene.load(name).views:
            raise NotThere("there is no such scene or view", "/scenes.json has all")
        if self.under_way >= MOST_AT_WORK:
            raise Overloaded(f"{MOST_AT_WORK} films are being painted already", "ask again later")
        given = {"scene": name, "view": view, "size": SIZE, "samples": SAMPLES}
        written = scripts.write_zoom(given, str(SECONDS), str(FPS))
        screening = Screening(written, overlap=words.get("overlap") != "0", mp4=words.get("mp4") != "0")
        screening.start()
        self._known[screening.name] = screening
        while len(self._known) > MOST_SCREENINGS:
            self._known.pop(next(iter(self._known))).stop()
        return screening

    @property
    def under_way(self) -> int:
        """Count the films that are being painted."""
        return sum(not one.finished for one in self._known.values())

    def find(self, name: str) -> Screening:
        """Return a film by its name. Raises NotThere."""
        if name not in self._known:
            raise NotThere("there is no such film", "start another one")
        return self._known[name]

    def stop(self) -> None:
        """Stop painting all of them."""
        for screening in self._known.values():
            screening.stop()


async def start_film(request: Request) -> Response:
    """Start a film, /play/start?scene=...&view=...&overlap=0, and describe it; not for a page of another site."""
    if request.headers.get("sec-fetch-site", "none") not in OUR_SITE:
        return refuse(403, "a page of another site asks")
    screening = await asyncio.to_thread(_screenings(request).open, request.query_params)
    script = screening.script
    return JSONResponse(
        {
            "name": screening.name,
            "overlap": screening.overlap,
            "frames": script.frames,
            "fps": float(script.fps),
            "seconds": script.seconds,
            "size": list(SIZE),
        },
        headers=FRESH,
    )


async def send_head(request: Request, left: asyncio.Future[None]) -> Response:
    """Send what a player must know before the first part; the type of all parts is that of the answer."""
    screening = _screenings(request).find(request.path_params["name"])
    await _wait_for_part(screening, 0, left)
    return Response(screening.head, media_type=f'{PART}; codecs="{screening.codec}"', headers=FRESH)


async def send_part(request: Request, left: asyncio.Future[None]) -> Response:
    """Send a part, /play/NAME/NUMBER, when it is painted: when that was is in its headers, in ms before now."""
    screening = _screenings(request).find(request.path_params["name"])
    part = await _wait_for_part(screening, int(request.path_params["number"]), left)
    now = time.monotonic()
    headers = {
        "x-painting-began": f"{1000 * (now - part.began):.1f}",
        "x-painting-ended": f"{1000 * (now - part.ended):.1f}",
        "x-frames": f"{part.frames}",
        **FRESH,
    }
    return Response(part.data, media_type=PART, headers=headers)


async def send_webp(request: Request, left: asyncio.Future[None]) -> Response:
    """Send a whole film as WebP, for browsers that play no H.264."""
    screening = _screenings(request).find(request.path_params["name"])
    await _wait_for_part(screening, screening.script.frames - 1, left)
    return Response(screening.whole, media_type="image/webp", headers=FRESH)


async def _wait_for_part(screening: Screening, number: int, left: asyncio.Future[None]) -> Part:
    while (part := screening.want(number)) is None:
        if left.done():
            raise NotThere("the player has left")
        await asyncio.sleep(POLL)
    return part


def _screenings(request: Request) -> Screenings:
    found: Screenings = request.app.state.screenings
    return found


Sender = Callable[[Request, "asyncio.Future[None]"], Awaitable[Response]]
SENDERS: Mapping[str, Sender] = {
    "/play/{name}/head": send_head,
    "/play/{name}/film.webp": send_webp,
    "/play/{name}/{number:int}": send_part,
}
