"""Choose the encoder that a film's name asks for; each is loaded where it is first used."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

from render.errors import UsageError
from render.film.coding import Encoder

SUFFIXES = (".mp4", ".webp")


def suffix_of(path: str | Path) -> str:
    """Return the end of a film's name. Raises UsageError for another end."""
    suffix = Path(path).suffix.lower()
    if suffix not in SUFFIXES:
        raise UsageError(f"the name {str(path)!r} is no film's", f"end it in {' or '.join(SUFFIXES)}")
    return suffix


def open_encoder(path: str | Path, width: int, height: int, fps: Fraction) -> Encoder:
    """Make the encoder for a file of this name.

    Raises UsageError for another end of the name, or a size that such a film cannot have, and ModeUnavailable where
    its package is missing.
    """
    if suffix_of(path) == ".webp":
        from render.film.webp import WebpEncoder

        return WebpEncoder(width, height, fps)
    from render.film.mp4 import Mp4Encoder

    return Mp4Encoder(width, height, fps)
