"""Tiles by the handful: each exactly once and in order, however they are handed out and however it ends."""

from __future__ import annotations

from threading import Thread
from types import SimpleNamespace
from typing import Any, cast

import pytest

from render.errors import TileError
from render.painting.handfuls import SHORTEST, Handout, fair_share, paint_handfuls
from render.painting.painter import Done, Painter
from render.plan import Tile
from tests.conftest import FakeClock

REQUEST = SimpleNamespace(in_flight=1, workers=1)
TILES = [Tile(number, number, 0, 1, 1) for number in range(40)]


def painter(clock: FakeClock, *, ns: int = 1, fails: int = -1) -> Painter:
    """Paints each tile in so much time, and fails at one of them."""

    def paint(tile: Tile) -> Done:
        clock.tick(ns)
        if tile.number == fails:
            raise TileError("it failed")
        return Done(tile, 1)

    def wait(_tile: Tile) -> None:
        """Nothing is waited for."""

    return cast(
        Painter, SimpleNamespace(wait=wait, paint=paint, recorder=SimpleNamespace(clock=clock), request=REQUEST)
    )


@pytest.mark.parametrize(("ns", "each"), [(SHORTEST, 1), (SHORTEST * 9, 1), (SHORTEST // 4, 4), (1, 40)])
def test_a_handful_is_what_is_painted_in_a_while(ns: int, each: int, clock: FakeClock) -> None:
    handout = Handout(TILES, painter(clock, ns=ns))
    sizes = [len(handful.done) for handful in handout.paint()]
    assert sizes == [each] * (40 // each)


def test_tiles_come_in_order(clock: FakeClock) -> None:
    handout = Handout(TILES, painter(clock))
    assert [done.tile for done in handout.collect(handout.paint().__next__)] == TILES


def test_what_was_done_before_a_tile_failed_comes_before_the_error(clock: FakeClock) -> None:
    handout, done = Handout(TILES, painter(clock, fails=7)), list[Done]()
    with pytest.raises(TileError, match="it failed"):
        done.extend(handout.collect(handout.paint().__next__))
    assert [one.tile.number for one in done] == [0, 1, 2, 3, 4, 5, 6]
    assert not list(handout.paint()), "nobody takes more"


def test_given_up_early_nobody_takes_more(clock: FakeClock) -> None:
    handout = Handout(TILES, painter(clock, ns=SHORTEST))
    call = handout.paint()
    collected: Any = handout.collect(call.__next__)
    assert next(collected).tile is TILES[0]
    collected.close()
    assert list(handout.paint()) == []
    assert list(call) == []


def test_workers_at_the_same_instant_take_each_tile_once(clock: FakeClock) -> None:
    tiles = [Tile(number, 0, 0, 1, 1) for number in range(5000)]
    handout, found = Handout(tiles, painter(clock)), list[Done]()

    def work() -> None:
        for handful in handout.paint():
            found.extend(handful.done)

    workers = [Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert sorted(done.tile.number for done in found) == list(range(5000))


def test_without_a_time_all_are_painted(clock: FakeClock) -> None:
    left = iter(TILES)
    [handful] = paint_handfuls(lambda: next(left, None), painter(clock, ns=SHORTEST), 1)
    assert len(handful.done) == 40


@pytest.mark.parametrize(
    ("tiles", "workers", "share"), [(7, 2, 4), (5, 2, 3), (40, 2, 4), (3, 3, 1), (1, 3, 1), (0, 3, 1)]
)
def test_nobody_juggles_two_tiles_where_another_could_have_one_of_them(tiles: int, workers: int, share: int) -> None:
    assert fair_share(4, tiles, workers) == share
