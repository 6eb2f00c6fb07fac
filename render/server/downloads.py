"""Whole pictures of any size, painted in bands: each takes its client's turn like a tile, so nobody waits for a poster.

The file is that of `render draw` with the same options, pixel by pixel.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import numpy as np

from render.errors import UsageError
from render.pictures.png_writer import encode_png
from render.server.painting import Painted

if TYPE_CHECKING:
    from render.server.clients import Client
    from render.server.pyramid import Area
    from render.server.service import Service

MOST_PIXELS = 36_000_000  # of a picture: 8K
LONGEST_SIDE = 16_384
BAND_PIXELS = 1 << 18  # as many as a large tile has
AT_ONCE = 2  # bands of one picture that wait or are painted
DOWNLOADS = 2  # pictures under way, of all clients: each needs memory for all of its pixels


def check_size(width: int, height: int) -> None:
    """Raise UsageError for a picture that this server does not paint."""
    if min(width, height) < 1:
        raise UsageError(f"a picture of {width} x {height} pixels", "ask for at least one pixel each way")
    if width * height > MOST_PIXELS or max(width, height) > LONGEST_SIDE:
        raise UsageError(
            f"a picture of {width} x {height} pixels is too large",
            f"ask for {MOST_PIXELS // 10**6} million pixels at most, {LONGEST_SIDE} a side, or draw it yourself",
        )


async def paint_picture(
    service: Service, whole: Area, client: Client, user: int, label: str, left: asyncio.Future[None]
) -> bytes:
    """Paint a whole frame; return it as a PNG file. Raises as `Service.paint` does."""
    rgb = np.zeros((whole.height, whole.width, 3), np.uint8)
    rows = max(BAND_PIXELS // whole.width, 1)
    tops = iter(range(0, whole.height, rows))

    async def paint_bands() -> None:
        for top in tops:  # one iterator for all: each takes the next band that nobody has
            band = whole._replace(y=top, height=min(rows, whole.height - top))
            painted = await service.paint(band, client, user, label, left, pixels=True)
            assert isinstance(painted, Painted)
            rgb[top : top + band.height] = painted.rgb

    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(AT_ONCE):
                group.create_task(paint_bands())
    except ExceptionGroup as errors:
        raise errors.exceptions[0] from None
    return await asyncio.to_thread(encode_png, rgb)
