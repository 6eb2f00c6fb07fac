"""A warp of a GPU: 32 lanes, each a thread of its own, that paint the tiles of a launch in two passes.

The lanes of a warp are stepped together, so a warp is as slow as its slowest sample. Most samples end soon, and end
soon together where they are neighbours; the few that take long are scattered among them. So the first pass takes each
square of 8 x 4 pixels to a warp of its own and follows its samples for some hundred steps. What goes on after that is
listed, densely, and the second pass follows it with few warps that stay: a lane whose sample has ended takes the next
one of the list, when about half of the lanes have. Where more than half of a square's samples go on, its warp loses
little by following them itself. It does so for up to LOOK blocks of steps more, once the list is long enough for the
second pass.

    first pass    squares  0  1  2  3  4 ...           each pixel:  ended -> stored
                  warps    0  1  2  3  4 ...                        goes on -> list
    list          | 3 17 18 40 41 42 43 77 ...
    second pass   warp 0: lanes take 3 17 18 ...;  warp 1: ...;     each pixel:  ended -> stored -> the next of the list

An example, with warps of four lanes: of the pixels 0 1 2 3 the first pass stores 0 and 2 after 8 and 40 steps; 1 and 3
go on at step 232 and are listed with their state, as 17 and 18 of the list. In the second pass some warp takes 16 to 19
and steps all four together. When two of them have ended, it makes their last steps, stores them, and takes 64 and 65.

A pixel's samples are followed one after the other and their light is summed in order. A listed pixel takes with it
what its samples have come to, and the rest of them is left to the second pass.

For an absorbing scene BLOCK steps are made between two tests (`by_blocks`), and the last steps of a sample are found by
halves (`halved`). None of this can be seen in the picture: each lane's arithmetic is that of the plain loop. In numba's
simulator a warp has one lane.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from render.kernels.driver import further
from render.kernels.launch import RECORD, TALLY, TILE
from render.kernels.slots import (
    UNTIL,
    add_at,
    alive,
    choose,
    counts,
    device_clock,
    divided,
    lift,
    memory,
    multiplied,
    multiprocessor,
    never_ends,
    same_bits,
    step,
    total,
    votes,
)
from render.language.primitives import Lane, any_lane, where

BLOCK = 32  # steps between two tests (benchmarks/results: 16 and 64 were no better)
FIRST = 8  # steps before the first test of a sample: many end in them
FOLLOWED = FIRST + 7 * BLOCK  # steps for which the first pass follows a sample (200 to 256 were best on all views)
FOLLOWED_BY_STEPS = 1 << 30  # and where they are tested one by one: to the end
LOOK = 45  # blocks after which the second pass looks for cycles: 1440 steps, a multiple of most short periods


class Launch(NamedTuple):
    """Numbers that threads of a launch share: so many tiles, in slots of wide x high pixels, with so many squares.

    across, squares: of a slot, in a row and in all.
    """

    count: Any
    wide: Any
    high: Any
    across: Any
    squares: Any


def place_of(number: Lane, launch: Launch) -> tuple[Lane, Lane, Lane]:
    """Tile, and column and row in its slot, of a pixel by its number in the launch."""
    tile, within = divided(number >> 5, counts(launch.squares))
    line, square = divided(within, counts(launch.across))
    return tile, (square << 3) + (number & 7), (line << 2) + ((number >> 3) & 3)


def find_pixel(at: Any, tile: int, column: Lane, row: Lane) -> tuple[Lane, Lane, Any]:
    """Give the column and row in the frame of a pixel of a tile's slot, and whether it lies outside of the tile."""
    tiles, first = memory(at.tiles), TILE * tile
    i, j = column + counts(tiles[first]), row + counts(tiles[first + 1])
    return i, j, (column >= counts(tiles[first + 2])) | (row >= counts(tiles[first + 3]))


def find_place(tile: int, column: Lane, row: Lane, launch: Launch) -> int:
    """Give the number of a pixel in the launch's memory, where tiles lie slot by slot and pixels row by row."""
    return total(counts((tile * launch.high + total(row)) * launch.wide + total(column)))


def add_steps(at: Any, warp: int, tile: int, launch: Launch, made: int) -> None:
    """Add what has been made for a tile to this warp's copy of the tile's tally."""
    if made != 0:
        add_at(at.tallies, find_tally(at, warp, tile, launch), made)


def add_strange(at: Any, warp: int, tile: int, launch: Launch, bad: int) -> None:
    """Count samples that are NaN."""
    if bad > 0:
        add_at(at.tallies, find_tally(at, warp, tile, launch) + 1, bad)


def find_tally(at: Any, warp: int, tile: int, launch: Launch) -> int:
    """Give the place of this warp's copy of a tile's tally; 32 bits are enough, and are what a GPU reckons with."""
    copy = counts(warp) & counts(at.copies - 1)
    return TALLY * total(multiplied(copy, counts(launch.count)) + counts(tile))


def record_start(at: Any, square: Lane) -> None:
    """Write where and when a square is begun into its record."""
    records, place = memory(at.records), total(multiplied(square, counts(RECORD)))
    records[place] = multiprocessor()
    records[place + 1] = device_clock()


def record_end(at: Any, square: Lane) -> None:
    """Write when a pixel was stored into its square's record; what the last of the square's lanes writes stays."""
    memory(at.records)[total(multiplied(square, counts(RECORD))) + 2] = device_clock()


# --- how samples are followed -----------------------------------------------------------------------------------


def begin_by_blocks(state: Any, steps: Lane, x: Lane, y: Lane, at: Any, p: Any) -> Any:
    """Follow an absorbing scene's sample from its start: state and steps where its last block begins, or at UNTIL.

    What never ends is asked only of those that are still there after the first steps. Tells whether it goes on, and
    whether its last steps are still to be made; where it ends in the first steps, they are made here.
    """
    after, open_ended = state, steps < 0
    for _ in range(FIRST):
        after = lift(step(after, p), state[0])
    if any_lane((steps <= at.limit - FIRST) & alive(after, p)):
        state, steps = after, steps + FIRST
        if at.shortcuts:
            steps = where(never_ends(x, y, p), counts(at.limit), steps)
        last = counts(min(at.limit, UNTIL) - BLOCK)
        going = steps <= last
        while any_lane(going):
            state, steps, going = make_block(state, steps, going, last, p)
        open_ended = steps < at.limit
    else:
        state, steps = further(state, steps, FIRST // 2, p, at.limit)
        state, steps = further(state, steps, FIRST // 4, p, at.limit)
        state, steps = further(state, steps, FIRST // 8, p, at.limit)
        state, steps = one_more(state, steps, p, at.limit)
    return state, steps, open_ended & (steps >= UNTIL), open_ended


def begin_by_steps(state: Any, steps: Lane, x: Lane, y: Lane, at: Any, p: Any) -> Any:
    """Follow any other scene's sample from its start."""
    end = counts(min(at.limit, UNTIL))
    while any_lane(alive(state, p) & (steps < end)):
        state, steps = lift(step(state, p), state[0]), steps + 1
    goes_on = (steps < at.limit) & alive(state, p)
    return state, steps, goes_on, goes_on


def by_blocks(state: Any, steps: Lane, mine: Any, fewest: Lane, patience: Lane, p: Any, limit: int) -> Any:
    """Make BLOCK steps at a time, for absorbing scenes, until `fewest` lanes go on or `patience` blocks are made."""
    last = counts(limit - BLOCK)
    going = mine & (steps <= last)
    active = votes(going)
    while any_lane((active > fewest) & (patience > 0)):
        state, steps, going = make_block(state, steps, going, last, p)
        active = votes(going)
        patience = patience - 1
    return state, steps, going, patience


def make_block(state: Any, steps: Lane, going: Any, last: Lane, p: Any) -> Any:
    """Make BLOCK steps. A lane that ends in them stays where they begin, and goes on no further than step `last`."""
    after = state
    for _ in range(BLOCK):
        after = lift(step(after, p), state[0])
    going = going & alive(after, p)
    state, steps = choose(going, after, state), where(going, steps + BLOCK, steps)
    return state, steps, going & (steps <= last)


def by_steps(state: Any, steps: Lane, mine: Any, fewest: Lane, patience: Lane, p: Any, limit: int) -> Any:
    """One step at a time, for all other scenes."""
    going = mine & alive(state, p) & (steps < limit)
    active = votes(going)
    while any_lane(active > fewest):
        state = choose(going, lift(step(state, p), state[0]), state)
        steps = where(going, steps + 1, steps)
        going = going & alive(state, p) & (steps < limit)
        active = votes(going)
    return state, steps, going, patience


def stay(state: Any, steps: Lane, mine: Any, fewest: Lane, patience: Lane, p: Any, limit: int) -> Any:
    """Make no steps: only absorbing scenes are followed further in the first pass."""
    return state, steps, mine, patience


def halved(state: Any, steps: Lane, p: Any, limit: int) -> Any:
    """The last steps of a sample that ends within a block, or at the limit: 16, 8, 4, 2, 1, and the ending one."""
    state, steps = further(state, steps, BLOCK // 2, p, limit)
    state, steps = further(state, steps, BLOCK // 4, p, limit)
    state, steps = further(state, steps, BLOCK // 8, p, limit)
    state, steps = further(state, steps, BLOCK // 16, p, limit)
    state, steps = further(state, steps, BLOCK // 32, p, limit)
    return one_more(state, steps, p, limit)


def one_more(state: Any, steps: Lane, p: Any, limit: int) -> Any:
    """The step that ends a sample."""
    going = alive(state, p) & (steps < limit)
    return choose(going, lift(step(state, p), state[0]), state), where(going, steps + 1, steps)


def cycles(state: Any, steps: Lane, seen: Any, looks: Lane, going: Any, limit: int) -> Any:
    """The steps, set to the limit where the state has been there before: it will come back for ever (see `driver`).

    seen, looks: the state compared with, which is renewed whenever its age doubles, and how often it was looked at.
    """
    back = going & (looks > 0) & same_bits(state, seen)
    renewed = (looks & (looks - 1)) == 0
    return where(back, limit, steps), choose(renewed, state, seen), looks + 1


def no_cycles(state: Any, steps: Lane, seen: Any, looks: Lane, going: Any, limit: int) -> Any:
    """The same for scenes whose colour inside is not flat."""
    return steps, seen, looks
