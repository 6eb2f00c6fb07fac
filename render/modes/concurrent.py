"""Mode `concurrent`: one worker, several tiles started and put aside in turn. One chef, several dishes on the go.

    worker 0  |1|2|3|4|1|2|3|4|1|2|3|4|

Concurrency is not parallelism: never more than one tile is painted at an instant, so pure painting gets no faster,
and every tile is finished later than it would be alone. What juggling gives is that waiting costs nothing while
there is something else to do (`--wait`), and that every tile shows something early.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from render.painting.juggling import Juggler

if TYPE_CHECKING:
    from render.painting.painter import Done, Painter
    from render.plan import Tile
    from render.request import Request

KIND = "cpu"
OPTIONS = frozenset({"in_flight"})
IN_FLIGHT = 4


def unavailable_reason(request: Request) -> None:
    """Return None: an event loop is always available."""


def needs_shared_canvas(request: Request) -> bool:
    """Return False: this process alone paints."""
    return False


def run(tiles: Sequence[Tile], painter: Painter) -> Iterator[Done]:
    """Juggle the tiles; yield each as it is finished. The event loop runs only while somebody wants the next one."""
    left = iter(tiles)
    with _painting_thread() as call:
        juggler: Juggler = call(Juggler, painter, painter.request.in_flight)
        painted = juggler.paint(lambda: next(left, None))
        try:
            while (done := call(next, painted, None)) is not None:
                yield done
        finally:
            juggler.stop()  # where it still paints, after an interruption
            call(juggler.close)


@contextmanager
def _painting_thread() -> Iterator[Callable[..., Any]]:
    """Yield a function that calls others in the painting thread.

    That is so in a notebook and in a server: a thread takes no second loop.
    """
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        yield lambda function, *arguments: function(*arguments)
        return
    with ThreadPoolExecutor(1, "concurrent") as thread:
        yield lambda function, *arguments: thread.submit(function, *arguments).result()
