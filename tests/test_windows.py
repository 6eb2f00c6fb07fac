"""A window is a rectangle of a frame, painted alone: the same pixels to the last bit, in memory of its own."""

from __future__ import annotations

import pickle
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

import render
from render import modes
from render.errors import TileError, UsageError
from render.frame import Canvas, Frame, open_window
from render.frontend.sessions import Session
from render.painting.painter import Painter
from render.plan import Tile
from render.preparation import Preparation
from render.request import LARGEST_SIDES
from render.trace import Recorder

PLACES: dict[str, dict[str, Any]] = {
    "folded": {"scene": "mandelbrot", "parameters": {"x": -0.7, "zoom": 1.3}, "limit": 60},
    "of samples": {"scene": "mandelbrot", "parameters": {"x": -0.75, "y": 0.1, "zoom": 9}, "limit": 60, "samples": 5},
    "in float32": {"scene": "still_life", "precision": "f32", "limit": 20},
}
CPU = ("python", "scalar", "simd")


@cache
def session(place: str, target: str) -> Session:
    """One for all examples, left open."""
    return render.session(**{"samples": 1} | PLACES[place], mode="sequential", target=target, size=(40, 30))


@cache
def whole(place: str, width: int, height: int) -> Frame:
    return session(place, "simd").draw(size=(width, height), tile=(width, height))


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("target", CPU)
@settings(max_examples=12)
@given(data=st.data())
def test_a_window_is_what_is_cut_out_of_the_frame(place: str, target: str, data: st.DataObject) -> None:
    """Wherever it lies: also across the axis, below which rows are mirror images, and at the edges."""
    width, height = data.draw(st.sampled_from([(33, 20), (20, 33), (64, 41)]), "frame")
    x, y = data.draw(st.integers(0, width - 1), "x"), data.draw(st.integers(0, height - 1), "y")
    most = 3 if target == "python" else 64
    wide, high = (data.draw(st.integers(1, min(left, most))) for left in (width - x, height - y))

    cut = session(place, target).window(x, y, wide, high, size=(width, height))

    frame = whole(place, width, height)
    assert np.array_equal(cut.rgb, frame.rgb[y : y + high, x : x + wide])
    for one, other in ((cut.steps, frame.steps), (cut.inside, frame.inside)):
        assert (one is None) == (other is None) == (frame.request.samples > 1)
        assert one is None or np.array_equal(one, np.asarray(other)[y : y + high, x : x + wide])
    assert cut.steps is None or cut.total_steps == cut.steps.sum()


WORLD = """
from render.lanes import fma
ABSORBING = True
def start(x, y, p): return x, y, x, y
def step(state, p):
    x, y, cx, cy = state
    return fma(x, x, fma(-y, y, cx)), fma(x + x, y, cy), cx, cy
def alive(state, p): return fma(state[0], state[0], state[1] * state[1]) <= 16.0
def shade(state, steps, p):
    return steps * 0.02, state[0] * 0.1, state[1] * 0.1
"""
SIDE, EDGE = LARGEST_SIDES["f64"], 16  # pixels of a world, and of a window of it
PITCH = 1 / 32
CORNERS = {"top left": (0, 0), "lower right": (SIDE - EDGE, SIDE - EDGE), "odd": (SIDE // 2 + 12_345, 678)}


def centre_of_world(x: int, y: int) -> dict[str, float]:
    """Where the world's centre must be, so that a window lies around (-0.5, 0.25): all of this is exact in float64."""
    across, down = x + EDGE // 2 - SIDE // 2, y + EDGE // 2 - SIDE // 2
    return {"x": -0.5 - across * PITCH, "y": 0.25 + down * PITCH, "zoom": 4 / (PITCH * SIDE)}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A scene whose centre may be anywhere."""
    path = tmp_path_factory.mktemp("scene") / "world.py"
    path.write_text(WORLD, encoding="utf-8")
    return str(path)


@pytest.mark.parametrize("corner", CORNERS)
@pytest.mark.parametrize(
    "run", ["python", "simd", *(pytest.param(run, marks=pytest.mark.slow) for run in ("scalar", "simulated"))]
)
def test_a_window_of_a_world_is_a_small_frame_of_the_same_points(run: str, corner: str, world: str) -> None:
    """Pixels are numbered up to 2^31: no number of a pixel, of a row or of a byte may overflow."""
    how: dict[str, Any] = {"mode": "cuda", "simulate": True} if run == "simulated" else {"target": run}
    x, y = CORNERS[corner]
    small = {"x": -0.5, "y": 0.25, "zoom": 4 / (PITCH * EDGE)}
    asked: dict[str, Any] = {"scene": world, "samples": 1, "limit": 50, "mode": "sequential"}
    expected = render.draw(**asked, size=EDGE, parameters=small)
    assert len(np.unique(np.asarray(expected.steps))) > 5, "else there is nothing to see"

    with render.session(**asked | how, size=SIDE, parameters=centre_of_world(x, y)) as s:
        cut = s.window(x, y, EDGE, EDGE)

    assert np.array_equal(cut.rgb, expected.rgb)
    assert np.array_equal(np.asarray(cut.steps), np.asarray(expected.steps))
    assert np.array_equal(np.asarray(cut.inside), np.asarray(expected.inside))


def test_a_world_is_refused_where_it_cannot_be_drawn_whole_or_has_no_exact_positions() -> None:
    with render.session(mode="sequential", target="python", size=SIDE) as s, pytest.raises(UsageError, match="EiB"):
        s.draw()
    with pytest.raises(UsageError, match="f32 has no exact positions") as caught:
        render.session(mode="sequential", size=(LARGEST_SIDES["f32"] + 1, 8), precision="f32")
    assert "f64" in caught.value.remedy
    with pytest.raises(UsageError, match="width is 2147483649"):
        render.session(mode="sequential", size=(SIDE + 1, 8))


OUTSIDE = [(-1, 0, 2, 2), (39, 0, 2, 2), (0, 29, 1, 2), (0, 0, 0, 1), (0, 0, 1.5, 1), (0, 0, 1, "a")]


@pytest.mark.parametrize("place", OUTSIDE)
def test_a_window_lies_in_its_frame(place: tuple[Any, Any, Any, Any]) -> None:
    with pytest.raises(UsageError):
        session("folded", "simd").window(*place)


def test_threads_paint_windows_at_once() -> None:
    tiles = [(x, y, 8, 10) for y in (0, 10, 20) for x in range(0, 40, 8)]
    frame = whole("folded", 40, 30)
    with ThreadPoolExecutor(4) as threads:
        cuts = list(threads.map(lambda place: session("folded", "simd").window(*place), tiles * 3))
    for cut in cuts:
        assert np.array_equal(cut.rgb, frame.rgb[cut.y : cut.y + 10, cut.x : cut.x + 8])


def test_a_window_shows_itself_as_a_picture(tmp_path: Any) -> None:
    cut = session("folded", "simd").window(3, 4, 5, 6)
    (tmp_path / "cut.png").write_bytes(cut.png())
    assert np.array_equal(np.asarray(Image.open(tmp_path / "cut.png")), cut.rgb)


def test_a_window_that_fails_is_named(tmp_path: Any) -> None:
    path = tmp_path / "hole.py"
    path.write_text(
        "from render.lanes import where\n"
        'PARAMETERS = {"hole": (0.0, 0.0, 1.0, "Whether there is one.")}\n'
        "def start(x, y, p): return x, y\n"
        "def step(state, p): return state[0], state[1]\n"
        "def alive(state, p): return state[0] != state[0]\n"
        "def shade(state, steps, p): return 0.5 / where(state[0] > 0.0, 1.0, p.hole) * p.hole, 0.5, 0.5\n",
        encoding="utf-8",
    )
    with render.session(scene=str(path), mode="sequential", target="python", size=(8, 4)) as s:
        with pytest.raises(TileError, match=r"window\(0, 0, 8, 4\) of scene .*: \d+ samples") as caught:
            s.window(0, 0, 8, 4)
        assert "session.window(0, 0, 8, 4)" in caught.value.remedy
        assert s.window(0, 0, 8, 4, parameters={"hole": 1.0}).rgb.any()


@pytest.mark.parametrize("mode", ["sequential", "concurrent", "parallel"])
def test_a_mode_paints_a_frame_band_by_band(mode: str) -> None:
    """As one writes a picture that is larger than memory: a window, its tiles, the next window."""
    request = session("folded", "simd").request
    frame = whole("folded", 40, 30)
    preparation = Preparation()
    who = {"backend": "threading", "workers": 2} if mode == "parallel" else {}
    request = render.Request(**vars(request) | {"mode": mode} | who)
    for y, high in ((0, 11), (11, 11), (22, 8)):
        band = open_window(request, 0, y, 40, high)
        tiles = [Tile(number, x, y, 10, high) for number, x in enumerate(range(0, 40, 10))]
        painter = Painter(request, band, preparation.make_kernel(request, print), Recorder())
        assert {done.tile for done in modes.load(mode).run(tiles, painter)} == set(tiles)
        assert np.array_equal(band.rgb, frame.rgb[y : y + high])


@pytest.fixture
def shared(tmp_path: Any) -> Canvas:
    path = tmp_path / "canvas"
    path.write_bytes(bytes(4096))
    return Canvas(5, 4, with_steps=False, path=path, x=7, y=8)


def test_a_process_that_is_sent_a_window_knows_where_it_lies(shared: Canvas) -> None:
    arrived = pickle.loads(pickle.dumps(shared))  # noqa: S301  (our own)
    assert (arrived.x, arrived.y, arrived.rgb.shape) == (7, 8, (4, 5, 3))
    assert arrived.covers(7, 8, 5, 4)
    assert not arrived.covers(6, 8, 5, 4)
    assert not arrived.covers(7, 8, 5, 5)
