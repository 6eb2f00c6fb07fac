"""The picture of a difference: what is equal stays dark, what differs lights up, and the worst places are marked.

Small pictures are magnified in whole steps, so that one pixel can be seen and counted. Of large ones, one pixel stands
for several, and shows the largest difference among them.
"""

from __future__ import annotations

import numpy as np

from render import drawing
from render.comparison.attribution import Attribution, Place
from render.comparison.compare import draw_difference, white_level
from render.pictures import pillow
from render.pictures.source import AnyPicture

SEEN, LARGEST = 960, 4096  # pixels of the longer side: magnified up to the one, never beyond the other
MOST = 1 << 28  # bytes of the picture, at most
MARKED = 5  # places
GROUND, MARK = 0.3, (255, 212, 0)  # how much of the picture is left where it is equal, and the colour of the marks


def choose_scale(width: int, height: int) -> int:
    """Choose how many pixels wide a pixel becomes."""
    longer = max(width, height)
    return 1 if longer >= SEEN else min(-(-SEEN // longer), LARGEST // longer)


def choose_shrink(width: int, height: int) -> int:
    """Choose how many pixels wide a part of a large picture is that becomes one pixel: a power of two."""
    shrink = 1
    while -(-width // shrink) * -(-height // shrink) * 3 > MOST:
        shrink *= 2
    return shrink


def mark_places(a: AnyPicture, b: AnyPicture, attribution: Attribution) -> np.ndarray:
    """Draw the difference of two pictures of one size, (height k, width k, 3) uint8 for a magnification of k.

    Where they are equal: the first picture, grey and dark. Where they differ: the differences, small ones lifted
    (`render.comparison.compare.difference`). The worst places are framed and named by tile and worker.
    """
    scale, shrink = choose_scale(*a.size), choose_shrink(*a.size)
    plain = draw_difference(a, b, shrink)
    for y, rgb in ((band.y // shrink, band.rgb[::shrink, ::shrink]) for band in a.read_bands()):
        rows = plain[y : y + len(rgb)]
        grey = rgb @ np.array([0.299, 0.587, 0.114]) * (GROUND * 255 / white_level(a.depth))
        np.copyto(rows, grey[..., None].astype(np.uint8), where=~rows.any(axis=2, keepdims=True))
    height, width, _ = plain.shape
    image = pillow.Image.fromarray(plain).resize((width * scale, height * scale), pillow.Image.Resampling.NEAREST)
    taken: list[drawing.Box] = []
    frames = [(place, _draw_frame(image, place, scale, shrink)) for place in attribution.places[:MARKED]]
    for place, framed in frames:
        label = _draw_label(image, framed, _name_place(attribution, place), taken)
        taken += [label] if label else []
    return np.asarray(image)


def _name_place(attribution: Attribution, place: Place) -> str:
    if not attribution.tiled:
        return f"{place.differing_pixels} px"
    return f"tile {place.tile}" + ("" if place.b is None else f", worker {place.b}")


def _draw_frame(image: pillow.Image.Image, place: Place, scale: int, shrink: int) -> drawing.Box:
    """Draw a frame round the part that differs."""
    (left, right), (top, bottom) = ((first // shrink, last // shrink) for first, last in (place.columns, place.rows))
    left, top = left * scale - 3, top * scale - 3
    right, bottom = (right + 1) * scale + 2, (bottom + 1) * scale + 2
    pillow.ImageDraw.Draw(image).rectangle((left, top, right, bottom), outline=MARK, width=2)
    return left, top, right, bottom


def _draw_label(
    image: pillow.Image.Image, framed: drawing.Box, text: str, taken: list[drawing.Box]
) -> drawing.Box | None:
    """Write the name of a frame beside it, if it fits; labels drawn before mark worse places, and stay."""
    left, top, right, bottom = framed
    draw = pillow.ImageDraw.Draw(image)
    wide = round(draw.textlength(text, drawing.load_font(13))) + 8
    for x, y in ((left, top - 18), (left, bottom + 1), (right + 1, top), (left - wide - 1, top), (left, top)):
        x = max(min(x, image.width - wide - 1), 0)  # noqa: PLW2901  (moved into the picture)
        if 0 <= y <= image.height - 19 and not any(_do_overlap((x, y, x + wide, y + 18), other) for other in taken):
            draw.rectangle((x, y, x + wide, y + 18), fill=MARK)
            draw.text((x + 4, y + 9), text, (0, 0, 0), drawing.load_font(13), anchor="lm")
            return x, y, x + wide, y + 18
    return None


def _do_overlap(one: drawing.Box, other: drawing.Box) -> bool:
    return one[0] <= other[2] and other[0] <= one[2] and one[1] <= other[3] and other[1] <= one[3]
