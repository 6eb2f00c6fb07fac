"""A made-up run of a graphics card, of the shape and size that a real one has: nothing here was ever measured.

Eight streams hand bands of the frame to 132 multiprocessors. Each band is cut into blocks, dearer where the band lies
in the middle; a free place on a multiprocessor takes the next block of the band that was launched first. Times are
ns; blocks begin and end on a clock that ticks every 32 ns, as that of an H100 does.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from heapq import heapify, heappop, heappush
from random import Random

from render.frame import Frame
from render.trace import Span, Trace, Worker
from render.trace.intervals import merge_intervals

GPU = "NVIDIA H100 (synthetic)"
TICK, HAND_OVER, START, COPY = 32, 3_500, 5_200, 9_000  # ns: of the clock, and what the host and the bus take
PLACES = 6  # blocks that a multiprocessor has at once


def stream(number: int, gpu: str = GPU) -> Worker:
    """A stream of a GPU."""
    return Worker(7, number, f"{gpu} stream {number}")


def multiprocessor(number: int, gpu: str = GPU) -> Worker:
    """A multiprocessor of a GPU."""
    return Worker(7, number, f"{gpu} multiprocessor")


def with_gpu(frame: Frame, *, bands: int = 30, streams: int = 8, multiprocessors: int = 132, ms: float = 3.0) -> Frame:
    """The frame as if a GPU had painted it in so many bands, in about so many milliseconds."""
    height = -(-frame.request.height // bands)
    request = replace(frame.request, mode="cuda", target="cuda", backend=None, tile=(frame.request.width, height))
    random = Random(1)  # noqa: S311  (the same run each time)
    costs = [1.0 + 5.0 * max(0.0, 1 - abs(2 * band / max(bands - 1, 1) - 1) * 1.4) for band in range(bands)]
    each = ms * 1e6 * multiprocessors * PLACES / (sum(costs) * 540)
    began, start = 40_000_000, 52_000_000
    free = [(start, place % multiprocessors) for place in range(multiprocessors * PLACES)]
    heapify(free)
    queues = [(start + number * HAND_OVER, number) for number in range(streams)]
    heapify(queues)
    spans, bus = [], start
    for band in range(bands):
        asked, number = heappop(queues)
        blocks: dict[int, list[tuple[int, int]]] = defaultdict(list)
        for _ in range(540):
            at, own = heappop(free)
            t0 = max(at, asked + START) // TICK * TICK + TICK
            t1 = t0 + max(int(each * costs[band] * random.uniform(0.5, 1.5)) // TICK * TICK, TICK)
            blocks[own].append((t0, t1))
            heappush(free, (t1, own))
        first, last = (
            min(t0 for own in blocks.values() for t0, _ in own),
            max(t1 for own in blocks.values() for _, t1 in own),
        )
        bus = max(bus, last) + COPY
        spans += [
            Span(stream(number), band, "launch", asked, first),
            Span(stream(number), band, "paint", first, last),
            Span(stream(number), band, "transfer", last, bus),
        ]
        for own, times in sorted(blocks.items()):
            spans += [Span(multiprocessor(own), band, "block", t0, t1) for t0, t1 in merge_intervals(times)]
        heappush(queues, (bus + HAND_OVER, number))
    host = Worker(7, 1000)
    spans += [Span(host, -1, "compile", began, began + 9_000_000), Span(host, -1, "start", began + 9_000_000, start)]
    facts = {"device": GPU, "simulated": False, "multiprocessors": multiprocessors, "card_clock_error_ns": 410}
    return replace(frame, request=request, trace=Trace(tuple(spans), began, began, bus + 500_000, facts))
