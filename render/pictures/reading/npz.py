"""numpy's archives: `rgb`, and where they are there `steps`, `inside` and `request`; all else in them is let alone."""

from __future__ import annotations

import math
import zipfile
from typing import IO

import numpy as np

from render.errors import InputError
from render.pictures.reading import FileContents, Layer, check_memory, damage_error
from render.request import LARGEST_SIDES

SIGNATURE = b"PK\x03\x04"
HEAD = 1 << 16  # bytes that the head of an array may have; numpy writes 128
TEXT = 1 << 20  # bytes of the request
READERS = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}


def read(file: IO[bytes]) -> FileContents:
    """Read the arrays, each checked against its CRC-32. Raises InputError, or zipfile's errors for a damaged file."""
    with zipfile.ZipFile(file) as archive:
        names = archive.namelist()
        if "rgb.npy" not in names:
            raise damage_error("it has no array 'rgb'")
        rgb = _read_array(archive, "rgb", np.dtype(np.uint8), 3)
        steps = _read_array(archive, "steps", np.dtype(np.int32), 2) if "steps.npy" in names else None
        inside = _read_array(archive, "inside", np.dtype(np.bool_), 2) if "inside.npy" in names else None
        request = _read_array(archive, "request", None, 0) if "request.npy" in names else None
    texts = {} if request is None else {"render:request": str(request.item())}
    return FileContents((Layer(rgb),), texts, (), steps, inside)


def _read_array(archive: zipfile.ZipFile, name: str, dtype: np.dtype | None, axes: int) -> np.ndarray:
    """Read one array, its header checked before memory is taken for it. No dtype: text."""
    member = archive.getinfo(f"{name}.npy")
    shape, stored = _read_head(archive, member)
    if stored.hasobject:
        raise damage_error(f"its array '{name}' holds Python objects, which are never loaded")
    if len(shape) != axes or (stored != dtype if dtype is not None else stored.kind != "U"):
        raise damage_error(f"its array '{name}' is {stored} {shape}, not {dtype or 'text'} of {axes} axes")
    needed = math.prod(shape) * stored.itemsize
    if max(shape, default=0) > LARGEST_SIDES["f64"] or (dtype is None and needed > TEXT):
        raise InputError(f"is refused: its array '{name}' is {stored} {shape}", "give a smaller picture")
    check_memory(needed, member.compress_size if member.compress_type else None)
    if member.file_size > needed + HEAD:
        raise damage_error(f"its array '{name}' has more bytes than {stored} {shape} needs")
    with archive.open(member) as opened:
        array = np.lib.format.read_array(opened, allow_pickle=False)
        if opened.read(1):  # at the end, zipfile compares the CRC
            raise damage_error(f"its array '{name}' has more bytes than {stored} {shape} needs")
    return np.ascontiguousarray(array)


def _read_head(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> tuple[tuple[int, ...], np.dtype]:
    """Read the shape and type of an array, without reading more than a head may have."""
    with archive.open(member) as opened:
        version = np.lib.format.read_magic(opened)
        if version not in READERS:
            raise damage_error(f"its array {member.filename} is of version {version[0]}.{version[1]} of numpy's format")
        long = 2 if version == (1, 0) else 4
        if int.from_bytes(opened.read(long), "little") > HEAD:
            raise damage_error(f"the head of its array {member.filename} is longer than {HEAD} bytes")
        opened.seek(8)
        shape, _, stored = READERS[version](opened)
    return shape, stored
