"""What the journal costs.

The same frame painted with a journal and without one, in turn. Most frames have none, for they are done sooner than it
begins; here it begins at once. The difference is so small that a busy machine hides it; so `writing` is measured alone
as well: the CPU time in which all tiles of the frame come to the disk, as many at a time as in a run. Over the time of
painting, that is the share that the journal takes of one CPU.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

from harness.cases import Case, Group, Missing, Once

BATCH = 8  # tiles that are written together: what a run of some seconds brings in PAUSE_SECONDS
MODES = ("sequential", "parallel")


def groups(quick: bool) -> Iterator[Group]:  # noqa: FBT001  (one signature for all sections)
    """A frame that takes a worker a second or so; nothing in quick."""
    for mode in () if quick else MODES:
        yield Group(mode, ("with", "without", "writing"), partial(prepare, mode), base="without", seconds=3.0)


def prepare(mode: str, stack: ExitStack) -> Iterator[Case | Missing]:
    """With a journal, without, and the writing alone."""
    from harness.program import ask
    from render import engine
    from render.storage import journal

    folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="journal-", dir=Path.cwd())))
    stack.callback(setattr, journal, "FIRST_SECONDS", journal.FIRST_SECONDS)
    journal.FIRST_SECONDS = 0.0
    request = ask(view="seahorses", samples=4, size=(1280, 720), mode=mode)
    expected = engine.draw(request)
    yield Case("with", painting(request, expected.sha256, folder), equal=True)
    yield Case("without", painting(request, expected.sha256, None), equal=True)
    yield Case("writing", writing(request, expected.rgb, folder), facts={"bytes": expected.rgb.nbytes})


def painting(request: Any, expected: str, folder: Path | None) -> Once:
    """Draw; give the seconds from the first tile's start until all are painted and, with a journal, on the disk.

    Raises Differ where the picture is not as expected.
    """
    from harness.program import check_hash
    from render import engine

    def once() -> float:
        journal = None if folder is None else open_journal(request, folder)
        frame = engine.draw(request, journal=journal)
        if journal is not None:
            journal.remove()
        check_hash(frame, expected)
        first = min(span.t0 for span in frame.trace.of_kind("paint"))
        return (frame.trace.ended - first) / 1e9

    return once


def open_journal(request: Any, folder: Path) -> Any:
    """A journal of a run that nobody interrupted."""
    from render.frontend.keeping import open_journal as opened

    return opened(request, [folder / "a.png"], lambda _text: None)[1]


def writing(request: Any, rgb: Any, folder: Path) -> Once:
    """Bring all tiles of a picture to the disk, a few at a time; give the CPU time, for others paint meanwhile."""
    from render.frame import Canvas
    from render.plan import cut
    from render.storage.journal_file import JournalFile

    tiles = [(tile, 1) for tile in cut(request)]
    canvas = Canvas(request.width, request.height, with_steps=False)
    canvas.rgb[:] = rgb

    def once() -> float:
        with (folder / "written").open("w+b") as file:
            written = JournalFile(folder / "written", file)
            t0 = time.thread_time_ns()
            written.write_header({"drawn": {}})
            for first in range(0, len(tiles), BATCH):
                written.append(tiles[first : first + BATCH], canvas)
            return (time.thread_time_ns() - t0) / 1e9

    return once
