"""The six commands: each takes what was typed and gives an exit code.

All that is told to the user goes to standard output, progress and announcements to standard error; with `--json` the
document alone goes to standard output.
"""

from __future__ import annotations

import json
import math
import os
import shutil
import sys
import time
from argparse import Namespace
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from render import engine, lessons, like, modes, options, outputs, scene
from render.comparison import attribution, inspection
from render.comparison import compare as comparing
from render.errors import ModeUnavailable, UnknownName, UsageError
from render.findings import chart, repeats
from render.findings.document import draw_document, race_document
from render.findings.repeats import Rounds
from render.frame import Frame, Frames
from render.frontend import devices, library, terminal
from render.outputs import table
from render.outputs import trace as saved
from render.pictures import picture
from render.request import Request
from render.trace import NO_TILE, Recorder, Span

if TYPE_CHECKING:
    import numpy as np


def run(command: str, typed: Namespace, began: int) -> int:
    """Run a command; `began`: when the program was entered (perf_counter ns)."""
    return COMMANDS[command](typed, began)


def _asked(typed: Namespace) -> dict[str, Any]:
    """The options of `render.options.complete` that were typed, with those of a picture to start from."""
    names = {*options.DEFAULTS, *like.OWN}
    given = {name: value for name, value in vars(typed).items() if name in names and value is not None}
    return like.applied(given | {"parameters": options.settings(typed.set)})


def _announcer(typed: Namespace) -> Callable[[str], None]:
    def say(text: str) -> None:
        if not typed.quiet:
            print(f"render: {text} ...", file=sys.stderr, flush=True)

    return say


def _width() -> int:
    """The columns of the terminal, or what COLUMNS says; without both, as wide as the table likes."""
    return shutil.get_terminal_size((table.WIDTH, 24)).columns


def draw(typed: Namespace, began: int) -> int:
    """Draw one picture and save it."""
    request = options.complete(**_asked(typed))
    out = typed.out or [like.default_name(request, typed.like)]
    makers = _check_outputs(out, typed.page, typed.trace, json=typed.json)
    _check_sizes(makers, [request])
    files = [*makers, *([typed.trace] if typed.trace else [])]
    engine.load_available_mode(request)
    with terminal.live(quiet=typed.quiet, stream=sys.stderr) as watch:
        keep = partial(_unfinished, Path(like.default_name(request) if out[0] == outputs.STDOUT else out[0]))
        frame: Frame = engine.draw(request, announce=_announcer(typed), watch=watch, began=began, salvage=keep)
    t0 = time.perf_counter_ns()
    for path, maker in makers.items():
        outputs.save(path, outputs.made(maker, Frames((frame,)), plain=typed.plain))
    frame = _saved(frame, t0)
    if typed.trace:
        outputs.save(typed.trace, saved.write(Frames((frame,))))
    if typed.json:
        print(json.dumps(draw_document(frame, files)))
    elif not typed.quiet:
        shown = chart.draw_lanes([frame], min(_width(), table.WIDTH)) if sys.stdout.isatty() else []
        _say([*table.draw_lines(frame, files, _width()), *shown], files)
    return 0


def _unfinished(wanted: Path, rgb: np.ndarray) -> str:
    """Save what is done of a picture that failed, beside the file that was wanted; give the file's name."""
    path = wanted.with_name(f"{wanted.stem}.unfinished.png")
    outputs.save(path, picture.encode(rgb))
    return str(path)


def _check_outputs(
    out: Sequence[str], page: str | None, trace: str | None = None, *, json: bool = False
) -> dict[str, outputs.Output]:
    """The output that makes each file (the trace is made last). Raises before painting where one cannot be written."""
    makers = {path: outputs.by_suffix(path) for path in out} | ({page: outputs.load("page")} if page else {})
    files = [*out, *(path for path in (page, trace) if path)]
    if json and outputs.STDOUT in files:
        raise UsageError("--json and a file named - both want standard output", "give the file a name")
    for path in files:
        outputs.check_writable(path)
    for number, path in enumerate(files):
        if os.path.realpath(path) in map(os.path.realpath, files[:number]):
            raise UsageError(f"{path} is named twice", "give each file a name of its own")
    for option, named in (("page", page), ("trace", trace)):
        if named:
            outputs.check_name(option, named, option)
    return makers


def _say(lines: Sequence[str], files: Sequence[str]) -> None:
    """Tell the user, on standard error where one of the files goes to standard output."""
    print("\n".join(lines), file=sys.stderr if outputs.STDOUT in files else sys.stdout)


def _check_sizes(makers: dict[str, outputs.Output], requests: Sequence[Request]) -> None:
    """Raise UsageError, before painting, for a file that could not hold such pictures or show so many tiles."""
    tiles = sum(math.prod(request.rows_and_columns) for request in requests if request.only_tile is None)
    for path, maker in makers.items():
        outputs.check_tiles(path, maker, tiles)
    for request in requests:
        outputs.check_sides(makers, request.width, request.height)


def _saved(frame: Frame, t0: int) -> Frame:
    """The frame with the time in which its files were written."""
    t1 = time.perf_counter_ns()
    spans = (*frame.trace.spans, Span(Recorder.me(), NO_TILE, "save", t0, t1))
    return frame.with_trace(replace(frame.trace, spans=spans, ended=time.perf_counter_ns()))


def race(typed: Namespace, began: int) -> int:
    """Draw the same picture in every mode; exit 1 where pictures differ, 3 where a mode that was named cannot run.

    A lesson has runs of its own, and its pictures may differ where it shows a fault.
    """
    named = [word.strip() for word in typed.modes.split(",")] if typed.modes else []
    for name in named:
        if name not in modes.names():
            raise UnknownName("mode", name, modes.names())
    if typed.lesson and named:
        raise UsageError(f"lesson {typed.lesson} decides --modes itself", "leave --modes out")
    rounds = repeats.parse_rounds(typed.repeat, lessons.choose_rounds(typed.lesson) if typed.lesson else Rounds())
    requests: Sequence[Request | engine.Entrant] = (
        lessons.prepare_entrants(typed.lesson, _asked(typed))
        if typed.lesson
        else library.entrants(_asked(typed), named or modes.names())
    )
    makers = _check_outputs(typed.out, typed.page, typed.trace, json=typed.json)
    _check_sizes(makers, [one.request if isinstance(one, engine.Entrant) else one for one in requests])
    with terminal.live(quiet=typed.quiet, stream=sys.stderr) as watch:
        result = engine.race(requests, announce=_announcer(typed), watch=watch, rounds=rounds)
    if result.frames:
        for path, maker in makers.items():
            outputs.save(path, outputs.made(maker, result))
        if typed.trace:
            outputs.save(typed.trace, saved.write(result))
    _tell_race(typed, result, [*makers, typed.trace])
    if not (lessons.load(typed.lesson).sound(result.frames) if typed.lesson else result.identical):
        return 1
    return ModeUnavailable.exit_code if named and result.not_run else 0


def _tell_race(typed: Namespace, result: Frames, files: Sequence[str]) -> None:
    """The table of a race, or its document; for a lesson also its question, and what follows."""
    lesson = lessons.find_lesson(result)
    if typed.json:
        told = {"lesson": lessons.as_dict(lesson, result)} if lesson else {}
        print(json.dumps(race_document(result.frames, result.not_run) | told))
    elif not typed.quiet:
        told_lesson = ["", *lessons.format_lines(lesson, result, min(_width(), table.WIDTH))] if lesson else []
        _say([table.race_table(result.frames, result.not_run, _width()), *told_lesson], files)


def compare(typed: Namespace, began: int) -> int:
    """Compare two saved pictures; exit 0 if equal or within what is allowed, 1 if not, 2 for different requests."""
    allowed = _number(typed.max_error, "--max-error"), _number(typed.max_differing, "--max-differing")
    if typed.a == typed.b == picture.STDIN:
        raise UsageError("standard input can be read once, and not as both pictures", "name a file for one of them")
    a, b = picture.read(typed.a), picture.read(typed.b)
    if typed.diff:
        outputs.check_writable(typed.diff)
        if Path(typed.diff).suffix.lower() != ".png" or Path(typed.diff).resolve() in {
            Path(typed.a).resolve(),
            Path(typed.b).resolve(),
        }:
            raise UsageError(f"--diff {typed.diff} is no place for it", "name a new file that ends in .png")
    result = comparing.compare(a, b)
    one, other = picture.spoken(typed.a), picture.spoken(typed.b)
    if result.same_request is False and not typed.any_request:
        raise UsageError(
            f"{one} and {other} were not asked to be the same picture: {comparing.unlike(a, b)}",
            "add --any-request to compare them all the same",
        )
    if typed.diff and (a.more or b.more):
        raise UsageError("pictures of several frames have no one picture of their differences", "leave --diff out")
    found = None if result.identical else attribution.attribute(a, b)
    if typed.diff and found is not None:
        from render.comparison.difference import marked

        outputs.save(typed.diff, picture.encode(marked(a, b, found)))
    if typed.json:
        print(json.dumps(result.as_dict() | ({"attribution": found.as_dict()} if found else {})))
    elif not typed.quiet:
        print("\n".join([*comparing.lines(result, one, other), *(attribution.lines(found) if found else [])]))
    return 0 if result.within(*allowed) else 1


def _number(word: str | None, name: str) -> float | None:
    """A number not below zero, or None where none was typed. Raises UsageError."""
    if word is None:
        return None
    try:
        value = float(word)
    except ValueError:
        value = -1.0
    if not 0 <= value < float("inf"):
        raise UsageError(f"{name} is {word!r}", "give a number, 0 or more")
    return value


def show(typed: Namespace, began: int) -> int:
    """Tell about a saved trace, and make outputs from it; of a picture, tell what it is."""
    if not _is_trace(typed.file):
        return _show_picture(typed)
    makers = _check_outputs(typed.out, typed.page, json=typed.json)
    files = list(makers)
    frames = saved.read(typed.file)
    _check_sizes(makers, [frame.request for frame in frames])
    for path, maker in makers.items():
        outputs.save(path, outputs.made(maker, frames, plain=typed.plain))
    if frames.kind == "race":
        _tell_race(typed, frames, files)
    elif typed.json:
        print(json.dumps(draw_document(frames[0], files)))
    elif frames.kind == "draw" and not typed.quiet:
        _say(table.draw_lines(frames[0], files, _width()), files)
    return 0


def _is_trace(path: str) -> bool:
    """Whether a file is a saved trace rather than a picture: by its name, or because it is text that looks like one."""
    if path.lower().endswith(".json"):
        return True
    try:
        with Path(path).open("rb") as file:
            return file.read(64).lstrip().startswith(b"{")
    except (OSError, ValueError):  # reading it tells why
        return False


def _show_picture(typed: Namespace) -> int:
    """Tell what a picture is."""
    if typed.out or typed.page:
        raise UsageError(
            f"{typed.file} is a picture, and what happened when is in a saved trace only", "save one: --trace"
        )
    told = inspection.describe(picture.read(typed.file))
    if typed.json:
        print(json.dumps({"file": typed.file} | told))
    elif not typed.quiet:
        print("\n".join(inspection.lines(told, typed.file)))
    return 0


def tell_devices(typed: Namespace, began: int) -> int:
    """What this machine can run."""
    found = devices.find()
    print(json.dumps(found) if typed.json else "\n".join(devices.lines(found)))
    return 0


def scenes(typed: Namespace, began: int) -> int:
    """The scenes there are, or one of them with its parameters."""
    loaded = [scene.load(name) for name in ([typed.name] if typed.name else scene.names())]
    if typed.json:
        print(json.dumps({"scenes": [one.as_dict() for one in loaded]}))
    else:
        print("\n\n".join("\n".join(one.lines(parameters=bool(typed.name))) for one in loaded))
    return 0


COMMANDS: dict[str, Callable[[Namespace, int], int]] = {
    "draw": draw,
    "race": race,
    "compare": compare,
    "show": show,
    "devices": tell_devices,
    "scenes": scenes,
}
