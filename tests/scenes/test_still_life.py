"""The still life: distances that a ray may trust, light that is always a number, one picture on every target."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from render import engine, scene, targets
from render.frame import canvas
from render.parameters import Parameters
from render.request import Request

STILL_LIFE = scene.load("still_life")
WORDS: dict[str, Any] = STILL_LIFE.functions["shade"].__globals__
Point = tuple[float, float, float]

near = st.floats(-2.0, 2.0)
points = st.tuples(near, near, near)
directions = st.tuples(near, near, near).filter(lambda d: math.hypot(*d) > 0.1)
blends = st.floats(*STILL_LIFE.parameters["blend"][1:3])


def nearest(point: Point, blend: float) -> float:
    return float(WORDS["nearest"](point, Parameters(blend=blend)))


def along(point: Point, direction: Point, distance: float) -> Point:
    share = distance / math.hypot(*direction)
    return tuple(a + share * b for a, b in zip(point, direction, strict=True))  # type: ignore[return-value]


def sample(x: float, y: float, ask: Callable[..., Request], **parameters: float) -> tuple[list[float], list[float]]:
    """The final state and the light of one sample, in plain Python."""
    request = ask(scene="still_life", precision="f64", height=360, parameters=parameters)
    p = STILL_LIFE.prepared(request)
    start, step, alive, shade = (STILL_LIFE.functions[name] for name in ("start", "step", "alive", "shade"))
    state, steps = start(np.float64(x), np.float64(y), p), 0
    while steps < STILL_LIFE.limit and alive(state, p):
        state, steps = step(state, p), steps + 1
    return state, [float(part) for part in shade(state, np.float64(steps), p)]


@given(points, directions, st.floats(0.0, 1.0), blends)
def test_a_step_never_passes_a_surface(point: Point, direction: Point, share: float, blend: float) -> None:
    """No two points differ more in their distances than they lie apart (the neck's slope allows 1 % of rounding)."""
    assert abs(nearest(along(point, direction, share), blend) - nearest(point, blend)) <= 1.01 * share + 1e-9


@given(directions, blends)
def test_all_shapes_lie_within_the_sphere_that_rays_are_followed_in(direction: Point, blend: float) -> None:
    edge = along((0.0, WORDS["MIDDLE"], 0.0), direction, WORDS["REACH"])

    assert edge[1] < 0.0 or nearest(edge, blend) > 0.0


@given(near, near, blends)
def test_melting_is_symmetrical_fills_out_and_ends_at_its_reach(a: float, b: float, blend: float) -> None:
    melted = WORDS["melted"]

    assert melted(a, b, blend) == melted(b, a, blend)
    assert min(a, b) - 0.25 * blend - 1e-12 <= melted(a, b, blend) <= min(a, b)
    assert abs(a - b) < blend or melted(a, b, blend) == min(a, b)


@given(st.floats(-50.0, 50.0), st.floats(0.05, 50.0))
@example(0.3, 0.02)
def test_the_filter_of_the_tiles_is_their_mean(x: float, width: float) -> None:
    tile = WORDS["TILE"]
    places = x + width * (np.arange(20_000) + 0.5) / 20_000 - width / 2
    stripes = np.where(np.floor(places / tile) % 2 == 0, 1.0, -1.0)

    assert WORDS["striped"](x, width) == pytest.approx(float(stripes.mean()), abs=2e-3)


def test_rays_upwards_end_as_sky_without_a_step(ask: Callable[..., Request]) -> None:
    state, light = sample(1.0, 2.9, ask)

    assert state[0] >= state[5]
    assert light[2] > 0.8 * light[1], "sky is not brown"
    assert float(WORDS["table"]((0.0, 1.0, 0.0), state[2:5])) == WORDS["FAR"]


def test_in_the_foreground_tiles_are_dark_and_light(ask: Callable[..., Request]) -> None:
    row = [sum(sample(x / 4, -1.6, ask)[1]) for x in range(-12, 13)]

    assert max(row) > 1.8 * min(row)


@pytest.mark.parametrize("reflections", [0, 3])
def test_any_number_of_mirror_images_is_one_picture(reflections: int, ask: Callable[..., Request]) -> None:
    parameters = {"reflections": reflections}
    request = ask(scene="still_life", width=19, height=11, tile=(19, 11), samples=2, limit=112, parameters=parameters)

    assert engine.draw(replace(request, target="simd")).sha256 == engine.draw(request).sha256


def allowed(parameter: Any) -> st.SearchStrategy[float]:
    """A value at a parameter's bounds, or between them."""
    between = st.integers if isinstance(parameter.default, int) else st.floats
    bounds = parameter.lowest, parameter.highest
    return st.sampled_from(bounds) | between(*bounds)


@given(
    st.fixed_dictionaries({}, optional={name: allowed(p) for name, p in STILL_LIFE.parameters.items()}),
    st.integers(1, 23),
    st.integers(1, 17),
    st.integers(1, 130),
)
def test_no_allowed_value_leaves_a_pixel_without_a_number(
    ask: Callable[..., Request], parameters: dict[str, float], width: int, height: int, limit: int
) -> None:
    request = ask(scene="still_life", width=width, height=height, limit=limit, parameters=parameters)
    kernel = targets.load("simd").compile(STILL_LIFE, request, print)
    with canvas(request, shared=False) as pixels:
        _, not_numbers = kernel.paint(pixels, 0, 0, width, height)

    assert not_numbers == 0
