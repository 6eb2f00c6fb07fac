"""The data of the page's script: all spans of all runs in columns, and whatever else it cannot compute itself."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Sequence
from io import BytesIO
from math import gcd
from typing import TYPE_CHECKING, Any

import numpy as np

from render.outputs.page.runs import Run
from render.outputs.page.tour import Step
from render.swatches import COLOURS
from render.wording import make_harmless

if TYPE_CHECKING:
    from PIL.Image import Image

LETTERS = {
    "paint": "p",
    "wait": "w",
    "launch": "l",
    "transfer": "t",
    "encode": "e",
    "save": "e",
    "load": "e",
    "play": "e",
}  # any other kind that carries a tile is "o"
SMALL = 200_000  # bytes: a picture that takes no more is kept as it is, a larger one as the eye sees it
LONGEST_SIDE = 1600  # pixels; no page shows more
QUALITY = 86


def encode_record(
    runs: Sequence[Run], images: Sequence[int], steps: Sequence[Step], elsewhere: Run | None = None, **more: Any
) -> str:
    """Encode as JSON for a script element, which nothing in it can end. `images`: each run's picture.

    elsewhere: a recorded run, of which only the inside is shown. `more` is added as it is.
    """
    request = runs[0].frame.request
    fields = {
        "width": request.width,
        "height": request.height,
        "colours": COLOURS,
        "runs": [_describe_run(run, image) for run, image in zip(runs, images, strict=True)],
        "recorded": [] if elsewhere is None else [_describe_run(elsewhere, 0)],
        "tour": [step._asdict() for step in steps],
        **more,
    }
    text = json.dumps(fields, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _describe_run(run: Run, image: int) -> dict[str, Any]:
    """Spans are columns: index of the worker, tile, a letter of `LETTERS`, ns since the start before, ns long.

    `cpu` is how many ns of CPU time each paint span was given; null where that is not known of the run.

    `inside` is what the multiprocessors painted, in columns too: place of the multiprocessor, tile, and its times in
    `unit` ns, the largest that measures them all, for a recorded run's are coarse.
    """
    index = {worker: number for number, worker in enumerate(run.crew)}
    request = run.frame.request
    unit = gcd(*(t for _, piece in run.inside for t in (piece.t0, piece.t1))) or 1
    return {
        "title": run.frame.title,
        "mode": make_harmless(request.mode),
        "tile": list(request.tile),
        "image": image,
        "length": run.length,
        "resumed": bool(run.resumed),
        "awaits": make_harmless(run.waits_for),
        "workers": [
            [worker.process, worker.thread, make_harmless(worker.device), make_harmless(worker.host)]
            for worker in run.crew
        ],
        "names": run.names,
        "worker": [index[span.worker] for span in run.spans],
        "number": [span.tile for span in run.spans],
        "kind": "".join(LETTERS.get(span.kind, "o") for span in run.spans),
        "after": _deltas([span.t0 for span in run.spans]),
        "long": [span.t1 - span.t0 for span in run.spans],
        "cpu": None if run.stats.on_cpu.mean is None else [span.on_cpu or 0 for span in run.spans],
        "inside": {
            "lanes": len(run.frame.trace.multiprocessors),
            "lane": [lane for lane, _ in run.inside],
            "number": [piece.tile for _, piece in run.inside],
            "unit": unit,
            "after": _deltas([piece.t0 // unit for _, piece in run.inside]),
            "long": [(piece.t1 - piece.t0) // unit for _, piece in run.inside],
        },
    }


def _deltas(times: Sequence[int]) -> list[int]:
    """Compute the time from each to the next, the first from 0."""
    return [t - before for t, before in zip(times, [0, *times], strict=False)]


def encode_picture(rgb: np.ndarray) -> str:
    """Encode the picture as a data URI of WebP: to the last bit where that is small, otherwise as the eye sees it."""
    from PIL import Image

    picture = Image.fromarray(np.ascontiguousarray(rgb))
    picture.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
    data = b""
    if picture.width * picture.height <= 4 * SMALL:
        data = _encode_webp(picture, lossless=True, quality=60)
    if not data or len(data) > SMALL:
        data = _encode_webp(picture, lossless=False, quality=QUALITY)
    return f"data:image/webp;base64,{b64encode(data).decode()}"


def _encode_webp(picture: Image, *, lossless: bool, quality: int) -> bytes:
    file = BytesIO()
    picture.save(file, "WEBP", lossless=lossless, quality=quality, method=4)
    return file.getvalue()
