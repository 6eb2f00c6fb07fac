"""A saved picture in letters, for a terminal: two pixels are one letter, an upper half block in two colours."""

from __future__ import annotations

from typing import TextIO

import numpy as np

from render.frontend.speech import unwrap_stream
from render.frontend.terminal import RESET, colour_codes, fit_picture
from render.pictures.bands import Band

LOOKS = 4  # places along an edge of what one pixel of the thumbnail stands for, whose mean it is
BELOW = 8  # lines that are left for what is said of the picture


class Thumbnail:
    """A small copy of a picture of so many pixels, made of its bands as they come.

    colours: of the terminal, "truecolor" or "256".
    """

    def __init__(self, size: tuple[int, int], columns: int, rows: int, colours: str) -> None:
        self._shape, self._colours = (2 * rows, LOOKS, columns, LOOKS, 3), colours
        self._x, self._y = (
            (2 * np.arange(LOOKS * parts) + 1) * length // (2 * LOOKS * parts)
            for length, parts in zip(size, (columns, 2 * rows), strict=True)
        )
        self._seen = np.zeros((len(self._y), len(self._x), 3), np.uint8)

    def add_band(self, band: Band) -> None:
        """Look at the places that lie in a band."""
        here = (self._y >= band.y) & (self._y < band.y + len(band.rgb))
        seen = band.rgb[self._y[here, None] - band.y, self._x]
        self._seen[here] = seen if seen.dtype == np.uint8 else seen >> 8

    def write(self, stream: TextIO) -> None:
        """Write it to the terminal."""
        print("\n".join(self.draw_lines()), file=unwrap_stream(stream))

    def draw_lines(self) -> list[str]:
        """Draw it, in lines for the terminal."""
        rows = self._seen.reshape(self._shape).mean(axis=(1, 3)).round().astype(np.uint8).tolist()
        return [
            "".join(f"{colour_codes(*both, self._colours)}\u2580" for both in zip(above, below, strict=True)) + RESET
            for above, below in zip(rows[0::2], rows[1::2], strict=True)
        ]


def fit_terminal(size: tuple[int, int], stream: TextIO) -> Thumbnail | None:
    """Start a thumbnail of a picture that fits a terminal; None where that has no colours, no room, or is none."""
    if not stream.isatty():
        return None
    from rich.console import Console

    console = Console(file=unwrap_stream(stream))
    colours = None if console.is_dumb_terminal or console.no_color else console.color_system
    fitted = fit_picture(*size, console.width, console.height - BELOW)
    if colours not in ("truecolor", "256") or fitted is None:
        return None
    return Thumbnail(size, fitted.columns, fitted.rows, colours)
