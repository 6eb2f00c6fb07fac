"""A browser's report of a film that it played while it was painted, as spans of the film's trace.

A browser knows how long after a film was asked for its parts were loaded and its frames played; the server knows when
that was, on the trace's clock.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from render.frame import Frame
from render.trace import Span, Worker
from render.trace.intervals import Interval

LOADER, PLAYER = Worker(0, 1, host="browser"), Worker(0, 2, host="browser")


class Viewing(NamedTuple):
    """Times of a film: when it was requested, on its trace's clock; when parts were loaded and it played, ns later."""

    asked: int
    loaded: Sequence[Interval] = ()
    played: Sequence[Interval] = ()


def add_viewing(sheet: Frame, viewing: Viewing, parts: Sequence[int], fps: float) -> Frame:
    """Add to a film's record what a browser did with it. `parts`: how many frames each part has."""
    trace = sheet.trace
    spans = [*_list_loading(viewing, parts), *_list_playing(viewing, sum(parts), fps)]
    ended = max([trace.ended, *(span.t1 for span in spans)])
    asked = min(viewing.asked, trace.asked)
    return sheet.with_trace(trace.with_spans(spans, began=asked, asked=asked, ended=ended))


def _list_loading(viewing: Viewing, parts: Sequence[int]) -> Iterator[Span]:
    """Yield a span for each part; it carries the part's last frame."""
    last = -1
    for (t0, t1), frames in zip(viewing.loaded, parts, strict=False):
        last += frames
        yield Span(LOADER, last, "load", viewing.asked + t0, viewing.asked + t1)


def _list_playing(viewing: Viewing, frames: int, fps: float) -> Iterator[Span]:
    """Yield a span for each frame that was shown; one that a stall interrupted has several."""
    each, before = 1e9 / fps, 0  # ns of a frame, and of the film that played before this stretch
    for t0, t1 in viewing.played:
        after = before + t1 - t0
        first, last = int(before // each), min(int(-(-after // each)), frames)
        edges = [before, *(round(number * each) for number in range(first + 1, last)), min(after, round(frames * each))]
        for number, (start, stop) in enumerate(pairwise(edges), first):
            if start < stop:
                shift = viewing.asked + t0 - before
                yield Span(PLAYER, number, "play", start + shift, stop + shift)
        before = after
