"""The player: films that are painted while they play, for a page that loads the next part while it plays this one."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from math import isfinite, nan

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from render import scene
from render.errors import UsageError
from render.film import script as scripts
from render.film.screening import Part, Screening
from render.film.viewing import Viewing, add_viewing
from render.frame import Frames
from render.server.guard import refuse
from render.server.pyramid import NotThere
from render.server.service import Overloaded
from render.trace import SYSTEM_CLOCK
from render.trace.intervals import Interval

SIZE, FPS, SECONDS, SAMPLES = (480, 270), 20, 10, 2
MOST_SCREENINGS, MOST_AT_WORK = 8, 2  # that are kept, and that are painted at the same time
POLL = 0.01  # seconds
MOST_TIMES, EARLIEST = 200, 5000  # that a player may report of each kind; ms that it began before its film
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
            "age": (SYSTEM_CLOCK() - screening.asked) / 1e6,  # ms since it was asked for
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


def read_run(request: Request) -> Frames:
    """Read the record of a film, /play/NAME/...?began=-3&loaded=20~31,...&played=40~1031,..., as a run.

    began: when the player began, and the others: from when to when it loaded each part and played; all in ms since the
    film was asked for. Raises NotThere, UsageError.
    """
    screening = _screenings(request).find(request.path_params["name"])
    if screening.sheet is None:
        raise NotThere("this film is still being painted", "play it to its end first")
    words, latest = request.query_params, (SYSTEM_CLOCK() - screening.asked) / 1e6
    began = max(-EARLIEST, min(_parse_ms(words.get("began", "0")), 0))
    loaded, played = (_parse_times(words.get(name, ""), began, latest) for name in ("loaded", "played"))
    viewing = Viewing(screening.asked + round(began * 1e6), loaded, played)
    parts = [part.frames for part in screening.parts]
    return Frames((add_viewing(screening.sheet, viewing, parts, float(screening.script.fps)),))


def _parse_times(text: str, began: float, latest: float) -> list[Interval]:
    """Read "20~31,40~52" as intervals in ns since the player began, one after the other, within what has passed."""
    pairs = [pair.partition("~")[::2] for pair in text.split(",") if pair]
    if len(pairs) > MOST_TIMES:
        raise UsageError("too many times", f"give {MOST_TIMES} at most")
    edges = [round((min(max(_parse_ms(ms), began), latest) - began) * 1e6) for pair in pairs for ms in pair]
    if edges != sorted(edges):
        raise UsageError("times that do not come one after the other", "give them as the player does")
    return list(zip(edges[::2], edges[1::2], strict=True))


def _parse_ms(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = nan
    if not isfinite(value):
        raise UsageError("a time that is no number", "give milliseconds")
    return value


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
