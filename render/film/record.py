"""The record of a film: a trace in which a tile is a frame, and the contact sheet that has a cell for each.

The sheet and the trace together are a Frame as any run leaves one, so that every output shows a film too: a lane for
each worker, one for the encoder and one for the writer, and the frames appear cell by cell.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from fractions import Fraction
from math import isqrt
from typing import Any

import numpy as np

from render.frame import Frame
from render.request import Request
from render.trace import NO_TILE, Recorder, Span, Trace

CELL = 96  # pixels: about the width of a cell
JOINED = 200_000  # ns: spans of one worker and frame that lie closer are recorded as one
AROUND = 4  # columns more or fewer than a sheet of 16 to 9 would have, so that few cells stay empty


class ContactSheet:
    """The frames of a film, small, row by row in cells."""

    def __init__(self, width: int, height: int, frames: int) -> None:
        self._step = max(min(-(-width // CELL), width, height), 1)
        wide, high = width // self._step, height // self._step
        self.tile = wide, high
        near = max(isqrt(16 * frames * high // (9 * wide)), 1)
        self._columns = min(
            range(max(near - AROUND, 1), near + AROUND + 1), key=lambda one: (-frames % one, abs(one - near))
        )
        self.rgb = np.zeros((-(-frames // self._columns) * high, self._columns * wide, 3), np.uint8)

    def add(self, number: int, rgb: np.ndarray) -> None:
        """Put a frame into its cell: a pixel of each square of them."""
        wide, high = self.tile
        row, column = divmod(number, self._columns)
        first = self._step // 2
        small = rgb[first :: self._step, first :: self._step][:high, :wide]
        self.rgb[row * high : (row + 1) * high, column * wide : (column + 1) * wide] = small


class FilmRecord:
    """Collects what happens to a film."""

    def __init__(self, request: Request, frames: int, recorder: Recorder) -> None:
        self._sheet = ContactSheet(request.width, request.height, frames)
        self._request, self._recorder = request, recorder
        self._facts: Mapping[str, Any] = {}
        self._steps = 0

    def add(self, number: int, frame: Frame) -> None:
        """Add a frame that is painted."""
        self._sheet.add(number, frame.rgb)
        self._recorder.extend(spans_of_frame(frame.trace.spans, number))
        self._facts = self._facts or frame.trace.facts
        self._steps += frame.total_steps

    def finish(self, began: int, asked: int, ended: int, facts: Mapping[str, Any]) -> Frame:
        """Make the contact sheet with the trace of it all; times as in `render.trace.Trace`."""
        height, width, _ = self._sheet.rgb.shape
        request = replace(self._request, width=width, height=height, tile=self._sheet.tile, order="rows")
        trace = Trace(self._recorder.drain(), began, asked, ended, {**self._facts, **facts})
        return Frame(self._sheet.rgb, None, self._steps, request, trace)


def describe_film(frames: int, fps: Fraction, *, overlap: bool) -> dict[str, Any]:
    """Return the facts of a film's trace."""
    how = "overlapped" if overlap else "one after the other"
    return {"film": True, "frames": frames, "fps": float(fps), "overlap": overlap, "label": f"film ({how})"}


def spans_of_frame(spans: Iterable[Span], number: int) -> Iterator[Span]:
    """Yield the spans of a frame's own trace as those of one tile; blocks are left out, and short gaps closed."""
    last: dict[tuple[object, str], Span] = {}
    for span in sorted(spans, key=lambda one: (one.t0, one.t1)):
        if span.tile == NO_TILE:
            yield span
        elif span.kind != "block":
            key, mine = (span.worker, span.kind), span._replace(tile=number)
            before = last.get(key)
            if before is not None and mine.t0 - before.t1 <= JOINED:
                mine = join_spans(before, mine)
            elif before is not None:
                yield before
            last[key] = mine
    yield from last.values()


def join_spans(before: Span, after: Span) -> Span:
    """Join two spans of one worker, tile and kind."""
    known = before.on_cpu is not None and after.on_cpu is not None
    given = (before.on_cpu or 0) + (after.on_cpu or 0) if known else None
    return before._replace(t1=max(before.t1, after.t1), cpu_end=after.cpu_end, on_cpu=given)
