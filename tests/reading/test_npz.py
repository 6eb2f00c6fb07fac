"""numpy's archives: whole, of the shape that they claim, and never larger than memory allows."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from render import machine
from render.errors import InputError
from render.pictures.picture import decode
from render.request import LARGEST_SIDE

RGB = np.arange(60, dtype=np.uint8).reshape(4, 5, 3)
INSIDE = np.eye(4, 5, dtype=np.bool_)


def npz(save: Callable[..., None] = np.savez, **arrays: np.ndarray) -> bytes:
    file = io.BytesIO()
    save(file, **arrays)
    return file.getvalue()


def test_the_mask_of_points_inside_is_read() -> None:
    picture = decode(npz(rgb=RGB, inside=INSIDE))
    assert picture.inside is not None
    assert np.array_equal(picture.inside, INSIDE)


def test_a_picture_as_wide_as_a_frame_may_be_is_read() -> None:
    assert decode(npz(rgb=np.zeros((1, LARGEST_SIDE + 1, 3), np.uint8))).size == (LARGEST_SIDE + 1, 1)


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_a_damaged_array_is_refused(save: Callable[..., None]) -> None:
    data = bytearray(npz(save, rgb=RGB))
    data[data.index(b"rgb.npy") + 150] ^= 1  # within the first member, behind its head
    with pytest.raises(InputError, match="cannot be read as a picture"):
        decode(bytes(data))


@pytest.mark.parametrize(
    ("old", "new", "cause"),
    [
        (b"'shape'", b"'sha\0e'", "the head of its array rgb.npy is damaged"),
        (b"(4, 5, 3)", b"(-4,5, 3)", r"its array rgb.npy is uint8 \(-4, 5, 3\)"),
    ],
)
def test_a_damaged_head_is_refused_in_words(old: bytes, new: bytes, cause: str) -> None:
    file, made = io.BytesIO(), io.BytesIO()
    np.save(file, RGB)
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("rgb.npy", file.getvalue().replace(old, new))
    with pytest.raises(InputError, match=cause):
        decode(made.getvalue())


def test_an_archive_that_lacks_its_beginning_is_refused() -> None:
    data = npz(rgb=RGB)
    with pytest.raises(InputError, match="its archive is damaged"):
        decode(data[:4] + data[90:])


def test_more_bytes_than_the_array_has_are_refused() -> None:
    file = io.BytesIO()
    np.save(file, RGB)
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("rgb.npy", file.getvalue() + b"more")
    with pytest.raises(InputError, match="more bytes than"):
        decode(made.getvalue())


def test_a_packed_array_that_would_unpack_to_too_much_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    flat = npz(np.savez_compressed, rgb=np.zeros((500, 500, 3), np.uint8))
    assert decode(flat).size == (500, 500)
    monkeypatch.setattr(machine, "memory", lambda: 3 * 500 * 500 * 3 - 3)
    with pytest.raises(InputError, match="is refused: reading it takes 732 KiB"):
        decode(flat)


def test_an_array_packed_far_too_small_is_a_bomb(tmp_path: Path) -> None:
    path = tmp_path / "bomb.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("rgb.npy", "w") as member:
        np.lib.format.write_array_header_1_0(
            member, {"shape": (10_000, 10_000, 3), "fortran_order": False, "descr": "|u1"}
        )
        for _ in range(300):
            member.write(bytes(1_000_000))
    with path.open("rb") as file, pytest.raises(InputError, match="is refused as a decompression bomb"):
        decode(file)


def test_a_long_head_is_refused_before_it_is_read() -> None:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("rgb.npy", b"\x93NUMPY\2\0\xff\xff\xff\x7f" + b" " * 100_000)
    with pytest.raises(InputError, match="cannot be read as a picture: the head of its array"):
        decode(made.getvalue())
