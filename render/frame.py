"""Pixels: the canvas that workers paint on, and the frame that is left when they have finished.

All workers write into one canvas, each only inside its own tiles. For processes the canvas is a file that each of
them maps once (on Linux in memory), so no pixel is ever sent anywhere.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import copy
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path, PurePath
from typing import Any, ClassVar, NamedTuple, Self, overload

import numpy as np

from render import machine
from render.errors import RenderError, UsageError
from render.findings.explanation import Explanation
from render.pictures.png_writer import encode_png, pack_pixels
from render.request import Request
from render.shared_file import shared_file
from render.trace import Trace
from render.wording import count, format_size, join_words, make_harmless

SMALL = 1 << 22  # bytes that are there wherever this program runs
COPIES = 3  # of a frame: the canvas, what is kept of it, and what it becomes on its way into a file


class SliceResult(NamedTuple):
    """The result of one slice of painting: steps made for stored pixels, NaN samples, and whether it was the last."""

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

    def moved(self, y: int) -> Canvas:
        """Return the same memory as the canvas of other rows of the frame, from `y`."""
        moved = Canvas.__new__(Canvas)
        vars(moved).update(vars(self) | {"y": y, "_key": (*self._key[:4], y)})
        return moved

    def covers(self, x: int, y: int, width: int, height: int) -> bool:
        """Test whether a rectangle of the frame lies in it."""
        high, wide, _ = self.rgb.shape
        return self.x <= x and self.y <= y and x + width <= self.x + wide and y + height <= self.y + high

    def take_pixels(self) -> tuple[np.ndarray, np.ndarray | None, np.ndarray | None]:
        """Return pixels, steps and inside for keeps: copies where the canvas lies in a file.

        To be called once, when all is painted: the marks are taken off the steps.
        """
        ours = self.path is None
        rgb = self.rgb if ours else np.array(self.rgb)
        if self.steps is None:
            return rgb, None, None
        return rgb, *split_marked(self.steps if ours else np.array(self.steps))

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle as the file's name: another process opens the same file. Raises RenderError without a file."""
        if self.path is None:
            raise RenderError("a canvas in private memory cannot be shared", "open it with shared=True")
        width, height, with_steps, x, y = self._key
        return partial(Canvas, with_steps=with_steps, path=self.path, x=x, y=y), (width, height)


def split_marked(counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Split marked steps, in place: steps (int32), and which samples are inside (bool), whose bits were inverted."""
    inside = counts < 0
    np.invert(counts, out=counts, where=inside)
    return counts, inside


def _round_to_page(size: int) -> int:
    return -(-size // 4096) * 4096


@contextmanager
def open_canvas(request: Request, *, shared: bool) -> Iterator[Canvas]:
    """Open a black canvas for this request; where processes share it, in a file that is removed at the end.

    Raises UsageError for a frame that cannot fit in memory, OutputError where there is no room that processes share.
    """
    way_on = "give a smaller --size; one picture saved as .png, .tif or .npz alone (--out; in Python out=) may have any"
    _check_memory("frame", request.width, request.height, way_on, with_steps=request.samples == 1)
    with open_rows(request, request.height, shared=shared) as canvas:
        yield canvas


@contextmanager
def open_rows(request: Request, height: int, *, shared: bool) -> Iterator[Canvas]:
    """Open a black canvas as wide as the frame, of so many rows of pixels, as `open_canvas` does."""
    with_steps = request.samples == 1
    if not shared:
        yield Canvas(request.width, height, with_steps=with_steps)
        return
    with shared_file(count_bytes(request.width, height, with_steps=with_steps)) as path:
        yield Canvas(request.width, height, with_steps=with_steps, path=path)


def open_window(request: Request, x: int, y: int, width: int, height: int) -> Canvas:
    """Open a black canvas for one rectangle of a frame; the frame itself may be larger than memory.

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


def count_bytes(width: int, height: int, *, with_steps: bool) -> int:
    """Count the bytes of a canvas of so many pixels."""
    return _round_to_page(width * height * 3) + width * height * 4 * with_steps


def _check_memory(what: str, width: int, height: int, remedy: str, *, with_steps: bool) -> int:
    """Return the bytes of so many pixels. Raises UsageError where they cannot fit in memory."""
    size = count_bytes(width, height, with_steps=with_steps)
    if size <= SMALL:
        return size  # without asking the system, which takes longer than opening a small canvas
    needed, granted = COPIES * size, machine.memory()
    if needed > granted:
        raise UsageError(
            f"a {what} of {width} x {height} pixels needs {format_size(needed)} until it is saved, "
            f"and this process may use {format_size(granted)}",
            remedy,
        )
    return size


@dataclass(frozen=True, eq=False)
class Frame:
    """Pixels, request and trace of one run. `rgb` (height, width, 3) uint8; `steps` (height, width) int32 or None.

    `inside` (height, width) bool: the samples that were still alive at the limit, which `steps` alone does not show,
    for others end in the very last step; None where there are no steps, or nobody knows. `total_steps` counts every
    sample's steps; both it and `sha256` are the same in all modes.

    `whole_sha256`: of a frame that was never in memory as a whole. It went into files in bands, and `rgb` is a small
    picture of it, without steps.
    """

    rgb: np.ndarray
    steps: np.ndarray | None
    total_steps: int
    request: Request
    trace: Trace
    inside: np.ndarray | None = None
    whole_sha256: str | None = None

    def __repr__(self) -> str:
        """One line: what was drawn, and who drew it."""
        width, height = self.request.width, self.request.height
        return f"<Frame of {PurePath(self.request.scene).stem!r:.60}, {width} x {height}, by {self.title!r:.60}>"

    @property
    def simulated(self) -> bool:
        """True where numba's simulator stood for a GPU; its times mean nothing."""
        return bool(self.trace.facts.get("simulated", False))

    @property
    def is_small(self) -> bool:
        """True where `rgb` is a small picture of the frame, which was too large to be kept in memory."""
        return self.whole_sha256 is not None

    @property
    def title(self) -> str:
        """Say who drew it, in short: "parallel (loky)", "cuda, simulated"; a run of a lesson has a name of its own."""
        return run_title(self.request, self.trace.facts)

    def png(self, texts: Mapping[str, str] | None = None) -> bytes:
        """Encode the picture as a PNG file, with texts by keyword; the pixels are packed only once."""
        return encode_png(self.rgb, texts, self._packed)

    def _repr_png_(self) -> bytes:
        """Show the picture in a notebook."""
        return self.png()

    @cached_property
    def _packed(self) -> list[bytes]:
        return pack_pixels(self.rgb)

    def with_trace(self, trace: Trace) -> Self:
        """Return the same picture with another trace; what is known of its pixels is kept."""
        frame = copy(self)
        object.__setattr__(frame, "trace", trace)
        return frame

    @cached_property
    def sha256(self) -> str:
        """Hash of the 8-bit RGB pixels of the whole frame, row by row, in hexadecimal."""
        if self.whole_sha256 is not None:
            return self.whole_sha256
        return hashlib.sha256(np.ascontiguousarray(self.rgb).data).hexdigest()


@dataclass(frozen=True, eq=False)
class Frames(Sequence[Frame]):
    """The input of every output, and the content of a saved trace: the frame of a draw, or those of a race.

    It is a sequence of its frames. `kind` is one of `KINDS`; `not_run` holds (mode, reason) for each mode of a race
    that did not run; `explanation` is the text of the lesson whose runs these are; `recorded`: a page of a race without
    a GPU may show a recorded run of one.
    """

    frames: tuple[Frame, ...]
    kind: str = "draw"
    not_run: tuple[tuple[str, str], ...] = ()
    explanation: Explanation | None = None
    recorded: bool = True

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
        """True where all pictures, and all step counts, are equal to the last bit."""
        return are_identical(self.frames)


def run_title(request: Request, facts: Mapping[str, Any]) -> str:
    """Name a run, harmless to show: by its label where it has one, or by its mode and backend."""
    label = facts.get("label")
    if isinstance(label, str) and label:
        return make_harmless(label)
    who = make_harmless(f"{request.mode} ({request.backend})" if request.backend else request.mode)
    return f"{who}, simulated" if facts.get("simulated") else who


BASELINE = "sequential"  # the mode that speed-up is counted from


def find_baseline(frame: Frame, frames: Sequence[Frame]) -> Frame | None:
    """Find the run that a run of a race is measured against: of mode BASELINE, with the same wait, if it can be.

    One of its own story goes before a plain one; a plain one must wait as long.
    """
    story = frame.trace.facts.get("story")
    based = [one for one in frames if one.request.mode == BASELINE]
    own = [one for one in based if one.trace.facts.get("story") == story]
    alike = [one for one in own or based if one.request.wait_ns == frame.request.wait_ns]
    return next(iter(alike or own), None)


def are_identical(frames: Sequence[Frame]) -> bool:
    """Test whether all pictures are equal to the last bit, and took as many steps."""
    return len({(frame.rgb.shape, frame.sha256, frame.total_steps) for frame in frames}) <= 1
