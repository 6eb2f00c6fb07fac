"""A picture opened for a pass over its pixels: read at once where it is small, left in its file where it is large.

A large one is RGB of 8 bits in a PNG, TIFF or `.npz`; a pass needs the memory of some bands. Everything else is read
at once, or refused where that takes too much memory.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from os import SEEK_END
from pathlib import Path
from typing import IO, Any, ClassVar

import numpy as np

from render.pictures import picture, png_writer
from render.pictures.bands import ROWS, Band
from render.pictures.picture import Picture
from render.pictures.provenance import Provenance, read_provenance
from render.pictures.reading import RATIO, LargeFile, NeedsPillow, damage_error

AT_ONCE = 1 << 28  # bytes of RGB that are read at once: 9,459 x 9,459 pixels


@dataclass(frozen=True, eq=False)
class LargePicture:
    """A picture in a file, of any size: what the file says of it, and its pixels band by band. See `Picture`.

    `arrays` are the names of what it holds for each pixel.
    """

    path: Path
    contents: LargeFile

    depth: ClassVar = 8
    alpha: ClassVar = None
    more: ClassVar = ()

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return self.contents.size

    @property
    def arrays(self) -> tuple[str, ...]:
        """Name what the file holds for each pixel: rgb, steps, inside."""
        return self.contents.arrays

    @property
    def ignored(self) -> tuple[str, ...]:
        """List what the file says of its looks that is not applied."""
        return self.contents.ignored

    @property
    def frames(self) -> tuple[LargePicture, ...]:
        """List all pictures of the file: this one."""
        return (self,)

    @cached_property
    def provenance(self) -> Provenance | None:
        """Read who drew it, where the file says that."""
        texts = self.contents.texts
        return read_provenance(texts.get(picture.REQUEST), texts.get(picture.OWNERS))

    @property
    def request(self) -> dict[str, Any] | None:
        """Return what is drawn, where the file says that."""
        origin = self.provenance
        return None if origin is None else origin.request.picture_key()

    @property
    def timings(self) -> str | None:
        """Return the document of the run that drew it."""
        return self.contents.texts.get(picture.TIMINGS)

    def read_bands(self) -> Iterator[Band]:
        """Yield bands of ROWS rows, the last one of what is left, from the top. Raises InputError where it is damaged.

        What only the end of the file shows to be damaged is raised behind the last band.
        """
        width, height = self.size
        with picture.open_file(self.path) as file, picture.report_damage():
            length = file.seek(0, SEEK_END)
            file.seek(0)
            y = 0
            try:
                for rgb in _regroup_rows(self.contents.read_rows(file, length)):
                    if rgb.shape[1] != width or y + len(rgb) > height:
                        raise damage_error("it changed while it was read")
                    yield Band(y, rgb)
                    y += len(rgb)
            except NeedsPillow:
                whole = picture.decode(file)
                yield from (band for band in whole.read_bands() if band.y >= y)
                y = len(whole.rgb)
            if y != height:
                raise damage_error(f"it has {y} rows of {height}")


AnyPicture = Picture | LargePicture


def open_picture(path: str | Path) -> AnyPicture:
    """Read a picture, or all but its pixels where they are many; `-` is standard input. Raises InputError."""
    with picture.open_file(path) as file:
        if path != picture.STDIN and file.seekable():
            with picture.report_damage():
                contents = _scan(file)
            if contents is not None and math.prod(contents.size) * 3 > AT_ONCE:
                return LargePicture(Path(path), contents)
        return picture.decode_file(file)


def _scan(file: IO[bytes]) -> LargeFile | None:
    """Read all but the pixels of a file that may be large, where they can be read in bands."""
    length = file.seek(0, SEEK_END)
    file.seek(0)
    if length * RATIO <= AT_ONCE:
        return None
    head = file.read(len(png_writer.SIGNATURE))
    file.seek(0)
    if head == png_writer.SIGNATURE:
        from render.pictures.reading import png

        return png.scan(file, length)
    if head.startswith(b"PK\x03\x04"):
        from render.pictures.reading import npz

        return npz.scan(file, length)
    if head[:4] in picture.TIFFS:
        from render.pictures.reading import tiff

        return tiff.scan(file, length)
    return None


def _regroup_rows(arrays: Iterator[np.ndarray]) -> Iterator[np.ndarray]:
    """Put rows together in arrays of ROWS, the last one of what is left."""
    waiting: list[np.ndarray] = []
    count = 0
    for array in arrays:
        rest = array
        while count + len(rest) >= ROWS:
            taken, rest = rest[: ROWS - count], rest[ROWS - count :]
            yield np.concatenate([*waiting, taken]) if waiting else taken
            waiting, count = [], 0
        if len(rest):
            waiting.append(rest)
            count += len(rest)
    if waiting:
        yield np.concatenate(waiting)
