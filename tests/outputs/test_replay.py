"""The moving picture: it begins with nothing, shows what was done when, and ends with the whole picture."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO

import numpy as np
import pytest
from PIL import Image, ImageSequence

from render import drawing
from render.frame import Frame, Frames
from render.outputs import replay

Draw = Callable[..., Frame]


@pytest.fixture(autouse=True)
def _short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replay, "IMAGES", 9)


def images(*frames: Frame) -> list[np.ndarray]:
    made = Image.open(BytesIO(replay.write(Frames(frames, "race"))))
    return [np.asarray(image.convert("RGB")).astype(int) for image in ImageSequence.Iterator(made)]


def tile(image: np.ndarray, frame: Frame, number: int, runs: int = 2) -> np.ndarray:
    left, top, _, _ = drawing.fit_panel(frame, runs).boxes[number]
    x, y = drawing.MARGIN, drawing.MARGIN + drawing.TITLE + replay.CLOCK
    return image[y + top + 6 : y + top + 30, x + left + 6 : x + left + 30]  # a corner, clear of outline and badge


def test_every_image_is_there_and_the_last_one_stays(draw: Draw) -> None:
    made = Image.open(BytesIO(replay.write(Frames((draw("0011"),)))))
    assert getattr(made, "n_frames", 1) == 9
    assert made.info["loop"] == 0


def test_a_tile_appears_when_it_is_done_and_not_before(draw: Draw) -> None:
    frame = draw("00001111")
    made = images(frame)
    for number, when in ((0, 4), (1, 8)):
        dark = [np.abs(tile(image, frame, number) - replay.STAGE).mean() < 8 for image in made]
        assert dark == [True] * when + [False] * (9 - when)


def test_a_tile_put_aside_is_hatched_and_one_not_begun_is_dark(draw: Draw) -> None:
    made = images(draw("0101"))
    frame = draw("0101")
    assert tile(made[3], frame, 0).std() > 20
    assert tile(made[3], frame, 2).std() < 8


def test_at_the_end_stands_the_picture(draw: Draw) -> None:
    frame = draw("012345")
    end, panel = images(frame)[-1], np.asarray(drawing.fit_panel(frame, 2).image).astype(int)
    left, top, _, _ = drawing.fit_panel(frame, 2).boxes[3]
    original = panel[top + 6 : top + 30, left + 6 : left + 30]
    assert np.abs(tile(end, frame, 3) - original).mean() < 12  # the packing loses a little


def test_runs_share_one_clock(draw: Draw) -> None:
    slow, fast = draw("00000000"), draw("0", mode="parallel")
    assert len(images(slow, fast)) == 9


def test_a_run_of_nothing_is_a_still_picture(draw: Draw) -> None:
    assert len(images(draw())) >= 1
