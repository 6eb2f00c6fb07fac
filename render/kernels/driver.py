"""The driver owns the loop: it follows samples through a scene's steps, many lanes at a time, and knows no scene.

A step of the Mandelbrot set is 3 fma and 1 add, and its result is needed 8 cycles later; so a *group* of lanes is
several vectors, stepped together. Asking after each step which samples have ended would nearly double the work. For
an *absorbing* scene (once ended, always ended) BLOCK steps are made at once and the question is asked then; a lane
that has ended is put back to where the block began and stays there, since each further block ends in the same way.
Such lanes are left idle until as much is lost by it as taking them out would cost. Then their samples move to a
list, and others take their places, from a queue that runs through the rectangle patch by patch and sample by sample.
When the list fills a group, the last steps of all of them are made together, by halves of a block (8, 4, 2, 1 and the
one that ends it), up to the very step of the plain loop, and they are shaded together. A group whose lanes have all
ended needs no list. The light of a pixel's samples waits in a *tray* until the last of its patch is there, and is
summed in order. So nothing of this can be seen in the picture: the same operations on the same numbers give the same
bits as target `python`, whichever lane they are made in.

Samples known never to end skip their steps: those of the scene's `never_ends`, and those whose state has come back
to what it was, bit for bit (Brent, BIT 20(2), 1980: the state compared with is renewed whenever its age doubles).

All that is underway stands in `at.room` and `at.notes`, so the loop may stop when its budget is spent, and go on later.
"""

from __future__ import annotations

from typing import Any

from render.kernels.refill import fill, more, take_listed, take_out
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
from render.language.primitives import Lane, bits, from_bits, where


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
        looking = at.shortcuts != 0 and (notes[COUNTER.rounds] + 1) * BLOCK % (1 << LOOK) == 0
        notes[COUNTER.rounds] += 1
        for group in range(GROUPS):
            ready = -1
            if notes[COUNTER.held + group] != 0:
                going = go_on(room, group, at.limit, looking, p, like)
                ready = take_out(room, notes, group, going, at, like)
                spent += BLOCK * LANES
            elif notes[COUNTER.in_groups] == 0 and notes[COUNTER.listed] > 0:
                ready = take_listed(notes, like)  # the last ones, fewer than a group
            if ready >= 0:
                finish(room, notes, ready, at, p, like)
                spent += FINISHING * LANES
                while notes[COUNTER.full_trays] > 0:
                    made += store(room, notes, at, like)
            fill(room, notes, group, at, p, like)
        done = notes[COUNTER.in_groups] == 0 and notes[COUNTER.listed] == 0 and not more(notes, at)
    at.outcome[1] = done
    return made


def go_on(room: Any, group: int, limit: int, looking: bool, p: Any, like: Any) -> int:
    """One block for all lanes of a group. Tells, a bit for each, which of them go on."""
    here = of_group(group, like)
    count_at = here + len(like) * LANES
    state, steps, going = onward(room, here, count_at, p, limit, like)
    keep_all(room, here, state)
    if looking:
        steps = come_round(room, here + rack(like), state, steps, going, limit)
    keep(room, count_at, from_bits(steps))
    return going


def by_blocks(room: Any, here: int, count_at: int, p: Any, limit: int, like: Any) -> Any:
    """BLOCK steps, for absorbing scenes. A lane that ends in them, or is too near the limit, stays where it is."""
    after = fetch_all(room, here, like)
    for _ in range(BLOCK):
        after = lift(step(after, p), like[0])
    living = alive(after, p)
    steps = bits(fetch(room, count_at))
    going = living & (steps <= limit - BLOCK)
    return choose(going, after, fetch_all(room, here, like)), where(going, steps + BLOCK, steps), lane_bits(going)


def by_steps(room: Any, here: int, count_at: int, p: Any, limit: int, like: Any) -> Any:
    """One step, for all other scenes."""
    state, steps = fetch_all(room, here, like), bits(fetch(room, count_at))
    going = alive(state, p) & (steps < limit)
    state = choose(going, lift(step(state, p), like[0]), state)
    steps = where(going, steps + 1, steps)
    return state, steps, lane_bits(going & alive(state, p) & (steps < limit))


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
    looks = (steps - 1) >> LOOK  # at this sample, before this one
    before = fetch_all(room, place, state)
    keep_all(room, place, choose((looks & (looks - 1)) == 0, state, before))
    return where(from_lane_bits(going, state[0]) & (looks > 0) & same_bits(state, before), limit, steps)


def no_cycles(room: Any, place: int, state: Any, steps: Lane, going: int, limit: int) -> Lane:
    """The same for scenes whose colour inside is not flat, or whose steps are few: nothing is skipped."""
    return steps
