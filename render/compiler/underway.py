"""A rectangle of the frame that compiled code has begun: it may be put aside at any time and taken up again.

What the driver has underway stands in memory that is made here and used again for the next rectangle.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from render.compiler import room as places
from render.compiler.settings import Settings, cell, pack
from render.frame import Went
from render.request import Request
from render.scene import REALS

WHOLLY = (1 << 62) - 1  # a budget that is never spent
TRAY_BYTES = 4 << 20  # for light that waits for the rest of its patch; a level-2 cache or so
FEWEST_TRAYS = 4
ALIGNMENT = 64  # bytes
X, Y, WIDTH, FOLLOWED = cell("x"), cell("y"), cell("width"), cell("height")
IMAGES, OUTCOME, BUDGET = cell("images"), cell("outcome"), cell("budget")


class Layout(NamedTuple):
    """What compiled code wants to be given: room for so many lanes in each of so many groups, and which rows.

    No groups: one sample at a time, which needs next to nothing. `folded`: a row is stored again as its mirror image.
    """

    lanes: int
    groups: int
    folded: bool

    def rows(self, request: Request, y: int, height: int) -> tuple[int, int]:
        """How many of the rows y .. y + height - 1 are followed, and how many are left as their mirror images."""
        middle = (request.height + 1) // 2
        images = y + height - middle if self.folded and y < middle and y + height <= request.height - y else 0
        return (height - images, images) if images > 0 else (height, 0)


class Room:
    """Memory for what is underway in one rectangle; see `driver`."""

    def __init__(self, request: Request, layout: Layout, members: int) -> None:
        """`members`: of the scene's state."""
        lanes, groups, _ = layout
        real = REALS[request.precision]
        rack = (members + 2) * lanes
        tray = 4 * request.samples * lanes
        most = (groups + 3) * lanes  # each waits for one lane or listed sample
        trays = min(max(TRAY_BYTES // (tray * real().itemsize), FEWEST_TRAYS), most) if groups else 0
        self.cells = _aligned(groups * (rack + members * lanes) + 3 * rack + trays * tray, real)
        self.notes = np.zeros(places.TRAYS + trays * places.EACH_TRAY, np.int64)
        self.outcome = np.zeros(2, np.int64)
        self.where = pack((self.outcome, 0, self.cells, self.notes))  # as they follow each other in the settings
        self.unused = self.notes.copy()
        self.unused[places.USED] = lanes if trays else 0
        self.unused[places.FREE] = trays
        self.unused[places.TRAYS + places.FREE_TRAY :: places.EACH_TRAY] = np.arange(trays)
        self._frame: np.ndarray | None = None  # what `told` was copied from

    def begin(self, told: np.ndarray, place: tuple[int, int, int, int, int]) -> None:
        """Make it ready for another rectangle: what the code is told lies at `address`, and is changed by `view`.

        What is told of the whole frame is copied once; after that five numbers change, which costs little so.
        """
        self.notes[:] = self.unused
        if self._frame is not told:
            self._frame, own = told, told.copy()
            own[OUTCOME : OUTCOME + 7] = self.where
            self.address, self.view, self.went = own.ctypes.data, own.data, self.outcome.data
        view = self.view
        view[X], view[Y], view[WIDTH], view[FOLLOWED], view[IMAGES] = place


def _aligned(count: int, real: type[np.floating[Any]]) -> np.ndarray:
    """So many reals, the first of them where a whole vector may begin."""
    size = count * real().itemsize
    memory = np.zeros(size + ALIGNMENT, np.uint8)
    first = -memory.ctypes.data % ALIGNMENT
    return memory[first : first + size].view(real)


class Rectangle:
    """A rectangle underway: `call` is the compiled loop, `told` what it is told of the whole frame, as cells.

    place: x, y, width and height of what is followed, and the rows below that are its mirror images.
    """

    def __init__(
        self, call: Callable[[int], int], told: np.ndarray, place: tuple[int, int, int, int, int], room: Room
    ) -> None:
        room.begin(told, place)
        self.call, self.room = call, room

    def go(self, budget: int) -> Went:
        """Go on for about so many steps of lanes, and tell how far that went."""
        room = self.room
        room.view[BUDGET] = budget
        room.went[0] = 0
        steps = self.call(room.address)
        return Went(steps, room.went[0], bool(room.went[1]))


def members(call: Callable[[int], int], at: Settings, p: tuple[Any, ...]) -> int:
    """How many members the scene's state has: compiled code tells when it is asked with no budget at all."""
    cells = pack(at._replace(budget=-1), p)
    return call(cells.ctypes.data)
