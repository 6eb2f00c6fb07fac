"""TIFF files made of bands: tiled, with a pyramid of smaller copies, so that a viewer of maps opens any size at once.

The picture and its copies are cut into tiles of 256 x 256 pixels, each packed by deflate on its own; where a level is
narrower or lower than that, so are its tiles (TIFF wants multiples of 16). Each level is half as wide and high as the
one below it (rounded up), until one fits a single tile. A pixel of a level is the mean of the 2 x 2 pixels below it, of
those that there are at an odd edge: of the numbers as they stand in the file, each channel by itself, halves
rounded up.

The copies are SubIFDs of the picture (TIFF Technical Note 1, 1995): GDAL (from 3.2) and so QGIS, libvips and tifffile
take those for a pyramid, and to Pillow and all others the file is one picture. Copies that follow it in the chain of
pages, as in a cloud-optimized GeoTIFF, are a pyramid to the same programs, but to others they are more pages.

Tiles have no predictor: differences from pixel to pixel take more time (1.16 and 1.75 times) and make the tiles of
a Mandelbrot set larger by 20 %, those of the still life smaller by 24 % (benchmarks/sections/saving.py). The file is a
BigTIFF only where the tiles of all levels, unpacked, come near the 4 GiB that a TIFF can address.
"""

from __future__ import annotations

import threading
from array import array
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from io import BytesIO
from pathlib import Path
from queue import Queue
from tempfile import TemporaryFile
from typing import BinaryIO, NamedTuple

import numpy as np
from isal import isal_zlib

from render.pictures import packing
from render.pictures.bands import ROWS, Band
from render.pictures.pillow import make_srgb_profile
from render.pictures.provenance import join_texts

TILE = ROWS  # pixels of a tile's side, at most
UNIT = 16  # of which the sides of tiles are multiples
CLASSIC = (1 << 32) - (1 << 26)  # bytes that a TIFF of 32-bit addresses may have, less room for its tables
AHEAD = 2  # rows of tiles that wait to be written, at most
ICC_PROFILE = 34675  # the tag's number
BYTES = 7  # TIFF's type "undefined"


class SpooledLevel(NamedTuple):
    """A smaller copy on its way: rows of pixels that do not fill a row of tiles yet, and where its tiles are spooled.

    pixels: (TILE, width, 3) uint8, of which the first `filled[0]` rows count; starts, lengths: of each packed tile.
    """

    pixels: np.ndarray
    filled: list[int]
    starts: array[int]
    lengths: array[int]


def list_level_sizes(width: int, height: int) -> list[tuple[int, int]]:
    """List width and height of the picture and of all its smaller copies."""
    sizes = [(width, height)]
    while max(sizes[-1]) > TILE:
        sizes.append((-(-sizes[-1][0] // 2), -(-sizes[-1][1] // 2)))
    return sizes


def choose_tile(width: int, height: int) -> tuple[int, int]:
    """Choose width and height of the tiles of a level."""
    return min(-(-width // UNIT) * UNIT, TILE), min(-(-height // UNIT) * UNIT, TILE)


def _count_unpacked_bytes(width: int, height: int) -> int:
    """Count the bytes of a level's tiles, before they are packed."""
    across, down = choose_tile(width, height)
    return -(-width // across) * -(-height // down) * across * down * 3


def encode_tiff(rgb: np.ndarray, texts: Mapping[str, str]) -> bytes:
    """Encode (height, width, 3) uint8 pixels in sRGB as a TIFF file, with ASCII texts by keyword."""
    height, width, _ = rgb.shape
    file = BytesIO()
    sink = TiffSink(file, BytesIO(), width, height, plain=not texts)
    try:
        sink.write_band(Band(0, rgb))
        sink.finish(texts)
    except BaseException:
        sink.abandon()
        raise
    return file.getvalue()


def open_spool(folder: Path) -> BinaryIO:
    """Open a temporary file without a name, for the packed tiles of the smaller copies."""
    return TemporaryFile(dir=folder)


class TiffSink:
    """A TIFF file that is made of bands (`render.pictures.bands.Sink`).

    `write_band` packs the tiles, in several threads, and makes the smaller copies; another thread writes what is
    packed. The picture's own tiles go to `file` at once, those of the copies to `spool`, and behind the others at the
    end. `file` is open for reading and writing, and empty. plain: `finish` has no texts to add.
    """

    def __init__(self, file: BinaryIO, spool: BinaryIO, width: int, height: int, *, plain: bool) -> None:
        self._file, self._spool, self._plain = file, spool, plain
        self.expected_bytes = width * height * 5 // 3  # the smaller copies, a third, are written twice
        self._sizes = list_level_sizes(width, height)
        self._levels = [
            SpooledLevel(np.empty((min(TILE, high), wide, 3), np.uint8), [0], array("Q"), array("Q"))
            for wide, high in self._sizes[1:]
        ]
        self._packed: Queue[list[bytes] | None] = Queue(AHEAD)  # None: there are no more
        self._all_packed = False
        self._failed: list[BaseException] = []
        self._writer: threading.Thread | None = threading.Thread(target=self._write_file, daemon=True, name="tiff")
        try:
            self._writer.start()
        except RuntimeError:  # no more threads are allowed: then all is written at the end
            self._writer, self._packed = None, Queue()

    def write_band(self, band: Band) -> None:
        """Pack the next band; wait while others are still to be written. Raises OSError."""
        for top in range(0, len(band.rgb), TILE):
            self._raise_failure()
            tiles, half = _pack_row(band.rgb[top : top + TILE], self._sizes[0], reduce=bool(self._levels))
            self._packed.put(tiles)
            if half is not None:
                self._fill_level(0, half)

    def finish(self, texts: Mapping[str, str]) -> None:
        """Write the smaller copies and the texts. Raises OSError."""
        for number in range(len(self._levels)):
            self._pack_level(number)
        self._packed.put(None)
        if self._writer is None:
            self._write_file()
        else:
            self._writer.join()
        self._spool.close()
        self._raise_failure()
        if texts:
            from tifffile import tiffcomment

            self._file.seek(0)
            tiffcomment(self._file, join_texts(texts))

    def abandon(self) -> None:
        """Stop writing."""
        self._failed.append(OSError("the picture was abandoned"))
        self._packed.put(None)
        if self._writer is not None:
            self._writer.join()
        self._spool.close()

    def _raise_failure(self) -> None:
        if self._failed:
            raise self._failed[0]

    def _fill_level(self, number: int, rows: np.ndarray) -> None:
        """Add rows to a smaller copy, and pack its row of tiles when that is full."""
        pixels, filled, _, _ = self._levels[number]
        while len(rows):
            taken = rows[: len(pixels) - filled[0]]
            pixels[filled[0] : filled[0] + len(taken)] = taken
            filled[0] += len(taken)
            rows = rows[len(taken) :]
            if filled[0] == TILE:
                self._pack_level(number)

    def _pack_level(self, number: int) -> None:
        """Pack the rows that a smaller copy has gathered, and add their means to the next one."""
        pixels, filled, starts, lengths = self._levels[number]
        if not filled[0]:
            return
        reduce = number + 1 < len(self._levels)
        tiles, half = _pack_row(pixels[: filled[0]], self._sizes[number + 1], reduce=reduce)
        filled[0] = 0
        for tile in tiles:
            starts.append(self._spool.tell())
            lengths.append(len(tile))
            self._spool.write(tile)
        if half is not None:
            self._fill_level(number + 1, half)

    def _write_file(self) -> None:
        """Write the file, in a thread of its own: tifffile asks for tile after tile."""
        try:
            self._write_levels()
        except BaseException as error:  # noqa: BLE001  (raised where bands are written)
            self._failed.append(error)
            while not self._all_packed:  # nobody waits in vain
                self._wait_for_row()

    def _write_levels(self) -> None:
        from tifffile import TiffWriter

        big = sum(_count_unpacked_bytes(*size) for size in self._sizes) > CLASSIC
        profile = make_srgb_profile()
        with TiffWriter(self._file, bigtiff=big, byteorder="<") as writer:
            for number, (wide, high) in enumerate(self._sizes):
                writer.write(
                    self._read_spooled_tiles(self._levels[number - 1]) if number else self._take_tiles(),
                    shape=(high, wide, 3),
                    dtype=np.uint8,
                    photometric="rgb",
                    tile=choose_tile(wide, high)[::-1],
                    compression="zlib",
                    subifds=0 if number else len(self._levels),
                    subfiletype=1 if number else 0,  # 1: a smaller copy
                    description="" if number == 0 and not self._plain else None,
                    metadata=None,
                    software=False,
                    extratags=[(ICC_PROFILE, BYTES, len(profile), profile, True)],
                )

    def _wait_for_row(self) -> list[bytes]:
        """Wait for the next row of the picture's own tiles; none where there are no more."""
        tiles = self._packed.get()
        self._all_packed = tiles is None
        return tiles or []

    def _take_tiles(self) -> Iterator[bytes]:
        while tiles := self._wait_for_row():
            yield from tiles
        self._raise_failure()

    def _read_spooled_tiles(self, level: SpooledLevel) -> Iterator[bytes]:
        while not self._all_packed:  # tifffile has asked for the picture's tiles, and not whether there are more
            self._wait_for_row()
        self._raise_failure()
        for start, length in zip(level.starts, level.lengths, strict=True):
            self._spool.seek(start)
            yield self._spool.read(length)


def _pack_row(rows: np.ndarray, level: tuple[int, int], *, reduce: bool) -> tuple[list[bytes], np.ndarray | None]:
    """Pack a row of tiles of a level of this size, and make the rows of the next level from them.

    rows: (up to TILE, width, 3) uint8.
    """
    height, width, _ = rows.shape
    tile = choose_tile(*level)
    half = np.empty((-(-height // 2), -(-width // 2), 3), np.uint8) if reduce else None

    def work(left: int) -> list[bytes]:
        part = rows[:, left : left + 2 * TILE]
        if half is not None:
            half[:, left // 2 : left // 2 + TILE] = halve(part)
        return [_pack_tile(part[:, at : at + TILE], *tile) for at in range(0, part.shape[1], TILE)]

    jobs: list[Callable[[], list[bytes]]] = [partial(work, left) for left in range(0, width, 2 * TILE)]
    return [tile for tiles in packing.run_in_threads(jobs) for tile in tiles], half


def _pack_tile(pixels: np.ndarray, across: int, down: int) -> bytes:
    """Pack one tile as a zlib stream; at the edge of the picture the rest of it is black."""
    if pixels.shape[:2] == (down, across):
        return isal_zlib.compress(np.ascontiguousarray(pixels), packing.LEVEL)
    whole = np.zeros((down, across, 3), np.uint8)
    whole[: pixels.shape[0], : pixels.shape[1]] = pixels
    return isal_zlib.compress(whole, packing.LEVEL)


def halve(rgb: np.ndarray) -> np.ndarray:
    """Make a copy half as wide and high, rounded up: (height, width, 3) uint8, the means of 2 x 2 pixels.

    The mean of the numbers as they are, halves rounded up; at an odd edge of the pixels that there are.
    """
    height, width, _ = rgb.shape
    if height % 2:  # a pixel twice has the mean of one
        rgb = np.concatenate([rgb, rgb[-1:]])
    if width % 2:
        rgb = np.concatenate([rgb, rgb[:, -1:]], axis=1)
    pairs = np.add(rgb[0::2], rgb[1::2], dtype=np.uint16)
    pairs += 1  # two of them: half of the 4 that are divided by
    half = np.empty((pairs.shape[0], pairs.shape[1] // 2, 3), np.uint8)
    for channel in range(3):  # a third of the time that all three together take
        sums = pairs[:, 0::2, channel] + pairs[:, 1::2, channel]
        half[..., channel] = sums >> 2
    return half
