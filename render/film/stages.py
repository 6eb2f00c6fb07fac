"""The stages of a film: they work on different frames at the same time, or one after the other.

With overlap the painter stays in the calling thread, and encoder and writer have threads of their own. Between two
stages is a queue of few places: a stage that is ahead waits for the one behind it, so memory is bounded and every
stage is as fast as the slowest. Without, the calling thread does all of it, frame by frame.

Whatever ends the painting, what is painted is still encoded and written. An error of the encoder or the writer ends all
stages; what was written stays.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing, suppress
from typing import TYPE_CHECKING, Generic, NamedTuple, TypeVar

from render.errors import RenderError
from render.film.coding import Encoder, Piece
from render.trace import Recorder

if TYPE_CHECKING:
    import numpy as np

PLACES = 3  # frames, or pieces, that wait between two stages

Item = TypeVar("Item")


class Painted(NamedTuple):
    """A frame of a film: its number, from 0, and its pixels, (height, width, 3) uint8."""

    number: int
    rgb: np.ndarray


class Written(NamedTuple):
    """A piece of the file and the last frame that it needed."""

    number: int
    piece: Piece


class StageStopped(Exception):
    """Whoever is at the other end of a queue has given up."""


class StageQueue(Generic[Item]):
    """A bounded queue between two stages, each one thread. Iterate to take what is put, until it is closed."""

    def __init__(self, places: int = PLACES) -> None:
        self._items: deque[Item] = deque()
        self._places, self._closed, self._stopped = places, False, False
        self._changed = threading.Condition()

    def put(self, item: Item) -> None:
        """Put an item, as soon as there is a place. Raises StageStopped where nobody will take it."""
        with self._changed:
            self._changed.wait_for(lambda: self._stopped or len(self._items) < self._places)
            if self._stopped:
                raise StageStopped
            self._items.append(item)
            self._changed.notify_all()

    def __iter__(self) -> Iterator[Item]:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._stopped or self._closed or self._items)
                if self._stopped or not self._items:
                    return
                item = self._items.popleft()
                self._changed.notify_all()
            yield item

    def close(self) -> None:
        """Nothing more will be put."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def stop(self) -> None:
        """Give up: nothing more is taken, and what is there is dropped."""
        with self._changed:
            self._stopped = True
            self._items.clear()
            self._changed.notify_all()


class Stages:
    """Encoding and writing of one film. `append` writes a piece; `note` sees each frame, where it is encoded."""

    def __init__(
        self,
        encoder: Encoder,
        append: Callable[[Piece], None],
        note: Callable[[Painted], None],
        recorder: Recorder,
    ) -> None:
        self._encoder, self._append, self._note, self._recorder = encoder, append, note, recorder
        self.frames = 0  # that are in the file

    def run(self, painted: Iterable[Painted], *, overlap: bool) -> None:
        """Encode and write all frames. Raises what painting, encoding or writing raises, when all stages have ended."""
        failures: list[BaseException] = []
        with closing(yield_until_failure(painted, failures)) as frames:
            if overlap:
                self._run_overlapped(frames)
            else:
                self._run_in_turn(frames)
        if failures:
            raise failures[0]

    def _run_in_turn(self, frames: Iterable[Painted]) -> None:
        last = 0
        try:
            for frame in frames:
                last = frame.number
                self._write_all(self._encode(frame))
        except Exception:
            raise
        except BaseException:  # interrupted: what is painted is kept
            self._write_all(self._finish(last))
            raise
        self._write_all(self._finish(last))

    def _run_overlapped(self, frames: Iterable[Painted]) -> None:
        queued, pieces = StageQueue[Painted](), StageQueue[Written]()
        errors: list[BaseException] = []

        def encode_frames() -> None:
            last = 0
            for frame in queued:
                last = frame.number
                for written in self._encode(frame):
                    pieces.put(written)
            for written in self._finish(last):
                pieces.put(written)

        def end_encoding() -> None:
            queued.stop()
            pieces.close()

        def stop_all() -> None:
            queued.stop()
            pieces.stop()

        stages = [
            _start_stage("encoder", encode_frames, end_encoding, errors),
            _start_stage("writer", lambda: self._write_all(pieces), stop_all, errors),
        ]
        try:
            with suppress(StageStopped):
                for frame in frames:
                    queued.put(frame)
        finally:  # interrupted or not, what is painted is kept
            queued.close()
            try:
                for stage in stages:
                    stage.join()
            except BaseException:  # interrupted once more
                stop_all()
                raise
        if errors:
            raise errors[0]

    def _encode(self, frame: Painted) -> list[Written]:
        with self._recorder.record_work("encode", frame.number):
            self._note(frame)
            return [Written(frame.number, piece) for piece in self._encoder.encode(frame.rgb)]

    def _finish(self, last: int) -> list[Written]:
        with self._recorder.record_work("encode", last):
            return [Written(last, piece) for piece in self._encoder.finish()]

    def _write_all(self, pieces: Iterable[Written]) -> None:
        for number, piece in pieces:
            with self._recorder.record_work("save", number):
                self._append(piece)
            self.frames += piece.frames


def yield_until_failure(painted: Iterable[Painted], failures: list[BaseException]) -> Generator[Painted]:
    """Yield frames until painting fails, and then end; why it failed is put into `failures`."""
    try:
        yield from painted
    except GeneratorExit:
        raise
    except BaseException as error:  # noqa: BLE001  (it is raised when the frames so far are written)
        failures.append(error)


def _start_stage(
    name: str, work: Callable[[], None], end: Callable[[], None], errors: list[BaseException]
) -> threading.Thread:
    """Start a stage in a thread of its own; `end` is called when it has ended, however. Raises RenderError."""

    def run() -> None:
        try:
            work()
        except StageStopped:
            pass
        except BaseException as error:  # noqa: BLE001  (it is raised in the thread that waits for all stages)
            errors.append(error)
        finally:
            end()

    thread = threading.Thread(target=run, name=name, daemon=True)
    try:
        thread.start()
    except RuntimeError as error:
        raise RenderError("the system starts no more threads", "add --no-overlap, or allow more (ulimit -u)") from error
    return thread
