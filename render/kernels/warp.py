"""A warp of a graphics card: 32 lanes, each a thread of its own, that take their pixels from one queue.

The lanes of a warp are stepped together whether they have ended or not, so a warp is as slow as its slowest sample,
unless a lane that has ended goes on with another one. Here each lane follows the samples of one pixel, one after the
other, sums their light in order, and then takes the next pixel. Squares of 8 x 4 neighbours, which end at similar
steps, are handed to the warps of all blocks by one counter of the launch; a warp deals its square out to those of its
lanes that want a pixel. They agree on who takes which by voting, so no lane waits at a lock, and no warp has less to
do than another.

For an absorbing scene BLOCK steps are made between two votes. What follows a sample's end is made by the whole warp
whether one lane needs it or all: the last steps by halves (`driver.halved`), the shading, the start of another sample.
So ended lanes wait until about as much is lost by it as that costs. None of it can be seen in the picture: each lane's
arithmetic is that of the plain loop.

In numba's simulator a warp has one lane.
"""

from __future__ import annotations

from typing import Any

from render.kernels.launch import RECORD, SQUARE, TAKEN, TALLY, TILE, copies
from render.kernels.scalar import begun, levels, light, marked, put, strange
from render.kernels.slots import (
    add_at,
    alive,
    before,
    choose,
    counts,
    device_clock,
    divided,
    from_first,
    lane_number,
    lift,
    memory,
    multiprocessor,
    real_count,
    reals,
    repeating,
    same_bits,
    settled,
    start,
    step,
    stepping,
    total,
    unpack,
    votes,
)
from render.language.primitives import Lane, any_lane, where
from render.sampling import clamped

BLOCK = 16  # steps between two votes
# How many blocks of single lanes may be lost before a warp takes others in: what the model in benchmarks/card.py finds
# good. Half as many blocks, and so as many looks for cycles, are 1440 steps, a multiple of most short periods.
LOSS = 180


def paint_tiles(at: Any, p: Any, block: int, count: int, wide: int, high: int) -> None:
    """Paint squares of the launch's tiles until all have been taken, as one lane of a warp of this thread block.

    There are so many tiles in the table, and each has a slot of wide x high pixels (`launch`).
    """
    across = (wide + 7) >> 3
    squares = across * ((high + 3) >> 2)  # of a slot
    every = count * squares
    end = counts(SQUARE * every)
    copy = block % copies(count)
    tiles, records = memory(at.tiles), memory(at.records)
    number = tile = i = j = following = left = s = steps = counts(0)
    state = seen = lift(start(reals(0), reals(0), p), reals(0))
    looks = counts(0)
    red = green = blue = reals(0)
    made = place = 0
    having = counts(1)
    wanting = ended = having > 0
    while any_lane(having > 0):
        # Lanes without a pixel take one; squares at a tile's right and lower edge have some outside of it.
        while any_lane(votes(wanting) > 0):
            number, following, left = take(wanting, number, following, left, every, at)
            before_it = tile
            slot, column, row = place_of(number, counts(squares), counts(across))
            tile = where(number < end, slot, tile)
            if any_lane(tile != before_it):
                add_steps(at, before_it, copy, count, made)
                made = 0
            first = TILE * total(tile)
            i, j = column + counts(tiles[first]), row + counts(tiles[first + 1])
            place = (total(tile) * high + total(row)) * wide + total(column)
            outside = (column >= counts(tiles[first + 2])) | (row >= counts(tiles[first + 3]))
            wanting = wanting & (number < end) & outside
        mine = number < end
        # Lanes whose sample has ended begin the next, of the same pixel or of a new one; then all are stepped.
        if any_lane(ended & mine):
            state, steps = begun(real_count(i, red), real_count(j, red), total(s), at, p)
            looks = counts(0)
        having = votes(mine)
        state, steps, going = stepping(state, steps, mine, having, p, at.limit)
        if at.shortcuts:
            steps, seen, looks = repeating(state, steps, seen, looks, going, at.limit)
        # Lanes that have ended make their last steps and add their light, and after a pixel's last sample store it.
        ended = mine & ~going
        if any_lane(ended):
            if any_lane(steps < at.limit):
                state, steps = settled(state, steps, p, at.limit)
            r, g, b = light(state, steps, p)
            if strange(r, g, b):
                add_at(at.tallies, TALLY * (copy * count + total(tile)) + 1, 1)
            made += total(steps)
            red, green, blue = red + clamped(r), green + clamped(g), blue + clamped(b)
            s = s + 1
        wanting = ended & (s >= at.samples)
        if any_lane(wanting):
            reds, greens, blues = levels((red, green, blue), at)
            counted = unpack(marked(state, steps, p))
            put(at, place, 0, unpack(reds), unpack(greens), unpack(blues), counted)
            records[RECORD * total(number >> 5) + 2] = device_clock()  # the last of the square's lanes to come here stays
            red = green = blue = reals(0)
            s = counts(0)
    add_steps(at, tile, copy, count, made)


def add_steps(at: Any, tile: Lane, copy: int, count: int, made: int) -> None:
    """Add what a lane has made for a tile to this copy of the tile's tally."""
    if made > 0:
        add_at(at.tallies, TALLY * (copy * count + total(tile)), made)


def take(wanting: Any, number: Lane, following: Lane, left: Lane, every: int, at: Any) -> tuple[Lane, Lane, Lane]:
    """Give each lane that wants one a pixel's number, in order; and what is left of the warp's square afterwards.

    following, left: the next number of the square, and how many there are. every: how many squares the launch has. The
    record of a square that is taken says by whom and when.
    """
    need, rank = votes(wanting), before(wanting)
    square = following
    if any_lane(need > left):
        first = counts(0)
        if any_lane(lane_number() == 0):
            fresh = add_at(at.counters, TAKEN, 1)
            first = counts(fresh)
            if fresh < every:
                records = memory(at.records)
                records[RECORD * fresh] = multiprocessor()
                records[RECORD * fresh + 1] = device_clock()
        square = from_first(first) << 5
    number = where(wanting, where(rank < left, following + rank, square + (rank - left)), number)
    following = where(need > left, square + (need - left), following + need)
    return number, following, where(need > left, left + SQUARE - need, left - need)


def place_of(number: Lane, squares: Lane, across: Lane) -> tuple[Lane, Lane, Lane]:
    """Tile, and column and row in it, of a pixel: slots have so many squares, and so many of them in a row."""
    tile, within = divided(number >> 5, squares)
    line, square = divided(within, across)
    return tile, (square << 3) + (number & 7), (line << 2) + ((number >> 3) & 3)


def by_blocks(state: Any, steps: Lane, mine: Any, having: Lane, p: Any, limit: int) -> Any:
    """BLOCK steps at a time, for absorbing scenes, until all that the warp has have ended, or enough is lost.

    Half of LOSS blocks in which nothing was lost are enough too, since `cycles` looks at the states afterwards. A lane
    that ends in a block, or is too near the limit, stays where the block began.
    """
    last = counts(limit - BLOCK)
    going = mine & (steps <= last)
    active = votes(going)
    patience = counts(LOSS)
    while any_lane((active > 0) & (patience > 0)):
        after = state
        for _ in range(BLOCK):
            after = lift(step(after, p), state[0])
        going = going & alive(after, p)
        state, steps = choose(going, after, state), where(going, steps + BLOCK, steps)
        going = going & (steps <= last)
        active = votes(going)
        patience = patience - having + active - 2
    return state, steps, going


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


def by_steps(state: Any, steps: Lane, mine: Any, having: Lane, p: Any, limit: int) -> Any:
    """One step at a time, for all other scenes, until all have ended."""
    going = mine & alive(state, p) & (steps < limit)
    while any_lane(votes(going) > 0):
        state = choose(going, lift(step(state, p), state[0]), state)
        steps = where(going, steps + 1, steps)
        going = going & alive(state, p) & (steps < limit)
    return state, steps, going
