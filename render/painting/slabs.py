"""Canvases of a frame: one, or where it is too large for that, a few in turn, slab after slab.

A slab is painted by an ordinary run of the mode, on a canvas that covers it. While the next one is painted on another
canvas, a thread of its own cuts the one before into bands (`render.pictures.bands`), hands them to whoever wants them,
and hashes them; then the canvas is free again. So memory is needed for two slabs, and whoever paints waits where files
are written more slowly. Of all that passes, a small picture is kept.
"""

from __future__ import annotations

import hashlib
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from queue import SimpleQueue
from typing import NamedTuple

import numpy as np

from render import machine
from render.errors import UsageError
from render.frame import COPIES, Canvas, count_bytes, open_canvas, open_rows, split_marked
from render.painting.preview import Preview
from render.pictures.bands import Band, Regrouping
from render.pictures.packing import run_in_threads
from render.plan import TILES_PER_WORKER, Slab, Tile, cut_slabs
from render.request import Request
from render.storage.journal import Journal
from render.trace import Recorder
from render.wording import format_size

LARGE = 128 << 20  # bytes of a canvas: larger frames are not kept in memory where their files take bands
SHARE = 4  # of the memory that is allowed: nor are those that would take more than this part of it
SLAB_BYTES = 48 << 20  # of a canvas, of which there are CANVASES; a row of tiles at least
MORE = 4  # times as many bytes, at most, where there are many workers
CANVASES = 2


class Pixels(NamedTuple):
    """The result of painting: see `render.frame.Frame`, whose members these are."""

    rgb: np.ndarray
    steps: np.ndarray | None = None
    inside: np.ndarray | None = None
    whole_sha256: str | None = None


@dataclass(frozen=True)
class Streaming:
    """Painting in slabs: `take` is given each band of the picture, from the top, in a thread of its own.

    slab_bytes: memory of a slab, where a row of tiles does not take more.
    """

    take: Callable[[Band], None]
    slab_bytes: int


class Surface(ABC):
    """The canvases of a frame. `slabs`: its parts, from the top; `picture`: what is there so far, perhaps smaller."""

    slabs: Sequence[Slab]
    picture: np.ndarray

    @abstractmethod
    def open_slab(self, slab: Slab) -> Canvas:
        """Return a canvas that covers a slab; wait until there is one."""

    @abstractmethod
    def note_tile(self, canvas: Canvas, tile: Tile) -> None:
        """Note that a tile is finished."""

    @abstractmethod
    def finish_slab(self, slab: Slab, canvas: Canvas) -> None:
        """Note that all tiles of a slab are finished."""

    @abstractmethod
    def finish(self) -> Pixels:
        """Return the pixels, when all slabs are finished. Raises what went wrong with a band."""

    @abstractmethod
    def close(self) -> None:
        """Let go of it, finished or not."""


class WholeFrame(Surface):
    """One canvas: the frame is one slab."""

    def __init__(self, request: Request, canvas: Canvas) -> None:
        self.slabs = (Slab(0, request.height),)
        self.picture = canvas.rgb
        self._canvas = canvas

    def open_slab(self, slab: Slab) -> Canvas:  # noqa: ARG002  (there is only one)
        """Return the canvas."""
        return self._canvas

    def note_tile(self, canvas: Canvas, tile: Tile) -> None:
        """Do nothing: the picture is the canvas."""

    def finish_slab(self, slab: Slab, canvas: Canvas) -> None:
        """Do nothing: the pixels stay where they are."""

    def finish(self) -> Pixels:
        """Take the pixels from the canvas."""
        return Pixels(*self._canvas.take_pixels())

    def close(self) -> None:
        """Do nothing."""


class SlabbedFrame(Surface):
    """Canvases in turn, and a thread that makes bands of what is on them."""

    def __init__(
        self,
        request: Request,
        slabs: Sequence[Slab],
        canvases: Sequence[Canvas],
        take: Callable[[Band], None],
        recorder: Recorder,
        journal: Journal | None,
    ) -> None:
        self.slabs = slabs
        self._preview = Preview(request.width, request.height)
        self.picture = self._preview.rgb
        self._request, self._take, self._recorder, self._journal = request, take, recorder, journal
        self._regrouped, self._hash = Regrouping(), hashlib.sha256()
        self._free: SimpleQueue[Canvas | None] = SimpleQueue()  # None: there was a failure
        for canvas in canvases:
            self._free.put(canvas)
        self._painted: SimpleQueue[tuple[Slab, Canvas] | None] = SimpleQueue()
        self._failure: BaseException | None = None
        self._given_up = False
        self._thread = threading.Thread(target=self._pass_on, daemon=True, name="bands")
        self._thread.start()

    def open_slab(self, slab: Slab) -> Canvas:
        """Wait for a free canvas. Raises what went wrong with a band."""
        canvas = self._free.get()
        if canvas is None:
            assert self._failure is not None
            raise self._failure
        if self._request.only_tile is not None:  # the rest is black
            canvas.rgb[:] = 0
            if canvas.steps is not None:
                canvas.steps[:] = 0
        return canvas.moved(slab.y)

    def note_tile(self, canvas: Canvas, tile: Tile) -> None:
        """Have the tile in the small picture."""
        self._preview.add_tile(canvas, tile)

    def finish_slab(self, slab: Slab, canvas: Canvas) -> None:
        """Hand the slab to the thread that makes bands of it."""
        self._recorder.compact()
        self._painted.put((slab, canvas))

    def finish(self) -> Pixels:
        """Wait for the last band; return the small picture."""
        self._painted.put(None)
        self._thread.join()
        if self._failure is not None:
            raise self._failure
        return Pixels(self._preview.rgb, whole_sha256=self._hash.hexdigest())

    def close(self) -> None:
        """Make no more bands."""
        self._given_up = True
        self._painted.put(None)
        self._thread.join()

    def _pass_on(self) -> None:
        try:
            while (painted := self._painted.get()) is not None and not self._given_up:
                slab, canvas = painted
                if self._journal is not None:
                    self._journal.write_pending()
                t0 = self._recorder.clock()
                for band in self._bands_of(slab, canvas):
                    if self._given_up:
                        return
                    pixels = np.ascontiguousarray(band.rgb).data
                    run_in_threads([partial(self._hash.update, pixels), partial(self._take, band)])
                self._recorder.add("save", t0, self._recorder.clock())
                self._free.put(canvas)
        except BaseException as error:  # noqa: BLE001  (raised where the next canvas is wanted)
            self._failure = error
            self._free.put(None)

    def _bands_of(self, slab: Slab, canvas: Canvas) -> Iterator[Band]:
        rows = slice(slab.height)
        steps = inside = None
        if canvas.steps is not None:
            steps, inside = split_marked(canvas.steps[rows])
        last = slab.y + slab.height == self._request.height
        return self._regrouped.cut(Band(slab.y, canvas.rgb[rows], steps, inside), last=last)


def is_large(request: Request) -> bool:
    """Tell whether a frame is not to be kept in memory, if its files take bands."""
    size = _frame_bytes(request, request.height)
    return size > LARGE or COPIES * size > machine.memory() // SHARE


def _frame_bytes(request: Request, rows: int) -> int:
    return count_bytes(request.width, rows, with_steps=request.samples == 1)


def choose_slabs(request: Request, slab_bytes: int) -> tuple[Slab, ...]:
    """Cut a frame into slabs of about so many bytes, of a row of tiles at least, and of some tiles for each worker.

    Raises UsageError where a row of tiles is too much.
    """
    rows, columns = request.rows_and_columns
    row, granted = _frame_bytes(request, request.tile[1]), machine.memory() // SHARE // CANVASES
    if row > granted:
        raise UsageError(
            f"a row of tiles of {request.tile[0]} x {request.tile[1]} pixels needs {format_size(CANVASES * row)}, "
            f"and this process may use {format_size(SHARE * CANVASES * granted)}, of which a quarter is for them",
            "cut lower tiles with --tile, or give a smaller --size",
        )
    busy = -(-TILES_PER_WORKER * request.workers // columns)  # rows, so that a slab's last tile is a small part of it
    most = min(slab_bytes * MORE, granted) // row
    return cut_slabs(request, min(max(slab_bytes // row, min(busy, most), 1), rows))


@contextmanager
def open_surface(
    request: Request, recorder: Recorder, journal: Journal | None, streaming: Streaming | None, *, shared: bool
) -> Iterator[Surface]:
    """Open what a frame is painted on: slabs with `streaming`, else one canvas.

    Raises UsageError for a frame or slab that cannot fit in memory, OutputError where processes cannot share it.
    """
    with ExitStack() as stack:
        if streaming is None:
            yield WholeFrame(request, stack.enter_context(open_canvas(request, shared=shared)))
            return
        slabs = choose_slabs(request, streaming.slab_bytes)
        canvases = [
            stack.enter_context(open_rows(request, slabs[0].height, shared=shared))
            for _ in range(min(CANVASES, len(slabs)))
        ]
        yield SlabbedFrame(request, slabs, canvases, streaming.take, recorder, journal)
