"""The script of a film: a zoom into a view, or a path of keyframes from a TOML file.

scene = "mandelbrot"              # these, and view, samples, limit and precision, as the options of the command
size = "1280x720"                 # line, which go over them; all may be left out
fps = 30

[[keyframe]]
at = 0                            # seconds
view = "whole"                    # the scene's first where it is left out

[[keyframe]]
at = 10
view = "seahorses"
parameters = { zoom = 2000 }      # over the view's
ease = "linear"                   # how one comes here: smooth, from rest to rest, where it is left out
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from pathlib import Path, PurePath
from typing import Any, NamedTuple

from render import options, scene
from render.errors import InputError, UnknownName, UsageError
from render.film.path import CENTRE, EASES, SMOOTH, ZOOM, Keyframe, frame_times, values_at
from render.request import Request, Value

SECONDS, FPS = 10, 30
LONGEST, MOST_FPS, MOST_FRAMES = 3600, 240, 100_000  # seconds; a second; in all
AWAY = 4  # times: how much closer a film ends than it starts, where nothing else says it
SHOWN = {"view": "seahorses"}  # where nothing is said about what to film
OWN = ("fps", "keyframe")  # keys of a path that are no options
FROM_FILE = ("scene", "size", "samples", "limit", "precision")
OF_KEYFRAME = ("at", "view", "parameters", "ease")


class Script(NamedTuple):
    """A film before it is shot: the request of its last frame, its keyframes, frames a second, number of frames."""

    request: Request
    keyframes: tuple[Keyframe, ...]
    fps: Fraction
    frames: int
    name: str

    @property
    def seconds(self) -> float:
        """Duration of the film."""
        return float(self.frames / self.fps)

    def requests(self) -> Iterator[Request]:
        """Yield the request of each frame, in order."""
        for at in frame_times(self.keyframes, self.frames):
            yield replace(self.request, parameters=tuple(sorted(values_at(self.keyframes, at).items())))


def write_zoom(given: Mapping[str, Any], seconds: str | None, fps: str | None) -> Script:
    """Write the script of a zoom: from the scene's first view into the one that these options draw.

    Where that is the same one, it starts farther away. Raises as `render.options.complete` does.
    """
    if not any(given.get(name) for name in ("scene", "view", "parameters")):
        given = {**given, **SHOWN}
    request = options.complete(**given)
    loaded = scene.load(request.scene)
    first, _ = loaded.settle(next(iter(loaded.views)), {})
    place = {name: first[name] for name in (*CENTRE, ZOOM)}
    if all(request.values[name] == value for name, value in place.items()):
        lowest = loaded.parameters[ZOOM].lowest
        place[ZOOM] = max(float(request.values[ZOOM]) / AWAY, float(lowest if lowest is not None else 0))
    length, rate = parse_seconds(seconds or SECONDS), parse_fps(fps or FPS)
    keyframes = Keyframe(Fraction(0), request.values | place), Keyframe(length, request.values)
    name = f"{PurePath(request.scene).stem}-{request.view}"
    return Script(request, keyframes, rate, count_frames(length, rate), name)


def read_path(path: str, given: Mapping[str, Any], seconds: str | None, fps: str | None) -> Script:
    """Read a path of keyframes; `given` options go over those of the file. `seconds` stretches it to this length.

    Raises InputError for a file that is no path, and as `render.options.complete` does.
    """
    stored = _load_file(path)
    try:
        rows = stored["keyframe"]
        if not isinstance(rows, list) or len(rows) < 2 or not all(isinstance(row, dict) for row in rows):
            raise UsageError("it has fewer than two keyframes", "give two [[keyframe]] or more")
        _check_keys(stored, (*FROM_FILE, *OWN))
        asked = {name: stored[name] for name in FROM_FILE if name in stored} | dict(given)
        drawn = [_read_keyframe(row, asked) for row in rows]
    except UsageError as error:
        raise InputError(f"{path}: {error.cause}", error.remedy) from error
    except KeyError as error:
        raise InputError(f"{path} lacks {error}", "give two [[keyframe]] or more, each with `at` in seconds") from error
    keyframes = tuple(keyframe for keyframe, _ in drawn)
    if any(after.at <= before.at for before, after in pairwise(keyframes)):
        raise InputError(
            f"{path}: its keyframes do not follow each other", "give each a later `at` than the one before"
        )
    length = keyframes[-1].at - keyframes[0].at
    if seconds:
        keyframes = tuple(one._replace(at=one.at * parse_seconds(seconds) / length) for one in keyframes)
        length = parse_seconds(seconds)
    rate = parse_fps(fps or stored.get("fps", FPS))
    request = replace(drawn[-1][1], limit=max(request.limit for _, request in drawn))
    return Script(request, keyframes, rate, count_frames(length, rate), Path(path).stem)


def _load_file(path: str) -> dict[str, Any]:
    try:
        return tomllib.loads(Path(path).read_text("utf-8"), parse_float=Decimal)
    except (OSError, ValueError) as error:  # TOML's errors are ValueErrors
        why = getattr(error, "strerror", None) or error
        raise InputError(f"cannot read {path}: {why}", "give the path of a TOML file with keyframes") from error


def _check_keys(table: Mapping[str, Any], known: tuple[str, ...]) -> None:
    for name in table:
        if name not in known:
            raise UnknownName("key of a path", name, known)


def _read_keyframe(row: dict[str, Any], asked: Mapping[str, Any]) -> tuple[Keyframe, Request]:
    """Read one keyframe; give also the request that draws it."""
    _check_keys(row, OF_KEYFRAME)
    ease = row.get("ease", SMOOTH)
    if ease not in EASES:
        raise UnknownName("ease", str(ease), EASES)
    own = row.get("parameters", {})
    if not isinstance(own, dict):
        raise UsageError(f"parameters is {own!r:.60}", "write parameters = { zoom = 100 }")
    parameters: dict[str, Value] = {
        name: float(value) if isinstance(value, Decimal) else value for name, value in own.items()
    }
    request = options.complete(
        **{**asked, "view": row.get("view"), "parameters": parameters | asked.get("parameters", {})}
    )
    return Keyframe(_parse_number(row["at"], "at", 0, LONGEST), request.values, ease), request


def parse_seconds(value: Any) -> Fraction:
    """Parse how long a film plays: "10", "2.5s". Raises UsageError."""
    return _parse_number(str(value).strip().removesuffix("s"), "seconds", Fraction(1, 1000), LONGEST)


def parse_fps(value: Any) -> Fraction:
    """Parse the frames a second: "30", "29.97", "30000/1001". Raises UsageError."""
    return _parse_number(value, "fps", 1, MOST_FPS).limit_denominator(1001)


def _parse_number(value: Any, name: str, lowest: Fraction | int, highest: int) -> Fraction:
    try:
        number = Fraction(str(value))
    except (ValueError, ZeroDivisionError):
        number = Fraction(-1)
    if not lowest <= number <= highest:
        raise UsageError(f"{name} is {value!s:.60}", f"give a number from {float(lowest):g} to {highest}")
    return number


def count_frames(seconds: Fraction, fps: Fraction) -> int:
    """Count the frames of a film; at least one. Raises UsageError for too many."""
    frames = max(round(seconds * fps), 1)
    if frames > MOST_FRAMES:
        raise UsageError(f"a film of {frames} frames", f"give fewer --seconds or --fps: at most {MOST_FRAMES} frames")
    return frames
