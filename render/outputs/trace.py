"""The saved trace: all that a run was, so that every other output can be made of it later, on any machine.

JSON, version 4:

    {"schema": "render-trace", "version": 4, "kind", "not_run": [[mode, reason], ...], "picture": PNG, "steps": S,
     "inside": I, "runs": [
        {"request", "facts", "began", "asked", "ended", "total_steps", "sha256",
         "workers": [[process, thread, device, host], ...],
         "spans": [[index of the worker, tile, kind, t0, t1, cpu, cpu at the end, CPU time], ...]}, ...]}

Kinds are those of `render.trace.KINDS`. A reader refuses a file with a kind that it does not know, and names it, since
every figure would be wrong without that time. Times are integer nanoseconds of the run's own clock. PNG is a file in
base64; S are the steps of every sample (row by row, int32, low byte first) packed by zlib, in base64, null where a
pixel is several samples; I in the same way, a bit for each sample (row by row, the highest of a byte first): whether it
was still alive at the limit (missing in files of older programs). A run whose picture is not that of the first run has
`picture`, `steps` and `inside` of its own. A run of a frame that was too large to be kept in memory has `small_picture`
true: then PNG is a small picture of it, S and I are null, and `sha256` is that of the whole frame.
`kind` is draw or race; `not_run` are the modes of a race that did not run. CPU time is null where it is not known.
`host` is the machine of a cluster that a worker ran on, "" without a cluster. Versions 1 to 3 had none; spans of
versions 1 and 2 end with `cpu`; version 1 had neither `kind` nor `not_run`. All are still read.
"""

from __future__ import annotations

import json
import re
import zlib
from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from functools import partial
from math import isfinite, prod
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from render.errors import InputError, RenderError
from render.frame import Frame, Frames
from render.pictures import packing
from render.pictures.picture import decode
from render.request import Request
from render.trace import KINDS, NO_TILE, Span, Trace, Worker

SUFFIXES = (".trace.json",)
ABOUT = "the saved trace: everything, to make any output from later"
LARGEST_SIDE = None
MOST_TILES = None
KEEPS_PIXELS = False
open_sink = None
SCHEMA, VERSION = "render-trace", 4
READABLE = range(1, VERSION + 1)
LARGEST = (1 << 63) - 1
NAMES = {str: "text", list: "a list", dict: "an object"}

CHUNK_SPANS = 5000  # spans that become text at a time

Pixels = tuple[np.ndarray, np.ndarray | None, np.ndarray | None]
Kind = TypeVar("Kind", str, list[Any], dict[str, Any])


def write(frames: Frames, *, plain: bool = False) -> bytes:
    """Write all frames. A plain file is the same. Facts must be what JSON can hold."""
    runs = [
        _join_object(_run_members(frame) | (_pixel_members(frame) if _differs_from(frame, frames[0]) else {}))
        for frame in frames
    ]
    what = {"schema": SCHEMA, "version": VERSION, "kind": frames.kind, "not_run": list(map(list, frames.not_run))}
    members = {name: _encode_json(value) for name, value in what.items()}
    return b"".join(_join_object(members | _pixel_members(frames[0]) | {"runs": _join_list(runs)}))


Pieces = list[bytes]  # of JSON; a packed picture is neither searched for quotation marks nor copied until all is joined


def _encode_json(value: Any) -> Pieces:
    return [json.dumps(value, separators=(",", ":")).encode("ascii")]


def _join_object(members: dict[str, Pieces]) -> Pieces:
    joined = [b"{"]
    for name, pieces in members.items():
        joined += [b"," * (len(joined) > 1), *_encode_json(name), b":", *pieces]
    return [*joined, b"}"]


def _join_list(items: list[Pieces]) -> Pieces:
    joined = [b"["]
    for item in items:
        joined += [b"," * (len(joined) > 1), *item]
    return [*joined, b"]"]


def _differs_from(frame: Frame, first: Frame) -> bool:
    alike = _same_array(frame.steps, first.steps) and _same_array(frame.inside, first.inside)
    return frame.sha256 != first.sha256 or not alike


def _same_array(one: np.ndarray | None, other: np.ndarray | None) -> bool:
    return one is other if one is None or other is None else np.array_equal(one, other)


def _pixel_members(frame: Frame) -> dict[str, Pieces]:
    steps = [b"null"]
    if frame.steps is not None:
        rows = max(packing.BAND // (4 * frame.steps.shape[1]), 1)
        bands = [frame.steps[top : top + rows] for top in range(0, len(frame.steps), rows)]
        data = packing.pack_bands([partial(np.ascontiguousarray, band, "<i4") for band in bands])
        steps = [b'"', b64encode(data), b'"']
    inside = [b"null"]
    if frame.inside is not None:
        inside = [b'"', b64encode(packing.pack_bands([partial(np.packbits, frame.inside)])), b'"']
    return {"picture": [b'"', b64encode(frame.png()), b'"'], "steps": steps, "inside": inside}


def _run_members(frame: Frame) -> dict[str, Pieces]:
    trace = frame.trace
    index = {worker: number for number, worker in enumerate(dict.fromkeys(span.worker for span in trace.spans))}
    members = {
        "request": frame.request.as_dict(),
        "facts": trace.facts,
        "began": trace.began,
        "asked": trace.asked,
        "ended": trace.ended,
        "total_steps": frame.total_steps,
        "sha256": frame.sha256,
        "workers": [list(worker) for worker in index],
    }
    members |= {"small_picture": True} if frame.is_small else {}
    return {name: _encode_json(value) for name, value in members.items()} | {"spans": _span_rows(trace.spans, index)}


def _span_rows(spans: Sequence[Span], index: Mapping[Worker, int]) -> Pieces:
    """Encode the spans, many at a time, so that only their text is ever in memory as a whole."""
    pieces: Pieces = [b"["]
    for first in range(0, len(spans), CHUNK_SPANS):
        rows = _encode_json([[index[span.worker], *span[1:]] for span in spans[first : first + CHUNK_SPANS]])
        pieces += [b"," * (first > 0), rows[0][1:-1]]
    return [*pieces, b"]"]


def read(path: str | Path) -> Frames:
    """Read a saved trace; it equals what `write` was given, to the nanosecond and the last bit. Raises InputError."""
    try:
        data = Path(path).read_bytes()
    except (OSError, ValueError) as error:  # ValueError: a zero byte in the name
        why = getattr(error, "strerror", None) or error
        raise InputError(f"cannot read {path}: {why}", "give the path of a saved trace that you may read") from error
    try:
        return parse(data)
    except InputError as error:
        raise InputError(f"{path} {error.cause}", error.remedy) from error


def parse(data: bytes) -> Frames:
    """Parse the bytes of a saved trace. Raises InputError, whose cause lacks the file's name in front."""
    try:
        stored = json.loads(data, parse_float=_parse_finite, parse_constant=_parse_finite)
    except (ValueError, RecursionError) as error:
        raise _malformed_error("it is not valid JSON, or not complete") from error
    if not isinstance(stored, dict) or stored.get("schema") != SCHEMA:
        raise _malformed_error(f"its schema is not {SCHEMA!r}")
    version = stored.get("version")
    if type(version) is not int or version not in READABLE:
        raise InputError(
            f"is a saved trace of version {version!r}, and this program reads {READABLE[0]} to {VERSION}",
            "use the program that saved it, or save it again with this one",
        )
    try:
        runs = _check_rows(stored["runs"], dict)
        if not runs:
            raise ValueError("it contains no run")
        requests = [Request.from_dict(_check_type(run["request"], dict)) for run in runs]
        shared = _read_pixels(stored)
        frames = [_parse_frame(run, request, shared) for run, request in zip(runs, requests, strict=True)]
        return Frames(tuple(frames), *_kind_and_not_run(stored))
    except KeyError as error:
        raise _malformed_error(f"{error} is missing") from error
    except (TypeError, ValueError, zlib.error, MemoryError, RecursionError) as error:
        raise _malformed_error((str(error) or type(error).__name__).splitlines()[0]) from error
    except RenderError as error:  # of the request or the picture
        raise _malformed_error(error.cause) from error


def _parse_finite(written: str) -> float:
    """Parse a number that JSON has. Raises ValueError for NaN and infinity."""
    value = float(written)
    if not isfinite(value):
        raise ValueError(f"{written} is not a number")
    return value


def _kind_and_not_run(stored: dict[str, Any]) -> tuple[str, tuple[tuple[str, str], ...]]:
    """Read draw or race, and the modes that did not run. Version 1: a race if there are several runs."""
    if stored["version"] == 1:
        return Frames.KINDS[len(stored["runs"]) > 1], ()
    kind = _check_type(stored["kind"], str)
    if kind not in Frames.KINDS or (kind == "draw" and len(stored["runs"]) > 1):
        raise ValueError(f"{len(stored['runs'])} runs cannot be a {kind:.40}")
    rows = _check_rows(stored["not_run"], list)
    return kind, tuple((_check_type(mode, str), _check_type(reason, str)) for mode, reason in rows)


def _malformed_error(why: str) -> InputError:
    return InputError(f"is not a saved trace: {why}", "save it again with --trace")


def _read_pixels(stored: dict[str, Any]) -> Pixels:
    picture = decode(b64decode(_check_type(stored["picture"], str), validate=True))
    rgb = picture.rgb
    if picture.depth > 8 or picture.alpha is not None or picture.more:
        raise ValueError("its picture is not 8-bit RGB, as it was saved")
    height, width, _ = rgb.shape
    if stored["steps"] is None:
        return rgb, None, None
    steps = _unpack_bytes(stored["steps"], height * width * 4, "steps")
    inside = stored.get("inside")
    if inside is not None:
        bits = np.frombuffer(_unpack_bytes(inside, -(-height * width // 8), "inside"), np.uint8)
        inside = np.unpackbits(bits, count=height * width).astype(np.bool_).reshape(height, width)
    return rgb, np.frombuffer(steps, "<i4").astype(np.int32).reshape(height, width), inside


def _unpack_bytes(stored: Any, size: int, name: str) -> bytes:
    """Unpack exactly `size` bytes, whatever the file claims."""
    raw = zlib.decompressobj().decompress(b64decode(_check_type(stored, str), validate=True), size + 1)
    if len(raw) != size:
        raise ValueError(f"its {name} do not fit its picture")
    return raw


def _parse_frame(run: dict[str, Any], request: Request, shared: Pixels) -> Frame:
    rgb, steps, inside = _read_pixels(run) if "picture" in run else shared
    total_steps, trace = _check_whole(run["total_steps"]), _parse_trace(run, request)
    if run.get("small_picture"):
        whole = _check_type(run["sha256"], str)
        if not re.fullmatch("[0-9a-f]{64}", whole) or steps is not None:
            raise ValueError("a small picture has no sha256 of the whole one, or steps of its own")
        return Frame(rgb, None, total_steps, request, trace, whole_sha256=whole)
    frame = Frame(rgb, steps, total_steps, request, trace, inside)
    if rgb.shape != (request.height, request.width, 3):
        raise ValueError("a picture does not have the size of its request")
    if frame.sha256 != run["sha256"]:
        raise ValueError("a picture does not match its sha256")
    return frame


def _parse_trace(run: dict[str, Any], request: Request) -> Trace:
    workers = [_parse_worker(row) for row in _check_rows(run["workers"], list)]
    tiles = prod(request.rows_and_columns)
    spans = tuple(_parse_span(row, workers, tiles) for row in _check_rows(run["spans"], list))
    began, asked, ended = (_check_whole(run[name]) for name in ("began", "asked", "ended"))
    if not began <= asked <= ended:
        raise ValueError("a run ended before it began")
    return Trace(spans, began, asked, ended, _check_facts(_check_type(run["facts"], dict)))


def _check_facts(facts: dict[str, Any]) -> dict[str, Any]:
    """Check that facts are flat: numbers, texts, true, false, null, and lists of these."""
    for name, fact in facts.items():
        if any(isinstance(value, (dict, list)) for value in (fact if isinstance(fact, list) else [fact])):
            raise TypeError(f"the fact {name[:40]!r} is neither number nor text")
    return facts


def _parse_worker(row: list[Any]) -> Worker:
    process, thread, device, *more = row
    (host,) = more or ("",)  # versions 1 to 3 had none
    process, thread = (_check_whole(number, None) for number in (process, thread))
    return Worker(process, thread, _check_type(device, str), _check_type(host, str))


def _parse_span(row: list[Any], workers: Sequence[Worker], tiles: int) -> Span:
    worker, tile, kind, t0, t1, cpu, *more = row
    cpu_end, on_cpu = more or (-1, None)  # versions 1 and 2 had no more
    if kind not in KINDS:
        raise ValueError(f"there is no kind of time {kind!r}")
    if _check_whole(worker) >= len(workers):
        raise ValueError(f"there is no worker {worker}")
    if _check_whole(tile, NO_TILE) >= tiles:
        raise ValueError(f"there is no tile {tile}")
    if _check_whole(t1) < _check_whole(t0):
        raise ValueError(f"a span ends at {t1}, before it starts at {t0}")
    on_cpu = None if on_cpu is None else _check_whole(on_cpu)
    return Span(workers[worker], tile, kind, t0, t1, _check_whole(cpu, -1), _check_whole(cpu_end, -1), on_cpu)


def _check_rows(value: Any, kind: type[Kind]) -> list[Kind]:
    return [_check_type(row, kind) for row in _check_type(value, list)]


def _check_type(value: Any, kind: type[Kind]) -> Kind:
    if not isinstance(value, kind):
        raise TypeError(f"expected {NAMES[kind]}, not {str(value)[:40]!r}")
    return value


def _check_whole(value: Any, lowest: int | None = 0) -> int:
    """Check for a whole number that fits 64 bits (JSON's true is none)."""
    if type(value) is not int or not (-LARGEST if lowest is None else lowest) <= value <= LARGEST:
        start = "" if lowest is None else f" from {lowest}"
        raise ValueError(f"expected a whole number{start}, not {str(value)[:40]!r}")
    return value
