"""The command line: what was typed becomes options, a command runs, its outcome becomes an exit code.

Nothing heavy is imported here: `--help` answers before numpy could load. The commands stand in
`render.frontend.commands`.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import sys
import time
from collections.abc import Sequence
from typing import Any, NoReturn

from render import __version__
from render.errors import OutputError, RenderError, UnknownName, UsageError
from render.frontend.speech import harmless_streams

ABOUT = """\
Draw one picture in four ways - one worker in sequence, one worker juggling, many workers at once, a graphics
card - and see who worked on what and when. The picture is the same to the last bit.
"""

EXAMPLES = """\
commands:
  draw      draw a picture (this is what happens when no command is named)
  race      draw the same picture in every mode, and tell what each did
  compare   are two saved pictures equal? where and how much do they differ?
  show      tell about a saved trace again, on any machine, or what a saved picture is
  devices   what this machine can run, and why not the rest
  scenes    the scenes, their views and parameters
  help      what a command can do: help race is race --help

examples:
  python -m render                                              the default picture: mandelbrot-parallel.png
  python -m render race                                         the lesson: all modes, one table
  python -m render race --page theatre.html                     who worked when, replayed in a page
  python -m render race --wait 50ms                             where one juggling worker beats a sequential one
  python -m render race --lesson gil                            why threads of Python may be parallel, and may not
  python -m render --mode sequential --out s.png                one worker, one tile after the other
  python -m render --scene mandelbrot --view seahorses --set zoom=400 --size 1920x1080
  python -m render --mode parallel --backend loky --workers 2   two processes
  python -m render --mode cuda                                  a graphics card
  python -m render --mode cuda --simulate --size 96x64          the same code, simulated
  python -m render compare s.png mandelbrot-parallel.png
  python -m render --like s.png --at 310,95 --closer 10         what lies under a pixel of a picture
  python -m render --quiet --out - | display -                  a picture for another program

python -m render COMMAND --help tells a command's options.
exit codes: 0 done or equal, 1 failed or different, 2 wrong use, 3 the mode cannot run here, 4 a tile failed,
            130 interrupted; 129 and 143 ended by SIGHUP and SIGTERM
"""

LONGEST = 500  # letters of a cause: a scene may raise anything


class Parser(argparse.ArgumentParser):
    """argparse, but errors are raised as ours: two lines, not a page of usage."""

    def __init__(self, command: str, about: str, **more: Any) -> None:
        super().__init__(
            prog=f"python -m render {command}".rstrip(),
            description=about,
            allow_abbrev=False,
            formatter_class=argparse.RawDescriptionHelpFormatter,
            **more,
        )
        self.command = command
        self.add_argument("--version", action="version", version=f"render {__version__}", help="the program's version")

    def read(self, words: Sequence[str]) -> argparse.Namespace:
        """The options in these words. Raises UsageError; one for an unknown option says what it may have meant."""
        options, rest = self.parse_known_args(words)
        if not rest:
            return options
        if not rest[0].startswith("-"):
            raise UsageError(f"{rest[0]!r} is one word too many", f"see {self.prog} --help")
        from render.frontend.hints import unknown_option
        from render.options import DEFAULTS

        known = [option for action in self._actions for option in action.option_strings if option.startswith("--")]
        raise unknown_option(self.command or "draw", rest, known, getattr(options, "scene", None) or DEFAULTS["scene"])

    def error(self, message: str) -> NoReturn:
        """Raise UsageError."""
        raise UsageError(message, f"see {self.prog} --help")


def _what(parser: Parser) -> None:
    """What to draw, how to cut it."""
    race = parser.command == "race"  # with nothing said about what to draw, it takes `render.frontend.library.RACE`
    view = "seahorses where neither scene, view nor parameter is named, else its first" if race else "its first"
    samples = "16 where neither scene, view nor parameter is named, else 4" if race else "4"
    tile = "the smallest that suits a mode, for all" if race else "from the frame and the workers"
    group = parser.add_argument_group("what to draw")
    group.add_argument(
        "--scene",
        metavar="NAME|FILE.py",
        help="a scene's name, or a file of your own: a program, which runs with your rights (mandelbrot)",
    )
    group.add_argument("--view", metavar="NAME", help=f"one of the scene's views ({view})")
    group.add_argument("--set", metavar="KEY=VALUE", action="append", default=[], help="a parameter of the scene")
    group.add_argument("--size", metavar="WxH", help="pixels (1280x720)")
    group.add_argument("--samples", metavar="N", help=f"samples for each pixel ({samples})")
    group.add_argument("--limit", metavar="N", help="most steps a sample makes (the scene's)")
    group.add_argument("--precision", metavar="auto|f32|f64", help="numbers to compute with (the scene's)")
    group.add_argument("--like", metavar="PICTURE", help="draw what this picture shows, with the other options over it")
    group.add_argument("--at", metavar="PX,PY", help="with --like: this pixel of the picture becomes the centre")
    group.add_argument("--closer", metavar="N", help="with --like: N times as large")
    group = parser.add_argument_group("how to cut it")
    group.add_argument("--tile", metavar="N|WxH", help=f"pixels of a tile ({tile})")
    group.add_argument("--order", metavar="ORDER", help="rows, spiral, hilbert or costly (rows)")


def _who(parser: Parser) -> None:
    """Who draws it."""
    group = parser.add_argument_group("who draws it")
    race = parser.command == "race"
    if race:
        group.add_argument("--modes", metavar="A,B,...", help="some of the modes only (all that this machine has)")
        group.add_argument(
            "--lesson", metavar="NAME", help="runs chosen to show one thing, each with defaults: gil, wait or bug"
        )
        group.add_argument("--repeat", metavar="N", help=REPEAT)
    else:
        group.add_argument("--mode", metavar="MODE", help="sequential, concurrent, parallel or cuda (parallel)")
    group.add_argument("--target", metavar="TARGET", help=TARGET[race])
    group.add_argument("--workers", metavar="N", help=WORKERS)
    group.add_argument("--backend", metavar="NAME", help="workers of mode parallel: threading or loky (threading)")
    group.add_argument("--in-flight", metavar="N", help="tiles that mode concurrent juggles (4)")
    group.add_argument("--wait", metavar="MS", help="every tile first waits so long for its data, like 50ms (0)")
    group.add_argument("--simulate", action="store_true", help="mode cuda without a card, in numba's simulator")


TARGET = (
    "code: python, scalar or simd; cuda for mode cuda (simd)",
    "code of the CPU's modes: python, scalar or simd (simd)",
)
WORKERS = "workers of mode parallel; -1: as many as CPUs allowed, -2: one less, and so on (-1, but 2 at least)"
REPEAT = "run all modes so often, in turn; shown is each one's run of median time (3, or more where they fit in 4 s)"
OUT = """.png .webp .jpg .npz picture, - PNG to standard output, .svg timeline, .txt table, .html page,
.ownership.png and .cost.png by tile, .replay.webp moving, .perfetto.json or .chrome.json for other viewers"""


def _out(parser: Parser, about: str) -> None:
    """What to make of it."""
    parser.add_argument("-o", "--out", metavar="FILE", action="append", default=[], help=about)
    parser.add_argument("--page", metavar="FILE", help="the theatre: who worked when, replayed in one page (.html)")


def _talk(parser: Parser, *, quiet: bool = True) -> None:
    """What is said, and how."""
    group = parser.add_argument_group("what is said")
    group.add_argument("--json", action="store_true", help="one JSON document on standard output")
    if quiet:
        group.add_argument("-q", "--quiet", action="store_true", help="no progress and no report")
    group.add_argument("--debug", action="store_true", help="a traceback where something fails")


def _draw() -> Parser:
    parser = Parser("", ABOUT, epilog=EXAMPLES, usage="python -m render [COMMAND] [OPTIONS]")
    _what(parser)
    parser.add_argument("--only-tile", metavar="N", help="paint this tile alone")
    _who(parser)
    _out(parser, OUT)
    parser.add_argument("--plain", action="store_true", help="no request and timings inside the file")
    parser.add_argument("--trace", metavar="FILE", help="save the trace, for show")
    _talk(parser)
    return parser


def _race() -> Parser:
    parser = Parser("race", "Draw the same picture in every mode that this machine has, and tell what each did.")
    _what(parser)
    _who(parser)
    _out(parser, OUT)
    parser.add_argument("--trace", metavar="FILE", help="save all traces in one file, for show")
    _talk(parser)
    return parser


def _compare() -> Parser:
    parser = Parser(
        "compare", "Are two pictures equal? Exit 0 if they are (or differ within what is allowed), 1 if not."
    )
    parser.add_argument("a", metavar="A", help="a picture: PNG, .npz, or whatever Pillow reads; - is standard input")
    parser.add_argument("b", metavar="B", help="the picture that is compared with it")
    parser.add_argument(
        "--max-error",
        metavar="N",
        help="equal enough if no channel differs by more (steps: of 255, or of 65535)",
    )
    parser.add_argument("--max-differing", metavar="PERCENT", help="equal enough if no more pixels than this differ")
    parser.add_argument("--diff", metavar="FILE", help="write a picture of the differences, magnified")
    parser.add_argument("--any-request", action="store_true", help="compare pictures of different requests too")
    _talk(parser)
    return parser


def _show() -> Parser:
    parser = Parser("show", "Tell about a saved trace again, and make outputs from it; tell what a saved picture is.")
    parser.add_argument("file", metavar="SAVED_TRACE|PICTURE")
    _out(parser, OUT)
    parser.add_argument("--plain", action="store_true", help="no request and timings inside the file")
    _talk(parser)
    return parser


def _devices() -> Parser:
    parser = Parser("devices", "What this machine can run, and why not the rest.")
    _talk(parser, quiet=False)
    return parser


def _scenes() -> Parser:
    parser = Parser("scenes", "The scenes, their views and parameters.")
    parser.add_argument(
        "name", metavar="NAME|FILE.py", nargs="?", help="one scene only, with its parameters (a file is run)"
    )
    _talk(parser, quiet=False)
    return parser


PARSERS = {
    "draw": _draw,
    "race": _race,
    "compare": _compare,
    "show": _show,
    "devices": _devices,
    "scenes": _scenes,
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; give its exit code. Errors are one line of cause and one of what to do, on standard error."""
    began = time.perf_counter_ns()
    words = list(sys.argv[1:] if argv is None else argv)
    with harmless_streams():
        return _ended(words, began, debug="--debug" in words)


def _ended(words: list[str], began: int, *, debug: bool) -> int:
    """Run one command and turn whatever goes wrong into an exit code."""
    try:
        code = _run(words, began)
        _flush()
        return code
    except RenderError as error:
        return complain(error, debug=debug)
    except BrokenPipeError:  # whoever read our output has gone
        _drop_output()
        return 1
    except Ended as ended:
        with contextlib.suppress(OSError):  # the terminal may have gone
            print(f"render: ended by {signal.Signals(int(str(ended)) - 128).name}", file=sys.stderr, flush=True)
        raise
    except OSError as error:  # no room left, say, where nobody looked for it
        return complain(RenderError(f"the system refuses: {error}", "--debug shows where"), debug=debug)
    except MemoryError as error:
        remedy = "give a smaller --size, or allow more memory (ulimit -v)"
        return complain(RenderError(f"there is not enough memory: {error or 'Python got none'}", remedy), debug=debug)
    except Exception as error:  # noqa: BLE001  (the last word: a line instead of a traceback)
        fault = RenderError(f"{type(error).__name__}: {error}", "this is a fault of the program; --debug shows where")
        return complain(fault, debug=debug)


def _run(words: list[str], began: int) -> int:
    """Find the command and run it."""
    command = words.pop(0) if words and not words[0].startswith("-") else "draw"
    if command == "help":
        command, words = (words or ["draw"])[0], ["--help"]
    if command not in PARSERS:
        raise UnknownName("command", command, PARSERS)
    options = PARSERS[command]().read(words)
    _end_on_term()
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # numpy starts threads that nobody here asks for anything
    from render.frontend import commands

    return commands.run(command, options, began)


def _flush() -> None:
    """Write out what was said, while it can still be told that this fails. Raises OutputError."""
    try:
        if sys.stdout is not None:  # closed by whoever started us
            sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        _drop_output()
        raise OutputError(f"cannot write to standard output: {error.strerror}", "send it elsewhere") from error


def _drop_output() -> None:
    """What is left unsaid goes nowhere; Python would try again when it ends, and complain."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def complain(error: RenderError, *, debug: bool = False) -> int:
    """Say what went wrong and what to do, a line each; give the exit code. The traceback only where it is wanted."""
    if debug:
        import traceback

        traceback.print_exc()
    cause = " ".join(str(error).split())
    print(f"render: {cause[:LONGEST]}{'...' if len(cause) > LONGEST else ''}", file=sys.stderr)
    if error.remedy:
        print(f"        {error.remedy}", file=sys.stderr)
    return error.exit_code


class Ended(SystemExit):
    """A signal ended the program; the code is 128 and the signal's number, as shells count."""


def _end(caught: int, _frame: object) -> NoReturn:
    raise Ended(128 + caught)


def _end_on_term() -> None:
    """Leave by the front door when told to end: processes and canvases would be left behind otherwise."""
    for name in ("SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is signal.SIG_DFL:
            try:
                signal.signal(number, _end)
            except ValueError:  # not the main thread: somebody else's program, and its signals
                return
