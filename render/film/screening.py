"""A screening: a film that is painted for a player while it plays, part by part, kept in memory.

With overlap it is painted from its start to its end, however far the player is. Without, a part is painted only when
somebody asks for it. Nobody asked for a while: the painting stops. Its record is that of any film (`sheet`), to which
the player may add when it loaded and played.
"""

from __future__ import annotations

import secrets
import threading
import time
from contextlib import closing
from typing import NamedTuple

from render import engine
from render.errors import RenderError, UsageError
from render.film.coding import Encoder, Piece
from render.film.mp4 import Mp4Encoder, name_codec
from render.film.record import FilmRecord, describe_film
from render.film.script import Script
from render.film.webp import WebpEncoder
from render.frame import Frame
from render.preparation import Preparation
from render.trace import SYSTEM_CLOCK, Recorder

PATIENCE = 15.0  # seconds without a question
FIRST_BOX = b"moof"  # where the first part begins; before it stands what a player must know of all


class Part(NamedTuple):
    """A part of a film: its bytes, how many frames, and when it was painted and encoded (time.monotonic, seconds)."""

    data: bytes
    frames: int
    began: float
    ended: float


class Screening:
    """One film for one player. Its methods may be called from any thread and never wait."""

    def __init__(self, script: Script, *, overlap: bool = True, mp4: bool = True) -> None:
        """Open the encoder; nothing is painted before `start`. Raises as `Mp4Encoder` does."""
        size = script.request.width, script.request.height
        encoder: Encoder = Mp4Encoder(*size, script.fps, index=False) if mp4 else WebpEncoder(*size, script.fps)
        self.name = secrets.token_urlsafe(9)
        self.script, self.overlap = script, overlap
        self.parts: list[Part] = []
        self.codec, self.head = "", b""  # known with the first part
        self.failure: RenderError | None = None
        self.finished = False
        self.sheet: Frame | None = None  # once it is finished: its contact sheet, whose trace is the film's
        self.asked = SYSTEM_CLOCK()
        self._asked = time.monotonic()
        self._encoder, self._file, self._mp4 = encoder, bytearray(), mp4
        self._wanted, self._stopped = 0, False
        self._changed = threading.Condition()

    def start(self) -> None:
        """Start painting, in a thread of its own."""
        threading.Thread(target=self._run, daemon=True, name="screening").start()

    def want(self, number: int) -> Part | None:
        """Ask for a part, counted from 0; None if it is not painted yet. Raises the error that ended the painting."""
        with self._changed:
            self._asked = time.monotonic()
            self._wanted = max(self._wanted, number + 1)
            self._changed.notify_all()
            if number < len(self.parts):
                return self.parts[number]
            if self.failure is not None:
                raise self.failure
            if self.finished:
                raise UsageError(f"there is no part {number}", "the film is over")
            return None

    def stop(self) -> None:
        """Stop painting, soon; what is painted stays."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()

    @property
    def whole(self) -> bytes:
        """The bytes of all parts so far, with the head: a file that plays."""
        return bytes(self._file)

    def _run(self) -> None:
        try:
            self._paint()
        except RenderError as error:
            self.failure = error
        except Exception as error:  # noqa: BLE001  (whoever asks is told)
            self.failure = RenderError(f"{type(error).__name__}: {error}", "this is a bug in render")
        finally:
            self.finished = True

    def _paint(self) -> None:
        recorder = Recorder()
        record = FilmRecord(self.script.request, self.script.frames, recorder)
        try:
            with closing(Preparation(keep_open=True)) as preparation:
                self._paint_frames(preparation, record, recorder)
        finally:
            facts = describe_film(sum(part.frames for part in self.parts), self.script.fps, overlap=self.overlap)
            self.sheet = record.finish(self.asked, self.asked, SYSTEM_CLOCK(), facts)

    def _paint_frames(self, preparation: Preparation, record: FilmRecord, recorder: Recorder) -> None:
        began = time.monotonic()
        last = 0
        for last, request in enumerate(self.script.requests()):
            if not self._go_on():
                return
            if not self.overlap and self._wait_for_wish():
                began = time.monotonic()
            frame = engine.draw(request, preparation=preparation)
            record.add(last, frame)
            with recorder.record_work("encode", last):
                pieces = list(self._encoder.encode(frame.rgb))
            for piece in pieces:
                self._keep(piece, began)
                began = time.monotonic()
        with recorder.record_work("encode", last):
            pieces = list(self._encoder.finish())
        for piece in pieces:
            self._keep(piece, began)

    def _go_on(self) -> bool:
        return not self._stopped and time.monotonic() - self._asked < PATIENCE

    def _wait_for_wish(self) -> bool:
        """Wait until the next part is asked for; return whether that took any time."""
        with self._changed:
            if self._wanted > len(self.parts):
                return False
            self._changed.wait_for(lambda: self._stopped or self._wanted > len(self.parts), PATIENCE)
            return True

    def _keep(self, piece: Piece, began: float) -> None:
        start = len(self._file)
        self._file += piece.data
        for offset, patch in piece.patches:
            self._file[offset : offset + len(patch)] = patch
        data = bytes(self._file[start:])
        if not start and self._mp4:
            first = data.index(FIRST_BOX) - 4
            self.head, data = data[:first], data[first:]
            self.codec = name_codec(self.head)
        if piece.frames:
            self.parts.append(Part(data, piece.frames, began, time.monotonic()))
