"""Lanes change their samples: those that have ended are taken out, others from the queue take their places."""

from __future__ import annotations

from typing import Any

from render.kernels.room import (
    COUNTER,
    IN_TRAY,
    TRAY,
    corner,
    here,
    move,
    of_group,
    of_list,
    of_tray_counter,
    patches,
)
from render.kernels.slots import (
    LANES,
    MOVING,
    TAKING,
    first_one,
    keep,
    keep_all,
    lane_bits,
    lane_numbers,
    lift,
    mask,
    never_ends,
    ones,
    reals,
    start,
)
from render.language.primitives import bits, from_bits, where
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
    entry, first = notes[COUNTER.listed], notes[COUNTER.first_list]
    while ended != 0:
        move(room, of_group(group, like) + first_one(ended), of_entry(first, entry, like), like)
        entry += 1
        ended &= ended - 1
    notes[COUNTER.listed] = entry
    return take_listed(notes, like) if notes[COUNTER.listed] >= LANES else -1


def whole_group(notes: Any, group: int, like: Any) -> int:
    """A group that was filled with one sample of each pixel of a patch and has ended as a whole."""
    notes[COUNTER.held + group] = 0
    notes[COUNTER.in_groups] -= LANES
    notes[COUNTER.ready] = LANES
    notes[COUNTER.whole] = 1
    return of_group(group, like)


def of_entry(first: int, entry: int, like: Any) -> int:
    """Choose an ended sample's place: the second list takes what the first has no room for."""
    return of_list(first if entry < LANES else 1 - first, like) + (entry & (LANES - 1))


def take_listed(notes: Any, like: Any) -> int:
    """Give the first list away as it is; the second becomes the first."""
    number = notes[COUNTER.first_list]
    notes[COUNTER.ready] = notes[COUNTER.listed] if notes[COUNTER.listed] < LANES else LANES
    notes[COUNTER.whole] = 0
    notes[COUNTER.listed] -= notes[COUNTER.ready]
    notes[COUNTER.first_list] = 1 - number
    return of_list(number, like)


def fill(room: Any, notes: Any, group: int, at: Any, p: Any, like: Any) -> None:
    """Give a group's free lanes new samples: to an empty group a patch as a whole, to others one by one."""
    fresh = of_list(2, like)
    free = ~notes[COUNTER.held + group] & lane_bits(mask(True))
    while free != 0:
        if notes[COUNTER.used] == LANES:
            whole = notes[COUNTER.held + group] == 0
            if not begin(room, notes, of_group(group, like) if whole else fresh, at, p, like):
                return
            if whole:
                notes[COUNTER.held + group] = free
                notes[COUNTER.in_groups] += LANES
                notes[COUNTER.alike + group] = 1
                notes[COUNTER.lost + group] = 0
                return
            notes[COUNTER.used] = 0
        used, still = notes[COUNTER.used], free  # in registers: memory would be waited for, lane by lane
        while still != 0 and used < LANES:
            move(room, fresh + used, of_group(group, like) + first_one(still), like)
            still &= still - 1
            used += 1
        notes[COUNTER.in_groups] += used - notes[COUNTER.used]
        notes[COUNTER.held + group] |= free & ~still
        notes[COUNTER.alike + group] = 0
        notes[COUNTER.used] = used
        free = still


def begin(room: Any, notes: Any, place: int, at: Any, p: Any, like: Any) -> bool:
    """Start the next sample of each pixel of the next patch, in a rack. False if there is none, or no tray for it."""
    s = notes[COUNTER.next_sample]
    if notes[COUNTER.next_patch] == patches(at) or (s == 0 and notes[COUNTER.free_trays] == 0):
        return False
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
    keep_all(room, place, lift(start(x, y, p), x))
    keep(room, place + len(like) * LANES, from_bits(where(never, at.limit, bits(reals(0)))))
    number = (notes[COUNTER.next_tray] << IN_TRAY) + s * LANES
    keep(room, place + (len(like) + 1) * LANES, from_bits(lane_numbers() + number))
    last = s + 1 == at.samples
    notes[COUNTER.next_sample] = 0 if last else s + 1
    notes[COUNTER.next_patch] += last
    return True


def more(notes: Any, at: Any) -> bool:
    """Test whether any sample has not started yet."""
    return notes[COUNTER.used] < LANES or notes[COUNTER.next_patch] < patches(at)
