"""What a saved picture is, told from the file alone."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np

from render.comparison.inspection import describe_picture, format_description
from render.pictures.picture import Picture, decode
from render.pictures.png_writer import encode_png
from render.pictures.provenance import Provenance
from tests.conftest import EXAMPLE

RGB = np.zeros((32, 48, 3), np.uint8)
MADE = Picture(
    RGB,
    steps=np.zeros((32, 48), np.int32),
    provenance=Provenance(EXAMPLE, "sequential", (0, 0, 1, None, 1, 1)),
    timings=json.dumps({"seconds": {"paint": 0.25}}),
)


def test_a_picture_of_ours_tells_how_it_was_drawn() -> None:
    assert format_description(describe_picture(MADE), "a b.png") == [
        "a b.png: 48 x 32 pixels, 8 bits a channel, with steps",
        "scene mandelbrot, view default",
        "drawn by sequential, 2 workers, painted in 250 ms",
        "limit 60, 1 sample a pixel, float64, tiles of 16 x 16",
        "parameters: x=-0.5, zoom=1.25",
        f"sha256 {describe_picture(MADE)['sha256']}",
        "draw it again: python -m render --like 'a b.png'",
    ]


def test_of_a_tile_that_was_painted_alone_it_is_told_that_the_rest_is_missing() -> None:
    request = replace(EXAMPLE, only_tile=3)
    told = format_description(describe_picture(replace(MADE, provenance=Provenance(request, "sequential"))), "a.png")
    assert "only tile 3 was painted; the rest is black" in told
    assert told[-1].endswith("--like a.png --tile 16x16 --only-tile 3")


def test_any_other_picture_tells_what_it_is() -> None:
    wide = Picture(RGB.astype(np.uint16), alpha=np.zeros((32, 48), np.uint16), ignored=("its gamma (gAMA 1)",))
    told = format_description(describe_picture(replace(wide, more=(wide,))), "a.png")
    assert told == [
        "a.png: 48 x 32 pixels, 16 bits a channel, with alpha, 2 frames",
        "left aside: its gamma (gAMA 1)",
        "it carries no request: it is a film, a diagram, saved with --plain, or of another program",
    ]


def test_the_document_is_json_whatever_the_file_says() -> None:
    for timings in (None, "", "{", "[1]", '{"seconds": 7}', '{"seconds": {"paint": "long"}}'):
        told = describe_picture(replace(MADE, timings=timings))
        assert json.loads(json.dumps(told, allow_nan=False)) == told
        assert format_description(told, "a.png")


def test_a_request_with_control_characters_is_none_of_ours() -> None:
    """A terminal would obey them."""
    strange = replace(EXAMPLE, scene="\x1b]0;mine\x07").as_dict()
    assert decode(encode_png(RGB, {"render:request": json.dumps(strange)})).provenance is None
