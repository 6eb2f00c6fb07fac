"""What Pillow decodes: all bits of all samples, alpha, all frames, turned as EXIF says; nothing is left out."""

from __future__ import annotations

import io
import struct
from typing import Any

import numpy as np
import pytest
import tifffile
from PIL import Image, ImageCms, ImageOps

from render import machine
from render.errors import InputError
from render.pictures.picture import decode

RGB = np.random.default_rng(1).integers(0, 256, (5, 4, 3)).astype(np.uint8)


def as_file(image: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


@pytest.mark.parametrize(
    ("mode", "colour", "expected"),
    [
        ("1", 1, [255, 255, 255]),
        ("L", 77, [77, 77, 77]),
        ("I;16", 65535, [65535] * 3),
        ("I;16", 3212, [3212] * 3),
    ],
)
@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_grey_is_three_equal_colours(mode: str, colour: int, expected: list[int], kind: str) -> None:
    picture = decode(as_file(Image.new(mode, (3, 2), colour), kind))
    assert picture.rgb.shape == (2, 3, 3)
    assert picture.rgb[1, 2].tolist() == expected
    assert picture.alpha is None


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "WEBP", "TGA"])
@pytest.mark.parametrize(("mode", "colour"), [("RGBA", (200, 100, 50, 51)), ("RGBA", (200, 100, 50, 255))])
def test_alpha_is_a_channel_of_its_own(kind: str, mode: str, colour: Any) -> None:
    options = {"lossless": True, "exact": True} if kind == "WEBP" else {}
    picture = decode(as_file(Image.new(mode, (3, 2), colour), kind, **options))
    alpha = 255 if picture.alpha is None else picture.alpha[1, 2]
    assert (*picture.rgb[1, 2].tolist(), alpha) == colour


@pytest.mark.parametrize(
    ("place", "value", "cause"), [(8, 255, "its pixels cannot be unpacked"), (-1, 11, "no known format")]
)
def test_what_decoders_find_odd_is_not_printed_beside_the_error(
    place: int, value: int, cause: str, capfd: pytest.CaptureFixture[str]
) -> None:
    data = bytearray(as_file(Image.fromarray(RGB), "TIFF", compression="tiff_lzw"))
    samples = data.index(struct.pack("<HHIH", 277, 3, 1, 3)) + 8  # of a pixel
    data[place if place > 0 else samples] = value
    with pytest.raises(InputError, match=cause):
        decode(bytes(data))
    assert capfd.readouterr() == ("", "")


def test_a_program_is_not_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image.Image, "load", None)
    with pytest.raises(InputError, match="is PostScript, a program"):
        decode(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\nshowpage\n")


def wide_tiff(values: np.ndarray, end: str) -> bytes:
    """An uncompressed TIFF of RGB samples of 16 bits, with its bytes in the order `<` or `>`."""
    height, width, _ = values.shape
    order, short, long = (b"II" if end == "<" else b"MM"), 3, 4
    tags = [
        (256, long, 1, width),
        (257, long, 1, height),
        (258, short, 3, 134),
        (259, short, 1, 1),
        (262, short, 1, 2),
        (273, long, 1, 140),
        (277, short, 1, 3),
        (278, long, 1, height),
        (279, long, 1, values.size * 2),
        (284, short, 1, 1),
    ]
    entries = b"".join(
        np.array([tag, kind], f"{end}u2").tobytes()
        + np.array([count], f"{end}u4").tobytes()
        + (
            np.array([value, 0], f"{end}u2") if kind == short and count == 1 else np.array([value], f"{end}u4")
        ).tobytes()
        for tag, kind, count, value in tags
    )
    head = order + np.array([42], f"{end}u2").tobytes() + np.array([8], f"{end}u4").tobytes()
    made = head + np.array([len(tags)], f"{end}u2").tobytes() + entries + bytes(4)
    assert len(made) == 134
    return made + np.array([16, 16, 16], f"{end}u2").tobytes() + values.astype(f"{end}u2").tobytes()


@pytest.mark.parametrize("end", ["<", ">"])
def test_colours_of_16_bits_in_a_tiff_are_read_in_full(end: str) -> None:
    values = np.random.default_rng(2).integers(0, 65536, (3, 4, 3))
    picture = decode(wide_tiff(values, end))
    assert picture.depth == 16
    assert np.array_equal(picture.rgb, values)


def test_a_depth_that_cannot_be_read_in_full_is_refused() -> None:
    with pytest.raises(InputError, match="16 bits a sample, of which only 8"):
        decode(b"P6 2 1 65535\n" + bytes(12))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_picture_is_turned_as_exif_says(orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    for kind, options in (("PNG", {}), ("TIFF", {}), ("WEBP", {"lossless": True})):
        data = as_file(Image.fromarray(RGB), kind, exif=exif, **options)
        expected = ImageOps.exif_transpose(Image.open(io.BytesIO(data)))
        assert np.array_equal(decode(data).rgb, np.asarray(expected)), kind


@pytest.mark.parametrize("kind", ["PNG", "GIF", "WEBP", "TIFF"])
def test_every_frame_is_read(kind: str) -> None:
    frames = [Image.new("RGB", (9, 7), (0, level, 0)) for level in (0, 85, 170)]
    options = {"lossless": True} if kind == "WEBP" else {}
    data = as_file(frames[0], kind, save_all=True, append_images=frames[1:], **options)
    assert [one.rgb[3, 3, 1] for one in decode(data).frames] == [0, 85, 170]


@pytest.mark.parametrize("channels", [3, 4])  # the first is read by this program, the second by Pillow
def test_smaller_copies_in_a_tiff_are_no_more_frames(channels: int) -> None:
    file, rgb = io.BytesIO(), np.random.default_rng(1).integers(0, 255, (64, 80, channels), np.uint8)
    with tifffile.TiffWriter(file) as writer:
        for shrink in (1, 2, 4):
            copy = np.ascontiguousarray(rgb[::shrink, ::shrink])
            writer.write(copy, photometric="rgb", subfiletype=shrink > 1, metadata=None)
    read = decode(file.getvalue())
    assert (len(read.frames), read.alpha is not None) == (1, channels == 4)
    assert np.array_equal(read.rgb, rgb[..., :3])


def test_a_colour_profile_is_named() -> None:
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    (said,) = decode(as_file(Image.fromarray(RGB), "JPEG", icc_profile=lab)).ignored
    assert said.startswith("its colour profile ('Lab")
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    assert decode(as_file(Image.fromarray(RGB), "JPEG", icc_profile=srgb)).ignored == ()
    assert decode(as_file(Image.fromarray(RGB), "JPEG", icc_profile=b"none")).ignored != ()


def test_ink_is_named() -> None:
    assert "CMYK" in decode(as_file(Image.new("CMYK", (3, 2)), "TIFF")).ignored[0]


@pytest.mark.parametrize("kind", ["JPEG", "WEBP", "TIFF", "GIF"])
def test_what_would_take_too_much_memory_is_refused_before_it_is_unpacked(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = as_file(Image.new("L", (100, 100)), kind)
    monkeypatch.setattr(machine, "memory", lambda: 3 * 180_000)
    assert decode(data).size == (100, 100)
    monkeypatch.setattr(machine, "memory", lambda: 3 * 180_000 - 3)
    monkeypatch.setattr(Image.Image, "load", None)
    with pytest.raises(InputError, match="is refused: reading it takes 176 KiB of memory"):
        decode(data)


def test_a_later_page_that_is_too_large_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    pages = [Image.new("L", (size, size)) for size in (10, 500)]
    data = as_file(pages[0], "TIFF", save_all=True, append_images=pages[1:])
    assert [one.size for one in decode(data).frames] == [(10, 10), (500, 500)]
    monkeypatch.setattr(machine, "memory", lambda: 3 << 20)
    with pytest.raises(InputError, match=r"is refused: reading it takes 4\.29 MiB"):
        decode(data)


def test_many_frames_are_counted_in(monkeypatch: pytest.MonkeyPatch) -> None:
    frames = [Image.new("L", (100, 100), level) for level in range(50)]
    data = as_file(frames[0], "GIF", save_all=True, append_images=frames[1:])
    monkeypatch.setattr(machine, "memory", lambda: 10 * 180_000)
    with pytest.raises(InputError, match="is refused: reading it takes"):
        decode(data)
