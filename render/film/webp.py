"""Animated WebP: Pillow encodes each frame, and the container around them is written here, for it must grow.

Pillow, as libwebp, gives a film only when it is complete. The container is simple (RIFF, then VP8X, ANIM and one ANMF
for each frame: developers.google.com/speed/webp/docs/riff_container). Its first eight bytes hold its length, and
readers stop there: a frame is appended first, and then counts by a patch of these four bytes.
"""

from __future__ import annotations

from fractions import Fraction
from struct import pack

import numpy as np

from render.errors import UsageError
from render.film.coding import Piece
from render.pictures import pillow

LARGEST_SIDE = 16383  # pixels, of each frame
LARGEST_FILE = (1 << 32) - 10  # bytes: its length is a number of 32 bits
QUALITY, METHOD = 75, 2  # of 100; of 6, where 0 is fastest
LENGTH_AT = 4  # where the file's length stands
ANIMATED = 2  # a bit of VP8X
NO_BLENDING = 2  # a bit of ANMF: the frame replaces what was there


class WebpEncoder:
    """Frames to animated WebP, with loss. Each frame stands for itself, so the file is larger than MP4."""

    def __init__(self, width: int, height: int, fps: Fraction) -> None:
        if max(width, height) > LARGEST_SIDE:
            raise UsageError(f"a .webp film of {width} x {height} pixels", f"give at most {LARGEST_SIDE} a side")
        self._size, self._fps = pack_24(width - 1) + pack_24(height - 1), fps
        self._frames = 0
        self._end = 0  # bytes so far

    def encode(self, rgb: np.ndarray) -> list[Piece]:
        """Take the next frame; return it as a piece. Raises UsageError where it, or the file, would be too large."""
        try:
            still = pillow.encode_image(np.ascontiguousarray(rgb), "WEBP", None, quality=QUALITY, method=METHOD)
        except ValueError as error:  # of some parts of a frame the format can only have 512 KiB
            raise UsageError(
                "a .webp film cannot hold frames so large and detailed", "give a smaller --size, or end it in .mp4"
            ) from error
        start, end = (round(1000 * number / self._fps) for number in (self._frames, self._frames + 1))
        head = pack_24(0) + pack_24(0) + self._size + pack_24(end - start) + bytes([NO_BLENDING])
        data = make_chunk(b"ANMF", head + picture_chunks(still))
        if not self._frames:
            about = make_chunk(b"VP8X", bytes([ANIMATED, 0, 0, 0]) + self._size)
            data = b"RIFF\0\0\0\0WEBP" + about + make_chunk(b"ANIM", bytes(6)) + data
        self._frames += 1
        self._end += len(data)
        if self._end > LARGEST_FILE:
            raise UsageError(
                "a .webp film cannot be longer than 4 GiB", "make it shorter or smaller, or end it in .mp4"
            )
        return [Piece(data, [(LENGTH_AT, pack("<I", self._end - 8))], 1)]

    def finish(self) -> list[Piece]:
        """Return nothing: every frame was complete."""
        return []


def make_chunk(name: bytes, content: bytes) -> bytes:
    """Make a chunk of a RIFF file; chunks have an even length."""
    return name + pack("<I", len(content)) + content + bytes(len(content) % 2)


def pack_24(number: int) -> bytes:
    """Pack a number in three bytes, the lowest first."""
    return number.to_bytes(3, "little")


def picture_chunks(still: bytes) -> bytes:
    """Return the chunks of a still WebP file that are the picture itself."""
    found, place = b"", 12
    while place + 8 <= len(still):
        end = place + 8 + int.from_bytes(still[place + 4 : place + 8], "little")
        end += end % 2
        if still[place : place + 4] in (b"VP8 ", b"VP8L", b"ALPH"):
            found += still[place:end]
        place = end
    return found
