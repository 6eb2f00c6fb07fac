"""The painter paints one tile of one request with one target. It knows nothing of modes.

A mode gets tiles and a painter and decides who paints when; the painter makes the pixels, records each span in
the worker that it runs in, and turns whatever goes wrong inside a tile into a TileError with the command that
paints that tile alone.
"""

from __future__ import annotations

import shlex
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from render import targets
from render.contract.foreign_code import describe_error
from render.errors import RenderError, TileError
from render.frame import Canvas
from render.pace import Pace
from render.painting.not_numbers import describe_failure
from render.plan import Tile
from render.request import Request
from render.runtime.kernel import CpuKernel, Kernel, LaunchKernel, Painted, Stream, busy_intervals
from render.scene import load
from render.trace import Recorder, Span, Worker

if TYPE_CHECKING:
    import numpy as np


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
        """Pickle without the recorder: in another process the painter gets its own, on the same clock."""
        return _receive_painter, (self.request, self.canvas, self.kernel)

    def wait(self, tile: Tile) -> None:
        """Let the worker sleep until the tile's data is there (`--wait`; a timer stands for a slow server)."""
        if self.request.wait_ns:
            with self.recorder.span("wait", tile.number):
                time.sleep(self.request.wait_ns / 1e9)

    async def wait_aside(self, tile: Tile) -> None:
        """Wait in the same way for one of several tiles in flight: the worker is free for others meanwhile."""
        if self.request.wait_ns:
            import asyncio  # only this mode has an event loop

            with self.recorder.span("wait", tile.number):
                await asyncio.sleep(self.request.wait_ns / 1e9)

    def paint(self, tile: Tile) -> Done:
        """The whole tile in one span. Raises TileError."""
        try:
            with self.recorder.record_painting(tile.number):
                steps, bad = self.kernel.paint(self.canvas, *tile[1:])
        except RenderError:
            raise
        except Exception as error:
            raise self.failure(tile, describe_error(error, load(self.request.scene).path)) from error
        return self.done(tile, steps, bad) if bad else Done(tile, steps)

    def slices(self, tile: Tile) -> Iterator[Done]:
        """The tile in slices of some 2 ms each; between two of them the caller may do other things.

        Each slice is a span; what is yielded counts the steps so far. Raises TileError.
        """
        assert isinstance(self.kernel, CpuKernel)
        budget, made, bad = 1, 0, 0  # a taste, so that however small a tile is, it has begun when others do
        with self.kernel.start_rectangle(self.canvas, *tile[1:]) as rectangle:
            done = False
            while not done:
                t0 = self.recorder.clock()
                with self._span(tile):
                    steps, strange, done = rectangle.paint_slice(budget)
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
            with self.recorder.record_painting(tile.number):
                yield
        except RenderError:
            raise
        except Exception as error:
            raise self.failure(tile, describe_error(error, load(self.request.scene).path)) from error

    def done(self, tile: Tile, steps: int, bad: int) -> Done:
        """Finish a tile. Raises TileError where samples of it are NaN, which no picture may show."""
        if bad:
            raise self.failure(tile, describe_failure(self.request, self.kernel, self.canvas, tile, bad))
        return Done(tile, steps)

    def failure(self, tile: Tile, why: str) -> TileError:
        """Make the error of this tile, with the command that paints it alone."""
        return tile_failure(self.request, tile, why)


MOST_PENDING = 256  # launches whose blocks may be told later, of some 25 KB each


class Blocks(NamedTuple):
    """Records of the thread blocks of a tile's launch, not yet in the trace."""

    tile: int
    stream: Stream
    recorded: np.ndarray
    step: int


class Launcher(Painter):
    """Paints tiles by launches on a device, and records of each what became of it on its stream."""

    def __init__(self, request: Request, canvas: Canvas, kernel: LaunchKernel, recorder: Recorder) -> None:
        super().__init__(request, canvas, kernel, recorder)
        self.launches = kernel
        self._untold: deque[Blocks] = deque()

    def open(self) -> Sequence[Stream]:
        """The device's streams. Raises RenderError where it does not take the kernel."""
        with self.recorder.span("start"):
            return self.launches.open(self.recorder.clock)

    def collect(self, tile: Tile, stream: Stream) -> Painted:
        """Wait for a tile's launch, and put its pixels on the canvas."""
        painted = stream.collect()
        painted.copy_to(self.canvas, tile.x, tile.y)
        return painted

    def record(self, tile: Tile, stream: Stream, painted: Painted) -> None:
        """Record a launch on its stream; the records of its thread blocks can wait."""
        add = self.recorder.add
        if painted.handed is not None:
            add("launch", painted.handed, painted.began, tile.number, stream.worker)
        add("paint", painted.began, painted.painted, tile.number, stream.worker)
        add("transfer", painted.painted, painted.arrived, tile.number, stream.worker)
        if painted.blocks is not None:
            self._untold.append(Blocks(tile.number, stream, painted.blocks, painted.step))
            if len(self._untold) > MOST_PENDING:
                self.record_blocks()

    def record_blocks(self) -> bool:
        """Record the thread blocks of the oldest launch that waits for it. False where there is none."""
        if not self._untold:
            return False
        tile, stream, recorded, step = self._untold.popleft()
        process, name = stream.worker.process, f"{stream.device.name} multiprocessor"
        self.recorder.extend(
            Span(Worker(process, multiprocessor, name), tile, "block", t0, t1)
            for multiprocessor, t0, t1 in busy_intervals(recorded, step)
        )
        return True


def tile_failure(request: Request, tile: Tile, why: str) -> TileError:
    """Make the error of one tile of a request, with the command that paints it alone."""
    place = f"tile {tile.number} (x {tile.x}, y {tile.y}, {tile.width} x {tile.height})"
    return TileError(f"{place} of scene {request.scene} failed: {why}", f"to see it alone: {reproduce(request, tile)}")


def _receive_painter(request: Request, canvas: Canvas, kernel: Kernel) -> Painter:
    return Painter(request, canvas, kernel, Recorder())


def reproduce(request: Request, tile: Tile) -> str:
    """Write the command that paints one tile of a request, in the calling process where the mode allows it."""
    words = ["python", "-m", "render", "--scene", request.scene, "--view", request.view]
    for name, value in request.parameters:
        words += ["--set", f"{name}={value!r}" if isinstance(value, float) else f"{name}={value}"]
    words += ["--size", f"{request.width}x{request.height}", "--samples", str(request.samples)]
    words += ["--limit", str(request.limit), "--precision", request.precision]
    alone = targets.KINDS[targets.load(request.target).KIND].one_tile_mode
    words += ["--mode", alone, "--target", request.target]
    words += ["--simulate"] if request.simulate else []
    words += [] if request.blocks else ["--no-blocks"]
    words += ["--tile", f"{request.tile[0]}x{request.tile[1]}", "--only-tile", str(tile.number), "--debug"]
    return shlex.join(words)
