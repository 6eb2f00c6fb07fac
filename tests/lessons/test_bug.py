"""The careless kernel: a worker that comes in between moves the place, and the tile is torn."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from render.frame import Canvas, Frame, SliceResult
from render.lessons import bug
from render.lessons.bug import OVERLAP, Careless, Greedy
from render.request import Request
from render.runtime.kernel import CpuKernel
from render.trace import Span, Trace, Worker

WIDE, HIGH = 40, 24
Rectangle = tuple[int, int, int, int]


class Recording(CpuKernel):
    """A kernel that paints nothing, writes down where it was told to, and lets others in between."""

    rows, about = 8, "a kernel"

    def __init__(self) -> None:
        self.painted: list[Rectangle] = []
        self.between: Callable[[], object] | None = None

    @contextmanager
    def start_rectangle(self, _canvas: Canvas, x: int, y: int, width: int, height: int) -> Iterator[Done]:
        self.painted.append((x, y, width, height))
        between, self.between = self.between, None
        if between:
            between()
        yield Done(height)


class Done:
    """So many rows that are painted."""

    def __init__(self, rows: int) -> None:
        self.rows = rows

    def paint_slice(self, _budget: int) -> SliceResult:
        return SliceResult(self.rows, 0, done=True)


def canvas() -> Canvas:
    return Canvas(WIDE, HIGH, with_steps=False)


def test_alone_it_paints_the_whole_tile() -> None:
    inner = Recording()
    assert Careless(inner).paint(canvas(), 8, 0, 16, 20) == (20, 0)
    assert inner.painted == [(8, 0, 16, 8), (8, 8, 16, 8), (8, 16, 16, 4)]


def test_another_worker_in_between_tears_the_tile() -> None:
    inner = Recording()
    careless, here = Careless(inner), canvas()
    inner.between = lambda: careless.paint(here, 24, 0, 16, 8)
    careless.paint(here, 8, 0, 16, 16)
    assert inner.painted == [(8, 0, 16, 8), (24, 0, 16, 8), (24, 8, 16, 8)]


tiles = st.builds(
    lambda x, y, w, h: (x, y, 1 + w % (WIDE - x), 1 + h % (HIGH - y)),
    *(st.integers(0, WIDE - 1), st.integers(0, HIGH - 1), st.integers(0, 99), st.integers(0, 99)),
)


def test_the_greedy_one_paints_its_larger_tile_as_the_right_one_paints_its_own() -> None:
    """In one call, at the kernel's own pace: the lesson's times compare what is painted, not how."""

    class InOneCall(Recording):
        def paint(self, canvas: Canvas, x: int, y: int, width: int, height: int) -> tuple[int, int]:  # noqa: ARG002
            self.painted.append((x, y, width, height))
            return 7, 0

    inner = InOneCall()
    assert Greedy(inner).paint(canvas(), 0, 8, 16, 8) == (7, 0)
    assert Greedy(inner).paint(canvas(), 24, 8, 16, 8) == (7, 0)
    assert inner.painted == [(0, 8, 16 + OVERLAP, 16), (24, 8, 16, 16)]


@given(tiles, tiles)
def test_however_they_meet_nothing_is_painted_outside_the_frame(one: Rectangle, other: Rectangle) -> None:
    inner = Recording()
    careless, here = Careless(inner), canvas()
    inner.between = lambda: careless.paint(here, *other)
    careless.paint(here, *one)
    Greedy(inner).paint(here, *one)
    for x, y, width, height in inner.painted:
        assert 0 <= x < x + width <= WIDE
        assert 0 <= y < y + height <= HIGH
    assert inner.painted[-1][2] <= one[2] + OVERLAP


def painted(request: Request, *tiles: tuple[int, int, int], label: str = "right", steps: int = 9) -> Frame:
    """A grey frame whose tiles were painted by (worker, from, to), and under what name."""
    spans = tuple(Span(Worker(1, worker), tile, "paint", t0, t1) for tile, (worker, t0, t1) in enumerate(tiles))
    rgb = np.full((request.height, request.width, 3), 99, np.uint8)
    return Frame(rgb, None, steps, request, Trace(spans, 0, 0, 99, {"label": label}))


def test_a_torn_tile_leads_to_the_worker_who_painted_it(ask: Callable[..., Request]) -> None:
    right = painted(ask(), *((0, tile, tile + 1) for tile in range(6)))
    torn = painted(ask(), *((tile % 2, tile // 2, tile // 2 + 1) for tile in range(6)), label="careless (threads)")
    torn.rgb[24:32, 0:16] = 0
    frames = [right, right, right, torn, right, replace(right, total_steps=10)]
    told = list(bug.follows(frames))
    assert bug.sound(frames)
    assert bug.enough(frames)
    assert not bug.enough([right] * 6)
    assert "1 of 6 tiles differs; in careless (threads) they are 1 of the 3 of worker 1" in told[1]
    assert "tile 3 (x 0, y 16, 16 x 16): 128 pixels, rows 24 to 31" in told[2]
    assert "1 of these 1 tiles were under way while another worker had one under way too" in told[3]


def test_a_wrong_picture_where_none_should_be_is_unsound(ask: Callable[..., Request]) -> None:
    right = painted(ask(), (0, 0, 1))
    wrong = painted(ask(), (0, 0, 1))
    wrong.rgb[0, 0] = 0
    assert bug.sound([right] * 6)
    assert not bug.sound([right, wrong, right, right, right, right])
    assert not bug.sound([right, right, right, right, right, wrong])
    assert not bug.sound([right, replace(right, total_steps=10), right, right, right, right])
    assert "the fault stayed hidden" in list(bug.follows([right] * 6))[1]


def test_how_a_tile_was_torn_is_told_event_by_event(ask: Callable[..., Request]) -> None:
    right = painted(ask(), *((0, tile, tile + 1) for tile in range(6)))
    torn = painted(ask(), (0, 10, 20), (1, 13, 23), (0, 24, 25), (1, 26, 27), (0, 28, 29), (1, 30, 31))
    torn.rgb[4:16, 0:16] = 0
    found = bug.close_up([right, right, right, torn, right, right])
    assert found is not None
    assert (found.run, found.tiles, found.title, found.right) == (3, (0,), "How tile 0 was torn", 0)
    assert [(event.at, event.worker) for event in found.events] == [(10, 0), (10, 0), (13, 1), (13, 0), (20, 0)]
    assert "first 4 rows there: they are right" in found.events[1].text
    assert "starts tile 1 and writes x 16, y 0 over it" in found.events[2].text
    assert "rows 4 to 15 of tile 0 are wrong" in found.events[-1].text
    assert bug.close_up([right] * 6) is None
