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
from itertools import chain
from typing import NamedTuple, Protocol

import numpy as np

from render import targets
from render.contract.foreign_code import describe_error
from render.errors import RenderError, TileError
from render.frame import Canvas
from render.pace import Pace
from render.painting.not_numbers import describe_failure
from render.plan import Tile
from render.request import Request
from render.runtime.kernel import CpuKernel, Kernel, LaunchKernel, Painted, Stream
from render.scene import load
from render.trace import Recorder, Spans, Worker
from render.trace.intervals import union
from render.trace.spans import NUMBER


class Done(NamedTuple):
    """A tile that is finished, and the steps that all its samples made."""

    tile: Tile
    steps: int


GROWTH = 2.0  # how much longer than the last slice the next may be
SLICE_NS = 2_000_000  # of 1-2 ms: a switch of some 40 us is 2 %, and the loop still answers (benchmarks/juggling.py)


class Watcher(Protocol):
    """A watcher of a worker's signs of life."""

    def write_tile(self, tile: int) -> None:
        """Note that a tile is painted from now on."""

    def write_heartbeat(self) -> None:
        """Note a sign of life."""


class Painter:
    """Paints tiles of `request` onto `canvas` with a compiled `kernel`; spans go to `recorder`."""

    def __init__(self, request: Request, canvas: Canvas, kernel: Kernel, recorder: Recorder) -> None:
        self.request = request
        self.canvas = canvas
        self.kernel = kernel
        self.recorder = recorder
        self.pace = Pace(SLICE_NS, GROWTH)
        self._watcher: Watcher | None = None

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle without the recorder: in another process the painter gets its own, on the same clock."""
        return _receive_painter, (self.request, self.canvas, self.kernel)

    def report_to(self, watcher: Watcher) -> None:
        """Report to a watcher which tile is being painted, and now and then that it goes on."""
        self._watcher = watcher
        if isinstance(self.kernel, CpuKernel):
            self.kernel.on_slice = watcher.write_heartbeat

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
        if self._watcher is not None:
            self._watcher.write_tile(tile.number)
        try:
            with self.recorder.record_work("paint", tile.number):
                steps, bad = self.kernel.paint(self.canvas, *tile[1:])
        except RenderError:
            raise
        except Exception as error:
            raise self.tile_failure(tile, describe_error(error, load(self.request.scene).path)) from error
        return self.finish_tile(tile, steps, bad) if bad else Done(tile, steps)

    def slices(self, tile: Tile) -> Iterator[Done]:
        """The tile in slices of some 2 ms each; between two of them the caller may do other things.

        Each slice is a span; what is yielded counts the steps so far. Raises TileError.
        """
        assert isinstance(self.kernel, CpuKernel)
        budget, steps_made, bad = 1, 0, 0  # a first bite, so that even the smallest tile has started when others do
        with self.kernel.start_rectangle(self.canvas, *tile[1:]) as rectangle:
            done = False
            while not done:
                t0 = self.recorder.clock()
                if self._watcher is not None:
                    self._watcher.write_tile(tile.number)
                with self._span(tile):
                    steps, strange, done = rectangle.paint_slice(budget)
                steps_made, bad = steps_made + steps, bad + strange
                if done:
                    self.finish_tile(tile, steps_made, bad)
                if budget > 1:
                    self.pace.learn(budget, self.recorder.clock() - t0, done=done)
                budget = self.pace.budget
                yield Done(tile, steps_made)

    @contextmanager
    def _span(self, tile: Tile) -> Iterator[None]:
        """Record that the tile is painted now; whatever goes wrong becomes a TileError."""
        try:
            with self.recorder.record_work("paint", tile.number):
                yield
        except RenderError:
            raise
        except Exception as error:
            raise self.tile_failure(tile, describe_error(error, load(self.request.scene).path)) from error

    def finish_tile(self, tile: Tile, steps: int, bad: int) -> Done:
        """Finish a tile. Raises TileError where samples of it are NaN, which no picture may show."""
        if bad:
            raise self.tile_failure(tile, describe_failure(self.request, self.kernel, self.canvas, tile, bad))
        return Done(tile, steps)

    def tile_failure(self, tile: Tile, why: str) -> TileError:
        """Make the error of this tile, with the command that paints it alone."""
        return tile_failure(self.request, tile, why)


MOST_PENDING = 16  # launches whose squares may be recorded later, of some MB each


class TileTable(NamedTuple):
    """Tiles that are launched together, in order: their numbers (n,), and x, y, width, height of each (n, 4)."""

    tiles: Sequence[Tile]
    numbers: np.ndarray
    rectangles: np.ndarray

    @classmethod
    def of(cls, tiles: Sequence[Tile]) -> TileTable:
        """Put tiles side by side."""
        table = np.fromiter(chain.from_iterable(tiles), np.int64, 5 * len(tiles)).reshape(-1, 5)
        return cls(tiles, table[:, 0], table[:, 1:])

    def part(self, start: int, stop: int | None = None) -> TileTable:
        """Cut some of them out."""
        return TileTable(self.tiles[start:stop], self.numbers[start:stop], self.rectangles[start:stop])


class Launcher(Painter):
    """Paints tiles by launches on a device, and records of each what became of it on its stream."""

    def __init__(self, request: Request, canvas: Canvas, kernel: LaunchKernel, recorder: Recorder) -> None:
        super().__init__(request, canvas, kernel, recorder)
        self.launches = kernel
        self._held: deque[tuple[TileTable, Stream, np.ndarray, int]] = deque()

    def open_streams(self) -> Sequence[Stream]:
        """The device's streams. Raises RenderError where it does not take the kernel."""
        with self.recorder.span("start"):
            return self.launches.open(self.recorder.clock)

    def collect(self, table: TileTable, stream: Stream) -> Painted:
        """Wait for a launch, and put its pixels on the canvas."""
        painted = stream.collect()
        painted.copy_to(self.canvas, table.rectangles)
        return painted

    def record_waiting(self, table: TileTable, stream: Stream, since: int) -> None:
        """Record that tiles have waited for their data until now."""
        kind = NUMBER["wait"]
        now = self.recorder.clock()
        self.recorder.extend(Spans((stream.worker,), 0, table.numbers, kind, since, now))

    def record_launch(self, table: TileTable, stream: Stream, painted: Painted) -> None:
        """Record what became of a launch on its stream; what its squares tell can wait."""
        add, first, last = self.recorder.add, table.tiles[0].number, table.tiles[-1].number
        if painted.handed is not None:
            add("launch", painted.handed, int(painted.first.min()), first, stream.worker)
        self.recorder.extend(Spans((stream.worker,), 0, table.numbers, NUMBER["paint"], painted.first, painted.last))
        add("transfer", painted.painted, painted.arrived, last, stream.worker)
        if painted.squares is not None:
            self._held.append((table, stream, painted.squares, painted.step))
            if len(self._held) > MOST_PENDING:
                self.record_squares()

    def record_squares(self) -> bool:
        """Record when multiprocessors worked on the tiles of the oldest launch held back. False where there is none."""
        if not self._held:
            return False
        table, stream, (multiprocessor, tile, t0, t1), step = self._held.popleft()
        each = len(table.tiles)
        found = union(multiprocessor * each + tile, t0, t1, step)
        where, tile = np.divmod(found.group, each)
        numbers, worker = np.unique(where, return_inverse=True)
        process, name = stream.worker.process, f"{stream.device.name} multiprocessor"
        workers = [Worker(process, number, name) for number in numbers.tolist()]
        self.recorder.extend(Spans(workers, worker, table.numbers[tile], NUMBER["block"], found.t0, found.t1))
        return True


def tile_failure(request: Request, tile: Tile, why: str) -> TileError:
    """Make the error of one tile of a request, with the command that paints it alone."""
    place = f"tile {tile.number} (x {tile.x}, y {tile.y}, {tile.width} x {tile.height})"
    return TileError(f"{place} of scene {request.scene} failed: {why}", f"to reproduce it: {reproduce(request, tile)}")


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
    words += ["--tile", f"{request.tile[0]}x{request.tile[1]}", "--only-tile", str(tile.number), "--debug"]
    return shlex.join(words)
