"""Palettes: closed rings of colours, as data, so that a picture's colours are the same on every machine.

Each was drawn in OKLab, where equal distances look about equally different, by `benchmarks/derive_palettes.py`. From
the darkest on, lightness rises once and falls once, in even steps; it carries the structure also for eyes
that confuse hues, and in grey. All colours are ones that an sRGB screen shows.

    dusk      indigo, sky, cream, gold, rust         ember    crimson, orange, cream, rose, plum
    tide      navy, turquoise, foam, sand, kelp      moss     fir, leaf, ivory, bark
    aurora    petrol, mint, blossom, violet          pearl    slate, white, taupe
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np

from render.errors import UnknownName

PALETTES = ("dusk", "ember", "tide", "moss", "aurora", "pearl")
DATA = Path(__file__).with_suffix(".npy")  # in this order: (6, 256, 3) uint16, 65535 times the linear light


@cache
def palette(name: str) -> np.ndarray:
    """Load the colours of a ring, so that a scene can run through them again and again: linear light, 0..1, row by row.

    Shape (256, 3), float64, read-only. The first row is the darkest and follows the last. Raises UnknownName.
    """
    if name not in PALETTES:
        raise UnknownName("palette", name, PALETTES)
    light: np.ndarray = np.load(DATA, allow_pickle=False)[PALETTES.index(name)] / 65535.0
    light.flags.writeable = False
    return light
