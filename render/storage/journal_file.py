r"""The file of a journal: tiles of one picture, in any order, each with the steps that its samples made.

It is only ever appended to, so whatever ends a run, all but the last few tiles are there:

    b"render journal 2\n"
    one line of JSON              what is drawn and how it is cut (`identify`); its CRC-32 in hexadecimal, and "\n"
    for each tile, in any order:
        RECORD, little-endian     b"tile", x, y, width, height, steps of its samples, bytes that follow, CRC-32 of all
                                  that but itself, and of those bytes
        pixels                    packed by zlib: height * width * 3 bytes of rgb, by row; then, for one sample a pixel
                                  only, height * width int32, the steps as on the canvas

Whoever writes a journal holds a lock on it. Tiles are read one at a time, so that a frame may be larger than memory,
and they may have come from other machines.
"""

from __future__ import annotations

import contextlib
import json
import os
import struct
from collections.abc import Iterator, Mapping, Sequence
from itertools import takewhile
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np
from isal import isal_zlib

from render.errors import OutputError
from render.frame import Canvas
from render.plan import Tile
from render.request import Request
from render.storage.lock import try_lock
from render.storage.whole_file import sync_folder

KIND = b"render journal "
MAGIC = KIND + b"2\n"
RECORD = struct.Struct("<4sIIIIqII")
MARK = b"tile"
LONGEST_HEADER = 1 << 20  # bytes
MOST_JOURNALS = 1000  # of an output
LEVEL = 0  # of isal's: 1 is hardly smaller (benchmarks/sections/journal.py)


class KeptTile(NamedTuple):
    """A tile in a journal. rgb (height, width, 3) uint8; steps (height, width) int32 as on the canvas, or None."""

    x: int
    y: int
    width: int
    height: int
    made: int  # steps of all its samples
    rgb: np.ndarray
    steps: np.ndarray | None
    start: int  # where its record starts in the file
    end: int  # and ends

    def copy_to(self, canvas: Canvas) -> None:
        """Put it on a canvas that covers it."""
        top, left = self.y - canvas.y, self.x - canvas.x
        rows, columns = slice(top, top + self.height), slice(left, left + self.width)
        canvas.rgb[rows, columns] = self.rgb
        if canvas.steps is not None and self.steps is not None:
            canvas.steps[rows, columns] = self.steps


def identify(request: Request, scene_hash: str, version: str) -> dict[str, Any]:
    """Describe what decides the tiles of a request: journals that agree in this hold the same ones."""
    return {
        "drawn": request.picture_key(),
        "tile": list(request.tile),
        "scene_sha256": scene_hash,
        "version": version,
    }


class JournalFile:
    """A journal on the disk, locked. `identity` is what it says of itself, None where that cannot be read.

    is_ours: False for another program's file, which only has a journal's name.
    """

    def __init__(self, path: Path, file: BinaryIO) -> None:
        self.path, self._file = path, file
        self.identity: dict[str, Any] | None = None
        self.is_ours = True
        self.end = 0  # of what is known to be good

    def read_header(self) -> None:
        """Read what it is; nothing is raised for what is no journal."""
        self._file.seek(0)
        head = self._file.read(len(MAGIC))
        self.is_ours = KIND.startswith(head[: len(KIND)])  # also torn, and of another version
        if head == MAGIC:
            text, _, check = self._file.readline(LONGEST_HEADER).rpartition(b"}")
            text += b"}"
            if check == b" %08x\n" % isal_zlib.crc32(text):
                self.identity, self.end = json.loads(text), self._file.tell()

    def read_tiles(self) -> Iterator[KeptTile]:
        """Yield the tiles that are there, up to the first record that is torn or damaged."""
        while (tile := self.read_tile(self.end)) is not None:
            self.end = tile.end
            yield tile

    def read_tile(self, start: int) -> KeptTile | None:
        """Read the tile whose record starts there; None where that is torn or damaged."""
        self._file.seek(start)
        head = self._file.read(RECORD.size)
        if self.identity is None or len(head) < RECORD.size:
            return None
        mark, x, y, width, height, made, length, check = RECORD.unpack(head)
        end, area = start + RECORD.size + length, width * height
        if mark != MARK or not area or end > os.fstat(self._file.fileno()).st_size:
            return None
        data = self._file.read(length)
        if isal_zlib.crc32(data, isal_zlib.crc32(head[:-4])) != check:
            return None
        one_sample = self.identity.get("drawn", {}).get("samples") == 1
        pixels = _unpack(data, area * (7 if one_sample else 3))
        if pixels is None:
            return None
        rgb = np.frombuffer(pixels, np.uint8, area * 3).reshape(height, width, 3)
        steps = np.frombuffer(pixels, "<i4", area, area * 3).reshape(height, width) if one_sample else None
        return KeptTile(x, y, width, height, made, rgb, steps, start, end)

    def is_whole(self) -> bool:
        """Tell whether nothing follows what could be read."""
        return os.fstat(self._file.fileno()).st_size == self.end

    def write_header(self, identity: Mapping[str, Any]) -> None:
        """Start a new journal."""
        self.identity = dict(identity)
        text = json.dumps(identity).encode()
        self._append([MAGIC, text, b" %08x\n" % isal_zlib.crc32(text)])
        sync_folder(self.path.parent)

    def append(self, tiles: Sequence[tuple[Tile, int]], canvas: Canvas) -> None:
        """Add tiles of a canvas, each with the steps of its samples. Raises OSError; what was there before stays."""
        pieces: list[bytes] = []
        for (_, x, y, width, height), made in tiles:
            place = slice(y - canvas.y, y - canvas.y + height), slice(x - canvas.x, x - canvas.x + width)
            data = canvas.rgb[place].tobytes()
            if canvas.steps is not None:
                data += canvas.steps[place].astype("<i4", copy=False).tobytes()
            data = isal_zlib.compress(data, LEVEL)
            head = RECORD.pack(MARK, x, y, width, height, made, len(data), 0)[:-4]
            pieces += [head, struct.pack("<I", isal_zlib.crc32(data, isal_zlib.crc32(head))), data]
        self._append(pieces)

    def _append(self, pieces: Sequence[bytes]) -> None:
        self._file.seek(self.end)
        try:
            self._file.truncate()
            self._file.writelines(pieces)
            self._file.flush()
            os.fsync(self._file.fileno())
        except OSError:
            with contextlib.suppress(OSError):
                os.truncate(self._file.fileno(), self.end)
            raise
        self.end = self._file.tell()

    def close(self) -> None:
        """Let go of it, and of its lock."""
        with contextlib.suppress(OSError):  # a full disk was reported before
            self._file.close()

    def remove(self) -> None:
        """Remove it; it is not needed any more."""
        if os.name != "nt":  # removed while it is locked: nobody finds one that nobody holds
            self.path.unlink(missing_ok=True)
        self.close()
        with contextlib.suppress(OSError):
            self.path.unlink(missing_ok=True)


def _unpack(data: bytes, size: int) -> bytes | None:
    """Unpack exactly so many bytes, whatever they claim; None where they are not."""
    try:
        pixels = isal_zlib.decompressobj().decompress(data, size + 1)
    except isal_zlib.IsalError:  # type: ignore[misc]  # its stub does not say that it is an exception
        return None
    return pixels if len(pixels) == size else None


def journal_name(output: Path, number: int = 1) -> Path:
    """Return where the journal of an output lies, or one of several."""
    return output.with_name(f"{output.name}.journal" + (f".{number}" if number > 1 else ""))


def list_journals(output: Path) -> list[Path]:
    """List the journals that lie beside an output."""
    names = (journal_name(output, number) for number in range(1, MOST_JOURNALS))
    return list(takewhile(os.path.exists, names))  # False for a name that is too long


def open_journals(outputs: Sequence[Path]) -> list[JournalFile]:
    """Open and lock all journals of these outputs. Raises OutputError where one cannot be, or another run writes it.

    A file of another program, which has the name by chance, is none, and stays as it is.
    """
    found: list[JournalFile] = []
    try:
        for output in outputs:
            for path in list_journals(output):
                found.append(lock_journal(path, output, path.open("r+b")))
                found[-1].read_header()
                if not found[-1].is_ours:
                    found.pop().close()
    except BaseException as error:
        for journal in found:
            journal.close()
        if isinstance(error, OSError):
            raise OutputError(f"cannot read {path}: {error.strerror}", "allow it, or save elsewhere") from error
        raise
    return found


def lock_journal(path: Path, output: Path, file: BinaryIO) -> JournalFile:
    """Lock an open journal of an output. Raises OutputError where another run holds it."""
    if try_lock(file.fileno()) is False:
        file.close()
        raise OutputError(f"another run is drawing {output} just now", "wait for it, or save elsewhere")
    return JournalFile(path, file)
