"""The driver owns the loop: it follows samples through a scene's steps, many lanes at a time, and knows no scene.

A step of the Mandelbrot set is 3 fma and 1 add, and its result is needed 8 cycles later; so a *group* of lanes is
several vectors, stepped together. Asking after each step which samples have ended would nearly double the work. For
an *absorbing* scene (once ended, always ended) BLOCK steps are made at once and the question is asked then; a lane
that has ended is put back to where the block began and stays there, since each further block ends in the same way.
Such lanes are left idle until as much is lost by it as taking them out would cost. Then their samples move to a
list, and others take their places, from a queue that runs through the rectangle patch by patch and sample by sample.
When the list fills a group, the last steps of all of them are made together, by halves of a block (8, 4, 2, 1 and the
one that ends it), up to the very step of the plain loop, and they are shaded together. A group whose lanes have all
ended needs no list.

Most samples of most pictures end within a few steps, and their neighbours with them. So a patch makes its first steps
by itself, with the question after each of them, and is shaded as it is: only what goes on after FIRST of them comes to
a group. The light of a pixel's samples waits in a *tray* until the last of its patch is there, and is
summed in order. So nothing of this can be seen in the picture: the same operations on the same numbers give the same
bits as target `python`, whichever lane they are made in.

Samples known never to end skip their steps: those of the scene's `never_ends`, and those whose state has come back
to what it was, bit for bit (Brent, BIT 20(2), 1980: the state compared with is renewed whenever its age doubles).

All that is underway stands in `at.room` and `at.notes`, so the loop may stop when its budget is spent, and go on later.
"""

from __future__ import annotations

from typing import Any

from render.kernels.refill import begin, can_begin, close_up, fill, line_up, more, take_listed, take_out
from render.kernels.resolve import finish, store
from render.kernels.room import (
    COUNTER,
    FINISHING,
    LOOK,
    of_group,
    rack,
)
from render.kernels.slots import (
    BLOCK,
    BLOCKS,
    FIRST,
    GROUPS,
    LANES,
    alive,
    choose,
    come_round,
    fetch,
    fetch_all,
    from_lane_bits,
    keep,
    keep_all,
    lane_bits,
    lift,
    memory,
    onward,
    reals,
    same_bits,
    start,
    step,
)
from render.language.primitives import Lane, any_lane, bits, from_bits, where


def paint(at: Any, p: Any) -> int:
    """Go on with the rectangle (at.x, at.y, at.width, at.height) until it is done or at.budget is spent.

    The budget counts the steps of all lanes, idle ones too, and FINISHING for each sample's end. Gives the steps of all
    samples of the pixels that were stored; at.outcome gets how many of those samples are NaN, and whether the rectangle
    is done. A budget below 0 only asks how many members the scene's state has.
    """
    room, notes = memory(at.room), memory(at.notes)
    like = lift(start(reals(0), reals(0), p), reals(0))
    if at.budget < 0:
        return len(like)
    made = spent = 0
    done = False
    while spent < at.budget and not done:
        group, ready = notes[COUNTER.turn], -1
        free = fill(room, notes, group, like)
        starts = free != 0 and can_begin(notes, at)
        if starts:
            ready = begin(room, notes, at, p, like)
            spent += FIRST * LANES
        else:
            if notes[COUNTER.held + group] != 0:
                before = notes[COUNTER.blocks + group]
                going = go_on(room, notes, group, at, p, like)
                ready = take_out(room, notes, group, going, at, like)
                spent += (notes[COUNTER.blocks + group] - before) * BLOCK * LANES
            elif notes[COUNTER.in_groups] == 0 and notes[COUNTER.listed] > 0:
                ready = take_listed(notes, like)  # the last ones, fewer than a group
            notes[COUNTER.turn] = 0 if group + 1 == GROUPS else group + 1
        if ready >= 0:
            finish(room, notes, ready, at, p, like)
            spent += FINISHING * LANES
            while notes[COUNTER.full_trays] > 0:
                made += store(room, notes, at, like)
            if notes[COUNTER.whole] == 0:
                close_up(room, notes, like)
        if starts:
            line_up(room, notes, like)
        done = notes[COUNTER.in_groups] == 0 and notes[COUNTER.listed] == 0 and not more(notes, at)
    at.outcome[1] = done
    return made


def go_on(room: Any, notes: Any, group: int, at: Any, p: Any, like: Any) -> int:
    """Blocks for all lanes of a group, until one of them ends or it is time to look for cycles.

    Gives a bit for each lane that goes on.
    """
    here = of_group(group, like)
    count_at = here + len(like) * LANES
    made, held = notes[COUNTER.blocks + group], notes[COUNTER.held + group]
    left = BLOCKS - made % BLOCKS
    state, steps = fetch_all(room, here, like), bits(fetch(room, count_at))
    state, steps, going, blocks = onward(state, steps, held, left, p, at.limit)
    keep_all(room, here, state)
    if at.shortcuts != 0 and blocks == left:
        steps = come_round(room, here + rack(like), state, steps, going, at.limit)
    keep(room, count_at, from_bits(steps))
    notes[COUNTER.blocks + group] = made + blocks
    return going


def by_blocks(state: Any, steps: Lane, held: int, most: int, p: Any, limit: int) -> Any:
    """Blocks of BLOCK steps, for absorbing scenes. Where a lane ends, or is too near the limit, it stays as it is.

    Until then the lanes go on from block to block without waiting for the answer; where the limit is near, they are
    asked for it after one. Gives the state, the steps, a bit for each lane that goes on, and the blocks made: `most` at
    most.
    """
    if any_lane(from_lane_bits(held, state[0]) & (steps > limit - most * BLOCK)):
        most = 1
    blocks = 0
    while True:
        after = state
        for _ in range(BLOCK):
            after = lift(step(after, p), state[0])
        blocks += 1
        if blocks == most or held & ~lane_bits(alive(after, p)) != 0:
            going = alive(after, p) & (steps <= limit - BLOCK)
            return choose(going, after, state), where(going, steps + BLOCK, steps), lane_bits(going), blocks
        state, steps = after, steps + BLOCK


def by_steps(state: Any, steps: Lane, held: int, most: int, p: Any, limit: int) -> Any:
    """One step, for all other scenes."""
    going = alive(state, p) & (steps < limit)
    state = choose(going, lift(step(state, p), state[0]), state)
    steps = where(going, steps + 1, steps)
    return state, steps, lane_bits(going & alive(state, p) & (steps < limit)), 1


HALVED = 16  # `halved` makes up for a block of so many steps, or of a smaller power of two


def halved(state: Any, steps: Lane, p: Any, limit: int) -> Any:
    """The last steps of samples that `by_blocks` has put back: fewer than a block, and the one that ends them."""
    state, steps = further(state, steps, BLOCK // 2, p, limit)
    state, steps = further(state, steps, BLOCK // 4, p, limit)
    state, steps = further(state, steps, BLOCK // 8, p, limit)
    state, steps = further(state, steps, BLOCK // 16, p, limit)
    going = alive(state, p) & (steps < limit)
    return choose(going, lift(step(state, p), state[0]), state), where(going, steps + 1, steps)


def further(state: Any, steps: Lane, count: int, p: Any, limit: int) -> Any:
    """So many steps, for the samples that do not end in them."""
    after = state
    for _ in range(count):
        after = lift(step(after, p), state[0])
    going = alive(after, p) & (steps <= limit - count)
    return choose(going, after, state), where(going, steps + count, steps)


def as_it_is(state: Any, steps: Lane, p: Any, limit: int) -> Any:
    """Return state and steps as they are: `by_steps` leaves nothing to make up for."""
    return state, steps


def cycles(room: Any, place: int, state: Any, steps: Lane, going: int, limit: int) -> Lane:
    """The steps, set to the limit where the state has been there before: it will come back for ever."""
    looks = (steps - 1 - FIRST) >> LOOK  # at this sample in a group, before this one
    before = fetch_all(room, place, state)
    keep_all(room, place, choose((looks & (looks - 1)) == 0, state, before))
    return where(from_lane_bits(going, state[0]) & (looks > 0) & same_bits(state, before), limit, steps)


def no_cycles(room: Any, place: int, state: Any, steps: Lane, going: int, limit: int) -> Lane:
    """The same for scenes whose colour inside is not flat, or whose steps are few: nothing is skipped."""
    return steps
