"""The trace for the tools that others look at traces with: Perfetto (ui.perfetto.dev), VizTracer, chrome://tracing.

Chrome's Trace Event Format as a JSON object. Each run is a process, each worker a thread of it, with numbers that no
other run has, so that files of several races can be combined; all runs begin at 0, so that they lie one above the other
on one scale:

    complete events (X)       each span in its worker's lane; of those that overlap in a lane, which viewers would drop,
                              painting stays there and waiting becomes an asynchronous slice
    asynchronous (b, e)       each tile that was put aside: in flight, and inside it painted and put aside in turn
    flow arrows (s, t, f)     from where such a tile is put aside to where it is taken up
    counters (C)              workers at a tile, and tiles in flight
    instants (i)              the first tile done, and the last

The multiprocessors of a GPU are another level of the same work, and so another process after the run's: a
thread each, and a counter of how many are busy. A lane shows one tile at a time: where blocks of several share a
multiprocessor, the tile that it began last.

A slice of a worker that had no CPU for a part of its time says so in its name; its arguments have the CPU time.

Times are in microseconds with three decimals, so that whole nanoseconds come back as they were.

The file is made piece by piece, for a million tiles take some 200 MB. A run of very many spans has no asynchronous
slices and arrows, and its counters show the highest level of each short while; `otherData` says so.
"""

from __future__ import annotations

import json
from bisect import bisect
from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256
from itertools import chain, groupby, islice
from typing import Any, NamedTuple

from render import stats
from render.cpu_time import cpu_share
from render.findings import claims, foremost
from render.frame import Frame, Frames
from render.plan import tile_of
from render.request import Request
from render.trace import NO_TILE, Span, Trace, Worker
from render.trace.intervals import Interval, count_levels
from render.wording import make_harmless

SUFFIXES = (".chrome.json", ".perfetto.json")
ABOUT = "the trace for Perfetto, VizTracer and chrome://tracing"
LARGEST_SIDE = None
MOST_TILES = None
KEEPS_PIXELS = False
open_sink = None
PROCESS_STRIDE = 4096  # a process has these from its own on for its threads: its own number would be its main thread's
MAX_NUMBER = 1 << 31  # of all numbers of processes and threads
MAX_JUGGLED_SPANS = 200_000  # spans; viewers that are shown slices and arrows of more do not open the file
MAX_CHANGES = 50_000  # of a counter
CHUNK_EVENTS = 2000  # events that are written at a time

Event = dict[str, Any]


def write(frames: Frames, *, plain: bool = False) -> Iterator[bytes]:
    """Write all runs, in pieces. A plain file is the same: there is nothing to leave out."""
    first = frames[0]
    scene, view = make_harmless(first.request.scene), make_harmless(first.request.view)
    other_data = {"program": "render", "scene": scene, "view": view, "sha256": first.sha256}
    other_data |= _describe_omissions(frames)
    yield b'{"traceEvents":['
    events, before = _all_events(frames), b""
    while together := list(islice(events, CHUNK_EVENTS)):
        yield before + _encode_json(together)[1:-1]
        before = b","
    yield b'],"displayTimeUnit":"ms","otherData":' + _encode_json(other_data) + b"}"


def _encode_json(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode("ascii")


def _all_events(frames: Frames) -> Iterator[Event]:
    pids = process_numbers(frames)
    for number, (frame, pid) in enumerate(zip(frames, pids, strict=False), 1):
        yield from _run_events(number, pid, frame)
    for number, (frame, pid) in enumerate(zip(frames, pids[len(frames) :], strict=True), 1):
        yield from _multiprocessor_events(pid, number, frame)


def process_numbers(frames: Frames) -> list[int]:
    """Number the processes of all runs, then those of their multiprocessors; other runs practically never share them.

    They follow from who painted and when, so the same frames have the same numbers.
    """
    numbers: list[int] = []
    for level in range(2):
        for index, frame in enumerate(frames):
            trace = frame.trace
            own = index, level, sorted({s.worker.process for s in trace.spans}), trace.began, trace.asked, trace.ended
            place = int.from_bytes(sha256(repr(own).encode()).digest()[:8])
            number = (1 + place % (MAX_NUMBER // PROCESS_STRIDE - 1)) * PROCESS_STRIDE
            while number in numbers:
                number = number % (MAX_NUMBER - PROCESS_STRIDE) + PROCESS_STRIDE
            numbers.append(number)
    return numbers


def _describe_omissions(frames: Frames) -> dict[str, str]:
    """Say what is left out of a run of very many tiles."""
    if max(len(frame.trace.spans) for frame in frames) <= MAX_JUGGLED_SPANS:
        return {}
    return {
        "left out": f"slices and arrows of tiles put aside, in runs of more than {MAX_JUGGLED_SPANS} spans; "
        f"all but the highest of counters that change more than {MAX_CHANGES} times"
    }


def to_microseconds(ns: int) -> float:
    """Convert to microseconds, exact to the nanosecond: at most three decimals, for up to 10^12 microseconds."""
    return round(ns / 1000, 3)


class Place(NamedTuple):
    """The place of events: a thread of a process (0: the process itself), and the instant from which times count."""

    pid: int
    tid: int
    origin: int

    def thread(self, lane: int) -> Place:
        """Make the place of the process's thread in a lane; lanes count from 1."""
        return self._replace(tid=self.pid + lane)

    def at(self, instant: int) -> Event:
        """Make the members of an event at this instant."""
        return {"pid": self.pid, "tid": self.tid, "ts": to_microseconds(instant - self.origin)}


def name_lanes(trace: Trace) -> dict[Worker, str]:
    """Name all workers that have a span: those that painted first, numbered, then those that did something else."""
    several = len(trace.hosts) > 1
    painted = {
        worker: f"{_host_prefix(worker) if several else ''}worker {number}{_device_suffix(worker)}"
        for number, worker in enumerate(trace.workers)
    }
    spans = sorted((span for span in trace.spans if span.kind != "block"), key=lambda span: span.t0)
    others = dict.fromkeys(span.worker for span in spans if span.worker not in painted)
    return painted | {worker: f"{_host_prefix(worker)}{_name_other(worker, trace)}" for worker in others}


def _name_other(worker: Worker, trace: Trace) -> str:
    """Name one that did not paint by what it did with tiles, or as one that only prepared."""
    return trace.lanes.get(worker) or f"prepares (thread {worker.thread})"


def _host_prefix(worker: Worker) -> str:
    """Name the host of a worker of a cluster in front of it, so that those of one host are seen to stand together."""
    return f"{make_harmless(worker.host)}: " if worker.host else ""


def _device_suffix(worker: Worker) -> str:
    """Name the device of a worker that is no thread of a CPU."""
    return "" if worker.device == "cpu" else f" ({make_harmless(worker.device)})"


def split_overlapping(spans: Iterable[Span]) -> tuple[list[Span], list[Span]]:
    """Split the spans of a lane into those that do not overlap, by time, and the rest; waiting leaves first."""
    kept: list[Span] = []
    left = []
    for span in sorted(spans, key=lambda span: (span.kind == "wait", span.t0, span.t1)):
        if not kept or kept[-1].t1 <= span.t0:
            kept.append(span)
            continue
        at = bisect(kept, (span.t0, span.t1), key=lambda other: (other.t0, other.t1))
        before, after = kept[at - 1 : at] if at else [], kept[at : at + 1]
        if any(other.t1 > span.t0 for other in before) or any(other.t0 < span.t1 for other in after):
            left.append(span)
        else:
            kept.insert(at, span)
    return kept, left


def _run_events(number: int, pid: int, frame: Frame) -> Iterator[Event]:
    trace = frame.trace
    named = name_lanes(trace)
    process = Place(pid, 0, trace.began)
    places = {worker: process.thread(lane) for lane, worker in enumerate(named, 1)}
    yield _metadata_event("process_name", process, name=f"{number} {frame.title}")
    label = make_harmless(f"{frame.request.scene}, view {frame.request.view}")
    yield _metadata_event("process_labels", process, labels=label)
    yield _metadata_event("process_sort_index", process, sort_index=2 * number)
    errors = {one["host"]: one["clock_error_seconds"] for one in claims.list_hosts(trace)}
    own: dict[Worker, list[Span]] = {worker: [] for worker in named}
    for span in trace.spans:
        if span.kind != "block":
            own[span.worker].append(span)
    for lane, (worker, name) in enumerate(named.items()):
        place = places[worker]
        who = {"os process": worker.process, "os thread": worker.thread, "device": make_harmless(worker.device)}
        if worker.host:
            error = errors.get(worker.host) or 0.0
            who |= {"host": make_harmless(worker.host), "times may be wrong by (us)": round(error * 1e6, 3)}
        yield _metadata_event("thread_name", place, name=name, **who)
        yield _metadata_event("thread_sort_index", place, sort_index=lane)
        mine, overlapping = split_overlapping(own[worker])
        for span in mine:
            yield _complete_event(span, place, frame.request)
        for index, span in enumerate(overlapping, 1):
            yield from _async_events(span, place, hex((lane << 32) + index))
    yield from _juggling_events(trace, places)
    yield from _counter_events(trace, process)


def _multiprocessor_events(pid: int, number: int, frame: Frame) -> Iterator[Event]:
    """Yield the multiprocessors of a run as a process of their own; nothing if none were recorded."""
    trace = frame.trace
    lanes = foremost.foremost_blocks(trace)
    if not lanes:
        return
    process = Place(pid, 0, trace.began)
    gpus = len({worker.device for worker in lanes})
    yield _metadata_event("process_name", process, name=f"{number} {frame.title}: multiprocessors")
    yield _metadata_event("process_labels", process, labels="the same work once more, from inside the GPU")
    yield _metadata_event("process_sort_index", process, sort_index=2 * number + 1)
    for lane, (worker, spans) in enumerate(lanes.items(), 1):
        place = process.thread(lane)
        name = "multiprocessor" if gpus == 1 else make_harmless(worker.device)
        yield _metadata_event("thread_name", place, name=f"{name} {worker.thread}")
        yield _metadata_event("thread_sort_index", place, sort_index=lane)
        for span in spans:
            yield _complete_event(span, place, frame.request)
    busy = chain.from_iterable(stats.busy_intervals(trace).values())
    yield from _counter(process, "busy", "multiprocessors", busy)


def _metadata_event(event: str, place: Place, **args: Any) -> Event:
    """Make a metadata event of a process or a thread."""
    return {"ph": "M", "name": event, "pid": place.pid, "tid": place.tid, "ts": 0, "args": args}


def _slice_name(span: Span) -> str:
    """Name a span's slice."""
    if span.tile == NO_TILE:
        return span.kind
    given = cpu_share(span)
    suffix = "" if given == 1 else f" ({100 * given:.0f} % on a CPU)"
    names = {"paint": f"tile {span.tile}{suffix}", "block": f"tile {span.tile}", "launch": "launches"}
    return names.get(span.kind, f"{span.kind}s")


def _complete_event(span: Span, place: Place, request: Request) -> Event:
    args: Event = {}
    if span.tile != NO_TILE:
        args["tile"], args["x"], args["y"], args["width"], args["height"] = tile_of(request, span.tile)
    if span.cpu >= 0:
        args["cpu"] = span.cpu
    if span.cpu_end >= 0:
        args["cpu at the end"] = span.cpu_end
    if span.on_cpu is not None:
        args["on a CPU (us)"] = to_microseconds(span.on_cpu)
    times = place.at(span.t0) | {"dur": to_microseconds(span.t1 - span.t0)}
    return {"ph": "X", "cat": span.kind, "name": _slice_name(span), **times, "args": args}


def _async_events(span: Span, place: Place, key: str) -> Iterator[Event]:
    """Yield a span that overlaps others of its lane as an asynchronous slice of its kind."""
    shared = {"cat": f"{span.kind} aside", "name": _slice_name(span), "id2": {"local": key}}
    yield {"ph": "b", **place.at(span.t0), **shared, "args": {"kind": span.kind, "tile": span.tile}}
    yield {"ph": "e", **place.at(span.t1), **shared}


def _juggling_events(trace: Trace, places: dict[Worker, Place]) -> Iterator[Event]:
    """Yield, for each tile painted in several pieces, its time in flight and arrows from piece to piece."""
    pieces: dict[int, list[Span]] = {}
    if len(trace.spans) > MAX_JUGGLED_SPANS:
        return
    for span in trace.of_kind("paint"):
        if span.tile != NO_TILE and span.t1 > span.t0:
            pieces.setdefault(span.tile, []).append(span)
    flights = stats.flight_intervals(trace)
    for tile, own in pieces.items():
        if len(own) > 1:
            yield from _flight_events(tile, flights[tile], own, places[own[0].worker])
            yield from _flow_events(tile, own, places)


def _flight_events(tile: int, flight: Interval, pieces: Sequence[Span], place: Place) -> Iterator[Event]:
    """Yield a tile's time in flight; one shared name lets a viewer pack all tiles into few rows."""
    shared = {"cat": "in flight", "id2": {"local": hex(tile + 1)}}

    def slice_(name: str, t0: int, t1: int) -> Iterator[Event]:
        yield {"ph": "b", "name": name, **place.at(t0), **shared, "args": {"tile": tile}}
        yield {"ph": "e", "name": name, **place.at(t1), **shared}

    begins, ends = slice_("in flight", *flight)
    yield begins
    until = pieces[0].t0
    for piece in pieces:
        if piece.t0 > until:
            yield from slice_("put aside", until, piece.t0)
        if piece.t1 > max(until, piece.t0):
            yield from slice_(f"tile {tile}", max(until, piece.t0), piece.t1)
        until = max(until, piece.t1)
    yield ends


def _flow_events(tile: int, pieces: Sequence[Span], places: dict[Worker, Place]) -> Iterator[Event]:
    """Yield arrows that leave and arrive in the middle of a slice, where no rounding can miss it."""
    kinds = ["s", *"t" * (len(pieces) - 2), "f"]
    for kind, piece in zip(kinds, pieces, strict=True):
        place = places[piece.worker]
        where = {"id": place.pid * (1 << 21) + tile, **place.at((piece.t0 + piece.t1) // 2)}
        yield {"ph": kind, "bp": "e", "cat": "taken up", "name": "taken up", **where}


def _counter_events(trace: Trace, process: Place) -> Iterator[Event]:
    """Yield the tiles at workers and in flight at each change, and the first and last finished tile."""
    flights = stats.flight_intervals(trace)
    curves = {
        "at a tile": chain.from_iterable(stats.paint_intervals(trace).values()),
        "in flight": flights.values(),
        "waiting": stats.wait_intervals(trace),
    }
    for name, intervals in curves.items():
        yield from _counter(process, name, "tiles", intervals)
    done = sorted(end for _, end in flights.values())
    for name, instant in [("first tile done", done[0]), ("last tile done", done[-1])] if done else []:
        yield {"ph": "i", "s": "p", "cat": "run", "name": name, **process.thread(1).at(instant)}


def _counter(place: Place, name: str, what: str, intervals: Iterable[Interval]) -> Iterator[Event]:
    """Yield how many of `what` there were at each change."""
    for instant, level in _thin_changes(count_levels(intervals)):
        yield {"ph": "C", "name": name, **place.at(instant), "args": {what: level}}


def _thin_changes(changes: list[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Yield the changes of a counter; of too many, the highest level of each of equal times, and the last."""
    if len(changes) <= MAX_CHANGES:
        yield from changes
        return
    first, last = changes[0][0], changes[-1][0]
    slot = (last - first) // MAX_CHANGES + 1
    for _, group in groupby(changes, key=lambda change: (change[0] - first) // slot):
        together = list(group)
        yield together[0][0], max(level for _, level in together)
    yield changes[-1]
