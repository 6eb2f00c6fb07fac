"""The live picture: on a real pseudo terminal it shows each tile and leaves nothing behind; elsewhere it is silent."""

from __future__ import annotations

import contextlib
import io
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from render.frontend import terminal
from render.painting.course import Moment
from render.painting.painter import Done
from render.pictures.tiff import encode_tiff
from render.plan import cut
from render.request import Request
from render.swatches import colour
from render.trace import Worker
from tests.conftest import HANGING

SMALL = ["--size", "96x64", "--samples", "1", "--limit", "20", "--tile", "16", "--target", "python"]
ESCAPES = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]")


class Page:
    """What a terminal shows of the little that we write: letters, and the cursor up, down, to a column, to the left."""

    def __init__(self, text: str) -> None:
        self.cells: dict[tuple[int, int], str] = {}
        self.row = self.column = 0
        self.hidden = False
        for escape, letter in re.findall(r"(\x1b\[[0-9;?]*[a-zA-Z])|([^\x1b])", text, re.DOTALL):
            self._escape(escape) if escape else self._letter(letter)

    def _escape(self, escape: str) -> None:
        number = int(escape[2:-1]) if escape[2:-1].isdigit() else 0
        match escape[-1]:
            case "A":
                self.row -= number
            case "B":
                self.row += number
            case "G":
                self.column = number - 1
            case "J":
                self.cells = {at: letter for at, letter in self.cells.items() if at < (self.row, self.column)}
            case "K":
                self.cells = {(r, c): x for (r, c), x in self.cells.items() if r != self.row or c < self.column}
            case "h" | "l" if "25" in escape:
                self.hidden = escape[-1] == "l"

    def _letter(self, letter: str) -> None:
        if letter == "\n":
            self.row += 1
        elif letter == "\r":
            self.column = 0
        else:
            self.cells[self.row, self.column] = letter
            self.column += 1

    @property
    def lines(self) -> list[str]:
        """The rows, without what is empty to the right."""
        rows, columns = (max((at[axis] for at in self.cells), default=-1) + 1 for axis in (0, 1))
        return [
            "".join(self.cells.get((row, column), " ") for column in range(columns)).rstrip() for row in range(rows)
        ]


RGB = np.full((32, 48, 3), 255, np.uint8)
Colours = Literal["truecolor", "256"] | None
Asks = Callable[..., Request]


def shown(request: Request, *workers: int, colours: Colours = "truecolor") -> tuple[str, terminal.Screen, io.StringIO]:
    """What is written when these workers did the first tiles, of a picture that is all white."""
    file = io.StringIO()
    console = Console(
        file=file, force_terminal=True, color_system=colours, width=49, height=40, no_color=colours is None
    )
    screen, rgb = terminal.Screen(console), np.full((request.height, request.width, 3), 255, np.uint8)
    tiles = cut(request)
    for tile, worker in zip(tiles, workers, strict=False):
        screen.note_tile(Moment(request, "parallel", Done(tile, 1), len(tiles), Worker(1, worker), rgb))
        screen.refresh()
    return file.getvalue(), screen, file


def test_without_colours_each_tile_is_filled_with_its_workers_number(ask: Callable[..., Request]) -> None:
    lines = Page(shown(ask(), 7, 8, 7, 8, colours=None)[0]).lines
    assert lines == [
        *["0" * 16 + "1" * 16 + "0" * 16] * 8,
        *["1" * 16 + "." * 32] * 8,
        "parallel: 4 of 6 tiles   0  2   1  2",
    ]


@pytest.mark.parametrize("colours", ["truecolor", "256"])
def test_with_colours_a_tile_is_its_pixels_under_its_workers_number(
    ask: Callable[..., Request], colours: Colours
) -> None:
    lines = Page(shown(ask(), 7, 8, colours=colours)[0]).lines
    assert lines[0] == "0" + "\u2580" * 15 + "1" + "\u2580" * 31
    assert set(lines[1]) == {"\u2580"}
    assert lines[-1] == "parallel: 2 of 6 tiles   0  1   1  1"


def test_pixels_are_tinted_with_the_workers_colour(ask: Callable[..., Request]) -> None:
    tinted = [round(255 * (1 - terminal.TINT) + part * terminal.TINT) for part in colour(0)]
    assert "\x1b[38;2;{0};{1};{2};48;2;{0};{1};{2}m".format(*tinted) in shown(ask(), 7)[0]


def test_only_what_changed_is_written_again(ask: Callable[..., Request]) -> None:
    first, second = (len(shown(ask(), *workers)[0]) for workers in ((7,), (7, 8)))
    assert second - first < first / 2


def test_it_leaves_nothing_behind(ask: Callable[..., Request]) -> None:
    _, screen, file = shown(ask(), 7, 8, 7)
    screen.wipe_away()
    page = Page(file.getvalue())
    assert (page.cells, page.row, page.column, page.hidden) == ({}, 0, 0, False)


def test_another_run_begins_in_the_same_place(ask: Callable[..., Request]) -> None:
    _, screen, file = shown(ask(), 7, 8, 7)
    other = ask(mode="concurrent")
    rgb = np.zeros((32, 48, 3), np.uint8)
    screen.note_tile(Moment(other, "concurrent", Done(cut(other)[5], 1), 6, Worker(1, 9), rgb))
    screen.refresh()
    page = Page(file.getvalue())
    assert page.lines[-1] == "concurrent: 1 of 6 tiles   0  1"
    assert len(page.lines) == 17


@given(st.integers(1, 4000), st.integers(1, 4000), st.integers(1, 300), st.integers(1, 100))
def test_the_picture_fits_the_terminal(width: int, height: int, columns: int, lines: int) -> None:
    size = terminal.fit_picture(width, height, columns, lines)
    assert (size is None) == (columns < 40 or lines < 10)
    if size is not None:
        assert 1 <= size.columns < columns
        assert 1 <= size.rows <= lines - 3


@given(st.integers(1, 90), st.integers(1, 70), st.integers(1, 33), st.integers(1, 33))
def test_every_half_letter_belongs_to_one_tile(
    ask: Callable[..., Request], w: int, h: int, wide: int, high: int
) -> None:
    request = ask(width=w, height=h, tile=(wide, high))
    _, screen, _ = shown(request, *range(len(cut(request))))
    assert screen.stage is not None
    assert (screen.stage.owned >= 0).all()


@pytest.mark.parametrize("tty", [True, False])
def test_nothing_is_shown_if_it_is_to_be_quiet(tty: bool) -> None:
    stream = io.StringIO()
    stream.isatty = lambda: tty  # type: ignore[method-assign]
    with terminal.show_tiles(quiet=True, stream=stream) as watch:
        assert watch is None
    assert stream.getvalue() == ""


def test_how_long_it_may_take_stands_behind_the_tiles(ask: Callable[..., Request]) -> None:
    _, screen, file = shown(ask(), 7, 8)
    assert screen.stage is not None
    moment = Moment(screen.stage.request, "parallel", Done(cut(ask())[2], 1), 6, Worker(1, 7), RGB, 0.25, 30.0)
    screen.note_tile(moment)
    screen.refresh()
    assert "parallel: 3 of 6 tiles, about 90 s left" not in file.getvalue()
    assert "parallel: 3 of 6 tiles, about 2 min left" in ESCAPES.sub("", file.getvalue())


# --- on a real pseudo terminal -------------------------------------------------------------------------------


def told(words: list[str], folder: Path, **environment: str) -> str:
    """All that the program writes to a terminal of 100 columns and 40 lines."""
    pty = pytest.importorskip("pty", reason="this system has no pseudo terminals")
    import fcntl
    import struct
    import termios

    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 100, 0, 0))
    plain = {
        name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "FORCE_COLOR", "COLUMNS", "LINES")
    }
    command = [sys.executable, "-m", "render", *words]
    with subprocess.Popen(
        command, stdin=theirs, stdout=theirs, stderr=theirs, cwd=folder, env=plain | environment
    ) as run:
        os.close(theirs)
        parts = []
        with contextlib.suppress(OSError):  # how Linux says that the other end is closed
            while part := os.read(ours, 1 << 16):
                parts.append(part)
        os.close(ours)
        assert run.wait(HANGING) == 0
    return b"".join(parts).decode()


@pytest.fixture(autouse=True)
def _importable(monkeypatch: pytest.MonkeyPatch) -> None:
    root = str(Path(__file__).parent.parent)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([root, os.environ.get("PYTHONPATH", "")]))


def test_tiles_are_seen_and_then_the_report_with_its_lanes(tmp_path: Path) -> None:
    text = told(["--mode", "sequential", *SMALL], tmp_path, TERM="xterm-256color", COLORTERM="truecolor")
    assert "\x1b[38;2;" in text
    assert "sequential: 24 of 24 tiles" in ESCAPES.sub("", text)
    lines = Page(text.replace("\r\n", "\n\r")).lines
    assert lines[0].startswith("mandelbrot, view")
    assert any(re.match(r"  worker 0   [A-Za-z-]", line) for line in lines)  # "-": it had no CPU yet
    assert not any("\u2580" in line for line in lines)
    assert text.rstrip().endswith("111")


@pytest.mark.slow
def test_a_race_shows_every_run(tmp_path: Path) -> None:
    text = ESCAPES.sub("", told(["race", "--modes", "sequential,concurrent", *SMALL], tmp_path, TERM="xterm"))
    assert "sequential: 24 of 24 tiles" in text
    assert "concurrent: 24 of 24 tiles" in text


@pytest.mark.parametrize("environment", [{"TERM": "dumb"}, {"TERM": "xterm", "NO_COLOR": "1"}])
def test_a_poor_terminal_is_not_sent_what_it_cannot_show(tmp_path: Path, environment: dict[str, str]) -> None:
    text = told(["--mode", "sequential", *SMALL], tmp_path, **environment)
    assert "\u2580" not in text
    assert ("\x1b" in text) == ("NO_COLOR" in environment)
    assert "38;" not in text


def test_a_saved_picture_is_shown_in_small(tmp_path: Path) -> None:
    (tmp_path / "a.tif").write_bytes(encode_tiff(np.zeros((64, 96, 3), np.uint8), {}))
    text = told(["show", "a.tif"], tmp_path, TERM="xterm-256color", COLORTERM="truecolor")
    lines = Page(text.replace("\r\n", "\n\r")).lines
    assert lines[0] == "\u2580" * len(lines[0])
    assert any(line.startswith("a.tif: 96 x 64 pixels") for line in lines)
    assert "\x1b[38;2;" in text


def test_quiet_is_quiet_on_a_terminal_too(tmp_path: Path) -> None:
    assert told(["--mode", "sequential", *SMALL, "--quiet"], tmp_path, TERM="xterm-256color") == ""
