"""PNG files of every kind, made sample by sample, so that a test knows what they must be read as."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable

import numpy as np

SIGNATURE = b"\x89PNG\r\n\x1a\n"
PASSES = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
Chunk = tuple[bytes, bytes]


def file(chunks: Iterable[Chunk]) -> bytes:
    """Chunks, each with its length and its CRC, behind the signature."""
    made = [SIGNATURE]
    for kind, body in chunks:
        made += [struct.pack(">I", len(body)), kind, body, struct.pack(">I", zlib.crc32(kind + body))]
    return b"".join(made)


def chunks(samples: np.ndarray, depth: int, colour: int, *more: Chunk, interlaced: bool = False) -> list[Chunk]:
    """A picture of (height, width, channels) samples of so many bits; `more` stands before its pixels."""
    height, width, _ = samples.shape
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlaced)
    return [(b"IHDR", header), *more, (b"IDAT", zlib.compress(rows(samples, depth, interlaced))), (b"IEND", b"")]


def rows(samples: np.ndarray, depth: int, interlaced: bool = False) -> bytes:
    """All rows, each behind the number of its filter, which is none."""
    parts = [samples[y::down, x::right] for x, y, right, down in PASSES] if interlaced else [samples]
    return b"".join(bytes([0]) + packed(row, depth) for part in parts if part.shape[1] for row in part)


def packed(row: np.ndarray, depth: int) -> bytes:
    """Samples with their bits side by side, the highest first."""
    if depth == 16:
        return row.astype(">u2").tobytes()
    bits = np.unpackbits(row.astype(np.uint8).reshape(-1, 1), axis=1)[:, 8 - depth :]
    return np.packbits(bits.reshape(-1)).tobytes()
