"""Mode `concurrent`: one worker, several tiles begun and put aside in turn. One chef, several dishes on the go.

    worker 0  |1|2|3|4|1|2|3|4|1|2|3|4|

Concurrency is not parallelism: never more than one tile is painted at an instant, so pure painting gets no faster,
and every tile is finished later than it would be alone. What juggling gives is that waiting costs nothing while
there is something else to do (`--wait`), and that every tile shows something early.
"""

from __future__ import annotations

import asyncio
import selectors
import socket
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any, cast

from render.errors import ModeUnavailable
from render.painting.painter import Done

if TYPE_CHECKING:
    from render.painting.painter import Painter
    from render.plan import Tile
    from render.request import Request

KIND = "cpu"
OPTIONS = frozenset({"in_flight"})
IN_FLIGHT = 4


def unavailable_reason(request: Request) -> None:
    """Nothing: an event loop is always there."""


def needs_shared_canvas(request: Request) -> bool:
    """The canvas is painted by this process alone."""
    return False


def run(tiles: Sequence[Tile], painter: Painter) -> Iterator[Done]:
    """Drive the event loop only while somebody wants the next tile, so that closing this closes everything."""
    with _painting_thread() as call:
        loop, done = call(_new_event_loop), juggle_tiles(tiles, painter)
        try:
            while True:
                try:
                    yield call(loop.run_until_complete, anext(done))
                except StopAsyncIteration:
                    return
        finally:
            loop.call_soon_threadsafe(loop.stop)  # where it still runs, after an interruption
            call(_close_loop, loop, done)


@contextmanager
def _painting_thread() -> Iterator[Callable[..., Any]]:
    """Who paints, as a way to call a function there: this thread, or one of its own where an event loop runs in this.

    That is so in a notebook and in a server: a thread takes no second loop.
    """
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        yield lambda function, *arguments: function(*arguments)
        return
    with ThreadPoolExecutor(1, "concurrent") as thread:
        yield lambda function, *arguments: thread.submit(function, *arguments).result()


def _new_event_loop() -> asyncio.AbstractEventLoop:
    """An event loop. Raises ModeUnavailable where no files are left for one: asyncio would leave half of it behind."""
    try:
        with selectors.DefaultSelector(), ExitStack() as stack:
            for end in socket.socketpair():
                stack.enter_context(end)
    except OSError as error:
        raise ModeUnavailable(
            f"mode concurrent cannot run here: no event loop can be made ({error.strerror})",
            "allow more open files (ulimit -n), or add --mode sequential",
        ) from error
    return asyncio.new_event_loop()


def _close_loop(loop: asyncio.AbstractEventLoop, done: AsyncGenerator[Done]) -> None:
    """Close everything. After an interruption in the midst of a slice the others must not get another turn."""
    left = asyncio.all_tasks(loop)
    for task in left:
        task.cancel()
    loop.call_soon(loop.stop)  # an interrupted run may have left its own stop behind: let that be the last
    loop.run_forever()
    if left:
        loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
    loop.run_until_complete(done.aclose())
    for task in left:
        cast(Coroutine[object, object, object], task.get_coro()).close()  # one that has not started would complain
    loop.close()


async def juggle_tiles(tiles: Sequence[Tile], painter: Painter) -> AsyncGenerator[Done]:
    """Keep `in_flight` tiles begun; yield each as it is done, and begin the next in its place."""
    waiting = iter(tiles)
    finished: asyncio.Queue[asyncio.Task[Done]] = asyncio.Queue()
    underway: set[asyncio.Task[Done]] = set()

    def start_next() -> None:
        for tile in waiting:
            task = asyncio.ensure_future(paint_in_slices(tile, painter))
            underway.add(task)
            task.add_done_callback(finished.put_nowait)
            return

    for _ in range(painter.request.in_flight):
        start_next()
    try:
        while underway:
            task = await finished.get()
            underway.discard(task)
            result = task.result()
            start_next()
            yield result
    finally:
        for task in underway:
            task.cancel()
        await asyncio.gather(*underway, return_exceptions=True)


async def paint_in_slices(tile: Tile, painter: Painter) -> Done:
    """One tile: wait for its data without holding anybody up, then paint a slice and let the others have a turn."""
    await painter.wait_aside(tile)
    steps = 0
    for done in painter.slices(tile):
        steps = done.steps
        await asyncio.sleep(0)
    return Done(tile, steps)
