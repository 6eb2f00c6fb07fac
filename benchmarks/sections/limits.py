"""Where samples end soon: the whole set at limits of 100 to 5000.

1024 x 1024 pixels, one core, one sample, every step made. The program with colours and with steps alone, beside C++
with intrinsics, which writes counts and nothing else, and the same lanes used plainly: a patch is stepped until the
last of its lanes has ended, and shaded in full.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial

from harness.cases import Case, Group, Missing
from sections.core import BARE, BARELY, CPP, PAINTED, SET, cpp_case

PLAIN = "vectors, not refilled"
LIMITS, EDGE = (100, 500, 1000, 5000), 1024


def groups(quick: bool) -> Iterator[Group]:  # noqa: FBT001  (one signature for all sections)
    """One group for each limit and precision; in a quick run of limit 500 alone."""
    for precision in ("f64", "f32"):
        for limit in (500,) if quick else LIMITS:
            name, names = f"whole set, limit {limit}, {precision}", (PAINTED, BARELY, CPP, PLAIN)
            yield Group(name, names, partial(prepare, limit, precision), CPP, seconds=4.0, controls=(CPP, PLAIN))


def prepare(limit: int, precision: str, stack: ExitStack) -> Iterator[Case | Missing]:
    """The program twice, C++, and the plain loop; equal step counts first."""
    import numpy as np

    from harness import plain_loop
    from harness.program import ask, check_equal, count_facts, count_steps, kernel_case, plain
    from harness.timing import THREAD, timed
    from render.frame import open_canvas, split_marked

    options = plain(SET, limit, precision, (EDGE, EDGE))
    request = ask(**options)
    expected = count_steps(request)
    yield kernel_case(PAINTED, expected, **options)
    yield kernel_case(BARELY, expected, **options, scene=BARE)
    yield cpp_case(request, expected)
    canvas = stack.enter_context(open_canvas(request, shared=False))
    run = plain_loop.loop(plain_loop.paint, request, canvas, plain_loop.LANES, {})
    run()
    check_equal(split_marked(np.asarray(canvas.steps).copy())[0], expected)
    yield Case(PLAIN, timed(run, THREAD), equal=True, facts=count_facts(expected), clock="thread")
