"""Are two pictures the same, and if not, by how much and where? Metrics and a picture of the differences.

Colours are compared in steps of the finer file, 255 or 65535 to white (a level of 8 bits is 257 of 16), and so is
alpha where either has it; the other is opaque then. Of an animation all frames are compared, in their order; how long
each is shown is not. All figures come from one count of how often each difference occurs, taken in bands of
rows, so they are exact and a large picture needs little memory besides its own.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import reduce
from pathlib import Path
from typing import Any

import numpy as np

from render.errors import InputError
from render.pictures.bands import Band
from render.pictures.source import AnyPicture
from render.wording import count

BAND = 1 << 20  # values that are compared at a time
CHANNELS = ("red", "green", "blue", "alpha")
Size = tuple[int, int]


@dataclass(frozen=True)
class Comparison:
    """The difference of two pictures. Errors are in steps of `depth` bits, over all channels, pixels and frames.

    `worst` is (x, y, channel) of the largest error, the first one row by row, in `worst_frame`; `psnr` is in decibels.
    They are None for identical pictures; for different `sizes` (width, height) or numbers of `frames` all metrics are
    None. `same_request`: is the same thing drawn? None where a picture does not say. `ignored`: what each file says of
    how it looks and was not applied.
    """

    identical: bool
    differing_pixels: int | None = None
    differing_percent: float | None = None
    max_error: int | None = None
    mean_error: float | None = None
    rmse: float | None = None
    psnr: float | None = None
    worst: tuple[int, int, int] | None = None
    same_request: bool | None = None
    sizes: tuple[Size, Size] = ((0, 0), (0, 0))
    depth: int = 8
    frames: tuple[int, int] = (1, 1)
    worst_frame: int | None = None
    ignored: tuple[tuple[str, ...], tuple[str, ...]] = ((), ())

    def within(self, max_error: float | None = None, max_differing: float | None = None) -> bool:
        """Test whether the pictures count as equal: every given threshold holds; with none they are identical.

        max_error: steps of `depth` bits; max_differing: per cent of the pixels; None: not given. Never for pictures of
        different sizes.
        """
        if self.max_error is None or self.differing_percent is None:
            return False
        if max_error is None and max_differing is None:
            return self.identical
        small = max_error is None or self.max_error <= max_error
        few = max_differing is None or self.differing_percent <= max_differing
        return small and few

    def as_dict(self) -> dict[str, Any]:
        """Convert to JSON's types: `frames`, `worst_frame` only for several frames, `ignored` only if not empty."""
        members = asdict(self) | {
            "worst": list(self.worst) if self.worst else None,
            "sizes": [list(size) for size in self.sizes],
            "frames": list(self.frames),
            "ignored": {"a": list(self.ignored[0]), "b": list(self.ignored[1])},
        }
        dropped = {"frames", "worst_frame"} if self.frames == (1, 1) else set()
        dropped |= set() if any(self.ignored) else {"ignored"}
        return {name: value for name, value in members.items() if name not in dropped}


def compare(a: AnyPicture, b: AnyPicture) -> Comparison:
    """Compare b with a."""
    about: dict[str, Any] = {
        "same_request": have_same_request(a, b),
        "sizes": (a.size, b.size),
        "depth": max(a.depth, b.depth),
        "frames": (len(a.frames), len(b.frames)),
        "ignored": (a.ignored, b.ignored),
    }
    if [one.size for one in a.frames] != [one.size for one in b.frames]:
        return Comparison(identical=False, **about)
    channels = 4 if any(one.alpha is not None for one in (*a.frames, *b.frames)) else 3
    counts, pixels, largest = np.zeros(1 << about["depth"], np.int64), 0, 0
    worst: tuple[int, tuple[int, int, int]] | None = None
    pairs: Iterator[tuple[AnyPicture, AnyPicture]] = zip(a.frames, b.frames, strict=True)
    for number, (one, other) in enumerate(pairs):
        for top, error in error_bands(one, other, channels):
            if not error.any():
                counts[0] += error.size
                continue
            counts += np.bincount(error.reshape(-1), minlength=len(counts))
            pixels += int(np.count_nonzero(take_largest_channel(error)))
            if error.max() > largest:
                largest = int(error.max())
                y, x, channel = np.unravel_index(int(error.argmax()), error.shape)
                worst = number, (int(x), top + int(y), int(channel))
    whole = sum(math.prod(one.size) for one in a.frames)
    levels = np.flatnonzero(counts).tolist()
    total = sum(int(counts[level]) * level for level in levels)
    square = sum(int(counts[level]) * level * level for level in levels) / (whole * channels)
    return Comparison(
        identical=not pixels,
        differing_pixels=pixels,
        differing_percent=100 * pixels / whole,
        max_error=largest,
        mean_error=total / (whole * channels),
        rmse=math.sqrt(square),
        psnr=10 * math.log10(white_level(about["depth"]) ** 2 / square) if square else None,
        worst=worst[1] if worst else None,
        worst_frame=worst[0] if worst else None,
        **about,
    )


def have_same_request(a: AnyPicture, b: AnyPicture) -> bool | None:
    """Tell whether two pictures say that they draw the same; None where one does not say."""
    return None if a.request is None or b.request is None else a.request == b.request


def describe_request_changes(a: AnyPicture, b: AnyPicture) -> str:
    """List what two stored requests draw differently: "limit (500 and 1000), samples (1 and 4)"."""
    ours, theirs = ({**(request or {}), **(request or {}).get("parameters", {})} for request in (a.request, b.request))
    names = [name for name in ours | theirs if name != "parameters" and ours.get(name) != theirs.get(name)]
    return ", ".join(f"{name} ({ours.get(name)} and {theirs.get(name)})" for name in names)


def format_comparison(comparison: Comparison, a: str | Path, b: str | Path) -> list[str]:
    """Format the comparison of the files a and b for people to read."""
    ignored = zip((a, b), comparison.ignored, strict=True)
    aside = [f"left aside in {name}: {', '.join(words)}" for name, words in ignored if words]
    return [*_result_lines(comparison, a, b), *aside]


def _result_lines(comparison: Comparison, a: str | Path, b: str | Path) -> list[str]:
    if comparison.identical:
        return [f"{a} and {b} are equal, pixel by pixel{_describe_frames(comparison)}"]
    if comparison.max_error is None:
        one, other = (f"{width} x {height}" for width, height in comparison.sizes)
        if one != other:
            return [f"{a} has {one} pixels and {b} has {other}: different sizes, so nothing else was compared"]
        if comparison.frames[0] != comparison.frames[1]:
            many = count(comparison.frames[0], "frame")
            return [f"{a} has {many} and {b} has {comparison.frames[1]}, so nothing else was compared"]
        return [f"{a} and {b} have frames of different sizes, so nothing else was compared"]
    assert comparison.worst is not None
    (x, y, channel), white = comparison.worst, white_level(comparison.depth)
    where = f" of frame {comparison.worst_frame}" if comparison.frames[0] > 1 else ""
    noise = f", PSNR {comparison.psnr:.2f} dB" if comparison.psnr is not None else ""
    return [
        f"{a} and {b} differ; pixels that do: {comparison.differing_pixels} ({comparison.differing_percent:.4g} %)"
        + _describe_frames(comparison),
        f"largest error {comparison.max_error} of {white}, at x {x}, y {y}{where}, in {CHANNELS[channel]}",
        f"mean error {comparison.mean_error:.4g}, RMSE {comparison.rmse:.4g}{noise}",
    ]


def _describe_frames(comparison: Comparison) -> str:
    return f", in all {comparison.frames[0]} frames" if comparison.frames[0] > 1 else ""


def draw_difference(a: AnyPicture, b: AnyPicture, shrink: int = 1) -> np.ndarray:
    """Draw the differences, (height, width, 3) uint8: black where equal, and small errors lifted.

    shrink: a pixel of the drawing is the largest of so many by so many; height and width are that much smaller.

    The level is 255 (error / largest possible)^(1/4), so that an error of 1 of 255 is seen (64) and the largest
    possible is white; the same error looks the same in every picture. An error of alpha is grey. Raises InputError for
    pictures of different sizes.
    """
    if a.size != b.size:
        raise InputError(
            "pictures of different sizes have no difference picture: "
            f"{a.size[0]} x {a.size[1]} and {b.size[0]} x {b.size[1]} pixels",
            "give two pictures of one size",
        )
    most = white_level(max(a.depth, b.depth))
    lifted = np.rint(255 * np.sqrt(np.sqrt(np.arange(most + 1) / most))).astype(np.uint8)
    width, height = a.size
    image = np.zeros((-(-height // shrink), -(-width // shrink), 3), np.uint8)
    lefts = np.arange(0, width, shrink)
    for top, error in error_bands(a, b):
        if not error.any():
            continue
        grey = error[..., 3:].max(axis=2, initial=0)[..., None]
        largest = np.maximum.reduceat(np.maximum(error[..., :3], grey), lefts, axis=1)
        rows = image[top // shrink : (top + len(error) - 1) // shrink + 1]
        firsts = np.maximum(np.arange(len(rows)) * shrink - top % shrink, 0)
        np.maximum(rows, lifted[np.maximum.reduceat(largest, firsts, axis=0)], out=rows)
    return image


def take_largest_channel(error: np.ndarray) -> np.ndarray:
    """Return the largest of the channels' errors, (rows, width); `error.max(axis=2)` takes 30 times as long."""
    if not error.any():
        return np.zeros(error.shape[:2], error.dtype)
    return reduce(np.maximum, np.moveaxis(error, 2, 0))


def white_level(depth: int) -> int:
    """Return the number that stands for white, of so many bits."""
    return (1 << depth) - 1


def error_bands(a: AnyPicture, b: AnyPicture, channels: int | None = None) -> Iterator[tuple[int, np.ndarray]]:
    """Yield |a - b| in bands, each with its first row: (rows, width, channels) in steps of the finer of the two.

    channels: 3, or 4 with alpha; None: as many as the two have.
    """
    depth = max(a.depth, b.depth)
    wanted = channels or (3 if a.alpha is None and b.alpha is None else 4)
    rows = max(BAND // (a.size[0] * wanted), 1)
    for one, other in zip(a.read_bands(), b.read_bands(), strict=True):
        for top in range(0, len(one.rgb), rows):
            ours, theirs = (_convert_band(band, slice(top, top + rows), wanted, depth) for band in (one, other))
            # the larger less the smaller cannot wrap around
            yield one.y + top, np.maximum(ours, theirs) - np.minimum(ours, theirs)


def _convert_band(band: Band, rows: slice, channels: int, depth: int) -> np.ndarray:
    """Convert some rows of a band to so many channels of so many bits."""
    rgb = band.rgb[rows]
    own = 8 * rgb.itemsize
    if channels > 3:
        opaque = np.full(rgb.shape[:2], white_level(own), rgb.dtype)
        alpha = opaque if band.alpha is None else band.alpha[rows]
        rgb = np.concatenate([rgb, alpha[..., None]], axis=2)
    return rgb.astype(np.uint16) * np.uint16(257) if depth > own else rgb
