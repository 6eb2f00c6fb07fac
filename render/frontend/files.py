"""The files of a command: checked before anything is painted, and saved one by one."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from render import outputs
from render.errors import OutputError, UsageError
from render.painting.course import add_hint
from render.pictures.png_writer import encode_png
from render.request import Request
from render.storage.journal import Journal

if TYPE_CHECKING:
    import numpy as np


def check_outputs(
    out: Sequence[str], page: str | None, trace: str | None = None, *, json: bool = False
) -> dict[str, outputs.Output]:
    """Choose the output for each file, the trace excepted. Raises before painting if one cannot be written."""
    makers = {path: outputs.by_suffix(path) for path in out} | ({page: outputs.load("page")} if page else {})
    files = [*out, *(path for path in (page, trace) if path)]
    if json and outputs.STDOUT in files:
        raise UsageError("--json and a file named - both write to standard output", "give the file a name")
    for path in files:
        outputs.check_writable(path)
    for number, path in enumerate(files):
        if os.path.realpath(path) in map(os.path.realpath, files[:number]):
            raise UsageError(f"{path} is named twice", "give each output a file of its own")
    for option, named in (("page", page), ("trace", trace)):
        if named:
            outputs.check_name(option, named, option)
    return makers


def check_sizes(makers: Mapping[str, outputs.Output], requests: Sequence[Request]) -> None:
    """Raise UsageError, before painting, for a file that could not hold such pictures or show so many tiles."""
    tiles = sum(math.prod(request.rows_and_columns) for request in requests if request.only_tile is None)
    for path, maker in makers.items():
        outputs.check_tiles(path, maker, tiles)
    for request in requests:
        outputs.check_sides(makers, request.width, request.height)


def save_all(files: Iterable[tuple[str, Callable[[], None]]]) -> None:
    """Save each file, by calling what saves it, also where another could not be written.

    Raises the first OutputError, when all were tried.
    """
    failure: OutputError | None = None
    done: list[str] = []
    for path, save in files:
        try:
            save()
            done.append(path)
        except OutputError as error:
            failure = failure or error
    if failure is not None:
        if done:
            failure.remedy += f"; saved {', '.join(done)}"
        raise failure


def save_unfinished(wanted: Path, rgb: np.ndarray) -> str:
    """Save what a failed run has painted beside the requested file; return the file's name."""
    path = _name_unfinished(wanted)
    outputs.save(path, encode_png(rgb))
    return str(path)


def remove_unfinished(wanted: Iterable[Path], saved: Iterable[Path]) -> None:
    """Remove what failed runs have left of the pictures that are now finished, unless one of them has its name."""
    there = {path.resolve() for path in saved}
    for path in map(_name_unfinished, wanted):
        if path.resolve() not in there:
            with suppress(OSError):
                path.unlink()


def _name_unfinished(wanted: Path) -> Path:
    return wanted.with_name(f"{wanted.stem}.unfinished.png")


@contextmanager
def keep_until_saved(journal: Journal | None) -> Iterator[None]:
    """Keep the journal while the picture is saved in here; it goes where that went well, else the error names it."""
    try:
        yield
    except BaseException as error:
        if journal is not None:
            add_hint(error, journal.stop())
        raise
    if journal is not None:
        journal.remove()
