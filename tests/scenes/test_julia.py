"""Julia sets: circles that are known, symmetry, and a bailout that no orbit comes back from."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from render import engine, escape_time, scene
from render.request import Request

JULIA = scene.load("julia")
Ask = Callable[..., Request]


def steps_at(ask: Ask, x: float, y: float, name: str = "julia", **parameters: float) -> int:
    request = ask(scene=name, width=1, height=1, tile=(1, 1), limit=200, parameters={"x": x, "y": y, **parameters})
    return int(np.asarray(engine.draw(request).steps)[0, 0])


def test_the_least_bailout_is_one_that_no_orbit_comes_back_from() -> None:
    far = max(abs(bound) for part in ("cx", "cy") for bound in JULIA.parameters[part][1:3] if bound is not None)
    bailout = JULIA.parameters["bailout"].lowest

    assert JULIA.absorbing
    assert bailout is not None
    assert bailout > (1 + math.sqrt(1 + 4 * math.hypot(far, far))) / 2


@pytest.mark.parametrize(("radius", "steps"), [(0.5, 200), (1.0, 200), (2.0, 4), (2.01, 3), (4.0, 3)])
def test_for_c_zero_it_is_the_unit_disc_and_radii_are_squared(ask: Ask, radius: float, steps: int) -> None:
    """256 is still within, so 2 -> 4 -> 16 -> 256 -> 65536 makes four steps."""
    assert steps_at(ask, radius, 0.0, cx=0.0, cy=0.0) == steps
    assert steps_at(ask, 0.0, -radius, cx=0.0, cy=0.0) == steps


@given(x=st.floats(-2.0, 0.5), y=st.floats(-1.2, 1.2))
def test_zero_takes_the_way_that_the_mandelbrot_set_is_made_of(ask: Ask, x: float, y: float) -> None:
    assert steps_at(ask, 0.0, 0.0, cx=x, cy=y) == steps_at(ask, x, y, "mandelbrot")


def test_the_set_is_the_same_turned_by_half(ask: Ask) -> None:
    frame = engine.draw(ask(scene="julia", width=41, height=24, tile=(41, 24), target="simd"))

    assert np.array_equal(frame.rgb, frame.rgb[::-1, ::-1])


@given(radius=st.floats(1.0001, 100.0), angle=st.floats(0.0, 6.3), steps=st.integers(0, 30))
def test_the_derivative_by_the_point_is_that_of_squaring(radius: float, angle: float, steps: int) -> None:
    """For c = 0, z after n steps is the point to the power 2^n; orbits beyond float64 are not asked for."""
    steps = min(steps, int(math.log2(600 / math.log(radius))))
    real, nought, one = np.float64, np.float64(0.0), np.float64(1.0)
    point = real(radius * math.cos(angle)), real(radius * math.sin(angle))

    found = escape_time.derivative(*point, nought, nought, one, nought, real(steps))

    logarithm = math.log(2) * steps + (2**steps - 1) * math.log(math.hypot(*point))
    assert math.log(math.hypot(*found)) == pytest.approx(logarithm, rel=1e-9, abs=1e-9)


@pytest.mark.slow
def test_every_view_shows_set_and_surroundings(ask: Ask) -> None:
    """At its own limit: no frame of one colour, none that is all inside."""
    for view in JULIA.views:
        limit = JULIA.settle(view, {})[1]
        frame = engine.draw(
            ask(scene="julia", view=view, width=48, height=27, tile=(48, 27), target="simd", limit=limit)
        )

        assert len(np.unique(np.asarray(frame.rgb).reshape(-1, 3), axis=0)) > 300
        assert (np.asarray(frame.steps) < limit).mean() > 0.5
