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

from render import machine
from render.errors import InputError
from render.pictures import reading
from render.pictures.picture import Picture, decode, read
from render.pictures.png_writer import encode_png
from render.pictures.tiff import encode_tiff
from render.request import LARGEST_SIDE
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
    picture = decode(encode_png(RGB, {"render:request": STORED}))
    assert np.array_equal(picture.rgb, RGB)
    assert (picture.steps, picture.request) == (None, REQUEST.picture_key())


def test_our_npz_comes_back_with_steps_and_with_what_is_drawn() -> None:
    picture = decode(as_npz(rgb=RGB, steps=STEPS, request=np.array(STORED)))
    assert picture.steps is not None
    assert np.array_equal(picture.rgb, RGB)
    assert np.array_equal(picture.steps, STEPS)
    assert picture.request == REQUEST.picture_key()


def test_our_tiff_comes_back_with_what_is_drawn() -> None:
    picture = decode(encode_tiff(RGB, {"render:request": STORED}))
    assert np.array_equal(picture.rgb, RGB)
    assert picture.request == REQUEST.picture_key()


def test_other_arrays_in_an_npz_are_let_alone() -> None:
    assert np.array_equal(decode(as_npz(rgb=RGB, mine=np.array([{}], object))).rgb, RGB)


@pytest.mark.parametrize("stored", ["", "{", "[1]", "7", "{}", '{"parameters": {}, "tile": [1, 2]}', "[" * 100_000])
def test_a_request_that_is_none_of_ours_is_not_known(stored: str) -> None:
    assert decode(encode_png(RGB, {"render:request": stored})).request is None


def test_a_picture_from_elsewhere_tells_no_request() -> None:
    assert decode(as_file(Image.fromarray(RGB))).request is None


@pytest.mark.parametrize("kind", ["BMP", "TIFF", "WEBP", "PPM", "TGA"])
def test_other_formats_are_read(kind: str) -> None:
    options = {"lossless": True} if kind == "WEBP" else {}
    assert np.array_equal(decode(as_file(Image.fromarray(RGB), kind, **options)).rgb, RGB)


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
        (b"\x89PNG", "its first 8 bytes are not those of a PNG"),
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
        (archive("rgb.npy", b"no array"), "the head of its array rgb.npy is damaged"),
        (archive("rgb.npy", header((3, 4, 3))), "cannot be read"),
        (archive("rgb.npy", header((100_000, 100_000, 3))), "is refused"),
        (archive("rgb.npy", header((1 << 40, 1, 3))), "is refused"),
        (archive("rgb.npy", header((1, 1, 1 << 40))), "is refused"),
        (png(100_000, 100_000, b""), "is refused: reading it takes 27.9 GiB of memory"),
        (png(10_000, 10_000, b""), "is refused as a decompression bomb: 57 bytes would unpack to 286 MiB"),
        (png(0, 5, b""), "IHDR says 0 x 5 pixels"),
        (png(4, 4, zlib.compress(b"short")), "IDAT chunks end too early"),
        (encode_png(RGB)[:-30], "chunk IDAT claims"),
    ],
)
def test_what_is_no_picture_is_refused_with_the_reason(data: bytes, why: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "memory", lambda: 3 << 30)
    with pytest.raises(InputError, match=why) as caught:
        decode(data)
    assert caught.value.remedy
    assert "\n" not in str(caught.value)


def test_alpha_that_hides_nothing_is_none() -> None:
    image = Image.fromarray(RGB).convert("RGBA")
    assert decode(as_file(image)).alpha is None
    image.putpixel((0, 0), (0, 0, 0, 254))
    assert decode(as_file(image)).alpha is not None


def test_the_flattest_picture_of_ours_is_no_bomb(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor does it matter how many pixels it has: what counts is memory."""
    monkeypatch.setattr(reading, "SMALL", 0)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 5)
    for flat in (np.zeros((40, LARGEST_SIDE, 3), np.uint8), np.full((900, 2000, 3), (1, 2, 3), np.uint8)):
        assert np.array_equal(decode(encode_png(flat)).rgb, flat)


def test_no_text_in_a_picture_lifts_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = WHOLE["png"]
    monkeypatch.setattr(machine, "memory", lambda: 3 * 39)  # its rows are 39 bytes, unpacked
    assert decode(whole).size == (4, 3)
    monkeypatch.setattr(machine, "memory", lambda: 3 * 38)
    with pytest.raises(InputError, match="is refused: reading it takes 39 bytes"):
        decode(whole)


def test_a_picture_comes_through_a_pipe(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(WHOLE["png"])
    with path.open(encoding="latin-1") as file:
        monkeypatch.setattr("sys.stdin", file)
        assert np.array_equal(read("-").rgb, RGB)


@pytest.mark.parametrize("rgb", [RGB.astype(np.int32), RGB[0], RGB[:, :, :1], RGB[:0]])
def test_a_picture_of_anything_but_bytes_in_rgb_is_refused(rgb: np.ndarray) -> None:
    with pytest.raises(InputError):
        Picture(rgb)


WHOLE = {
    "png": encode_png(RGB, {"render:request": STORED}),
    "npz": as_npz(rgb=RGB, steps=STEPS, request=np.array(STORED)),
    "our tiff": encode_tiff(RGB, {"render:request": STORED}),
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


@given(st.sampled_from(["png", "npz", "flat png"]), st.data())
def test_a_flipped_bit_in_a_file_of_ours_is_refused_or_harmless(kind: str, data: st.DataObject) -> None:
    whole = bytearray(WHOLE.get(kind) or encode_png(np.full((40, 50, 3), 7, np.uint8)))
    before = decode(bytes(whole))
    bit = data.draw(st.integers(0, 8 * len(whole) - 1))
    whole[bit // 8] ^= 1 << bit % 8
    try:
        picture = decode(bytes(whole))
    except InputError:
        return
    assert np.array_equal(picture.rgb, before.rgb)
    assert (picture.alpha, picture.more) == (None, ())


@given(st.sampled_from(["png", "npz", "our tiff"]), st.data())
def test_a_truncated_file_of_ours_never_passes_for_another_picture(kind: str, data: st.DataObject) -> None:
    whole = WHOLE[kind]
    try:
        picture = decode(whole[: data.draw(st.integers(0, len(whole) - 1))])
    except InputError:
        return
    assert np.array_equal(picture.rgb, RGB)
