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
    """Rows of 8-bit RGB as they are unpacked; `simple` until a row has a filter that is left to Pillow."""

    def __init__(self, width: int, height: int) -> None:
        self.rgb = np.empty((height, width, 3), np.uint8)
        self.simple = True
        self._long = 1 + 3 * width
        self._kept = bytearray()
        self._done = 0

    def add_piece(self, piece: bytes) -> None:
        """Put as many rows in their place as are there now."""
        if not self.simple:
            return
        self._kept += piece
        whole = len(self._kept) // self._long
        if not whole:
            return
        rows = np.frombuffer(bytes(self._kept[: whole * self._long]), np.uint8).reshape(whole, self._long)
        del self._kept[: whole * self._long]
        self.simple = bool(rows[:, 0].max() <= UP)
        if not self.simple:
            self.rgb = np.empty((0, 0, 3), np.uint8)  # Pillow needs the memory
            return
        bounds = [0, *(np.flatnonzero(np.diff(rows[:, 0])) + 1).tolist(), whole]
        for first, end in pairwise(bounds):
            self._undo_filter(rows[first:end], int(rows[first, 0]))

    def _undo_filter(self, rows: np.ndarray, kind: int) -> None:
        """Undo the filter of rows that all have the same."""
        width = self.rgb.shape[1]
        to = self.rgb[self._done : self._done + len(rows)]
        bodies = rows[:, 1:].reshape(len(rows), width, 3)
        if kind == SUB:
            np.add.accumulate(bodies, axis=1, dtype=np.uint8, out=to)
        else:
            to[:] = bodies
        if kind == UP:
            for number in range(max(self._done, 1), self._done + len(rows)):
                self.rgb[number] += self.rgb[number - 1]
        self._done += len(rows)
