"""Both ends of a picture, against exact arithmetic: where samples lie, and how light becomes 8 bits."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from decimal import Decimal, localcontext
from fractions import Fraction
from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from render import sampling
from render.request import LARGEST_SIDE, MOST_SAMPLES, Request

REALS: dict[str, Any] = {"f32": np.float32, "f64": np.float64}
Ask = Callable[..., Request]
sizes = st.integers(1, LARGEST_SIDE)
places = st.floats(-4.0, 4.0)
zooms = st.floats(1e-3, 1e12)


def first_steps() -> Iterator[int]:
    """For each code from 1 on, the first of 65536 equal steps of light in 0..1 at which it is the nearest code."""
    for code in range(1, 256):
        edge = (Decimal(code) - Decimal("0.5")) / 255  # IEC 61966-2-1, undone
        low = edge <= Decimal("0.04045")
        light = edge / Decimal("12.92") if low else ((edge + Decimal("0.055")) / Decimal("1.055")) ** Decimal("2.4")
        yield math.ceil(light * 65535)


def test_the_steps_of_srgb_are_those_of_exact_arithmetic() -> None:
    with localcontext() as context:
        context.prec = 60
        assert tuple(first_steps()) == sampling.FIRST


def test_the_table_climbs_through_all_codes_one_by_one() -> None:
    table = sampling.srgb_table()
    assert np.asarray(table.base).size == table.size + 3, "vectors load four bytes for one"
    assert table.dtype == np.uint8
    assert (len(table), table[0], table[-1]) == (65536, 0, 255)
    assert set(np.diff(table.astype(int))) == {0, 1}
    assert not table.flags.writeable


@pytest.mark.parametrize("real", REALS.values())
def test_black_is_black_and_white_is_white(real: Any) -> None:
    table, black, white = sampling.srgb_table(), real(0), real(1)
    assert (table[int(sampling.light_step(black))], table[int(sampling.light_step(white))]) == (0, 255)


@given(st.floats(allow_nan=True), st.sampled_from(sorted(REALS)))
def test_whatever_light_comes_it_counts_from_0_to_1(light: float, precision: str) -> None:
    with np.errstate(over="ignore"):
        given_light = REALS[precision](light)
    counted = sampling.clamped(given_light)
    assert counted == (0.0 if math.isnan(light) else min(max(given_light, 0.0), 1.0))
    assert 0 <= int(sampling.light_step(counted)) <= 65535


def exact(value: Any) -> Fraction:
    return Fraction(float(value))


def rounded(value: Fraction, real: Any) -> Any:
    """The nearest number of a precision; the values here are far from its ends."""
    near = real(float(value))
    around = (np.nextafter(near, real(-np.inf)), near, np.nextafter(near, real(np.inf)))
    distances = [abs(exact(one) - value) for one in around]
    nearest = [one for one, distance in zip(around, distances, strict=True) if distance == min(distances)]
    return next(one for one in nearest if len(nearest) == 1 or not int(one.view(f"i{one.itemsize}")) & 1)


@given(sizes, sizes, st.data(), places, places, zooms, st.integers(-32, 31), st.integers(-32, 31))
def test_positions_are_those_of_the_definition(
    ask: Ask, width: int, height: int, data: Any, x: float, y: float, zoom: float, across: int, down: int
) -> None:
    i, j = data.draw(st.integers(0, width - 1)), data.draw(st.integers(0, height - 1))
    precision = data.draw(st.sampled_from(sorted(REALS)))
    real = REALS[precision]
    values = {"x": x, "y": y, "zoom": zoom}
    request = ask(width=width, height=height, tile=(4096, 4096), precision=precision, parameters=values)
    x0, y0 = real(x), real(y)
    pitch = real(4) / (real(zoom) * real(height))
    grid = sampling.grid(request)
    assert (grid.x0, grid.y0, grid.pitch) == (x0, y0, pitch)

    right = Fraction(2 * i + 1 - width, 2) + Fraction(across, 64)
    up = Fraction(height - 2 * j - 1, 2) - Fraction(down, 64)
    offsets = real(across / 64), real(down / 64)
    found = sampling.position(real(i), real(j), *offsets, *grid)
    assert found == (
        rounded(right * exact(pitch) + exact(x0), real),
        rounded(up * exact(pitch) + exact(y0), real),
    )
    assert all(type(one) is real for one in (*grid, *found))


def test_the_frame_is_four_over_zoom_high_and_row_0_is_on_top(ask: Ask) -> None:
    request = ask(width=6, height=4, parameters={"x": 1.0, "y": 2.0, "zoom": 0.5})
    grid, zero = sampling.grid(request), np.float64(0)
    corners = [sampling.position(np.float64(i), np.float64(j), zero, zero, *grid) for i, j in product((0, 5), (0, 3))]
    assert corners == [(-4.0, 5.0), (-4.0, -1.0), (6.0, 5.0), (6.0, -1.0)]


@pytest.mark.parametrize("precision", REALS)
def test_a_frame_of_odd_size_has_a_pixel_at_its_centre(precision: str, ask: Ask) -> None:
    request = ask(width=5, height=3, precision=precision, parameters={"x": 0.3, "y": -0.7, "zoom": 7.0})
    real = REALS[precision]
    i, j, zero = real(2), real(1), real(0)
    assert sampling.position(i, j, zero, zero, *sampling.grid(request)) == (real(0.3), real(-0.7))


def test_one_sample_is_the_centre() -> None:
    assert sampling.offsets(1).tolist() == [[0.0, 0.0]]


def test_four_samples_are_a_rotated_grid() -> None:
    found = sampling.offsets(4) * 64
    assert sorted(found[:, 0]) == sorted(found[:, 1]) == [-24, -8, 8, 24]


@pytest.mark.parametrize("samples", [*range(1, 70), 100, 128, 255, 256, 1000, MOST_SAMPLES])
def test_samples_are_distinct_multiples_of_a_64th_within_their_pixel(samples: int) -> None:
    found = sampling.offsets(samples) * 64
    assert (found == np.rint(found)).all()
    assert found.min() >= -32
    assert found.max() < 32
    assert len({tuple(place) for place in found}) == samples
    assert (np.abs(found.mean(axis=0)) <= 64 / 8).all()


@pytest.mark.parametrize("samples", [1, 2, 4, 8, 16, 32, 64])
def test_powers_of_two_are_balanced(samples: int) -> None:
    assert (np.abs(sampling.offsets(samples).mean(axis=0)) <= 1 / 128).all()
