"""Pictures in files, read with care, so that they can be compared.

What becomes of each kind of file stands in `render.pictures.reading`; a picture read is RGB of 8 or 16 bits, whatever
the file.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from os import SEEK_END
from pathlib import Path
from typing import IO, Any

import numpy as np

from render.errors import InputError
from render.pictures import provenance
from render.pictures.bands import ROWS, Band
from render.pictures.png_writer import SIGNATURE
from render.pictures.provenance import Provenance
from render.pictures.reading import FileContents, check_memory, damage_error

STDIN = "-"  # in place of a file's name
TIFFS = b"II\x2a\0", b"MM\0\x2a", b"II\x2b\0", b"MM\0\x2b"  # how they begin; the last two are BigTIFF
REQUEST, OWNERS, TIMINGS = "render:request", "render:owners", "render:timings"  # the text chunks that hold them


@dataclass(frozen=True, eq=False)
class Picture:
    """Pixels that were read: `rgb` (height, width, 3) uint8 or uint16, `alpha` (height, width) alike; None: all opaque.

    `steps` (height, width) int32 and `inside` (height, width) bool: see `Frame`. `request` is what is drawn
    (`Request.drawn`), `provenance` who drew it, `timings` the document of that run; None where the file does not say.
    `more`: the other pictures of an animation or of several pages. `ignored`: what the file says of how it looks and
    what was not applied, in words. Raises InputError where the arrays are anything else.
    """

    rgb: np.ndarray
    steps: np.ndarray | None = None
    request: dict[str, Any] | None = None
    provenance: Provenance | None = None
    alpha: np.ndarray | None = None
    inside: np.ndarray | None = None
    more: tuple[Picture, ...] = ()
    ignored: tuple[str, ...] = ()
    timings: str | None = None

    def __post_init__(self) -> None:
        """Check types and shapes."""
        rgb, shape = self.rgb, self.rgb.shape[:2]
        if rgb.dtype not in {np.dtype(np.uint8), np.dtype(np.uint16)} or rgb.shape != (*shape, 3) or not rgb.size:
            raise damage_error(f"its rgb is {rgb.dtype} {rgb.shape}, not uint8 (height, width, 3)")
        for name, dtype in (("steps", np.dtype(np.int32)), ("inside", np.dtype(np.bool_)), ("alpha", rgb.dtype)):
            array = getattr(self, name)
            if array is not None and (array.dtype != dtype or array.shape != shape):
                raise damage_error(f"its {name} are {array.dtype} {array.shape}, not {dtype} {shape}")

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return self.rgb.shape[1], self.rgb.shape[0]

    @property
    def depth(self) -> int:
        """Bits of a sample: 8 or 16."""
        return 8 * self.rgb.dtype.itemsize

    @property
    def frames(self) -> tuple[Picture, ...]:
        """All pictures of the file, this one first."""
        return self, *self.more

    @property
    def arrays(self) -> tuple[str, ...]:
        """The names of what there is for each pixel: rgb, alpha, steps, inside."""
        there = {"rgb": self.rgb, "alpha": self.alpha, "steps": self.steps, "inside": self.inside}
        return tuple(name for name, array in there.items() if array is not None)

    def read_bands(self) -> Iterator[Band]:
        """Yield bands of ROWS rows, the last one of what is left, from the top."""
        for y in range(0, len(self.rgb), ROWS):
            rows = slice(y, y + ROWS)
            cut = [None if array is None else array[rows] for array in (self.steps, self.inside, self.alpha)]
            yield Band(y, self.rgb[rows], *cut)


def read(path: str | Path) -> Picture:
    """Read the picture in a file: PNG, `.npz`, or what else Pillow reads; `-` is standard input. Raises InputError."""
    with open_file(path) as file:
        return decode_file(file)


def decode_file(file: IO[bytes]) -> Picture:
    """Decode the picture in an open file, which may be a pipe. Raises as `decode` does."""
    return decode(file if file.seekable() else _read_pipe(file))


@contextmanager
def open_file(path: str | Path) -> Iterator[IO[bytes]]:
    """Open a file, or standard input, to read a picture; what goes wrong meanwhile is an InputError that names it."""
    try:
        if path == STDIN:
            yield BytesIO(_read_pipe(sys.stdin.buffer))
        else:
            with Path(path).open("rb") as file:
                yield file
    except (OSError, ValueError) as error:  # ValueError: a zero byte in the name
        why = getattr(error, "strerror", None) or error
        raise InputError(
            f"cannot read {display_name(path)}: {why}", "give the path of a picture that you may read"
        ) from error
    except InputError as error:
        raise InputError(f"{display_name(path)} {error.cause}", error.remedy) from error


def display_name(path: str | Path) -> str:
    """Name a file as messages do."""
    return "standard input" if path == STDIN else str(path)


def _read_pipe(pipe: IO[bytes]) -> bytes:
    """Read all of a pipe, which cannot be read twice. Raises InputError where that is more than memory allows."""
    data = bytearray()
    while piece := pipe.read(1 << 20):
        data += piece
        check_memory(len(data))
    return bytes(data)


def decode(file: IO[bytes] | bytes) -> Picture:
    """Decode the picture in an open file or in bytes. Raises InputError, whose cause lacks the file's name in front."""
    file = BytesIO(file) if isinstance(file, bytes) else file
    length = file.seek(0, SEEK_END)
    file.seek(0)
    if not length:
        raise InputError("is empty", "save the picture again")
    with report_damage():
        return _make_picture(_read_contents(file, length))


@contextmanager
def report_damage() -> Iterator[None]:
    """Raise whatever a decoder raises as an InputError, whose cause lacks the file's name in front."""
    try:
        yield
    except InputError:
        raise
    except MemoryError as error:
        raise InputError("is too large for this machine's memory", "give a smaller picture") from error
    except Exception as error:  # decoders raise nearly everything on damaged files
        raise damage_error((str(error) or type(error).__name__).splitlines()[0]) from error


def _read_contents(file: IO[bytes], length: int) -> FileContents:
    """Read the file in the way that its first bytes say."""
    head = file.read(len(SIGNATURE))
    file.seek(0)
    if head.startswith(b"PK\x03\x04"):
        from render.pictures.reading import npz

        return npz.read(file)
    if head[:4] in TIFFS:
        from render.pictures.reading import tiff

        if contents := tiff.read(file, length):
            return contents
    whole = None
    if head[1:4] == SIGNATURE[1:4] or head == SIGNATURE:  # if damaged, it is reported as a PNG
        from render.pictures.reading import png

        whole = png.read(file, length)
        if contents := whole.to_contents():
            return contents
    from render.pictures.reading import images

    return images.read(file, whole)


def _make_picture(contents: FileContents) -> Picture:
    origin = provenance.read_provenance(contents.texts.get(REQUEST), contents.texts.get(OWNERS))
    (rgb, alpha), *others = ((rgb, _drop_opaque(alpha)) for rgb, alpha in contents.layers)
    return Picture(
        rgb,
        contents.steps,
        None if origin is None else origin.request.picture_key(),
        origin,
        alpha,
        contents.inside,
        tuple(Picture(rgb, alpha=alpha) for rgb, alpha in others),
        contents.ignored,
        contents.texts.get(TIMINGS),
    )


def _drop_opaque(alpha: np.ndarray | None) -> np.ndarray | None:
    """Return the alpha of a picture, or None where nothing of it is transparent."""
    return None if alpha is None or (alpha == np.iinfo(alpha.dtype).max).all() else alpha
