"""The Mandelbulb: powers against angles, sevenfold symmetry, rays that stop before the surface, light in numbers."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from render import engine, lanes, scene, targets
from render.codegen.retarget import retarget
from render.frame import open_canvas
from render.parameters import Parameters
from render.request import Request

BULB = scene.load("mandelbulb")
WORDS: dict[str, Any] = BULB.functions["shade"].__globals__
Point = tuple[float, float, float]

near = st.floats(-1.3, 1.3)
directions = st.tuples(near, near, near).filter(lambda d: math.hypot(*d) > 0.1)


def distance(point: Point, detail: int = 7) -> float:
    return float(WORDS["bulb"](tuple(map(np.float64, point)), True, Parameters(detail=detail))[0])


def by_angles(point: Any, power: int = 8) -> Any:
    """The power of points (3, ...), as it was first written: both angles times eight."""
    x, y, z = point
    r, polar, around = np.sqrt(x * x + y * y + z * z), np.arctan2(np.hypot(x, z), y), np.arctan2(z, x)
    out = r**power * np.sin(power * polar)
    return np.array([out * np.cos(power * around), r**power * np.cos(power * polar), out * np.sin(power * around)])


def stays(points: Any) -> Any:
    """Which points (3, n) are still near after as many steps as the scene makes, by angles."""
    q = points.copy()
    inside = np.ones(points.shape[1], bool)
    for _ in range(7):
        q = np.where(inside, by_angles(q) + points, q)
        inside &= (q * q).sum(0) < WORDS["LEFT"]
    return inside


@given(directions)
def test_roots_and_products_make_the_power_that_angles_make(point: Point) -> None:
    found = WORDS["eighth_power"](*map(np.float64, point))

    assert np.array(found) == pytest.approx(by_angles(np.array(point)), abs=1e-12 * math.hypot(*point) ** 8)


@pytest.mark.parametrize("height", [0.5, -1.1])
def test_on_the_axis_it_is_the_power_of_a_number(height: float) -> None:
    found = WORDS["eighth_power"](np.float64(0.0), np.float64(height), np.float64(0.0))

    assert np.array(found) == pytest.approx([0.0, height**8, 0.0])


@given(directions)
def test_the_bulb_is_the_same_turned_by_a_seventh(point: Point) -> None:
    x, y, z = (1.1 * part / math.hypot(*point) for part in point)
    turn = complex(x, z) * np.exp(2j * np.pi / 7)

    assert distance((turn.real, y, turn.imag), detail=2) == pytest.approx(distance((x, y, z), detail=2), rel=1e-6)


@given(directions)
def test_it_lies_within_the_sphere_that_rays_are_followed_in(direction: Point) -> None:
    x, y, z = (WORDS["REACH"] * part / math.hypot(*direction) for part in direction)

    assert distance((x, y, z)) > 0.0


def count_powers(*going: bool) -> int:
    """Count the powers that two lanes take together: a point that stays near for all steps, and one that leaves."""
    powers = 0

    def power(*point: Any) -> Any:
        nonlocal powers
        powers += 1
        return tuple(by_angles(np.array(point)))

    words: dict[Any, Any] = {WORDS["eighth_power"]: power, lanes.fma: lambda a, b, c: a * b + c, lanes.log: np.log}
    words |= {getattr(lanes, name): getattr(np, name) for name in ("sqrt", "where", "minimum", "maximum")}
    bulb = retarget(WORDS["bulb"], words=words | {lanes.any_lane: np.any})
    bulb((np.array([0.1, 0.9]), np.array([0.1, 0.9]), np.array([0.1, 0.3])), np.array(going), Parameters(detail=7))
    return powers


def test_no_lane_waits_for_one_that_has_ended() -> None:
    assert count_powers(True, True) == count_powers(True, False) == 7
    assert 0 < count_powers(False, True) < 7
    assert count_powers(False, False) == 0


def test_a_ray_ends_close_to_the_surface_and_has_passed_none(ask: Callable[..., Request]) -> None:
    request = ask(scene="mandelbulb", precision="f64", height=720, parameters={"zoom": 1.0})
    p: Any = BULB.prepared(request)
    start, step, alive = (BULB.functions[name] for name in ("start", "step", "alive"))
    eye = np.array(p.eye, np.float64)
    hits = 0
    for x, y in np.random.default_rng(8).uniform(-1.0, 1.0, (40, 2)):
        state, steps = start(x, y, p), 0
        entry = state[0]
        while steps < BULB.limit and alive(state, p):
            state, steps = step(state, p), steps + 1
        last, direction = min(state[0], state[5]), np.array(state[2:5], np.float64)
        on_the_way = eye[:, None] + direction[:, None] * np.linspace(entry, last, 500)[None, :-1]
        hits += state[0] < state[5]

        assert steps < BULB.limit
        assert not stays(on_the_way).any()

    assert hits > 10


@pytest.mark.slow
def test_rays_beside_the_bulb_make_no_step(ask: Callable[..., Request]) -> None:
    frame = engine.draw(ask(scene="mandelbulb", width=32, height=18, tile=(32, 18), target="simd"))
    steps = np.asarray(frame.steps)

    assert not steps[:, :4].any()
    assert (steps[4:14, 12:20] > 0).all()


@pytest.mark.parametrize("rise", [90.0, -90.0])
def test_it_is_seen_from_exactly_above_and_below(rise: float, ask: Callable[..., Request]) -> None:
    p: Any = BULB.prepared(ask(scene="mandelbulb", precision="f64", parameters={"rise": rise}))
    axes = np.array([p.right, p.up, -np.array(p.ahead) / WORDS["LENS"]])

    assert axes @ axes.T == pytest.approx(np.eye(3), abs=1e-9)
    assert axes[2] == pytest.approx([0.0, math.copysign(1.0, rise), 0.0], abs=1e-9)


def allowed(parameter: Any) -> st.SearchStrategy[Any]:
    """A value at a parameter's bounds, or between them."""
    if parameter.choices:
        return st.sampled_from(parameter.choices)
    between = st.integers if isinstance(parameter.default, int) else st.floats
    return st.sampled_from([parameter.lowest, parameter.highest]) | between(parameter.lowest, parameter.highest)


@given(
    st.fixed_dictionaries({}, optional={name: allowed(p) for name, p in BULB.parameters.items()}),
    st.integers(1, 23),
    st.integers(1, 17),
    st.integers(1, 200),
)
def test_no_allowed_value_leaves_a_pixel_without_a_number(
    ask: Callable[..., Request], parameters: dict[str, Any], width: int, height: int, limit: int
) -> None:
    request = ask(scene="mandelbulb", width=width, height=height, limit=limit, parameters=parameters)
    kernel = targets.load("simd").compile(BULB, request, print)
    with open_canvas(request, shared=False) as pixels:
        _, not_numbers = kernel.paint(pixels, 0, 0, width, height)

    assert not_numbers == 0
