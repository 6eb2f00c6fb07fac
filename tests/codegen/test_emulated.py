"""The PTX of the GPU's kernel, carried out on the CPU through the real host's code: emulated, never a timing.

What it paints is compared with target scalar to the last bit: pixels, step counts, tallies.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from functools import cache, partial
from itertools import product
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from render import engine, scene, targets
from render.codegen import cuda_compiler
from render.frame import Frame, open_window
from render.kernels import warp
from render.kernels.launch import COUNTERS, LISTED, MEMBERS, TAKEN, THREADS
from render.request import Request
from render.runtime import launch
from render.runtime.cuda import device
from render.runtime.launch import LAUNCHES
from tests.conftest import library
from tests.gpu_driver import GPU, Emulated, drawn, open_device
from tests.ptx.machine import TOGETHER as TOGETHER_AT_MOST
from tests.ptx.machine import Order

SM_90 = (9, 0)
SIZES = {"mandelbulb": (19, 11), "still_life": (19, 11)}  # their steps are long
PRECISIONS = ("f32", "f64")
Ask = Callable[..., Request]
every_precision = pytest.mark.parametrize("precision", ["f64", pytest.param("f32", marks=pytest.mark.slow)])
QUICK = [("mandelbrot", "f64")]  # each compiles for seconds; what has no shortcuts is a scene of the user below
EACH_SCENE = [
    pytest.param(*each, marks=[] if each in QUICK else [pytest.mark.slow])
    for each in product(scene.names(), PRECISIONS)
]


def assembly(request: Request) -> bytes:
    """The PTX of a request's kernel."""
    text: str = cuda_compiler.emit_ptx(library(request), SM_90)
    return text.encode()


def emulated(request: Request, driver: Emulated | None = None) -> Frame:
    """The frame that an emulated GPU paints."""
    return drawn(driver or Emulated(), request, assembly(request))


@cache
def expected(request: Request) -> Frame:
    """The same frame from the CPU."""
    whole = request.width, request.height
    return engine.draw(replace(request, mode="sequential", target="scalar", tile=whole))


def check(request: Request, driver: Emulated | None = None) -> None:
    """Every bit of a frame. The tallies are the sum that is compared last; a NaN would have been an error."""
    frame, wanted = emulated(request, driver), expected(request)

    assert np.array_equal(frame.rgb, np.asarray(wanted.rgb))
    assert (frame.steps is None) == (wanted.steps is None)
    assert frame.steps is None or np.array_equal(frame.steps, np.asarray(wanted.steps))
    assert frame.inside is None or np.array_equal(frame.inside, np.asarray(wanted.inside))
    assert frame.total_steps == wanted.total_steps


@pytest.fixture
def frame(ask: Ask) -> Ask:
    """Makes requests of one ragged tile for a GPU."""

    def of(name: str = "mandelbrot", size: tuple[int, int] = (37, 19), **more: Any) -> Request:
        size = SIZES.get(name, size)
        wanted = {"width": size[0], "height": size[1], "tile": size, "limit": 50} | more
        return ask(scene=name, mode="cuda", target="cuda", **wanted)

    return of


@pytest.mark.parametrize(("name", "precision"), EACH_SCENE)
def test_each_scene_is_painted_as_the_cpu_paints_it(name: str, precision: str, frame: Ask) -> None:
    check(frame(name, precision=precision))


@pytest.mark.parametrize("shortcuts", [0, 1])
@pytest.mark.parametrize("limit", [1, 7, 8, 9, 15, 16, 17, 31, 32, 33])
def test_the_limit_is_met_to_the_step(limit: int, shortcuts: int, frame: Ask) -> None:
    check(frame(size=(23, 11), limit=limit, parameters={"bailout": 2.0, "shortcuts": shortcuts}))


@every_precision
@pytest.mark.parametrize("shortcuts", [0, 1])
def test_samples_and_shortcuts(shortcuts: int, precision: str, frame: Ask) -> None:
    """One sample a pixel has code of its own, which meets its limits above."""
    check(frame(samples=3, precision=precision, parameters={"shortcuts": shortcuts}))


@pytest.mark.slow
@every_precision
def test_relief(precision: str, frame: Ask) -> None:
    check(frame(precision=precision, parameters={"light": 1.0, "edge": 0.5}))


@pytest.mark.parametrize("size", [(1, 1), (8, 4), (9, 5), (33, 2), (3, 40)], ids=str)
def test_a_frame_may_have_any_size(size: tuple[int, int], frame: Ask) -> None:
    check(frame(size=size))


@pytest.mark.parametrize("tile", [(16, 16), (13, 7)], ids=str)
def test_tiles_of_several_launches_make_one_picture(tile: tuple[int, int], frame: Ask) -> None:
    driver = Emulated()

    check(frame(tile=tile, samples=2), driver)

    assert 1 < len(driver.grids) <= LAUNCHES
    assert {grid.block for grid in driver.grids} == {THREADS}
    assert not driver.memory


def at_random(places: np.ndarray, chance: random.Random) -> int:
    """Any group."""
    return int(chance.choice(places.tolist()))


@pytest.mark.parametrize(("x", "y"), [(-1.3107, 0.0), (-0.1226, 0.7449)], ids=["period 4", "period 3"])
@every_precision
def test_a_sample_that_comes_round_is_not_followed_to_the_limit(precision: str, x: float, y: float, frame: Ask) -> None:
    """In bulbs that only their cycles tell from points that take long."""
    drivers = Emulated(), Emulated()
    for shortcuts, driver in enumerate(drivers):
        view = {"x": x, "y": y, "zoom": 400.0, "shortcuts": shortcuts}
        check(frame(size=(8, 4), limit=8_000, precision=precision, parameters=view), driver)
    followed, seen_through = (driver.work[0].issued for driver in drivers)

    assert seen_through < followed / 2


FOLLOWING = """
from render.lanes import fract, where
LIMIT = 9000
ABSORBING = True
INSIDE_FLAT = True
PARAMETERS = {}
def start(x, y, p): return where(fract(x) < 0.5, 0.0, 2880.0), y
def step(state, p): return state[0] + 1.0, 0.0 * state[1]
def alive(state, p): return state[0] < 5000.0
def shade(state, steps, p): return steps / 9000.0, 0.5, 0.5
"""


@pytest.mark.slow
def test_a_sample_in_a_state_of_the_one_before_it_is_not_taken_to_come_round(tmp_path: Path, frame: Ask) -> None:
    """Looked at after each 1440 steps, a pixel's second sample is first seen where the first was seen last."""
    path = tmp_path / "following.py"
    path.write_text(FOLLOWING, encoding="utf-8")

    check(frame(str(path), size=(8, 4), limit=9000, samples=2, parameters={"shortcuts": 1, "zoom": 1.0}))


LONG = {"view": "seahorses", "limit": 700}  # many samples go on after the first pass


@pytest.mark.usefixtures("at_once")
@every_precision
@pytest.mark.parametrize("samples", [1, 3])
def test_what_the_first_pass_lists_the_second_finishes(samples: int, precision: str, frame: Ask) -> None:
    """In tiles that are cut at the right and at the lower edge."""
    check(frame(**LONG, size=(33, 14), tile=(16, 7), samples=samples, precision=precision))


def count_pixels(request: Request) -> tuple[int, int]:
    """Paint a frame as one tile; how many pixels are listed, and how many were taken from the list by counting."""
    opened = open_device(Emulated(), request, assembly(request))
    (stream,) = opened.streams(1)
    stream.submit(np.array([[0, 0, request.width, request.height]]))
    stream.collect()
    counters = stream._memory[: 8 * COUNTERS].view(np.int64)  # noqa: SLF001
    opened.close()
    return int(counters[LISTED]), int(counters[TAKEN])


def test_the_first_pixels_of_the_list_are_taken_without_counting(frame: Ask) -> None:
    """So no warp of the second pass waits for another where each has enough with what is its own."""
    listed, taken = count_pixels(frame(**LONG, size=(33, 14)))

    assert listed > 50
    assert taken == 0


TOGETHER = {"x": -0.1, "zoom": 40.0, "shortcuts": 0}  # inside: no sample ends before the others


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first pass need not leave anything to the second before it follows samples on."""
    monkeypatch.setattr(device, "ROUNDS", 0)


@pytest.mark.usefixtures("at_once")
@pytest.mark.parametrize(("blocks", "more"), [(0, 0), (0, 1), (1, 1), (warp.LOOK, 31), (warp.LOOK, 32)])
def test_a_warp_goes_on_while_its_lanes_go_on_together(blocks: int, more: int, frame: Ask) -> None:
    """Pixels that end within LOOK blocks more, or a part of a block behind them, are not listed."""
    limit = warp.FOLLOWED + warp.BLOCK * blocks + more
    request = frame(size=(8, 4), limit=limit, parameters=TOGETHER)

    check(request)
    assert count_pixels(request)[0] == (32 if blocks and more >= warp.BLOCK else 0)


@pytest.mark.usefixtures("at_once")
@pytest.mark.parametrize("samples", [1, 3])
def test_half_a_warp_or_less_is_listed(samples: int, frame: Ask) -> None:
    """Its other lanes are outside of the frame."""
    for width, listed in ((4, 16), (5, 0)):
        request = frame(size=(width, 4), limit=300, samples=samples, parameters=TOGETHER)
        check(request)
        assert count_pixels(request)[0] == listed


def test_warps_go_on_once_the_list_is_long_enough_for_the_second_pass(frame: Ask) -> None:
    """The emulator carries out the first half of the frame first, so all of it is listed."""
    size = 128, 64
    assert device.ROUNDS * THREADS * device.FINISHING * GPU.multiprocessors <= TOGETHER_AT_MOST < prod(size)

    assert count_pixels(frame(size=size, limit=300, parameters=TOGETHER))[0] == TOGETHER_AT_MOST


@pytest.mark.parametrize("samples", [1, 3])
def test_what_has_no_room_in_the_list_is_followed_anew(
    samples: int, frame: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its steps are counted once."""
    monkeypatch.setattr(launch, "MOST_LISTED", MEMBERS * 8 * 40)  # bytes, for 40 pixels
    check(frame(**LONG, size=(24, 12), samples=samples))


@pytest.mark.slow
def test_scenes_with_long_states_and_many_steps_are_listed_too(
    own: Callable[..., str], frame: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(warp, "FOLLOWED", warp.FIRST)
    monkeypatch.setattr(warp, "FOLLOWED_BY_STEPS", 5)
    for absorbing in (True, False):
        check(frame(own(absorbing=absorbing), limit=70, samples=2))
    check(frame("mandelbulb", limit=70))


def test_most_lanes_of_a_warp_take_part_where_samples_end_at_all_times(frame: Ask) -> None:
    """That is what the list is for."""
    driver = Emulated()
    check(frame(view="seahorses", size=(64, 64), limit=2000), driver)

    assert driver.work[0].busy > 0.75


@every_precision
def test_what_a_sample_costs_besides_its_steps(precision: str, frame: Ask) -> None:
    """Outside of the set, where each is followed for one block of steps."""
    driver = Emulated()
    check(frame(size=(64, 64), limit=100, precision=precision, parameters={"x": 3.0, "zoom": 3.0}), driver)
    squares = 64 * 64 // 32

    most = {"f32": 400, "f64": 390}[precision]
    assert 300 < driver.work[0].issued / squares - 90 < most


def test_each_square_tells_where_and_when_it_was_painted(frame: Ask) -> None:
    """And no other: the second tile is smaller than its slot, so some of its squares lie outside of it."""
    request = frame(size=(90, 60), limit=10)
    opened = open_device(Emulated(), request, assembly(request))
    (stream,) = opened.streams(1)
    stream.submit(np.array([[0, 0, 40, 60], [40, 0, 33, 20], [50, 20, 40, 40]]))
    painted = stream.collect()
    opened.close()

    assert painted.squares is not None
    multiprocessors, tiles, started, finished = painted.squares
    assert np.bincount(tiles).tolist() == [5 * 15, 5 * 5, 5 * 10]
    assert set(multiprocessors) == set(range(GPU.multiprocessors))
    assert (started < finished).all()
    assert painted.first.tolist() == [started[tiles == tile].min() for tile in range(3)]
    assert painted.last.tolist() == [finished[tiles == tile].max() for tile in range(3)]
    assert painted.began <= painted.first[0] <= painted.first[1] <= painted.first[2], "squares come in tile order"
    assert painted.last.max() <= painted.painted


def test_each_tile_has_its_own_tally(own: Callable[..., str], frame: Ask) -> None:
    """Samples that are no number are counted where they are: here some of the first tile's."""
    request = frame(own(absorbing=False), parameters={"edge": -1.0})
    opened = open_device(Emulated(), request, assembly(request))
    (stream,) = opened.streams(1)
    rectangles = np.array([[0, 0, 16, 8], [16, 0, 9, 5], [25, 0, 1, 1]])
    stream.submit(rectangles)
    painted = stream.collect()
    opened.close()

    tallies = list(zip(painted.made.tolist(), painted.bad.tolist(), strict=True))
    assert 0 < tallies[0][1] < 16 * 8
    assert tallies == [counted_by_the_cpu(request, rectangle) for rectangle in rectangles.tolist()]


def counted_by_the_cpu(request: Request, rectangle: list[int]) -> tuple[int, int]:
    """The steps that target scalar makes for a rectangle, and the samples that are no number."""
    kernel = targets.load("scalar").compile(scene.load(request.scene), request, print)
    return kernel.paint(open_window(request, *rectangle), *rectangle)


@pytest.mark.parametrize("order", [max, partial(at_random, chance=random.Random(1))], ids=["last", "random"])  # noqa: S311
def test_the_order_of_the_threads_cannot_be_seen(order: Order, frame: Ask) -> None:
    check(frame(samples=2, size=(21, 13)), Emulated(order=order))


PLAIN = """
from render.lanes import fma, minimum, sqrt, where
LIMIT = 20
ABSORBING = {absorbing}  # what is asked for is the least x so far
INSIDE_FLAT = False
PARAMETERS = {{"edge": (-99.0, -99.0, 0.0, "Where red is a number.")}}

def start(x, y, p):
    return x, y, x

def step(state, p):
    x, y, least = state
    return fma(x, 0.75, y), fma(y, 0.75, -0.25 * x), minimum(least, x)

def alive(state, p):
    return state[2] > -0.5

def shade(state, steps, p):
    red = where(state[2] > p.edge, sqrt(0.1 * state[0] * state[0]), (state[0] - state[0]) / 0.0)
    return red, where(state[1] > 0.0, 0.25, 1.0), steps / 20.0
"""


@pytest.fixture
def own(tmp_path: Path) -> Callable[..., str]:
    """A user's scene."""

    def write(*, absorbing: bool) -> str:
        path = tmp_path / "own.py"
        path.write_text(PLAIN.format(absorbing=absorbing), encoding="utf-8")
        return str(path)

    return write


@every_precision
@pytest.mark.parametrize("absorbing", [pytest.param(True, marks=pytest.mark.slow), False])
def test_a_scene_of_the_user(absorbing: bool, precision: str, own: Callable[..., str], frame: Ask) -> None:
    check(frame(own(absorbing=absorbing), limit=20, precision=precision))


def test_a_launch_at_the_far_corner_of_a_world(own: Callable[..., str], frame: Ask) -> None:
    """Pixels are numbered up to 2^31 there, and a thread's integers have 32 bits, or 64."""
    side, wide, high, pitch = 1 << 31, 20, 10, 1 / 8
    away = (side / 2 - 10) * pitch
    place = {"x": -away, "y": away, "zoom": 4 / (pitch * side)}
    request = frame(own(absorbing=False), size=(side, side), tile=(wide, high), limit=20, parameters=place)
    rectangle = (side - wide, side - high, wide, high)
    opened = open_device(Emulated(), request, assembly(request))
    (stream,) = opened.streams(1)
    stream.submit(np.array([rectangle]))
    painted = stream.collect()
    here = open_window(request, *rectangle)
    kernel = targets.load("scalar").compile(scene.load(request.scene), request, print)

    assert kernel.paint(here, *rectangle) == (int(painted.made[0]), int(painted.bad[0]))
    assert len(np.unique(np.asarray(here.steps))) > 3, "else there is nothing to see"
    assert np.array_equal(painted.rgb[0], here.rgb)
    assert np.array_equal(np.asarray(painted.steps)[0], np.asarray(here.steps))
    opened.close()
