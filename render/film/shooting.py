"""Shooting: from a script to a film in a file, with the record of who did what and when."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import NamedTuple

from render import engine, outputs
from render.film.coding import Piece
from render.film.formats import open_encoder
from render.film.record import FilmRecord, describe_film
from render.film.script import Script
from render.film.stages import Painted, Stages
from render.frame import Frame
from render.painting.course import add_hint
from render.preparation import Preparation
from render.request import Request
from render.storage.growing_file import GrowingFile, open_growing
from render.trace import Clock, Recorder
from render.wording import count

Watch = Callable[[int], None]  # is given how many frames are painted


class Shot(NamedTuple):
    """A frame of a film: its request and the hash of its pixels, as of `Frame.sha256`."""

    request: Request
    sha256: str


@dataclass(frozen=True)
class Film:
    """A film that is in its file. `sheet`: its contact sheet, whose trace is the film's; `size`: of the file, bytes."""

    script: Script
    shots: tuple[Shot, ...]
    sheet: Frame
    out: Path
    size: int
    overlap: bool


def shoot(
    script: Script,
    out: Path,
    *,
    overlap: bool = True,
    announce: Callable[[str], None] = engine.announce_nothing,
    watch: Watch | None = None,
    began: int | None = None,
    clock: Clock = time.perf_counter_ns,
) -> Film:
    """Paint, encode and write a film. What is in the file plays at every instant, also where this fails or is stopped.

    began: when the program was entered (ns of `clock`). `watch` is called in the calling thread after each frame.
    Raises UsageError and ModeUnavailable before anything is painted, TileError where a frame fails, OutputError where
    the file cannot be written; what is finished then is in the file, and the error says how much.
    """
    asked, recorder = clock(), Recorder(clock)
    began = asked if began is None else began
    engine.load_available_mode(script.request)
    encoder = open_encoder(out, script.request.width, script.request.height, script.fps)
    record = FilmRecord(script.request, script.frames, recorder)
    hashes: list[str] = []

    def note(painted: Painted) -> None:
        hashes.append(hashlib.sha256(painted.rgb.data).hexdigest())

    with open_growing(Path(os.path.realpath(out))) as file:
        stages = Stages(encoder, partial(_append, out, file), note, recorder)
        try:
            stages.run(_paint(script, record, announce, watch), overlap=overlap)
        except BaseException as error:
            add_hint(error, f"{stages.frames} of {count(script.frames, 'frame')} are in {out}" if stages.frames else "")
            raise
    facts = describe_film(script.frames, script.fps, overlap=overlap)
    sheet = record.finish(began, asked, clock(), facts)
    shots = tuple(map(Shot, script.requests(), hashes))
    return Film(script, shots, sheet, out, file.size, overlap)


def _paint(
    script: Script, record: FilmRecord, announce: Callable[[str], None], watch: Watch | None
) -> Iterator[Painted]:
    with closing(Preparation(keep_open=True)) as preparation:
        for number, request in enumerate(script.requests()):
            frame = engine.draw(request, announce=announce, preparation=preparation)
            record.add(number, frame)
            if watch is not None:
                watch(number + 1)
            yield Painted(number, frame.rgb)


def _append(out: Path, file: GrowingFile, piece: Piece) -> None:
    try:
        file.append(piece.data, piece.patches)
    except OSError as error:
        raise outputs.make_write_error(out, error) from error
