"""Who is who in a picture: each number has a colour and a hatch, so that colour alone never distinguishes them.

Seven colours that colour-blind people tell apart (M. Okabe, K. Ito, Color universal design, 2008, without black, the
yellow darkened) and six hatches, taken in turn: 42 looks before one comes again.
"""

from __future__ import annotations

COLOURS = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#b8a900")
HATCHES = ("rising", "falling", "level", "upright", "crossed", "dotted")

RGB = tuple[int, int, int]


def colour(number: int) -> RGB:
    """Return the colour of a number, 8-bit sRGB."""
    code = COLOURS[number % len(COLOURS)]
    return int(code[1:3], 16), int(code[3:5], 16), int(code[5:7], 16)


def hatch(number: int) -> str:
    """Return the hatch of a number, one of HATCHES; neighbours differ in it as they do in colour."""
    return HATCHES[number % len(HATCHES)]


def ink_on(paper: RGB) -> RGB:
    """Choose black or white, whichever reads better on this colour (by the relative luminance of WCAG 2)."""
    return (0, 0, 0) if luminance(paper) > 0.179 else (255, 255, 255)


def luminance(colour: RGB) -> float:
    """Relative luminance as WCAG 2.2 defines it, 0 (black) to 1 (white)."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (part / 255 for part in colour)]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
