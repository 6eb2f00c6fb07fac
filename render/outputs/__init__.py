"""Outputs: what is kept of a run. Each file in this folder is one output, found by its name and loaded on first use.

An output is a pure function from frames (pixels, request, trace) to the bytes of a file, so it also works on frames
from a saved trace, on any machine. `npz` is the template; a new output is a new file and nothing else:

    SUFFIXES                                  the ends of file names that choose it
    ABOUT                                     its content, in one line
    LARGEST_SIDE                              most pixels that a picture may be wide or high; None: any
    write(frames, *, plain=False) -> bytes    or pieces of them; frames: one of a draw, several of a race; plain: the
                                              picture alone
    MOST_TILES                                most tiles it can show, in all frames; more are refused beforehand
    KEEPS_PIXELS                              whether it holds the frame's own pixels, and no small picture will do
    open_sink(file, folder, request, *, plain) -> Sink    for a picture larger than memory, which comes in bands
                                              (`render.pictures.bands`): None where it cannot be written that way

Writing the bytes is done here, once for all outputs: a file is either whole or was not touched.
"""

from __future__ import annotations

import errno
import os
import stat
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Protocol, cast

from render import registry
from render.errors import OutputError, UsageError
from render.storage.whole_file import check_room, open_whole, write_whole

if TYPE_CHECKING:
    from render.frame import Frames
    from render.pictures.bands import Sink
    from render.request import Request

STDOUT = "-"  # standard output, in place of a file's name
REASONS = {  # the usual ones in our own words, and what to do
    errno.ENOSPC: ("the disk is full", "free some space there, or save elsewhere"),
    errno.EISDIR: ("it is a folder", "give the name of a file"),
    errno.ENOENT: ("its folder does not exist", "create the folder first, or save elsewhere"),
    errno.EACCES: ("permission denied", "allow writing there, or save elsewhere"),
    errno.ENAMETOOLONG: ("the name is too long", "give a shorter name"),
}


class OpenSink(Protocol):
    """A function of an output, which begins a file for bands."""

    def __call__(self, file: BinaryIO, folder: Path, request: Request, *, plain: bool) -> Sink:
        """Begin a picture of the request's size in `file`, which is empty; temporary files may go to `folder`."""


class Output(Protocol):
    """An output, as each file of this folder is one."""

    SUFFIXES: tuple[str, ...]
    ABOUT: str
    LARGEST_SIDE: int | None  # pixels that a picture in such a file may be wide or high
    MOST_TILES: int | None  # of all frames: more could not be looked at
    KEEPS_PIXELS: bool
    open_sink: OpenSink | None  # for pictures that come in bands

    def write(self, frames: Frames, *, plain: bool = False) -> bytes | Iterable[bytes]:
        """Make the bytes of a file from these frames, at once or in pieces."""


def names() -> list[str]:
    """List all outputs."""
    return registry.names(__path__)


@cache
def load(name: str) -> Output:
    """Load an output by its name. Raises UnknownName."""
    return cast(Output, registry.load("output", __name__, name, names()))


def by_suffix(path: str | Path) -> Output:
    """Choose the output by the end of a file name; the longest suffix wins. Raises UsageError.

    `-`, which stands for standard output, chooses PNG.
    A name with one dot and an output's own name behind it leaves no choice, and saves loading all the others.
    """
    if path == STDOUT:
        return load("png")
    _, *ends = Path(path).name.lower().split(".")
    if len(ends) == 1 and ends[0] in names() and f".{ends[0]}" in load(ends[0]).SUFFIXES:
        return load(ends[0])
    known = {suffix: name for name in names() for suffix in load(name).SUFFIXES}
    fitting = [suffix for suffix in known if Path(path).name.lower().endswith(suffix)]
    if not fitting:
        raise UsageError(f"the name {str(path)!r} does not say what to save", f"end it in {', '.join(sorted(known))}")
    return load(known[max(fitting, key=len)])


def check_name(option: str, path: str, name: str) -> None:
    """Raise UsageError for a file of an option that always makes the output `name`, where its own name says another.

    A page called wall.png would be taken for a picture, or replace one.
    """
    suffixes = load(name).SUFFIXES
    if path == STDOUT or path.lower().endswith(suffixes):
        return
    try:
        meant = by_suffix(path)
    except UsageError:  # it says nothing
        return
    called = next(suffix for suffix in meant.SUFFIXES if path.lower().endswith(suffix))
    raise UsageError(f"--{option} writes {suffixes[0]}, and {path} ends in {called}", f"end it in {suffixes[0]}")


def check_side(kind: str, largest: int, width: int, height: int) -> None:
    """Raise UsageError where a kind of file takes no picture so large."""
    if max(width, height) > largest:
        raise UsageError(
            f"{kind} can be at most {largest} pixels a side, and this frame is {width} x {height}",
            "save it as .tif, or give a smaller --size",
        )


def check_sides(makers: Mapping[str, Output], width: int, height: int) -> None:
    """Raise UsageError before painting where a kind of file takes no picture so large."""
    for path, maker in makers.items():
        if maker.LARGEST_SIDE is not None:
            check_side(path, maker.LARGEST_SIDE, width, height)


def check_writable(path: str | Path) -> None:
    """Check before painting that `save` could write this file; leave nothing behind.

    Raises OutputError, or UsageError where standard output is a terminal.
    """
    if path == STDOUT:
        if sys.stdout.isatty():
            raise UsageError("a file named - would go to the terminal", "redirect it: --out - > FILE, or | PROGRAM")
        return
    try:
        target = target_file(path)
        if target is not None:
            check_room(target)
    except (OSError, ValueError) as error:
        raise make_write_error(path, error) from error


def is_regular(path: str | Path) -> bool:
    """Tell whether `save` makes a regular file of this name: no pipe, device or standard output."""
    return path != STDOUT and target_file(path) is not None


def check_tiles(path: str | Path, output: Output, tiles: int) -> None:
    """Raise UsageError for more tiles than an output can show, all frames together, before they are painted."""
    most = output.MOST_TILES
    if most is not None and tiles > most:
        raise UsageError(
            f"{path} can show at most {most:,} tiles, and there are {tiles:,}",
            "cut larger ones, for example --tile 32, or leave this file out",
        )


def write_pieces(output: Output, frames: Frames, *, plain: bool = False) -> Iterable[bytes]:
    """Make the bytes of a file in pieces, for `save`. Raises UsageError where it needs pixels that are not there."""
    if output.KEEPS_PIXELS and frames.frames and frames[0].is_small:
        raise UsageError(
            f"{output.SUFFIXES[0]} holds all pixels of a frame, and of this one there is only a small picture",
            "draw it again, with this file among those of --out",
        )
    written = output.write(frames, plain=plain)
    return [written] if isinstance(written, bytes) else written


def save_frames(path: str | Path, output: Output, frames: Frames, *, plain: bool = False) -> None:
    """Save frames as a file of this output. Raises as `write_pieces` and `save` do."""
    save(path, write_pieces(output, frames, plain=plain))


def save(path: str | Path, data: bytes | Iterable[bytes]) -> None:
    """Write a file whole or not at all, whatever was there before; `data` may come in pieces. Raises OutputError.

    When this returns, it is on the disk. A link keeps pointing to its target, which is replaced; what is no regular
    file (a pipe, /dev/stdout) is written directly, and so is standard output (-).
    """
    pieces = [data] if isinstance(data, bytes) else data
    if path == STDOUT:
        try:
            sys.stdout.buffer.writelines(pieces)
            sys.stdout.buffer.flush()
        except BrokenPipeError:  # whoever read it has gone
            raise
        except OSError as error:
            raise OutputError(f"cannot write to standard output: {error.strerror}", "redirect it elsewhere") from error
        return
    try:
        target = target_file(path)
    except (OSError, ValueError) as error:
        raise make_write_error(path, error) from error
    try:
        if target is None:
            with Path(path).open("wb") as file:
                file.writelines(pieces)
        else:
            write_whole(target, pieces)
    except OSError as error:
        raise make_write_error(path, error) from error


@contextmanager
def open_file(path: str | Path) -> Iterator[BinaryIO]:
    """Open a regular file, or standard output, that is whole when this is left without an error. Raises OutputError."""
    with ExitStack() as stack:
        if path == STDOUT:
            yield sys.stdout.buffer
            sys.stdout.buffer.flush()
            return
        try:
            target = target_file(path)
            assert target is not None  # `is_regular`
            file = stack.enter_context(open_whole(target))
        except (OSError, ValueError) as error:
            raise make_write_error(path, error) from error
        yield file
        try:
            stack.close()
        except OSError as error:
            raise make_write_error(path, error) from error


def target_file(path: str | Path) -> Path | None:
    """Return the regular file to make or replace, links followed; None for a pipe or a device."""
    target = Path(os.path.realpath(path))
    if target.is_dir() or os.fspath(path).endswith(("/", os.sep)):
        raise IsADirectoryError(errno.EISDIR, "")
    try:
        mode = Path(path).stat().st_mode
    except FileNotFoundError:
        return target
    if not os.access(path, os.W_OK):
        raise PermissionError(errno.EACCES, "")
    return target if stat.S_ISREG(mode) else None


def make_write_error(path: str | Path, error: OSError | ValueError) -> OutputError:
    """Make the error for a file that could not be written."""
    number = error.errno if isinstance(error, OSError) else None
    why = getattr(error, "strerror", None) or str(error)
    why, remedy = REASONS.get(number or 0, (why, "save elsewhere"))
    return OutputError(f"cannot write {str(path)!r}: {why}", remedy)
