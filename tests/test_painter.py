"""Tiles in slices: how long they are, and what is told of them. Steps take as long as the test says."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from typing import Any

import pytest

from render.errors import TileError
from render.frame import Canvas, SliceResult
from render.painting.painter import SLICE_NS, Painter
from render.plan import Tile
from render.runtime.kernel import CpuKernel
from render.trace import Recorder
from tests.conftest import EXAMPLE

TILE = Tile(3, 16, 0, 16, 16)


class Rectangle:
    """Needs so many steps, of so many ns of the test's clock each; every slice has a NaN in it."""

    def __init__(self, kernel: Steady) -> None:
        self.kernel, self.left = kernel, kernel.steps

    def paint_slice(self, budget: int) -> SliceResult:
        steps = min(budget, self.left)
        self.left -= steps
        self.kernel.clock.tick(steps * self.kernel.ns)
        return SliceResult(steps, self.kernel.bad, not self.left)


class Steady(CpuKernel):
    """A kernel whose tiles all need the same."""

    about = "nothing that paints"

    def __init__(self, clock: Any, steps: int, ns: int = 1, bad: int = 0) -> None:
        self.clock, self.steps, self.ns, self.bad = clock, steps, ns, bad

    @contextmanager
    def start_rectangle(self, *_place: object) -> Iterator[Rectangle]:
        yield Rectangle(self)

    def paint(self, *_place: object) -> tuple[int, int]:
        self.clock.tick(self.steps * self.ns)
        return self.steps, 0  # painted again, no pixel has one


def painter(kernel: Steady) -> Painter:
    return Painter(EXAMPLE, Canvas(1, 1, with_steps=False), kernel, Recorder(kernel.clock))


def lengths(of: Painter) -> list[int]:
    """Of the slices so far, in ns."""
    return [span.t1 - span.t0 for span in of.recorder.drain()]


@pytest.mark.parametrize("ns", [1, 20])
def test_slices_grow_until_they_are_as_long_as_they_should_be(ns: int, clock: Any) -> None:
    """Were they to stay as short as the first, switching would cost more than painting."""
    juggler = painter(Steady(clock, 200_000_000 // ns, ns))

    list(juggler.slices(TILE))

    taste, *slices = lengths(juggler)
    assert taste == ns
    assert max(slices) <= SLICE_NS
    assert slices == sorted(slices[:-1]) + slices[-1:]
    assert all(length == SLICE_NS for length in slices[12:-1])
    assert len(slices) < 12 + 200_000_000 / SLICE_NS


def test_a_slice_is_at_most_twice_as_long_as_the_one_before(clock: Any) -> None:
    """So one cheap beginning does not lead to a slice that holds everybody up."""
    kernel = Steady(clock, 10_000_000)
    juggler = painter(kernel)
    slices = juggler.slices(TILE)
    for _ in range(8):
        next(slices)

    _, *grown = lengths(juggler)

    assert [after / before for before, after in pairwise(grown)] == [2.0] * 6


def test_slices_become_short_again_where_steps_become_dear(clock: Any) -> None:
    kernel = Steady(clock, 100_000_000)
    juggler = painter(kernel)
    slices = juggler.slices(TILE)
    for _ in range(20):
        next(slices)
    kernel.ns = 50
    next(slices)
    lengths(juggler)

    next(slices)

    assert lengths(juggler) == [SLICE_NS]


def test_the_next_tile_goes_on_with_slices_of_that_length_after_a_taste(clock: Any) -> None:
    juggler = painter(Steady(clock, 100_000_000))
    list(juggler.slices(TILE))
    lengths(juggler)
    slices = juggler.slices(TILE)

    assert [next(slices).steps, next(slices).steps] == [1, 1 + SLICE_NS]


def test_what_is_told_after_each_slice_are_the_steps_so_far(clock: Any) -> None:
    juggler = painter(Steady(clock, 30_000))

    told = list(juggler.slices(TILE))

    assert [done.steps for done in told] == [1, 2001, 6001, 14001, 30000]
    assert {done.tile for done in told} == {TILE}


def test_samples_without_a_colour_are_added_up_over_all_slices(clock: Any) -> None:
    juggler = painter(Steady(clock, 30_000, bad=3))

    with pytest.raises(TileError, match=r"tile 3 .* failed: 15 samples"):
        list(juggler.slices(TILE))


def test_a_tile_painted_at_once_is_one_span(clock: Any) -> None:
    plodder = painter(Steady(clock, 5_000_000))

    assert plodder.paint(TILE) == (TILE, 5_000_000)
    assert lengths(plodder) == [5_000_000]
