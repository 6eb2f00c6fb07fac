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

from render.kernels.launch import QUEUE
from render.kernels.scalar import begun, levels, light, marked, put, strange
from render.kernels.slots import (
    add_at,
    alive,
    before,
    choose,
    counts,
    divided,
    from_first,
    lane_number,
    lift,
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

SQUARE = 32  # pixels: 8 x 4
BLOCK = 16  # steps between two votes
# How many blocks of single lanes may be lost before a warp takes others in: what the model in benchmarks/card.py finds
# good. Half as many blocks, and so as many looks for cycles, are 1440 steps, a multiple of most short periods.
LOSS = 180


def paint_queue(at: Any, p: Any, x: int, y: int, width: int, height: int) -> tuple[int, int]:
    """Paint pixels of the launch's rectangle until its queue is empty, as one lane of a warp.

    Gives the steps that this lane made and the number of its samples that are NaN.
    """
    across = (width + 7) >> 3
    end = counts(SQUARE * across * ((height + 3) >> 2))
    number = column = row = following = left = s = steps = counts(0)
    state = seen = lift(start(reals(0), reals(0), p), reals(0))
    looks = counts(0)
    red = green = blue = reals(0)
    made = bad = 0
    having = counts(1)
    wanting = ended = having > 0
    while any_lane(having > 0):
        # Lanes without a pixel take one; squares at the right and lower edge have some outside of the rectangle.
        while any_lane(votes(wanting) > 0):
            number, following, left = taken(wanting, number, following, left, at)
            column, row = place_of(number, counts(across))
            wanting = wanting & (number < end) & ((column >= width) | (row >= height))
        mine = number < end
        # Lanes whose sample has ended begin the next, of the same pixel or of a new one; then all are stepped.
        if any_lane(ended & mine):
            state, steps = begun(real_count(column + x, red), real_count(row + y, red), total(s), at, p)
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
            bad += strange(r, g, b)
            made += total(steps)
            red, green, blue = red + clamped(r), green + clamped(g), blue + clamped(b)
            s = s + 1
        wanting = ended & (s >= at.samples)
        if any_lane(wanting):
            reds, greens, blues = levels((red, green, blue), at)
            counted = unpack(marked(state, steps, p))
            put(at, total(row) * width + total(column), 0, unpack(reds), unpack(greens), unpack(blues), counted)
            red = green = blue = reals(0)
            s = counts(0)
    return made, bad


def taken(wanting: Any, number: Lane, following: Lane, left: Lane, at: Any) -> tuple[Lane, Lane, Lane]:
    """A pixel's number for each lane that wants one, in order; and what is left of the warp's square afterwards.

    following, left: the next number of the square, and how many there are.
    """
    need, rank = votes(wanting), before(wanting)
    square = following
    if any_lane(need > left):
        first = counts(0)
        if any_lane(lane_number() == 0):
            first = counts(add_at(at.outcome, QUEUE, 1))
        square = from_first(first) << 5
    number = where(wanting, where(rank < left, following + rank, square + (rank - left)), number)
    following = where(need > left, square + (need - left), following + need)
    return number, following, where(need > left, left + SQUARE - need, left - need)


def place_of(number: Lane, across: Lane) -> tuple[Lane, Lane]:
    """Column and row of a pixel: so many squares of 8 x 4 are in a row, numbered line by line as their pixels are."""
    line, square = divided(number >> 5, across)
    return (square << 3) + (number & 7), (line << 2) + ((number >> 3) & 3)


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
