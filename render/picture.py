"""Pictures as files: PNG is written fast, and any picture is read with care, so that it can be compared.

Reading makes every picture 8-bit RGB, and this is how:

    grey, palette, CMYK, YCbCr   the RGB colours that they stand for
    1 bit                        0 and 255
    16 bits a channel            the nearest of 256 levels (grey); the upper 8 bits (colour, as Pillow reads it)
    transparency                 laid over black
    several pictures in a file   the first

Floating-point pictures have no fixed range and are refused.
"""

from __future__ import annotations

import math
import struct
import warnings
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np
from isal import isal_zlib

from render import packing, provenance
from render.errors import InputError
from render.provenance import Provenance
from render.request import LARGEST_SIDE

if TYPE_CHECKING:
    from PIL.Image import Image

SIGNATURE = b"\x89PNG\r\n\x1a\n"
SUB, UP = 1, 2  # PNG's filters: less the pixel to the left, less the one above
TRIED = 32  # each band takes the filter that packs every 32nd of its rows smaller (benchmarks/saving.py)
LONGEST = 1 << 30  # bytes in a chunk; PNG allows just below 2^31
MOST_PIXELS = 1 << 29
REQUEST, OWNERS = "render:request", "render:owners"  # the text chunks that hold them


@dataclass(frozen=True, eq=False)
class Picture:
    """Pixels that were read: `rgb` (height, width, 3) uint8, `steps` (height, width) int32 or None.

    `request` is what is drawn (`Request.drawn`), `provenance` who drew it; None where the file does not tell. Raises
    InputError where the arrays are anything else.
    """

    rgb: np.ndarray
    steps: np.ndarray | None = None
    request: dict[str, Any] | None = None
    provenance: Provenance | None = None

    def __post_init__(self) -> None:
        """Check types and shapes."""
        rgb, steps = self.rgb, self.steps
        if rgb.dtype != np.uint8 or rgb.ndim != 3 or rgb.shape[2] != 3 or not rgb.size:
            raise _not_a_picture(f"its rgb is {rgb.dtype} {rgb.shape}, not uint8 (height, width, 3)")
        if steps is not None and (steps.dtype != np.int32 or steps.shape != rgb.shape[:2]):
            raise _not_a_picture(f"its steps are {steps.dtype} {steps.shape}, not int32 {rgb.shape[:2]}")


def encode(rgb: np.ndarray, texts: Mapping[str, str] | None = None, stream: bytes | None = None) -> bytes:
    """A PNG file of (height, width, 3) uint8 pixels in sRGB, with ASCII texts by keyword (PNG, third edition).

    stream: what `pixels` gave for them, if it is known already.
    """
    height, width, _ = rgb.shape
    chunks = [
        _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)),
        _chunk(b"sRGB", b"\0"),  # rendering intent: perceptual
    ]
    chunks += [_chunk(b"tEXt", f"{name}\0{text}".encode("ascii")) for name, text in (texts or {}).items()]
    data = memoryview(pixels(rgb) if stream is None else stream)
    chunks += [_chunk(b"IDAT", data[start : start + LONGEST]) for start in range(0, len(data), LONGEST)]
    return b"".join([SIGNATURE, *chunks, _chunk(b"IEND", b"")])


def _chunk(kind: bytes, data: bytes | memoryview) -> bytes:
    check = isal_zlib.crc32(data, isal_zlib.crc32(kind))
    return b"".join([struct.pack(">I", len(data)), kind, data, struct.pack(">I", check)])


def pixels(rgb: np.ndarray) -> bytes:
    """What a PNG's IDAT chunks hold: the rows, filtered band by band, as one zlib stream."""
    height, width, _ = rgb.shape
    rows = max(packing.BAND // (width * 3), 1)
    return packing.packed([partial(_filtered, rgb, top, min(top + rows, height)) for top in range(0, height, rows)])


def _filtered(rgb: np.ndarray, top: int, end: int) -> np.ndarray:
    """Rows `top` to `end`, each behind the number of its filter: the one that suits this band better."""
    rows = np.ascontiguousarray(rgb[max(top - 1, 0) : end]).reshape(-1, rgb.shape[1] * 3)
    if not top:
        rows = np.concatenate([np.zeros_like(rows[:1]), rows])  # above the first row is black
    above, rows = rows[:-1], rows[1:]
    made = np.empty((len(rows), 1 + rows.shape[1]), np.uint8)
    made[:, 0] = kind = SUB if _packs_smaller_sideways(above[1::TRIED], rows[1::TRIED]) else UP
    if kind == UP:
        np.subtract(rows, above, out=made[:, 1:])
    else:
        made[:, 1:4] = rows[:, :3]
        np.subtract(rows[:, 3:], rows[:, :-3], out=made[:, 4:])
    return made


def _packs_smaller_sideways(above: np.ndarray, rows: np.ndarray) -> bool:
    sideways, downwards = rows[:, 3:] - rows[:, :-3], rows - above
    return len(isal_zlib.compress(sideways, packing.LEVEL)) < len(isal_zlib.compress(downwards, packing.LEVEL))


def read(path: str | Path) -> Picture:
    """The picture in a file: PNG, `.npz`, or whatever else Pillow reads. Raises InputError."""
    try:
        with Path(path).open("rb") as file:
            return decode(file)
    except (OSError, ValueError) as error:  # ValueError: a zero byte in the name
        why = getattr(error, "strerror", None) or error
        raise InputError(f"cannot read {path}: {why}", "give the path of a picture that you may read") from error
    except InputError as error:
        raise InputError(f"{path} {error.cause}", error.remedy) from error


def decode(file: IO[bytes] | bytes, size: tuple[int, int] | None = None) -> Picture:
    """The picture in an open file or in bytes. Raises InputError, whose cause lacks the file's name in front.

    size: (width, height) where they are known from elsewhere; only so, or where the picture itself holds a request of
    its size, may it be so large that it could be a decompression bomb.
    """
    file = BytesIO(file) if isinstance(file, bytes) else file
    head = file.read(4)
    file.seek(0)
    if not head:
        raise InputError("is empty", "save the picture again")
    try:
        return _npz(file) if head == b"PK\x03\x04" else _image(file, size)
    except InputError:
        raise
    except MemoryError as error:
        raise InputError("is too large for this machine's memory", "give a smaller picture") from error
    except Exception as error:  # decoders raise nearly everything on damaged files
        raise _not_a_picture((str(error) or type(error).__name__).splitlines()[0]) from error


def _not_a_picture(why: str) -> InputError:
    return InputError(f"cannot be read as a picture: {why}", "give a whole PNG or .npz file, or save the picture again")


def _image(file: IO[bytes], size: tuple[int, int] | None) -> Picture:
    """By Pillow, which limits the number of pixels (Image.MAX_IMAGE_PIXELS) against decompression bombs."""
    from PIL import Image, UnidentifiedImageError

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        try:
            with _opened(file, size) as image:
                image.load()
                made = provenance.read(image.info.get(REQUEST), image.info.get(OWNERS))
                return Picture(_rgb(image), None, _drawn(made), made)
        except UnidentifiedImageError as error:
            raise _not_a_picture("no known format") from error
        except (Image.DecompressionBombWarning, Image.DecompressionBombError) as error:
            raise InputError(f"is refused: {error}", "give a smaller picture, or one saved as .npz") from error


def _opened(file: IO[bytes], size: tuple[int, int] | None) -> Image:
    """The header read, and no pixel yet. Raises Pillow's error for what is too large and nobody asked for."""
    from PIL import Image as Pillow
    from PIL.PngImagePlugin import PngImageFile

    try:
        return Pillow.open(file)
    except (Pillow.DecompressionBombWarning, Pillow.DecompressionBombError):
        file.seek(0)
        if file.read(len(SIGNATURE)) != SIGNATURE:
            raise
        file.seek(0)
        image = PngImageFile(file)  # made so, it does not ask how large it is
        drawn = _drawn(provenance.read(image.info.get(REQUEST), None)) or {}
        told = size or (drawn.get("width"), drawn.get("height"))
        if image.size != told or math.prod(image.size) > MOST_PIXELS:
            raise
        return image


def _rgb(image: Image) -> np.ndarray:
    """The pixels as the module's table says."""
    from PIL import Image as Pillow

    if image.mode == "F":
        raise _not_a_picture("its numbers are floating-point, of unknown range")
    if image.mode.startswith("I"):
        wide = np.asarray(image).astype(np.int64)
        if wide.min() < 0 or wide.max() > 65535:
            raise _not_a_picture("it has more than 16 bits a pixel")
        grey = ((wide * 255 + 32767) // 65535).astype(np.uint8)
        return np.repeat(grey[:, :, None], 3, axis=2)
    if image.has_transparency_data:
        image = image.convert("RGBA")
        image = Pillow.alpha_composite(Pillow.new("RGBA", image.size, (0, 0, 0, 255)), image)
    return np.asarray(image if image.mode == "RGB" else image.convert("RGB"))


def _drawn(made: Provenance | None) -> dict[str, Any] | None:
    return None if made is None else made.request.drawn()


def _npz(file: IO[bytes]) -> Picture:
    """`rgb`, and where they are there `steps` and `request`; all else in the file is let alone."""
    with zipfile.ZipFile(file) as archive:
        names = archive.namelist()
        if "rgb.npy" not in names:
            raise _not_a_picture("it has no array 'rgb'")
        rgb = _array(archive, "rgb", np.dtype(np.uint8), 3)
        steps = _array(archive, "steps", np.dtype(np.int32), 2) if "steps.npy" in names else None
        request = _array(archive, "request", None, 0) if "request.npy" in names else None
    made = provenance.read(request.item() if request is not None else None, None)
    return Picture(rgb, steps, _drawn(made), made)


def _array(archive: zipfile.ZipFile, name: str, dtype: np.dtype | None, axes: int) -> np.ndarray:
    """One array, its header checked before anything is made room for. No dtype: text."""
    with archive.open(f"{name}.npy") as member:
        version = np.lib.format.read_magic(member)
        header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, _, found = header(member)
    if found.hasobject:
        raise _not_a_picture(f"its array '{name}' holds Python objects, which are never loaded")
    if len(shape) != axes or (found != dtype if dtype is not None else found.kind != "U"):
        raise _not_a_picture(f"its array '{name}' is {found} {shape}, not {dtype or 'text'} of {axes} axes")
    if max(shape, default=0) > LARGEST_SIDE or math.prod(shape[:2]) > MOST_PIXELS or found.itemsize > 1 << 20:
        raise InputError(f"is refused: its array '{name}' is {found} {shape}", "give a smaller picture")
    with archive.open(f"{name}.npy") as member:
        return np.ascontiguousarray(np.lib.format.read_array(member, allow_pickle=False))
