"""The cost of each tile: its painting time as a colour, and in figures if there is room.

The colours are one half of the palette `ember`, from dark to light in even steps, so they keep their order for every
eye and in grey. One scale from 0 for all runs of a race.
"""

from __future__ import annotations

import numpy as np

from render import drawing
from render.findings import schedule
from render.frame import Frame, Frames
from render.palettes import palette
from render.pictures import pillow
from render.swatches import RGB, ink_on
from render.wording import format_time

SUFFIXES = (".cost.png",)
ABOUT = "the picture with each tile coloured by its time"
LARGEST_SIDE = None
MOST_TILES = 200_000
KEEPS_PIXELS = False
open_sink = None
TINT = 0.72  # how much of the colour covers the picture
BAR, TICKS = 14, 4  # height of the scale in pixels; how many steps are named on it


def write(frames: Frames, *, plain: bool = False) -> bytes:
    """Draw a panel for each run, as PNG without text chunks."""
    most = max((max(schedule.tile_costs(frame.trace).values(), default=0) for frame in frames), default=0) or 1
    return drawing.encode_png(drawing.join_panels([_draw_panel(frame, len(frames), most) for frame in frames]))


def cost_ramp() -> np.ndarray:
    """Return the colours from cheap to dear: (128, 3) uint8 in sRGB, lightness rising in even steps."""
    light = palette("ember")[:128]
    shown = np.where(light <= 0.0031308, 12.92 * light, 1.055 * np.maximum(light, 1e-9) ** (1 / 2.4) - 0.055)
    levels: np.ndarray = np.rint(255 * np.clip(shown, 0, 1)).astype(np.uint8)
    return levels


def _cost_colour(cost: int, most: int) -> RGB:
    red, green, blue = cost_ramp()[min(cost * 128 // most, 127)].tolist()
    return red, green, blue


def _draw_panel(frame: Frame, runs: int, most: int) -> pillow.Image.Image:
    panel = drawing.fit_panel(frame, runs)
    costs = {tile: cost for tile, cost in schedule.tile_costs(frame.trace).items() if tile in panel.boxes}
    image = panel.image.convert("L").convert("RGB")
    longest = max(costs, key=lambda tile: (costs[tile], -tile), default=None)
    for tile, cost in costs.items():
        _tint_tile(image, panel.boxes[tile], _cost_colour(cost, most), _format_milliseconds(cost))
    if longest is not None:
        drawing.draw_outline(image, panel.boxes[longest], (255, 255, 255), 4)
        drawing.draw_outline(image, panel.boxes[longest], (0, 0, 0), 2)
    return drawing.frame_panel(frame.title, _describe_longest(costs, longest), image, _draw_scale(image.width, most))


def _tint_tile(image: pillow.Image.Image, box: drawing.Box, paint: RGB, text: str) -> None:
    left, top, right, bottom = box
    if right <= left or bottom <= top:
        return
    under = image.crop(box)
    mixed = pillow.Image.blend(under, pillow.Image.new("RGB", under.size, paint), TINT)
    image.paste(mixed, (left, top))
    drawing.draw_outline(image, box, paint, 1)
    draw = pillow.ImageDraw.Draw(image)
    size = 13
    if draw.textlength(text, drawing.load_font(size)) + 6 <= right - left and size + 4 <= bottom - top:
        middle = ((left + right) / 2, (top + bottom) / 2)
        dark = ink_on(paint) == (0, 0, 0)
        halo = (255, 255, 255) if dark else (0, 0, 0)
        draw.text(middle, text, ink_on(paint), drawing.load_font(size), "mm", stroke_width=2, stroke_fill=halo)


def _format_milliseconds(cost: int) -> str:
    """Format with three digits, or as many as there are."""
    return f"{cost / 1e6:.0f}" if cost >= 10**8 else f"{cost / 1e6:.3g}"


def _describe_longest(costs: dict[int, int], longest: int | None) -> str:
    if longest is None:
        return "nothing was painted"
    share = 100 * costs[longest] / (sum(costs.values()) or 1)
    return f"ms; framed: tile {longest}, {format_time(costs[longest] / 1e9)}, {share:.2g} % of all"


def _draw_scale(width: int, most: int) -> pillow.Image.Image:
    """Draw the colours from nothing to the longest tile of all runs, with round shares of it named."""
    image = pillow.Image.new("RGB", (width, BAR + 18), drawing.PAPER)
    bar = pillow.Image.fromarray(cost_ramp()[None]).resize((width, BAR), pillow.Image.Resampling.BILINEAR)
    image.paste(bar, (0, 0))
    draw = pillow.ImageDraw.Draw(image)
    for tick in range(TICKS + 1):
        x = tick * (width - 1) / TICKS
        anchor = "la" if not tick else "ra" if tick == TICKS else "ma"
        label = format_time(tick * most / TICKS / 1e9) if tick else "0"
        draw.text((x, BAR + 3), label, drawing.QUIET, drawing.load_font(12), anchor)
    return image
