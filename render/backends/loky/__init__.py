"""Backend `loky`: processes, each with a GIL of its own. Every tile exactly once, although workers may die.

loky, which joblib brings, starts the processes; each is joined to this one by a pipe (`process`) and does nothing but
paint what it is sent (`worker`). `crew` gives tiles to them and looks after them, `render.painting.retries` knows which
tiles are left and who is suspected: a tile whose worker was lost is tried again by another, and given up as failed,
alone, where that goes on and on. A tile painted twice writes the same bits, and only the first counts.

Workers map the canvas's file, load the machine code they are sent, and neither import numba nor compile. They live
on between runs, and leave when this process does, however it ends.
"""

from __future__ import annotations

import os
import pickle
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from multiprocessing import current_process
from typing import TYPE_CHECKING

from render.shared_file import shared_file

if TYPE_CHECKING:
    from render.painting.painter import Done, Painter
    from render.plan import Tile

NEEDS_SHARED_CANVAS = True  # the canvas is a file, which all workers map


def unavailable_reason() -> tuple[str, str] | None:
    """Say why no processes are started here and what to do about it; None if they are."""
    from render.backends.loky.crew import ALTERNATIVE

    value = os.environ.get("JOBLIB_MULTIPROCESSING", "1")
    if value != "1":  # joblib's own switch
        return f"joblib starts no processes, for JOBLIB_MULTIPROCESSING is {value}", f"unset it, or {ALTERNATIVE}"
    if current_process().daemon:
        return "this process is a daemon of multiprocessing, which may start no other", ALTERNATIVE
    return None


def run(tiles: Sequence[Tile], painter: Painter) -> Iterator[Done]:
    """Paint the tiles in processes; yield each as it is done. Raises TileError, also for a tile that kills workers."""
    from render.backends.loky.crew import Crew
    from render.backends.loky.worker import SLOT

    pickled = pickle.dumps(painter)
    with ExitStack() as stack:
        painter_file = stack.enter_context(shared_file(len(pickled)))
        with painter_file.open("r+b") as file:
            file.write(pickled)
        slots = stack.enter_context(shared_file(SLOT.size * painter.request.workers))
        crew = stack.enter_context(closing(Crew(painter, len(tiles), painter_file, slots)))
        crew.start_workers()
        yield from crew.paint_tiles(tiles)
