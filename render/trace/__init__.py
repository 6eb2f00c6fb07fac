"""Who worked on what, and when: spans of one clock, recorded inside the workers.

A span is one worker, one tile (or none), one kind of time, half open [t0, t1) in integer nanoseconds. Times come
from an injected clock (`time.perf_counter_ns`: one clock for all threads and processes of a machine), so tests
use a clock of their own and golden timelines are exact. Everything reported about a run afterwards (table,
statistics, pictures, pages) is computed from its trace and from nothing else.

Workers of a cluster have clocks of their own, which are tied to that of the client (`render.trace.tied_clock`); the
fact `clock_errors_ns` says by how much times of each of its `hosts` may be wrong.

A worker that has a tile is not always on a CPU: the system may have given the CPU to another program, and Python's lock
may be held by another thread. So a paint span says how much CPU time its thread was given (`on_cpu`), from the system's
clock of that thread, read inside the span, and on which CPUs it started and ended.

The kinds of time:

    import, start, compile, plan, save    what goes before and after the painting; machine code is imported too
    wait        a tile waits for its data
    launch      tiles were handed to a stream of a GPU together, and none of them is begun yet
    paint       a worker paints a tile; on a stream: from a tile's first square of 8 x 4 pixels to its last
    transfer    the pixels of a launch's tiles are copied back
    encode      of a film, whose tiles are frames: one is encoded
    load, play  of a film in a browser: a part of it is loaded (the span carries its last frame), a frame is shown
    block       a multiprocessor of a GPU has at least one square of a tile

A GPU is seen on two levels. Its streams are queues: a launch hands many tiles over at once, and their paint spans
overlap, for the GPU works on several at a time. A launch has one span of kind launch, which carries the number of its
first tile, and one of kind transfer, which carries that of its last. Its multiprocessors paint what the streams hand
over: block spans are the insides of paint spans, the same work seen once more. The two levels are never added up:
block spans count in no figure but those of the multiprocessors.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache, cached_property
from typing import Any

import numpy as np

from render.trace.spans import KINDS, NO_TILE, STAGES, Span, Spans, Worker

__all__ = [
    "KINDS",
    "NO_TILE",
    "STAGES",
    "SYSTEM_CLOCK",
    "Clock",
    "CpuClock",
    "Recorder",
    "Span",
    "Spans",
    "Trace",
    "Worker",
    "cpu_number",
    "on_gpu",
    "tile_owners",
]

# What is done with a film's frames, and by whom.
AFTER_PAINTING = {"encode": "encoder", "save": "writer", "load": "loader", "play": "player"}

FEW = 4096  # spans

Clock = Callable[[], int]
CpuClock = Callable[[], int | None]  # CPU time of the calling thread in ns; None: not known


@dataclass(frozen=True, eq=True)
class Trace:
    """All spans of one run.

    began: entry of the program; asked: start of the request; ended: end of the run (ns of the same
    clock). `facts` is a flat record of what really ran: machine, versions, device, simulated or not.
    """

    spans: tuple[Span, ...] | Spans
    began: int
    asked: int
    ended: int
    facts: dict[str, Any]

    def __repr__(self) -> str:
        """Show the number of spans and workers, and the time, on one line."""
        seconds = (self.ended - self.began) / 1e9
        return f"<Trace of {len(self.spans)} spans by {len(self.workers)} workers in {seconds:.3g} s>"

    def with_spans(self, spans: Sequence[Span], **changes: Any) -> Trace:
        """Add spans at the end, as columns where the others are; `changes` of the other members."""
        joined = self.spans + spans if isinstance(self.spans, Spans) else (*self.spans, *spans)
        return replace(self, spans=joined, **changes)

    @cached_property
    def columns(self) -> Spans:
        """All spans as arrays, whatever they are kept as."""
        return self.spans if isinstance(self.spans, Spans) else Spans.of(self.spans)

    @cached_property
    def workers(self) -> tuple[Worker, ...]:
        """Those that painted, in the order of their first paint span; where there are several hosts, host by host."""
        paint = self.columns.of_kind("paint")
        order = np.lexsort((paint.t1, paint.t0))
        numbers, places = np.unique(paint.worker[order], return_index=True)
        firsts = paint.t0[order][places].tolist(), paint.t1[order][places].tolist()
        known = zip(*firsts, (paint.workers[number] for number in numbers.tolist()), strict=True)
        by_time = [worker for *_, worker in sorted(known)]
        hosts = list(dict.fromkeys(worker.host for worker in by_time))
        return tuple(sorted(by_time, key=lambda worker: hosts.index(worker.host)))

    @cached_property
    def hosts(self) -> tuple[str, ...]:
        """The hosts of those that painted, in the order of their first paint span: one "" without a cluster."""
        return tuple(dict.fromkeys(worker.host for worker in self.workers))

    @cached_property
    def lanes(self) -> dict[Worker, str]:
        """Name the lane of each worker that had a tile: those that painted first, by number; then the stages of a film.

        Those that only waited come last; at a server that is the event loop, in which all requests wait.
        """
        names = {worker: f"worker {number}" for number, worker in enumerate(self.workers)}
        for kind, name in AFTER_PAINTING.items():
            for span in self.of_kind(kind):
                if span.tile != NO_TILE:
                    names.setdefault(span.worker, name)
        loop = self.facts.get("server") is True
        for span in self.of_kind("wait"):
            if span.tile != NO_TILE:
                names.setdefault(span.worker, "event loop" if loop else f"worker {len(names)}")
        return names

    @cached_property
    def multiprocessors(self) -> tuple[Worker, ...]:
        """The multiprocessors of GPUs that painted, GPU by GPU in the order of their numbers."""
        blocks = self.columns.of_kind("block")
        numbers = np.flatnonzero(np.bincount(blocks.worker)).tolist()  # np.unique alone would import numpy.ma
        workers = [blocks.workers[number] for number in numbers]
        return tuple(sorted(workers, key=lambda worker: (worker.process, worker.device, worker.thread)))

    @property
    def cpus(self) -> int | None:
        """The number of CPUs that the process may keep busy (`render.machine.cpus`); None where the facts lack it."""
        count = self.facts.get("cpus")
        return count if type(count) is int and count > 0 else None

    def of_kind(self, *kinds: str) -> list[Span]:
        """List the spans of these kinds, by start time."""
        these = self.columns.of_kind(*kinds)
        return list(these.take(np.lexsort((these.t1, these.t0))))


def on_gpu(workers: Iterable[Worker]) -> bool:
    """Test whether any of them is a part of a GPU, or of the simulator of one."""
    return any(worker.device != "cpu" for worker in workers)


@cache
def load_getcpu() -> Callable[[], int] | None:
    """Load glibc's sched_getcpu, which `os` offers nowhere; None where there is none."""
    if not sys.platform.startswith("linux"):
        return None
    import ctypes

    try:
        call = ctypes.PyDLL(None).sched_getcpu  # PyDLL: a quarter of a microsecond, not worth dropping the GIL
    except (AttributeError, OSError):
        return None
    call.restype = ctypes.c_int
    call.argtypes = []
    return call


def cpu_number() -> int:
    """Return the CPU that this thread runs on just now; -1 where the system does not say."""
    call = load_getcpu()
    return -1 if call is None else call()


def read_nothing() -> None:
    """Return None: the CPU time of a thread is not known."""


SYSTEM_CLOCK: Clock = time.perf_counter_ns
THREAD_CLOCK: CpuClock = getattr(time, "thread_time_ns", read_nothing)


class ThreadState(threading.local):
    """State of each thread: the worker that it is, once that was needed."""

    worker: Worker | None = None


THREAD_STATE = ThreadState()


class Recorder:
    """Collects spans inside one process. Appending is one atomic list operation, so threads may share it.

    `cpu_clock` returns the CPU time of the calling thread; with a `clock` that is not the system's, that time is
    unknown unless `cpu_clock` is given too.
    """

    def __init__(
        self,
        clock: Clock = SYSTEM_CLOCK,
        cpu_clock: CpuClock | None = None,
        announce: Callable[[str], None] = lambda text: None,
    ) -> None:
        self.clock = clock
        self.announce = announce  # called with what whoever waits should know now
        self.cpu_clock = cpu_clock or (THREAD_CLOCK if clock is SYSTEM_CLOCK else read_nothing)
        self._spans: list[Span | Spans] = []
        self._painters: dict[int, Worker] = {}  # of the tiles among the first `_seen` spans
        self._seen = 0
        self.losses: list[str] = []  # workers that were lost, a few words each
        self.facts: dict[str, Any] = {}  # of the run, which only those who painted know

    @staticmethod
    def current_worker() -> Worker:
        """Return the calling worker: this thread of this process. One object for all its spans."""
        worker = THREAD_STATE.worker
        if worker is None or worker.process != os.getpid():  # a process that was forked has its parent's
            THREAD_STATE.worker = worker = Worker(os.getpid(), threading.get_native_id())
        return worker

    def add(
        self, kind: str, t0: int, t1: int, tile: int = NO_TILE, worker: Worker | None = None, cpu: int = -1
    ) -> None:
        """Record one span; of the calling thread unless another worker is named."""
        self._spans.append(Span(worker or self.current_worker(), tile, kind, t0, t1, cpu))

    @contextmanager
    def span(self, kind: str, tile: int = NO_TILE) -> Iterator[None]:
        """Record the time that the body takes, also when it fails."""
        cpu, t0 = cpu_number(), self.clock()
        try:
            yield
        finally:
            self.add(kind, t0, self.clock(), tile, cpu=cpu)

    def record_work(self, kind: str, tile: int) -> WorkSpan:
        """Record, in a `with` statement, how long work on a tile takes and the CPU time of this thread meanwhile."""
        return WorkSpan(self, kind, tile)

    def painter_of(self, tile: int) -> Worker:
        """Return the worker that painted a finished tile, as far as is recorded here; the caller where nothing is."""
        spans, known, end = self._spans, self._painters, len(self._spans)
        for at in range(self._seen, end):  # each span once, however far the workers are ahead of who asks
            recorded = spans[at]
            for span in (recorded,) if isinstance(recorded, Span) else recorded.of_kind("paint"):
                if span.kind == "paint":
                    known[span.tile] = span.worker
        self._seen = end
        return known.get(tile) or self.current_worker()

    def report_loss(self, how: str) -> None:
        """Keep, in a few words, how a worker was lost and at which tile."""
        self.losses.append(how)

    def extend(self, spans: Iterable[Span]) -> None:
        """Take over spans that another process recorded, or whole columns of them."""
        if isinstance(spans, Spans):
            self._spans.append(spans)
        else:
            self._spans.extend(spans)

    def compact(self) -> None:
        """Keep the spans so far as columns, which take a fifth of the memory. Nobody asks any more who painted them."""
        spans = self._spans[:]
        single = [span for span in spans if isinstance(span, Span)]
        if len(single) > FEW:
            columns = [*(span for span in spans if isinstance(span, Spans)), Spans.of(single)]
            self._spans[: len(spans)] = columns
            self._painters, self._seen = {}, len(columns)

    def drain(self) -> tuple[Span, ...] | Spans:
        """Return all spans so far, as columns where any were recorded so, and forget them here."""
        spans, self._spans = self._spans, []
        self._painters, self._seen = {}, 0
        single = [span for span in spans if isinstance(span, Span)]
        if len(single) == len(spans):
            return tuple(single)
        return Spans.joined([Spans.of(single), *(span for span in spans if isinstance(span, Spans))])


class WorkSpan:
    """The body of a `with` statement as a span with its CPU time. No generator: slices are many and short.

    CPU time is read inside the span, so that it is never longer than the span.
    """

    __slots__ = ("cpu", "given", "kind", "recorder", "t0", "tile")

    def __init__(self, recorder: Recorder, kind: str, tile: int) -> None:
        self.recorder, self.kind, self.tile = recorder, kind, tile

    def __enter__(self) -> None:
        self.cpu = cpu_number()
        self.t0 = self.recorder.clock()
        self.given = self.recorder.cpu_clock()

    def __exit__(self, *error: object) -> None:
        after = self.recorder.cpu_clock()
        t1 = self.recorder.clock()
        on_cpu = None if self.given is None or after is None else after - self.given
        worker = self.recorder.current_worker()
        self.recorder.extend((Span(worker, self.tile, self.kind, self.t0, t1, self.cpu, cpu_number(), on_cpu),))


def tile_owners(trace: Trace) -> dict[int, int]:
    """Find who painted each tile: the worker's number, in the order of their first paint, by tile number.

    A tile that several painted is the one's who painted it last.
    """
    paint = trace.columns.of_kind("paint")
    paint = paint.take(paint.tile != NO_TILE)
    number = {worker: index for index, worker in enumerate(trace.workers)}
    numbers = np.array([number.get(worker, 0) for worker in paint.workers], np.int64)
    order = np.lexsort((paint.t1, paint.t0, paint.tile))
    tiles, owners = paint.tile[order], numbers[paint.worker[order]] if len(paint) else paint.worker
    last = np.flatnonzero(np.diff(tiles, append=NO_TILE))
    return dict(zip(tiles[last].tolist(), owners[last].tolist(), strict=True))
