"""A rectangle of the frame that compiled code has begun: it may be put aside at any time and taken up again.

What the driver has underway stands in memory that is made here and used again for the next rectangle.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from render.codegen.settings import Settings, cells, pack
from render.frame import Canvas, SliceResult
from render.kernels import room as places
from render.request import Request
from render.scene import REALS

TRAY_BYTES = 4 << 20  # for light that waits for the rest of its patch; a level-2 cache or so
FEWEST_TRAYS = 4
ALIGNMENT = 64  # bytes
X, Y, WIDTH, FOLLOWED, IMAGES, FIRST, STRIDE = cells("x", "y", "width", "height", "images", "first", "stride")
MEMORY = cells("outcome", "room", "notes")
RGB, STEPS, KEEP_STEPS, BUDGET = (cells(name)[0] for name in ("rgb", "steps", "keep_steps", "budget"))


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
        self.where = pack((self.outcome, self.cells, self.notes))
        self.unused = self.notes.copy()
        self.unused[places.COUNTER.used] = lanes if trays else 0
        self.unused[places.COUNTER.free_trays] = trays
        self.unused[places.of_tray_counter(places.TRAY.free, 0) :: places.EACH_TRAY] = np.arange(trays)
        self._told: np.ndarray | None = None  # what the cells at `address` were copied from
        self._memory: tuple[int, ...] = ()  # where they have pixels stored

    def begin(self, told: np.ndarray, canvas: Canvas, place: tuple[int, int, int, int, int]) -> None:
        """Make it ready for another rectangle: what the code is told lies at `address`, and is changed by `view`.

        What is told of the whole frame is copied once, and where a canvas is only when it is another: after that six
        numbers change, which costs little so.
        """
        self.notes[:] = self.unused
        if self._told is not told:
            self._told, own = told, told.copy()
            own[MEMORY] = self.where
            self.address, self.view, self.went = own.ctypes.data, own.data, self.outcome.data
            self._memory = ()
        view, stride = self.view, canvas.rgb.shape[1]
        memory = (*canvas.addresses, int(canvas.steps is not None), stride)
        if self._memory != memory:
            self._memory = memory
            view[RGB], view[STEPS], view[KEEP_STEPS], view[STRIDE] = memory
        view[X], view[Y], view[WIDTH], view[FOLLOWED], view[IMAGES] = place
        view[FIRST] = (place[1] - canvas.y) * stride + place[0] - canvas.x


class Rooms:
    """Rooms that are in use by nobody, for as many samples a pixel as they were made for. Threads may share them."""

    def __init__(self, layout: Layout, members: int) -> None:
        self._layout, self._members = layout, members
        self._unused: dict[int, list[Room]] = {}

    def take(self, request: Request) -> Room:
        """Take one that is left, or a new one."""
        try:
            return self._unused[request.samples].pop()
        except LookupError:
            return Room(request, self._layout, self._members)

    def give_back(self, request: Request, room: Room) -> None:
        """Leave a room for the next rectangle."""
        self._unused.setdefault(request.samples, []).append(room)


def _aligned(count: int, real: type[np.floating[Any]]) -> np.ndarray:
    """So many reals, the first of them where a whole vector may begin."""
    size = count * real().itemsize
    memory = np.zeros(size + ALIGNMENT, np.uint8)
    first = -memory.ctypes.data % ALIGNMENT
    return memory[first : first + size].view(real)


class Rectangle:
    """A rectangle underway: `call` is the compiled loop, `told` what it is told of the whole frame, as cells.

    place: x, y, width and height of what is followed, and the rows below that are its mirror images; canvas: where the
    pixels go, which covers all that.
    """

    def __init__(
        self,
        call: Callable[[int], int],
        told: np.ndarray,
        place: tuple[int, int, int, int, int],
        canvas: Canvas,
        room: Room,
    ) -> None:
        room.begin(told, canvas, place)
        self.call, self.room, self.canvas = call, room, canvas  # whose memory must live as long as this

    def paint_slice(self, budget: int) -> SliceResult:
        """Go on for about so many steps of lanes, and tell how far that went."""
        room = self.room
        room.view[BUDGET] = budget
        room.went[0] = 0
        steps = self.call(room.address)
        return SliceResult(steps, room.went[0], bool(room.went[1]))


def members(call: Callable[[int], int], at: Settings, p: tuple[Any, ...]) -> int:
    """How many members the scene's state has: compiled code tells when it is asked with no budget at all."""
    cells = pack(at._replace(budget=-1), p)
    return call(cells.ctypes.data)
