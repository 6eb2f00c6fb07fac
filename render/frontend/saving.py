"""One picture drawn into its files: from memory, or slab by slab while it is painted, where it is too large for that.

The command line and the library draw into files here. Until all of them are saved, a journal lies beside one of them.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from os import PathLike
from pathlib import Path
from typing import Any, NamedTuple

from render import engine, like, outputs
from render.errors import UsageError
from render.frame import Frames
from render.frontend import keeping
from render.frontend.band_files import BandFiles, open_bands
from render.frontend.files import (
    check_outputs,
    check_sizes,
    keep_until_saved,
    remove_unfinished,
    save_all,
    save_unfinished,
)
from render.outputs import trace as saved
from render.painting.course import Watch
from render.preparation import Preparation
from render.request import Request
from render.results import DrawnFrame
from render.storage.journal import Journal
from render.trace import NO_TILE, Recorder, Span


class Wishes(NamedTuple):
    """The files that are made of a frame, and how.

    makers: the output of each file's name; trace: a file for the trace, which then has the time of saving too; plain:
    pictures alone, without texts; resume, fresh: what becomes of an earlier run's journal (`keeping.open_journal`);
    own_tile: the tile's size was asked for.
    """

    makers: Mapping[str, outputs.Output]
    trace: str | None = None
    plain: bool = False
    resume: bool = False
    fresh: bool = False
    own_tile: bool = False


def split_wishes(arguments: Mapping[str, Any]) -> tuple[dict[str, Any], Wishes | None]:
    """Split the arguments of a draw in the library: what is drawn, and its files, None where there are none.

    `out` is a file's name or several; `plain`, `resume` and `fresh` belong to it. Raises UsageError, and OutputError
    where a file cannot be written.
    """
    rest = dict(arguments)
    out, plain, resume, fresh = (rest.pop(name, None) for name in ("out", "plain", "resume", "fresh"))
    try:
        names = [os.fspath(name) for name in ([out] if isinstance(out, str | PathLike) else out or ())]
    except TypeError:
        names = [outputs.STDOUT]
    if outputs.STDOUT in names:
        raise UsageError(f"out is {out!r:.60}", 'give the name of a file, out="wall.png", or a list of names')
    if not names:
        if plain or resume or fresh:
            raise UsageError("plain, resume and fresh are about files, and out names none", 'give out="NAME.png"')
        return rest, None
    if resume and fresh:
        raise UsageError("resume and fresh exclude each other", "leave one of them out")
    makers, own_tile = check_outputs(names, None), rest.get("tile") is not None
    return rest, Wishes(makers, plain=bool(plain), resume=bool(resume), fresh=bool(fresh), own_tile=own_tile)


def draw_files(
    request: Request,
    wishes: Wishes,
    say: Callable[[str], None] = engine.announce_nothing,
    watching: Callable[[], AbstractContextManager[Watch | None]] = nullcontext,
    began: int | None = None,
    preparation: Preparation | None = None,
) -> DrawnFrame:
    """Draw a picture and save it. `watching` is entered while it is painted; the rest is that of `engine.draw`.

    A frame too large for memory goes into its files slab by slab; what is returned has a small picture of it. Raises as
    `engine.draw` does, OutputError where a file cannot be written, UsageError for one that could not hold the picture,
    and as `keeping.open_journal` does.
    """
    check_sizes(wishes.makers, [request])
    engine.load_available_mode(request)
    files = [Path(path) for path in wishes.makers if outputs.is_regular(path)]
    request, journal = _open_journal(request, files, wishes, say)
    named = files or [Path(like.default_name(request))]
    with open_bands() as bands:
        streaming = bands.start(wishes.makers, request, journal, plain=wishes.plain)
        with watching() as watch:
            frame = engine.draw(
                request,
                announce=say,
                watch=watch,
                began=began,
                salvage=None if streaming else partial(save_unfinished, named[0]),
                preparation=preparation,
                journal=journal,
                streaming=streaming,
            )
        with keep_until_saved(journal):
            t0 = time.perf_counter_ns()
            save_all(list_savings(bands, wishes.makers, Frames((frame,)), plain=wishes.plain))
            frame = _add_save_span(frame, t0)
            if wishes.trace:
                outputs.save(wishes.trace, saved.write(Frames((frame,))))
    if request.only_tile is None:
        remove_unfinished(named, [*files, *([Path(wishes.trace)] if wishes.trace else [])])
    return frame


def _open_journal(
    request: Request, files: list[Path], wishes: Wishes, say: Callable[[str], None]
) -> tuple[Request, Journal | None]:
    """Open the journal beside one of the files; none for standard output, pipes, and a single tile.

    Raises as `keeping.open_journal` does, and UsageError where there is nothing to resume.
    """
    if files and request.only_tile is None:
        resume, fresh, own_tile = wishes.resume, wishes.fresh, wishes.own_tile
        return keeping.open_journal(request, files, say, resume=resume, fresh=fresh, own_tile=own_tile)
    if wishes.resume:
        raise UsageError("--resume goes on with a picture that is saved in a file", "give --out FILE")
    return request, None


def list_savings(
    bands: BandFiles, makers: Mapping[str, outputs.Output], frames: Frames, *, plain: bool
) -> Iterator[tuple[str, Callable[[], None]]]:
    """Yield each file with what saves it; those made of bands, which have them all by now, go first."""
    yield from bands.savings(frames[0], plain=plain)
    for path, maker in makers.items():
        if not (frames[0].is_small and maker.KEEPS_PIXELS):
            yield path, partial(outputs.save_frames, path, maker, frames, plain=plain)


def _add_save_span(frame: DrawnFrame, t0: int) -> DrawnFrame:
    """Add the span in which the files were written to the frame's trace."""
    t1 = time.perf_counter_ns()
    span = Span(Recorder.current_worker(), NO_TILE, "save", t0, t1)
    return frame.with_trace(frame.trace.with_spans([span], ended=time.perf_counter_ns()))
