"""One worker that juggles: several tiles in flight, each put aside in turn for another.

    worker 0  |1|2|3|4|1|2|3|4|1|2|3|4|

Each tile is a coroutine on an event loop of the worker's own: it waits for its data while others are painted, and lets
them have a turn after each slice. The loop runs only while somebody wants the next tile.
"""

from __future__ import annotations

import asyncio
import selectors
import socket
from collections import deque
from collections.abc import Callable, Coroutine, Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING, Self, cast

from render.errors import ModeUnavailable
from render.painting.painter import Done

if TYPE_CHECKING:
    from render.painting.painter import Painter
    from render.plan import Tile


class Juggler:
    """Keeps up to `in_flight` tiles started. All but `stop` is for one thread.

    Raises ModeUnavailable where no event loop can be made.
    """

    def __init__(self, painter: Painter, in_flight: int) -> None:
        self._painter, self._in_flight = painter, in_flight
        self._loop = _new_event_loop()
        self._started = set[asyncio.Task[Done]]()
        self._finished = deque[asyncio.Task[Done]]()
        self._stopped = False

    def paint(self, take: Callable[[], Tile | None]) -> Iterator[Done]:
        """Yield each tile as it is finished, and start the next in its place, as long as `take` gives any.

        It is asked again whenever one more may be started. Raises TileError.
        """
        while not self._stopped:
            while len(self._started) < self._in_flight and (tile := take()) is not None:
                self._start(tile)
            if not self._started:
                return
            while not self._finished and not self._stopped:
                self._loop.run_forever()
            while self._finished:
                task = self._finished.popleft()
                self._started.discard(task)
                yield task.result()

    def _start(self, tile: Tile) -> None:
        task = self._loop.create_task(_paint_in_slices(tile, self._painter))
        self._started.add(task)
        task.add_done_callback(self._note)

    def _note(self, task: asyncio.Task[Done]) -> None:
        self._finished.append(task)
        self._loop.stop()

    def stop(self) -> None:
        """Let `paint` stop soon, called from any thread: after an interruption, in the middle of a tile."""
        self._stopped = True
        self._loop.call_soon_threadsafe(self._loop.stop)

    def close(self) -> None:
        """Close everything. After an interruption in the middle of a slice the others must not get another turn."""
        loop = self._loop
        for task in self._started:
            task.cancel()
        loop.call_soon(loop.stop)  # an interrupted run may have left its own stop behind: let that be the last
        loop.run_forever()
        if self._started:
            loop.run_until_complete(asyncio.gather(*self._started, return_exceptions=True))
        for task in self._started:
            cast(Coroutine[object, object, object], task.get_coro()).close()  # one that has not started would complain
        loop.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()


def _new_event_loop() -> asyncio.AbstractEventLoop:
    """Make an event loop. Raises ModeUnavailable where no files are left: asyncio would leave half of one behind."""
    try:
        with selectors.DefaultSelector(), ExitStack() as stack:
            for end in socket.socketpair():
                stack.enter_context(end)
    except OSError as error:
        raise ModeUnavailable(
            f"nothing can be juggled here: no event loop can be made ({error.strerror})",
            "allow more open files (ulimit -n), or add --mode sequential",
        ) from error
    return asyncio.new_event_loop()


async def _paint_in_slices(tile: Tile, painter: Painter) -> Done:
    """Wait for a tile's data without blocking the others, then paint a slice and give them a turn."""
    await painter.wait_aside(tile)
    steps = 0
    for done in painter.slices(tile):
        steps = done.steps
        await asyncio.sleep(0)
    return Done(tile, steps)
