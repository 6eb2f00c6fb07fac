"""What the trace costs.

Tiles painted with the recorder and with one that keeps nothing. The difference is so small that a busy machine hides
it; so `one span` is measured alone as well (clock, the thread's CPU time and the CPU's number twice each, keeping the
record): times the spans of a run, over its time, that is the share that recording takes.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from typing import Any

from harness.cases import Case, Group, Missing, Once

SPANS = 500  # of the case that records nothing else
SMALL = (32, 32)
MODES = ("sequential", "parallel")


def groups(quick: bool) -> Iterator[Group]:  # noqa: FBT001  (one signature for all sections)
    """Small tiles, which have the most spans, in each mode of the CPU; nothing in quick."""
    for mode in () if quick else MODES:
        names = ("kept", "forgotten", "one span")
        yield Group(
            f"{mode}, tiles of 32x32",
            names,
            partial(prepare, mode),
            "forgotten",
            seconds=2.0,
            on_request=mode != "sequential",
        )


def prepare(mode: str, stack: ExitStack) -> Iterator[Case | Missing]:
    """Kept, forgotten, and a span alone."""
    from harness.program import ask
    from render import engine
    from render.trace import Recorder

    request = replace(ask(view="seahorses", samples=4, size=(640, 360), mode=mode), tile=SMALL)
    expected = engine.draw(request).rgb
    spans, kept = painting(request, Recorder, expected)
    yield Case("kept", kept, equal=True, facts={"spans": spans})
    yield Case("forgotten", painting(request, forgetful(), expected)[1], equal=True)
    yield Case("one span", one_span)


def painting(request: Any, recorder: Any, expected: Any) -> tuple[int, Once]:
    """Paint with a recorder of this kind, from giving the tiles to the mode until the last is finished; its spans.

    Raises Differ where the pixels (height, width, 3) are not as expected.
    """
    from harness.program import check_equal
    from render import modes, plan, scene, targets
    from render.frame import open_canvas
    from render.painting.painter import Painter

    kernel = targets.load(request.target).compile(scene.load(request.scene), request, lambda _text: None)
    mode, tiles = modes.load(request.mode), plan.plan(request)
    found = []

    def once() -> float:
        made = recorder()
        with open_canvas(request, shared=mode.needs_shared_canvas(request)) as surface:
            painter = Painter(request, surface, kernel, made)
            t0 = time.perf_counter_ns()
            for _ in mode.run(tiles, painter):
                pass
            spent = (time.perf_counter_ns() - t0) / 1e9
            check_equal(surface.rgb, expected, "values of the picture")
        found.append(len(made.drain()))
        return spent

    once()
    return found[0], once


def forgetful() -> type:
    """A recorder that keeps nothing of painting, and reads no clock for it."""
    from render import trace

    class Forgotten(trace.WorkSpan):
        """A paint span that is not recorded."""

        def __enter__(self) -> None:
            pass

        def __exit__(self, *error: object) -> None:
            pass

    class Forgetful(trace.Recorder):
        """Keeps nothing of painting."""

        def record_work(self, kind: str, tile: int) -> Forgotten:
            """Forget it."""
            return Forgotten(self, kind, tile)

    return Forgetful


def one_span() -> float:
    """Seconds that recording one span takes, over many."""
    from render.trace import Recorder

    recorder = Recorder()
    t0 = time.perf_counter_ns()
    for number in range(SPANS):
        with recorder.record_work("paint", number):
            pass
    return (time.perf_counter_ns() - t0) / SPANS / 1e9
