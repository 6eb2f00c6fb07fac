"""The driver of many lanes: whatever it puts aside, takes out or skips, the picture is that of one lane."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from render import scene, targets
from render.codegen import avx512, cpu_compiler
from render.codegen.program import PATCHES, Width, vector_program
from render.frame import Canvas, open_canvas
from render.kernels import driver, room
from render.request import Request
from render.runtime.cpu import native, underway
from render.targets import simd
from tests.conftest import small_request

PLACES = [
    {"scene": "mandelbrot", "parameters": {"x": -0.745, "y": 0.113, "zoom": 30.0}, "limit": 700},
    {"scene": "still_life", "precision": "f32", "limit": 60},
]
CIRCLING = '''
"""A quadratic map whose point c is a parameter, so that two samples may well meet in the same state."""
from render.lanes import fma
LIMIT = 100000
PRECISION = "f32"
ABSORBING = True
INSIDE_FLAT = True
PARAMETERS = {"bailout": (4.0, 2.0, 100.0, "How far out.")}
def start(x, y, p): return x, y
def step(state, p): return fma(state[0], state[0], fma(-state[1], state[1], -0.9)), fma(2.0 * state[0], state[1], 0.1)
def alive(state, p): return fma(state[0], state[0], state[1] * state[1]) <= p.bailout
def shade(state, steps, p): return 0.0001 * steps, 0.5, 0.5
'''
MIRRORED = '''
"""Its lower half is the mirror image of its upper half, and in both are rows without a colour."""
LIMIT = 3
ABSORBING = False
INSIDE_FLAT = False
PARAMETERS = {}
def symmetric(p): return True
def start(x, y, p): return x, y * y
def step(state, p): return state[0] + 1.0, state[1]
def alive(state, p): return state[0] < 1.0
def shade(state, steps, p): return (state[1] - 1.0) / (state[1] - 1.0), 0.5, 0.5
'''
WIDTH = Width(lanes=32, groups=2, first=16, batch=16, removal_cost=16, move_cost=0)


def kernel(request: Request, target: str) -> Any:
    """Compiled code for the request; nothing is announced."""
    return targets.load(target).compile(scene.load(request.scene), replace(request, target=target), lambda _: None)


def painted(request: Request, paint: Callable[[Canvas], int]) -> tuple[int, bytes, bytes]:
    """The steps made, the pixels and the counts of a whole frame."""
    with open_canvas(request, shared=False) as surface:
        made = paint(surface)
        return made, surface.rgb.tobytes(), np.asarray(surface.steps).tobytes()


def at_once(request: Request, target: str) -> tuple[int, bytes, bytes]:
    return painted(request, lambda surface: kernel(request, target).paint(surface, 0, 0, *size(request))[0])


def size(request: Request) -> tuple[int, int]:
    return request.width, request.height


def having(request: Request, **parameters: Any) -> Request:
    return replace(request, parameters=tuple(sorted((request.values | parameters).items())))


@pytest.mark.slow
@pytest.mark.parametrize("place", PLACES, ids=lambda place: str(place["scene"]))
@settings(max_examples=15)
@given(width=st.integers(1, 70), height=st.integers(1, 40), budgets=st.lists(st.integers(1, 20_000), min_size=1))
def test_a_frame_painted_in_pieces_is_the_same(
    place: dict[str, Any], width: int, height: int, budgets: list[int]
) -> None:
    request = small_request(**place, width=width, height=height, tile=(width, height))

    def in_pieces(surface: Canvas) -> int:
        made, turn, done = 0, 0, False
        with kernel(request, "simd").start_rectangle(surface, 0, 0, width, height) as rectangle:
            while not done:
                steps, bad, done = rectangle.paint_slice(budgets[turn % len(budgets)])
                made, turn = made + steps, turn + 1
                assert bad == 0
        return made

    assert painted(request, in_pieces) == at_once(request, "scalar")


def test_rectangles_begun_in_turn_keep_out_of_each_others_way(ask: Callable[..., Request]) -> None:
    request = ask(**PLACES[0], width=64, height=48, tile=(32, 24))
    corners = [(x, y) for y in (0, 24) for x in (0, 32)]

    def juggled(surface: Canvas) -> int:
        made = 0
        code = kernel(request, "simd")
        with ExitStack() as stack:
            left = [stack.enter_context(code.start_rectangle(surface, *corner, 32, 24)) for corner in corners]
            while left:
                rectangle = left.pop(0)
                steps, _, done = rectangle.paint_slice(2000)
                made += steps
                left += [] if done else [rectangle]
        return made

    assert painted(request, juggled) == at_once(request, "scalar")


@pytest.mark.parametrize("samples", [1, 5])
def test_one_tray_is_enough(samples: int, monkeypatch: pytest.MonkeyPatch, ask: Callable[..., Request]) -> None:
    monkeypatch.setattr(underway, "TRAY_BYTES", 0)
    monkeypatch.setattr(underway, "FEWEST_TRAYS", 1)
    request = ask(**PLACES[0], width=61, height=33, tile=(61, 33), samples=samples)

    assert at_once(request, "simd")[:2] == at_once(request, "scalar")[:2]


@pytest.mark.parametrize("name", [name for name in scene.names() if "symmetric" in scene.load(name).functions])
@settings(max_examples=25)
@given(
    width=st.integers(1, 40),
    height=st.integers(1, 60),
    cuts=st.lists(st.integers(1, 59), max_size=3),
    precision=st.sampled_from(["f32", "f64"]),
)
def test_rows_that_are_mirror_images_are_stored_with_the_others(
    name: str, width: int, height: int, cuts: list[int], precision: str
) -> None:
    request = small_request(scene=name, precision=precision, width=width, height=height, tile=(width, height), limit=80)
    edges = sorted({0, height, *(cut for cut in cuts if cut < height)})

    def in_bands(surface: Canvas) -> int:
        code = kernel(request, "simd")
        return sum(code.paint(surface, 0, y, width, end - y)[0] for y, end in pairwise(edges))

    assert painted(request, in_bands) == at_once(request, "scalar")


@pytest.mark.parametrize(("y", "height", "bad"), [(0, 16, 18), (3, 9, 18), (8, 8, 9), (0, 8, 9), (9, 7, 0)])
def test_samples_without_a_colour_are_counted_in_rows_that_are_mirror_images_too(
    y: int, height: int, bad: int, tmp_path: Path, ask: Callable[..., Request]
) -> None:
    """Of sixteen rows, 7 and 8 are at a distance of 1 from the axis."""
    path = tmp_path / "mirrored.py"
    path.write_text(MIRRORED, encoding="utf-8")
    request = ask(scene=str(path), width=9, height=16, tile=(9, 16), limit=3, parameters={"zoom": 0.125})

    with open_canvas(request, shared=False) as surface:
        simd, scalar = (kernel(request, target).paint(surface, 0, y, 9, height) for target in ("simd", "scalar"))

    assert simd == scalar
    assert simd[1] == bad


def test_a_frame_around_the_axis_takes_half_the_rounds(ask: Callable[..., Request]) -> None:
    request = ask(width=64, height=64, tile=(64, 64), limit=400, parameters={"x": -1.1})

    assert rounds(request)[1] < 0.6 * rounds(having(request, light=0.5))[1]


def rounds(request: Request) -> tuple[tuple[int, bytes, bytes], int]:
    """What is painted, and how often lanes were stepped together for it."""
    code = kernel(request, "simd")
    result = painted(request, lambda surface: code.paint(surface, 0, 0, *size(request))[0])
    return result, steps_of_lanes(code._workspaces.take(request).notes, 16)  # noqa: SLF001  (what the driver has noted)


def steps_of_lanes(notes: Any, batch: int) -> int:
    """How often all lanes of a patch or of a group were stepped together."""
    first = room.COUNTER.blocks
    return int(notes[room.COUNTER.first_steps] + batch * notes[first : first + room.MOST_GROUPS].sum())


def test_samples_that_come_round_skip_their_steps_and_nothing_else_changes(
    tmp_path: Path, ask: Callable[..., Request]
) -> None:
    path = tmp_path / "circling.py"
    path.write_text(CIRCLING, encoding="utf-8")
    request = ask(scene=str(path), precision="f32", limit=100_000, width=40, height=24, tile=(40, 24))

    fast, few = rounds(having(request, shortcuts=1))
    slow, many = rounds(having(request, shortcuts=0))

    assert fast == slow
    assert few < many / 10


# --- widths ------------------------------------------------------------------------------------------------


def of_width(request: Request, width: Width) -> native.NativeKernel:
    """Vector code of this width, whatever the machine's own would be."""
    loaded = scene.load(request.scene)
    return native.make_kernel(vector_program(loaded, request, width), loaded, request, str(width), lambda _: None)


def noted(request: Request, width: Width) -> tuple[int, Any]:
    """The steps made for a whole frame, and what the driver has noted at its end."""
    code = of_width(request, width)
    made, *_ = painted(request, lambda surface: code.paint(surface, 0, 0, *size(request))[0])
    return made, code._workspaces.take(request).notes  # noqa: SLF001  (what the driver has noted)


def test_lanes_that_have_ended_are_given_other_samples(ask: Callable[..., Request]) -> None:
    """Of the steps that a group's lanes make together, hardly any are made by lanes that have nothing to do."""
    request = ask(view="seahorses", width=64, height=64, tile=(64, 64), limit=2000, parameters={"shortcuts": 0})

    made, notes = noted(request, WIDTH)

    assert made / (steps_of_lanes(notes, WIDTH.batch) * WIDTH.lanes) > 0.82


def test_a_patch_that_ends_in_its_first_steps_meets_no_group_and_makes_none_in_vain(
    ask: Callable[..., Request],
) -> None:
    """Three patches far from the set: each sample makes one step, and one more shows that all have ended."""
    request = ask(width=24, height=4, tile=(24, 4), parameters={"x": 3.5, "zoom": 9.0, "bailout": 2.0})

    made, notes = noted(request, WIDTH)

    assert made == 24 * 4
    assert steps_of_lanes(notes, WIDTH.batch) == 3 * 2
    assert int(notes[room.COUNTER.settled]) == int(notes[room.COUNTER.listed]) == 0


@pytest.mark.slow  # each is compiled for seconds; those of WIDTH and of this machine paint in other tests
@pytest.mark.parametrize(
    "width",
    [
        WIDTH._replace(lanes=4, groups=4, batch=1),
        WIDTH._replace(lanes=64, groups=1, batch=8, removal_cost=0, move_cost=0),
    ],
    ids=str,
)
def test_every_width_that_is_accepted_paints_the_same(width: Width, ask: Callable[..., Request]) -> None:
    request = ask(**PLACES[0], width=37, height=21, tile=(37, 21))
    code = of_width(request, width)

    assert painted(request, lambda surface: code.paint(surface, 0, 0, 37, 21)[0]) == at_once(request, "scalar")


@pytest.mark.slow
@pytest.mark.parametrize("precision", ["f32", "f64"])
def test_lanes_move_one_by_one_to_the_same_picture_where_the_cpu_has_no_word_for_it(
    precision: str, monkeypatch: pytest.MonkeyPatch, ask: Callable[..., Request]
) -> None:
    request = ask(**PLACES[0], width=37, height=21, tile=(37, 21), precision=precision)
    plain = kernel(request, "simd")
    loaded, able = scene.load(request.scene), avx512.has("avx512f", "avx512vl")
    monkeypatch.setattr(avx512, "has", lambda *_: False)
    code = cpu_compiler.compile_program(vector_program(loaded, request, simd.choose_width(loaded, precision)[0]))
    bare = native.NativeKernel(code, request, plain.p, plain.layout, "")

    assert (len(bare.code) != len(plain.code)) == able
    assert painted(request, lambda surface: bare.paint(surface, 0, 0, 37, 21)[0]) == at_once(request, "scalar")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"batch": 32}, "batches of 32 steps"),
        ({"batch": 12}, "batches of 12 steps"),
        ({"batch": 0}, "batches of 0 steps"),
        ({"groups": 5}, "5 groups"),
        ({"groups": 0}, "0 groups"),
        ({"lanes": 48}, "48 lanes"),
        ({"lanes": 128}, "128 lanes"),
    ],
    ids=str,
)
def test_a_width_that_the_driver_cannot_paint_with_is_refused(
    change: dict[str, int], words: str, ask: Callable[..., Request]
) -> None:
    request = ask()

    with pytest.raises(ValueError, match=words):
        vector_program(scene.load(request.scene), request, WIDTH._replace(**change))


def test_patches_have_as_many_pixels_as_lanes_and_their_bits_fit_a_number() -> None:
    assert all(lanes == wide * high <= 64 for lanes, (wide, high) in PATCHES.items())
    assert (1 << room.LOOK) % driver.HALVED == 0


@pytest.mark.parametrize("precision", ["f32", "f64"])
@settings(max_examples=10)
@given(angle=st.floats(0.0, 1.0), below=st.floats(0.0, 0.02), disc=st.booleans())
def test_what_the_mandelbrot_set_claims_never_to_end_does_not(
    precision: str, angle: float, below: float, disc: bool
) -> None:
    """Around the edge of what is claimed, pixels of the size of the margin's rounding."""
    turn = 2 * np.pi * angle
    multiplier = (1 - (2.0**-5 if precision == "f32" else 2.0**-16) * (1 + below)) * np.exp(1j * turn)
    c = multiplier / 4 - 1 if disc else multiplier / 2 - multiplier**2 / 4
    place = {"x": float(c.real), "y": float(c.imag), "zoom": 2000.0 if precision == "f32" else 1e6}
    request = small_request(precision=precision, limit=40_000, width=16, height=16, tile=(16, 16), parameters=place)

    assert rounds(request)[0] == rounds(having(request, shortcuts=0))[0]


STAIRS = '''
"""Samples that end after 4, 6, 8, 10 steps in the upper row, and after 0, 2, 4, 6 in the lower."""
from render.lanes import fma
ABSORBING = True
def start(x, y, p): return 0.0, fma(y, 2.0, x + 5.0)
def step(state, p): return state[0] + 1.0, state[1]
def alive(state, p): return state[0] < state[1]
def shade(state, steps, p): return 0.5, 0.5, 0.5
'''


def test_the_example_in_the_docstring_is_what_happens(tmp_path: Path, ask: Callable[..., Request]) -> None:
    path = tmp_path / "stairs.py"
    path.write_text(STAIRS, encoding="utf-8")
    request, loaded = ask(scene=str(path), width=4, height=2, tile=(4, 2), limit=100), scene.load(str(path))
    width = Width(lanes=4, groups=1, first=2, batch=2, removal_cost=1, move_cost=1)
    code = native.make_kernel(vector_program(loaded, request, width), loaded, request, "", lambda _: None)
    table = [
        line for line in str(room.__doc__).splitlines() if re.match(" +(first_steps|[0-9]+ +[0-9]+ +[01]{4}) ", line)
    ]
    names, *rows = map(str.split, table)
    places = [room.COUNTER._asdict()[name] for name in names[:6]]
    assert len(rows) == 7

    with open_canvas(request, shared=False) as surface, code.start_rectangle(surface, 0, 0, 4, 2) as rectangle:
        for row in rows:
            went, notes = rectangle.paint_slice(1), rectangle.workspace.notes
            first, blocks, held, *others = [int(notes[place]) for place in places]
            assert [str(first), str(blocks), f"{held:04b}", *map(str, others), str(went.steps)] == row[:7]
        assert went.done
        assert np.array_equal(np.asarray(surface.steps), [[4, 6, 8, 10], [0, 2, 4, 6]])
