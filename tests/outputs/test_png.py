"""The PNG file: valid by another program's reading, true to the pixels, and told what it is."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable
from io import BytesIO

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from render import frame as frames
from render.findings.document import draw_document
from render.frame import Frame
from render.outputs.png import write
from render.pictures import packing, png_writer
from render.request import Request

Draw = Callable[..., Frame]


def opened(data: bytes) -> Image.Image:
    image = Image.open(BytesIO(data))
    image.load()
    return image


def test_the_pixels_come_back(draw: Draw) -> None:
    frame = draw("0")
    assert np.array_equal(np.asarray(opened(write([frame]))), frame.rgb)


def test_it_says_that_its_colours_are_srgb(draw: Draw) -> None:
    assert opened(write([draw("0")], plain=True)).info == {"srgb": 0}


def test_it_carries_the_request(draw: Draw) -> None:
    frame = draw("0")
    stored = json.loads(opened(write([frame])).info["render:request"])
    assert Request.from_dict(stored) == frame.request


def test_it_carries_the_timings_without_the_files(draw: Draw) -> None:
    frame = draw("0")
    expected = draw_document(frame)
    assert expected.pop("out") == []
    assert json.loads(opened(write([frame])).info["render:timings"]) == expected


def test_equal_pictures_are_equal_plain_files(draw: Draw) -> None:
    assert write([draw("0011")], plain=True) == write([draw("0", "1", mode="parallel")], plain=True)


def test_a_path_in_any_script_is_carried(draw: Draw) -> None:
    frame = draw("0", facts={"device": "Gerät 図"})
    assert json.loads(opened(write([frame])).info["render:timings"])["device"] == "Gerät 図"


@given(st.integers(1, 40), st.integers(1, 40), st.randoms(use_true_random=False))
def test_every_size_comes_back(width: int, height: int, random: object) -> None:
    size = width * height * 3
    rgb = np.frombuffer(random.randbytes(size), np.uint8).reshape(height, width, 3)  # type: ignore[attr-defined]
    assert np.array_equal(np.asarray(opened(png_writer.encode_png(rgb))), rgb)


@pytest.mark.parametrize("band", [1, 100, 1000])
def test_bands_leave_no_seam(draw: Draw, band: int, monkeypatch: pytest.MonkeyPatch) -> None:
    frame = draw("0")
    monkeypatch.setattr(packing, "BAND", band)
    assert np.array_equal(np.asarray(opened(write([frame]))), frame.rgb)


def test_a_view_of_other_pixels_is_encoded_as_it_looks(draw: Draw) -> None:
    rgb = draw("0").rgb[::-1, ::2]
    assert np.array_equal(np.asarray(opened(png_writer.encode_png(rgb))), rgb)


@pytest.mark.parametrize(("axis", "kind"), [(0, png_writer.UP), (1, png_writer.SUB)])
def test_a_band_takes_the_filter_that_suits_it(axis: int, kind: int) -> None:
    rng = np.random.default_rng(1)
    row = rng.integers(0, 256, (1, 120, 3) if axis == 0 else (120, 1, 3)).astype(np.uint8)
    rows = zlib.decompress(b"".join(png_writer.pack_pixels(np.repeat(row, 120, axis))))
    assert set(rows[:: 1 + 3 * 120]) == {kind}


def test_the_pixels_of_a_frame_are_packed_once(draw: Draw, monkeypatch: pytest.MonkeyPatch) -> None:
    frame = draw("0")
    first = write([frame])
    monkeypatch.setattr(frames, "pack_pixels", None)
    later = write([frame.with_trace(draw("00").trace)])
    assert np.array_equal(np.asarray(opened(first)), np.asarray(opened(later)))
    assert first != later
