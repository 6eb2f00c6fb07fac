"""Comparing two pictures: exact metrics, no byte that wraps around, and thresholds that mean what they say."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from render.comparison import compare as comparing
from render.comparison.compare import Comparison, compare, describe_request_changes, draw_difference, format_comparison
from render.errors import InputError
from render.pictures.picture import Picture

pixels = arrays(np.uint8, (5, 4, 3))
PLAIN = np.full((4, 6, 3), 100, np.uint8)
SIZES = ((6, 4), (6, 4))


def changed(*errors: tuple[int, int, int, int], size: tuple[int, int] = (4, 6)) -> Picture:
    """The plain picture with errors at (x, y, channel)."""
    rgb = np.full((*size, 3), 100, np.uint8)
    for x, y, channel, error in errors:
        rgb[y, x, channel] += error
    return Picture(rgb)


def found(*errors: tuple[int, int, int, int]) -> Comparison:
    return compare(Picture(PLAIN), changed(*errors))


@given(pixels, pixels)
def test_all_metrics_are_those_of_the_widened_difference(a: np.ndarray, b: np.ndarray) -> None:
    error = np.abs(a.astype(np.int64) - b.astype(np.int64))
    result = compare(Picture(a), Picture(b))
    assert result.identical == (error.max() == 0)
    assert result.differing_pixels == np.count_nonzero(error.any(axis=2))
    assert result.differing_percent == pytest.approx(100 * error.any(axis=2).mean())
    assert result.max_error == error.max()
    assert result.mean_error == pytest.approx(error.mean())
    assert result.rmse == pytest.approx(math.sqrt((error**2).mean()))


@given(pixels, pixels)
def test_the_worst_error_is_where_it_says(a: np.ndarray, b: np.ndarray) -> None:
    result = compare(Picture(a), Picture(b))
    if result.worst is not None:
        x, y, channel = result.worst
        assert abs(int(a[y, x, channel]) - int(b[y, x, channel])) == result.max_error


@given(pixels, pixels)
def test_the_order_of_the_two_does_not_matter(a: np.ndarray, b: np.ndarray) -> None:
    assert compare(Picture(a), Picture(b)) == compare(Picture(b), Picture(a))


@given(pixels, pixels, st.integers(1, 30))
def test_bands_change_nothing(a: np.ndarray, b: np.ndarray, band: int) -> None:
    whole = compare(Picture(a), Picture(b)), draw_difference(Picture(a), Picture(b))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(comparing, "BAND", band)
        assert compare(Picture(a), Picture(b)) == whole[0]
        assert np.array_equal(draw_difference(Picture(a), Picture(b)), whole[1])


def test_equal_pictures_have_no_psnr_and_no_worst_pixel() -> None:
    assert found() == Comparison(True, 0, 0.0, 0, 0.0, 0.0, None, None, None, SIZES)


def test_of_equally_bad_errors_the_first_row_by_row_is_the_worst() -> None:
    assert found((5, 1, 2, 9), (2, 1, 0, 9), (0, 3, 1, 9), (1, 0, 1, 8)).worst == (2, 1, 0)


def test_psnr_of_an_error_of_one_everywhere() -> None:
    assert compare(Picture(PLAIN), Picture(PLAIN + np.uint8(1))).psnr == pytest.approx(20 * math.log10(255))


def test_different_sizes_have_no_metrics() -> None:
    result = compare(changed(), changed(size=(6, 4)))
    assert result == Comparison(identical=False, sizes=((6, 4), (4, 6)))
    assert not result.within(255, 100)


@pytest.mark.parametrize(
    ("a", "b", "same"), [({"limit": 1}, {"limit": 1}, True), ({"limit": 1}, {"limit": 2}, False), (None, {}, None)]
)
def test_requests_are_the_same_or_not_or_not_known(a: Any, b: Any, same: bool | None) -> None:
    assert compare(Picture(PLAIN, request=a), Picture(PLAIN, request=b)).same_request is same


@pytest.mark.parametrize(
    ("max_error", "max_differing", "accepted"),
    [
        (None, None, False),
        (0, 0, False),
        (3, None, True),
        (2, None, False),
        (None, 5, True),
        (None, 4, False),
        (3, 5, True),
        (3, 4, False),
        (2, 5, False),
        (3, 0, False),
        (0, 5, False),
    ],
)
def test_every_threshold_that_is_given_must_hold(max_error: Any, max_differing: Any, accepted: bool) -> None:
    assert found((1, 1, 1, 3)).within(max_error, max_differing) is accepted  # one pixel of 24: 4.17 per cent


def test_the_json_has_the_keys_that_are_promised() -> None:
    assert json.loads(json.dumps(found((1, 2, 0, 12)).as_dict(), allow_nan=False)) == {
        "identical": False,
        "differing_pixels": 1,
        "differing_percent": pytest.approx(100 / 24),
        "max_error": 12,
        "mean_error": pytest.approx(12 / 72),
        "rmse": pytest.approx(math.sqrt(2)),
        "psnr": pytest.approx(20 * math.log10(255 / math.sqrt(2))),
        "worst": [1, 2, 0],
        "same_request": None,
        "sizes": [[6, 4], [6, 4]],
        "depth": 8,
    }
    assert found().as_dict()["worst"] is None


def test_the_difference_picture_is_black_where_equal_and_lifts_small_errors() -> None:
    made = draw_difference(changed(), changed((0, 0, 0, 1), (1, 0, 1, 155)))
    assert made[0, 0].tolist() == [64, 0, 0]
    assert made[0, 1].tolist() == [0, 225, 0]
    assert np.count_nonzero(made) == 2


def test_different_sizes_have_no_difference_picture() -> None:
    with pytest.raises(InputError, match="6 x 4 and 4 x 6 pixels"):
        draw_difference(changed(), changed(size=(6, 4)))


def test_people_are_told_where_and_how_much() -> None:
    assert format_comparison(found((1, 2, 2, 12)), "a.png", "b.png") == [
        "a.png and b.png differ; pixels that do: 1 (4.167 %)",
        "largest error 12 of 255, at x 1, y 2, in blue",
        "mean error 0.1667, RMSE 1.414, PSNR 45.12 dB",
    ]
    assert format_comparison(found(), "a", "b") == ["a and b are equal, pixel by pixel"]
    unlike_sizes = format_comparison(compare(changed(), changed(size=(6, 4))), "a", "b")
    assert unlike_sizes == ["a has 6 x 4 pixels and b has 4 x 6: different sizes, so nothing else was compared"]


def test_what_two_requests_draw_differently_is_named() -> None:
    requests = [{"limit": limit, "samples": 1, "parameters": {"x": 0.0, "zoom": limit}} for limit in (5, 6)]
    a, b = (Picture(PLAIN, request=request) for request in requests)
    assert describe_request_changes(a, b) == "limit (5 and 6), zoom (5 and 6)"
    assert describe_request_changes(a, a) == ""


def wide(value: int) -> Picture:
    return Picture(np.full((4, 6, 3), value, np.uint16))


def test_pictures_of_16_bits_are_compared_in_their_own_steps() -> None:
    result = compare(wide(1000), wide(1003))
    assert (result.depth, result.max_error, result.differing_pixels) == (16, 3, 24)
    assert result.psnr == pytest.approx(20 * math.log10(65535 / 3))
    assert "largest error 3 of 65535" in format_comparison(result, "a", "b")[1]


def test_a_level_of_8_bits_is_257_of_16() -> None:
    assert compare(Picture(PLAIN), wide(25700)).identical
    assert compare(wide(25701), Picture(PLAIN)).max_error == 1


def test_a_picture_without_alpha_is_opaque() -> None:
    opaque, clear = (replace(changed(), alpha=np.full((4, 6), alpha, np.uint8)) for alpha in (255, 128))
    assert compare(changed(), opaque).identical
    result = compare(changed(), clear)
    assert (result.max_error, result.worst, result.mean_error) == (127, (0, 0, 3), 127 / 4)
    assert format_comparison(result, "a", "b")[1].endswith("in alpha")
    assert draw_difference(changed(), clear)[0, 0].tolist() == [214, 214, 214]


def test_half_transparent_red_is_not_dark_red() -> None:
    clear = Picture(np.full((4, 6, 3), (255, 0, 0), np.uint8), alpha=np.full((4, 6), 128, np.uint8))
    assert not compare(clear, Picture(np.full((4, 6, 3), (128, 0, 0), np.uint8))).identical


def test_all_frames_are_compared() -> None:
    still, moving = (replace(changed(), more=(changed(), changed(*errors))) for errors in ((), ((3, 2, 1, 9),)))
    result = compare(still, moving)
    assert (result.worst, result.worst_frame, result.differing_pixels) == ((3, 2, 1), 2, 1)
    assert result.as_dict()["frames"] == [3, 3]
    assert format_comparison(result, "a", "b")[:2] == [
        "a and b differ; pixels that do: 1 (1.389 %), in all 3 frames",
        "largest error 9 of 255, at x 3, y 2 of frame 2, in green",
    ]
    assert compare(still, still).identical


def test_another_number_of_frames_is_another_picture() -> None:
    result = compare(changed(), replace(changed(), more=(changed(),)))
    assert (result.identical, result.max_error) == (False, None)
    assert format_comparison(result, "a", "b") == ["a has 1 frame and b has 2, so nothing else was compared"]


def test_what_was_left_aside_is_named() -> None:
    result = compare(replace(changed(), ignored=("its gamma (gAMA 1)",)), changed())
    assert format_comparison(result, "a.png", "b.png")[1:] == ["left aside in a.png: its gamma (gAMA 1)"]
    assert result.as_dict()["ignored"] == {"a": ["its gamma (gAMA 1)"], "b": []}
