"""Where samples end soon: the whole set at limits of 100 to 5000.

1024 x 1024 pixels, one core, one sample, every step made. The program with colours and with steps alone, beside C++
with intrinsics, which writes counts and nothing else, and the same lanes used plainly: a patch is stepped until the
last of its lanes has ended, and shaded in full.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from typing import Any

from harness.cases import Absent, Case, Group, Missing
from sections.core import BARE, BARELY, CPP, PAINTED, SET

PLAIN = "vectors, not refilled"
LIMITS, EDGE = (100, 500, 1000, 5000), 1024


def groups(quick: bool) -> Iterator[Group]:  # noqa: FBT001  (one signature for all sections)
    """One group for each limit and precision; in a quick run of limit 500 alone."""
    for precision in ("f64", "f32"):
        for limit in (500,) if quick else LIMITS:
            yield Group(
                f"whole set, limit {limit}, {precision}",
                (PAINTED, BARELY, CPP, PLAIN),
                partial(prepare, limit, precision),
                base=CPP,
                controls=(CPP, PLAIN),
                seconds=4.0,
            )


def prepare(limit: int, precision: str, stack: ExitStack) -> Iterator[Case | Missing]:
    """The program twice, C++, and the plain loop; equal step counts first."""
    import numpy as np

    from harness import plain_loop
    from harness.program import ask, check_equal, count_steps, frame_of, kernel_case, plain
    from harness.timing import THREAD, timed
    from peers.cpp import HandWritten
    from render.frame import open_canvas, split_marked

    options = plain(SET, limit, precision, (EDGE, EDGE))
    request = ask(**options)
    expected = count_steps(request)
    facts: dict[str, Any] = {"steps": int(expected.sum(dtype=np.int64)), "pixels": expected.size}
    yield kernel_case(PAINTED, expected, facts, **options)
    yield kernel_case(BARELY, expected, facts, **options, scene=BARE)
    try:
        loop, frame, out = HandWritten(), frame_of(request), np.zeros_like(expected)
        loop.counts(frame, out)
        check_equal(out, expected)
        told = facts | {"instructions": loop.instructions}
        yield Case(CPP, timed(lambda: loop.counts(frame, out), THREAD), equal=True, facts=told, clock="thread")
    except Absent as absent:
        yield Missing(CPP, str(absent))
    canvas = stack.enter_context(open_canvas(request, shared=False))
    run = plain_loop.loop(plain_loop.paint, request, canvas, plain_loop.LANES, {})
    run()
    check_equal(split_marked(np.asarray(canvas.steps).copy())[0], expected)
    yield Case(PLAIN, timed(run, THREAD), equal=True, facts=facts, clock="thread")
