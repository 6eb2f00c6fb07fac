"""Pictures of any size read in bands: the same pixels, figures and words as read at once, in a bounded memory."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from render import machine
from render.comparison.attribution import MOST_SQUARES, PLACE, attribute, choose_square, format_attribution
from render.comparison.compare import compare, draw_difference
from render.comparison.difference import mark_places
from render.comparison.inspection import describe_picture
from render.errors import InputError
from render.pictures import bands, picture, source
from render.pictures.picture import Picture
from render.pictures.png_writer import encode_png
from render.pictures.source import LargePicture, open_picture
from render.pictures.tiff import encode_tiff
from tests.conftest import EXAMPLE

WIDE, HIGH = 70, 600  # three bands
TEXTS = {"render:request": json.dumps(replace(EXAMPLE, width=WIDE, height=HIGH, tile=(32, 100)).as_dict())}
RGB = np.random.default_rng(2).integers(0, 256, (HIGH, WIDE, 3), np.uint8)


def encode_npz(rgb: np.ndarray, save: Callable[..., None] = np.savez) -> bytes:
    file = io.BytesIO()
    save(file, rgb=rgb, steps=np.zeros(rgb.shape[:2], np.int32), request=np.array(TEXTS["render:request"]))
    return file.getvalue()


def encode_by_tifffile(rgb: np.ndarray, **options: Any) -> bytes:
    file = io.BytesIO()
    tifffile.imwrite(file, rgb, photometric="rgb", metadata=None, **options)
    return file.getvalue()


def encode_by_pillow(rgb: np.ndarray, kind: str, **options: Any) -> bytes:
    file = io.BytesIO()
    Image.fromarray(rgb).save(file, kind, **options)
    return file.getvalue()


OURS: dict[str, Callable[[np.ndarray], bytes]] = {
    "png": lambda rgb: encode_png(rgb, TEXTS),
    "tif": lambda rgb: encode_tiff(rgb, TEXTS),
    "npz": encode_npz,
}
OTHERS: dict[str, Callable[[np.ndarray], bytes]] = {
    "png with all filters": lambda rgb: encode_by_pillow(rgb, "PNG"),
    "packed npz": lambda rgb: encode_npz(rgb, np.savez_compressed),
    "tif in one strip": encode_by_tifffile,
    "tif in strips": lambda rgb: encode_by_tifffile(rgb, rowsperstrip=37, compression="zlib"),
    "tif with a predictor": lambda rgb: encode_by_tifffile(rgb, tile=(16, 48), compression="zlib", predictor=True),
    "big-endian tif": lambda rgb: encode_by_tifffile(rgb, byteorder=">", bigtiff=True, tile=(32, 32)),
    "tif by Pillow": lambda rgb: encode_by_pillow(rgb, "TIFF", compression="tiff_adobe_deflate"),
}


@pytest.fixture(autouse=True)
def _all_are_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source, "AT_ONCE", 0)


def opened(path: Path, data: bytes) -> LargePicture:
    path.write_bytes(data)
    large = open_picture(path)
    assert isinstance(large, LargePicture)
    return large


@pytest.mark.parametrize("encode", [*OURS.values(), *OTHERS.values()], ids=[*OURS, *OTHERS])
def test_bands_are_the_picture(encode: Callable[[np.ndarray], bytes], tmp_path: Path) -> None:
    large = opened(tmp_path / "a", encode(RGB))
    for _ in range(2):  # two passes
        read = list(large.read_bands())
        assert [band.y for band in read] == [0, bands.ROWS, 2 * bands.ROWS]
        assert np.array_equal(np.concatenate([band.rgb for band in read]), RGB)


@pytest.mark.parametrize("kind", OURS)
def test_it_is_described_as_if_read_at_once(kind: str, tmp_path: Path) -> None:
    large = opened(tmp_path / "a", OURS[kind](RGB))
    assert describe_picture(large) == describe_picture(picture.read(tmp_path / "a"))


places = st.tuples(st.integers(0, WIDE - 1), st.integers(0, HIGH - 1), st.integers(0, 2))


@settings(max_examples=5, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(sorted(OURS)), st.sampled_from(sorted(OURS)), st.dictionaries(places, st.integers(0, 255)))
def test_a_comparison_says_the_same(
    tmp_path: Path, one: str, other: str, changed: dict[tuple[int, int, int], int]
) -> None:
    rgb = RGB.copy()
    for (x, y, channel), value in changed.items():
        rgb[y, x, channel] = value
    large = opened(tmp_path / "a", OURS[one](RGB)), opened(tmp_path / "b", OURS[other](rgb))
    small = picture.read(tmp_path / "a"), picture.read(tmp_path / "b")
    assert all(isinstance(one, Picture) for one in small)
    assert compare(*large) == compare(*small) == compare(large[0], small[1])
    found = attribute(*large), attribute(*small)
    assert found[0] is not None
    assert found[1] is not None
    assert found[0].as_dict() == found[1].as_dict()
    assert format_attribution(found[0]) == format_attribution(found[1])
    if changed:
        assert np.array_equal(mark_places(*large, found[0]), mark_places(*small, found[1]))


@pytest.mark.parametrize("shrink", [1, 2, 64])
def test_a_shrunk_difference_shows_the_largest_of_its_pixels(shrink: int, tmp_path: Path) -> None:
    other = np.where(np.random.default_rng(3).random(RGB.shape) < 0.01, 255 - RGB, RGB)
    large = opened(tmp_path / "a", encode_png(RGB)), opened(tmp_path / "b", encode_png(other))
    whole = draw_difference(Picture(RGB), Picture(other))
    rows, columns = -(-HIGH // shrink), -(-WIDE // shrink)
    padded = np.zeros((rows * shrink, columns * shrink, 3), np.uint8)
    padded[:HIGH, :WIDE] = whole
    expected = padded.reshape(rows, shrink, columns, shrink, 3).max(axis=(1, 3))
    assert np.array_equal(draw_difference(*large, shrink), expected)


def test_large_pictures_without_tiles_have_larger_squares() -> None:
    assert choose_square(16384, 16384) == (PLACE, PLACE)
    edge, _ = choose_square(65536, 65536)
    assert (65536 // edge) ** 2 <= MOST_SQUARES


@pytest.mark.parametrize("kind", ["png", "tif", "npz"])
def test_it_takes_the_memory_of_bands(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    high = 40_000
    large = opened(tmp_path / "a", OURS[kind](np.broadcast_to(RGB[:1], (high, WIDE, 3))))
    monkeypatch.setattr(machine, "memory", lambda: high * WIDE * 3)  # three times what reading may take
    assert sum(len(band.rgb) for band in open_picture(tmp_path / "a").read_bands()) == high
    with pytest.raises(InputError, match="is refused: reading it takes"):
        picture.read(tmp_path / "a")
    monkeypatch.setattr(machine, "memory", lambda: 3 * 100 * WIDE * 3)  # of a hundred rows
    with pytest.raises(InputError, match="a is refused: reading it takes"):
        open_picture(tmp_path / "a")
    assert large.size == (WIDE, high)


@pytest.mark.parametrize("kind", OURS)
@pytest.mark.parametrize("place", [0.3, 0.5, 0.9])
def test_damage_is_found_on_the_way(kind: str, place: float, tmp_path: Path) -> None:
    data = bytearray(OURS[kind](RGB))
    data[int(2000 + place * 100_000)] ^= 4  # all have their pixels there
    large = opened(tmp_path / "a.file", bytes(data))
    with pytest.raises(InputError, match=r"a\.file "):
        list(large.read_bands())


@pytest.mark.parametrize("kind", OURS)
def test_a_file_that_ends_too_early_is_refused(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "a.file"
    path.write_bytes(OURS[kind](RGB)[:60_000])
    with pytest.raises(InputError, match=r"a\.file "):
        list(open_picture(path).read_bands())


def test_a_large_picture_of_another_kind_is_read_at_once(tmp_path: Path) -> None:
    (tmp_path / "a.webp").write_bytes(encode_by_pillow(RGB, "WEBP", lossless=True))
    read = open_picture(tmp_path / "a.webp")
    assert isinstance(read, Picture)
    assert np.array_equal(read.rgb, RGB)
