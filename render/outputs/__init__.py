"""Outputs: what is kept of a run. Each file in this folder is one output, found by its name and loaded on first use.

An output is a pure function from frames (pixels, request, trace) to the bytes of a file, so it works just as well
on frames from a saved trace, on any machine. `npz` is the template; a new output is a new file and nothing else:

    SUFFIXES                                  the ends of file names that choose it
    ABOUT                                     what it shows, in one line
    LARGEST_SIDE                              of a picture that it takes, in pixels; None: any
    write(frames, *, plain=False) -> bytes    a draw's one frame, a race's several; plain: the picture alone
    MOST_TILES                                where more, in all frames, could not be looked at; refused beforehand
    stream(frames, *, plain=False)            the same bytes in pieces, where they are too many to hold at once

Writing the bytes is done here, once for all outputs: a file is either whole or was not touched.
"""

from __future__ import annotations

import errno
import os
import secrets
import stat
import sys
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, cast

from render import registry
from render.errors import OutputError, UsageError

if TYPE_CHECKING:
    from render.frame import Frames

STDOUT = "-"  # standard output, in place of a file's name
REASONS = {  # the usual ones in our own words, and what to do
    errno.ENOSPC: ("there is no room left", "free some room there, or save elsewhere"),
    errno.EISDIR: ("it is a folder", "give the name of a file"),
    errno.ENOENT: ("its folder does not exist", "make the folder first, or save elsewhere"),
    errno.EACCES: ("writing is not allowed", "allow it, or save elsewhere"),
    errno.ENAMETOOLONG: ("the name is too long", "give a shorter name"),
}


class Output(Protocol):
    """What each file of this folder offers."""

    SUFFIXES: tuple[str, ...]
    ABOUT: str
    LARGEST_SIDE: int | None  # pixels that a picture in such a file may be wide or high
    MOST_TILES: int | None  # of all frames: more could not be looked at

    def write(self, frames: Frames, *, plain: bool = False) -> bytes | Iterable[bytes]:
        """The bytes of a file made from these frames, at once or in pieces."""
        ...


def names() -> list[str]:
    """All outputs there are."""
    return registry.names(__path__)


@cache
def load(name: str) -> Output:
    """The output of this name. Raises UnknownName."""
    return cast(Output, registry.load("output", __name__, name, names()))


def by_suffix(path: str | Path) -> Output:
    """The output that the end of this file name chooses; of several, that of the longest suffix. Raises UsageError.

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
        raise UsageError(f"the name {str(path)!r} does not tell what to save", f"end it in {', '.join(sorted(known))}")
    return load(known[max(fitting, key=len)])


def check_name(option: str, path: str, name: str) -> None:
    """Raise UsageError for a file of an option that always makes the output `name`, where its own name says another.

    A page called wall.png would be taken for a picture, if not lie where one was.
    """
    suffixes = load(name).SUFFIXES
    if path == STDOUT or path.lower().endswith(suffixes):
        return
    try:
        meant = by_suffix(path)
    except UsageError:  # it says nothing
        return
    called = next(suffix for suffix in meant.SUFFIXES if path.lower().endswith(suffix))
    raise UsageError(f"--{option} makes no {called}, as {path} is called", f"end it in {suffixes[0]}")


def check_side(kind: str, largest: int, width: int, height: int) -> None:
    """Raise UsageError where a kind of file takes no picture so large."""
    if max(width, height) > largest:
        raise UsageError(
            f"{kind} can be {largest} pixels a side at most, and this frame is {width} x {height}",
            "save it as .png, or give a smaller --size",
        )


def check_sides(makers: Mapping[str, Output], width: int, height: int) -> None:
    """Raise UsageError before painting where a kind of file takes no picture so large."""
    for path, maker in makers.items():
        if maker.LARGEST_SIDE is not None:
            check_side(path, maker.LARGEST_SIDE, width, height)


def check_writable(path: str | Path) -> None:
    """Find out before painting whether `save` could write this file; nothing is left behind.

    Raises OutputError, or UsageError where standard output is a terminal.
    """
    if path == STDOUT:
        if sys.stdout.isatty():
            raise UsageError("a file named - would go to the terminal", "send it on: --out - > FILE, or | PROGRAM")
        return
    try:
        target = _target_file(path)
        if target is not None:
            probe = _temporary_name(target)
            probe.touch(exist_ok=False)
            probe.unlink()
    except (OSError, ValueError) as error:
        raise _write_error(path, error) from error


def check_tiles(path: str | Path, output: Output, tiles: int) -> None:
    """Raise UsageError for more tiles than an output can show, all frames together; painting them would be in vain."""
    most = output.MOST_TILES
    if most is not None and tiles > most:
        raise UsageError(
            f"{path} would show {tiles:,} tiles, and nobody could look at more than {most:,}",
            "cut larger ones, for example --tile 32, or leave this file out",
        )


def write_pieces(output: Output, frames: Frames, *, plain: bool = False) -> Iterable[bytes]:
    """What an output makes of these frames, in pieces; `save` takes it."""
    written = output.write(frames, plain=plain)
    return [written] if isinstance(written, bytes) else written


def save(path: str | Path, data: bytes | Iterable[bytes]) -> None:
    """Write a file whole or not at all, whatever was there before; `data` may come in pieces. Raises OutputError.

    The bytes go to a new file in the same folder, which then takes the name. A link keeps pointing to its target,
    which is replaced; what is no regular file (a pipe, /dev/stdout) is written directly, and so is standard output (-).
    """
    pieces = [data] if isinstance(data, bytes) else data
    if path == STDOUT:
        try:
            sys.stdout.buffer.writelines(pieces)
            sys.stdout.buffer.flush()
        except BrokenPipeError:  # whoever read it has gone
            raise
        except OSError as error:
            raise OutputError(f"cannot write to standard output: {error.strerror}", "send it elsewhere") from error
        return
    try:
        target = _target_file(path)
    except (OSError, ValueError) as error:
        raise _write_error(path, error) from error
    try:
        if target is None:
            with Path(path).open("wb") as file:
                file.writelines(pieces)
        else:
            _replace_file(target, pieces)
    except OSError as error:
        raise _write_error(path, error) from error


def _replace_file(target: Path, pieces: Iterable[bytes]) -> None:
    fresh = _temporary_name(target)
    try:
        with fresh.open("xb") as file:
            file.writelines(pieces)
        if target.exists():
            fresh.chmod(stat.S_IMODE(target.stat().st_mode))
        fresh.replace(target)
    finally:
        fresh.unlink(missing_ok=True)


def _target_file(path: str | Path) -> Path | None:
    """The regular file that is to be made or replaced, links followed; None for a pipe or a device."""
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


def _temporary_name(target: Path) -> Path:
    """A name in the same folder that nothing has."""
    return target.with_name(f".render-{secrets.token_hex(8)}")


def _write_error(path: str | Path, error: OSError | ValueError) -> OutputError:
    number = error.errno if isinstance(error, OSError) else None
    why = getattr(error, "strerror", None) or str(error)
    why, remedy = REASONS.get(number or 0, (why, "save elsewhere"))
    return OutputError(f"cannot write {str(path)!r}: {why}", remedy)
