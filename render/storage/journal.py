r"""The journal: the tiles of a picture that are done, kept beside it while it is painted, and gone when it is saved.

`wall.png` has `wall.png.journal`; where one is there already that must not be lost, `wall.png.journal.2`, and so on.
It is only ever appended to, so whatever ends a run, all but the last few tiles are there:

    b"render journal 1\n"
    one line of JSON              what is drawn and how it is cut (`identify`); its CRC-32 in hexadecimal, and "\n"
    for each tile, in any order:
        RECORD, little-endian     b"tile", x, y, width, height, steps of its samples, CRC-32 of all that but itself
        rgb                       height * width * 3 bytes, by row
        steps                     height * width int32 as on the canvas, for one sample a pixel only

A tile counts as kept when its bytes are on the disk (fsync); a thread of its own writes them, many at a time. Whoever
writes a journal holds a lock on it. Tiles are read one at a time (`read_tiles`), so that a frame may be larger than
memory, and they may have come from other machines.
"""

from __future__ import annotations

import contextlib
import json
import os
import struct
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
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

MAGIC = b"render journal 1\n"
RECORD = struct.Struct("<4sIIIIqI")
MARK = b"tile"
LONGEST_HEADER = 1 << 20  # bytes
FIRST_SECONDS = 0.5  # of painting, before there is a journal at all: most pictures are done by then
PAUSE_SECONDS = 0.25  # between two times that tiles are written


class KeptTile(NamedTuple):
    """A tile in a journal. rgb (height, width, 3) uint8; steps (height, width) int32 as on the canvas, or None."""

    x: int
    y: int
    width: int
    height: int
    made: int  # steps of all its samples
    rgb: np.ndarray
    steps: np.ndarray | None
    end: int  # where its record ends in the file


def identify(request: Request, scene_hash: str, version: str) -> dict[str, Any]:
    """Describe what decides the tiles of a request: journals that agree in this hold the same ones."""
    return {
        "drawn": request.picture_key(),
        "tile": list(request.tile),
        "scene_sha256": scene_hash,
        "version": version,
    }


class JournalFile:
    """A journal on the disk, locked. `identity` is what it says of itself, None where that cannot be read."""

    def __init__(self, path: Path, file: BinaryIO) -> None:
        self.path, self._file = path, file
        self.identity: dict[str, Any] | None = None
        self.end = 0  # of what is known to be good

    def read_header(self) -> None:
        """Read what it is; nothing is raised for what is no journal."""
        self._file.seek(0)
        if self._file.read(len(MAGIC)) == MAGIC:
            text, _, check = self._file.readline(LONGEST_HEADER).rpartition(b"}")
            text += b"}"
            if check == b" %08x\n" % isal_zlib.crc32(text):
                self.identity, self.end = json.loads(text), self._file.tell()

    def read_tiles(self) -> Iterator[KeptTile]:
        """Yield the tiles that are there, up to the first record that is torn or damaged."""
        if self.identity is None:
            return
        one_sample = self.identity.get("drawn", {}).get("samples") == 1
        size = os.fstat(self._file.fileno()).st_size
        self._file.seek(self.end)
        while len(head := self._file.read(RECORD.size)) == RECORD.size:
            mark, x, y, width, height, made, check = RECORD.unpack(head)
            area = width * height
            length = area * (7 if one_sample else 3)
            if mark != MARK or not length or self._file.tell() + length > size:
                return
            data = self._file.read(length)
            if isal_zlib.crc32(data, isal_zlib.crc32(head[:-4])) != check:
                return
            self.end = self._file.tell()
            rgb = np.frombuffer(data, np.uint8, area * 3).reshape(height, width, 3)
            steps = np.frombuffer(data, "<i4", area, area * 3).reshape(height, width) if one_sample else None
            yield KeptTile(x, y, width, height, made, rgb, steps, self.end)

    def is_whole(self) -> bool:
        """Tell whether nothing follows what could be read."""
        return os.fstat(self._file.fileno()).st_size == self.end

    def write_header(self, identity: Mapping[str, Any]) -> None:
        """Begin a new journal."""
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
            head = RECORD.pack(MARK, x, y, width, height, made, 0)[:-4]
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


def journal_name(output: Path, number: int = 1) -> Path:
    """Return where the journal of an output lies, or one of several."""
    return output.with_name(f"{output.name}.journal" + (f".{number}" if number > 1 else ""))


def open_journals(output: Path) -> list[JournalFile]:
    """Open and lock all journals of an output. Raises OutputError where that cannot be, or another run writes one."""
    found: list[JournalFile] = []
    try:
        for number in range(1, 1000):
            path = journal_name(output, number)
            if not os.path.exists(path):  # noqa: PTH110  (False for a name that is too long)
                break
            found.append(_open(path, output, path.open("r+b")))
            found[-1].read_header()
    except BaseException as error:
        for journal in found:
            journal.close()
        if isinstance(error, OSError):
            raise OutputError(f"cannot read {path}: {error.strerror}", "allow it, or save elsewhere") from error
        raise
    return found


def _open(path: Path, output: Path, file: BinaryIO) -> JournalFile:
    if try_lock(file.fileno()) is False:
        file.close()
        raise OutputError(f"another run is drawing {output} just now", "wait for it, or save elsewhere")
    return JournalFile(path, file)


class Journal:
    """The journal of one run. `say` is told, in a line, what whoever waits should know.

    `kept`: journals of earlier runs of the same request, whose tiles are taken; `others`: those that only go when the
    picture is saved. The file is made when the painting has gone on for FIRST_SECONDS.
    """

    def __init__(
        self,
        output: Path,
        identity: Mapping[str, Any],
        say: Callable[[str], None],
        kept: Sequence[JournalFile] = (),
        others: Sequence[JournalFile] = (),
    ) -> None:
        self._output, self._identity, self._say = output, identity, say
        self._kept, self._others = list(kept), list(others)
        self._file: JournalFile | None = self._kept[0] if self._kept else None
        self._canvas: Canvas | None = None
        self._pending: list[tuple[Tile, int]] = []
        self._on_disk, self._tiles = 0, 0
        self._failure: OutputError | None = None
        self._broken = False  # it could not be written
        self._stop = threading.Event()
        self._turn = threading.Lock()
        self._thread = threading.Thread(target=self._write_now_and_then, daemon=True, name="journal")

    def restore(self, canvas: Canvas, tiles: Sequence[Tile]) -> dict[int, int]:
        """Put the tiles that are kept on the canvas; return the steps of each by its number."""
        places = {tuple(tile[1:]): tile.number for tile in tiles}
        restored: dict[int, int] = {}
        for journal in self._kept:
            for tile in journal.read_tiles():
                number = places.get((tile.x, tile.y, tile.width, tile.height))
                if number is None:
                    continue
                rows, columns = slice(tile.y, tile.y + tile.height), slice(tile.x, tile.x + tile.width)
                canvas.rgb[rows, columns] = tile.rgb
                if canvas.steps is not None and tile.steps is not None:
                    canvas.steps[rows, columns] = tile.steps
                restored[number] = tile.made
            if not journal.is_whole():
                self._say(f"the end of {journal.path} is torn: what was there is painted again")
        self._on_disk = len(restored)
        return restored

    def start(self, canvas: Canvas, tiles: int) -> None:
        """Begin to keep tiles of a canvas; `tiles`: how many the picture has."""
        self._canvas, self._tiles = canvas, tiles
        with contextlib.suppress(RuntimeError):  # no more threads: then they are kept at the end
            self._thread.start()

    def add(self, tile: Tile, made: int) -> None:
        """Keep a tile that is done, soon. Raises OutputError where another run draws the same file."""
        if self._failure is not None:
            raise self._failure
        self._pending.append((tile, made))

    def flush(self) -> None:
        """Have all tiles on the disk, if there is a journal at all: the canvas is about to go."""
        self._end_thread()
        if self._on_disk:
            self._write()
        self._canvas = None

    def stop(self) -> str:
        """Have all tiles on the disk, and say how many are kept and how to go on; nothing where none is."""
        self._end_thread()
        if self._canvas is not None:
            self._write()
        for journal in self._all():
            journal.close()
        if self._file is None or not self._on_disk:
            return ""
        return f"{self._on_disk} of {self._tiles} tiles are kept in {self._file.path}: add --resume to go on"

    def remove(self) -> None:
        """Remove all journals of the output: it is saved."""
        self._end_thread()
        for journal in self._all():
            journal.remove()

    def _all(self) -> list[JournalFile]:
        own = [self._file] if self._file is not None and self._file not in self._kept else []
        return [*self._kept, *self._others, *own]

    def _end_thread(self) -> None:
        self._stop.set()
        if self._thread.ident is not None:
            self._thread.join()

    def _write_now_and_then(self) -> None:
        pause = FIRST_SECONDS
        while not self._stop.wait(pause):
            self._write()
            pause = PAUSE_SECONDS

    def _write(self) -> None:
        """Write the tiles that have come since the last time; a journal that cannot be written is given up, aloud."""
        with self._turn:
            tiles, canvas = self._pending[:], self._canvas
            if not tiles or self._broken or self._failure is not None or canvas is None:
                return
            try:
                if self._file is None:
                    self._file = self._create()
                self._file.append(tiles, canvas)
            except OutputError as error:
                self._failure = error
            except OSError as error:
                self._broken = True
                self._say(f"no more tiles can be kept in {journal_name(self._output)}: {error.strerror}")
            else:
                del self._pending[: len(tiles)]
                self._on_disk += len(tiles)

    def _create(self) -> JournalFile:
        """Create the file, under the first name that is free. Raises OutputError where another run has one, OSError."""
        number = 1
        while True:
            path = journal_name(self._output, number)
            try:
                file = path.open("x+b")
                break
            except FileExistsError:
                number += 1
        journal = _open(path, self._output, file)
        try:
            mine = {one.path for one in (*self._kept, *self._others)}
            for before in range(1, number):
                other = journal_name(self._output, before)
                if other not in mine:
                    with other.open("rb") as held:
                        _open(other, self._output, held)
            journal.write_header(self._identity)
        except BaseException:
            journal.remove()
            raise
        return journal
