"""The protocol of an encoder.

An encoder takes frames in order and gives pieces of the file. A file that ends behind any piece plays, and shows the
frames of the pieces so far; so does one that was cut inside a piece, as long as the piece's patches are not made.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    import numpy as np


class Piece(NamedTuple):
    """Bytes for the end of a file, and then patches (offset, bytes) that make them count; `frames`: how many it has."""

    data: bytes
    patches: Sequence[tuple[int, bytes]]
    frames: int


class Encoder(Protocol):
    """An encoder of one film."""

    def encode(self, rgb: np.ndarray) -> list[Piece]:
        """Take the next frame, (height, width, 3) uint8; return the pieces that are complete now."""
        ...

    def finish(self) -> list[Piece]:
        """Return what is left; no frame may follow."""
        ...
