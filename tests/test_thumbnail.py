"""A saved picture on a terminal: its shape and its colours, band by band, and only where they can be shown."""

from __future__ import annotations

import io
import re

import numpy as np
import pytest

from render.frontend.thumbnail import Thumbnail, fit_terminal
from render.pictures.picture import Picture

ROWS, COLUMNS = 600, 400
RGB = np.zeros((ROWS, COLUMNS, 3), np.uint8)
RGB[: ROWS // 2] = 200, 0, 0
RGB[:, : COLUMNS // 4] = 0, 0, 90


def draw(picture: Picture, columns: int, rows: int, colours: str = "truecolor") -> list[str]:
    small = Thumbnail(picture.size, columns, rows, colours)
    for band in picture.read_bands():
        small.add_band(band)
    return small.draw_lines()


@pytest.mark.parametrize(
    "rgb", [RGB, RGB.astype(np.uint16) << 8, RGB[::100, ::100]], ids=["8 bits", "16", "few pixels"]
)
def test_two_pixels_are_one_letter_in_two_colours(rgb: np.ndarray) -> None:
    lines = draw(Picture(rgb), 4, 3)
    assert [line.count("\u2580") for line in lines] == [4, 4, 4]
    colours = [re.findall(r"\x1b\[38;2;([\d;]+);48;2;([\d;]+)m", line) for line in lines]
    blue, red, black = "0;0;90", "200;0;0", "0;0;0"
    assert colours == [
        [(blue, blue), *[(red, red)] * 3],
        [(blue, blue), *[(red, black)] * 3],
        [(blue, blue), *[(black, black)] * 3],
    ]


def test_a_letter_has_the_mean_of_what_it_stands_for() -> None:
    stripes = np.zeros((64, 64, 3), np.uint8)
    stripes[np.arange(64) // 8 % 2 == 0] = 100
    assert draw(Picture(stripes), 1, 1) == ["\x1b[38;2;50;50;50;48;2;50;50;50m\u2580\x1b[0m"]


@pytest.mark.parametrize(
    ("environment", "shown"),
    [
        ({"TERM": "xterm-256color", "COLORTERM": "truecolor"}, True),
        ({"TERM": "xterm-256color", "NO_COLOR": "1"}, False),
        ({"TERM": "dumb"}, False),
        ({"TERM": "xterm-256color", "COLUMNS": "30"}, False),
    ],
)
def test_it_is_shown_where_it_can_be_seen(
    environment: dict[str, str], shown: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("NO_COLOR", "FORCE_COLOR", "COLORTERM", "TERM"):
        monkeypatch.delenv(name, raising=False)
    for name, value in ({"COLUMNS": "100", "LINES": "40"} | environment).items():
        monkeypatch.setenv(name, value)
    stream = io.StringIO()
    assert fit_terminal((600, 400), stream) is None
    stream.isatty = lambda: True  # type: ignore[method-assign]
    assert (fit_terminal((600, 400), stream) is not None) == shown
