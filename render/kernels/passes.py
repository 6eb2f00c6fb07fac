"""The two passes over a launch's tiles, as one lane of a warp makes them (`warp` says why two, and how they step)."""

from __future__ import annotations

from typing import Any

from render.kernels.launch import LIST_ENTRY, LISTED, MEMBERS, SQUARE, TAKEN
from render.kernels.scalar import begun, find_point, levels, light, marked, put, strange
from render.kernels.slots import (
    add_at,
    before,
    beginning,
    counts,
    fetch_apart,
    following,
    from_first,
    keep_apart,
    lane_number,
    lift,
    memory,
    multiplied,
    real_count,
    reals,
    repeating,
    settled,
    start,
    stepping,
    total,
    unpack,
    votes,
    warp_lanes,
    warp_sum,
)
from render.kernels.warp import (
    LOOK,
    Launch,
    add_steps,
    add_strange,
    find_pixel,
    find_place,
    place_of,
    record_end,
    record_start,
)
from render.language.primitives import Lane, any_lane, where
from render.sampling import clamped

FIRST_PASS, SECOND_PASS = 0, 1
SUMMED = 1 << 26  # steps of a pixel that are too many for 32 lanes to sum in 32 bits


def paint_tiles(
    at: Any, p: Any, stage: int, right: int, down: int, tile: int, count: int, wide: int, high: int
) -> None:
    """Make one pass, as one lane of a warp; there are so many tiles, each with a slot of wide x high pixels.

    In the first pass the warp has one square: so many to the right and down in a tile's slot. In the second it has
    none: it is number `right` of `down` warps.
    """
    across, lines = (counts(wide) + 7) >> 3, (counts(high) + 3) >> 2  # 32 bits: a GPU reckons fastest with them
    launch = Launch(count, wide, high, total(across), total(multiplied(across, lines)))
    if stage == SECOND_PASS:
        finish_listed(at, p, right, down, launch)
    elif any_lane((counts(tile) < count) & (counts(right) < across) & (counts(down) < lines)):
        line = multiplied(counts(tile), lines) + counts(down)
        square = multiplied(line, across) + counts(right)
        for turn in range(SQUARE // warp_lanes()):
            begin_pixel(at, p, square, warp_lanes() * turn, right, down, tile, launch)


def begin_pixel(at: Any, p: Any, square: Lane, first: int, right: int, down: int, tile: int, launch: Launch) -> None:
    """Follow this lane's pixel, sample by sample with its warp, until one takes long; then list it, else store it."""
    number = lane_number() + first
    column, row = counts(right << 3) + (number & 7), counts(down << 2) + (number >> 3)
    i, j, outside = find_pixel(at, tile, column, row)
    if any_lane(~outside & (number == 0)):
        record_start(at, square)
    waits = late = counts(0) > 0
    state = lift(start(reals(0), reals(0), p), reals(0))
    red = green = blue = reals(0)
    steps = s = bad = waited = counts(0)
    made = 0
    going, more = ~outside, counts(1)
    while any_lane(more > 0):  # once for each sample
        on = counts(0) > 0
        if any_lane(going):
            x, y = find_point(real_count(i, red), real_count(j, red), total(s), at)
            state, steps, on, late = beginning(lift(start(x, y, p), x), counts(0), x, y, at, p)
        many = votes(on)
        waited = waited + many
        state, steps, on = follow_on(at, p, state, steps, on, many)
        waits, going = waits | on, going & ~on
        if any_lane(going):
            if any_lane(late):
                state, steps = settled(state, steps, p, at.limit)
            r, g, b = light(state, steps, p)
            if strange(r, g, b):
                bad = bad + 1
            made += total(steps)
            red, green, blue = add_light((red, green, blue), r, g, b, at)
            s = s + 1
        more = counts(0)
        if at.samples > 1:  # no loop where one is a constant
            going = going & (s < at.samples)
            more = votes(going)
    if any_lane(~outside & ~waits):
        store(at, p, find_place(tile, column, row, launch), state, steps, (red, green, blue))
        record_end(at, square)
    if any_lane(waited > 0):
        kept = list_pixel(at, waits, (square << 5) + number, s, state, steps, (red, green, blue))
        if any_lane(waits & ~kept):  # it is followed anew
            made, bad = 0, counts(0)
    add_strange(at, total(square), tile, launch, total(bad))
    add_together(at, total(square), tile, launch, made)


def follow_on(at: Any, p: Any, state: Any, steps: Lane, on: Any, many: Lane) -> Any:
    """Follow the samples of `many` lanes further while more than half of a warp go on, if the list is long enough."""
    half = counts(warp_lanes() >> 1)
    if any_lane(many > half) and count_listed(at) >= at.enough:
        state, steps, on, _ = following(state, steps, on, half, counts(LOOK), p, at.limit)
    return state, steps, on


def add_together(at: Any, warp: int, tile: int, launch: Launch, made: int) -> None:
    """Add what the lanes of a warp have made for a tile to its tally."""
    if at.samples * at.limit >= SUMMED:
        add_steps(at, warp, tile, launch, made)
    else:
        made = total(warp_sum(counts(made)))
        if any_lane(lane_number() == 0):
            add_steps(at, warp, tile, launch, made)


def add_light(sums: Any, r: Lane, g: Lane, b: Lane, at: Any) -> Any:
    """Add a sample's light to the sums of its pixel, which are 0 before its first; one sample is its pixel's sum."""
    r, g, b = clamped(r), clamped(g), clamped(b)
    if at.samples > 1:
        r, g, b = sums[0] + r, sums[1] + g, sums[2] + b
    return r, g, b


def store(at: Any, p: Any, place: int, state: Any, steps: Lane, sums: Any) -> None:
    """Write a pixel from the sums of its samples' light, and the steps of the last of them."""
    reds, greens, blues = levels(sums, at)
    put(at, place, 0, unpack(reds), unpack(greens), unpack(blues), unpack(marked(state, steps, p)))


def take_numbers(at: Any, counter: int, wanting: Any) -> tuple[Lane, Lane]:
    """Count on for each lane that wants it, all lanes together: its own number, and the first that is left."""
    first, need = counts(0), votes(wanting)
    if any_lane(lane_number() == 0):
        first = counts(add_at(at.counters, counter, total(need)))
    first = from_first(first)
    return first + before(wanting), first + need


def count_listed(at: Any) -> int:
    """Count the pixels that stand in the list now, the same for all lanes."""
    listed = counts(0)
    if any_lane(lane_number() == 0):
        listed = counts(add_at(at.counters, LISTED, 0))
    return total(from_first(listed))


def list_pixel(at: Any, waits: Any, number: Lane, s: Lane, state: Any, steps: Lane, sums: Any) -> Any:
    """List the pixels of the lanes that wait, with what their samples have come to. Tells for which there was room.

    All stand in the list with their numbers, but what they have come to is kept for so many only as have room.
    """
    entry, _ = take_numbers(at, LISTED, waits)
    place, room, apart = total(entry), memory(at.room), row_length(at, len(state))
    kept = entry < counts(apart)
    if any_lane(waits):
        waiting = memory(at.waiting)
        waiting[LIST_ENTRY * place] = unpack(number)[0]
        waiting[LIST_ENTRY * place + 1] = unpack(steps)[0]
        if any_lane(kept):
            keep_apart(room, place, apart, state)
            if at.samples > 1:
                waiting[LIST_ENTRY * place + 2] = unpack(s)[0]
                keep_apart(room, place + len(state) * apart, apart, sums)
    return kept


def row_length(at: Any, members: int) -> int:
    """The pixels that the list has room for: each member of their states, and each sum, stands in a row of its own."""
    rows: int = at.stride if members + 3 <= MEMBERS else at.stride * MEMBERS // (members + 3)
    return rows


def finish_listed(at: Any, p: Any, warp: int, warps: int, launch: Launch) -> None:
    """Take pixels from the list until it is empty, and follow their samples to the end.

    The first are each warp's own by its number, so that none waits to count, and a short list is shared out evenly.
    """
    waiting, room = memory(at.waiting), memory(at.room)
    state = seen = lift(start(reals(0), reals(0), p), reals(0))
    apart, listed = row_length(at, len(state)), counts(memory(at.counters)[LISTED])
    number = s = steps = looks = counts(0)
    red = green = blue = reals(0)
    made = bad = 0
    patience = counts(LOOK)
    left, fresh = listed - counts(warp_lanes() * warp), counts(1)
    mine = starting = counts(0) > 0
    having = counts(1)
    while any_lane(having > 0):
        # Lanes without a pixel take one from the list, as it stands there or, where it had no room, from its start.
        if any_lane((votes(mine) < warp_lanes()) & (left > 0)):
            entry, left = take_entries(at, ~mine, fresh, listed, warp, warps)
            fresh = counts(0)
            if any_lane(~mine & (entry < listed)):
                place = total(entry)
                number, steps = counts(waiting[LIST_ENTRY * place]), counts(waiting[LIST_ENTRY * place + 1])
                starting, looks = entry >= counts(apart), counts(1)  # it has been seen in this state
                if any_lane(~starting):
                    state = seen = fetch_apart(room, place, apart, state)
                    if at.samples > 1:
                        red, green, blue = fetch_apart(room, place + len(state) * apart, apart, (red, green, blue))
                        s = counts(waiting[LIST_ENTRY * place + 2])
                mine = counts(0) == 0
        if any_lane(mine & starting):
            state, steps = begin_listed(at, p, number, s, launch, red)
            looks = counts(0)
        having = votes(mine)
        fewest = where(left > 0, counts(warp_lanes() >> 1), counts(0))
        state, steps, going, patience = stepping(state, steps, mine, fewest, patience, p, at.limit)
        if any_lane(patience <= 0):
            if at.shortcuts:
                steps, seen, looks = repeating(state, steps, seen, looks, going, at.limit)
            patience = counts(LOOK)
        # Lanes that have ended make their last steps and add their light, and after a pixel's last sample store it.
        starting = mine & ~going
        if any_lane(starting):
            if any_lane(steps < at.limit):
                state, steps = settled(state, steps, p, at.limit)
            r, g, b = light(state, steps, p)
            bad += strange(r, g, b)
            made += total(steps)
            red, green, blue = add_light((red, green, blue), r, g, b, at)
            s = s + 1
            if any_lane(s >= at.samples):
                store_listed(at, p, number, state, steps, (red, green, blue), warp, made, bad, launch)
                s = counts(0)  # here, not where a pixel is taken: with one sample they are seen to be 0 all the time
                red = green = blue = reals(0)
                made = bad = 0
                mine = counts(0) > 0


def take_entries(at: Any, wanting: Any, fresh: Lane, listed: Lane, warp: int, warps: int) -> tuple[Lane, Lane]:
    """Give each lane that wants one its entry of the list, and how many are left for others to take."""
    shared = counts(warp_lanes() * warps)
    entry, left = counts(warp_lanes() * warp) + lane_number(), listed - shared
    if any_lane(fresh == 0):
        taken, more = take_numbers(at, TAKEN, wanting)
        entry, left = shared + taken, left - more
    return entry, left


def begin_listed(at: Any, p: Any, number: Lane, s: Lane, launch: Launch, like: Lane) -> Any:
    """Begin sample s of a pixel of the list: its state, and the steps that need not be made."""
    tile, column, row = place_of(number, launch)
    i, j, _ = find_pixel(at, total(tile), column, row)
    return begun(real_count(i, like), real_count(j, like), total(s), at, p)


def store_listed(
    at: Any, p: Any, number: Lane, state: Any, steps: Lane, sums: Any, warp: int, made: int, bad: int, launch: Launch
) -> None:
    """Write a pixel of the list, whose last sample has ended, and add what its samples came to to its tile's tally."""
    tile, column, row = place_of(number, launch)
    store(at, p, find_place(total(tile), column, row, launch), state, steps, sums)
    record_end(at, number >> 5)
    add_steps(at, warp, total(tile), launch, made)
    add_strange(at, warp, total(tile), launch, bad)
