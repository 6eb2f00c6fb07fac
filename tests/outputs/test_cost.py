"""The picture of costs: the dearer, the lighter, on one scale for all runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from render import drawing
from render.frame import Frame, Frames
from render.outputs.cost import cost_ramp, write
from render.swatches import luminance

Draw = Callable[..., Frame]


def lightness(frame: Frame, *others: Frame) -> list[float]:
    """The middle brightness of the tiles of the first of these runs, whose own picture is grey."""
    frames = [replace(one, rgb=np.full_like(one.rgb, 128)) for one in (frame, *others)]
    made = np.asarray(Image.open(BytesIO(write(Frames(tuple(frames), "race")))).convert("L"))
    boxes = drawing.fit_panel(frames[0], len(frames)).boxes
    x, y = drawing.MARGIN, drawing.MARGIN + drawing.TITLE
    return [float(np.median(made[y + t : y + b, x + left : x + right])) for left, t, right, b in boxes.values()]


def test_the_scale_gets_lighter_from_step_to_step() -> None:
    levels = [luminance((r, g, b)) for r, g, b in cost_ramp().tolist()]
    assert levels == sorted(levels)
    assert levels[0] < 0.02
    assert levels[-1] > 0.6


def test_dearer_tiles_are_lighter(draw: Draw) -> None:
    found = lightness(draw("0112222333333334"))
    assert found[0] < found[1] < found[2] < found[3]
    assert found[4] == found[0]


def test_the_scale_is_that_of_the_longest_tile_of_all_runs(draw: Draw) -> None:
    alone = lightness(draw("0011"), draw("0011"))
    beside = lightness(draw("0011"), draw("00000000000011"))
    assert beside[0] < alone[0]


@pytest.mark.parametrize("timeline", ["", "0", "012345"])
def test_any_number_of_tiles_can_be_drawn(draw: Draw, timeline: str) -> None:
    assert Image.open(BytesIO(write(Frames((draw(timeline),))))).size[0] > 0
