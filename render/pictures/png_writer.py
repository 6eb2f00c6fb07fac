"""PNG files, written fast (PNG, third edition): whole pictures at once, or band by band while they are painted.

Rows are filtered and packed in pieces of about a mebibyte, by several threads (`render.pictures.packing`), each piece a
chunk of its own. The pieces do not depend on how the picture comes, so both ways make the same chunks of pixels.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import BinaryIO

import numpy as np
from isal import isal_zlib

from render.pictures import packing
from render.pictures.bands import Band
from render.pictures.packing import PackedBand, combine_adler32, pack_band, run_in_threads

SIGNATURE = b"\x89PNG\r\n\x1a\n"
SUB, UP = 1, 2  # PNG's filters: less the pixel to the left, less the one above
TRIED = 32  # each piece takes the filter that packs every 32nd of its rows smaller (benchmarks/saving.py)
LARGEST_SIDE = (1 << 31) - 1  # pixels


def encode_png(rgb: np.ndarray, texts: Mapping[str, str] | None = None, pieces: Sequence[bytes] | None = None) -> bytes:
    """Encode (height, width, 3) uint8 pixels in sRGB as a PNG file, with ASCII texts by keyword.

    pieces: what `pack_pixels` gave for them, if it is known already.
    """
    height, width, _ = rgb.shape
    packed = pack_pixels(rgb) if pieces is None else pieces
    chunks = [*_write_head(width, height, texts or {}), *(_write_chunk(b"IDAT", piece) for piece in packed)]
    return b"".join([*chunks, _write_chunk(b"IEND", b"")])


def pack_pixels(rgb: np.ndarray) -> list[bytes]:
    """Pack pixels as the contents of a PNG's IDAT chunks: the rows, filtered piece by piece, as one zlib stream."""
    height, width, _ = rgb.shape
    return list(PixelPacker(width, height).pack(rgb))


class PngSink:
    """A PNG file that is made of bands (`render.pictures.bands.Sink`). `texts` stand in front of the pixels."""

    def __init__(self, file: BinaryIO, width: int, height: int, texts: Mapping[str, str]) -> None:
        self._file, self._texts = file, texts
        self._packer = PixelPacker(width, height)
        self.expected_bytes = width * height  # of three for each pixel
        file.writelines(_write_head(width, height, texts))

    def write_band(self, band: Band) -> None:
        """Pack the next band, and write it. Raises OSError."""
        for piece in self._packer.pack(band.rgb):
            self._file.write(_write_chunk(b"IDAT", piece))

    def finish(self, texts: Mapping[str, str]) -> None:
        """Write the texts that do not stand in front, behind the pixels. Raises OSError."""
        self._file.writelines(_write_texts({name: text for name, text in texts.items() if name not in self._texts}))
        self._file.write(_write_chunk(b"IEND", b""))

    def abandon(self) -> None:
        """Do nothing: there is nothing to let go of."""


class PixelPacker:
    """Packs the rows of a picture, from the top, as many at a time as come."""

    def __init__(self, width: int, height: int) -> None:
        self._rows = max(packing.BAND // (width * 3), 1)  # of a piece
        self._missing = height  # rows that have not been packed
        self._left = np.empty((0, width, 3), np.uint8)  # rows that do not fill a piece yet
        self._above = np.zeros((1, width, 3), np.uint8)  # the row above those; above the first one is black
        self._sums, self._started = 1, False

    def pack(self, rgb: np.ndarray) -> Iterator[bytes]:
        """Yield the contents of the chunks that these rows complete."""
        packed = run_in_threads([partial(_pack_rows, rows, last=last) for rows, last in self._cut(rgb)])
        for piece in packed:
            self._sums = combine_adler32(self._sums, piece.sums, piece.length)
        for number, piece in enumerate(packed):
            head = b"" if self._started else packing.HEADER
            self._started = True
            last = number == len(packed) - 1 and not self._missing
            yield b"".join([head, piece.data, self._sums.to_bytes(4, "big") if last else b""])

    def _cut(self, rgb: np.ndarray) -> Iterator[tuple[np.ndarray, bool]]:
        """Yield the rows of each piece, with the row above them in front, and whether it is the last one."""
        first, end = 0, min(self._rows, self._missing) - len(self._left)
        while first < end <= len(rgb):
            rows = rgb[first - 1 : end] if first else np.concatenate([self._above, self._left, rgb[:end]])
            self._missing -= len(rows) - 1
            yield rows, not self._missing
            first, end = end, end + min(self._rows, self._missing)
        if first:
            self._above, self._left = rgb[first - 1 : first].copy(), rgb[first:].copy()
        elif len(rgb):
            self._left = np.concatenate([self._left, rgb])


def _pack_rows(rows: np.ndarray, *, last: bool) -> PackedBand:
    """Filter and pack rows, all but the first, which is the one above them."""
    return pack_band(partial(_filter_rows, rows), last=last)


def _filter_rows(rows: np.ndarray) -> np.ndarray:
    """Filter all rows but the first, each behind the number of its filter: the one that suits these rows better."""
    rows = np.ascontiguousarray(rows).reshape(len(rows), -1)
    above, rows = rows[:-1], rows[1:]
    filtered = np.empty((len(rows), 1 + rows.shape[1]), np.uint8)
    filtered[:, 0] = kind = SUB if _packs_smaller_sideways(above[1::TRIED], rows[1::TRIED]) else UP
    if kind == UP:
        np.subtract(rows, above, out=filtered[:, 1:])
    else:
        filtered[:, 1:4] = rows[:, :3]
        np.subtract(rows[:, 3:], rows[:, :-3], out=filtered[:, 4:])
    return filtered


def _packs_smaller_sideways(above: np.ndarray, rows: np.ndarray) -> bool:
    sideways, downwards = rows[:, 3:] - rows[:, :-3], rows - above
    return len(isal_zlib.compress(sideways, packing.LEVEL)) < len(isal_zlib.compress(downwards, packing.LEVEL))


def _write_head(width: int, height: int, texts: Mapping[str, str]) -> list[bytes]:
    return [
        SIGNATURE,
        _write_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)),
        _write_chunk(b"sRGB", b"\0"),  # rendering intent: perceptual
        *_write_texts(texts),
    ]


def _write_texts(texts: Mapping[str, str]) -> list[bytes]:
    return [_write_chunk(b"tEXt", f"{name}\0{text}".encode("ascii")) for name, text in texts.items()]


def _write_chunk(kind: bytes, data: bytes) -> bytes:
    check = isal_zlib.crc32(data, isal_zlib.crc32(kind))
    return b"".join([struct.pack(">I", len(data)), kind, data, struct.pack(">I", check)])
