"""The numpy file: what numpy itself reads from it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from io import BytesIO

import numpy as np

from render.frame import Frame
from render.outputs.npz import write
from render.request import Request

Draw = Callable[..., Frame]


def loaded(data: bytes) -> dict[str, np.ndarray]:
    with np.load(BytesIO(data), allow_pickle=False) as file:
        return dict(file)


def test_pixels_and_steps_come_back(draw: Draw) -> None:
    frame = draw("0")
    arrays = loaded(write([frame]))
    assert (str(arrays["rgb"].dtype), str(arrays["steps"].dtype)) == ("uint8", "int32")
    assert np.array_equal(arrays["rgb"], frame.rgb)
    assert frame.steps is not None
    assert np.array_equal(arrays["steps"], frame.steps)


def test_the_mask_of_what_is_inside_comes_back(draw: Draw) -> None:
    frame = replace(draw("0"), inside=np.eye(32, 48, dtype=np.bool_))
    assert np.array_equal(loaded(write([frame]))["inside"], np.eye(32, 48))


def test_several_samples_a_pixel_have_no_steps(draw: Draw) -> None:
    assert set(loaded(write([draw("0", samples=4)]))) == {"rgb", "request"}


def test_the_request_is_a_text(draw: Draw) -> None:
    frame = draw("0")
    stored = loaded(write([frame]))["request"]
    assert stored.shape == ()
    assert Request.from_dict(json.loads(stored.item())) == frame.request


def test_a_plain_file_holds_the_picture_alone(draw: Draw) -> None:
    assert set(loaded(write([draw("0")], plain=True))) == {"rgb", "steps", "inside"}


def test_equal_pictures_are_equal_plain_files(draw: Draw) -> None:
    assert write([draw("0011")], plain=True) == write([draw("0", "1", mode="parallel")], plain=True)
