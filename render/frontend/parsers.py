"""Parsers: the arguments of each command, and its help. Nothing heavy is imported here."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any, NoReturn

from render import __version__
from render.errors import UsageError

ABOUT = """\
Draw one picture in four ways - one worker in sequence, one worker juggling, many workers at once, a GPU -
and see who worked on what and when. The picture is the same to the last bit.
"""

EXAMPLES = """\
commands:
  draw      draw a picture (this is what happens when no command is named)
  race      draw the same picture in every mode, and report what each did
  compare   check whether two saved pictures are equal; say where and how much they differ
  show      report a saved trace again, on any machine, or describe a saved picture
  film      film a zoom, or a path of keyframes: painted, encoded and written at the same time
  devices   what this machine can run, and why not the rest
  scenes    the scenes, their views and parameters
  serve     a web server: tiles, an explorer, and how it switches between its users
  help      a command's options: help race is race --help

examples:
  python -m render                                              the default picture: mandelbrot-parallel.png
  python -m render race                                         the lesson: all modes, with and without waiting
  python -m render race --page theatre.html                     who worked when, replayed on a page
  python -m render race --story player                          a film whose next part loads while this one plays
  python -m render race --workers 1,2,4                         how much faster more workers make it
  python -m render race --lesson gil                            when Python's threads run in parallel, and when not
  python -m render --mode sequential --out s.png                one worker, one tile after the other
  python -m render --scene mandelbrot --view seahorses --set zoom=400 --size 1920x1080
  python -m render --mode parallel --backend loky --workers 2   two processes
  python -m render --backend dask --cluster tcp://host:8786     the workers of a cluster of machines
  python -m render --mode cuda                                  a GPU
  python -m render --mode cuda --simulate --size 96x64          the same code, simulated
  python -m render compare s.png mandelbrot-parallel.png
  python -m render --like s.png --at 310,95 --closer 10         what lies under a pixel of a picture
  python -m render film                                         a zoom of ten seconds: mandelbrot-seahorses.mp4
  python -m render --size 65536x65536 --out wall.tif            larger than memory: painted slab by slab
  python -m render --quiet --out - | display -                  a picture for another program
  python -m render serve --slow-data 200ms                      a server with a slow database, and what switching is for

python -m render COMMAND --help lists a command's options.
exit codes: 0 done or equal, 1 failed or different, 2 wrong use or unreadable input, 3 the mode cannot run here,
            4 a tile failed, 130 interrupted; 129 and 143 ended by SIGHUP and SIGTERM
"""


class Parser(argparse.ArgumentParser):
    """An argparse parser that raises our errors: two lines, not a page of usage."""

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

    def parse_words(self, words: Sequence[str]) -> argparse.Namespace:
        """Parse these words. Raises UsageError; for an unknown option it says what was probably meant."""
        options, rest = self.parse_known_args(words)
        if not rest:
            return options
        if not rest[0].startswith("-"):
            raise UsageError(f"unexpected argument {rest[0]!r}", f"see {self.prog} --help")
        from render.frontend.hints import unknown_option
        from render.options import DEFAULTS

        known = [option for action in self._actions for option in action.option_strings if option.startswith("--")]
        raise unknown_option(self.command or "draw", rest, known, getattr(options, "scene", None) or DEFAULTS["scene"])

    def error(self, message: str) -> NoReturn:
        """Raise UsageError."""
        raise UsageError(message, f"see {self.prog} --help")


def _add_picture_options(parser: Parser) -> None:
    """Add the options for what to draw and how to cut it."""
    race = parser.command == "race"  # without options it draws `render.frontend.races.RACE_DEFAULTS`
    view = "seahorses, or its first if a scene, view or parameter is named" if race else "its first"
    samples = "9, or 4 if a scene, view or parameter is named" if race else "4"
    tile = "the smallest that a mode would choose, for all modes" if race else "chosen from the frame and the workers"
    group = parser.add_argument_group("what to draw")
    group.add_argument(
        "--scene",
        metavar="NAME|FILE.py",
        help="a scene's name, or a file of your own: a program, which runs with your rights (mandelbrot)",
    )
    group.add_argument("--view", metavar="NAME", help=f"one of the scene's views ({view})")
    group.add_argument("--set", metavar="KEY=VALUE", action="append", default=[], help="a parameter of the scene")
    group.add_argument("--size", metavar="WxH", help="size in pixels, also far larger than memory (1280x720)")
    group.add_argument("--samples", metavar="N", help=f"samples for each pixel ({samples})")
    group.add_argument("--limit", metavar="N", help="the most steps that a sample may take (the scene's)")
    group.add_argument("--precision", metavar="auto|f32|f64", help="numbers to compute with (the scene's)")
    group.add_argument("--like", metavar="PICTURE", help="draw what this picture shows; other options override its own")
    group.add_argument("--at", metavar="PX,PY", help="with --like: this pixel of the picture becomes the centre")
    group.add_argument("--closer", metavar="N", help="with --like: N times as large")
    group = parser.add_argument_group("how to cut it")
    group.add_argument("--tile", metavar="N|WxH", help=f"size of a tile in pixels ({tile})")
    group.add_argument(
        "--order",
        metavar="ORDER",
        help="order of the tiles: rows, spiral, hilbert or costly (rows); in a frame painted in slabs, within each",
    )


def _add_worker_options(parser: Parser) -> None:
    """Add the options for who draws it."""
    group = parser.add_argument_group("who draws it")
    race = parser.command == "race"
    if race:
        group.add_argument("--modes", metavar="A,B,...", help="only these modes (all that this machine can run)")
        group.add_argument("--lesson", metavar="NAME", help="runs chosen to answer one question: gil, wait or bug")
        group.add_argument("--story", metavar="NAME", help=STORY)
        group.add_argument("--repeat", metavar="N", help=REPEAT)
    else:
        group.add_argument("--mode", metavar="MODE", help="sequential, concurrent, parallel or cuda (parallel)")
    group.add_argument("--target", metavar="TARGET", help=TARGET[race])
    group.add_argument("--workers", metavar="N[,N...]" if race else "N", help=WORKERS + MANY_WORKERS * race)
    group.add_argument(
        "--backend", metavar="NAME", help="workers of mode parallel: threading, loky or dask (threading)"
    )
    group.add_argument("--cluster", metavar="ADDRESS", help=CLUSTER)
    group.add_argument("--in-flight", metavar="N", help=IN_FLIGHT[race])
    group.add_argument("--tile-timeout", metavar="S", help=TILE_TIMEOUT)
    group.add_argument("--wait", metavar="MS", help=WAIT[race])
    group.add_argument("--simulate", action="store_true", help="mode cuda without a GPU, in numba's simulator")


TARGET = (
    "code: python, scalar or simd; cuda for mode cuda (simd)",
    "code of the CPU modes: python, scalar or simd (simd)",
)
WORKERS = "workers of mode parallel; -1: one for each allowed CPU, -2: one fewer, and so on (-1, but at least 2)"
MANY_WORKERS = "; several numbers, such as 1,2,4: also a speed-up curve"
CLUSTER = """with --backend dask: the scheduler, tcp://HOST:PORT, tls://HOST:PORT or its file; --workers is then the
most that are used (a cluster of processes on this machine)"""
TILE_TIMEOUT = "workers of mode parallel: seconds without a sign of life (20, or more if the tiles before took long)"
FILM = """\
Film a zoom into a view, or along a path of keyframes. Frames are painted, encoded and written at the same time; the
file can be played even if the program is interrupted.
"""
FILM_FILES = """the film, .mp4 (needs PyAV: pip install 'render[film]') or .webp (SCENE-VIEW.mp4); a TOML file with
keyframes"""
REPEAT = """run all modes N times in turn, and show each one's median run (3, or more if they fit in 4 s; a story once,
or 3 times if they fit in 6 s)"""
IN_FLIGHT = (
    "tiles that a worker juggles: in mode concurrent (4), and each worker of mode parallel (1)",
    "tiles that are juggled: in mode concurrent (4), and by each worker of a story that juggles (server 4, player 2)",
)
WAIT = (
    "every tile first waits this long for its data, such as 50ms (0)",
    "every tile first waits this long for its data, such as 50ms (0; a story divides 1.3 s, or 0.7 s, among the tiles)",
)
STORY = """all modes once more, with each tile waiting for its data: server (four users and a slow database), player
(the next part loads while this one plays) or none (server; none where --modes or --wait is given)"""
OUT = """.png .tif .webp .jpg .npz picture, - PNG to standard output, .svg timeline, .txt table, .html page,
.ownership.png and .cost.png by tile, .replay.webp moving, .perfetto.json or .chrome.json for other viewers"""


NO_RECORDED = "do not add a recorded run of a GPU to the page where no GPU painted"


def _add_output_options(parser: Parser, *more: str) -> None:
    """Add the options for what is saved: --out, and these of OUTPUTS."""
    parser.add_argument("-o", "--out", metavar="FILE", action="append", default=[], help=OUT)
    for option in more:
        parser.add_argument(option, **OUTPUTS[option])


OUTPUTS: dict[str, dict[str, Any]] = {
    "--page": {"metavar": "FILE", "help": "the theatre: who worked when, replayed on one page (.html)"},
    "--plain": {"action": "store_true", "help": "leave the request and the timings out of the file"},
    "--no-recorded": {"dest": "recorded", "action": "store_false", "help": NO_RECORDED},
    "--figures": {"action": "store_true", "help": "report all figures of a race, in more tables and lanes"},
    "--trace": {"metavar": "FILE", "help": "save the trace, those of a race in one file, for show"},
}


def _add_message_options(parser: Parser, *, quiet: bool = True) -> None:
    """Add the options for what is printed."""
    group = parser.add_argument_group("messages")
    group.add_argument("--json", action="store_true", help="print one JSON document on standard output")
    if quiet:
        group.add_argument("-q", "--quiet", action="store_true", help="print no progress and no report")
    group.add_argument("--debug", action="store_true", help="print a traceback if something fails")


def _draw_parser() -> Parser:
    parser = Parser("", ABOUT, epilog=EXAMPLES, usage="python -m render [COMMAND] [OPTIONS]")
    _add_picture_options(parser)
    parser.add_argument("--only-tile", metavar="N", help="paint only this tile")
    _add_worker_options(parser)
    _add_output_options(parser, "--page", "--plain", "--trace")
    kept = parser.add_mutually_exclusive_group()
    kept.add_argument("--resume", action="store_true", help="finish a picture that was interrupted")
    kept.add_argument("--fresh", action="store_true", help="discard what an interrupted run has kept")
    _add_message_options(parser)
    return parser


def _race_parser() -> Parser:
    parser = Parser("race", "Draw the same picture in every mode that this machine can run, and report what each did.")
    _add_picture_options(parser)
    _add_worker_options(parser)
    _add_output_options(parser, "--page", "--no-recorded", "--trace", "--figures")
    _add_message_options(parser)
    return parser


def _compare_parser() -> Parser:
    parser = Parser(
        "compare", "Compare two pictures. Exit 0 if they are equal (or differ within the limits given), 1 if not."
    )
    parser.add_argument(
        "a", metavar="A", help="a picture: PNG, .tif, .npz, or whatever Pillow reads; - is standard input"
    )
    parser.add_argument("b", metavar="B", help="the picture that is compared with it")
    parser.add_argument(
        "--max-error",
        metavar="N",
        help="equal enough if no channel differs by more (steps: of 255, or of 65535)",
    )
    parser.add_argument("--max-differing", metavar="PERCENT", help="equal enough if no more pixels than this differ")
    parser.add_argument("--diff", metavar="FILE", help="write a picture of the magnified differences")
    parser.add_argument("--any-request", action="store_true", help="compare pictures of different requests too")
    _add_message_options(parser)
    return parser


def _show_parser() -> Parser:
    parser = Parser("show", "Report a saved trace again and make outputs from it, or describe a saved picture.")
    parser.add_argument("file", metavar="SAVED_TRACE|PICTURE")
    _add_output_options(parser, "--page", "--no-recorded", "--plain", "--figures")
    _add_message_options(parser)
    return parser


def _film_parser() -> Parser:
    parser = Parser("film", FILM)
    parser.add_argument("files", metavar="OUT|PATH.toml", nargs="*", help=FILM_FILES)
    parser.add_argument("--seconds", metavar="N", help="how long it plays (10, or as long as the path)")
    parser.add_argument("--fps", metavar="N", help="frames a second (30, or as the path says)")
    parser.add_argument("--no-overlap", action="store_true", help="paint, encode and write one after the other")
    _add_picture_options(parser)
    _add_worker_options(parser)
    for option in ("--page", "--trace"):
        parser.add_argument(option, **OUTPUTS[option])
    _add_message_options(parser)
    return parser


def _devices_parser() -> Parser:
    parser = Parser("devices", "What this machine can run, and why not the rest.")
    _add_message_options(parser, quiet=False)
    return parser


def _scenes_parser() -> Parser:
    parser = Parser("scenes", "The scenes, their views and parameters.")
    parser.add_argument(
        "name", metavar="NAME|FILE.py", nargs="?", help="one scene only, with its parameters (a file is run)"
    )
    _add_message_options(parser, quiet=False)
    return parser


def _serve_parser() -> Parser:
    parser = Parser(
        "serve",
        "Serve pictures to browsers: an explorer of all scenes, and below it, live, how the server serves its users.",
    )
    parser.add_argument("--port", metavar="N", default=8000, help="port to listen on; 0: any that is free (8000)")
    parser.add_argument(
        "--host", metavar="H", default="127.0.0.1", help="address to listen on; 0.0.0.0: for others too (127.0.0.1)"
    )
    parser.add_argument("--workers", metavar="N", help=SERVE_WORKERS)
    parser.add_argument("--processes", action="store_true", help="workers are processes (threads)")
    parser.add_argument(
        "--slow-data", metavar="MS", default=0, help="how long every request first waits for its data (0)"
    )
    parser.add_argument(
        "--no-switching", action="store_true", help="a worker does one request from start to end, waiting included"
    )
    parser.add_argument("--scene", metavar="FILE.py", action="append", default=[], help=SERVE_SCENE)
    parser.add_argument("--allow-origin", metavar="ORIGIN", help="pages of this origin may read the answers (none)")
    _add_message_options(parser)
    return parser


SERVE_WORKERS = "workers; -1: one for each allowed CPU (one for each, but at least 2; with --no-switching 1)"
SERVE_SCENE = "serve this scene too: a program, which runs with your rights, for everybody who asks"

PARSERS = {
    "draw": _draw_parser,
    "race": _race_parser,
    "compare": _compare_parser,
    "show": _show_parser,
    "film": _film_parser,
    "devices": _devices_parser,
    "scenes": _scenes_parser,
    "serve": _serve_parser,
}
