"""Lesson `bug`: how to find a fault that needs two workers with a tile under way at once, and trace it to one of them.

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
from render.findings.explanation import CloseUp, Event
from render.frame import Canvas, Frame, SliceResult
from render.pictures.picture import Picture
from render.pictures.provenance import make_provenance
from render.plan import cut
from render.runtime.kernel import CpuKernel, StartedRectangle
from render.trace import NO_TILE, Span
from render.wording import count

QUESTION = "How is a fault found that shows only where workers share something?"
OPTIONS = frozenset({"workers", "in_flight"})
DEFAULTS = {"samples": 4}
TERMS = {
    "A race condition": "is a fault that depends on who comes first. Here each worker writes where its tile lies into "
    "one variable that all workers share, and reads it again before each few rows. Alone that is right; beside others "
    "it is right only if nobody writes in between. That a program was right once proves nothing about the next time.",
}
OVERLAP = 8  # pixels that a tile reaches into the next
ROWS = 8  # of a slice
MOVES = 3  # of the place; more are left out
MARK = "torn: its pixels differ from the right picture"


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
                stepped, nan = self.kernel.paint(canvas, left, top + row, wide, high)
                steps, bad = steps + stepped, bad + nan
        return steps, bad

    @contextmanager
    def start_rectangle(self, canvas: Canvas, x: int, y: int, width: int, height: int) -> Iterator[Slices]:
        """Start the same slice by slice; a worker that comes in between is gone before the next slice."""
        yield Slices(self, canvas, [(x, y + row, width, min(ROWS, height - row)) for row in range(0, height, ROWS)])


class Slices:
    """Rectangles that are painted one after the other."""

    def __init__(self, kernel: Careless, canvas: Canvas, remaining: list[tuple[int, int, int, int]]) -> None:
        self.kernel, self.canvas, self.left = kernel, canvas, remaining[::-1]

    def paint_slice(self, budget: int) -> SliceResult:  # noqa: ARG002  (the protocol's argument)
        """Paint the next one, however long it takes."""
        steps, bad = self.kernel.paint(self.canvas, *self.left.pop())
        return SliceResult(steps, bad, not self.left)


class Greedy(CpuKernel):
    """A kernel that paints OVERLAP pixels of the tiles to the right and below as well."""

    def __init__(self, kernel: CpuKernel) -> None:
        self.kernel, self.about = kernel, f"{kernel.about}, greedy"

    def paint(self, canvas: Canvas, x: int, y: int, width: int, height: int) -> tuple[int, int]:
        """Paint more than the rectangle, at the kernel's own pace."""
        return self.kernel.paint(canvas, x, y, *_reach(canvas, x, y, width, height))

    def start_rectangle(
        self, canvas: Canvas, x: int, y: int, width: int, height: int
    ) -> AbstractContextManager[StartedRectangle]:
        """Start more than the rectangle."""
        return self.kernel.start_rectangle(canvas, x, y, *_reach(canvas, x, y, width, height))


def _reach(canvas: Canvas, x: int, y: int, width: int, height: int) -> tuple[int, int]:
    """Return a width and a height that reach into the next tiles, as far as the frame goes."""
    high, wide, _ = canvas.rgb.shape
    return min(width + OVERLAP, wide - x), min(height + OVERLAP, high - y)


def entrants(given: Mapping[str, Any]) -> list[Entrant]:
    """Run the right kernel; the careless one with one worker, juggling, in threads and processes; the greedy one."""
    runs = [
        lessons.make_entrant("right", "sequential", given),
        lessons.make_entrant("careless (in sequence)", "sequential", given, Careless),
        lessons.make_entrant("careless (juggling)", "concurrent", given, Careless),
        lessons.make_entrant("careless (threads)", "parallel", given, Careless, backend="threading"),
        lessons.make_entrant("careless (processes)", "parallel", given, Careless, backend="loky"),
        lessons.make_entrant("overlapping (threads)", "parallel", given, Greedy, backend="threading"),
    ]
    return lessons.use_one_tile_size(runs, runs[3].request.tile)


def sound(frames: Sequence[Frame]) -> bool:
    """Test that all but the threads that share a place paint the right picture, in the right steps save the overlap."""
    right, torn = frames[0], frames[3]
    return all(
        frame.sha256 == right.sha256 and (frame.total_steps == right.total_steps or frame is frames[5])
        for frame in frames
        if frame is not torn
    )


def enough(frames: Sequence[Frame]) -> bool:
    """Test whether the fault has shown: such faults come and go."""
    return frames[3].sha256 != frames[0].sha256


def follows(frames: Sequence[Frame]) -> Iterator[str]:
    """Say which runs are right all the same, which tiles are torn and by whom, and what the overlap costs."""
    right, torn, overlapping = frames[0], frames[3], frames[5]
    well = [frame.title for frame in (frames[1], frames[2], frames[4]) if frame.sha256 == right.sha256]
    titles = f": {', '.join(well)}" if well else ""
    yield f"where no two workers share the place of a tile, {len(well)} of 3 runs are right{titles}"
    differences = attribution.attribute(_as_picture(right), _as_picture(torn))
    if differences is None or not differences.places:
        yield "this time no thread came in between, and the fault stayed hidden: such faults come and go. Run it again"
    else:
        whose, worst, *_ = attribution.format_attribution(differences)
        yield f"{torn.title} against {right.title}, as compare reports it: {whose}"
        yield f"the worst of them: {worst}"
        met = sum(_overlapped_in_time(torn, place.tile) for place in differences.places)
        yield (
            f"{met} of these {len(differences.places)} tiles were under way while another worker had one under way "
            "too, and moved the place: nothing is wrong with several workers, only with what they share"
        )
    more = 100 * (overlapping.total_steps / right.total_steps - 1) if right.total_steps else 0.0
    equal = "equal" if overlapping.sha256 == right.sha256 else "different"
    yield (
        f"{overlapping.title}: the picture is {equal}, for a pixel depends on its place alone, whoever paints it; "
        f"only the steps show that work was done twice: {more:.1f} % more"
    )


def _as_picture(frame: Frame) -> Picture:
    """Make the picture that reading the frame's PNG file would give."""
    return Picture(frame.rgb, provenance=make_provenance(frame.request, frame.title, frame.trace))


def _overlapped_in_time(frame: Frame, tile: int) -> bool:
    """Test whether another worker was at another tile while this one was painted."""
    paint = [span for span in frame.trace.of_kind("paint") if span.tile != NO_TILE]
    own = [span for span in paint if span.tile == tile]
    return any(span.overlaps(other) and other.worker != span.worker for span in own for other in paint)


def close_up(frames: Sequence[Frame]) -> CloseUp | None:
    """Show how one tile was torn: who moved the place while it was painted; frame all tiles that were torn."""
    torn = frames[3]
    differences = attribution.attribute(_as_picture(frames[0]), _as_picture(torn))
    if differences is None or not differences.places:
        return None
    moved = [(place, *_find_moves(torn, place.tile)) for place in differences.places]
    place, own, moves = min(moved, key=lambda one: (not one[2], one[0].rows[0] == one[0].y, len(one[2])))
    others = (other.tile for other in differences.places if other is not place)
    close_up = CloseUp(3, f"Tile {place.tile} is torn", (), (place.tile, *others), MARK, right=0)
    if not moves or not own:
        return close_up
    number = {worker: at for at, worker in enumerate(torn.trace.workers)}
    tiles = {tile.number: tile for tile in cut(torn.request)}
    me, (left, top) = number[own[0].worker], tiles[place.tile][1:3]
    first, last = (row - place.y for row in place.rows)
    start = f"starts tile {place.tile} and writes its place, x {left}, y {top}, where all share it"
    events = [Event(own[0].t0, me, start)]
    if first > 0:
        events.append(Event(own[0].t0, me, f"paints its first {count(first, 'row')} there: they are right"))
    for move in moves[:MOVES]:
        left, top = tiles[move.tile][1:3]
        there = f"starts tile {move.tile} and writes x {left}, y {top} over it"
        events.append(Event(move.t0, number[move.worker], there))
        if move is moves[0]:
            where = f"tile {move.tile}" if len(moves) == 1 else "another tile"
            again = f"reads the place again before its next rows, and paints them into {where}"
            events.append(Event(move.t0, me, again))
    end = f"believes that it has finished; rows {first} to {last} of tile {place.tile} are wrong"
    events.append(Event(own[-1].t1, me, end))
    return close_up._replace(title=f"How tile {place.tile} was torn", events=tuple(events))


def _find_moves(frame: Frame, tile: int) -> tuple[list[Span], list[Span]]:
    """Find the painting of a tile, and of others by other workers that started meanwhile, each by start."""
    paint = frame.trace.of_kind("paint")
    own, others = ([span for span in paint if (span.tile == tile) is ours] for ours in (True, False))
    moves = [
        other
        for other in others
        if other.tile != NO_TILE and any(span.worker != other.worker and span.t0 < other.t0 < span.t1 for span in own)
    ]
    return own, moves
