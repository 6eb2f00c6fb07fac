"""The still life: distances that a ray may trust, light that is always a number, one picture on every target."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numba
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from render import engine, scene, targets
from render.codegen.cpu_compiler import lane_words
from render.codegen.llvm_module import INNER
from render.codegen.retarget import retarget
from render.frame import open_canvas
from render.kernels.slots import patch, unpack
from render.lanes import take
from render.language import primitives
from render.parameters import Parameters
from render.request import Request
from render.scene import REALS

STILL_LIFE = scene.load("still_life")
WORDS: dict[str, Any] = STILL_LIFE.functions["shade"].__globals__
AWAY = WORDS["AWAY"]
Point = tuple[float, float, float]

near = st.floats(-2.0, 2.0)
points = st.tuples(near, near, near)
directions = st.tuples(near, near, near).filter(lambda d: math.hypot(*d) > 0.1)
blends = st.floats(*STILL_LIFE.parameters["blend"][1:3])


def nearest(point: Point, blend: float) -> float:
    return float(WORDS["nearest"](point, AWAY, True, Parameters(blend=blend)))


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
    """No two points differ more in their distances than they lie apart (but for the digits of the neck's angles)."""
    assert abs(nearest(along(point, direction, share), blend) - nearest(point, blend)) <= 1.0001 * share + 1e-9


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


def many(name: str, **others: Any) -> Any:
    """A function of the scene for arrays of points; what is rounded a little otherwise does not matter here."""
    meaning: dict[str, Any] = {"fma": lambda a, b, c: a * b + c, "sqrt": np.sqrt, "abs": np.abs, "any_lane": np.any}
    meaning |= {"minimum": np.minimum, "maximum": np.maximum, "where": np.where, "floor": np.floor}
    meaning["take"] = lambda array, index: np.asarray(array)[np.clip(index, 0, len(array) - 1).astype(int)]
    words = {getattr(primitives, word): what for word, what in meaning.items()}
    return retarget(WORDS[name], words=words | {WORDS[word]: what for word, what in others.items()})


class Blend(NamedTuple):
    """What shapes need of p."""

    blend: Any


def ask_nearest(x: Any, y: Any, z: Any, most: Any, blend: Any, out: Any, near: Any) -> None:
    """The nearest shape's distance at many points, one after the other."""
    first, _ = patch()
    for k in range(len(x)):
        at = first + k
        q = take(x, at), take(y, at), take(z, at)
        out[k] = unpack(near(q, take(most, at), q[0] < AWAY, Blend(take(blend, at))))[0]


@pytest.mark.slow
@pytest.mark.parametrize("precision", ["f32", "f64"])
def test_a_shape_is_left_out_only_where_another_is_nearer(precision: str) -> None:
    """At points among the shapes, around them and far off, told the very distance, a little more, or nothing."""
    inner = dict(INNER) | {"no_cpython_wrapper": False, "forceinline": False}

    def compiled(**others: Any) -> Any:
        words = lane_words(precision, 1, 1) | {WORDS[word]: numba.njit(what) for word, what in others.items()}
        near = retarget(WORDS["nearest"], words=words, slots={}, wrap=numba.jit(**inner))
        return retarget(ask_nearest, words=words, slots={}, wrap=numba.jit(**inner)), near

    random = np.random.default_rng(6)
    real = REALS[precision]
    spread = np.repeat([1.0, 3.0, 50.0, 1100.0], 20_000)
    x, y, z = (random.uniform(-1.2, 1.2, (3, spread.size)) * spread + [[0.0], [0.6], [0.0]]).astype(real)
    blend = random.choice(np.array([*STILL_LIFE.parameters["blend"][1:3], 0.22], real), spread.size)
    whole = np.empty_like(x)
    run, near = compiled(is_closer=lambda x, y, z, reach: reach > 0.0 * x - AWAY)
    run(x, y, z, np.full_like(x, AWAY), blend, whole, near)
    run, near = compiled()
    for most in (whole, whole + random.exponential(0.3, whole.shape).astype(real), np.full_like(x, AWAY)):
        found = np.empty_like(x)
        run(x, y, z, most, blend, found, near)

        assert (found == whole).all()


def count_roots(ask: Callable[..., Request], **others: Any) -> int:
    """Count the roots of all lanes together in four patches of 8 x 4 neighbours, from start to colour."""
    roots = 0

    def root(a: Any) -> Any:
        nonlocal roots
        roots += 1
        return np.sqrt(a)

    p: Any = STILL_LIFE.prepared(ask(scene="still_life", precision="f64", height=360, parameters={}))
    across, down = np.meshgrid(np.arange(8) / 90, np.arange(4) / 90)
    for x, y in [(-0.9, 0.4), (0.2, -0.3), (1.4, -0.6), (0.1, 1.0)]:
        words = {"sqrt": root} | others
        state = tuple(part + 0.0 * across for part in many("start", **words)(x + across, y - down, p))
        for _ in range(STILL_LIFE.limit):
            going = many("alive", **words)(state, p)
            state = tuple(np.where(going, *pair) for pair in zip(many("step", **words)(state, p), state, strict=True))
        with np.errstate(all="ignore"):
            many("shade", **words)(state, across, p)
    return roots


def test_most_shapes_are_left_out_by_neighbours_together(ask: Callable[..., Request]) -> None:
    """Counted in roots, which cost the most: under half of those of all shapes wherever one is asked for."""
    all_of_them = count_roots(ask, is_closer=lambda x, y, z, reach: np.full(np.shape(x), True))

    assert count_roots(ask) < 0.5 * all_of_them


@pytest.mark.slow
@pytest.mark.parametrize("precision", ["f32", "f64"])
def test_what_is_left_out_is_not_seen(precision: str, ask: Callable[..., Request], tmp_path: Path) -> None:
    """In any view, one lane at a time (which leaves out the most) and many: as where all shapes are computed."""
    whole = tmp_path / "whole.py"
    text = STILL_LIFE.path.read_text(encoding="utf-8").replace("    is_closer,\n", "")
    whole.write_text(f"{text}\n\ndef is_closer(x, y, z, reach):\n    return reach == reach\n", encoding="utf-8")
    everything = scene.load(str(whole))
    kernels = [(STILL_LIFE, "scalar"), (STILL_LIFE, "simd"), (everything, "simd")]
    first = ask(scene="still_life", precision=precision)
    made = [(one, targets.load(target).compile(one, first, print)) for one, target in kernels]

    @given(
        st.fixed_dictionaries({}, optional={name: allowed(p) for name, p in STILL_LIFE.parameters.items()}),
        st.integers(1, 48),
        st.integers(1, 32),
        st.integers(1, 130),
    )
    def check(parameters: dict[str, float], width: int, height: int, limit: int) -> None:
        asked = {"width": width, "height": height, "limit": limit, "parameters": parameters}
        request = ask(scene="still_life", precision=precision, **asked)
        seen = []
        for one, kernel in made:
            with open_canvas(request, shared=False) as canvas:
                kernel.for_request(request, one.prepared(request)).paint(canvas, 0, 0, width, height)
                assert canvas.steps is not None
                seen.append((canvas.rgb.copy(), canvas.steps.copy()))
        for rgb, steps in seen[1:]:
            assert (rgb == seen[0][0]).all()
            assert (steps == seen[0][1]).all()

    check()


@pytest.mark.parametrize("blend", [0.05, 0.22, 0.5])
@pytest.mark.parametrize("inwards", [True, False], ids=["outside", "inside"])
def test_the_vase_has_no_crease(blend: float, inwards: bool) -> None:
    """Up its wall, and around the rim, the normal turns with the way, and never at once."""

    def vase(r: Any, y: Any) -> Any:
        return many("shapes")((r - 0.72, y, np.full_like(r, -0.28)), AWAY, True, Parameters(blend=blend))[1]

    y = np.linspace(0.05 if inwards else 1.05, 1.5245, 6000)
    r = np.full_like(y, 0.9 if inwards else 0.0)
    for _ in range(200):
        r += -vase(r, y) if inwards else vase(r, y)
    normals = np.array([vase(r + 1e-6, y) - vase(r - 1e-6, y), vase(r, y + 1e-6) - vase(r, y - 1e-6)]) / 2e-6
    turned = np.hypot(*np.diff(normals))
    gone = np.hypot(np.diff(r), np.diff(y))

    assert np.abs(vase(r, y)).max() < 1e-5
    assert (turned < gone / 0.02 + 1e-3).all()


def test_the_bottom_of_the_neck_does_not_come_to_a_point() -> None:
    p = Parameters(blend=0.22)
    vase = [float(WORDS["shapes"]((r - 0.72, 0.96, -0.28), AWAY, True, p)[1]) for r in (0.0, 0.002)]

    assert vase[1] == pytest.approx(vase[0], abs=5e-5)


@pytest.mark.parametrize("height", [32.0, 90.0])
@pytest.mark.parametrize("softness", [0.02, 0.09, 0.3])
def test_shadows_are_what_small_steps_give(height: float, softness: float, ask: Callable[..., Request]) -> None:
    """On the vase's shoulder, under its rim, and on the table around all shapes."""
    parameters = {"sun_height": height, "softness": softness}
    p: Any = STILL_LIFE.prepared(ask(scene="still_life", precision="f64", parameters=parameters))
    random = np.random.default_rng(9)
    r, around = random.uniform(0.25, 0.45, 200), random.uniform(0.0, 2.0 * np.pi, 200)
    r, y = np.where(np.arange(200) % 2, 3.0 * r, r), np.where(np.arange(200) % 2, 0.001, 1.36 - 1.42 * r)
    x, z = r * np.cos(around) - 0.72, r * np.sin(around) - 0.28
    clear = many("nearest")((x, y, z), AWAY, True, p) > 1e-3
    x, y, z = x[clear], y[clear], z[clear]
    t = np.arange(0.02, (1.9 - y.min()) / p.sun[1], 1e-3)[:, None]
    ways = tuple(part + t * to for part, to in zip((x, y, z), p.sun, strict=True))
    seen = many("nearest")(ways, AWAY, True, p) / (t * softness)
    right = np.clip(0.5 * seen.min(0) + 0.5, 0.0, 1.0)
    right = right * right * (3.0 - 2.0 * right)

    with np.errstate(all="ignore"):
        found = many("sunshine")((x, y, z), np.full(x.shape, True), p)

    assert 0.1 < right.mean() < 0.9
    assert np.abs(found - right).max() < 0.025
    assert np.abs(found - right).mean() < 0.001


def test_mirrored_rays_end_at_a_surface_or_behind_all(ask: Callable[..., Request]) -> None:
    """Not on the way, where steps are short: along a surface, or through the ring."""
    p: Any = STILL_LIFE.prepared(ask(scene="still_life", precision="f64", height=540))
    random = np.random.default_rng(3)
    o, d = random.uniform([[-1.2], [0.0], [-0.8]], [[1.3], [1.0], [0.9]], (3, 20_000)), random.normal(size=(3, 20_000))
    clear = many("nearest")(o, AWAY, True, p) > 2e-3
    o, d = o[:, clear], (d / np.sqrt((d * d).sum(0)))[:, clear]

    t, _, end = many("mirrored")(tuple(o), tuple(d), np.full(o.shape[1], True), p)

    left = many("nearest")(tuple(o + t * d), AWAY, True, p) > p.cone * t + 2e-3
    assert (t >= end).mean() > 0.2
    assert not (left & (t < end)).any()


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


def test_the_camera_may_stand_right_above_and_never_among_the_shapes(ask: Callable[..., Request]) -> None:
    for distance, height in [(0.0, 9.0), (0.0, 0.05), (1.2, 0.6), (2.0, 0.05)]:
        asked = ask(scene="still_life", precision="f64", parameters={"distance": distance, "height": height})
        p: Any = STILL_LIFE.prepared(asked)
        eye, ahead = np.array(p.eye), np.array(p.ahead)

        assert math.dist(eye, (0.0, WORDS["MIDDLE"], 0.0)) > WORDS["REACH"]
        assert eye[1] >= height
        assert np.cross(ahead, [0.0, WORDS["MIDDLE"], 0.0] - eye) == pytest.approx(0.0, abs=1e-9)


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
    with open_canvas(request, shared=False) as pixels:
        _, not_numbers = kernel.paint(pixels, 0, 0, width, height)

    assert not_numbers == 0
