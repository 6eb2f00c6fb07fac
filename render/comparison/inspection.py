"""The description of a saved picture: its size and depth, and, where this program drew it, its request and run."""

from __future__ import annotations

import hashlib
import json
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from render import wording
from render.pictures.picture import Picture


def describe_picture(picture: Picture) -> dict[str, Any]:
    """Describe for JSON. `size` in pixels, `depth` bits of a sample, `sha256` of 8-bit RGB pixels by row (else null).

    `request` is what was asked and `run` who drew it, `workers` how many painted its tiles; `timings` the document of
    that run. They are null where the file does not tell.
    """
    made = picture.provenance
    known = made is not None and made.workers is not None
    painters = {worker for worker in (made.workers or ()) if worker is not None} if made else set()
    return {
        "size": list(picture.size),
        "depth": picture.depth,
        "alpha": picture.alpha is not None,
        "frames": len(picture.frames),
        "arrays": [name for name in ("rgb", "alpha", "steps", "inside") if getattr(picture, name) is not None],
        "ignored": list(picture.ignored),
        "sha256": hashlib.sha256(np.ascontiguousarray(picture.rgb).data).hexdigest() if picture.depth == 8 else None,
        "request": made.request.as_dict() if made else None,
        "run": made.title if made else None,
        "workers": len(painters) if known else None,
        "timings": _read_timings(picture.timings),
    }


def _read_timings(stored: str | None) -> dict[str, Any] | None:
    try:
        told = json.loads(stored or "")
    except (ValueError, RecursionError):
        return None
    return told if isinstance(told, dict) else None


def format_description(told: Mapping[str, Any], path: str | Path) -> list[str]:
    """Format the description for people, with the command that draws it again."""
    width, height = told["size"]
    more = [f"{told['depth']} bits a channel", *(["with alpha"] if told["alpha"] else [])]
    more += [f"{told['frames']} frames"] if told["frames"] > 1 else []
    more += [f"with {name}" for name in ("steps", "inside") if name in told["arrays"]]
    made = [f"{path}: {width} x {height} pixels, {', '.join(more)}"]
    made += [f"left aside: {', '.join(told['ignored'])}"] if told["ignored"] else []
    request = told["request"]
    if request is None:
        return [*made, "it carries no request: another program made it, or it was saved with --plain"]
    seen = "" if told["workers"] is None else f", {wording.count(told['workers'], 'worker')}"
    made += [f"scene {request['scene']}, view {request['view']}"]
    made += [f"drawn by {told['run']}{seen}{_format_seconds(told['timings'])}"]
    tile, real = " x ".join(map(str, request["tile"])), "float64" if request["precision"] == "f64" else "float32"
    samples = wording.count(request["samples"], "sample")
    made += [f"limit {request['limit']}, {samples} a pixel, {real}, tiles of {tile}"]
    made += [f"parameters: {', '.join(f'{name}={value}' for name, value in request['parameters'].items())}"]
    made += [f"sha256 {told['sha256']}"] if told["sha256"] else []
    only = request["only_tile"]
    made += [] if only is None else [f"only tile {only} was painted; the rest is black"]
    alone = "" if only is None else f" --tile {'x'.join(map(str, request['tile']))} --only-tile {only}"
    return [*made, f"draw it again: python -m render --like {shlex.quote(str(path))}{alone}"]


def _format_seconds(timings: Mapping[str, Any] | None) -> str:
    spent = (timings or {}).get("seconds")
    painted = spent.get("paint") if isinstance(spent, dict) else None
    return f", painted in {wording.format_time(painted)}" if type(painted) is float and 0 <= painted < 1e9 else ""
