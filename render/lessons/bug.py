"""Lesson `bug`: how a fault that needs two workers with a tile under way at once is found, and to whom it leads.

Three kernels paint the same frame. One is right. One keeps the place of its tile on an object that all workers share,
a common fault between threads: a worker that comes in between moves it, the rest of the tile is painted somewhere else,
and the tile is torn. One paints into its neighbours, so that tiles overlap. The first fault cannot show while one
worker paints at a time, nor among processes, which share no objects; the second shows in no picture at all.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from render import lessons
from render.comparison import attribution
from render.engine import Entrant
from render.frame import Canvas, Frame, Went
from render.pictures.picture import Picture
from render.pictures.provenance import of
from render.runtime.kernel import CpuKernel, Underway
from render.trace import NO_TILE

QUESTION = "How is a fault found that shows only where workers share something?"
OPTIONS = frozenset({"workers", "in_flight"})
DEFAULTS = {"samples": 4}
OVERLAP = 8  # pixels that a tile reaches into the next
ROWS = 8  # of a slice


class Careless(CpuKernel):
    """A kernel whose tile's place lies where every worker can move it. The slices stay inside the frame."""

    def __init__(self, kernel: CpuKernel) -> None:
        self.kernel, self.about = kernel, f"{kernel.about}, careless"
        self.place = (0, 0, 0)

    def paint(self, canvas: Canvas, x: int, y: int, width: int, height: int) -> tuple[int, int]:
        """Paint slice by slice, looking each time where the tile is."""
        self.place = x, y, width  # the fault: not this call's own
        steps = bad = 0
        for row in range(0, height, ROWS):
            left, top, wide = self.place
            high = min(ROWS, height - row, len(canvas.rgb) - top - row)
            if high > 0:
                made, nan = self.kernel.paint(canvas, left, top + row, wide, high)
                steps, bad = steps + made, bad + nan
        return steps, bad

    @contextmanager
    def begin(self, canvas: Canvas, x: int, y: int, width: int, height: int) -> Iterator[Slices]:
        """The same slice by slice; whoever comes in between is gone before the next."""
        yield Slices(self, canvas, [(x, y + row, width, min(ROWS, height - row)) for row in range(0, height, ROWS)])


class Slices:
    """Rectangles that are painted one after the other."""

    def __init__(self, kernel: Careless, canvas: Canvas, left: list[tuple[int, int, int, int]]) -> None:
        self.kernel, self.canvas, self.left = kernel, canvas, left[::-1]

    def go(self, budget: int) -> Went:  # noqa: ARG002  (as it is asked for)
        """Paint the next one, however long it takes."""
        steps, bad = self.kernel.paint(self.canvas, *self.left.pop())
        return Went(steps, bad, not self.left)


class Greedy(CpuKernel):
    """A kernel that paints OVERLAP pixels of the tiles to the right and below as well."""

    def __init__(self, kernel: CpuKernel) -> None:
        self.kernel, self.about = kernel, f"{kernel.about}, greedy"

    def begin(self, canvas: Canvas, x: int, y: int, width: int, height: int) -> AbstractContextManager[Underway]:
        """Paint more than the rectangle, as far as the frame goes."""
        high, wide, _ = canvas.rgb.shape
        return self.kernel.begin(canvas, x, y, min(width + OVERLAP, wide - x), min(height + OVERLAP, high - y))


def entrants(asked: Mapping[str, Any]) -> list[Entrant]:
    """The right kernel; the careless one with one worker, juggling, in threads and in processes; the greedy one."""
    runs = [
        lessons.make_entrant("right", "sequential", asked),
        lessons.make_entrant("careless (in sequence)", "sequential", asked, Careless),
        lessons.make_entrant("careless (juggling)", "concurrent", asked, Careless),
        lessons.make_entrant("careless (threads)", "parallel", asked, Careless, backend="threading"),
        lessons.make_entrant("careless (processes)", "parallel", asked, Careless, backend="loky"),
        lessons.make_entrant("overlapping (threads)", "parallel", asked, Greedy, backend="threading"),
    ]
    return lessons.use_one_tile_size(runs, runs[3].request.tile)


def sound(frames: Sequence[Frame]) -> bool:
    """All but the threads that share a place have the right picture, and but for the overlap the right steps."""
    right, torn = frames[0], frames[3]
    return all(
        frame.sha256 == right.sha256 and (frame.total_steps == right.total_steps or frame is frames[5])
        for frame in frames
        if frame is not torn
    )


def enough(frames: Sequence[Frame]) -> bool:
    """Whether the fault has shown: such faults come and go."""
    return frames[3].sha256 != frames[0].sha256


def follows(frames: Sequence[Frame]) -> Iterator[str]:
    """Which runs are right all the same, which tiles are torn and by whom, and what the overlap costs."""
    right, torn, overlapping = frames[0], frames[3], frames[5]
    well = [frame.title for frame in (frames[1], frames[2], frames[4]) if frame.sha256 == right.sha256]
    told = f": {', '.join(well)}" if well else ""
    yield f"where no two workers share the place of a tile, {len(well)} of 3 runs are right{told}"
    found = attribution.attribute(_as_picture(right), _as_picture(torn))
    if found is None or not found.places:
        yield "this time no thread came in between, and the fault stayed hidden: such faults come and go. Run it again"
    else:
        whose, worst, *_ = attribution.lines(found)
        yield f"{torn.title} against {right.title}, as compare tells it: {whose}"
        yield f"the worst of them: {worst}"
        met = sum(_overlapped_in_time(torn, place.tile) for place in found.places)
        yield (
            f"{met} of these {len(found.places)} tiles were under way while another worker had one under way too, and "
            "moved the place: nothing is wrong with several workers, only with what they share"
        )
    more = 100 * (overlapping.total_steps / right.total_steps - 1) if right.total_steps else 0.0
    equal = "equal" if overlapping.sha256 == right.sha256 else "different"
    yield (
        f"{overlapping.title}: the picture is {equal}, for a pixel depends on its place alone, whoever paints it; "
        f"only the steps tell of work done twice, {more:.1f} % more"
    )


def _as_picture(frame: Frame) -> Picture:
    """The frame as its PNG file would be read."""
    return Picture(frame.rgb, provenance=of(frame.request, frame.title, frame.trace))


def _overlapped_in_time(frame: Frame, tile: int) -> bool:
    """Whether somebody else was at another tile while this one was painted."""
    paint = [span for span in frame.trace.spans if span.kind == "paint" and span.tile != NO_TILE]
    own = [span for span in paint if span.tile == tile]
    return any(
        other.worker != span.worker and other.t0 < span.t1 and span.t0 < other.t1 for span in own for other in paint
    )
