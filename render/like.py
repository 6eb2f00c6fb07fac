"""Drawing what a saved picture shows: its request, with other options over it, at another place in it.

    --like wall.png --size 3840x2160           the same, larger
    --like wall.png --at 310,95 --closer 10    what lies under that pixel, ten times as large

What is drawn comes from the picture; who draws it, and how it is cut, is this machine's own choice.
"""

from __future__ import annotations

import shlex
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path, PurePath
from typing import Any

import numpy as np

from render import options, scene
from render.errors import InputError, UsageError
from render.pictures import source
from render.pictures.provenance import NO_REQUEST
from render.request import Request, Value
from render.sampling import grid, position

OWN = ("like", "at", "closer")  # options that are used up here
SMALLEST = sys.float_info.min  # that something may be larger by


def apply_picture(options_given: Mapping[str, Any]) -> dict[str, Any]:
    """Combine the options of a saved picture with those given, which go first, for `render.options.complete`.

    `like` names a picture, `at` a pixel of it ("310,95" or a pair), which becomes the centre, `closer` how many times
    larger things become. Raises InputError for a picture that carries no request, UsageError for options that
    contradict each other.
    """
    given = {name: value for name, value in options_given.items() if value is not None and name not in OWN}
    path, at, closer = (options_given.get(name) for name in OWN)
    if path is None:
        for name, value in (("at", at), ("closer", closer)):
            if value is not None:
                raise UsageError(f"--{name} needs a picture to start from", "add --like PICTURE")
        return given
    stored = _read_request(path)
    chosen = _choose_scene(stored, given, path)
    if given.get("view") is not None:
        for name, value in (("at", at), ("closer", closer)):
            if value is not None:
                raise UsageError(f"--{name} and --view both say where to look", "leave one of them out")
        return chosen | {"size": (stored.width, stored.height), "samples": stored.samples} | given
    parameters = dict(given.get("parameters") or {})
    what: dict[str, Any] = {
        "view": stored.view,
        "size": (stored.width, stored.height),
        "samples": stored.samples,
        "limit": stored.limit,
        "precision": stored.precision,
    }
    moved = _move_view(stored, at, closer, parameters)
    return chosen | what | given | {"parameters": stored.values | moved | parameters, "scene": chosen["scene"]}


def _read_request(path: str | Path) -> Request:
    origin = source.open_picture(path).provenance
    if origin is None:
        raise InputError(
            f"{path} {NO_REQUEST}",
            "give a PNG, .tif, .npz, .webp or .jpg that this program drew",
        )
    return origin.request


def _choose_scene(stored: Request, given: Mapping[str, Any], path: str | Path) -> dict[str, Any]:
    """Choose the picture's scene. A scene file is a program: a picture alone never runs it, the user has to name it."""
    requested = given.get("scene")
    name = PurePath(stored.scene).stem
    if requested is not None and PurePath(str(requested)).stem != name:
        raise UsageError(f"{path} shows scene {name}, not {requested}", "leave --scene out, or --like")
    if requested is None and stored.scene not in scene.names():
        raise UsageError(
            f"{path} was drawn by the scene file {stored.scene}, which is a program: --like never runs it by itself",
            f"if you trust it, add --scene {shlex.quote(stored.scene)}",
        )
    return {"scene": stored.scene if requested is None else requested}


def _move_view(stored: Request, at: Any, closer: Any, parameters: Mapping[str, Value]) -> dict[str, Value]:
    """Compute the parameters that say where to look."""
    moved: dict[str, Value] = {}
    if at is not None:
        _refuse_overlap("at", parameters, "x", "y")
        moved["x"], moved["y"] = find_centre(stored, *_parse_pixel(at, stored))
    if closer is not None:
        _refuse_overlap("closer", parameters, "zoom")
        remedy = "give how many times larger, for example 10 (0.5: smaller)"
        moved["zoom"] = float(stored.values["zoom"]) * options.parse_number(closer, "--closer", remedy, SMALLEST)
    return moved


def _refuse_overlap(option: str, parameters: Mapping[str, Value], *names: str) -> None:
    for name in names:
        if name in parameters:
            raise UsageError(f"--{option} and --set {name}=... both say where to look", "leave one of them out")


def find_centre(request: Request, i: int, j: int) -> tuple[float, float]:
    """Compute the point at the centre of pixel (i, j) of a frame, in float64, whatever the frame's precision."""
    place = grid(replace(request, precision="f64"))
    x, y = position(np.float64(i), np.float64(j), np.float64(0), np.float64(0), *place)
    return float(x), float(y)


def _parse_pixel(at: Any, stored: Request) -> tuple[int, int]:
    words = at.split(",") if isinstance(at, str) else list(at)
    try:
        i, j = (options.parse_whole(word, "at") for word in words)
    except (UsageError, ValueError):
        raise UsageError(f"--at is {at!r:.60}", "give a pixel of the picture: column,row, for example 310,95") from None
    if not (0 <= i < stored.width and 0 <= j < stored.height):
        raise UsageError(
            f"pixel {i},{j} is outside the picture, which has {stored.width} x {stored.height}",
            f"give 0,0 to {stored.width - 1},{stored.height - 1}",
        )
    return i, j


def default_name(request: Request, like: str | None = None) -> str:
    """Name a picture that was given no name: SCENE-MODE.png, or SCENE-VIEW-MODE.png for other views than the first.

    It never is the picture that was started from.
    """
    first = next(iter(scene.load(request.scene).views))
    words = [Path(request.scene).stem, *([] if request.view == first else [request.view]), request.mode]
    name = f"{'-'.join(words)}.png"
    if like is not None and Path(like).resolve() == Path(name).resolve():
        return f"{Path(name).stem}-like.png"
    return name
