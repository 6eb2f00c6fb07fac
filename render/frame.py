"""Pixels: the canvas that workers paint on, and the frame that is left when they are done.

All workers write into one canvas, each only inside its own tiles. For processes the canvas is a file that each of
them maps once (on Linux in memory), so no pixel is ever sent anywhere.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import copy
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePath
from typing import Any, ClassVar, NamedTuple, Self, overload

import numpy as np

from render import machine
from render.errors import RenderError, UsageError
from render.findings.explanation import Explanation
from render.pictures.picture import encode_png, pack_pixels
from render.request import Request
from render.shared_file import shared_file
from render.trace import Trace
from render.wording import count, join_words, make_harmless

SMALL = 1 << 22  # bytes that are there wherever this program runs
COPIES = 3  # of a frame: the canvas, what is kept of it, and what it becomes on its way into a file


class SliceResult(NamedTuple):
    """How far a rectangle has come since it was last asked: steps made for stored pixels, NaN samples, the end."""

    steps: int
    bad: int
    done: bool


class Canvas:
    """The memory of the frame's pixels, or of one rectangle of them, whose top left corner is (x, y) of the frame.

    `rgb` (height, width, 3) uint8; `steps` (height, width) int32 for one sample a pixel, else None. The steps are
    marked where a sample is still alive; `split_marked` takes that apart.
    """

    def __init__(
        self, width: int, height: int, *, with_steps: bool, path: Path | None = None, x: int = 0, y: int = 0
    ) -> None:
        self.path, self.x, self.y = path, x, y
        self._key = (width, height, with_steps, x, y)
        if path is None:
            self.rgb = np.zeros((height, width, 3), np.uint8)
            self.steps = np.zeros((height, width), np.int32) if with_steps else None
        else:
            self.rgb = np.memmap(path, np.uint8, "r+", shape=(height, width, 3))
            behind = _round_to_page(self.rgb.nbytes)
            self.steps = np.memmap(path, np.int32, "r+", behind, (height, width)) if with_steps else None
        self.addresses = self.rgb.ctypes.data, 0 if self.steps is None else self.steps.ctypes.data

    def covers(self, x: int, y: int, width: int, height: int) -> bool:
        """Tell whether a rectangle of the frame lies in it."""
        high, wide, _ = self.rgb.shape
        return self.x <= x and self.y <= y and x + width <= self.x + wide and y + height <= self.y + high

    def take_pixels(self) -> tuple[np.ndarray, np.ndarray | None, np.ndarray | None]:
        """Pixels, steps and what is inside, to keep when the canvas is gone: copies of what lies in a file.

        To be asked once, when all is painted: the marks are taken off the steps.
        """
        ours = self.path is None
        rgb = self.rgb if ours else np.array(self.rgb)
        if self.steps is None:
            return rgb, None, None
        return rgb, *split_marked(self.steps if ours else np.array(self.steps))

    def __reduce__(self) -> tuple[object, ...]:
        """A process that is sent a canvas opens the same file. Raises RenderError where there is none."""
        if self.path is None:
            raise RenderError("a canvas in private memory cannot be shared", "open it with shared=True")
        return _attach_canvas, (self.path, *self._key)


def split_marked(counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Steps (int32), and which samples are inside (bool): all bits of their steps were turned. Done in place."""
    inside = counts < 0
    np.invert(counts, out=counts, where=inside)
    return counts, inside


def _attach_canvas(path: Path, width: int, height: int, with_steps: bool, x: int, y: int) -> Canvas:  # noqa: FBT001
    return Canvas(width, height, with_steps=with_steps, path=path, x=x, y=y)


def _round_to_page(size: int) -> int:
    return -(-size // 4096) * 4096


@contextmanager
def open_canvas(request: Request, *, shared: bool) -> Iterator[Canvas]:
    """A black canvas for this request; one in a file, removed at the end, where processes share it.

    Raises UsageError for a frame that cannot fit in memory, OutputError where there is no room that processes share.
    """
    with_steps = request.samples == 1
    size = _check_memory("frame", request.width, request.height, "give a smaller --size", with_steps=with_steps)
    if not shared:
        yield Canvas(request.width, request.height, with_steps=with_steps)
        return
    with shared_file(size) as path:
        yield Canvas(request.width, request.height, with_steps=with_steps, path=path)


def open_window(request: Request, x: int, y: int, width: int, height: int) -> Canvas:
    """A black canvas for one rectangle of a frame, whose size says nothing about the memory that this needs.

    Raises UsageError for one that does not lie in the frame, or cannot fit in memory.
    """
    if min(width, height) < 1 or min(x, y) < 0 or x + width > request.width or y + height > request.height:
        raise UsageError(
            f"a window of {width} x {height} pixels at ({x}, {y}) does not lie in the frame",
            f"keep inside its {request.width} x {request.height} pixels, which are counted from (0, 0)",
        )
    with_steps = request.samples == 1
    _check_memory("window", width, height, "ask for smaller ones", with_steps=with_steps)
    return Canvas(width, height, with_steps=with_steps, x=x, y=y)


def _check_memory(what: str, width: int, height: int, remedy: str, *, with_steps: bool) -> int:
    """The bytes of so many pixels. Raises UsageError where they cannot fit in memory."""
    size = _round_to_page(width * height * 3) + width * height * 4 * with_steps
    needed, granted = COPIES * size, machine.memory()
    if size > SMALL and needed > granted:
        raise UsageError(
            f"a {what} of {width} x {height} pixels needs {needed / 2**30:.3g} GiB until it is saved, "
            f"and this process may use {granted / 2**30:.3g} GiB",
            remedy,
        )
    return size


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

    def __repr__(self) -> str:
        """One line: what was drawn, and who drew it."""
        told = self.request
        return f"<Frame of {PurePath(told.scene).stem!r:.60}, {told.width} x {told.height}, by {self.title!r:.60}>"

    @property
    def simulated(self) -> bool:
        """Whether numba's simulator stood for a graphics card; its times mean nothing."""
        return bool(self.trace.facts.get("simulated", False))

    @property
    def title(self) -> str:
        """Who drew it, in short: "parallel (loky)", "cuda, simulated"; a run of a lesson has a name of its own."""
        return run_title(self.request, self.trace.facts)

    def png(self, texts: Mapping[str, str] | None = None) -> bytes:
        """The picture as a PNG file, with texts by keyword; the pixels are packed once, however often it is asked."""
        return encode_png(self.rgb, texts, self._packed)

    def _repr_png_(self) -> bytes:
        """How a notebook shows it."""
        return self.png()

    @cached_property
    def _packed(self) -> bytes:
        return pack_pixels(self.rgb)

    def with_trace(self, trace: Trace) -> Self:
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
    that did not run; `explanation` is the text of the lesson whose runs these are.
    """

    frames: tuple[Frame, ...]
    kind: str = "draw"
    not_run: tuple[tuple[str, str], ...] = ()
    explanation: Explanation | None = None

    KINDS: ClassVar = ("draw", "race")

    def __repr__(self) -> str:
        """One line: whose runs these are, and how many did not run."""
        runs = join_words([f"{frame.title!r:.40}" for frame in self.frames[:5]])
        more = f", {len(self) - 5} more" if len(self) > 5 else ""
        missing = f"; {count(len(self.not_run), 'mode')} did not run" if self.not_run else ""
        return f"<{type(self).__name__} of {count(len(self), 'run')}: {runs}{more}{missing}>"

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
        return are_identical(self.frames)


def run_title(request: Request, facts: Mapping[str, Any]) -> str:
    """The name of a run, harmless to show: its label where it has one, or its mode and what its workers are."""
    label = facts.get("label")
    if isinstance(label, str) and label:
        return make_harmless(label)
    who = make_harmless(f"{request.mode} ({request.backend})" if request.backend else request.mode)
    return f"{who}, simulated" if facts.get("simulated") else who


BASELINE = "sequential"  # the mode that speed-up is counted from


def find_baseline(frame: Frame, frames: Sequence[Frame]) -> Frame | None:
    """What a run of a race is measured against: the run of mode BASELINE in its story, which waits as long, if any."""
    story = frame.trace.facts.get("story")
    based = [one for one in frames if one.request.mode == BASELINE and one.trace.facts.get("story") == story]
    alike = [one for one in based if one.request.wait_ns == frame.request.wait_ns]
    return next(iter(alike or based), None)


def are_identical(frames: Sequence[Frame]) -> bool:
    """Whether all pictures are equal to the last bit, and took as many steps."""
    return len({(frame.rgb.shape, frame.sha256, frame.total_steps) for frame in frames}) <= 1
