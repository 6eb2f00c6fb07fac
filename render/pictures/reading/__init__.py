"""The ways from a file to pixels: one module for each, and what all of them share.

    png       every chunk and sum of a PNG is checked; what this program writes is unpacked here as well (pixels)
    npz       numpy's archives
    tiff      TIFF of 8-bit RGB, in tiles or strips, with or without a pyramid
    images    whatever Pillow decodes

The first three have `scan`, which reads all but the pixels, for pictures that are read in bands.

No file decides how much memory it may take: what it would need is known from its header, and is refused before
anything is unpacked if that is too much.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from render import machine
from render.errors import InputError
from render.wording import format_size

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import IO

    import numpy as np

SHARE = 3  # of its memory: a process reads a picture of a third, as it draws a frame of a third; two are compared
SMALL = 1 << 28  # bytes that any file may unpack to, however small it is
BANDS = 1024  # rows of a picture that are in memory while it is read in bands, at most
RATIO = 1000  # bytes out of one: deflate's most is 1032, and one colour as this program packs it stays below 995


class Layer(NamedTuple):
    """One picture of a file. `rgb` (height, width, 3) uint8 or uint16; `alpha` (height, width) alike, None: opaque."""

    rgb: np.ndarray
    alpha: np.ndarray | None = None


class LargeFile(NamedTuple):
    """All that a file holds but its pixels, which are read in bands: 8-bit RGB, one picture, nothing transparent.

    size: width and height in pixels. texts, ignored: see `FileContents`. arrays: the names of what it holds for each
    pixel. read_rows: gives them from the open file, of so many bytes, in arrays of (rows, width, 3) uint8, any number
    of rows each; raises InputError where the file is damaged, NeedsPillow where it cannot go on.
    """

    size: tuple[int, int]
    texts: dict[str, str]
    ignored: tuple[str, ...]
    arrays: tuple[str, ...]
    read_rows: Callable[[IO[bytes], int], Iterator[np.ndarray]]


class NeedsPillow(Exception):
    """Rows that only Pillow can read, and only all at once."""


class FileContents(NamedTuple):
    """All that a file holds.

    layers: its pictures, more than one where it is animated or has several pages. steps, inside: see `Frame`. texts:
    what programs have put there, by keyword. ignored: what would change how it looks and is not applied, in words.
    """

    layers: tuple[Layer, ...]
    texts: dict[str, str]
    ignored: tuple[str, ...] = ()
    steps: np.ndarray | None = None
    inside: np.ndarray | None = None


def damage_error(why: str) -> InputError:
    """Make the error of a file that is no picture, or no longer; the cause lacks its name in front."""
    return InputError(f"cannot be read as a picture: {why}", "give a whole file, or save the picture again")


def silence_log(library: str) -> None:
    """Keep a library's log from standard error, where it goes if nobody has asked for it: our errors say it."""
    from logging import NullHandler, getLogger  # only where a library with a log is loaded

    log = getLogger(library)
    if not log.handlers:
        log.addHandler(NullHandler())


def check_memory(needed: int, packed: int | None = None) -> None:
    """Refuse what would take more memory than a picture may. Raises InputError.

    needed: bytes that reading takes at most; packed: bytes from which a deflate stream unpacks to that many.
    """
    most = machine.memory() // SHARE
    if needed > most:
        raise InputError(
            f"is refused: reading it takes {format_size(needed)} of memory, and a picture may take {format_size(most)} "
            f"here (1/{SHARE} of what this process may use)",
            "give a smaller picture, or read it on a machine with more memory",
        )
    if packed is not None:
        check_ratio(needed, packed)


def check_ratio(needed: int, packed: int) -> None:
    """Refuse a decompression bomb: so many bytes out of so few. Raises InputError."""
    if needed > max(SMALL, RATIO * packed):
        raise InputError(
            f"is refused as a decompression bomb: {format_size(packed)} would unpack to {format_size(needed)}",
            "give a smaller picture, or one that is packed less (.npz from this program is not packed at all)",
        )
