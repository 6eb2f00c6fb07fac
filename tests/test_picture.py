"""Reading pictures: what becomes of each kind, and a clear word for each file that is none."""

from __future__ import annotations

import io
import json
import struct
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from render import picture
from render.errors import InputError
from render.picture import Picture, decode, encode, read
from tests.conftest import EXAMPLE

REQUEST = replace(EXAMPLE, width=4, height=3)
RGB = np.arange(36, dtype=np.uint8).reshape(3, 4, 3) * np.uint8(7)
STEPS = np.arange(12, dtype=np.int32).reshape(3, 4)
STORED = json.dumps(REQUEST.as_dict())


def as_file(image: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def as_npz(**arrays: Any) -> bytes:
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


def png(width: int, height: int, data: bytes) -> bytes:
    """A PNG that claims a size, whatever its data holds."""
    made = [b"\x89PNG\r\n\x1a\n"]
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    for kind, body in ((b"IHDR", header), (b"IDAT", data), (b"IEND", b"")):
        made += [struct.pack(">I", len(body)), kind, body, struct.pack(">I", zlib.crc32(kind + body))]
    return b"".join(made)


def test_our_png_comes_back_with_what_is_drawn() -> None:
    picture = decode(encode(RGB, {"render:request": STORED}))
    assert np.array_equal(picture.rgb, RGB)
    assert (picture.steps, picture.request) == (None, REQUEST.drawn())


def test_our_npz_comes_back_with_steps_and_with_what_is_drawn() -> None:
    picture = decode(as_npz(rgb=RGB, steps=STEPS, request=np.array(STORED)))
    assert picture.steps is not None
    assert np.array_equal(picture.rgb, RGB)
    assert np.array_equal(picture.steps, STEPS)
    assert picture.request == REQUEST.drawn()


def test_other_arrays_in_an_npz_are_let_alone() -> None:
    assert np.array_equal(decode(as_npz(rgb=RGB, mine=np.array([{}], object))).rgb, RGB)


@pytest.mark.parametrize("stored", ["", "{", "[1]", "7", "{}", '{"parameters": {}, "tile": [1, 2]}', "[" * 100_000])
def test_a_request_that_is_none_of_ours_is_not_known(stored: str) -> None:
    assert decode(encode(RGB, {"render:request": stored})).request is None


def test_a_picture_from_elsewhere_tells_no_request() -> None:
    assert decode(as_file(Image.fromarray(RGB))).request is None


@pytest.mark.parametrize("kind", ["BMP", "TIFF", "WEBP", "PPM", "TGA"])
def test_other_formats_are_read(kind: str) -> None:
    options = {"lossless": True} if kind == "WEBP" else {}
    assert np.array_equal(decode(as_file(Image.fromarray(RGB), kind, **options)).rgb, RGB)


@pytest.mark.parametrize(
    ("mode", "colour", "expected"),
    [
        ("1", 1, [255, 255, 255]),
        ("L", 77, [77, 77, 77]),
        ("LA", (77, 255), [77, 77, 77]),
        ("LA", (200, 0), [0, 0, 0]),
        ("RGBA", (200, 100, 50, 255), [200, 100, 50]),
        ("RGBA", (200, 100, 50, 0), [0, 0, 0]),
        ("RGBA", (200, 100, 50, 51), [40, 20, 10]),
        ("I;16", 65535, [255, 255, 255]),
        ("I;16", 257 * 12 + 128, [12, 12, 12]),
        ("I;16", 257 * 12 + 129, [13, 13, 13]),
    ],
)
def test_every_kind_of_pixel_becomes_8_bit_rgb(mode: str, colour: Any, expected: list[int]) -> None:
    picture = decode(as_file(Image.new(mode, (3, 2), colour)))
    assert picture.rgb.shape == (2, 3, 3)
    assert picture.rgb[1, 2].tolist() == expected


def test_a_palette_stands_for_its_colours() -> None:
    image = Image.new("P", (2, 1))
    image.putpalette([10, 20, 30, 40, 50, 60])
    image.putpixel((1, 0), 1)
    assert decode(as_file(image)).rgb.tolist() == [[[10, 20, 30], [40, 50, 60]]]
    assert decode(as_file(image, transparency=1)).rgb.tolist() == [[[10, 20, 30], [0, 0, 0]]]


@pytest.mark.parametrize(("mode", "colour", "why"), [("F", 0.5, "floating-point"), ("I", 70_000, "more than 16 bits")])
def test_pixels_of_unknown_range_are_refused(mode: str, colour: Any, why: str) -> None:
    with pytest.raises(InputError, match=why):
        decode(as_file(Image.new(mode, (3, 2), colour), "TIFF"))


@pytest.mark.parametrize("name", ["missing.png", ".", "a\0b.png", "x" * 300])
def test_a_file_that_cannot_be_opened_is_named(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match="cannot read") as caught:
        read(tmp_path / name)
    assert caught.value.remedy


def test_a_file_that_is_no_picture_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_text("no picture", encoding="ascii")
    with pytest.raises(InputError, match=r"a\.png cannot be read as a picture: no known format"):
        read(path)


def archive(name: str, data: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as made:
        made.writestr(name, data)
    return file.getvalue()


def header(shape: tuple[int, ...], dtype: str = "|u1") -> bytes:
    file = io.BytesIO()
    np.lib.format.write_array_header_1_0(file, {"shape": shape, "fortran_order": False, "descr": dtype})
    return file.getvalue()


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "is empty"),
        (b"\x89PNG", "no known format"),
        (b"PK\x03\x04 and no more", "not a zip file"),
        (as_npz(steps=STEPS), "no array 'rgb'"),
        (as_npz(rgb=RGB.astype(np.float32)), r"'rgb' is float32 \(3, 4, 3\), not uint8 of 3 axes"),
        (as_npz(rgb=RGB[0]), r"'rgb' is uint8 \(4, 3\)"),
        (as_npz(rgb=RGB[:, :, :2]), "its rgb is uint8"),
        (as_npz(rgb=RGB[:0]), "its rgb is uint8"),
        (as_npz(rgb=np.array(RGB, object)), "Python objects, which are never loaded"),
        (as_npz(rgb=RGB, steps=STEPS.astype(np.int64)), "'steps' is int64"),
        (as_npz(rgb=RGB, steps=STEPS[:2]), "its steps are int32"),
        (as_npz(rgb=RGB, request=np.array(7)), "'request' is int64"),
        (archive("rgb.npy", b"no array"), "magic"),
        (archive("rgb.npy", header((3, 4, 3))), "cannot be read"),
        (archive("rgb.npy", header((100_000, 100_000, 3))), "is refused"),
        (archive("rgb.npy", header((1 << 40, 1, 3))), "is refused"),
        (archive("rgb.npy", header((1, 1, 1 << 40))), "is refused"),
        (png(100_000, 100_000, b""), "is refused: .*decompression bomb"),
        (png(10_000, 10_000, b""), "is refused: .*decompression bomb"),
        (png(0, 5, b""), "cannot be read"),
        (png(4, 4, zlib.compress(b"short")), "cannot be read"),
        (encode(RGB)[:-30], "cannot be read"),
    ],
)
def test_what_is_no_picture_is_refused_with_the_reason(data: bytes, why: str) -> None:
    with pytest.raises(InputError, match=why) as caught:
        decode(data)
    assert caught.value.remedy
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("most", [11, 5], ids=["warned of", "refused"])
def test_a_large_picture_of_ours_is_as_large_as_its_request_says(most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", most)
    assert np.array_equal(decode(WHOLE["png"]).rgb, RGB)
    assert np.array_equal(decode(encode(RGB), (4, 3)).rgb, RGB)


@pytest.mark.parametrize("most", [11, 5], ids=["warned of", "refused"])
@pytest.mark.parametrize(
    ("data", "size"),
    [
        (encode(RGB), None),
        (encode(RGB), (3, 4)),
        (encode(RGB[:, ::-1].repeat(2, axis=0), {"render:request": STORED}), None),
        (encode(RGB, {"render:request": "{}"}), None),
        (as_file(Image.fromarray(RGB), "BMP"), (4, 3)),
    ],
    ids=["no request", "another size", "another request", "no request of ours", "no PNG"],
)
def test_any_other_large_picture_is_refused(
    data: bytes, size: tuple[int, int] | None, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", most)
    with pytest.raises(InputError, match="decompression bomb"):
        decode(data, size)


def test_even_a_picture_of_ours_can_be_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 5)
    monkeypatch.setattr(picture, "MOST_PIXELS", 11)
    with pytest.raises(InputError, match="decompression bomb"):
        decode(WHOLE["png"])


@pytest.mark.parametrize("rgb", [RGB.astype(np.int32), RGB[0], RGB[:, :, :1], RGB[:0]])
def test_a_picture_of_anything_but_bytes_in_rgb_is_refused(rgb: np.ndarray) -> None:
    with pytest.raises(InputError):
        Picture(rgb)


WHOLE = {
    "png": encode(RGB, {"render:request": STORED}),
    "npz": as_npz(rgb=RGB, steps=STEPS, request=np.array(STORED)),
    "jpeg": as_file(Image.fromarray(RGB), "JPEG"),
    "tiff": as_file(Image.fromarray(RGB), "TIFF"),
}
Damage = Callable[[bytes], bytes]


@given(st.sampled_from(sorted(WHOLE)), st.data())
def test_a_damaged_file_is_a_picture_or_refused(kind: str, data: st.DataObject) -> None:
    damaged = bytearray(WHOLE[kind])
    for _ in range(data.draw(st.integers(1, 3))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    refused = None
    try:
        assert decode(bytes(damaged[: data.draw(st.integers(0, len(damaged)))])).rgb.dtype == np.uint8
    except InputError as error:
        refused = error
    assert refused is None or (refused.remedy and "\n" not in str(refused))


@given(st.sampled_from(["png", "npz"]), st.data())
def test_a_truncated_file_of_ours_never_passes_for_another_picture(kind: str, data: st.DataObject) -> None:
    whole = WHOLE[kind]
    try:
        picture = decode(whole[: data.draw(st.integers(0, len(whole) - 1))])
    except InputError:
        return
    assert np.array_equal(picture.rgb, RGB)
