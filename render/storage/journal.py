"""The journal: the tiles of a picture that are done, kept beside it while it is painted, and gone when it is saved.

`wall.png` has `wall.png.journal`; where one is there already that must not be lost, `wall.png.journal.2`, and so on.
Of several files that one run makes, the first has it.
`render.storage.journal_file` says what is in it. A tile counts as kept when its bytes are on the disk (fsync); a thread
of its own packs and writes them, many at a time.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

from render.errors import OutputError
from render.frame import Canvas
from render.plan import Tile, find_tile
from render.request import Request
from render.storage.journal_file import JournalFile, journal_name, list_journals, lock_journal

FIRST_SECONDS = 0.5  # of painting, before there is a journal at all: most pictures are done by then
PAUSE_SECONDS = 0.25  # between two times that tiles are written


class Pending(NamedTuple):
    """A tile that is done and not on the disk: the steps of its samples, and the canvas that it is on."""

    tile: Tile
    made: int
    canvas: Canvas


class Journal:
    """The journal of one run, which saves these `outputs`. `say` is told, in a line, what whoever waits should know.

    `kept`: journals of earlier runs of the same request, whose tiles are taken; `others`: those that only go when the
    picture is saved. The file is made when the painting has gone on for FIRST_SECONDS.
    """

    def __init__(
        self,
        outputs: Sequence[Path],
        identity: Mapping[str, Any],
        say: Callable[[str], None],
        kept: Sequence[JournalFile] = (),
        others: Sequence[JournalFile] = (),
    ) -> None:
        self._outputs, self._identity, self._say = outputs, identity, say
        self._kept, self._others = list(kept), list(others)
        self._file: JournalFile | None = self._kept[0] if self._kept else None
        self._places: dict[int, tuple[JournalFile, int]] = {}  # of the tiles that are kept, by number
        self._pending: list[Pending] = []
        self._on_disk, self._tiles = 0, 0
        self._failure: OutputError | None = None
        self._broken = False  # it could not be written
        self._stop = threading.Event()
        self._turn = threading.Lock()
        self._thread = threading.Thread(target=self._write_now_and_then, daemon=True, name="journal")

    def start(self, request: Request, tiles: int) -> Collection[int]:
        """Start to keep tiles, of so many that the picture has; return the numbers of those that are kept already."""
        for journal in self._kept:
            for kept in journal.read_tiles():
                number = find_tile(request, kept.x, kept.y, kept.width, kept.height)
                if number is not None:
                    self._places[number] = journal, kept.start
            if not journal.is_whole():
                self._say(f"the end of {journal.path} is torn: what was there is painted again")
        self._on_disk, self._tiles = len(self._places), tiles
        with contextlib.suppress(RuntimeError):  # no more threads: then they are kept at the end
            self._thread.start()
        return self._places.keys()

    def restore(self, canvas: Canvas, tiles: Sequence[Tile]) -> dict[int, int]:
        """Put those tiles on a canvas that are kept; return the steps of each by its number."""
        restored: dict[int, int] = {}
        for tile in tiles if self._places else ():
            journal, start = self._places.get(tile.number, (None, 0))
            if journal is not None:
                with self._turn:  # nobody writes meanwhile
                    kept = journal.read_tile(start)
                if kept is not None:
                    kept.copy_to(canvas)
                    restored[tile.number] = kept.made
        return restored

    @property
    def path(self) -> Path:
        """Its file, which may not be there yet."""
        return journal_name(self._outputs[0]) if self._file is None else self._file.path

    @property
    def kept_bytes(self) -> int:
        """Bytes that the journals which it goes on with have on the disk."""
        return sum(journal.path.stat().st_size for journal in self._kept)

    def add(self, tile: Tile, made: int, canvas: Canvas) -> None:
        """Keep a tile that is done, soon. Raises OutputError where another run draws the same file."""
        if self._failure is not None:
            raise self._failure
        if not self._broken:
            self._pending.append(Pending(tile, made, canvas))

    def write_pending(self) -> None:
        """Have all tiles on the disk that are done: a canvas is about to be used for others."""
        self._write()

    def finish(self) -> None:
        """Have all tiles on the disk, if there is a journal at all: all are painted, and the canvas is about to go."""
        self._end_thread()
        if self._on_disk:
            self._write()
        self._pending.clear()

    def stop(self) -> str:
        """Have all tiles on the disk, and say how many are kept and how to go on; nothing where none is."""
        self._end_thread()
        self._write()
        for journal in self._all():
            journal.close()
        if self._file is None or not self._on_disk:
            return ""
        return f"{self._on_disk} of {self._tiles} tiles are kept in {self._file.path}: add --resume to go on"

    def remove(self) -> None:
        """Remove all journals of the outputs: they are saved."""
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
            pending = self._pending[:]
            if not pending or self._broken or self._failure is not None:
                return
            try:
                if self._file is None:
                    self._file = self._create()
                for _, some in groupby(pending, lambda one: id(one.canvas)):
                    these = list(some)
                    self._file.append([(one.tile, one.made) for one in these], these[0].canvas)
                    del self._pending[: len(these)]
                    self._on_disk += len(these)
            except OutputError as error:
                self._failure = error
            except OSError as error:
                self._broken = True
                self._pending.clear()
                self._say(f"no more tiles can be kept in {self.path}: {error.strerror}")

    def _create(self) -> JournalFile:
        """Create the file, under the first name that is free. Raises OutputError where another run has one, OSError."""
        first = self._outputs[0]
        file, number = None, 0
        while file is None:
            number += 1
            with contextlib.suppress(FileExistsError):
                file = journal_name(first, number).open("x+b")
        journal = lock_journal(journal_name(first, number), first, file)
        try:
            mine = {one.path for one in (journal, *self._kept, *self._others)}
            for output in self._outputs:
                for path in list_journals(output):
                    if path not in mine:
                        with path.open("rb") as held:
                            lock_journal(path, output, held)
            journal.write_header(self._identity)
        except BaseException:
            journal.remove()
            raise
        return journal
