"""The source of a colour that is not a number (NaN): a pixel that shows it, and the line that made it.

Asked only once a tile has failed, so it may paint parts of the tile again.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import numpy as np

from render import scene, targets
from render.frame import Canvas
from render.plan import Tile
from render.request import Request
from render.runtime.kernel import CpuKernel
from render.wording import count

if TYPE_CHECKING:
    from render.runtime.kernel import Kernel

MOST_STEPS = 50_000  # of a pixel that is walked again in Python: a second or two


def describe_failure(request: Request, kernel: Kernel, canvas: Canvas, tile: Tile, bad: int) -> str:
    """Say how many samples of a tile are NaN, and where one of them is."""
    where = describe_place(request, kernel, canvas, tile)
    return f"{count(bad, 'sample')} with a colour that is not a number (NaN){where}"


def describe_place(request: Request, kernel: Kernel, canvas: Canvas, tile: Tile) -> str:
    """Say which pixel of a tile shows a NaN, and at which line an operation had no result; nothing where none does."""
    if not isinstance(kernel, CpuKernel):  # a GPU is busy; the CPU shows the same
        kernel = targets.load("simd").compile(scene.load(request.scene), request, lambda _text: None)
    i, j = find_pixel(kernel, canvas, tile)
    if not kernel.paint(canvas, i, j, 1, 1)[1]:
        return ""  # it comes and goes
    line = find_line(request, i, j)
    return f", one at pixel {i}, {j}" + (f" (an operation without a result at line {line})" if line else "")


def find_pixel(kernel: Kernel, canvas: Canvas, tile: Tile) -> tuple[int, int]:
    """Find a pixel (column, row) of the tile that has a NaN, by halving the tile; any pixel where none has."""
    _, x, y, width, height = tile
    while width * height > 1:
        across = width >= height
        half = (width if across else height) // 2
        wide, high = (half, height) if across else (width, half)
        if kernel.paint(canvas, x, y, wide, high)[1]:
            width, height = wide, high
        elif across:
            x, width = x + half, width - half
        else:
            y, height = y + half, height - half
    return x, y


def find_line(request: Request, i: int, j: int) -> int | None:
    """Find the line of the scene's file where an operation of this pixel first had no result; None where none is seen.

    Multiply-adds are not seen, for the C library makes them.
    """
    if request.limit * request.samples > MOST_STEPS:
        return None
    loaded, lines = scene.load(request.scene), []

    def seen(_kind: str, _flag: int) -> None:
        frame: Any = sys._getframe(1)  # noqa: SLF001  (numpy reports by a call)
        while frame is not None and frame.f_code.co_filename != str(loaded.path):
            frame = frame.f_back
        if frame is not None:
            lines.append(frame.f_lineno)

    kernel = targets.load("python").compile(loaded, request, lambda _text: None)
    with np.errstate(all="ignore", invalid="call", call=seen):
        list(kernel.walk_samples(i, j))  # type: ignore[attr-defined]
    return lines[0] if lines else None
