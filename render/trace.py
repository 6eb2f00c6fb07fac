"""Who worked on what, and when: spans of one clock, recorded inside the workers.

A span is one worker, one tile (or none), one kind of time, half open [t0, t1) in integer nanoseconds. Times come
from an injected clock (`time.perf_counter_ns`: one clock for all threads and processes of a machine), so tests
use a clock of their own and golden timelines are exact. Everything that is told about a run afterwards (table,
statistics, pictures, pages) is computed from its trace and from nothing else.

A worker that has a tile is not always on a CPU: the system may have given the CPU to somebody else, and Python's lock
may be held by another thread. So a paint span says how much CPU time its thread was given (`on_cpu`), from the system's
clock of that thread, read inside the span, and on which CPUs it began and ended.

The kinds of time:

    import, start, compile, plan, save    what goes before and after the painting; machine code is imported too
    wait        a tile waits for its data
    launch      a tile was handed to a stream of a graphics card, which has not begun it yet
    paint       a worker paints a tile; on a stream: the card paints it
    transfer    a tile's pixels are copied back
    block       a multiprocessor of the card has at least one block of threads of a tile

A graphics card is seen on two levels. Its streams are queues: their launch, paint and transfer spans are like those of
any worker. Its multiprocessors paint what the streams hand over: block spans are the insides of a stream's paint span,
the same work seen once more. The two levels are never added up: block spans count in no figure but those of the
multiprocessors. Where blocks are not recorded, it is reckoned when a launch began to paint: when those handed over
before it had left room on the card.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

STAGES = ("import", "start", "compile", "plan", "launch", "paint", "wait", "transfer", "save")
KINDS = (*STAGES, "block")
NO_TILE = -1

Clock = Callable[[], int]
CpuClock = Callable[[], int | None]  # CPU time of the calling thread in ns; None: not known


class Worker(NamedTuple):
    """Who painted: a thread of a process, or of a graphics card a stream or, in block spans, a multiprocessor.

    `thread` is then the number of the stream or multiprocessor on its card, and `device` the card's name and which of
    the two it is.
    """

    process: int
    thread: int
    device: str = "cpu"


class Span(NamedTuple):
    """One worker, one tile (or `NO_TILE`), one kind of time, from t0 to t1 in ns.

    cpu, cpu_end: the CPUs that it began and ended on (-1: unknown). on_cpu: ns of CPU time that its thread was given
    meanwhile, for paint spans; None where that is not known, as on a GPU, or does not matter.
    """

    worker: Worker
    tile: int
    kind: str
    t0: int
    t1: int
    cpu: int = -1
    cpu_end: int = -1
    on_cpu: int | None = None


@dataclass(frozen=True, eq=True)
class Trace:
    """All spans of one run.

    began: entry of the program; asked: when the request began; ended: when the run was over (ns of the same
    clock). `facts` is a flat record of what really ran: machine, versions, device, simulated or not.
    """

    spans: tuple[Span, ...]
    began: int
    asked: int
    ended: int
    facts: dict[str, Any]

    def __repr__(self) -> str:
        """One line: how much there is, and how long it took."""
        seconds = (self.ended - self.began) / 1e9
        return f"<Trace of {len(self.spans)} spans by {len(self.workers)} workers in {seconds:.3g} s>"

    @property
    def workers(self) -> tuple[Worker, ...]:
        """Those that painted, in the order of their first paint span."""
        first: dict[Worker, tuple[int, int]] = {}
        for span in self.spans:
            if span.kind == "paint":
                times, known = (span.t0, span.t1), first.get(span.worker)
                first[span.worker] = times if known is None else min(known, times)
        return tuple(sorted(first, key=lambda worker: (first[worker], worker)))

    @property
    def multiprocessors(self) -> tuple[Worker, ...]:
        """The multiprocessors of graphics cards that had a block, card by card in the order of their numbers."""
        return tuple(sorted({s.worker for s in self.spans if s.kind == "block"}, key=_device_order))

    @property
    def cpus(self) -> int | None:
        """The number of CPUs that the process may keep busy (`render.machine.cpus`); None where the facts lack it."""
        told = self.facts.get("cpus")
        return told if type(told) is int and told > 0 else None

    def of_kind(self, *kinds: str) -> list[Span]:
        """List the spans of these kinds, by start time."""
        return sorted((s for s in self.spans if s.kind in kinds), key=lambda s: (s.t0, s.t1))


def on_gpu(workers: Iterable[Worker]) -> bool:
    """Test whether any of them is a part of a GPU, or of the simulator of one."""
    return any(worker.device != "cpu" for worker in workers)


def _device_order(worker: Worker) -> tuple[int, str, int]:
    """Card by card, and on each by number."""
    return worker.process, worker.device, worker.thread


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
    """Return the CPU that this thread runs on just now; -1 where the system does not tell."""
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

    `cpu_clock` tells the CPU time of the thread that calls it; beside a `clock` that is not the system's it is unknown
    unless it is given too.
    """

    def __init__(self, clock: Clock = SYSTEM_CLOCK, cpu_clock: CpuClock | None = None) -> None:
        self.clock = clock
        self.cpu_clock = cpu_clock or (THREAD_CLOCK if clock is SYSTEM_CLOCK else read_nothing)
        self._spans: list[Span] = []
        self._painters: dict[int, Worker] = {}  # of the tiles among the first `_seen` spans
        self._seen = 0

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

    def record_painting(self, tile: int) -> PaintSpan:
        """Record, in a `with` statement, how long painting a tile takes and the CPU time of this thread meanwhile."""
        return PaintSpan(self, tile)

    def painter_of(self, tile: int) -> Worker:
        """Return the worker that painted a finished tile, as far as is recorded here; the caller where nothing is."""
        spans, known, end = self._spans, self._painters, len(self._spans)
        for at in range(self._seen, end):  # each span once, however far the workers are ahead of who asks
            if spans[at].kind == "paint":
                known[spans[at].tile] = spans[at].worker
        self._seen = end
        return known.get(tile) or self.current_worker()

    def extend(self, spans: Iterable[Span]) -> None:
        """Take over spans that another process recorded."""
        self._spans.extend(spans)

    def drain(self) -> tuple[Span, ...]:
        """Return all spans so far, and forget them here."""
        spans, self._spans = self._spans, []
        self._painters, self._seen = {}, 0
        return tuple(spans)


class PaintSpan:
    """The body of a `with` statement as a paint span. No generator: slices are many and short.

    CPU time is read inside the span, so that it is never longer than the span.
    """

    __slots__ = ("cpu", "given", "recorder", "t0", "tile")

    def __init__(self, recorder: Recorder, tile: int) -> None:
        self.recorder, self.tile = recorder, tile

    def __enter__(self) -> None:
        self.cpu = cpu_number()
        self.t0 = self.recorder.clock()
        self.given = self.recorder.cpu_clock()

    def __exit__(self, *error: object) -> None:
        after = self.recorder.cpu_clock()
        t1 = self.recorder.clock()
        on_cpu = None if self.given is None or after is None else after - self.given
        worker = self.recorder.current_worker()
        self.recorder.extend((Span(worker, self.tile, "paint", self.t0, t1, self.cpu, cpu_number(), on_cpu),))


def tile_owners(trace: Trace) -> dict[int, int]:
    """Find who painted each tile: the worker's number, in the order of their first paint, by tile number.

    A tile that several painted is the one's who painted it last.
    """
    number = {worker: index for index, worker in enumerate(trace.workers)}
    last: dict[int, Span] = {}
    for span in trace.spans:
        if span.kind == "paint" and span.tile != NO_TILE:
            known = last.get(span.tile)
            if known is None or (known.t0, known.t1) <= (span.t0, span.t1):
                last[span.tile] = span
    return {tile: number[span.worker] for tile, span in last.items()}
