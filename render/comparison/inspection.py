"""The description of a saved picture: size, depth and, if this program drew it, its request and run."""

from __future__ import annotations

import hashlib
import json
import shlex
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from render import wording
from render.pictures.bands import Band
from render.pictures.provenance import NO_REQUEST
from render.pictures.source import AnyPicture


def describe_picture(picture: AnyPicture, watch: Callable[[Band], None] | None = None) -> dict[str, Any]:
    """Describe for JSON. `size` in pixels, `depth` bits of a sample, `sha256` of 8-bit RGB pixels by row (else null).

    `request` is what was drawn and `run` who drew it, `workers` how many painted its tiles; `timings` the document of
    that run. They are null where the file does not say. `watch` is given each band of the picture on the way.
    """
    origin = picture.provenance
    known = origin is not None and origin.workers is not None
    painters = {worker for worker in (origin.workers or ()) if worker is not None} if origin else set()
    return {
        "size": list(picture.size),
        "depth": picture.depth,
        "alpha": picture.alpha is not None,
        "frames": len(picture.frames),
        "arrays": list(picture.arrays),
        "ignored": list(picture.ignored),
        "sha256": _hash_pixels(picture, watch),
        "request": origin.request.as_dict() if origin else None,
        "run": origin.title if origin else None,
        "workers": len(painters) if known else None,
        "timings": _read_timings(picture.timings),
    }


def _hash_pixels(picture: AnyPicture, watch: Callable[[Band], None] | None) -> str | None:
    """Compute the sha256 of 8-bit RGB pixels row by row, in hexadecimal; None for other depths."""
    total = hashlib.sha256()
    for band in picture.read_bands():
        total.update(np.ascontiguousarray(band.rgb).data)
        if watch is not None:
            watch(band)
    return total.hexdigest() if picture.depth == 8 else None


def _read_timings(stored: str | None) -> dict[str, Any] | None:
    try:
        timings = json.loads(stored or "")
    except (ValueError, RecursionError):
        return None
    return timings if isinstance(timings, dict) else None


def format_description(described: Mapping[str, Any], path: str | Path) -> list[str]:
    """Format the description for people, with the command that draws it again."""
    width, height = described["size"]
    more = [f"{described['depth']} bits a channel", *(["with alpha"] if described["alpha"] else [])]
    more += [f"{described['frames']} frames"] if described["frames"] > 1 else []
    more += [f"with {name}" for name in ("steps", "inside") if name in described["arrays"]]
    lines = [f"{path}: {width} x {height} pixels, {', '.join(more)}"]
    lines += [f"left aside: {', '.join(described['ignored'])}"] if described["ignored"] else []
    request = described["request"]
    if request is None:
        return [*lines, f"it {NO_REQUEST}"]
    seen = "" if described["workers"] is None else f", {wording.count(described['workers'], 'worker')}"
    lines += [f"scene {request['scene']}, view {request['view']}"]
    lines += [f"drawn by {described['run']}{seen}{_format_seconds(described['timings'])}"]
    tile, real = " x ".join(map(str, request["tile"])), "float64" if request["precision"] == "f64" else "float32"
    samples = wording.count(request["samples"], "sample")
    lines += [f"limit {request['limit']}, {samples} a pixel, {real}, tiles of {tile}"]
    lines += [f"parameters: {', '.join(f'{name}={value}' for name, value in request['parameters'].items())}"]
    lines += [f"sha256 {described['sha256']}"] if described["sha256"] else []
    only = request["only_tile"]
    lines += [] if only is None else [f"only tile {only} was painted; the rest is black"]
    alone = "" if only is None else f" --tile {'x'.join(map(str, request['tile']))} --only-tile {only}"
    return [*lines, f"draw it again: python -m render --like {shlex.quote(str(path))}{alone}"]


def _format_seconds(timings: Mapping[str, Any] | None) -> str:
    spent = (timings or {}).get("seconds")
    painted = spent.get("paint") if isinstance(spent, dict) else None
    return f", painted in {wording.format_time(painted)}" if type(painted) is float and 0 <= painted < 1e9 else ""
