"""Sample positions, and the way from light to an 8-bit pixel: the two ends of every picture, written once.

`position`, `clamped` and `light_step` are written in the lane vocabulary and run on every target; the numbers they are
given are made here once per request.
"""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple

import numpy as np

from render.language.primitives import Lane, fma, maximum, minimum
from render.request import Request
from render.scene import REALS


class Grid(NamedTuple):
    """The frame on the picture plane, all in the request's precision: centre, pixel pitch, half sizes in pixels."""

    x0: Any
    y0: Any
    pitch: Any
    half_width: Any
    half_height: Any


def grid(request: Request) -> Grid:
    """Lay the frame on the picture plane: 4 / zoom high, so the pitch is 4 / (zoom * height); row 0 is on top."""
    real = REALS[request.precision]
    values = request.values
    half = real(2)
    with np.errstate(all="ignore"):
        pitch = real(4) / (real(values["zoom"]) * real(request.height))
        x0, y0 = real(values["x"]), real(values["y"])
    return Grid(x0, y0, pitch, real(request.width) / half, real(request.height) / half)


@cache
def offsets(samples: int) -> np.ndarray:
    """Place the samples of a pixel: (samples, 2) multiples of 1/64 around its centre, right and down.

    Hammersley's points (van der Corput's sequence against a ramp), centred; for four samples that is the rotated
    grid. One sample is the centre. A function of integers alone.
    """
    power = max(samples - 1, 0).bit_length()
    rows = []
    for s in range(samples):
        reverse = int(f"{s:0{power}b}"[::-1], 2) if power else 0
        across = 32 * (2 * s + 1 - samples) // samples
        down = 32 * (2 * reverse + 1 - (1 << power)) // (1 << power)
        rows.append((across / 64, down / 64))
    placed = np.array(rows)
    placed.flags.writeable = False
    return placed


def position(
    i: Lane, j: Lane, across: Lane, down: Lane, x0: Lane, y0: Lane, pitch: Lane, half_width: Lane, half_height: Lane
) -> tuple[Lane, Lane]:
    """Compute the point (x, y) of the picture plane for column i and row j of the whole frame; never of a tile."""
    x = fma(i + 0.5 + across - half_width, pitch, x0)
    y = fma(half_height - j - 0.5 - down, pitch, y0)
    return x, y


def clamped(light: Lane) -> Lane:
    """Clamp one sample's light to 0..1, NaN to 0."""
    return minimum(maximum(light, 0.0), 1.0)


def light_step(mean: Lane) -> Lane:
    """Scale linear light in 0..1 to a position in `srgb_table`; rounded down, it is the index of the 8-bit code."""
    return fma(mean, 65535.0, 0.5)


# FIRST[c - 1]: the first of 65536 equal steps of linear light whose sRGB code, rounded, is c (IEC 61966-2-1).
# tests/test_sampling.py makes them again in exact decimal arithmetic.
# fmt: off
FIRST = (
    10, 30, 50, 70, 90, 110, 130, 150, 170, 189, 209, 230, 253, 276, 301, 327, 354, 382, 412, 443, 475, 509,
    544, 580, 618, 657, 698, 740, 783, 828, 875, 923, 972, 1023, 1075, 1129, 1185, 1242, 1300, 1360, 1422, 1486,
    1551, 1617, 1685, 1755, 1827, 1900, 1975, 2052, 2130, 2210, 2292, 2376, 2461, 2548, 2637, 2727, 2820, 2914,
    3010, 3108, 3208, 3309, 3412, 3518, 3625, 3734, 3844, 3957, 4072, 4188, 4307, 4427, 4550, 4674, 4800, 4928,
    5059, 5191, 5325, 5461, 5599, 5740, 5882, 6026, 6173, 6321, 6471, 6624, 6778, 6935, 7094, 7255, 7418, 7583,
    7750, 7919, 8091, 8265, 8440, 8618, 8798, 8981, 9165, 9352, 9541, 9732, 9925, 10121, 10318, 10518, 10720,
    10925, 11132, 11341, 11552, 11765, 11981, 12199, 12420, 12643, 12868, 13095, 13325, 13557, 13791, 14028,
    14267, 14508, 14752, 14998, 15247, 15498, 15751, 16007, 16265, 16525, 16788, 17054, 17321, 17592, 17864,
    18139, 18417, 18697, 18980, 19264, 19552, 19842, 20134, 20429, 20727, 21027, 21329, 21634, 21942, 22252,
    22564, 22880, 23197, 23518, 23840, 24166, 24494, 24824, 25158, 25493, 25832, 26173, 26516, 26862, 27211,
    27563, 27917, 28273, 28633, 28995, 29359, 29727, 30097, 30469, 30845, 31223, 31603, 31987, 32373, 32762,
    33153, 33547, 33944, 34344, 34747, 35152, 35560, 35970, 36384, 36800, 37219, 37640, 38065, 38492, 38922,
    39355, 39790, 40229, 40670, 41114, 41561, 42011, 42463, 42918, 43377, 43838, 44301, 44768, 45238, 45710,
    46185, 46663, 47144, 47628, 48115, 48605, 49097, 49593, 50091, 50592, 51096, 51604, 52114, 52627, 53142,
    53661, 54183, 54708, 55235, 55766, 56300, 56836, 57376, 57918, 58464, 59012, 59564, 60118, 60675, 61236,
    61799, 62366, 62935, 63508, 64083, 64662, 65244,
)
# fmt: on


@cache
def srgb_table() -> np.ndarray:
    """Make the table of 65536 uint8 codes, by linear light in steps of 1 / 65535.

    Behind it lie three bytes more, since vectors load four where they want one.
    """
    padded = np.searchsorted(np.array(FIRST), np.arange(65536 + 3), side="right").astype(np.uint8)
    padded.flags.writeable = False
    return padded[:65536]
