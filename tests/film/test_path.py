"""A path from keyframes to frames: exact, even, and with one point of the picture at rest."""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import pairwise

import mpmath
import pytest
from hypothesis import given
from hypothesis import strategies as st

from render.film.path import LINEAR, SMOOTH, Keyframe, frame_times, values_at
from render.request import Value

PLACE = st.floats(-4, 4)
ZOOM = st.floats(1e-3, 1e15)


def keyframe(at: int, ease: str = LINEAR, **values: Value) -> Keyframe:
    return Keyframe(Fraction(at), {"x": 0.0, "y": 0.0, "zoom": 1.0} | values, ease)


@given(PLACE, PLACE, ZOOM, PLACE, PLACE, ZOOM, st.sampled_from([LINEAR, SMOOTH]), st.integers(2, 40))
def test_first_and_last_frame_are_the_keyframes_themselves(
    x0: float, y0: float, z0: float, x1: float, y1: float, z1: float, ease: str, frames: int
) -> None:
    path = keyframe(0, x=x0, y=y0, zoom=z0), keyframe(7, ease, x=x1, y=y1, zoom=z1)
    times = list(frame_times(path, frames))
    assert len(times) == frames
    assert values_at(path, times[0]) == path[0].values
    assert values_at(path, times[-1]) == path[1].values


@given(ZOOM, ZOOM, st.integers(3, 30))
def test_equal_times_magnify_equally_and_never_beyond_the_keyframes(z0: float, z1: float, frames: int) -> None:
    path = keyframe(0, zoom=z0), keyframe(1, zoom=z1)
    zooms = [float(values_at(path, at)["zoom"]) for at in frame_times(path, frames)]
    assert all(min(z0, z1) <= zoom <= max(z0, z1) for zoom in zooms)
    whole = (z1 / z0) ** (1 / (frames - 1))
    assert all(math.isclose(after / before, whole, rel_tol=1e-12) for before, after in pairwise(zooms))


@given(PLACE, PLACE, st.floats(1, 1e6), st.floats(1.5, 1e6), st.sampled_from([LINEAR, SMOOTH]))
def test_one_point_of_the_picture_stays_where_it_is(x0: float, x1: float, z0: float, closer: float, ease: str) -> None:
    path = keyframe(0, x=x0, zoom=z0), keyframe(1, ease, x=x1, zoom=z0 * closer)
    s0, s1 = 1 / z0, 1 / (z0 * closer)
    drift = (x1 - x0) / (s1 - s0)
    fixed = x0 - s0 * drift
    for at in frame_times(path, 9):
        values = values_at(path, at)
        assert float(values["x"]) - drift / float(values["zoom"]) == pytest.approx(fixed, abs=1e-9 * (1 + abs(fixed)))


def test_without_a_zoom_the_frame_moves_evenly() -> None:
    path = keyframe(0, x=0.0), keyframe(4, x=1.0)
    assert [values_at(path, at)["x"] for at in frame_times(path, 5)] == [0.0, 0.25, 0.5, 0.75, 1.0]


def test_words_and_whole_numbers_change_when_their_keyframe_is_reached() -> None:
    path = keyframe(0, palette="dusk", turns=1), keyframe(1, palette="moss", turns=2)
    shown = [(values["palette"], values["turns"]) for values in (values_at(path, at) for at in frame_times(path, 4))]
    assert shown == [("dusk", 1)] * 3 + [("moss", 2)]


def test_smooth_rests_at_both_ends_and_linear_does_not() -> None:
    for ease, moved in ((SMOOTH, Fraction(3, 100) - Fraction(2, 1000)), (LINEAR, Fraction(1, 10))):
        values = values_at((keyframe(0, light=0.0), keyframe(1, ease, light=1.0)), Fraction(1, 10))
        assert values["light"] == float(moved)


@given(PLACE, PLACE, st.floats(1e-3, 1e6), st.floats(1.5, 1e6), st.integers(1, 99))
def test_zoom_and_centre_are_rounded_once(x0: float, x1: float, z0: float, closer: float, percent: int) -> None:
    """They are those of mpmath with more digits: no system's logarithm decides them."""
    z1 = z0 * closer
    values = values_at((keyframe(0, x=x0, zoom=z0), keyframe(100, x=x1, zoom=z1)), Fraction(percent))
    with mpmath.workdps(80):
        first, last = mpmath.mpf(z0), mpmath.mpf(z1)
        zoom = first * (last / first) ** (mpmath.mpf(percent) / 100)
        x = mpmath.mpf(x0) + (mpmath.mpf(x1) - mpmath.mpf(x0)) * (1 - first / zoom) / (1 - first / last)
        assert (values["zoom"], values["x"]) == (float(zoom), float(x))
