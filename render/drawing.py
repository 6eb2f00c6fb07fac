"""Shared drawing for pictures of a run: panels with a frame in them, outlined and hatched tiles, badges, legends.

Drawn with Pillow at the size they are shown in. A panel is one run: a title, the picture, and room below for a legend.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from io import BytesIO
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from render.pictures import pillow
from render.plan import Tile, cut
from render.swatches import RGB, colour, hatch, ink_on

if TYPE_CHECKING:
    from render.frame import Frame

PAPER, TEXT, QUIET = (255, 255, 255), (31, 35, 40), (89, 99, 110)
MARGIN, GAP, TITLE = 20, 24, 30  # pixels
WIDTHS = {1: 1200, 2: 640, 3: 440}  # of a panel, by how many stand in a row
FINE = 4  # hatches are drawn so many times as large and made smaller, which smooths them
STEP = 9  # pixels between two lines of a hatch
LEGEND_ENTRIES = 12  # at most; a line says how many more there are

Box = tuple[int, int, int, int]


class Panel(NamedTuple):
    """A frame made to fit: `image` at its size on the sheet, `boxes` of the tiles on it (left, top, right, bottom)."""

    frame: Frame
    image: pillow.Image.Image
    boxes: dict[int, Box]


@cache
def load_font(size: int) -> pillow.ImageFont.FreeTypeFont | pillow.ImageFont.ImageFont:
    """Pillow's own letters, so that pictures are the same on machines with other fonts."""
    return pillow.ImageFont.load_default(size)


def panels_in_row(runs: int) -> int:
    """Choose how many panels stand in a row: up to three side by side, four as two by two."""
    return max(runs, 1) if runs <= 3 else 2 if runs == 4 else 3


def fit_panel(frame: Frame, runs: int) -> Panel:
    """Fit the frame into a square as wide as a panel of so many runs; enlarge small ones in whole steps."""
    wide, high = frame.request.width, frame.request.height
    width = WIDTHS[panels_in_row(runs)]
    shrink = min(width / wide, width / high)
    scale = float(int(shrink)) if shrink >= 2 else shrink
    size = max(round(wide * scale), 1), max(round(high * scale), 1)
    picture = pillow.Image.fromarray(np.ascontiguousarray(frame.rgb))
    image = picture.resize(size, pillow.Image.Resampling.NEAREST if scale >= 2 else pillow.Image.Resampling.LANCZOS)
    return Panel(frame, image, {tile.number: _box(tile, scale, size) for tile in cut(frame.request)})


def _box(tile: Tile, scale: float, size: tuple[int, int]) -> Box:
    right, bottom = round((tile.x + tile.width) * scale), round((tile.y + tile.height) * scale)
    return round(tile.x * scale), round(tile.y * scale), min(right, size[0]), min(bottom, size[1])


def join_panels(panels: Sequence[pillow.Image.Image]) -> pillow.Image.Image:
    """Put the panels on one sheet, row by row."""
    across = panels_in_row(len(panels))
    rows = [panels[at : at + across] for at in range(0, len(panels), across)]
    widths = [max(one.width for one in panels[column::across]) for column in range(across)]
    heights = [max(one.height for one in row) for row in rows]
    size = sum(widths) + GAP * (across - 1), sum(heights) + GAP * (len(rows) - 1)
    image = pillow.Image.new("RGB", (size[0] + 2 * MARGIN, size[1] + 2 * MARGIN), PAPER)
    for number, one in enumerate(panels):
        row, column = divmod(number, across)
        place = sum(widths[:column]) + GAP * column, sum(heights[:row]) + GAP * row
        image.paste(one, (MARGIN + place[0], MARGIN + place[1]))
    return image


def frame_panel(
    title: str, quiet: str, image: pillow.Image.Image, legend: pillow.Image.Image | None = None
) -> pillow.Image.Image:
    """Draw one panel: title to the left and a note to the right, the picture, the legend."""
    below = 0 if legend is None else legend.height + 8
    width = max(image.width, 320, 0 if legend is None else legend.width)
    sheet = pillow.Image.new("RGB", (width, TITLE + image.height + below), PAPER)
    draw = pillow.ImageDraw.Draw(sheet)
    draw.text((0, TITLE - 9), title, TEXT, load_font(18), anchor="ls")
    if draw.textlength(title, load_font(18)) + draw.textlength(quiet, load_font(13)) + 16 <= width:
        draw.text((width, TITLE - 9), quiet, QUIET, load_font(13), anchor="rs")
    sheet.paste(image, (0, TITLE))
    if legend is not None:
        sheet.paste(legend, (0, TITLE + image.height + 8))
    return sheet


@cache
def draw_hatching(width: int, height: int, name: str) -> pillow.Image.Image:
    """Draw a mask (mode L) of this size with a hatch on it: 255 where there is a line or a dot."""
    large = pillow.Image.new("L", (width * FINE, height * FINE))
    draw = pillow.ImageDraw.Draw(large)
    step, (wide, high) = STEP * FINE, large.size
    if name == "dotted":
        for y in range(step // 2, high, step):
            for x in range(step // 2 + (y // step % 2) * step // 2, wide, step):
                draw.ellipse((x - 5, y - 5, x + 5, y + 5), 255)
    for x0, y0, x1, y1 in _hatch_strokes(name, wide, high, step):
        draw.line((x0, y0, x1, y1), 255, FINE)
    return large.resize((width, height), pillow.Image.Resampling.BOX)


def _hatch_strokes(name: str, wide: int, high: int, step: int) -> Iterator[Box]:
    slanted = range(-high, wide + high, step * 3 // 2)
    if name in ("rising", "crossed"):
        yield from ((x, high, x + high, 0) for x in slanted)
    if name in ("falling", "crossed"):
        yield from ((x, 0, x + high, high) for x in slanted)
    if name == "level":
        yield from ((0, y, wide, y) for y in range(step // 2, high, step))
    if name == "upright":
        yield from ((x, 0, x, high) for x in range(step // 2, wide, step))


def fade_image(image: pillow.Image.Image) -> pillow.Image.Image:
    """Take most of the colour out of a picture, so that colours laid over it are seen."""
    return pillow.Image.blend(image, image.convert("L").convert("RGB"), 0.7)


def mark_owner(image: pillow.Image.Image, box: Box, number: int) -> None:
    """Mark a box as somebody's: under a veil of their colour, hatched and outlined in it."""
    left, top, right, bottom = box
    width, height = right - left, bottom - top
    if width < 1 or height < 1:
        return
    paint = pillow.Image.new("RGB", (width, height), colour(number))
    veil = pillow.Image.new("L", (width, height), 80)
    if min(width, height) >= STEP:
        lines = draw_hatching(width, height, hatch(number)).point([level * 4 // 5 for level in range(256)])
        veil = pillow.ImageChops.lighter(veil, lines)
    image.paste(paint, (left, top), veil)
    draw_outline(image, box, colour(number), 2 if min(width, height) >= 16 else 1)


def draw_outline(image: pillow.Image.Image, box: Box, paint: RGB, thick: int) -> None:
    """Draw a line along the inner edge of a box."""
    left, top, right, bottom = box
    if right - left >= 2 * thick and bottom - top >= 2 * thick:
        pillow.ImageDraw.Draw(image).rectangle((left, top, right - 1, bottom - 1), outline=paint, width=thick)


def draw_badge(image: pillow.Image.Image, box: Box, number: int, text: str, longest: str = "") -> None:
    """Draw a badge in the middle of a box, if it fits: a number on its colour, and more on white beside it.

    `longest`: the longest text of its kind, so that badges of boxes of one size are of one size.
    """
    left, top, right, bottom = box
    draw = pillow.ImageDraw.Draw(image)

    def widths(size: int, words: Sequence[str]) -> list[int]:
        return [round(draw.textlength(word, load_font(size))) + size // 2 + 3 for word in words if word]

    whole = str(number), max(text, longest, key=len)
    for size, words in ((15, whole), (12, whole), (10, whole), (12, whole[:1]), (9, whole[:1])):
        high = size + 6
        if sum(widths(size, words)) + 4 <= right - left and high + 4 <= bottom - top:
            break
    else:
        return
    shown = [word for word in (str(number), text)[: len(words)] if word]
    wide = widths(size, shown)
    x, y = (left + right - sum(wide)) // 2, (top + bottom - high) // 2
    for word, width, paper in zip(shown, wide, (colour(number), PAPER), strict=False):
        draw.rectangle((x, y, x + width - 1, y + high - 1), fill=paper)
        draw.text((x + width / 2, y + high / 2), word, ink_on(paper), load_font(size), anchor="mm")
        x += width


def draw_legend(entries: Sequence[tuple[int, str]], width: int) -> pillow.Image.Image:
    """Draw swatches with words, in as many rows as it takes; of many the first, and how many more there are."""
    more = len(entries) - LEGEND_ENTRIES
    shown = [*entries[:LEGEND_ENTRIES], *([(-1, f"and {more} more")] if more > 0 else [])]
    probe = pillow.ImageDraw.Draw(pillow.Image.new("RGB", (1, 1)))
    places, x, y = [], 0, 0
    for number, word in shown:
        wide = round(probe.textlength(word, load_font(13))) + (30 if number >= 0 else 0)
        if x and x + wide > width:
            x, y = 0, y + 22
        places.append((x, y, number, word))
        x += wide + 18
    image = pillow.Image.new("RGB", (width, y + 20 if shown else 1), PAPER)
    draw = pillow.ImageDraw.Draw(image)
    for x, y, number, word in places:
        if number >= 0:
            mark_owner(image, (x, y + 1, x + 24, y + 19), number)
        draw.text((x + (30 if number >= 0 else 0), y + 10), word, TEXT, load_font(13), anchor="lm")
    return image


def encode_png(image: pillow.Image.Image) -> bytes:
    """Encode the picture as a PNG file."""
    file = BytesIO()
    image.save(file, "PNG", optimize=False, compress_level=6)
    return file.getvalue()
