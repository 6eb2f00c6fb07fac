"""WebP and JPEG: the first keeps every pixel, both keep the request."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from render.frame import Frame
from render.outputs import jpeg, webp
from render.pictures.picture import decode

Draw = Callable[..., Frame]


def test_webp_keeps_every_pixel(draw: Draw) -> None:
    frame = draw("0")
    assert np.array_equal(decode(webp.write([frame])).rgb, frame.rgb)


def test_jpeg_keeps_them_nearly(draw: Draw) -> None:
    y, x = np.mgrid[:32, :48]
    smooth = np.stack([x * 2, y * 3, x + y], axis=2).astype(np.uint8)
    back = decode(jpeg.write([replace(draw("0"), rgb=smooth)])).rgb
    assert np.abs(back.astype(int) - smooth).max() <= 4


@pytest.mark.parametrize("output", [webp, jpeg])
def test_the_request_comes_back(output: Any, draw: Draw) -> None:
    frame = draw("0")
    assert decode(output.write([frame])).request == frame.request.picture_key()
    assert decode(output.write([frame], plain=True)).request is None
