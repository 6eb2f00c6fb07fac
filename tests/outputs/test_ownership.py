"""The picture of who painted what: each tile in its worker's colour, and the order in its badge."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO

import numpy as np
from PIL import Image

from render import drawing
from render.frame import Frame, Frames
from render.outputs.ownership import write
from render.swatches import colour
from render.trace import tile_owners

Draw = Callable[..., Frame]


def image(*frames: Frame) -> np.ndarray:
    return np.asarray(Image.open(BytesIO(write(Frames(frames, "race")))).convert("RGB"))


def test_each_tile_is_outlined_in_the_colour_of_its_worker(draw: Draw) -> None:
    frame = draw("0022", "1133", mode="parallel")
    boxes = drawing.fit_panel(frame, 1).boxes
    made = image(frame)
    for tile, worker in tile_owners(frame.trace).items():
        left, top, _, _ = boxes[tile]
        assert tuple(made[drawing.MARGIN + drawing.TITLE + top, drawing.MARGIN + left]) == colour(worker)


def test_tiles_that_nobody_painted_are_not_marked(draw: Draw) -> None:
    frame = draw("0", "1", mode="parallel")
    left, top, right, bottom = drawing.fit_panel(frame, 1).boxes[5]
    x, y = drawing.MARGIN, drawing.MARGIN + drawing.TITLE
    inside = image(frame)[y + top : y + bottom, x + left : x + right]
    assert np.array_equal(
        inside, np.asarray(drawing.fade_image(drawing.fit_panel(frame, 1).image))[top:bottom, left:right]
    )


def test_another_order_is_another_picture(draw: Draw) -> None:
    assert not np.array_equal(image(draw("0011")), image(draw("1100")))


def test_runs_stand_side_by_side(draw: Draw) -> None:
    one, two = image(draw("01")), image(draw("01"), draw("01", mode="concurrent"))
    assert two.shape[1] > one.shape[1] / 2
    assert np.array_equal(two[:, : drawing.MARGIN], np.full_like(two[:, : drawing.MARGIN], 255))


def test_the_owner_of_a_tile_is_who_painted_it_last(draw: Draw) -> None:
    assert tile_owners(draw("0.1", ".0.").trace) == {0: 1, 1: 0}
    assert tile_owners(draw().trace) == {}
