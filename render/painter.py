"""The painter paints one tile of one request with one target. It knows nothing of modes.

A mode gets tiles and a painter and decides who paints when; the painter makes the pixels, records each span in
the worker that it runs in, and turns whatever goes wrong inside a tile into a TileError with the command that
paints that tile alone.
"""

from __future__ import annotations

import shlex
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple, cast

from render.errors import RenderError, TileError
from render.foreign_code import describe_error
from render.frame import Canvas
from render.not_numbers import describe_place
from render.pace import Pace
from render.plan import Tile
from render.request import Request
from render.scene import load
from render.targets import Kernel, Pausable
from render.trace import Recorder
from render.wording import count


class Done(NamedTuple):
    """A tile that is finished, and the steps that all its samples made."""

    tile: Tile
    steps: int


GROWTH = 2.0  # how much longer than the last slice the next may be
SLICE_NS = 2_000_000  # of 1-2 ms: a switch of some 40 us is 2 %, and the loop still answers (benchmarks/juggling.py)


class Painter:
    """Paints tiles of `request` onto `canvas` with a compiled `kernel`; spans go to `recorder`."""

    def __init__(self, request: Request, canvas: Canvas, kernel: Kernel, recorder: Recorder) -> None:
        self.request = request
        self.canvas = canvas
        self.kernel = kernel
        self.recorder = recorder
        self.pace = Pace(SLICE_NS, GROWTH)

    def __reduce__(self) -> tuple[object, ...]:
        """In another process the painter gets a recorder of its own, on the same clock."""
        return _arrived, (self.request, self.canvas, self.kernel)

    def wait(self, tile: Tile) -> None:
        """Let the worker sleep until the tile's data is there (`--wait`; a timer stands for a slow server)."""
        if self.request.wait_ns:
            with self.recorder.span("wait", tile.number):
                time.sleep(self.request.wait_ns / 1e9)

    async def wait_aside(self, tile: Tile) -> None:
        """The same for one of several tiles in flight: the worker is free for others meanwhile."""
        if self.request.wait_ns:
            import asyncio  # only this mode has an event loop

            with self.recorder.span("wait", tile.number):
                await asyncio.sleep(self.request.wait_ns / 1e9)

    def paint(self, tile: Tile) -> Done:
        """The whole tile in one span. Raises TileError."""
        with self._span(tile):
            steps, bad = self.kernel.paint(self.canvas, *tile[1:])
        return self.done(tile, steps, bad)

    def slices(self, tile: Tile) -> Iterator[Done]:
        """The tile in slices of some 2 ms each; between two of them the caller may do other things.

        Each slice is a span; what is yielded counts the steps so far. Raises TileError.
        """
        budget, made, bad = 1, 0, 0  # a taste, so that however small a tile is, it has begun when others do
        with cast(Pausable, self.kernel).begin(self.canvas, *tile[1:]) as rectangle:
            done = False
            while not done:
                t0 = self.recorder.clock()
                with self._span(tile):
                    steps, strange, done = rectangle.go(budget)
                made, bad = made + steps, bad + strange
                if done:
                    self.done(tile, made, bad)
                if budget > 1:
                    self.pace.learn(self.recorder.clock() - t0, done=done)
                budget = self.pace.budget
                yield Done(tile, made)

    @contextmanager
    def _span(self, tile: Tile) -> Iterator[None]:
        """Record that the tile is painted now; whatever goes wrong becomes a TileError."""
        try:
            with self.recorder.painting(tile.number):
                yield
        except RenderError:
            raise
        except Exception as error:
            raise self.failure(tile, describe_error(error, load(self.request.scene).path)) from error

    def done(self, tile: Tile, steps: int, bad: int) -> Done:
        """The tile as done. Raises TileError where samples of it are NaN, which no picture may show."""
        if bad:
            where = describe_place(self.request, self.kernel, self.canvas, tile)
            raise self.failure(tile, f"{count(bad, 'sample')} with a colour that is not a number (NaN){where}")
        return Done(tile, steps)

    def failure(self, tile: Tile, why: str) -> TileError:
        """The error of this tile, with the command that paints it alone."""
        return failure(self.request, tile, why)


def failure(request: Request, tile: Tile, why: str) -> TileError:
    """The error of one tile of a request, with the command that paints it alone."""
    place = f"tile {tile.number} (x {tile.x}, y {tile.y}, {tile.width} x {tile.height})"
    return TileError(f"{place} of scene {request.scene} failed: {why}", f"to see it alone: {reproduce(request, tile)}")


def _arrived(request: Request, canvas: Canvas, kernel: Kernel) -> Painter:
    return Painter(request, canvas, kernel, Recorder())


def reproduce(request: Request, tile: Tile) -> str:
    """The command that paints one tile of a request, in the calling process where the mode allows it."""
    words = ["python", "-m", "render", "--scene", request.scene, "--view", request.view]
    for name, value in request.parameters:
        words += ["--set", f"{name}={value!r}" if isinstance(value, float) else f"{name}={value}"]
    words += ["--size", f"{request.width}x{request.height}", "--samples", str(request.samples)]
    words += ["--limit", str(request.limit), "--precision", request.precision]
    words += ["--mode", "cuda"] if request.target == "cuda" else ["--mode", "sequential", "--target", request.target]
    words += ["--simulate"] if request.simulate else []
    words += [] if request.blocks else ["--no-blocks"]
    words += ["--tile", f"{request.tile[0]}x{request.tile[1]}", "--only-tile", str(tile.number), "--debug"]
    return shlex.join(words)
