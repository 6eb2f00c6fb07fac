"""Whose fault a difference is: against the definition written out tile by tile, and in words."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from render.comparison.attribution import PLACE, attribute, format_attribution
from render.comparison.difference import MARK, choose_scale, mark_places
from render.pictures.picture import Picture
from render.pictures.provenance import Provenance
from render.plan import cut
from render.request import Request
from tests.conftest import EXAMPLE

ASKED = replace(EXAMPLE, view="whole", width=7, height=5, tile=(3, 2))  # nine tiles, those at the edge smaller
Owners = tuple[int | None, ...] | None
pictures = arrays(np.uint8, (5, 7, 3), elements=st.sampled_from([0, 0, 0, 9, 255]))
owners = st.none() | st.lists(st.none() | st.integers(0, 3), min_size=9, max_size=9).map(tuple)


def drawn(
    rgb: np.ndarray, workers: tuple[int | None, ...] | None, title: str = "parallel", asked: Request = ASKED
) -> Picture:
    return Picture(rgb, provenance=Provenance(asked, title, workers))


@given(pictures, pictures, owners, owners)
def test_differences_are_told_by_the_tile_and_the_workers_that_painted_it(
    one: np.ndarray, other: np.ndarray, ours: Owners, theirs: Owners
) -> None:
    found = attribute(drawn(one, ours), drawn(other, theirs))
    assert found is not None
    told = {place.tile: place for place in found.places}
    for tile in cut(ASKED):
        area = np.s_[tile.y : tile.y + tile.height, tile.x : tile.x + tile.width]
        error = np.abs(one[area].astype(int) - other[area]).max(axis=2)
        assert (tile.number in told) == error.any()
        if tile.number in told:
            place = told[tile.number]
            assert (place.x, place.y, place.width, place.height) == tile[1:]
            assert (place.differing_pixels, place.max_error) == (int(np.count_nonzero(error)), int(error.max()))
            ys, xs = np.nonzero(error)
            assert [*place.rows] == [tile.y + int(ys.min()), tile.y + int(ys.max())]
            assert [*place.columns] == [tile.x + int(xs.min()), tile.x + int(xs.max())]
            assert place.a == (ours[tile.number] if ours else None)
            assert place.b == (theirs[tile.number] if theirs else None)
    assert [place.max_error for place in found.places] == sorted((p.max_error for p in found.places), reverse=True)
    assert found.of == 9


def test_pictures_that_tell_nothing_are_cut_in_squares() -> None:
    one, other = np.zeros((70, 200, 3), np.uint8), np.zeros((70, 200, 3), np.uint8)
    other[68, 130] = 5
    found = attribute(Picture(one), Picture(other))
    assert found is not None
    place = found.places[0]
    assert (found.tiled, found.of, place.tile, place.x, place.y, place.width, place.height) == (
        False,
        8,
        6,
        128,
        64,
        64,
        6,
    )
    assert format_attribution(found) == [
        f"1 of 8 squares of {PLACE} pixels differs",
        f"square of {PLACE} pixels 6 (x 128, y 64, 64 x 6): 1 pixel, rows 68 to 68, columns 130 to 130, by 5 at most",
    ]


def test_people_are_told_whose_tiles_they_are() -> None:
    one, other = np.zeros((5, 7, 3), np.uint8), np.zeros((5, 7, 3), np.uint8)
    other[0:2, 3:6] = 40
    other[4, 6] = 3
    found = attribute(drawn(one, (0,) * 9, "sequential"), drawn(other, (0, 1, 0, 1, 0, 1, 0, 1, 1)))
    assert found is not None
    assert format_attribution(found) == [
        "2 of 9 tiles differ; in parallel they are 2 of the 5 of worker 1",
        "tile 1 (x 3, y 0, 3 x 2): 6 pixels, by 40 at most; painted by worker 0 in sequential and worker 1 in parallel",
        "tile 8 (x 6, y 4, 1 x 1): 1 pixel, by 3 at most; painted by worker 0 in sequential and worker 1 in parallel",
    ]
    assert found.as_dict()["workers"] == {"a": {0: 2}, "b": {1: 2}}


def test_a_picture_cut_otherwise_keeps_its_owners_to_itself() -> None:
    one, other = np.zeros((5, 7, 3), np.uint8), np.full((5, 7, 3), 1, np.uint8)
    found = attribute(drawn(one, (2,), asked=replace(ASKED, tile=(7, 5))), drawn(other, (0,) * 9))
    assert found is not None
    assert {(place.a, place.b) for place in found.places} == {(None, 0)}


def test_different_sizes_have_no_places() -> None:
    assert attribute(Picture(np.zeros((2, 2, 3), np.uint8)), Picture(np.zeros((2, 3, 3), np.uint8))) is None


@pytest.mark.parametrize(
    ("size", "scale"), [((24, 16), 40), ((960, 2), 1), ((2000, 9), 1), ((500, 9), 2), ((1, 1), 960)]
)
def test_small_pictures_are_magnified_in_whole_steps(size: tuple[int, int], scale: int) -> None:
    assert choose_scale(*size) == scale


def test_the_difference_lights_up_in_the_dark_and_the_worst_is_framed() -> None:
    one = np.full((60, 80, 3), 200, np.uint8)
    other = one.copy()
    other[30, 40] = 0
    a, b = (drawn(rgb, None, asked=replace(ASKED, width=80, height=60, tile=(16, 16))) for rgb in (one, other))
    found = attribute(a, b)
    assert found is not None
    made = mark_places(a, b, found)
    assert made.shape == (720, 960, 3)
    assert made[30 * 12 + 6, 40 * 12 + 6].min() > 200
    assert made[0, 0].tolist() == [60, 60, 60]
    assert made[30 * 12 - 2, 40 * 12 + 6].tolist() == list(MARK)
