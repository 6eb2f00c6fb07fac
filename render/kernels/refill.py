"""Lanes change their samples: those that have ended are taken out, others from the queue take their places."""

from __future__ import annotations

from typing import Any

from render.kernels.room import (
    COUNTER,
    IN_TRAY,
    TRAY,
    corner,
    here,
    of_fresh,
    of_group,
    of_list,
    of_tray_counter,
    patches,
)
from render.kernels.slots import (
    FIRST,
    LANES,
    MOVING,
    TAKING,
    alive,
    choose,
    fetch,
    keep,
    keep_all,
    lane_bits,
    lane_numbers,
    lift,
    mask,
    never_ends,
    ones,
    pack,
    reals,
    spread,
    start,
    starting,
    step,
)
from render.language.primitives import Lane, any_lane, bits, from_bits, where
from render.sampling import position


def take_out(room: Any, notes: Any, group: int, going: int, at: Any, like: Any) -> int:
    """Take ended samples out of a group, if all have ended or the idle lanes have cost as much as that will cost.

    Gives the rack that is now ready to be finished: the group's own, or a full list; -1 if neither is.
    """
    held = notes[COUNTER.held + group]
    ended = held & ~going
    if ended == 0:
        return -1
    if ended == held:
        if notes[COUNTER.alike + group] != 0:
            return whole_group(notes, group, like)
    else:
        notes[COUNTER.lost + group] += LANES - ones(held & going)
        if notes[COUNTER.lost + group] < TAKING + MOVING * ones(ended) or not more(notes, at):
            return -1
    notes[COUNTER.lost + group] = 0
    notes[COUNTER.alike + group] = 0
    notes[COUNTER.held + group] = held & ~ended
    notes[COUNTER.in_groups] -= ones(ended)
    pack(room, of_group(group, like), ended, of_list(like) + notes[COUNTER.listed], 2 * LANES, like)
    notes[COUNTER.listed] += ones(ended)
    return take_listed(notes, like) if notes[COUNTER.listed] >= LANES else -1


def whole_group(notes: Any, group: int, like: Any) -> int:
    """A group that was filled with one sample of each pixel of a patch and has ended as a whole."""
    notes[COUNTER.held + group] = 0
    notes[COUNTER.in_groups] -= LANES
    notes[COUNTER.ready] = lane_bits(mask(True))
    notes[COUNTER.whole] = 1
    return of_group(group, like)


def take_listed(notes: Any, like: Any) -> int:
    """Give the list away: as many of its samples as a rack has lanes, or all."""
    notes[COUNTER.ready] = lane_bits(lane_numbers() < notes[COUNTER.listed])
    notes[COUNTER.whole] = 0
    return of_list(like)


def close_up(room: Any, notes: Any, like: Any) -> None:
    """Take those that were given away off the list: what is behind them moves up."""
    notes[COUNTER.listed] -= ones(notes[COUNTER.ready])
    if notes[COUNTER.listed] > 0:
        for row in range(len(like) + 2):
            place = of_list(like) + row * (2 * LANES)
            keep(room, place, fetch(room, place + LANES))


def fill(room: Any, notes: Any, group: int, like: Any) -> int:
    """Give a group's free lanes samples of the fresh rack, as far as there are any. Gives the lanes still free."""
    free = ~notes[COUNTER.held + group] & lane_bits(mask(True))
    waiting = notes[COUNTER.fresh] - notes[COUNTER.used]
    if free == 0 or waiting == 0:
        return free
    notes[COUNTER.alike + group] = waiting == LANES and notes[COUNTER.held + group] == 0
    spread(room, of_fresh(like) + notes[COUNTER.used], of_group(group, like), free, like)
    left, count = 0, ones(free)
    if waiting < count:
        left = free
        for _ in range(waiting):
            left &= left - 1
        count = waiting
    notes[COUNTER.held + group] |= free & ~left
    notes[COUNTER.in_groups] += count
    notes[COUNTER.used] += count
    return left


def can_begin(notes: Any, at: Any) -> bool:
    """Test whether the next patch can start: there is one, a tray for it, and the fresh rack is free."""
    return (
        notes[COUNTER.used] == notes[COUNTER.fresh]
        and notes[COUNTER.next_patch] < patches(at)
        and (notes[COUNTER.next_sample] > 0 or notes[COUNTER.free_trays] > 0)
    )


def begin(room: Any, notes: Any, at: Any, p: Any, like: Any) -> int:
    """Start the next sample of each pixel of the next patch, on the fresh rack, and make their first steps.

    Gives the rack if some of them have ended so soon; -1 if none has.
    """
    s = notes[COUNTER.next_sample]
    if s == 0:
        notes[COUNTER.free_trays] -= 1
        notes[COUNTER.next_tray] = notes[of_tray_counter(TRAY.free, notes[COUNTER.free_trays])]
        notes[of_tray_counter(TRAY.patch, notes[COUNTER.next_tray])] = notes[COUNTER.next_patch]
        notes[of_tray_counter(TRAY.pending, notes[COUNTER.next_tray])] = at.samples * LANES
    right, down = corner(notes[COUNTER.next_patch], at)
    i, j, inside = here(right, down, at)
    across, below = reals(at.offsets[2 * s]), reals(at.offsets[2 * s + 1])
    x, y = position(i, j, across, below, at.x0, at.y0, at.pitch, at.half_width, at.half_height)
    never = ~inside
    if at.shortcuts != 0:
        never = never | never_ends(x, y, p)
    state, steps, going = starting(notes, lift(start(x, y, p), x), where(never, at.limit, bits(reals(0))), p, at.limit)
    place = of_fresh(like)
    keep_all(room, place, state)
    keep(room, place + len(like) * LANES, from_bits(steps))
    number = (notes[COUNTER.next_tray] << IN_TRAY) + s * LANES
    keep(room, place + (len(like) + 1) * LANES, from_bits(lane_numbers() + number))
    last = s + 1 == at.samples
    notes[COUNTER.next_sample] = 0 if last else s + 1
    notes[COUNTER.next_patch] += last
    notes[COUNTER.going] = going
    notes[COUNTER.ready] = ~going & lane_bits(mask(True))
    notes[COUNTER.whole] = 1
    return place if notes[COUNTER.ready] != 0 else -1


def step_patch(notes: Any, state: Any, steps: Lane, p: Any, limit: int) -> Any:
    """FIRST steps for absorbing scenes, each lane as far as it goes: where a patch ends at once, no step is in vain.

    Gives the state, the steps, and a bit for each lane that goes on.
    """
    made, some = 0, True
    while made < FIRST and some:
        going = alive(state, p) & (steps < limit)  # anew each time: carried on, all of it would wait for its last part
        state = choose(going, lift(step(state, p), state[0]), state)
        steps = where(going, steps + 1, steps)
        some = any_lane(going)
        made += 1
    notes[COUNTER.first_steps] += made
    return state, steps, lane_bits(alive(state, p) & (steps < limit))


def leave_to_groups(notes: Any, state: Any, steps: Lane, p: Any, limit: int) -> Any:
    """The same for all other scenes: no step yet, and all go on."""
    return state, steps, lane_bits(mask(True))


def line_up(room: Any, notes: Any, like: Any) -> None:
    """Put the samples of the fresh rack that go on side by side, to be given to groups."""
    going = notes[COUNTER.going]
    notes[COUNTER.used] = 0
    notes[COUNTER.fresh] = ones(going)
    if notes[COUNTER.fresh] < LANES and going != 0:
        pack(room, of_fresh(like), going, of_fresh(like), LANES, like)


def more(notes: Any, at: Any) -> bool:
    """Test whether any sample could still take a lane."""
    return notes[COUNTER.used] < notes[COUNTER.fresh] or notes[COUNTER.next_patch] < patches(at)
