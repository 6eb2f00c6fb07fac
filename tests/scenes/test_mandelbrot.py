"""The Mandelbrot set: steps by an exact loop of its own, points that are known, and relief that changes no step."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from render import engine, escape_time, scene, targets
from render.frame import open_canvas
from render.request import Request

MANDELBROT = scene.load("mandelbrot")
Ask = Callable[..., Request]

numbers = st.fixed_dictionaries(
    {},
    optional={
        name: st.sampled_from([one.lowest, one.highest]) | st.floats(one.lowest, one.highest)
        for name, one in MANDELBROT.parameters.items()
        if isinstance(one.default, float) and one.lowest is not None and one.highest is not None
    },
)


def exact_fma(a: float, b: float, c: float) -> float:
    return float(Fraction(a) * Fraction(b) + Fraction(c))


def exact_steps(
    x0: float, y0: float, zoom: float, bailout: float, limit: int, size: tuple[int, int]
) -> list[list[int]]:
    """What the program promises of float64, in exact arithmetic that is rounded where it says so."""
    width, height = size
    pitch = 4 / (zoom * height)
    counts: list[list[int]] = []
    for j in range(height):
        cy = exact_fma(height / 2 - j - 0.5, pitch, y0)
        counts.append([])
        for i in range(width):
            cx = exact_fma(i + 0.5 - width / 2, pitch, x0)
            x = y = 0.0
            n = 0
            while n < limit and exact_fma(x, x, y * y) <= bailout * bailout:
                part = exact_fma(-y, y, cx)
                x, y, n = exact_fma(x, x, part), exact_fma(x + x, y, cy), n + 1
            counts[-1].append(n)
    return counts


def steps_at(ask: Ask, x: float, y: float = 0.0, **parameters: float) -> int:
    """The steps of a frame of one pixel: its centre is the point itself."""
    request = ask(width=1, height=1, tile=(1, 1), limit=500, parameters={"x": x, "y": y, **parameters})
    return int(np.asarray(engine.draw(request).steps)[0, 0])


def brightness(ask: Ask, x: float, y: float, **parameters: float) -> float:
    """How bright relief makes a point outside, in plain Python."""
    request = ask(parameters={"x": x, "y": y, **parameters}, limit=2000)
    p: Any = MANDELBROT.prepared(request)
    c = np.float64(x), np.float64(y)
    start, step, alive = (MANDELBROT.functions[name] for name in ("start", "step", "alive"))
    state, steps = start(*c, p), 0
    while alive(state, p):
        state, steps = step(state, p), steps + 1
    nought = np.float64(0.0)
    wx, wy = escape_time.derivative(nought, nought, *c, nought, np.float64(p.height), np.float64(steps))
    return float(escape_time.relief(state[0], state[1], wx, wy, p))


@given(
    x=st.floats(-2.0, 0.5),
    y=st.floats(-1.2, 1.2),
    zoom=st.floats(1.0, 1e13),
    bailout=st.sampled_from([2.0, 256.0]),
    limit=st.integers(1, 40),
)
def test_steps_are_those_of_exact_arithmetic(
    ask: Ask, x: float, y: float, zoom: float, bailout: float, limit: int
) -> None:
    parameters = {"x": x, "y": y, "zoom": zoom, "bailout": bailout}
    request = ask(width=5, height=4, tile=(5, 4), limit=limit, target="simd", parameters=parameters)

    assert np.asarray(engine.draw(request).steps).tolist() == exact_steps(x, y, zoom, bailout, limit, (5, 4))


@pytest.mark.parametrize(("x", "y"), [(0.0, 0.0), (-1.0, 0.0), (-2.0, 0.0), (0.0, 1.0), (0.25, 0.0), (-0.75, 0.0)])
def test_points_of_the_set_make_all_steps(ask: Ask, x: float, y: float) -> None:
    assert steps_at(ask, x, y) == 500


@pytest.mark.parametrize(
    ("x", "orbit"), [(2.0, [2, 6, 38, 1446]), (1.0, [1, 2, 5, 26, 677]), (-3.0, [-3, 6, 33, 1086])]
)
def test_points_outside_make_as_many_steps_as_their_orbit_is_long(ask: Ask, x: float, orbit: list[int]) -> None:
    assert steps_at(ask, x) == len(orbit)
    assert steps_at(ask, x, bailout=abs(orbit[-2])) == len(orbit), "the bailout itself is still within"


def test_the_set_is_its_own_mirror_image(ask: Ask) -> None:
    frame = engine.draw(ask(width=41, height=24, tile=(41, 24), target="simd", samples=1))

    assert np.array_equal(frame.rgb, frame.rgb[::-1])
    assert np.array_equal(np.asarray(frame.steps), np.asarray(frame.steps)[::-1])


@pytest.mark.parametrize("view", ["seahorses", "needle", "island", "rosette"])
def test_relief_changes_no_step_and_only_darkens(ask: Ask, view: str) -> None:
    plain = ask(view=view, width=64, height=36, tile=(64, 36), target="simd", limit=MANDELBROT.settle(view, {})[1])
    flat, lit = (
        engine.draw(replace(plain, parameters=tuple(sorted((plain.values | {"light": lit, "edge": lit}).items()))))
        for lit in (0.0, 1.0)
    )

    assert np.array_equal(np.asarray(flat.steps), np.asarray(lit.steps))
    assert flat.total_steps == lit.total_steps
    assert (np.asarray(lit.rgb) <= np.asarray(flat.rgb)).all()
    assert not np.array_equal(lit.rgb, flat.rgb)


@given(x=st.floats(-2.0, 0.5), y=st.floats(-1.2, 1.2), steps=st.integers(0, 20))
def test_the_derivative_is_that_of_calculus(x: float, y: float, steps: int) -> None:
    c, z, slope, made = complex(x, y), 0j, 0j, 0
    while made < steps and abs(z) < 1e6:
        z, slope, made = z * z + c, 2 * z * slope + 1, made + 1
    real, one, nought = np.float64, np.float64(1.0), np.float64(0.0)

    found = complex(*escape_time.derivative(nought, nought, real(x), real(y), nought, one, real(made)))

    assert abs(found - slope) <= 1e-9 * max(1.0, abs(slope))


@pytest.mark.parametrize("away", [1e-6, 1e-3, 0.1, 1.0])
def test_edge_darkens_by_a_distance_that_is_true_within_a_factor_of_four(ask: Ask, away: float) -> None:
    """The set's left end is at -2. Where half of the darkness is gone, the estimate is EDGE."""
    bright = brightness(ask, -2.0 - away, 0.0, edge=1.0, zoom=4.0)  # a frame of height 1

    estimate = escape_time.EDGE * bright / (1 - bright)

    assert estimate / 4.0001 <= away <= estimate


@pytest.mark.parametrize("angle", [0.0, 90.0, 225.0])
def test_slopes_that_face_the_light_are_bright_and_those_behind_it_dark(ask: Ask, angle: float) -> None:
    direction = np.exp(1j * np.radians(angle))

    def at(point: complex) -> float:
        return brightness(ask, float(point.real), float(point.imag), light=1.0, light_angle=angle)

    assert at(3 * direction) > 0.97  # so far out the set is hardly more than a point
    assert at(-3 * direction) < 0.2


@pytest.mark.parametrize("precision", ["f32", "f64"])
@given(parameters=numbers, width=st.integers(1, 23), height=st.integers(1, 17), limit=st.integers(1, 300))
def test_no_allowed_value_leaves_a_pixel_without_a_number(
    ask: Ask, precision: str, parameters: dict[str, Any], width: int, height: int, limit: int
) -> None:
    request = ask(width=width, height=height, limit=limit, precision=precision, parameters=parameters)
    kernel = targets.load("simd").compile(MANDELBROT, request, print)
    with open_canvas(request, shared=False) as pixels:
        _, not_numbers = kernel.paint(pixels, 0, 0, width, height)

    assert not_numbers == 0


def test_the_deepest_view_still_has_pixels_of_its_own() -> None:
    deepest = max(view["zoom"] for view in MANDELBROT.views.values() if "zoom" in view)

    assert float(deepest) >= 1e12
    assert 4 / (float(deepest) * 720) > 4 * np.spacing(0.75)
