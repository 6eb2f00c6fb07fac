"""Tiles and their order: whatever the size, each pixel is painted exactly once."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from render.errors import UsageError
from render.plan import LARGEST, ORDERS, SMALLEST, Tile, check_count, choose_tile, cut, find_tile, plan
from render.request import MOST_TILES, Request

sides = st.integers(1, 60)
edges = st.integers(1, 70)


def requested(width: int, height: int, tile: tuple[int, int], **changes: Any) -> Request:
    who: dict[str, Any] = {"mode": "sequential", "target": "python", "backend": None, "workers": 1, "in_flight": 1}
    what: dict[str, Any] = {"scene": "s", "view": "v", "parameters": (), "samples": 1, "limit": 1, "precision": "f64"}
    how: dict[str, Any] = {"wait_ns": 0, "order": "rows"}
    return Request(width=width, height=height, tile=tile, **what | who | how | changes)


def squares(side: int, order: str) -> list[tuple[int, int]]:
    """(column, row) of each tile of a frame of side x side tiles, in order."""
    tiles = plan(requested(side * 3, side * 2, (3, 2), order=order))
    return [(tile.x // 3, tile.y // 2) for tile in tiles]


def ring(place: tuple[int, int], side: int) -> int:
    """How far from the middle of side x side tiles, in half tiles."""
    return max(abs(2 * along - side + 1) for along in place)


@given(sides, sides, edges, edges, st.sampled_from(sorted(ORDERS)))
def test_tiles_cover_the_frame_exactly_once(width: int, height: int, wide: int, high: int, order: str) -> None:
    painted = np.zeros((height, width), int)
    for tile in plan(requested(width, height, (wide, high), order=order)):
        rectangle = painted[tile.y : tile.y + tile.height, tile.x : tile.x + tile.width]
        assert rectangle.size == tile.width * tile.height > 0  # it does not stick out
        rectangle += 1
    assert (painted == 1).all()


@given(sides, sides, edges, edges, st.lists(st.integers(0, 5)))
def test_every_order_has_the_same_tiles_with_the_same_numbers(
    width: int, height: int, wide: int, high: int, costs: list[int]
) -> None:
    for order in ORDERS:
        request = requested(width, height, (wide, high), order=order)
        assert sorted(plan(request, lambda: dict(enumerate(costs)))) == list(cut(request))


@given(sides, sides, edges, edges)
def test_tiles_are_numbered_row_by_row_from_the_top_left(width: int, height: int, wide: int, high: int) -> None:
    tiles = plan(requested(width, height, (wide, high)))
    assert [tile.number for tile in tiles] == list(range(len(tiles)))
    assert list(tiles) == sorted(tiles, key=lambda tile: (tile.y, tile.x))


@given(sides, sides)
def test_the_spiral_starts_in_the_middle(columns: int, rows: int) -> None:
    first = plan(requested(columns, rows, (1, 1), order="spiral"))[0]
    away = abs(2 * first.x - (columns - 1)), abs(2 * first.y - (rows - 1))
    assert max(away) <= 1


@pytest.mark.parametrize("side", [1, 2, 3, 4, 7, 8])
def test_the_spiral_never_comes_back_towards_the_middle(side: int) -> None:
    rings = [ring(place, side) for place in squares(side, "spiral")]
    assert rings == sorted(rings)


@pytest.mark.parametrize("side", [2, 3, 4, 7, 8])
def test_neighbours_on_a_ring_of_the_spiral_share_an_edge(side: int) -> None:
    pairs = [pair for pair in pairwise(squares(side, "spiral")) if ring(pair[0], side) == ring(pair[1], side)]
    assert all(abs(a - c) + abs(b - d) == 1 for (a, b), (c, d) in pairs)


@pytest.mark.parametrize("side", [1, 2, 4, 8, 16])
def test_neighbours_on_hilberts_curve_share_an_edge(side: int) -> None:
    places = squares(side, "hilbert")
    assert places[0] == (0, 0)
    assert all(abs(a - c) + abs(b - d) == 1 for (a, b), (c, d) in pairwise(places))


@given(st.dictionaries(st.integers(0, 11), st.integers(0, 3)))
def test_the_costly_come_first_and_equals_by_number(costs: dict[int, int]) -> None:
    tiles = plan(requested(8, 6, (2, 2), order="costly"), lambda: costs)
    keys = [(-costs.get(tile.number, 0), tile.number) for tile in tiles]
    assert keys == sorted(keys)


@pytest.mark.parametrize("order", sorted(set(ORDERS) - {"costly"}))
def test_nobody_else_asks_for_costs(order: str) -> None:
    plan(requested(8, 6, (2, 2), order=order), lambda: pytest.fail("asked"))


def test_one_tile_alone_keeps_its_number_and_place() -> None:
    request = requested(10, 10, (4, 4), only_tile=5)
    assert plan(request, lambda: pytest.fail("asked")) == (Tile(5, 8, 4, 2, 4),)


@given(st.integers(1, 1 << 17), st.integers(1, 1 << 17), st.integers(1, 1024))
def test_the_default_tile_is_square_of_whole_patches_and_neither_tiny_nor_huge(
    width: int, height: int, workers: int
) -> None:
    wide, high = choose_tile(width, height, workers)
    edge = max(wide, high)
    assert (wide, high) == (min(edge, width), min(edge, height))
    assert edge <= LARGEST
    assert edge == max(width, height) or (edge >= SMALLEST and edge % 8 == 0)


def test_the_default_tile_of_the_default_frame_gives_each_worker_enough_to_do() -> None:
    wide, high = choose_tile(1280, 720, 4)
    assert len(cut(requested(1280, 720, (wide, high)))) >= 16 * 4
    assert choose_tile(1280, 720, 1) == (wide, high), "one worker has tiles to juggle"


def test_a_huge_frame_is_cut_into_larger_tiles_so_that_there_are_not_too_many() -> None:
    wide, high = choose_tile(1 << 18, 1 << 18, 2)
    assert MOST_TILES // 16 < ((1 << 18) // wide) * ((1 << 18) // high) <= MOST_TILES // 4


@given(sides, sides, edges, edges, st.tuples(*[st.integers(0, 130)] * 4))
def test_a_rectangle_is_the_tile_that_it_covers_or_none(
    width: int, height: int, wide: int, high: int, place: tuple[int, int, int, int]
) -> None:
    request = requested(width, height, (wide, high))
    tiles = {tile[1:]: tile.number for tile in cut(request)}
    assert [find_tile(request, *where) for where in tiles] == list(tiles.values())
    assert find_tile(request, *place) == tiles.get(place)


def test_more_tiles_than_anyone_could_follow_are_refused() -> None:
    check_count(requested(1 << 10, 1 << 10, (1, 1)))
    many = requested(1 << 10, (1 << 10) + 1, (1, 1))
    with pytest.raises(UsageError, match="1049600 tiles are too many"):
        cut(many)
    assert plan(replace(many, only_tile=1 << 20)) == (Tile(1 << 20, 0, 1 << 10, 1, 1),)
