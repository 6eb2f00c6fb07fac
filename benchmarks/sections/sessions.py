"""What a frame costs besides its painting: drawn alone, and in a session.

256 x 256 pixels of the Mandelbrot set in each mode of the CPU, and 1280 x 720 on a GPU: the time of the call less what
its own trace says was spent on painting. `window` paints one pixel of a world of 2^31 x 2^31.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

from harness.cases import Case, Group, Missing, Once

HOW: dict[str, dict[str, Any]] = {
    "sequential": {"mode": "sequential"},
    "concurrent": {"mode": "concurrent"},
    "threads": {"mode": "parallel", "backend": "threading"},
    "processes": {"mode": "parallel", "backend": "loky"},
}
SIZE, GPU_SIZE = (256, 256), (1280, 720)


def groups(quick: bool) -> Iterator[Group]:  # noqa: FBT001  (one signature for all sections)
    """All modes together, for each is a few milliseconds; nothing in quick."""
    if not quick:
        names = (*(f"{name}, {how}" for name in HOW for how in ("alone", "session")), "window")
        yield Group("besides painting", names, prepare, "sequential, alone", "cores", seconds=2.0)
        yield Group("besides painting, GPU", ("session",), prepare_gpu, None, "cores", seconds=1.0)


def prepare(stack: ExitStack) -> Iterator[Case | Missing]:
    """Alone and in a session."""
    import numpy as np

    import render
    from harness.program import check_equal, check_hash

    expected = render.draw(size=SIZE, mode="sequential", parameters={"zoom": 1.5}).sha256
    for name, how in HOW.items():
        session = stack.enter_context(render.session(size=SIZE, **how))
        check_hash(render.draw(size=SIZE, parameters={"zoom": 1.5}, **how), expected)
        check_hash(session.draw(parameters={"zoom": 1.5}), expected)
        yield Case(f"{name}, alone", besides(render.draw, size=SIZE, **how), equal=True)
        yield Case(f"{name}, session", besides(session.draw), equal=True)
    world = stack.enter_context(render.session(mode="sequential", size=1 << 31))
    check_equal(world.window(0, 0, 1, 1).rgb, np.asarray(world.window(0, 0, 8, 8).rgb)[:1, :1], "pixels")
    yield Case("window", window(world), equal=True)


def prepare_gpu(stack: ExitStack) -> Iterator[Case | Missing]:
    """A session whose GPU stays open between its frames."""
    import render
    from harness.program import check_hash

    options: dict[str, Any] = {"size": GPU_SIZE, "samples": 4}
    session = stack.enter_context(render.session(mode="cuda", **options))
    first = session.draw(parameters={"zoom": 1.5})
    check_hash(first, render.draw(parameters={"zoom": 1.5}, **options).sha256)
    yield Case("session", besides(session.draw), equal=True)


def besides(draw: Callable[..., Any], **options: Any) -> Once:
    """A call, less its painting; another zoom each time, so that nothing is remembered."""
    from render import stats

    turn = 0

    def once() -> float:
        nonlocal turn
        turn += 1
        t0 = time.perf_counter()
        frame = draw(parameters={"zoom": 1 + turn % 100 / 100}, **options)
        return max(time.perf_counter() - t0 - stats.of(frame.trace).seconds["paint"], 1e-9)

    return once


def window(session: Any) -> Once:
    """One pixel of a large world, outside of the set."""
    from harness.timing import timed

    turn = 0

    def work() -> None:
        nonlocal turn
        turn += 1
        session.window(turn % 10_000, 0, 1, 1)

    return timed(work)
