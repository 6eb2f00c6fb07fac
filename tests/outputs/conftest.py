"""Frames whose timelines are written as text: each letter is a millisecond of a worker, a digit the tile it is at.

Each span had a CPU for the share `given` of its time; None: nobody knows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import groupby
from typing import Any

import numpy as np
import pytest

from render.frame import Frame
from render.trace import Span, Trace, Worker
from tests.conftest import EXAMPLE

MS = 1_000_000


def spans(timelines: tuple[str, ...], given: float | None) -> tuple[Span, ...]:
    made = []
    for thread, timeline in enumerate(timelines):
        t0 = 1
        for tile, turn in groupby(timeline):
            t1 = t0 + len(list(turn))
            if tile.isdigit():
                on_cpu = None if given is None else round((t1 - t0) * MS * given)
                made.append(Span(Worker(7, thread), int(tile), "paint", t0 * MS, t1 * MS, thread, thread, on_cpu))
            t0 = t1
    return tuple(made)


@pytest.fixture
def draw() -> Callable[..., Frame]:
    """`draw("0011", "22.3", mode="parallel")`: two workers and what each painted, from 1 ms on; asked at 0.5 ms."""
    return drawn


def drawn(
    *timelines: str,
    colour: int = 0,
    facts: dict[str, Any] | None = None,
    given: float | None = 1.0,
    **changes: Any,
) -> Frame:
    request = replace(EXAMPLE, **changes)
    y, x = np.mgrid[: request.height, : request.width]
    rgb = np.stack([x * 5 % 256, y * 7 % 256, (x + y + colour) % 256], axis=2).astype(np.uint8)
    steps = (x * y).astype(np.int32) if request.samples == 1 else None
    ended = (max(map(len, timelines), default=0) + 2) * MS
    trace = Trace(spans(timelines, given), 0, MS // 2, ended, {"device": "a CPU", "simulated": False} | (facts or {}))
    return Frame(rgb, steps, 123_456, request, trace)
