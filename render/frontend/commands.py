"""The commands: each takes the parsed options and returns an exit code.

Reports go to standard output, progress and announcements to standard error; with `--json` the
document alone goes to standard output.
"""

from __future__ import annotations

import json
import shutil
import sys
from argparse import Namespace
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from render import engine, lessons, like, options, outputs, scene
from render.errors import InputError, ModeUnavailable, UsageError
from render.findings import chart, repeats
from render.findings.document import draw_document, race_document
from render.findings.repeats import Rounds
from render.frame import Frames
from render.frontend import terminal
from render.frontend.band_files import open_bands
from render.frontend.files import check_outputs, check_sizes, save_all
from render.frontend.saving import Wishes, draw_files, list_savings
from render.outputs import table
from render.outputs import trace as saved


def run(command: str, typed: Namespace, began: int) -> int:
    """Run a command; `began`: when the program was entered (perf_counter ns)."""
    return COMMANDS[command](typed, began)


def _given_options(typed: Namespace) -> dict[str, Any]:
    """Collect the options for `render.options.complete`, over those of the picture in `--like`."""
    names = {*options.DEFAULTS, *like.OWN}
    given = {name: value for name, value in vars(typed).items() if name in names and value is not None}
    return like.apply_picture(given | {"parameters": options.parse_settings(typed.set)})


def _announce(text: str, *, quiet: bool) -> None:
    if not quiet:
        print(f"render: {text}", file=sys.stderr, flush=True)


def _terminal_width() -> int:
    """Return the columns of the terminal, or COLUMNS; the table's own width if neither is known."""
    return shutil.get_terminal_size((table.WIDTH, 24)).columns


def draw(typed: Namespace, began: int) -> int:
    """Draw one picture and save it."""
    request = options.complete(**_given_options(typed))
    out = typed.out or [like.default_name(request, typed.like)]
    makers = check_outputs(out, typed.page, typed.trace, json=typed.json)
    files = [*makers, *([typed.trace] if typed.trace else [])]
    wishes = Wishes(makers, typed.trace, typed.plain, typed.resume, typed.fresh, own_tile=typed.tile is not None)
    watching = partial(terminal.show_tiles, quiet=typed.quiet, stream=sys.stderr)
    frame = draw_files(request, wishes, partial(_announce, quiet=typed.quiet), watching, began)
    if typed.json:
        print(json.dumps(draw_document(frame, files)))
    elif not typed.quiet:
        shown = chart.draw_lanes([frame], min(_terminal_width(), table.WIDTH)) if sys.stdout.isatty() else []
        _print_lines([*table.draw_lines(frame, files, _terminal_width()), *shown], files)
    return 0


def _print_lines(lines: Sequence[str], files: Sequence[str]) -> None:
    """Print lines, on standard error if a file goes to standard output."""
    print("\n".join(lines), file=sys.stderr if outputs.STDOUT in files else sys.stdout)


def race(typed: Namespace, began: int) -> int:
    """Draw the same picture in every mode; exit 1 where pictures differ, 3 where a mode that was named cannot run.

    A lesson has runs of its own, and its pictures may differ where it shows a fault.
    """
    from render.frontend import races

    named = races.parse_modes(typed.modes or ())
    if typed.lesson and named:
        raise UsageError(f"lesson {typed.lesson} decides --modes itself", "leave --modes out")
    if typed.lesson and typed.story:
        raise UsageError(f"lesson {typed.lesson} has no --story", "leave --story or --lesson out")
    rounds = repeats.parse_rounds(typed.repeat, lessons.choose_rounds(typed.lesson) if typed.lesson else Rounds())
    if typed.lesson:
        runs = lessons.prepare_entrants(typed.lesson, _given_options(typed))
    else:
        runs = races.line_up(_given_options(typed), named, typed.story)
    makers = check_outputs(typed.out, typed.page, typed.trace, json=typed.json)
    check_sizes(makers, [run.request for run in runs])
    with open_bands() as bands:
        streaming = None if typed.lesson else bands.start(makers, runs[0].request, None, plain=False)
        with terminal.show_tiles(quiet=typed.quiet, stream=sys.stderr) as watch:
            result = engine.race(
                runs,
                announce=partial(_announce, quiet=typed.quiet),
                watch=watch,
                rounds=rounds,
                later=repeats.parse_rounds(typed.repeat, repeats.LATER),
                streaming=streaming,
            )
        result = replace(lessons.explain(result), recorded=typed.recorded)
        if result.frames:
            save_all(list_savings(bands, makers, result, plain=False))
            if typed.trace:
                outputs.save(typed.trace, saved.write(result))
    _print_race(typed, result, [*makers, typed.trace])
    if not (result.explanation.sound if result.explanation else result.identical):
        return 1
    if named and result.not_run:
        _announce("python -m render devices shows what is missing here", quiet=typed.quiet)
        return ModeUnavailable.exit_code
    return 0


def _print_race(typed: Namespace, result: Frames, files: Sequence[str]) -> None:
    """Print the table of a race, or its document; for a lesson also its question and its answers."""
    lesson = result.explanation
    if typed.json:
        lesson_document = {"lesson": lesson.as_dict()} if lesson else {}
        print(json.dumps(race_document(result.frames, result.not_run) | lesson_document))
    elif not typed.quiet:
        width = _terminal_width()
        lesson_lines = [*lesson.format_lines(min(width, table.WIDTH)), ""] if lesson else []
        report = table.race_table(result.frames, result.not_run, width, figures=typed.figures)
        _print_lines([*lesson_lines, report], files)


def show(typed: Namespace, began: int) -> int:
    """Print the report of a saved trace and make outputs from it; of a picture, print what it is."""
    if not _is_trace(typed.file):
        from render.frontend import saved_pictures

        try:
            return saved_pictures.show(typed)
        except InputError as error:
            if isinstance(error.__cause__, OSError | ValueError):  # there is no such file
                error.remedy = "give the path of a saved trace or a picture that you may read"
            raise
    makers = check_outputs(typed.out, typed.page, json=typed.json)
    files = list(makers)
    frames = replace(lessons.explain(saved.read(typed.file)), recorded=typed.recorded)
    check_sizes(makers, [frame.request for frame in frames])
    plain = typed.plain
    save_all((path, partial(outputs.save_frames, path, maker, frames, plain=plain)) for path, maker in makers.items())
    if frames.kind == "race":
        _print_race(typed, frames, files)
    elif typed.json:
        print(json.dumps(draw_document(frames[0], files)))
    elif frames.kind == "draw" and not typed.quiet:
        _print_lines(table.draw_lines(frames[0], files, _terminal_width()), files)
    return 0


def _is_trace(path: str) -> bool:
    """Tell if a file is a saved trace rather than a picture: by its name, or because its text looks like one."""
    if path.lower().endswith(".json"):
        return True
    try:
        with Path(path).open("rb") as file:
            return file.read(64).lstrip().startswith(b"{")
    except (OSError, ValueError):  # reading it reports why
        return False


def compare(typed: Namespace, began: int) -> int:
    """Compare two saved pictures."""
    from render.frontend import saved_pictures

    return saved_pictures.compare(typed, began)


def list_devices(typed: Namespace, began: int) -> int:
    """Print what this machine can run."""
    from render.frontend import devices

    document = devices.find_devices()
    print(json.dumps(document) if typed.json else "\n".join(devices.format_lines(document)))
    return 0


def list_scenes(typed: Namespace, began: int) -> int:
    """Print the scenes, or one of them with its parameters."""
    loaded = [scene.load(name) for name in ([typed.name] if typed.name else scene.names())]
    if typed.json:
        print(json.dumps({"scenes": [one.as_dict() for one in loaded]}))
    else:
        print("\n\n".join("\n".join(one.format_lines(parameters=bool(typed.name))) for one in loaded))
    return 0


def film(typed: Namespace, began: int) -> int:
    """Shoot a film."""
    from render.film import command

    return command.film(typed, _given_options(typed), partial(_announce, quiet=typed.quiet), began)


def serve(typed: Namespace, began: int) -> int:
    """Serve until a signal comes. Raises ModeUnavailable where what serves is not installed."""
    try:
        from render.server import app, settings
    except ModuleNotFoundError as error:
        if str(error.name).partition(".")[0] == "render":
            raise
        raise ModeUnavailable(
            f"serving needs {error.name}, which is not installed", "install it: pip install 'render[serve]'"
        ) from error
    return app.serve(settings.parse(typed))


COMMANDS: dict[str, Callable[[Namespace, int], int]] = {
    "draw": draw,
    "race": race,
    "compare": compare,
    "show": show,
    "film": film,
    "devices": list_devices,
    "scenes": list_scenes,
    "serve": serve,
}
