"""The trace for the tools that others look at traces with: Perfetto (ui.perfetto.dev), VizTracer, chrome://tracing.

Chrome's Trace Event Format as a JSON object. Each run is a process, each worker a thread of it; all runs begin at 0,
so that they lie one above the other on one scale:

    complete events (X)       each span in its worker's lane; of those that overlap in a lane, which viewers would drop,
                              painting stays there and waiting becomes an asynchronous slice
    asynchronous (b, e)       each tile that was put aside: in flight, and inside it painted and put aside in turn
    flow arrows (s, t, f)     from where such a tile is put aside to where it is taken up
    counters (C)              workers at a tile, and tiles in flight
    instants (i)              the first tile done, and the last

The multiprocessors of a graphics card are another level of the same work, and so another process after the run's: a
thread each, and a counter of how many are busy. A lane shows one tile at a time: where blocks of several share a
multiprocessor, the tile that it began last.

A slice of a worker that had no CPU for a part of its time says so in its name; its arguments have the CPU time.

Times are in microseconds with three decimals, so that whole nanoseconds come back as they were.
"""

from __future__ import annotations

import json
from bisect import bisect
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import Any

from render import stats
from render.cpu_time import share
from render.frame import Frame, Frames
from render.plan import Tile, cut
from render.trace import NO_TILE, Span, Trace, Worker

SUFFIXES = (".chrome.json", ".perfetto.json")
ABOUT = "the trace for Perfetto, VizTracer and chrome://tracing"
LANES = 10_000  # thread numbers of a run: a thread with the number of its process would count as its main thread

Event = dict[str, Any]


def write(frames: Frames, *, plain: bool = False) -> bytes:
    """All runs. There is nothing to leave out, so a plain file is the same."""
    events = [event for number, frame in enumerate(frames, 1) for event in _run(number, frame)]
    for number, frame in enumerate(frames, 1):
        events += _inside(len(frames) + number, number, frame)
    first = frames[0]
    told = {"program": "render", "scene": first.request.scene, "view": first.request.view, "sha256": first.sha256}
    stored = {"traceEvents": events, "displayTimeUnit": "ms", "otherData": told}
    return json.dumps(stored, separators=(",", ":")).encode("ascii")


def microseconds(ns: int) -> float:
    """Exact to the nanosecond: written with at most three decimals, for times of up to 10^12 microseconds."""
    return round(ns / 1000, 3)


def lanes(trace: Trace) -> dict[Worker, str]:
    """All workers with a span and their names: those that painted first, numbered, then those that only prepared."""
    painted = {worker: f"worker {number}{_which(worker)}" for number, worker in enumerate(trace.workers)}
    spans = sorted((span for span in trace.spans if span.kind != "block"), key=lambda span: span.t0)
    others = dict.fromkeys(span.worker for span in spans if span.worker not in painted)
    return painted | {worker: f"prepares (thread {worker.thread})" for worker in others}


def _which(worker: Worker) -> str:
    """What a worker is that is no thread of a CPU."""
    return "" if worker.device == "cpu" else f" ({worker.device})"


def placed(spans: Iterable[Span]) -> tuple[list[Span], list[Span]]:
    """The spans of one lane that do not overlap, by time, and those that had to leave; waiting leaves before others."""
    kept: list[Span] = []
    left = []
    for span in sorted(spans, key=lambda span: (span.kind == "wait", span.t0, span.t1)):
        at = bisect(kept, (span.t0, span.t1), key=lambda other: (other.t0, other.t1))
        before, after = kept[at - 1 : at] if at else [], kept[at : at + 1]
        if any(other.t1 > span.t0 for other in before) or any(other.t0 < span.t1 for other in after):
            left.append(span)
        else:
            kept.insert(at, span)
    return kept, left


def _run(number: int, frame: Frame) -> Iterator[Event]:
    trace = frame.trace
    named = lanes(trace)
    threads = {worker: number * LANES + lane for lane, worker in enumerate(named, 1)}
    tiles = dict(enumerate(cut(frame.request)))
    yield _named("process_name", number, name=f"{number} {frame.title}")
    yield _named("process_labels", number, labels=f"{frame.request.scene}, view {frame.request.view}")
    yield _named("process_sort_index", number, sort_index=2 * number)
    for lane, (worker, name) in enumerate(named.items()):
        yield _named("thread_name", number, threads[worker], name=name)
        yield _named("thread_sort_index", number, threads[worker], sort_index=lane)
        mine, overlapping = placed(span for span in trace.spans if span.worker == worker and span.kind != "block")
        for span in mine:
            yield _complete(span, number, threads[worker], trace.began, tiles)
        for index, span in enumerate(overlapping, 1):
            yield from _aside(span, number, threads[worker], trace.began, hex((lane << 32) + index))
    yield from _juggled(trace, number, threads)
    yield from _counted(trace, number)


def _inside(pid: int, number: int, frame: Frame) -> Iterator[Event]:
    """The multiprocessors of a run, as a process of their own; nothing where there are none."""
    trace = frame.trace
    lanes = stats.shown(trace)
    if not lanes:
        return
    cards = len({worker.device for worker in lanes})
    tiles = dict(enumerate(cut(frame.request)))
    yield _named("process_name", pid, name=f"{number} {frame.title}: multiprocessors")
    yield _named("process_labels", pid, labels="the same work once more, from inside the card")
    yield _named("process_sort_index", pid, sort_index=2 * number + 1)
    for lane, (worker, spans) in enumerate(lanes.items(), 1):
        tid, name = pid * LANES + lane, "multiprocessor" if cards == 1 else worker.device
        yield _named("thread_name", pid, tid, name=f"{name} {worker.thread}")
        yield _named("thread_sort_index", pid, tid, sort_index=lane)
        for span in spans:
            yield _complete(span, pid, tid, trace.began, tiles)
    for instant, level in stats.levels(chain.from_iterable(stats.inside(trace).values())):
        at = {"pid": pid, "tid": 0, "ts": microseconds(instant - trace.began)}
        yield {"ph": "C", "name": "busy", **at, "args": {"multiprocessors": level}}


def _named(event: str, pid: int, tid: int = 0, **args: Any) -> Event:
    """Metadata of a process or a thread."""
    return {"ph": "M", "name": event, "pid": pid, "tid": tid, "ts": 0, "args": args}


def _said(span: Span) -> str:
    """The name of a span's slice."""
    if span.tile == NO_TILE:
        return span.kind
    given = share(span)
    held = "" if given == 1 else f" ({100 * given:.0f} % on a CPU)"
    return {"paint": f"tile {span.tile}{held}", "block": f"tile {span.tile}", "launch": "launches"}.get(
        span.kind, f"{span.kind}s"
    )


def _complete(span: Span, pid: int, tid: int, origin: int, tiles: dict[int, Tile]) -> Event:
    args: Event = {"kind": span.kind}
    if span.tile != NO_TILE:
        args |= {"tile": span.tile}
        if span.tile in tiles:
            _, args["x"], args["y"], args["width"], args["height"] = tiles[span.tile]
    if span.cpu >= 0:
        args["cpu"] = span.cpu
    if span.cpu_end >= 0:
        args["cpu at the end"] = span.cpu_end
    if span.on_cpu is not None:
        args["on a CPU (us)"] = microseconds(span.on_cpu)
    args |= {"os process": span.worker.process, "os thread": span.worker.thread, "device": span.worker.device}
    times = {"ts": microseconds(span.t0 - origin), "dur": microseconds(span.t1 - span.t0)}
    return {"ph": "X", "cat": span.kind, "name": _said(span), "pid": pid, "tid": tid, **times, "args": args}


def _aside(span: Span, pid: int, tid: int, origin: int, key: str) -> Iterator[Event]:
    """A span that overlaps others of its lane, as an asynchronous slice of its kind."""
    shared = {"cat": f"{span.kind} aside", "name": _said(span), "pid": pid, "tid": tid, "id2": {"local": key}}
    args = {"kind": span.kind, "tile": span.tile}
    yield {"ph": "b", "ts": microseconds(span.t0 - origin), **shared, "args": args}
    yield {"ph": "e", "ts": microseconds(span.t1 - origin), **shared}


def _juggled(trace: Trace, pid: int, threads: dict[Worker, int]) -> Iterator[Event]:
    """For each tile painted in several pieces: its time in flight, and arrows from piece to piece."""
    pieces: dict[int, list[Span]] = {}
    for span in trace.of_kind("paint"):
        if span.tile != NO_TILE and span.t1 > span.t0:
            pieces.setdefault(span.tile, []).append(span)
    for tile, own in pieces.items():
        if len(own) > 1:
            yield from _flight(tile, own, pid, threads, trace.began)
            yield from _arrows(tile, own, pid, threads, trace.began)


def _flight(tile: int, pieces: Sequence[Span], pid: int, threads: dict[Worker, int], origin: int) -> Iterator[Event]:
    """One name for all of them lets a viewer pack them into as few rows as there are tiles in flight."""
    shared = {"cat": "in flight", "pid": pid, "tid": threads[pieces[0].worker], "id2": {"local": hex(tile + 1)}}

    def slice_(name: str, t0: int, t1: int) -> Iterator[Event]:
        yield {"ph": "b", "name": name, "ts": microseconds(t0 - origin), **shared, "args": {"tile": tile}}
        yield {"ph": "e", "name": name, "ts": microseconds(t1 - origin), **shared}

    begins, ends = slice_("in flight", pieces[0].t0, max(piece.t1 for piece in pieces))
    yield begins
    until = pieces[0].t0
    for piece in pieces:
        if piece.t0 > until:
            yield from slice_("put aside", until, piece.t0)
        if piece.t1 > max(until, piece.t0):
            yield from slice_(f"tile {tile}", max(until, piece.t0), piece.t1)
        until = max(until, piece.t1)
    yield ends


def _arrows(tile: int, pieces: Sequence[Span], pid: int, threads: dict[Worker, int], origin: int) -> Iterator[Event]:
    """An arrow leaves and arrives in the middle of a slice, where no rounding can miss it."""
    kinds = ["s", *"t" * (len(pieces) - 2), "f"]
    for kind, piece in zip(kinds, pieces, strict=True):
        yield {
            "ph": kind,
            "bp": "e",
            "cat": "taken up",
            "name": "taken up",
            "id": pid * (1 << 21) + tile,
            "pid": pid,
            "tid": threads[piece.worker],
            "ts": microseconds((piece.t0 + piece.t1) // 2 - origin),
        }


def _counted(trace: Trace, pid: int) -> Iterator[Event]:
    """What ran and what was in flight at each change, and when the first and the last tile were done."""
    flights = stats.flights(trace)
    curves = {"at a tile": chain.from_iterable(stats.turns(trace).values()), "in flight": flights.values()}
    for name, intervals in curves.items():
        for instant, level in stats.levels(intervals):
            at = {"pid": pid, "tid": 0, "ts": microseconds(instant - trace.began)}
            yield {"ph": "C", "name": name, **at, "args": {"tiles": level}}
    done = sorted(end for _, end in flights.values())
    for name, instant in [("first tile done", done[0]), ("last tile done", done[-1])] if done else []:
        at = {"pid": pid, "tid": pid * LANES + 1, "ts": microseconds(instant - trace.began)}
        yield {"ph": "i", "s": "p", "cat": "run", "name": name, **at}
