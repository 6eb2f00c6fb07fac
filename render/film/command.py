"""`render film`: the script from what was typed, the film, its report."""

from __future__ import annotations

import json
import os
import sys
import time
from argparse import Namespace
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from render import outputs, stats
from render.errors import UsageError
from render.film import script as scripts
from render.film.formats import SUFFIXES, suffix_of
from render.film.script import Script
from render.film.shooting import Film, shoot
from render.findings import films, sentences
from render.findings.evidence import Run
from render.frame import Frames
from render.frontend.files import check_outputs
from render.frontend.progress import describe_roughly
from render.outputs import table
from render.outputs import trace as saved
from render.wording import count, format_time, make_harmless

PATH_SUFFIX = ".toml"
FIRST_LINE, MOST_PAUSE = 10.0, 60.0  # seconds to the first line of progress in a log, and between two at most
REDRAWN = 0.2  # seconds between two looks of the line on a terminal
EARLY = 2.0  # seconds; before, what is painted tells too little of what is left


def film(typed: Namespace, given: Mapping[str, Any], announce: Callable[[str], None], began: int) -> int:
    """Shoot a film and report it; `given`: the options of a draw. Returns the exit code."""
    named, path = sort_files(typed.files)
    script = _write_script(typed, given, path)
    out = f"{script.name}.mp4" if named is None else named
    suffix_of(out)
    makers = check_outputs([], typed.page, typed.trace, json=typed.json)
    _check_film_file(out, [*makers, *([typed.trace] if typed.trace else [])])
    with show_progress(script.frames, quiet=typed.quiet) as watch:
        shot = shoot(script, Path(out), overlap=not typed.no_overlap, announce=announce, watch=watch, began=began)
    for page, maker in makers.items():
        outputs.save_frames(page, maker, Frames((shot.sheet,)))
    if typed.trace:
        outputs.save(typed.trace, saved.write(Frames((shot.sheet,))))
    if typed.json:
        print(json.dumps(film_document(shot)))
    elif not typed.quiet:
        print("\n".join(map(make_harmless, film_lines(shot, [out, *makers, *([typed.trace] if typed.trace else [])]))))
    return 0


def sort_files(files: list[str]) -> tuple[str | None, str | None]:
    """Tell the film's file and the path of keyframes apart, each None if missing. Raises UsageError for more."""
    paths = [name for name in files if name.lower().endswith(PATH_SUFFIX)]
    named = [name for name in files if name not in paths]
    if len(paths) > 1 or len(named) > 1:
        raise UsageError(f"{len(files)} files are named", "give one film and at most one path of keyframes (.toml)")
    return next(iter(named), None), next(iter(paths), None)


def _write_script(typed: Namespace, given: Mapping[str, Any], path: str | None) -> Script:
    if path is None:
        return scripts.write_zoom(given, typed.seconds, typed.fps)
    for name in ("scene", "view"):
        if given.get(name):
            raise UsageError(f"{path} says what is filmed, and so does --{name}", f"leave --{name} or the path out")
    return scripts.read_path(path, given, typed.seconds, typed.fps)


def _check_film_file(out: str, others: list[str]) -> None:
    """Raise before painting where the film could not be written in a file of its own."""
    if not outputs.is_regular(out):
        raise UsageError(f"{out} is no regular file", f"a film grows in a file: name one that ends in {SUFFIXES[0]}")
    outputs.check_writable(out)
    if os.path.realpath(out) in map(os.path.realpath, others):
        raise UsageError(f"{out} is named twice", "give each output a file of its own")


@contextmanager
def show_progress(frames: int, *, quiet: bool) -> Iterator[Callable[[int], None] | None]:
    """Yield a callback that shows how many frames are painted: in one line on a terminal, else in a line now and then.

    None if quiet.
    """
    if quiet:
        yield None
        return
    stream = sys.stderr
    terminal = stream.isatty()
    pause = REDRAWN if terminal else FIRST_LINE
    began, due = 0.0, time.monotonic() + pause

    def show(painted: int) -> None:
        nonlocal began, pause, due
        now = time.monotonic()
        began = began or now  # of the second frame: the first may have compiled its scene
        if now < due:
            return
        if not terminal:
            pause = min(2 * pause, MOST_PAUSE)
        due = now + pause
        line = f"render: {progress_line(painted, frames, now - began)}"
        stream.write(f"\r{line:<60}" if terminal else f"{line}\n")
        stream.flush()

    try:
        yield show
    finally:
        if terminal:
            stream.write(f"\r{'':<60}\r")
            stream.flush()


def progress_line(painted: int, frames: int, seconds: float) -> str:
    """Say how many frames are painted, and how long the rest may take; `seconds`: since the first one was."""
    left = seconds * (frames - painted) / max(painted - 1, 1)
    more = f", about {describe_roughly(left)} left" if seconds >= EARLY and painted < frames else ""
    return f"{painted} of {frames} frames painted{more}"


def film_document(film: Film) -> dict[str, Any]:
    """Make the document of a film, for JSON.

    `frames` has one object a frame: its `number` and `time` (seconds) in the film, the `zoom` and the whole `request`
    that decides its picture, and `sha256` of its pixels as `draw` has them. `seconds` are wall times as in the document
    of a draw; `stages` is how long painting, encoding and writing were at work, `together_seconds` how long two or more
    of them were at the same instant, `cpus` how many CPUs were at work on average (null: not known).
    """
    script, trace = film.script, film.sheet.trace
    request, figures, overlap = script.request, stats.of(trace), films.measure_overlap(trace)
    return {
        "scene": request.scene,
        "view": request.view,
        "size": [request.width, request.height],
        "fps": float(script.fps),
        "plays_seconds": script.seconds,
        "mode": request.mode,
        "target": request.target,
        "backend": request.backend,
        "simulated": film.sheet.simulated,
        "overlap": film.overlap,
        "seconds": figures.seconds,
        "stages": {films.STAGES[kind]: seconds for kind, seconds in overlap.stages.items()},
        "together_seconds": overlap.together,
        "cpus": overlap.cpus,
        "steps": film.sheet.total_steps,
        "sentences": sentences.of(Run(film.sheet)),
        "frames": [
            {
                "number": number,
                "time": float(number / script.fps),
                "zoom": shot.request.values["zoom"],
                "request": shot.request.picture_key(),
                "sha256": shot.sha256,
            }
            for number, shot in enumerate(film.shots)
        ],
        "bytes": film.size,
        "out": [str(film.out)],
    }


def film_lines(film: Film, files: list[str]) -> list[str]:
    """Report a film in lines for people."""
    request = film.script.request
    size = f"{request.width} x {request.height} pixels"
    shown = f"{count(len(film.shots), 'frame')} of {size}, {float(film.script.fps):g} a second"
    told = f"{film.sheet.title}: {' '.join(sentences.of(Run(film.sheet)))}"
    return [
        f"{request.scene}, view {request.view}: {shown}",
        *table.fold_lines([told], table.WIDTH),
        f"{format_time(stats.of(film.sheet.trace).seconds['total'])} in all; {film.size / 1e6:.3g} MB",
        f"saved {', '.join(files)}",
    ]
