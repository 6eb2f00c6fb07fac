"""The files of a frame that is too large to be kept in memory: made of bands while it is painted."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import NamedTuple

from render import outputs
from render.errors import OutputError
from render.findings.document import collect_texts
from render.frame import Frame
from render.painting import slabs
from render.painting.slabs import Streaming
from render.pictures.bands import Band, Sink
from render.request import Request
from render.storage.journal import Journal
from render.wording import format_size

JOURNAL_SHARE = 3  # a journal is expected to take so small a part of the bytes that a canvas has


class OpenFile(NamedTuple):
    """A file under way: `stack` gives it its name when it is closed, or discards it where that is by an error."""

    sink: Sink
    stack: ExitStack


class BandFiles:
    """Files that take the bands of one picture. Whatever is not finished in the end leaves nothing behind."""

    def __init__(self) -> None:
        self._open: dict[str, OpenFile] = {}

    def start(
        self, makers: Mapping[str, outputs.Output], request: Request, journal: Journal | None, *, plain: bool
    ) -> Streaming | None:
        """Start the files that are made of bands, where the frame is so large; return None where it is not.

        Raises UsageError for a frame that cannot be cut into slabs, OutputError where a file cannot be written, or
        there is no room for it.
        """
        if not _take_bands(makers, request):
            return None
        streaming = Streaming(self.take, slabs.SLAB_BYTES)
        slabs.choose_slabs(request, streaming.slab_bytes)
        for path, maker in makers.items():
            if maker.KEEPS_PIXELS:
                self._start_file(path, maker, request, plain=plain)
        self._check_space(request, journal)
        return streaming

    def savings(self, frame: Frame, *, plain: bool) -> Iterator[tuple[str, Callable[[], None]]]:
        """Yield each file of the frame that is made of bands, with what completes it."""
        texts = collect_texts(frame) if self._open and not plain else {}
        for path in list(self._open):
            yield path, partial(self._finish, path, texts)

    def _start_file(self, path: str, maker: outputs.Output, request: Request, *, plain: bool) -> None:
        """Start a file. Raises OutputError."""
        assert maker.open_sink is not None
        folder = Path() if path == outputs.STDOUT else Path(os.path.realpath(path)).parent
        with ExitStack() as stack:
            file = stack.enter_context(outputs.open_file(path))
            with _name_failure(path):
                self._open[path] = OpenFile(maker.open_sink(file, folder, request, plain=plain), stack.pop_all())

    def _check_space(self, request: Request, journal: Journal | None) -> None:
        """Raise OutputError where a disk has less room than the files, and the journal, are still expected to take."""
        needed = {path: file.sink.expected_bytes for path, file in self._open.items() if path != outputs.STDOUT}
        if journal is not None:
            canvas = request.width * request.height * (7 if request.samples == 1 else 3)
            needed[str(journal.path)] = max(canvas // JOURNAL_SHARE - journal.kept_bytes, 0)
        by_disk: dict[int, list[str]] = {}
        for path in needed:
            by_disk.setdefault(Path(os.path.realpath(path)).parent.stat().st_dev, []).append(path)
        for paths in by_disk.values():
            expected = sum(needed[path] for path in paths)
            free = shutil.disk_usage(Path(paths[0]).resolve().parent).free
            if expected > free:
                raise OutputError(
                    f"{paths[0]} and what is kept beside it may need {format_size(expected)}, "
                    f"and its disk has {format_size(free)} free",
                    "free some space there, or save elsewhere",
                )

    def take(self, band: Band) -> None:
        """Write a band to all files. Raises OutputError."""
        for path, file in self._open.items():
            with _name_failure(path):
                file.sink.write_band(band)

    def _finish(self, path: str, texts: Mapping[str, str]) -> None:
        """Complete a file, and give it its name. Raises OutputError."""
        file = self._open[path]
        with _name_failure(path):
            file.sink.finish(texts)
        del self._open[path]
        file.stack.close()

    def abandon(self) -> None:
        """Discard all files that are not finished."""
        while self._open:
            path, (sink, stack) = self._open.popitem()
            sink.abandon()
            abandoned = OutputError(f"{path} was given up")
            stack.__exit__(OutputError, abandoned, None)


@contextmanager
def open_bands() -> Iterator[BandFiles]:
    """Provide files for bands; what is not finished when this is left is discarded."""
    files = BandFiles()
    try:
        yield files
    finally:
        files.abandon()


def _take_bands(makers: Mapping[str, outputs.Output], request: Request) -> bool:
    """Tell whether a frame is to be painted in slabs: it is large, and all files that hold its pixels take bands."""
    return slabs.is_large(request) and all(
        maker.open_sink is not None and (path == outputs.STDOUT or outputs.is_regular(path))
        for path, maker in makers.items()
        if maker.KEEPS_PIXELS
    )


@contextmanager
def _name_failure(path: str) -> Iterator[None]:
    """Have the error of a file that cannot be written say which one it is."""
    try:
        yield
    except BrokenPipeError:  # whoever read it has gone
        raise
    except OSError as error:
        raise outputs.make_write_error(path, error) from error
