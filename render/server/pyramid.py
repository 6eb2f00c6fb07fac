"""A scene as a pyramid of tiles: tile z/x/y is the window at (256 x, 256 y) of a frame of 256 * 2^z pixels a side.

`@2x` is the same with 512. The frame is that of `render draw --size N`, with 4 samples and the view's own limit, so a
tile is a crop of a picture that anybody can draw; view, limit and parameters of the scene may be set. A zoom exists as
long as the scene's precision can tell neighbouring pixels apart.
"""

from __future__ import annotations

import hashlib
import threading
from bisect import bisect_left
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from render import __version__, options, scene
from render.errors import RenderError, UnknownName, UsageError
from render.frontend.sessions import Session, StartedWindow
from render.request import Request, Value

SIDES = {1: 256, 2: 512}  # pixels of a tile, by scale
SAMPLES = 4
DEEPEST = 30  # of any pyramid: what TileJSON allows
MOST_STEPS = 20_000  # of a limit that a client may set
MOST_LETTERS = 40  # of a value


class NotThere(RenderError):
    """There is no such scene, zoom or tile."""


class Area(NamedTuple):
    """A rectangle of a frame of some scene: all that decides its pixels, so it is also the key to keep them by."""

    scene: str
    view: str
    settings: tuple[tuple[str, Value], ...]  # parameters that are set, as they were checked
    limit: int
    frame: tuple[int, int]
    x: int
    y: int
    width: int
    height: int

    @property
    def etag(self) -> str:
        """The name of its pixels, which never change."""
        return f'"{hashlib.sha256(repr((__version__, *self)).encode()).hexdigest()[:24]}"'

    @property
    def changes(self) -> dict[str, Any]:
        """The options with which a session paints it."""
        return {"view": self.view, "parameters": dict(self.settings), "limit": self.limit, "size": self.frame}


class Pyramids:
    """The scenes that are served, by name: our own, and the files that the owner named."""

    def __init__(self, files: tuple[str, ...] = ()) -> None:
        """Raises as `render.scene.load` does, and UsageError for two scenes of one name."""
        self._scenes = {name: scene.load(name) for name in scene.names()}
        self._sources = {name: name for name in self._scenes}
        for file in files:
            name = Path(file).stem
            if name in self._scenes:
                raise UsageError(f"there is a scene {name} already", f"give {file} another name")
            self._scenes[name], self._sources[name] = scene.load(file), file
        self._sessions: dict[str, Session] = {}
        self._locks = {name: threading.Lock() for name in self._scenes}
        self.deepest_zoom = lru_cache(256)(self._deepest_zoom)

    def names(self) -> list[str]:
        """List the scenes."""
        return list(self._scenes)

    def describe(self, name: str) -> dict[str, Any]:
        """Describe a scene for the catalogue, each view with its deepest zoom. Raises NotThere."""
        described = self._scene(name).as_dict()
        views = {
            view: {**values, "maxzoom": self.deepest_zoom(name, view)} for view, values in described["views"].items()
        }
        own_file = self._sources[name] != name
        return {
            **described,
            "scene": name,
            "own_file": own_file,
            "views": views,
            "minzoom": 0,
            "maxzoom": self.deepest_zoom(name),
        }

    def tile(self, name: str, z: int, x: int, y: int, scale: int = 1, chosen: Mapping[str, str] | None = None) -> Area:
        """Find a tile. `chosen`: view, limit and parameters as words.

        Raises NotThere for what does not exist, UsageError for a choice that makes no sense.
        """
        base = self.area(name, chosen or {}, (SIDES[1], SIDES[1]))
        if not 0 <= z <= DEEPEST:
            raise NotThere(f"there is no zoom {z}", f"zooms go from 0 to {self.deepest_zoom(name, base.view)}")
        last, side = (1 << z) - 1, SIDES[scale]
        if not (0 <= x <= last and 0 <= y <= last):
            raise NotThere(f"there is no tile {x}/{y} at zoom {z}", f"its tiles go from 0 to {last} each way")
        area = base._replace(frame=(side << z, side << z), x=side * x, y=side * y, width=side, height=side)
        try:
            self.request(area)
        except UsageError as error:
            raise NotThere(f"there is no zoom {z}: {error}", error.remedy) from error
        return area

    def area(self, name: str, chosen: Mapping[str, str], frame: tuple[int, int]) -> Area:
        """Find the whole frame of a scene, with what was chosen. Raises as `tile` does."""
        loaded = self._scene(name)
        given = dict(chosen)
        if any(len(word) > MOST_LETTERS for pair in given.items() for word in pair):
            raise UsageError("a value is too long", f"write it in {MOST_LETTERS} letters at most")
        view = given.pop("view", next(iter(loaded.views)))
        limit = given.pop("limit", None)
        settings: dict[str, Value] = dict(given)
        values, own_limit = loaded.settle(view, settings)
        usual, _ = loaded.settle(view, {})
        wanted = own_limit if limit is None else options.parse_whole(limit, "limit")
        if not 1 <= wanted <= max(MOST_STEPS, own_limit):
            raise UsageError(f"limit is {wanted}", f"give a number from 1 to {max(MOST_STEPS, own_limit)}")
        checked = tuple((key, values[key]) for key in sorted(given) if values[key] != usual[key])
        return Area(name, view, checked, wanted, frame, 0, 0, *frame)

    def request(self, area: Area) -> Request:
        """Make the request of the frame that an area lies in. Raises UsageError, as for too deep a zoom."""
        given = {"scene": self._sources[area.scene], "samples": SAMPLES, "mode": "sequential", "tile": SIDES[1]}
        return options.complete_from(given | area.changes, lambda _name: self._scenes[area.scene])

    def start(self, area: Area) -> StartedWindow:
        """Start to paint an area."""
        session = self.session(area.scene)
        return session.start_window(area.x, area.y, area.width, area.height, **area.changes)

    def session(self, name: str) -> Session:
        """Return the session of a scene, opened when it is first needed: its code may have to be compiled."""
        with self._locks[name]:
            if name not in self._sessions:
                source = self._sources[name]
                self._sessions[name] = Session(scene=source, mode="sequential", samples=SAMPLES, size=SIDES[1])
            return self._sessions[name]

    def _scene(self, name: str) -> scene.Scene:
        if name not in self._scenes:
            unknown = UnknownName("scene", name[:MOST_LETTERS], self._scenes)
            raise NotThere(str(unknown), unknown.remedy)
        return self._scenes[name]

    def _deepest_zoom(self, name: str, view: str | None = None, settings: tuple[tuple[str, Value], ...] = ()) -> int:
        """Find the deepest zoom that the precision can tell apart, of a view (or the first one) with such settings."""
        chosen = {} if view is None else {"view": view}
        base = self.area(name, chosen, (SIDES[1], SIDES[1]))._replace(settings=settings)

        def is_too_deep(z: int) -> bool:
            try:
                self.request(base._replace(frame=(SIDES[1] << z, SIDES[1] << z)))
            except UsageError:
                return True
            return False

        return max(bisect_left(range(DEEPEST + 1), x=True, key=is_too_deep) - 1, 0)
