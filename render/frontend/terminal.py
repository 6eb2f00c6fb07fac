"""Tiles on the terminal while they are painted: each appears when it is done, tinted and numbered by its worker.

Two pixels of the picture are one letter, an upper half block in two colours; without colours a tile is filled with its
worker's number. Only what changed is written, at most RATE times a second and by a thread of its own, so that watching
takes little from what is watched (some 0.2 ms a tile) and a slow terminal delays nothing. Where there is no terminal
that can show it, a line now and then says how far it is (`render.frontend.progress`); nothing at all if it is to be
quiet.

Workers are numbered in the order in which their first tiles finished.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from queue import SimpleQueue
from threading import Event, Thread
from typing import TYPE_CHECKING, NamedTuple, TextIO

import numpy as np

from render.frontend import progress
from render.frontend.speech import unwrap_stream
from render.painting.course import Moment, Watch
from render.plan import Tile, cut
from render.request import Request
from render.swatches import colour, ink_on
from render.trace import Worker

if TYPE_CHECKING:
    from rich.console import Console

MAX_RATE = 12  # times a second that the screen is written
MAX_COLUMNS, MIN_TERMINAL = 96, (40, 10)  # letters across; and a terminal (columns, lines) with less shows nothing
TINT = 0.35  # how much of a tile's colour is its worker's
DARK = ((38, 42, 48), (48, 53, 60))  # tiles not done, in turn like a chessboard
HIDE, SHOW, BEGIN, END = "\x1b[?25l", "\x1b[?25h", "\x1b[?2026h", "\x1b[?2026l"  # cursor; synchronized update
RESET, CLEAR = "\x1b[0m", "\x1b[J"


class Size(NamedTuple):
    """Letters across and down that the picture takes."""

    columns: int
    rows: int


def fit_picture(width: int, height: int, columns: int, lines: int) -> Size | None:
    """Choose the largest picture that fits a terminal, true to shape (a letter is two high, one wide), or None."""
    if columns < MIN_TERMINAL[0] or lines < MIN_TERMINAL[1]:
        return None
    wide, free = min(columns - 1, MAX_COLUMNS), lines - 3
    rows = max(round(wide * height / width / 2), 1)
    if rows > free:
        wide, rows = max(round(wide * free / rows), 1), free
    return Size(wide, rows)


@contextmanager
def show_tiles(*, quiet: bool, stream: TextIO) -> Iterator[Watch | None]:
    """Yield a callback that shows each finished tile, or reports progress in lines; None if quiet."""
    if quiet:
        yield None
        return
    if not stream.isatty():
        with progress.report_lines(stream) as watch:
            yield watch
        return
    from rich.console import Console

    console = Console(file=unwrap_stream(stream))
    if console.is_dumb_terminal or console.legacy_windows:  # no cursor to move
        with progress.report_lines(stream) as watch:
            yield watch
        return
    moments: SimpleQueue[Moment | None] = SimpleQueue()
    ended = Event()
    thread = Thread(target=_show_moments, args=(Screen(console), moments, ended), daemon=True, name="terminal")
    try:
        thread.start()
    except RuntimeError:  # no more threads are allowed: better no tiles on the terminal than no picture
        yield None
        return
    try:
        yield moments.put
    finally:
        ended.set()
        moments.put(None)
        thread.join()


def _show_moments(screen: Screen, moments: SimpleQueue[Moment | None], ended: Event) -> None:
    """Show what comes, in a thread of its own: a slow terminal must not delay painting."""
    with suppress(OSError):  # whoever looked has gone
        for moment in iter(moments.get, None):
            screen.note_tile(moment)
            if moments.empty():
                screen.refresh()
                ended.wait(1 / MAX_RATE)
        screen.wipe_away()


@dataclass
class Stage:
    """The picture of one run on the screen.

    pixels: (2 rows, columns, 3) uint8, two to a letter; owned: the worker of each, -1 for none yet; marks: letters of
    the workers' numbers by (row, column); changed: columns to be written, by row; tiles: how many each worker did.
    """

    request: Request
    size: Size
    pixels: np.ndarray
    owned: np.ndarray
    marks: dict[tuple[int, int], str] = field(default_factory=dict)
    workers: dict[Worker, int] = field(default_factory=dict)
    tiles: Counter[int] = field(default_factory=Counter)
    changed: dict[int, set[int]] = field(default_factory=dict)


class Screen:
    """A part of the terminal that is drawn in place, and gone when it is left. The cursor rests on the line below."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self.stage: Stage | None = None
        self._latest: Moment | None = None

    def note_tile(self, moment: Moment) -> None:
        """Note a finished tile; another run starts a new picture."""
        if self.stage is None or self.stage.request is not moment.request:
            self.wipe_away()
            self.stage = self._new_stage(moment.request)
        if self.stage is not None:
            place_tile(self.stage, moment)
            self._latest = moment

    def refresh(self) -> None:
        """Write what has changed."""
        if self.stage is not None and self._latest is not None:
            colours = None if self._console.no_color else self._console.color_system
            self._write_text(render_changes(self.stage, self._latest, colours))
            self.stage.changed.clear()

    def wipe_away(self) -> None:
        """Show the last state, then erase the picture; later output takes its place."""
        self.refresh()
        if self.stage is not None:
            self._write_text(f"\x1b[{self.stage.size.rows + 1}A\r{CLEAR}{SHOW}")
            self.stage = None

    def _new_stage(self, request: Request) -> Stage | None:
        """Make an empty stage and room for it on the terminal; None if it does not fit."""
        size = fit_picture(request.width, request.height, *self._console.size)
        if size is None:
            return None
        shape = 2 * size.rows, size.columns
        stage = Stage(request, size, np.empty((*shape, 3), np.uint8), np.full(shape, -1))
        for tile in cut(request):
            stage.pixels[_tile_area(stage, tile)] = DARK[sum(divmod(tile.number, request.rows_and_columns[1])) % 2]
        stage.changed = {row: set(range(size.columns)) for row in range(size.rows)}
        self._write_text(HIDE + "\n" * (size.rows + 1))
        return stage

    def _write_text(self, text: str) -> None:
        self._console.file.write(text)
        self._console.file.flush()


def _tile_area(stage: Stage, tile: Tile) -> tuple[slice, slice]:
    """Return the rows and columns of half letters whose middle lies in a tile."""
    high, wide = stage.owned.shape

    def within(start: int, length: int, halves: int, pixels: int) -> slice:
        first, last = (-(-(2 * edge * halves - pixels) // (2 * pixels)) for edge in (start, start + length))
        return slice(max(first, 0), max(last, 0))

    rows = within(tile.y, tile.height, high, stage.request.height)
    return rows, within(tile.x, tile.width, wide, stage.request.width)


def place_tile(stage: Stage, moment: Moment) -> None:
    """Put a tile on the stage: its tinted pixels, and its worker's number where a letter is all its own."""
    worker = stage.workers.setdefault(moment.worker, len(stage.workers))
    stage.tiles[worker] += 1
    rows, columns = area = _tile_area(stage, moment.done.tile)
    if rows.start == rows.stop or columns.start == columns.stop:  # too small to be seen
        return
    (high, wide), request = stage.owned.shape, stage.request
    down = (np.arange(rows.start, rows.stop) * 2 + 1) * request.height // (2 * high)
    across = (np.arange(columns.start, columns.stop) * 2 + 1) * request.width // (2 * wide)
    high, wide, _ = moment.rgb.shape  # of a large frame a small picture
    down, across = down * high // request.height, across * wide // request.width
    tinted = moment.rgb[down[:, None], across] * (1 - TINT) + np.array(colour(worker)) * TINT
    stage.pixels[area], stage.owned[area] = np.rint(tinted), worker
    for row in range(rows.start // 2, -(-rows.stop // 2)):
        stage.changed.setdefault(row, set()).update(range(columns.start, columns.stop))
    first = -(-rows.start // 2)
    if 2 * first + 2 <= rows.stop:
        places = range(columns.start, columns.stop)
        stage.marks |= {(first, column): letter for column, letter in zip(places, str(worker), strict=False)}


def render_changes(stage: Stage, moment: Moment, colours: str | None) -> str:
    """Render the changes and the status line as text for the terminal."""
    parts = [BEGIN]
    for row, columns in sorted(stage.changed.items()):
        up = stage.size.rows + 1 - row
        parts += [f"\x1b[{up}A", *_render_row(stage, row, sorted(columns), colours), f"{RESET}\x1b[{up}B\r"]
    parts += ["\x1b[1A", _status_line(stage, moment, colours), RESET, "\x1b[K\x1b[1B\r", END]
    return "".join(parts)


def _render_row(stage: Stage, row: int, columns: list[int], colours: str | None) -> Iterator[str]:
    """Render these columns of a row; move the cursor and change the colour only if needed."""
    at, style = -1, ""
    for column in columns:
        wanted, letter = _render_letter(stage, row, column, colours)
        if column != at:
            yield f"\x1b[{column + 1}G"
        if wanted != style:
            yield wanted
        yield letter
        at, style = column + 1, wanted


def _render_letter(stage: Stage, row: int, column: int, colours: str | None) -> tuple[str, str]:
    """Choose a letter and its colours: a worker's number, or two pixels; without colours the worker alone."""
    mark, worker = stage.marks.get((row, column)), int(stage.owned[2 * row, column])
    if colours not in ("truecolor", "256"):
        return "", "." if worker < 0 else str(worker)[-1]
    if mark is not None:
        return colour_codes(ink_on(colour(worker)), colour(worker), colours), mark
    above, below = stage.pixels[2 * row : 2 * row + 2, column].tolist()
    return colour_codes(above, below, colours), "\u2580"


def colour_codes(front: Sequence[int], back: Sequence[int], colours: str) -> str:
    """Return the escape sequence for these colours: exact, or the nearest of the 6 x 6 x 6 all terminals share."""
    if colours == "truecolor":
        return "\x1b[38;2;{};{};{};48;2;{};{};{}m".format(*front, *back)
    codes = [
        16 + sum(round(part / 51) * weight for part, weight in zip(one, (36, 6, 1), strict=True))
        for one in (front, back)
    ]
    return "\x1b[38;5;{};48;5;{}m".format(*codes)


def _status_line(stage: Stage, moment: Moment, colours: str | None) -> str:
    """Format the line below: the run, how far it is, and how many tiles each worker finished."""
    line = f"{moment.name}: {stage.tiles.total()} of {moment.tiles} tiles{progress.describe_left(moment)}"
    left = stage.size.columns - len(line)
    for worker, tiles in sorted(stage.tiles.items()):
        chip, count = f" {worker} ", f" {tiles}"
        left -= len(chip) + len(count) + 2
        if left < 0:
            return line
        if colours in ("truecolor", "256"):
            chip = f"{colour_codes(ink_on(colour(worker)), colour(worker), colours)}{chip}{RESET}"
        line += f"  {chip}{count}"
    return line
