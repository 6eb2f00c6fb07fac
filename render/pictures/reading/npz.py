"""numpy's archives: `rgb`, and where they are there `steps`, `inside` and `request`; all else in them is let alone."""

from __future__ import annotations

import math
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from tokenize import TokenError
from typing import IO

import numpy as np

from render.errors import InputError
from render.pictures.bands import ROWS
from render.pictures.reading import BANDS, FileContents, LargeFile, Layer, check_memory, check_ratio, damage_error
from render.request import LARGEST_SIDES

SIGNATURE = b"PK\x03\x04"
HEAD = 1 << 16  # bytes that the head of an array may have; numpy writes 128
TEXT = 1 << 20  # bytes of the request
READERS = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}


def read(file: IO[bytes]) -> FileContents:
    """Read the arrays, each checked against its CRC-32. Raises InputError."""
    with _open_archive(file) as archive:
        names = archive.namelist()
        if "rgb.npy" not in names:
            raise damage_error("it has no array 'rgb'")
        rgb = _read_array(archive, "rgb", np.dtype(np.uint8), 3)
        steps = _read_array(archive, "steps", np.dtype(np.int32), 2) if "steps.npy" in names else None
        inside = _read_array(archive, "inside", np.dtype(np.bool_), 2) if "inside.npy" in names else None
        request = _read_array(archive, "request", None, 0) if "request.npy" in names else None
    texts = {} if request is None else {"render:request": str(request.item())}
    return FileContents((Layer(rgb),), texts, (), steps, inside)


def scan(file: IO[bytes], length: int) -> LargeFile | None:
    """Read all but the pixels; None where their rows do not follow each other. Raises as `read` does."""
    with _open_archive(file) as archive:
        names = archive.namelist()
        if "rgb.npy" not in names:
            return None  # `read` says why not
        member = archive.getinfo("rgb.npy")
        shape, stored, by_columns = _read_head(archive, member)
        if by_columns or stored != np.uint8 or len(shape) != 3 or shape[2] != 3 or not all(shape):
            return None
        _check_size("rgb", shape, stored, member, text=False)
        check_memory(BANDS * shape[1] * 3)
        if member.compress_type:
            check_ratio(math.prod(shape), member.compress_size)
        request = _read_array(archive, "request", None, 0) if "request.npy" in names else None
    texts = {} if request is None else {"render:request": str(request.item())}
    arrays = tuple(name for name in ("rgb", "steps", "inside") if f"{name}.npy" in names)
    return LargeFile((shape[1], shape[0]), texts, (), arrays, _read_rows)


def _read_rows(file: IO[bytes], length: int) -> Iterator[np.ndarray]:
    """Yield the rows of `rgb`, and check its CRC-32 at the end."""
    with _open_archive(file) as archive:
        (height, width, _), _, _ = _read_head(archive, archive.getinfo("rgb.npy"))
        with archive.open("rgb.npy") as opened:
            _skip_head(opened)
            for top in range(0, height, ROWS):
                rows = min(ROWS, height - top)
                data = opened.read(rows * width * 3)
                if len(data) < rows * width * 3:
                    raise damage_error("its array 'rgb' ends too early")
                yield np.frombuffer(data, np.uint8).reshape(rows, width, 3)
            if opened.read(1):  # at the end, zipfile compares the CRC
                raise damage_error("its array 'rgb' has more bytes than it needs")


@contextmanager
def _open_archive(file: IO[bytes]) -> Iterator[zipfile.ZipFile]:
    """Open the archive. Raises InputError for it and for what is read of it."""
    try:
        with zipfile.ZipFile(file) as archive:
            yield archive
    except zipfile.BadZipFile as error:
        raise damage_error(f"its archive is damaged ({error!s:.60})") from error
    except (OSError, ValueError, EOFError, zlib.error) as error:  # places outside of it; what cannot be unpacked
        raise damage_error("its archive is damaged") from error


def _read_array(archive: zipfile.ZipFile, name: str, dtype: np.dtype | None, axes: int) -> np.ndarray:
    """Read one array, its header checked before memory is taken for it. No dtype: text."""
    member = archive.getinfo(f"{name}.npy")
    shape, stored, _ = _read_head(archive, member)
    if stored.hasobject:
        raise damage_error(f"its array '{name}' holds Python objects, which are never loaded")
    if len(shape) != axes or (stored != dtype if dtype is not None else stored.kind != "U"):
        raise damage_error(f"its array '{name}' is {stored} {shape}, not {dtype or 'text'} of {axes} axes")
    needed = _check_size(name, shape, stored, member, text=dtype is None)
    check_memory(needed, member.compress_size if member.compress_type else None)
    with archive.open(member) as opened:
        array = np.lib.format.read_array(opened, allow_pickle=False)
        if opened.read(1):  # at the end, zipfile compares the CRC
            raise damage_error(f"its array '{name}' has more bytes than {stored} {shape} needs")
    return np.ascontiguousarray(array)


def _check_size(name: str, shape: tuple[int, ...], stored: np.dtype, member: zipfile.ZipInfo, *, text: bool) -> int:
    """Return the bytes that an array needs. Raises InputError where no picture has so many, or the file has more."""
    needed = math.prod(shape) * stored.itemsize
    if max(shape, default=0) > LARGEST_SIDES["f64"] or (text and needed > TEXT):
        raise InputError(f"is refused: its array '{name}' is {stored} {shape}", "give a smaller picture")
    if member.file_size > needed + HEAD:
        raise damage_error(f"its array '{name}' has more bytes than {stored} {shape} needs")
    return needed


def _read_head(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> tuple[tuple[int, ...], np.dtype, bool]:
    """Read shape and type of an array and whether it goes by columns, without reading more than a head may have."""
    name = member.filename
    with archive.open(member) as opened:
        try:
            version = np.lib.format.read_magic(opened)
            if version not in READERS:
                raise damage_error(f"its array {name} is of version {version[0]}.{version[1]} of numpy's format")
            long = 2 if version == (1, 0) else 4
            if int.from_bytes(opened.read(long), "little") > HEAD:
                raise damage_error(f"the head of its array {name} is longer than {HEAD} bytes")
            opened.seek(8)
            shape, by_columns, stored = READERS[version](opened)
        except (ValueError, TokenError) as error:  # it is parsed as Python's own text
            raise damage_error(f"the head of its array {name} is damaged") from error
    if min(shape, default=0) < 0:
        raise damage_error(f"its array {name} is {stored} {shape}")
    return shape, stored, by_columns


def _skip_head(opened: IO[bytes]) -> None:
    """Go to the first byte of an array, whose head was checked."""
    version = np.lib.format.read_magic(opened)
    READERS[version](opened)
