"""Pixels: the canvas that workers paint on, and the frame that is left when they are done.

All workers write into one canvas, each only inside its own tiles. For processes the canvas is a file that each of
them maps once (on Linux in memory, under /dev/shm), so no pixel is ever sent anywhere.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import copy
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, ClassVar, NamedTuple, overload

import numpy as np

from render import machine
from render.errors import RenderError, UsageError
from render.picture import encode, pixels
from render.request import Request
from render.trace import Trace

MEMORY = "/dev/shm"  # noqa: S108  (a private folder is made in it)


class Went(NamedTuple):
    """How far a rectangle has come since it was last asked: steps made for stored pixels, NaN samples, the end."""

    steps: int
    bad: int
    done: bool


class Canvas:
    """`rgb` (height, width, 3) uint8; `steps` (height, width) int32 for one sample a pixel, else None.

    The steps are marked where a sample is still alive; `split_marked` takes that apart.
    """

    def __init__(self, width: int, height: int, *, with_steps: bool, path: Path | None = None) -> None:
        self.path = path
        self._key = (width, height, with_steps)
        if path is None:
            self.rgb = np.zeros((height, width, 3), np.uint8)
            self.steps = np.zeros((height, width), np.int32) if with_steps else None
            return
        self.rgb = np.memmap(path, np.uint8, "r+", shape=(height, width, 3))
        behind = _aligned(self.rgb.nbytes)
        self.steps = np.memmap(path, np.int32, "r+", behind, (height, width)) if with_steps else None

    def kept(self) -> tuple[np.ndarray, np.ndarray | None, np.ndarray | None]:
        """Pixels, steps and what is inside, to keep when the canvas is gone: copies of what lies in a file.

        To be asked once, when all is painted: the marks are taken off the steps.
        """
        ours = self.path is None
        rgb = self.rgb if ours else np.array(self.rgb)
        if self.steps is None:
            return rgb, None, None
        return rgb, *split_marked(self.steps if ours else np.array(self.steps))

    @property
    def folder(self) -> Path:
        """Where the canvas's file lies, beside whatever else the processes share. Raises RenderError without a file."""
        if self.path is None:
            raise RenderError("a canvas in private memory cannot be shared", "open it with shared=True")
        return self.path.parent

    def __reduce__(self) -> tuple[object, ...]:
        """A process that is sent a canvas opens the same file."""
        return _attached, (self.folder / "canvas", *self._key)


def split_marked(counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Steps (int32), and which samples are inside (bool): all bits of their steps were turned. Done in place."""
    inside = counts < 0
    np.invert(counts, out=counts, where=inside)
    return counts, inside


@lru_cache(maxsize=2)
def _attached(path: Path, width: int, height: int, with_steps: bool) -> Canvas:  # noqa: FBT001  (pickled by place)
    return Canvas(width, height, with_steps=with_steps, path=path)


def _aligned(size: int) -> int:
    return -(-size // 4096) * 4096


@contextmanager
def canvas(request: Request, *, shared: bool) -> Iterator[Canvas]:
    """A black canvas for this request; one in a file, removed at the end, where processes share it.

    Raises UsageError for a frame that cannot fit in memory.
    """
    with_steps = request.samples == 1
    size = _aligned(request.width * request.height * 3) + request.width * request.height * 4 * with_steps
    if size > machine.memory() // 3:
        raise UsageError(
            f"a frame of {request.width} x {request.height} pixels needs {size / 2**30:.1f} GiB, "
            f"and this process may use {machine.memory() / 2**30:.1f} GiB",
            "give a smaller --size",
        )
    if not shared:
        yield Canvas(request.width, request.height, with_steps=with_steps)
        return
    place = _shared_folder(size) or tempfile.gettempdir()
    _sweep(Path(place))
    prefix = f"render-{os.getpid()}-"
    with tempfile.TemporaryDirectory(prefix=prefix, dir=place, ignore_cleanup_errors=True) as folder:
        path = Path(folder) / "canvas"
        with path.open("wb") as file:
            file.truncate(size)
        yield Canvas(request.width, request.height, with_steps=with_steps, path=path)


def _sweep(place: Path) -> None:
    """Remove what processes left behind that were killed with a canvas open; in /dev/shm it would cost memory."""
    if str(place) != MEMORY:  # a temporary folder is swept by the system, and holds what is not ours
        return
    for left in place.glob("render-*-*"):
        ours = re.fullmatch(r"render-(\d+)-\w{8}", left.name)
        if ours and (left / "canvas").is_file() and not _lives(int(ours[1])):
            shutil.rmtree(left, ignore_errors=True)


def _lives(process: int) -> bool:
    if os.name == "nt":  # there, signal 0 would end it
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:  # it lives, and is somebody else's
        return True
    return True


def _shared_folder(size: int) -> str | None:
    """The memory file system where it has room for a frame of this size, else the usual temporary folder."""
    try:
        system = os.statvfs(MEMORY)
    except (AttributeError, OSError):
        return None
    return MEMORY if system.f_bavail * system.f_frsize > 2 * size else None


@dataclass(frozen=True, eq=False)
class Frame:
    """Pixels, request and trace of one run. `rgb` (height, width, 3) uint8; `steps` (height, width) int32 or None.

    `inside` (height, width) bool: the samples that were still alive at the limit, which `steps` alone does not tell,
    for others end in the very last step; None where there are no steps, or nobody knows. `total_steps` counts every
    sample's steps; both it and `sha256` are the same in all modes.
    """

    rgb: np.ndarray
    steps: np.ndarray | None
    total_steps: int
    request: Request
    trace: Trace
    inside: np.ndarray | None = None

    @property
    def simulated(self) -> bool:
        """Whether numba's simulator stood for a graphics card; its times mean nothing."""
        return bool(self.trace.facts.get("simulated", False))

    @property
    def title(self) -> str:
        """Who drew it, in short: "parallel (loky)", "cuda, simulated"; a run of a lesson has a name of its own."""
        return title(self.request, self.trace.facts)

    def png(self, texts: Mapping[str, str] | None = None) -> bytes:
        """The picture as a PNG file, with texts by keyword; the pixels are packed once, however often it is asked."""
        return encode(self.rgb, texts, self._packed)

    def _repr_png_(self) -> bytes:
        """How a notebook shows it."""
        return self.png()

    @cached_property
    def _packed(self) -> bytes:
        return pixels(self.rgb)

    def with_trace(self, trace: Trace) -> Frame:
        """The same picture with another trace; what was found out about its pixels is kept."""
        made = copy(self)
        object.__setattr__(made, "trace", trace)
        return made

    @cached_property
    def sha256(self) -> str:
        """Of the 8-bit RGB pixels, row by row."""
        return hashlib.sha256(np.ascontiguousarray(self.rgb).data).hexdigest()


@dataclass(frozen=True, eq=False)
class Frames(Sequence[Frame]):
    """What outputs are made of and a saved trace keeps: a draw's one frame, or those of a race and what it left out.

    It is a sequence of its frames. `kind` is one of `KINDS`; `not_run` holds (mode, reason) for each mode of a race
    that did not run.
    """

    frames: tuple[Frame, ...]
    kind: str = "draw"
    not_run: tuple[tuple[str, str], ...] = ()

    KINDS: ClassVar = ("draw", "race")

    @overload
    def __getitem__(self, index: int) -> Frame: ...

    @overload
    def __getitem__(self, index: slice) -> tuple[Frame, ...]: ...

    def __getitem__(self, index: int | slice) -> Frame | tuple[Frame, ...]:
        return self.frames[index]

    def __len__(self) -> int:
        return len(self.frames)

    @property
    def identical(self) -> bool:
        """Whether all pictures, and all step counts, are equal to the last bit."""
        return identical(self.frames)


def title(request: Request, facts: Mapping[str, Any]) -> str:
    """The name of a run: its label where it has one, or its mode and what its workers are."""
    label = facts.get("label")
    if isinstance(label, str) and label:
        return label
    who = f"{request.mode} ({request.backend})" if request.backend else request.mode
    return f"{who}, simulated" if facts.get("simulated") else who


BASELINE = "sequential"  # the mode that speed-up is counted from


def baseline(frame: Frame, frames: Sequence[Frame]) -> Frame | None:
    """What a run of a race is measured against: the run of mode BASELINE that waits as long, or any of that mode."""
    based = [one for one in frames if one.request.mode == BASELINE]
    alike = [one for one in based if one.request.wait_ns == frame.request.wait_ns]
    return next(iter(alike or based), None)


def identical(frames: Sequence[Frame]) -> bool:
    """Whether all pictures are equal to the last bit, and took as many steps."""
    return len({(frame.rgb.shape, frame.sha256, frame.total_steps) for frame in frames}) <= 1
