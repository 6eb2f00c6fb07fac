"""A tile is a crop of a picture that anybody can draw."""

from __future__ import annotations

import io
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

import render
from render.errors import UsageError
from render.frame import Frame
from render.server.pyramid import Area, NotThere, Pyramids

PYRAMIDS = Pyramids()
WORST_NS = 1 << 62


@cache
def whole(scene: str, side: int) -> Frame:
    return render.draw(scene=scene, size=side, mode="sequential")


def painted(area: Area) -> np.ndarray:
    window = PYRAMIDS.start(area)
    assert window.paint(WORST_NS)
    assert window.result is not None
    return np.asarray(Image.open(io.BytesIO(window.result.png())))


@settings(max_examples=10)
@given(st.sampled_from(["mandelbrot", "julia"]), st.integers(0, 2), st.data())
def test_a_tile_is_the_crop_of_what_draw_gives(scene: str, z: int, data: st.DataObject) -> None:
    last = (1 << z) - 1
    x, y, scale = data.draw(st.integers(0, last)), data.draw(st.integers(0, last)), data.draw(st.sampled_from([1, 2]))
    if scale == 2 and z == 2:
        z, x, y = 1, x // 2, y // 2
    side = 256 * scale

    tile = painted(PYRAMIDS.tile(scene, z, x, y, scale))

    crop = whole(scene, side << z).rgb[side * y : side * (y + 1), side * x : side * (x + 1)]
    assert np.array_equal(tile, crop)


def test_slices_and_stops_change_no_pixel() -> None:
    area = PYRAMIDS.tile("mandelbrot", 1, 0, 1)
    window = PYRAMIDS.start(area)
    slices = 1
    while not window.paint(0, lambda: True):
        slices += 1
    assert slices > 1
    assert window.result is not None
    assert np.array_equal(window.result.rgb, painted(area))


def test_zooms_end_where_neighbouring_pixels_would_be_one_point() -> None:
    """In float64 with the largest frame there is, in float32 sooner, and deep in a view sooner than in the first."""
    assert PYRAMIDS.deepest_zoom("mandelbrot") == 23
    assert PYRAMIDS.deepest_zoom("still_life") == 9
    assert 0 < PYRAMIDS.deepest_zoom("mandelbrot", "rosette") < 10
    PYRAMIDS.tile("mandelbrot", 23, (1 << 23) - 1, 0)
    for z in (24, 31, 99):
        with pytest.raises(NotThere, match=f"no zoom {z}"):
            PYRAMIDS.tile("mandelbrot", z, 0, 0)


@pytest.mark.parametrize("place", [(0, 1, 0), (0, 0, 1), (3, 8, 0), (3, 0, 8)])
def test_there_are_no_tiles_beyond_the_square(place: tuple[int, int, int]) -> None:
    with pytest.raises(NotThere):
        PYRAMIDS.tile("mandelbrot", *place)


@pytest.mark.parametrize(
    "chosen",
    [{"zoom": "nan"}, {"zoom": "1e999"}, {"limit": "20001"}, {"limit": "0"}, {"palette": "x"}, {"sizes": "9"},
     {"view": "x"}, {"x": "1" * 41}, {"limit": "1e3"}],
)  # fmt: skip
def test_a_choice_that_makes_no_sense_is_refused(chosen: dict[str, str]) -> None:
    with pytest.raises(UsageError):
        PYRAMIDS.tile("mandelbrot", 0, 0, 0, 1, chosen)


def test_what_is_chosen_decides_the_name_of_the_pixels_and_what_is_left_alone_does_not() -> None:
    plain = PYRAMIDS.tile("mandelbrot", 2, 1, 1)
    usual = PYRAMIDS.tile("mandelbrot", 2, 1, 1, 1, {"view": "whole", "zoom": "1.6", "limit": "1000"})
    other = [PYRAMIDS.tile("mandelbrot", 2, 1, 1, 1, {"palette": "moss"}), PYRAMIDS.tile("mandelbrot", 2, 1, 2)]

    assert plain.etag == usual.etag
    assert len({plain.etag, *(area.etag for area in other)}) == 3


def test_a_scene_is_found_by_its_name_only() -> None:
    for name in ("../scenes/mandelbrot.py", "scenes/mandelbrot.py", "mandelbrot.py", "", "__init__"):
        with pytest.raises(NotThere):
            PYRAMIDS.tile(name, 0, 0, 0)
