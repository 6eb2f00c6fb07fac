"""What each further tile of mode cuda costs the host.

A frame in 8160 tiles and as one, beside a stand-in for NVIDIA's driver (`gpu/stand_in.py`), so no GPU is needed: CPU
time from the mode's `run` to a trace with its figures. The difference, over the tiles, is what one of them costs.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import ExitStack

from harness.cases import Case, Group, Missing

SIZE, SMALL = (1920, 1080), (16, 16)  # of a frame, and of its tiles
MANY, ONE = "8160 tiles", "one tile"


def groups(quick: bool) -> Iterator[Group]:  # noqa: FBT001  (one signature for all sections)
    """Many tiles against one; nothing in quick."""
    if not quick:
        yield Group("a frame", (MANY, ONE), prepare, ONE, seconds=6.0)


def prepare(stack: ExitStack) -> Iterator[Case | Missing]:
    """Nothing is painted, so no picture is compared; every frame checks that all its tiles are in the figures."""
    from gpu.stand_in import host_seconds
    from render.options import complete
    from render.plan import cut

    gc.set_threshold(50_000, 20, 20)  # as `render.__main__` does
    for name, tile in ((MANY, SMALL), (ONE, SIZE)):
        tiles = len(cut(complete(size=SIZE, tile=tile)))
        yield Case(name, lambda tile=tile: host_seconds(SIZE, tile), facts={"tiles": tiles}, clock="process")  # type: ignore[misc]
