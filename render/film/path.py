"""From keyframes to frames: the parameters of a scene at each instant, exact and the same on every machine.

Between two keyframes real parameters go in a straight line, and the zoom in a straight line of its logarithm, so that
equal times magnify equally. The frame's centre goes with the scale s = 1 / zoom instead of time:

    c = c0 + (c1 - c0) (s0 - s) / (s0 - s1)

so c - s (c1 - c0) / (s1 - s0) is the same all the way: one point of the picture stays where it is on the screen, and
all else moves away from it. Words and whole numbers change when their keyframe is reached.

All is computed in decimals of 50 digits, whose logarithm is rounded in the same way everywhere, and rounded once: no
libm decides. At a keyframe itself the values are its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Context, Decimal, localcontext
from fractions import Fraction
from itertools import pairwise
from typing import NamedTuple

from render.request import Value

PRECISION = Context(prec=50)
CENTRE, ZOOM = ("x", "y"), "zoom"  # of every scene
SMOOTH, LINEAR = "smooth", "linear"
EASES = (SMOOTH, LINEAR)

Values = Mapping[str, Value]


class Keyframe(NamedTuple):
    """The parameters that a scene has at an instant, in seconds; `ease`: how one comes to it from the one before."""

    at: Fraction
    values: Values
    ease: str = SMOOTH


def frame_times(keyframes: Sequence[Keyframe], frames: int) -> Iterator[Fraction]:
    """Yield the instant of each frame: evenly from the first keyframe to the last, both included."""
    first, last = keyframes[0].at, keyframes[-1].at
    for number in range(frames):
        yield last if number == frames - 1 else first + (last - first) * number / (frames - 1)


def values_at(keyframes: Sequence[Keyframe], at: Fraction) -> dict[str, Value]:
    """Compute all parameters at an instant between the first keyframe and the last."""
    for before, after in pairwise(keyframes):
        if at < after.at:
            share = (at - before.at) / (after.at - before.at)
            return _between(before.values, after.values, ease_share(share, after.ease))
    return dict(keyframes[-1].values)


def ease_share(share: Fraction, ease: str) -> Fraction:
    """Bend a share (0..1) of the time: `smooth` starts and arrives at rest, `linear` keeps it."""
    return share * share * (3 - 2 * share) if ease == SMOOTH else share


def _between(before: Values, after: Values, share: Fraction) -> dict[str, Value]:
    if not share:
        return dict(before)
    with localcontext(PRECISION):
        part = Decimal(share.numerator) / share.denominator
        z0, z1 = Decimal(before[ZOOM]), Decimal(after[ZOOM])
        zoom = z0 * ((z1 / z0).ln() * part).exp() if min(z0, z1) > 0 else z0 + (z1 - z0) * part
        scaled = part if z0 == z1 or min(z0, z1) <= 0 else (1 - z0 / zoom) / (1 - z0 / z1)
        found: dict[str, Value] = {}
        for name, value in before.items():
            end = after[name]
            if not (type(value) is float and type(end) is float):
                found[name] = value
            elif name == ZOOM:
                found[name] = float(zoom)
            else:
                found[name] = float(
                    Decimal(value) + (Decimal(end) - Decimal(value)) * (scaled if name in CENTRE else part)
                )
        return found
