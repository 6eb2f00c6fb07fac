"""The two passes over a launch's tiles, as one lane of a warp makes them (`warp` says why two, and how they step)."""

from __future__ import annotations

from typing import Any

from render.kernels.launch import LISTED, RECORD, SQUARE, TAKEN
from render.kernels.scalar import begun, find_point, levels, light, marked, put, strange
from render.kernels.slots import (
    UNTIL,
    add_at,
    before,
    beginning,
    counts,
    device_clock,
    fetch_apart,
    from_first,
    keep_apart,
    lane_number,
    lift,
    memory,
    multiprocessor,
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
    describe_launch,
    find_pixel,
    find_place,
    place_of,
    record_end,
)
from render.language.primitives import Lane, any_lane
from render.sampling import clamped

FIRST_PASS, SECOND_PASS = 0, 1
SUMMED = 1 << 26  # steps of a pixel at most that 32 lanes sum in 32 bits


def paint_tiles(at: Any, p: Any, stage: int, warp: int, count: int, wide: int, high: int) -> None:
    """Make one pass, as one lane of warp number `warp`; so many tiles, each with a slot of wide x high pixels.

    The first pass needs a warp for each square of the launch, the second any number of them.
    """
    launch = describe_launch(at, warp, count, wide, high)
    if stage == FIRST_PASS:
        if warp < launch.every:
            for turn in range(SQUARE // warp_lanes()):
                begin_pixel(at, p, warp, counts(SQUARE * warp + warp_lanes() * turn) + lane_number(), launch)
    else:
        finish_listed(at, p, launch)


def begin_pixel(at: Any, p: Any, square: int, number: Lane, launch: Launch) -> None:
    """Follow the samples of this lane's pixel until one takes long; then list the pixel, else store it."""
    tile, column, row = place_of(number, launch)
    i, j, outside = find_pixel(at, tile, column, row)
    if any_lane(~outside & ((number & (SQUARE - 1)) == 0)):
        records = memory(at.records)
        records[RECORD * square] = multiprocessor()
        records[RECORD * square + 1] = device_clock()
    waits = counts(0) > 0
    state, steps = lift(start(reals(0), reals(0), p), reals(0)), counts(0)
    red = green = blue = reals(0)
    s, made, bad = counts(0), 0, 0
    if any_lane(~outside):
        while any_lane((s < at.samples) & ~waits):
            x, y = find_point(real_count(i, red), real_count(j, red), total(s), at)
            state, steps, waits = beginning(lift(start(x, y, p), x), counts(0), x, y, at, p)
            if any_lane(~waits):
                r, g, b = light(state, steps, p)
                bad += strange(r, g, b)
                made += total(steps)
                red, green, blue = red + clamped(r), green + clamped(g), blue + clamped(b)
                s = s + 1
        if any_lane(~waits):
            store(at, p, find_place(tile, column, row, launch), state, steps, (red, green, blue))
            record_end(at, number)
    if any_lane(votes(waits) > 0):
        kept = list_pixel(at, waits, number, s, state, (red, green, blue), launch)
        if any_lane(waits & ~kept):
            made = bad = 0  # it is followed anew
    add_strange(at, tile, launch, bad)
    if at.samples * at.limit < SUMMED:
        made = total(warp_sum(counts(made)))
        if any_lane(lane_number() == 0):
            add_steps(at, tile, launch, made)
    else:
        add_steps(at, tile, launch, made)


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


def list_pixel(at: Any, waits: Any, number: Lane, s: Lane, state: Any, sums: Any, launch: Launch) -> Any:
    """List the pixels of the lanes that wait, with what their samples have come to. Tells for which there was room.

    The list holds the number of every pixel that waits, but for so many of them only the rest (`launch`).
    """
    entry, _ = take_numbers(at, LISTED, waits)
    place, room, apart = total(entry), memory(at.room), len(at.room) // (len(state) + 3)
    kept = entry < apart
    if any_lane(waits):
        waiting = memory(at.waiting)
        waiting[place] = unpack(number)[0]
        if any_lane(kept):
            keep_apart(room, place, apart, state)
            if at.samples > 1:
                keep_apart(room, place + len(state) * apart, apart, sums)
                waiting[place + SQUARE * launch.every] = unpack(s)[0]
    return kept


def finish_listed(at: Any, p: Any, launch: Launch) -> None:
    """Take pixels from the list until it is empty, and follow their samples to the end."""
    waiting, room = memory(at.waiting), memory(at.room)
    state = seen = lift(start(reals(0), reals(0), p), reals(0))
    apart, listed = len(at.room) // (len(state) + 3), counts(memory(at.counters)[LISTED])
    number = s = steps = looks = counts(0)
    red = green = blue = reals(0)
    made = bad = 0
    patience = counts(LOOK)
    left = listed
    mine = starting = counts(0) > 0
    having = counts(1)
    while any_lane(having > 0):
        # Lanes without a pixel take one from the list, as it stands there or, where it had no room, from its start.
        if any_lane((votes(mine) < warp_lanes()) & (left > 0)):
            entry, first = take_numbers(at, TAKEN, ~mine)
            left = listed - first
            if any_lane(~mine & (entry < listed)):
                place = total(entry)
                number, s, steps, looks = counts(waiting[place]), counts(0), counts(UNTIL), counts(0)
                red = green = blue = reals(0)
                made = bad = 0
                starting = entry >= apart
                if any_lane(~starting):
                    state = fetch_apart(room, place, apart, state)
                    if at.samples > 1:
                        red, green, blue = fetch_apart(room, place + len(state) * apart, apart, (red, green, blue))
                        s = counts(waiting[place + SQUARE * launch.every])
                mine = counts(0) == 0
        if any_lane(mine & starting):
            tile, column, row = place_of(number, launch)
            i, j, _ = find_pixel(at, tile, column, row)
            state, steps = begun(real_count(i, red), real_count(j, red), total(s), at, p)
            looks = counts(0)
        having = votes(mine)
        fewest = counts(0)
        if any_lane(left > 0):
            fewest = counts(warp_lanes() >> 1)
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
            red, green, blue = red + clamped(r), green + clamped(g), blue + clamped(b)
            s = s + 1
            if any_lane(s >= at.samples):
                tile, column, row = place_of(number, launch)
                store(at, p, find_place(tile, column, row, launch), state, steps, (red, green, blue))
                record_end(at, number)
                add_steps(at, tile, launch, made)
                add_strange(at, tile, launch, bad)
                mine = counts(0) > 0
