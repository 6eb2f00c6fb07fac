"""A rectangle of the frame that compiled code has started: it may be suspended at any time and resumed later.

The state of the driver stands in memory that is allocated here and reused for the next rectangle.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from render.codegen.settings import Settings, cell_numbers, pack_cells
from render.frame import Canvas, SliceResult
from render.kernels import room as places
from render.request import Request
from render.scene import REALS

TRAY_BYTES = 4 << 20  # for light that waits for the rest of its patch; a level-2 cache or so
FEWEST_TRAYS = 4
ALIGNMENT = 64  # bytes
X, Y, WIDTH, FOLLOWED, IMAGES, FIRST, STRIDE = cell_numbers("x", "y", "width", "height", "images", "first", "stride")
MEMORY = cell_numbers("outcome", "room", "notes")
RGB, STEPS, KEEP_STEPS, BUDGET = (cell_numbers(name)[0] for name in ("rgb", "steps", "keep_steps", "budget"))


class Layout(NamedTuple):
    """The layout of a workspace: so many lanes in each of so many groups, and which rows are mirrored.

    No groups: one sample at a time, which needs next to nothing. `folded`: a row is stored again as its mirror image.
    """

    lanes: int
    groups: int
    mirrored: bool

    def split_rows(self, request: Request, y: int, height: int) -> tuple[int, int]:
        """Return how many of the rows y .. y + height - 1 to paint, and how many are mirror images of these."""
        middle = (request.height + 1) // 2
        images = y + height - middle if self.mirrored and y < middle and y + height <= request.height - y else 0
        return (height - images, images) if images > 0 else (height, 0)


class Workspace:
    """Memory for what is in progress in one rectangle; see `driver`."""

    def __init__(self, request: Request, layout: Layout, members: int) -> None:
        """`members`: of the scene's state."""
        lanes, groups, _ = layout
        real = REALS[request.precision]
        rack = (members + 2) * lanes
        tray = 4 * request.samples * lanes
        most = (groups + 3) * lanes  # each waits for one lane or listed sample
        trays = min(max(TRAY_BYTES // (tray * real().itemsize), FEWEST_TRAYS), most) if groups else 0
        self.cells = _aligned_array(groups * (rack + members * lanes) + 3 * rack + trays * tray, real)
        self.notes = np.zeros(places.TRAYS + trays * places.EACH_TRAY, np.int64)
        self.outcome = np.zeros(2, np.int64)
        self.where = pack_cells((self.outcome, self.cells, self.notes))
        self.unused = self.notes.copy()
        self.unused[places.COUNTER.free_trays] = trays
        self.unused[places.of_tray_counter(places.TRAY.free, 0) :: places.EACH_TRAY] = np.arange(trays)
        self._frame_cells: np.ndarray | None = None  # what the cells at `address` were copied from
        self._memory: tuple[int, ...] = ()  # where they have pixels stored

    def prepare_rectangle(self, frame_cells: np.ndarray, canvas: Canvas, place: tuple[int, int, int, int, int]) -> None:
        """Prepare it for another rectangle: the settings of the code lie at `address`, and are changed by `view`.

        The settings of the whole frame are copied once, and the address of a canvas only when it changes: after that
        only six numbers change, which costs little.
        """
        self.notes[:] = self.unused
        if self._frame_cells is not frame_cells:
            self._frame_cells, own = frame_cells, frame_cells.copy()
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


class WorkspacePool:
    """Unused workspaces, by the samples a pixel that they were made for. Threads may share the pool."""

    def __init__(self, layout: Layout, members: int) -> None:
        self._layout, self._members = layout, members
        self._unused: dict[int, list[Workspace]] = {}

    def take(self, request: Request) -> Workspace:
        """Take an unused workspace, or make one."""
        try:
            return self._unused[request.samples].pop()
        except LookupError:
            return Workspace(request, self._layout, self._members)

    def give_back(self, request: Request, workspace: Workspace) -> None:
        """Return a workspace for the next rectangle."""
        self._unused.setdefault(request.samples, []).append(workspace)


def _aligned_array(count: int, real: type[np.floating[Any]]) -> np.ndarray:
    """Allocate `count` reals, the first aligned for a whole vector."""
    size = count * real().itemsize
    memory = np.zeros(size + ALIGNMENT, np.uint8)
    first = -memory.ctypes.data % ALIGNMENT
    return memory[first : first + size].view(real)


class Rectangle:
    """A started rectangle: `call` is the compiled loop, `frame_cells` its settings for the whole frame.

    place: x, y, width and height of what is followed, and the rows below that are its mirror images; canvas: where the
    pixels go, which covers all that.
    """

    def __init__(
        self,
        call: Callable[[int], int],
        frame_cells: np.ndarray,
        place: tuple[int, int, int, int, int],
        canvas: Canvas,
        workspace: Workspace,
    ) -> None:
        workspace.prepare_rectangle(frame_cells, canvas, place)
        self.call, self.workspace, self.canvas = call, workspace, canvas  # whose memory must live as long as this

    def paint_slice(self, budget: int) -> SliceResult:
        """Paint for about `budget` steps of lanes; return how far that went."""
        workspace = self.workspace
        workspace.view[BUDGET] = budget
        workspace.went[0] = 0
        steps = self.call(workspace.address)
        return SliceResult(steps, workspace.went[0], bool(workspace.went[1]))


def count_members(call: Callable[[int], int], at: Settings, p: tuple[Any, ...]) -> int:
    """Count the members of the scene's state: compiled code returns it for a negative budget."""
    cells = pack_cells(at._replace(budget=-1), p)
    return call(cells.ctypes.data)
