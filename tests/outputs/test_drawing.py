"""What pictures about a run share: everything fits, nobody looks like anybody else, colour is never alone."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations, pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from render import drawing, swatches
from render.frame import Frame
from render.swatches import HATCHES, colour, hatch, ink_on, luminance


def test_forty_two_workers_look_different_and_neighbours_differ_in_colour_and_hatch() -> None:
    looks = [(colour(number), hatch(number)) for number in range(len(swatches.COLOURS) * len(HATCHES))]
    assert len(set(looks)) == len(looks)
    assert all(one[0] != other[0] and one[1] != other[1] for one, other in pairwise(looks))


@given(st.integers(0, 10**6))
def test_ink_is_read_on_its_colour(number: int) -> None:
    paper, letters = luminance(colour(number)), luminance(ink_on(colour(number)))
    assert (max(paper, letters) + 0.05) / (min(paper, letters) + 0.05) >= 4.5  # as WCAG asks of text


def test_hatches_are_told_apart_without_colour() -> None:
    masks = [np.asarray(drawing.draw_hatching(80, 60, name)).astype(int) for name in HATCHES]
    assert all(0 < mask.mean() < 128 for mask in masks)
    assert all(np.abs(one - other).mean() > 10 for one, other in combinations(masks, 2))


@pytest.mark.parametrize(
    ("width", "height", "runs"), [(48, 32, 1), (1, 1, 3), (3000, 20, 2), (20, 3000, 4), (333, 777, 9)]
)
def test_a_panel_fits_its_place_and_its_tiles_cover_it(
    draw: Callable[..., Frame], width: int, height: int, runs: int
) -> None:
    panel = drawing.fit_panel(draw("01", width=width, height=height), runs)
    assert max(panel.image.size) <= drawing.WIDTHS[drawing.panels_in_row(runs)]
    covered = np.zeros(panel.image.size[::-1], int)
    for left, top, right, bottom in panel.boxes.values():
        covered[top:bottom, left:right] += 1
    assert (covered == 1).all()


@given(st.integers(1, 9), st.integers(1, 60), st.integers(1, 60))
def test_a_sheet_holds_all_its_panels(panels: int, wide: int, high: int) -> None:
    grey = [Image.new("RGB", (wide, high + number), (number, 0, 0)) for number in range(panels)]
    made = np.asarray(drawing.join_panels(grey))
    for number, one in enumerate(grey):
        assert ((made == (number, 0, 0)).all(axis=2)).sum() == one.width * one.height


@pytest.mark.parametrize("box", [(0, 0, 0, 0), (3, 3, 4, 4), (0, 0, 9, 2), (0, 0, 30, 30), (0, 0, 100, 100)])
def test_marks_stay_inside_their_box(box: drawing.Box) -> None:
    image = Image.new("RGB", (100, 100), (255, 255, 255))
    drawing.mark_owner(image, box, 4)
    drawing.draw_badge(image, box, 4, "17")
    outside = np.asarray(image).copy()
    outside[box[1] : box[3], box[0] : box[2]] = 255
    assert (outside == 255).all()


def test_a_legend_of_many_tells_how_many_more_there_are() -> None:
    few, many = ([(n, f"worker {n}") for n in range(count)] for count in (12, 132))
    assert drawing.draw_legend(many, 600).height >= drawing.draw_legend(few, 600).height
    assert drawing.draw_legend([], 600).height == 1
