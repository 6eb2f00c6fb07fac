"""What every target promises: the picture and the step counts of target python, to the last bit."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from render import engine, scene, targets
from render.options import complete
from render.request import PRECISIONS, Request

HERE = [name for name in targets.names() if name != "cuda"]  # a GPU may be missing: tests/targets/test_cuda.py
COMPILED = [name for name in HERE if name != "python"]
VIEWS = [(name, view) for name in scene.names() for view in scene.load(name).views]
BLOCK = 16


def test_the_folder_holds_the_four_targets() -> None:
    assert set(targets.names()) == {"python", "scalar", "simd", "cuda"}


@pytest.mark.parametrize("name", targets.names())
def test_every_file_offers_what_the_contract_names(name: str) -> None:
    target = targets.load(name)

    assert target.KIND in targets.KINDS
    assert set(target.PRECISIONS) <= set(PRECISIONS)
    assert target.BAND_ROWS >= 0
    assert isinstance(target.DROPS_GIL, bool)
    assert callable(target.unavailable_reason)
    assert callable(target.compile)
    assert target.__doc__


@pytest.mark.parametrize(
    ("name", "view", "precision"),
    [
        pytest.param(*view, precision, marks=[] if precision == scene.load(view[0]).precision else [pytest.mark.slow])
        for view in VIEWS
        for precision in PRECISIONS
    ],
)
def test_every_scene_and_view_is_one_picture(name: str, view: str, precision: str, ask: Callable[..., Request]) -> None:
    request = ask(scene=name, view=view, precision=precision, width=22, height=13, tile=(22, 13))
    expected = engine.draw(request)

    for target in COMPILED:
        frame = engine.draw(replace(request, target=target))

        assert np.array_equal(np.asarray(frame.steps), np.asarray(expected.steps))
        assert np.array_equal(np.asarray(frame.inside), np.asarray(expected.inside))
        assert frame.sha256 == expected.sha256, target
        assert frame.total_steps == expected.total_steps


@pytest.mark.slow
@pytest.mark.parametrize(("name", "view"), VIEWS)
def test_every_view_is_one_picture_up_to_its_own_limit(name: str, view: str, ask: Callable[..., Request]) -> None:
    """Deep views show nothing before some thousand steps; so few pixels that the interpreter can follow them too."""
    limit = scene.load(name).settle(view, {})[1]
    request = ask(scene=name, view=view, limit=limit, width=5, height=3, tile=(5, 3))
    frames = [engine.draw(replace(request, target=target)) for target in HERE]

    assert len({(frame.sha256, frame.total_steps) for frame in frames}) == 1
    wide = replace(request, width=63, height=35)
    assert len({engine.draw(replace(wide, target=target)).sha256 for target in COMPILED}) == 1


@pytest.mark.parametrize("samples", [1, 2, 4, 7])
def test_samples_are_summed_in_order(samples: int, ask: Callable[..., Request]) -> None:
    request = ask(width=17, height=9, tile=(17, 9), samples=samples)

    assert len({engine.draw(replace(request, target=target)).sha256 for target in HERE}) == 1


@pytest.mark.parametrize("limit", [1, 2, BLOCK - 1, BLOCK, BLOCK + 1, 5 * BLOCK - 1, 5 * BLOCK, 5 * BLOCK + 1])
@pytest.mark.parametrize("precision", [pytest.param("f32", marks=pytest.mark.slow), "f64"])
def test_limits_around_a_block_of_steps(limit: int, precision: str, ask: Callable[..., Request]) -> None:
    """A sample may end exactly at the limit, one before or one after it."""
    request = ask(limit=limit, precision=precision, width=31, height=19, tile=(31, 19), parameters={"zoom": 3.0})
    expected = engine.draw(request)

    for target in COMPILED:
        frame = engine.draw(replace(request, target=target))

        assert np.array_equal(np.asarray(frame.steps), np.asarray(expected.steps))
        assert np.array_equal(np.asarray(frame.inside), np.asarray(expected.inside))
        assert frame.sha256 == expected.sha256


@pytest.mark.parametrize("limit", [7, pytest.param(12, marks=pytest.mark.slow)])
@pytest.mark.parametrize("name", ["mandelbrot", "still_life"])
def test_inside_is_what_makes_another_step_where_it_may(name: str, limit: int, ask: Callable[..., Request]) -> None:
    """Not so what ends in the very last step, though its steps are the limit too."""
    for target in HERE:
        frame, longer = (
            engine.draw(ask(scene=name, limit=most, target=target, width=30, height=20, tile=(30, 20)))
            for most in (limit, limit + 1)
        )
        inside = np.asarray(frame.inside)

        assert np.array_equal(inside, np.asarray(longer.steps) == limit + 1)
        assert inside.any()
        assert (np.asarray(frame.steps) == limit)[~inside].any()


@settings(max_examples=25)
@given(
    x=st.floats(-2.0, 0.6),
    y=st.floats(-1.2, 1.2),
    zoom=st.floats(0.5, 1e6),
    bailout=st.sampled_from([2.0, 3.0, 256.0, 1e6]),
    limit=st.integers(1, 70),
    precision=st.sampled_from(["f32", "f64"]),
)
def test_any_place_of_the_mandelbrot_set(
    x: float, y: float, zoom: float, bailout: float, limit: int, precision: str
) -> None:
    from tests.conftest import small_request

    parameters = {"x": x, "y": y, "zoom": zoom, "bailout": bailout}
    request = small_request(
        parameters=parameters, limit=limit, precision=precision, width=9, height=7, tile=(9, 7), target="scalar"
    )
    frames = [engine.draw(replace(request, target=target)) for target in HERE]

    assert len({(frame.sha256, frame.total_steps) for frame in frames}) == 1


DISC = '''
"""Points of the unit disc never end; the inner half of it is known beforehand."""
from render.lanes import fma, where
ABSORBING, INSIDE_FLAT, LIMIT = True, True, 300
def start(x, y, p): return x, y
def step(state, p): return fma(state[0], 1.0, 0.0), state[1]
def alive(state, p): return fma(state[0], state[0], state[1] * state[1]) <= 1.0
def never_ends(x, y, p): return fma(x, x, y * y) <= 0.25
def shade(state, steps, p): return where(alive(state, p), 0.0, 1.0), 0.5, 0.25
'''


@pytest.mark.parametrize("target", COMPILED)
def test_a_shortcut_skips_steps_and_changes_nothing(target: str, tmp_path: Path) -> None:
    path = tmp_path / "disc.py"
    path.write_text(DISC)
    asked = {"scene": str(path), "target": target, "mode": "sequential", "size": (70, 50), "samples": 1}

    short = engine.draw(complete(**asked))
    long = engine.draw(complete(**asked, parameters={"shortcuts": 0}))

    assert np.array_equal(np.asarray(short.steps), np.asarray(long.steps))
    assert np.array_equal(np.asarray(short.inside), np.asarray(long.inside))
    assert short.sha256 == long.sha256
    assert short.total_steps == long.total_steps


NUMBERS = '''
"""Numbers of p that meet constants and each other before they meet a lane; two constants are named as the driver's."""
from render.lanes import fma, fract, sin, where
PRECISION, LIMIT = "f32", 4
BLOCK, PATCH_WIDTH = 0.7, 0.1
PARAMETERS = {"a": (0.3, 0.0, 1.0, "A number."), "n": (3, 0, 9, "A whole number.")}
def start(x, y, p): return fma(p.a, BLOCK, PATCH_WIDTH), (p.a - 0.1) / 3.0, y
def step(state, p): return state
def alive(state, p): return state[0] < p.a - 0.2
def shade(state, steps, p):
    light = sin(p.a * 1.1)
    for _ in range(p.n):
        light = light * (0.9 + p.a)
    return fract(light * 64.0), fract(state[0] * 4096.0), fract(fma(state[1], 4096.0, state[2]))
'''


@pytest.mark.parametrize("precision", ["f32", pytest.param("f64", marks=pytest.mark.slow)])
def test_numbers_keep_the_precision_of_the_request_and_names_are_the_scenes_own(precision: str, tmp_path: Path) -> None:
    path = tmp_path / "numbers.py"
    path.write_text(NUMBERS)
    asked = {"scene": str(path), "mode": "sequential", "size": (24, 16), "precision": precision}

    assert len({engine.draw(complete(**asked, target=target)).sha256 for target in HERE}) == 1


@pytest.mark.parametrize("name", HERE)
def test_a_kernel_can_be_sent_to_another_process(name: str, ask: Callable[..., Request]) -> None:
    request = ask(target=name)
    kernel = targets.load(name).compile(scene.load(request.scene), request, lambda _text: None)

    assert pickle.loads(pickle.dumps(kernel)).about == kernel.about  # noqa: S301  (our own)
