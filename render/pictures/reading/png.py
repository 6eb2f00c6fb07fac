"""PNG (third edition): each chunk's CRC, the order of what matters, and the sum and length of all packed pixels.

Pillow decodes PNG and lets much of that pass, so a flipped bit could go unseen; here it is found, and the chunk is
named. A picture as this program writes it, 8-bit RGB whose rows are filtered by None, Sub or Up, is unpacked on the
way; all others are left to Pillow once they are known to be whole.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Generator, Iterator
from os import SEEK_CUR
from typing import IO, NamedTuple

import numpy as np
from isal import isal_zlib

from render.pictures.reading import (
    BANDS,
    FileContents,
    LargeFile,
    Layer,
    NeedsPillow,
    check_memory,
    check_ratio,
    damage_error,
)
from render.pictures.reading.pixels import PixelStream, Rows

SIGNATURE = b"\x89PNG\r\n\x1a\n"
PIECE, SMALL_PIECE = 1 << 20, 1 << 16  # bytes that are looked at together; where no more than 66 MB may come of them
LONGEST = (1 << 31) - 1  # of a chunk, of a side
CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}  # by colour type
DEPTHS = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}
GREY, RGB, PALETTE = 0, 2, 3
PASSES = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))  # Adam7
PIXELS = ("IDAT", "fdAT")
SEEN = {"tRNS": 512, "gAMA": 4, "cHRM": 32, "cICP": 4, "iCCP": 80, "sRGB": 1, "acTL": 8, "fcTL": 26}  # bytes of these
PLAIN = {"IHDR", "sRGB", "gAMA", "cHRM", "cICP", "iCCP", "pHYs", "tIME", "bKGD", "sBIT", "tEXt", "IDAT", "IEND"}
TEXTS = 1 << 26  # bytes of all texts that are kept; of one, a byte more is read, so that it is seen to be too long
TEXT_COST = 256  # bytes that the smallest one takes in memory, about
KEPT = SEEN | {"tEXt": TEXTS + 1}
SRGB_GAMMA, SRGB_CHROMATICITIES = 45455, (31270, 32900, 64000, 33000, 30000, 60000, 15000, 6000)  # in 1/100000


class Header(NamedTuple):
    """IHDR: sides in pixels, bits of a sample, colour type, and whether it is interlaced."""

    width: int
    height: int
    depth: int
    colour: int
    interlaced: bool


class Png(NamedTuple):
    """A PNG that is whole. `layer` where it was unpacked on the way; `kept` the bodies of chunks in SEEN by kind."""

    header: Header
    layer: Layer | None
    texts: dict[str, str]
    kept: dict[str, bytes]
    palette: int  # entries
    ignored: tuple[str, ...]

    def to_contents(self) -> FileContents | None:
        """Return all that it holds, where Pillow is not needed for it."""
        return None if self.layer is None else FileContents((self.layer,), self.texts, self.ignored)


def read(file: IO[bytes], length: int) -> Png:
    """Check all of a PNG, from the file's beginning; `length` of the file in bytes. Raises InputError."""
    return _Reader(file, length).read()


def scan(file: IO[bytes], length: int) -> LargeFile | None:
    """Read all of a PNG but its pixels; None where they cannot be read in bands. Raises InputError."""
    return _Reader(file, length, large=True).scan()


def _read_rows(file: IO[bytes], length: int) -> Iterator[np.ndarray]:
    """Check all of a PNG, and yield its rows on the way, in arrays of any number of them. Raises InputError."""
    return _Reader(file, length, large=True).read_rows()


class _Reader:
    """One pass through a file. large: only a few rows of the picture may be in memory."""

    def __init__(self, file: IO[bytes], length: int, *, large: bool = False) -> None:
        if file.read(len(SIGNATURE)) != SIGNATURE:
            raise damage_error("its first 8 bytes are not those of a PNG")
        self.file, self.length, self.large = file, length, large
        self.seen: dict[str, int] = {}
        self.kept: dict[str, bytes] = {}
        self.texts: dict[str, str] = {}
        self.palette = self.beyond = self.text_bytes = 0
        self.header = Header(0, 0, 0, 0, interlaced=False)
        self.rows: Rows | None = None
        self.stream: PixelStream | None = None

    def read(self) -> Png:
        """Read all, the pixels into one array where that is easily done."""
        rgb, done = None, 0
        for _ in self.walk():
            if self.rows is not None and self.rows.simple:
                rgb = np.empty((self.header.height, self.header.width, 3), np.uint8) if rgb is None else rgb
                for rows in self.rows.take_rows():
                    rgb[done : done + len(rows)] = rows
                    done += len(rows)
            else:
                rgb = None  # Pillow needs the memory
        layer = Layer(rgb) if rgb is not None and self.is_plain() else None
        return Png(self.header, layer, self.texts, self.kept, self.palette, tuple(self.list_ignored()))

    def scan(self) -> LargeFile | None:
        """Read all but the pixels."""
        for _ in self.walk(skip_pixels=True):
            pass
        if not (self.is_simple() and self.is_plain()):
            return None
        size = self.header.width, self.header.height
        return LargeFile(size, self.texts, tuple(self.list_ignored()), ("rgb",), _read_rows)

    def read_rows(self) -> Iterator[np.ndarray]:
        """Read all, and yield the rows."""
        for _ in self.walk():
            if self.rows is not None:
                yield from self.rows.take_rows()
            if self.rows is None or not self.rows.simple:
                raise NeedsPillow

    def is_simple(self) -> bool:
        """Test for 8-bit RGB without interlacing or a transparent colour."""
        header = self.header
        return header.colour == RGB and header.depth == 8 and not header.interlaced and "tRNS" not in self.kept

    def is_plain(self) -> bool:
        """Test that there is nothing in it for which Pillow is needed."""
        return self.seen.keys() <= PLAIN and "Raw profile type exif" not in self.texts

    def list_ignored(self) -> Iterator[str]:
        """List what is not applied."""
        yield from _list_colour_hints(self.kept, self.seen)
        if self.beyond:
            yield f"{self.beyond} bytes behind its pixels (IDAT)"
        if (rest := self.length - self.file.tell()) > 0:
            yield f"{rest} bytes behind its end"

    def walk(self, *, skip_pixels: bool = False) -> Iterator[None]:
        """Go from chunk to chunk, to IEND, and yield where there may be new rows."""
        last = ""
        while last != "IEND":
            last = yield from self.read_chunk(last, skip_pixels=skip_pixels)
        self.end_stream()
        if "IDAT" not in self.seen:
            raise damage_error("it has no IDAT chunk, which would hold its pixels")

    def read_chunk(self, last: str, *, skip_pixels: bool) -> Generator[None, None, str]:
        """Check the next chunk and take what is needed of it; give its kind."""
        head = self.file.read(8)
        if len(head) < 8:
            raise damage_error(f"it ends after its chunk {last or 'signature'}, without an IEND chunk")
        (length,), kind = struct.unpack(">I", head[:4]), head[4:].decode("latin-1")
        if not (kind.isascii() and kind.isalpha()):
            raise damage_error(f"after its chunk {last or 'signature'} comes no chunk, but {head!r}")
        if length > LONGEST or length > self.length - self.file.tell() - 4:
            raise damage_error(f"its chunk {kind} claims {length} bytes, more than the file has left")
        self.check_order(kind, last)
        self.seen[kind] = self.seen.get(kind, 0) + 1
        if skip_pixels and kind in PIXELS:
            self.file.seek(length + 4, SEEK_CUR)
            return kind
        take, kept = self.choose_sink(kind), bytearray()
        crc = isal_zlib.crc32(head[4:])
        for piece in _read_pieces(self.file, length, SMALL_PIECE if self.large else PIECE):
            crc = isal_zlib.crc32(piece, crc)
            if take is None:
                kept += piece[: max(KEPT.get(kind, 64) - len(kept), 0)]
            else:
                take(piece)
                yield
        if self.file.read(4) != struct.pack(">I", crc):
            raise damage_error(f"its chunk {kind} is damaged (its CRC does not match)")
        self.keep_body(kind, bytes(kept), length)
        return kind

    def check_order(self, kind: str, last: str) -> None:
        """Raise InputError where a chunk may not stand here, or nobody knows what it means and must."""
        critical = kind[0].isupper()
        if kind == "CgBI":
            raise damage_error("its chunk CgBI says that it is Apple's variant of PNG, which is not PNG")
        if (kind == "IHDR") != (not last):
            raise damage_error(f"its chunk {kind} stands where {'another' if last else 'IHDR'} should be")
        if critical and kind not in {"IHDR", "PLTE", "IDAT", "IEND"}:
            raise damage_error(f"its chunk {kind} is critical, and unknown")
        if kind == "IDAT" and kind in self.seen and last != kind:
            raise damage_error(f"its chunk {last} lies between IDAT chunks")
        if kind == "PLTE" and (self.seen.keys() & {"PLTE", "IDAT"} or self.header.colour in {0, 4}):
            raise damage_error("its chunk PLTE is out of place")
        if kind == "IDAT" and self.header.colour == PALETTE and not self.palette:
            raise damage_error("its chunk PLTE is missing")

    def choose_sink(self, kind: str) -> Callable[[bytes], None] | None:
        """Choose the function that takes the pieces of this chunk; None: its beginning is kept."""
        if kind not in PIXELS:
            if kind in {"fcTL", "IEND"}:
                self.end_stream()
            return None
        if self.stream is None:
            self.begin_stream(kind)
        assert self.stream is not None
        return self.stream.start_chunk(kind)

    def begin_stream(self, kind: str) -> None:
        """Get ready for the pixels of the picture, or of a frame that the last fcTL chunk has announced."""
        header = self.header
        if kind == "fdAT":
            control = self.kept.get("fcTL", b"")
            if len(control) < 12:
                raise damage_error("its chunk fdAT has no fcTL chunk before it")
            width, height = struct.unpack(">4xII", control[:12])
            header = header._replace(width=width, height=height)
            if not (0 < width <= self.header.width and 0 < height <= self.header.height):
                raise damage_error(f"its chunk fcTL announces {width} x {height} pixels, which do not fit the picture")
        elif self.is_simple():
            self.rows = Rows(header.width)
        self.stream = PixelStream(
            kind, unpacked_size(header), self.rows.add_piece if kind == "IDAT" and self.rows else None
        )

    def end_stream(self) -> None:
        """Check that all pixels of a picture are there."""
        if self.stream is not None:
            self.stream.end()
            self.beyond += self.stream.beyond
        self.stream = None

    def keep_body(self, kind: str, body: bytes, length: int) -> None:
        """Read a chunk's body, once it is known to be whole."""
        if kind == "IHDR":
            self.header = _parse_header(body, length)
            needed = unpacked_size(self.header)
            check_memory(BANDS * needed // self.header.height if self.large else needed)
            check_ratio(needed, self.length)
        elif kind == "PLTE":
            self.palette, left = divmod(length, 3)
            if left or not 1 <= self.palette <= 256:
                raise damage_error(f"its chunk PLTE has {length} bytes, not 3 for each of up to 256 colours")
        elif kind == "IEND" and length:
            raise damage_error("its chunk IEND is not empty")
        elif kind == "tRNS" and self.header.colour in {GREY, RGB} and length != 2 * CHANNELS[self.header.colour]:
            raise damage_error(f"its chunk tRNS has {length} bytes, which is no colour of this picture")
        elif kind == "tEXt":
            keyword, _, text = body.partition(b"\0")
            self.text_bytes += len(body) + TEXT_COST
            if self.text_bytes <= TEXTS:
                self.texts.setdefault(keyword.decode("latin-1"), text.decode("latin-1"))
        elif kind in SEEN:
            self.kept[kind] = body


def _parse_header(body: bytes, length: int) -> Header:
    if length != 13:
        raise damage_error(f"its chunk IHDR has {length} bytes, not 13")
    width, height, depth, colour, packing, filtering, interlace = struct.unpack(">IIBBBBB", body)
    if not (0 < width <= LONGEST and 0 < height <= LONGEST):
        raise damage_error(f"its chunk IHDR says {width} x {height} pixels")
    if depth not in DEPTHS.get(colour, ()):
        raise damage_error(f"its chunk IHDR says colour type {colour} with {depth} bits, which PNG does not have")
    if packing or filtering or interlace > 1:
        raise damage_error("its chunk IHDR names a compression, filter or interlace method that PNG does not have")
    return Header(width, height, depth, colour, bool(interlace))


def unpacked_size(header: Header) -> int:
    """Count the bytes of all filtered rows."""
    bits = header.depth * CHANNELS[header.colour]
    passes = PASSES if header.interlaced else ((0, 0, 1, 1),)
    sides = ((-(-(header.width - x) // right), -(-(header.height - y) // down)) for x, y, right, down in passes)
    return sum(high * (1 + (wide * bits + 7) // 8) for wide, high in sides if wide > 0 and high > 0)


def _read_pieces(file: IO[bytes], length: int, most: int) -> Iterator[bytes]:
    while length:
        piece = file.read(min(length, most))
        if not piece:
            raise damage_error("the file became shorter while it was read")
        length -= len(piece)
        yield piece


def _list_colour_hints(kept: dict[str, bytes], seen: dict[str, int]) -> Iterator[str]:
    """List what says that the numbers are not sRGB, of which the first in this order counts (section 12)."""
    if "cICP" in seen:
        if kept["cICP"] != b"\1\x0d\0\1":
            yield f"its colour space (cICP {', '.join(map(str, kept['cICP']))})"
    elif "iCCP" in seen:
        name = kept["iCCP"].partition(bytes(1))[0].decode("latin-1")
        if "sRGB" not in name:
            yield f"its colour profile ({name!r}, iCCP)"
    elif "sRGB" not in seen:
        gamma = int.from_bytes(kept.get("gAMA", b""), "big")
        if "gAMA" in seen and abs(gamma - SRGB_GAMMA) > 100:
            yield f"its gamma (gAMA {gamma / 100_000:g})"
        if "cHRM" in seen and (len(kept["cHRM"]) != 32 or struct.unpack(">8I", kept["cHRM"]) != SRGB_CHROMATICITIES):
            yield "its primary colours (cHRM)"


def transparent_colour(png: Png) -> tuple[int, ...]:
    """Return the transparent colour, in the picture's own steps: (grey,), (red, green, blue), or () for none.

    Only the bits that a sample has count.
    """
    body = png.kept.get("tRNS")
    if body is None or png.header.colour not in {GREY, RGB}:
        return ()
    bits = (1 << png.header.depth) - 1
    return tuple(value & bits for value in struct.unpack(f">{len(body) // 2}H", body))
