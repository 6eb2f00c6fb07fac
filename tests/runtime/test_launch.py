"""A launch's memory: each tile and each square has its own place in it, and it is no larger than it may be."""

from __future__ import annotations

from math import prod

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from render.frame import Canvas
from render.kernels.launch import COUNTERS, RECORD, SQUARE_HEIGHT, SQUARE_WIDTH, TALLY, TILE, copies
from render.plan import cut
from render.runtime.launch import LAUNCHES, MOST_BYTES, Shape, fit, launches, pieces, share_out, sizes
from render.runtime.painted import Painted
from tests.conftest import small_request

EDGES = st.integers(1, 70)
SHAPES = st.builds(Shape, st.integers(1, 9), EDGES, EDGES)


@given(shape=SHAPES, samples=st.integers(1, 2))
def test_the_parts_share_the_memory_out_without_overlap(shape: Shape, samples: int) -> None:
    request = small_request(samples=samples)
    cleared, back, whole = sizes(request, shape)
    memory = np.zeros(whole + 5, np.uint8)
    parts = share_out(memory, request, shape)
    for part in parts:
        assert not part.any(), "another part lies here"
        part[:] = 1
        assert part.ctypes.data % part.itemsize == 0

    assert not memory[whole:].any()
    assert parts.counters.nbytes + parts.tallies.nbytes + parts.records.nbytes == cleared
    assert parts.tiles.ctypes.data == memory.ctypes.data + back
    assert parts.counters.size == COUNTERS
    assert parts.tallies.size == TALLY * shape.tiles * copies(shape.tiles)
    assert parts.records.size == RECORD * shape.tiles * shape.squares
    assert parts.steps.size == (prod(shape) if samples == 1 else 0)
    assert parts.rgb.size == 3 * prod(shape)
    assert parts.tiles.size == TILE * shape.tiles


@given(
    size=st.tuples(st.integers(1, 1 << 17), st.integers(1, 1 << 17)),
    tile=st.tuples(st.integers(8, 1 << 17), st.integers(8, 1 << 17)),
    room=st.integers(20, 40),
)
def test_a_launch_takes_a_share_of_the_tiles_and_no_more_than_has_room(
    size: tuple[int, int], tile: tuple[int, int], room: int
) -> None:
    request = small_request(width=size[0], height=size[1], tile=tile)
    tiles = prod(request.rows_and_columns)
    shape = fit(request, 1 << room)

    assert shape is not None
    assert sizes(request, shape).whole <= min(1 << room, MOST_BYTES)
    assert 1 <= shape.tiles <= -(-tiles // LAUNCHES)
    if sizes(request, Shape(-(-tiles // LAUNCHES), min(tile[0], size[0]), min(tile[1], size[1]))).whole <= 1 << 20:
        assert shape.tiles == -(-tiles // LAUNCHES)
        assert launches(request) <= LAUNCHES


@given(place=st.tuples(EDGES, EDGES), size=st.tuples(EDGES, EDGES), slot=st.tuples(EDGES, EDGES))
def test_pieces_cover_a_tile_once(place: tuple[int, int], size: tuple[int, int], slot: tuple[int, int]) -> None:
    covered = np.zeros((150, 150), int)
    for x, y, width, height in pieces(*place, *size, *slot):
        assert 1 <= width <= slot[0]
        assert 1 <= height <= slot[1]
        covered[y : y + height, x : x + width] += 1

    x, y, width, height = *place, *size
    assert (covered[y : y + height, x : x + width] == 1).all()
    assert covered.sum() == width * height


@given(tile=st.tuples(st.integers(1, 30), st.integers(1, 30)), seed=st.integers(0, 9))
def test_tiles_come_from_their_slots_to_their_places_in_the_frame(tile: tuple[int, int], seed: int) -> None:
    """Whatever their order and size, and where in the frame the canvas lies."""
    wide, high = tile
    tiles = [
        [x + 7, y + 3, width, height] for _, x, y, width, height in cut(small_request(width=50, height=40, tile=tile))
    ]
    rectangles = np.random.default_rng(seed).permutation(tiles)
    picture = np.random.default_rng(1).integers(0, 256, (40, 50, 3), np.uint8)
    slots = np.zeros((len(rectangles), high, wide, 3), np.uint8)
    for slot, (x, y, width, height) in zip(slots, rectangles, strict=True):
        slot[:height, :width] = picture[y - 3 : y - 3 + height, x - 7 : x - 7 + width]
    nothing = np.zeros(len(rectangles), np.int64)
    canvas = Canvas(50, 40, with_steps=True, x=7, y=3)

    steps = slots[..., 0].astype(np.int32)
    Painted(slots, steps, nothing, nothing, nothing, nothing, 0, 0, 0).copy_to(canvas, rectangles)

    assert np.array_equal(canvas.rgb, picture)
    assert np.array_equal(np.asarray(canvas.steps), picture[..., 0])


@given(SHAPES, st.integers(1, 40))
def test_the_first_pass_has_a_warp_for_each_square_and_the_second_no_more_blocks_than_fit(
    shape: Shape, most: int
) -> None:
    (across, down, deep), second = shape.grids(most)

    assert deep == shape.tiles
    assert across == -(-shape.width // (2 * SQUARE_WIDTH))
    assert down == -(-shape.height // (2 * SQUARE_HEIGHT))
    assert second == (min(across * down * deep, most), 1, 1)
