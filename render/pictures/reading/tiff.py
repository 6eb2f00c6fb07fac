"""TIFF as this program writes it, and others alike: 8-bit RGB in tiles or strips, packed by deflate or not at all.

Smaller copies of the picture, in SubIFDs or as pages that say so, are not looked at. Each tile or strip is checked
against the sum of its deflate stream. All other kinds of TIFF (16 bits, alpha, inks, several pages) are left to Pillow.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import IO, TYPE_CHECKING, NamedTuple

import numpy as np
from isal import isal_zlib

from render.pictures.packing import run_in_threads
from render.pictures.provenance import split_texts
from render.pictures.reading import (
    BANDS,
    FileContents,
    LargeFile,
    Layer,
    check_memory,
    check_ratio,
    damage_error,
    silence_log,
)
from render.pictures.reading.images import name_profile

if TYPE_CHECKING:
    from tifffile import TiffFile, TiffPage

PLAIN, DEFLATE = 1, (8, 32946)  # compressions
RGB, CHUNKY, SIDEWAYS = 2, 1, 2  # photometric interpretation; planar configuration; predictor
ORIENTATION = 274  # the tag's number
REDUCED, MOST_PAGES = 1, 64  # the type of a page that is a smaller copy; pages that may be such
HEAD = 1 << 10  # bytes that a stream may be longer than what is in it


class Layout(NamedTuple):
    """Where the pixels are: in tiles of `across` x `down` pixels, or in strips, of which the last may be lower."""

    tiled: bool
    width: int
    height: int
    across: int
    down: int
    starts: tuple[int, ...]
    lengths: tuple[int, ...]
    packed: bool
    sideways: bool  # each pixel less the one to its left

    @property
    def columns(self) -> int:
        """The number of tiles beside each other."""
        return -(-self.width // self.across)


class _Described(NamedTuple):
    layout: Layout
    texts: dict[str, str]
    ignored: tuple[str, ...]


def read(file: IO[bytes], length: int) -> FileContents | None:
    """Read the picture; None where that is left to Pillow. Raises InputError."""
    described = _describe(file)
    if described is None:
        return None
    layout, texts, ignored = described
    check_memory(layout.width * layout.height * 3, length)
    rgb = np.empty((layout.height, layout.width, 3), np.uint8)
    done = 0
    for rows in _unpack_rows(file, length, layout):
        rgb[done : done + len(rows)] = rows
        done += len(rows)
    return FileContents((Layer(rgb),), texts, ignored)


def scan(file: IO[bytes], length: int) -> LargeFile | None:
    """Read all but the pixels; None where they cannot be read in bands. Raises InputError."""
    described = _describe(file)
    if described is None:
        return None
    layout, texts, ignored = described
    check_ratio(layout.width * layout.height * 3, length)
    check_memory(BANDS * layout.width * 3)
    return LargeFile((layout.width, layout.height), texts, ignored, ("rgb",), _read_rows)


def _read_rows(file: IO[bytes], length: int) -> Iterator[np.ndarray]:
    described = _describe(file)
    assert described is not None  # `scan` has seen it
    yield from _unpack_rows(file, length, described.layout)


def _describe(file: IO[bytes]) -> _Described | None:
    """Read what stands before the pixels; None where they are of another kind."""
    from tifffile import TiffFile

    silence_log("tifffile")  # `_check_layout` says what matters
    file.seek(0)
    try:
        with TiffFile(file) as opened:
            page = opened.pages.first
            if not _is_plain(page) or not _is_alone(opened):
                return None
            return _Described(_find_tiles(page), split_texts(page.description), tuple(_list_ignored(page)))
    except Exception:  # noqa: BLE001  (tifffile raises nearly everything on damaged files; Pillow reports why)
        return None


def _find_tiles(page: TiffPage) -> Layout:
    tiled = page.is_tiled
    return Layout(
        tiled,
        page.imagewidth,
        page.imagelength,
        page.tilewidth if tiled else page.imagewidth,
        page.tilelength if tiled else min(page.rowsperstrip or page.imagelength, page.imagelength),
        tuple(page.dataoffsets),
        tuple(page.databytecounts),
        page.compression != PLAIN,
        page.predictor == SIDEWAYS,
    )


def _list_ignored(page: TiffPage) -> Iterator[str]:
    if page.iccprofile and "sRGB" not in (name := name_profile(page.iccprofile)):
        yield f"its colour profile ({name})"


def _is_plain(page: TiffPage) -> bool:
    """Test for 8-bit RGB, nothing transparent, nothing turned, packed by deflate at most."""
    orientation = page.tags.get(ORIENTATION)
    return (
        (page.bitspersample, page.samplesperpixel, tuple(page.extrasamples)) == (8, 3, ())
        and (page.photometric, page.planarconfig, page.fillorder) == (RGB, CHUNKY, 1)
        and page.dtype == np.uint8
        and page.imagedepth == 1
        and page.compression in {PLAIN, *DEFLATE}
        and page.predictor in {1, SIDEWAYS}
        and (page.compression != PLAIN or page.predictor == 1)
        and (orientation is None or orientation.value == 1)
        and min(page.imagewidth, page.imagelength) > 0
    )


def _is_alone(opened: TiffFile) -> bool:
    """Test that all further pages are smaller copies of the first."""
    pages = opened.pages
    return len(pages) <= MOST_PAGES and all(
        getattr(pages[number], "subfiletype", 0) == REDUCED for number in range(1, len(pages))
    )


def _unpack_rows(file: IO[bytes], length: int, layout: Layout) -> Iterator[np.ndarray]:
    """Yield the pixels, as many rows as a tile has at a time."""
    _check_layout(layout, length)
    for top in range(0, layout.height, layout.down):
        rows = np.empty((min(layout.down, layout.height - top), layout.width, 3), np.uint8)
        first = top // layout.down * layout.columns
        jobs = []
        for number in range(first, first + layout.columns):
            file.seek(layout.starts[number])
            jobs.append(partial(_unpack_tile, file.read(layout.lengths[number]), number, layout, rows))
        run_in_threads(jobs)
        yield rows


def _check_layout(layout: Layout, length: int) -> None:
    """Raise InputError where tiles are not those of the picture, or do not lie in the file."""
    wide, high = layout.across, layout.down
    if min(wide, high) < 1:
        raise damage_error(f"its tiles are {wide} x {high} pixels")
    check_memory((layout.columns * wide + layout.width) * high * 3)
    tiles = layout.columns * -(-layout.height // high)
    if len(layout.starts) != tiles or len(layout.lengths) != tiles:
        raise damage_error(f"it lists {len(layout.starts)} places and {len(layout.lengths)} lengths of {tiles} tiles")
    size = wide * high * 3
    for number, (start, packed) in enumerate(zip(layout.starts, layout.lengths, strict=True)):
        if not 0 < packed <= length - start or start < 8:
            raise damage_error(f"its tile or strip {number} does not lie in the file")
        if packed > size + size // 100 + HEAD:
            raise damage_error(f"its tile or strip {number} has more bytes than its pixels need")


def _unpack_tile(data: bytes, number: int, layout: Layout, rows: np.ndarray) -> None:
    """Unpack a tile, or a strip, into its place in the rows."""
    left = number % layout.columns * layout.across
    place = rows[:, left : left + layout.across]
    most = layout.across * layout.down * 3
    needed = layout.across * len(rows) * 3
    if layout.packed:
        inflate = isal_zlib.decompressobj()
        try:
            data = inflate.decompress(data, most + 1)
        except isal_zlib.error as error:  # type: ignore[misc]  # its stub says: an instance
            raise damage_error(f"its tile or strip {number} is damaged") from error
        if not inflate.eof or len(data) > most:
            raise damage_error(f"its tile or strip {number} is damaged")
    if len(data) < (most if layout.tiled else needed):
        raise damage_error(f"its tile or strip {number} ends too early")
    pixels = np.frombuffer(data, np.uint8, needed).reshape(len(rows), layout.across, 3)
    if layout.sideways:
        pixels = np.add.accumulate(pixels, axis=1, dtype=np.uint8)
    place[:] = pixels[:, : place.shape[1]]
