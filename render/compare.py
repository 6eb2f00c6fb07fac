"""Are two pictures the same, and if not, by how much and where? Metrics and a picture of the differences.

All figures come from one count of how often each difference 0..255 occurs, taken in bands of rows, so they are exact
and a large picture needs little memory besides its own.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from render.errors import InputError
from render.picture import Picture

BAND = 1 << 20  # values that are compared at a time
CHANNELS = ("red", "green", "blue")


@dataclass(frozen=True)
class Comparison:
    """How two pictures differ. Errors are in levels of 8 bits (0..255), over all three channels of all pixels.

    `worst` is (x, y, channel) of the largest error, the first one row by row; `psnr` is in decibels. Both are None
    for identical pictures; for different sizes all metrics are None. `same_request`: is the same thing drawn? None
    where a picture does not tell.
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

    def within(self, max_error: float | None = None, max_differing: float | None = None) -> bool:
        """Whether the pictures count as equal: every threshold that is given holds; with none they are identical.

        max_error: levels; max_differing: per cent of the pixels; None: not given. Never for pictures of different
        sizes.
        """
        if self.max_error is None or self.differing_percent is None:
            return False
        if max_error is None and max_differing is None:
            return self.identical
        small = max_error is None or self.max_error <= max_error
        few = max_differing is None or self.differing_percent <= max_differing
        return small and few

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self) | {"worst": list(self.worst) if self.worst else None}


def compare(a: Picture, b: Picture) -> Comparison:
    """How b differs from a."""
    same = None if a.request is None or b.request is None else a.request == b.request
    if a.rgb.shape != b.rgb.shape:
        return Comparison(identical=False, same_request=same)
    height, width, _ = a.rgb.shape
    counts, pixels, largest, worst = np.zeros(256, np.int64), 0, 0, None
    for top, error in _errors(a.rgb, b.rgb):
        counts += np.bincount(error.reshape(-1), minlength=256)
        pixels += int(np.count_nonzero(error[..., 0] | error[..., 1] | error[..., 2]))
        if error.max() > largest:
            largest = int(error.max())
            y, x, channel = np.unravel_index(int(error.argmax()), error.shape)
            worst = int(x), top + int(y), int(channel)
    total = sum(int(count) * level for level, count in enumerate(counts))
    square = sum(int(count) * level * level for level, count in enumerate(counts)) / (height * width * 3)
    return Comparison(
        identical=not pixels,
        differing_pixels=pixels,
        differing_percent=100 * pixels / (height * width),
        max_error=largest,
        mean_error=total / (height * width * 3),
        rmse=math.sqrt(square),
        psnr=10 * math.log10(255 * 255 / square) if square else None,
        worst=worst,
        same_request=same,
    )


def unlike(a: Picture, b: Picture) -> str:
    """What two stored requests draw differently, in words: "limit (500 and 1000), samples (1 and 4)"."""
    ours, theirs = ({**(request or {}), **(request or {}).get("parameters", {})} for request in (a.request, b.request))
    names = [name for name in ours | theirs if name != "parameters" and ours.get(name) != theirs.get(name)]
    return ", ".join(f"{name} ({ours.get(name)} and {theirs.get(name)})" for name in names)


def lines(found: Comparison, a: str | Path, b: str | Path) -> list[str]:
    """The comparison of the files a and b for people to read."""
    if found.identical:
        return [f"{a} and {b} are equal, pixel by pixel"]
    if found.worst is None:
        return [f"{a} and {b} have different sizes, so nothing else was compared"]
    x, y, channel = found.worst
    return [
        f"{a} and {b} differ; pixels that do: {found.differing_pixels} ({found.differing_percent:.4g} %)",
        f"largest error {found.max_error} of 255, at x {x}, y {y}, in {CHANNELS[channel]}",
        f"mean error {found.mean_error:.4g}, RMSE {found.rmse:.4g}, PSNR {found.psnr:.2f} dB",
    ]


def difference(a: Picture, b: Picture) -> np.ndarray:
    """The differences as a picture, (height, width, 3) uint8: black where equal, and small errors lifted.

    The level is 255 (error / 255)^(1/4), so that an error of 1 is seen (64) and the largest possible is white; the
    same error looks the same in every picture. Raises InputError for pictures of different sizes.
    """
    if a.rgb.shape != b.rgb.shape:
        raise InputError(
            "pictures of different sizes have no difference picture: "
            f"{a.rgb.shape[1]} x {a.rgb.shape[0]} and {b.rgb.shape[1]} x {b.rgb.shape[0]} pixels",
            "give two pictures of one size",
        )
    lifted = np.rint(255 * np.sqrt(np.sqrt(np.arange(256) / 255))).astype(np.uint8)
    made = np.empty_like(a.rgb)
    for top, error in _errors(a.rgb, b.rgb):
        made[top : top + len(error)] = lifted[error]
    return made


def _errors(a: np.ndarray, b: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
    """|a - b| in bands of rows, each with its first row. The larger less the smaller: bytes cannot wrap around."""
    rows = max(BAND // (a.shape[1] * 3), 1)
    for top in range(0, len(a), rows):
        one, other = a[top : top + rows], b[top : top + rows]
        yield top, np.maximum(one, other) - np.minimum(one, other)
