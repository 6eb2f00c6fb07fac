"""The numbers themselves, for numpy: `np.load(path)` gives the pixels, and the steps of every sample.

    rgb       (height, width, 3) uint8
    steps     (height, width) int32, where a pixel is one sample
    inside    (height, width) bool, likewise: whether that sample was still alive at the limit
    request   the request, as JSON (a text without axes); not in a plain file

Stored as they are, not packed: it is the fastest way there and back. Of a picture that comes in bands, steps and inside
are kept in temporary files until all of its pixels are written.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from shutil import copyfileobj
from tempfile import TemporaryFile
from typing import IO, BinaryIO
from zipfile import ZipFile

import numpy as np

from render.frame import Frame
from render.pictures.bands import Band, Sink
from render.request import Request

SUFFIXES = (".npz",)
ABOUT = "pixels, steps and what is inside, as numpy arrays"
LARGEST_SIDE = None
MOST_TILES = None
KEEPS_PIXELS = True


def write(frames: Sequence[Frame], *, plain: bool = False) -> bytes:
    """Pack the arrays of the first frame (a race's are all equal). The same frame gives the same bytes."""
    frame = frames[0]
    arrays = {"rgb": frame.rgb}
    if frame.steps is not None:
        arrays["steps"] = frame.steps
    if frame.inside is not None:
        arrays["inside"] = frame.inside
    if not plain:
        arrays["request"] = _encode_request(frame.request)
    file = BytesIO()
    np.savez(file, allow_pickle=False, **arrays)
    return file.getvalue()


def _encode_request(request: Request) -> np.ndarray:
    return np.array(json.dumps(request.as_dict()))


def open_sink(file: BinaryIO, folder: Path, request: Request, *, plain: bool) -> Sink:
    """Start a file of bands; temporary files lie in `folder`."""
    return NpzSink(file, folder, request, plain=plain)


class NpzSink:
    """A file that is made of bands, with the bytes that `write` makes of the whole frame."""

    def __init__(self, file: BinaryIO, folder: Path, request: Request, *, plain: bool) -> None:
        self._request, self._plain = request, plain
        self._zip = ZipFile(file, "w")
        self._spools: dict[str, tuple[np.dtype, IO[bytes]]] = {}
        pixels = request.width * request.height
        self.expected_bytes = 3 * pixels
        if request.samples == 1:
            for name, kind in (("steps", np.int32), ("inside", np.bool_)):
                self._spools[name] = np.dtype(kind), TemporaryFile(dir=folder)  # noqa: SIM115  (closed at the end)
            self.expected_bytes += 2 * 5 * pixels
        self._rgb = self._open_member("rgb")
        self._write_header(self._rgb, (request.height, request.width, 3), np.dtype(np.uint8))

    def write_band(self, band: Band) -> None:
        """Write the pixels, and keep the rest for later. Raises OSError."""
        self._rgb.write(np.ascontiguousarray(band.rgb).data)
        for name, array in (("steps", band.steps), ("inside", band.inside)):
            if array is not None:
                self._spools[name][1].write(np.ascontiguousarray(array).data)

    def finish(self, texts: Mapping[str, str]) -> None:  # noqa: ARG002  (it holds the request alone)
        """Write the arrays that follow the pixels. Raises OSError."""
        self._rgb.close()
        for name, (dtype, spool) in self._spools.items():
            spool.seek(0)
            with spool, self._open_member(name) as member:
                self._write_header(member, (self._request.height, self._request.width), dtype)
                copyfileobj(spool, member, 1 << 20)
        if not self._plain:
            with self._open_member("request") as member:
                np.lib.format.write_array(member, _encode_request(self._request), allow_pickle=False)
        self._zip.close()

    def abandon(self) -> None:
        """Let go of the temporary files."""
        for _, spool in self._spools.values():
            spool.close()
        self._zip.fp = None  # or it would complete the file when it goes
        with suppress(AttributeError, OSError, ValueError):
            self._rgb.close()

    def _open_member(self, name: str) -> IO[bytes]:
        return self._zip.open(f"{name}.npy", "w", force_zip64=True)  # as np.savez does, of whatever size

    @staticmethod
    def _write_header(member: IO[bytes], shape: tuple[int, ...], dtype: np.dtype) -> None:
        header = {"descr": np.lib.format.dtype_to_descr(dtype), "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(member, header)
