"""Pixels of a PNG on their way out of its chunks: the zlib stream, and rows of RGB whose filters are easily undone."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np
from isal import igzip_lib

from render.pictures.reading import damage_error

PIECE = 1 << 20  # bytes that are unpacked together
SUB, UP = 1, 2  # filters, behind None


class PixelStream:
    """A zlib stream over one or more chunks of a kind; must unpack to so many bytes, and `take` gets them."""

    def __init__(self, kind: str, expected: int, take: Callable[[bytes], None] | None) -> None:
        self.kind, self.left, self.take = kind, expected, take
        self.inflate = igzip_lib.IgzipDecompressor(flag=igzip_lib.DECOMP_ZLIB)
        self.skipped = 0  # of a chunk's sequence number
        self.beyond = 0  # bytes behind the stream's end

    def start_chunk(self, kind: str) -> Callable[[bytes], None]:
        """Start the next chunk; return the function that takes its pieces."""
        if kind != self.kind:
            raise damage_error(f"its chunk {kind} lies between {self.kind} chunks")
        self.skipped = 0
        return self.feed if kind == "IDAT" else self.feed_numbered

    def feed_numbered(self, piece: bytes) -> None:
        """Unpack a piece of a chunk that starts with 4 bytes of its own."""
        before = min(4 - self.skipped, len(piece))
        self.skipped += before
        self.feed(piece[before:])

    def feed(self, piece: bytes) -> None:
        """Unpack a piece."""
        if self.inflate.eof:
            self.beyond += len(piece)
        more = bool(piece) and not self.inflate.eof
        while more:
            try:
                unpacked = self.inflate.decompress(piece, PIECE)
            except igzip_lib.error as error:  # type: ignore[misc]  # its stub says: an instance
                raise damage_error(f"its {self.kind} chunks are damaged ({_describe_reason(error)})") from error
            self.left -= len(unpacked)
            if self.left < 0:
                raise damage_error(f"its {self.kind} chunks hold more than the picture has pixels")
            if self.take is not None:
                self.take(unpacked)
            piece = b""
            more = not (self.inflate.eof or self.inflate.needs_input)
            self.beyond += len(self.inflate.unused_data) if self.inflate.eof else 0

    def end(self) -> None:
        """Raise InputError where anything is missing."""
        if self.left or not self.inflate.eof:
            raise damage_error(f"its {self.kind} chunks end too early: not all pixels are there")


def _describe_reason(error: Exception) -> str:
    return "its Adler-32 does not match" if "checksum" in str(error) else "they cannot be unpacked"


class Rows:
    """Rows of 8-bit RGB as they are unpacked; `simple` until a row has a filter that is left to Pillow.

    `take_rows` hands over those that are there.
    """

    def __init__(self, width: int) -> None:
        self.simple = True
        self._packed_length = 1 + 3 * width
        self._kept = bytearray()
        self._last = np.zeros((width, 3), np.uint8)  # above the first row is black
        self._ready: list[np.ndarray] = []

    def add_piece(self, piece: bytes) -> None:
        """Undo the filters of as many rows as are there now."""
        if not self.simple:
            return
        self._kept += piece
        whole = len(self._kept) // self._packed_length
        if not whole:
            return
        rows = np.frombuffer(bytes(self._kept[: whole * self._packed_length]), np.uint8).reshape(whole, -1)
        del self._kept[: whole * self._packed_length]
        self.simple = bool(rows[:, 0].max() <= UP)
        if not self.simple:
            self._ready.clear()  # Pillow needs the memory
            return
        bounds = [0, *(np.flatnonzero(np.diff(rows[:, 0])) + 1).tolist(), whole]
        for first, end in pairwise(bounds):
            self._undo_filter(rows[first:end], int(rows[first, 0]))

    def _undo_filter(self, rows: np.ndarray, kind: int) -> None:
        """Undo the filter of rows that all have the same."""
        bodies = rows[:, 1:].reshape(len(rows), -1, 3)
        if kind == SUB:
            pixels = np.add.accumulate(bodies, axis=1, dtype=np.uint8)
        elif kind == UP:
            pixels = bodies.copy()
            pixels[0] += self._last
            for number in range(1, len(pixels)):
                pixels[number] += pixels[number - 1]
        else:
            pixels = bodies
        self._last = pixels[-1]
        self._ready.append(pixels)

    def take_rows(self) -> list[np.ndarray]:
        """Return the rows that have come since the last call, in arrays of (rows, width, 3) uint8."""
        ready, self._ready = self._ready, []
        return ready
