"""Tiles and lost workers: whoever dies, each tile is done once or given up with its name, and nothing is lost."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from render.errors import TileError
from render.painting.retries import BY_TILE, FIRST_PAUSE, HANGS, LONGEST_PAUSE, OUTSIDE, Death, Todo
from render.plan import Tile

TILES = [Tile(number, number, 0, 1, 1) for number in range(9)]
CRASH, KILL = Death("SIGSEGV", by_tile=True), Death("SIGKILL", by_tile=False)
HANG = Death("no sign of life", by_tile=True, hung=True)


def fail(tile: Tile, why: str) -> TileError:
    return TileError(f"tile {tile.number}: {why}")


@given(st.lists(st.tuples(st.sampled_from([None, CRASH, KILL, HANG]), st.integers(1, 4), st.integers(-1, 8))))
def test_each_tile_is_done_once_or_given_up(course: list[tuple[Death | None, int, int]]) -> None:
    todo, done, now = Todo(TILES, fail), list[int](), 0.0
    for death, size, at in [*course, *[(None, 9, 0)] * 20]:
        now += 10.0
        tiles = todo.take_tiles(now, size)
        if death is None:
            done += [tile.number for tile in tiles if todo.finish_tile(tile.number)]
        else:
            todo.take_back_lost(tiles, tiles[at].number if 0 <= at < len(tiles) else -1, death, now)
    failed = [int(str(error).split(":")[0].removeprefix("tile ")) for error in todo.failed]
    assert sorted(done + failed) == list(range(9))
    assert not todo.left


@pytest.mark.parametrize(("death", "times"), [(CRASH, BY_TILE), (HANG, HANGS), (KILL, OUTSIDE)])
def test_a_tile_is_given_up_after_so_many_losses_that_it_may_have_caused(death: Death, times: int) -> None:
    todo, losses = Todo(TILES[:1], fail), 0
    while todo.left:
        assert todo.take_tiles(1e6 * losses, 1) == (TILES[0],) or losses == 0
        losses += todo.take_back_lost(TILES[:1], 0, death, 1e6 * losses)
        todo.take_tiles(0.0, 1)
    assert losses == times
    assert str(todo.failed[0]) == f"tile 0: its worker was lost {times} times ({death.how})"


def test_a_tile_is_never_given_up_for_what_others_do_as_long_as_any_is_done() -> None:
    todo = Todo(TILES, fail)
    for number in range(1, 9):
        for _ in range(OUTSIDE - 1):
            todo.take_back_lost(TILES[:1], 0, KILL, 0.0)
        todo.finish_tile(number)
    assert list(todo.left) == [0]


def test_a_suspect_comes_after_all_others_alone_and_not_at_once() -> None:
    todo = Todo(TILES, fail)
    todo.take_back_lost(todo.take_tiles(0.0, 3), 1, CRASH, 0.0)
    assert [tile.number for tile in todo.take_tiles(0.0, 99)] == [0, 2, 3, 4, 5, 6, 7, 8]
    assert todo.take_tiles(0.05, 99) == ()
    assert todo.take_tiles(0.2, 99) == (TILES[1],)


def test_the_pause_doubles_with_each_loss_and_has_an_end() -> None:
    todo, pauses = Todo(TILES[:1], fail), list[float]()
    for number, death in enumerate([KILL, CRASH, KILL, CRASH, KILL, KILL]):
        now = 100.0 * number
        todo.take_back_lost(todo.take_tiles(now, 1), 0, death, now)
        pauses.append(next(pause for pause in range(1, 100) if todo.take_tiles(now + 0.1 * pause + 1e-6, 1)) / 10)
        todo.suspect_tile(TILES[0], 0.0)
    assert pauses == [FIRST_PAUSE, 0.2, 0.4, 0.8, 1.6, LONGEST_PAUSE]


def test_a_sign_of_a_tile_that_the_lost_worker_did_not_have_accuses_nobody() -> None:
    """It may be an old one: the worker was lost before it started what it was sent."""
    todo = Todo(TILES, fail)
    assert not todo.take_back_lost(todo.take_tiles(0.0, 2), 5, CRASH, 0.0)
    assert todo.suspects == []
    assert [tile.number for tile in todo.take_tiles(0.0, 99)] == list(range(9))


def test_of_several_suspects_the_one_that_may_be_tried_first_comes_first() -> None:
    todo = Todo(TILES[:2], fail)
    one, other = todo.take_tiles(0.0, 2)
    todo.suspect_tile(one, 0.3)
    todo.suspect_tile(other, 0.2)
    assert [todo.take_tiles(1.0, 1), todo.take_tiles(1.0, 1)] == [(other,), (one,)]
