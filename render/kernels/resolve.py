"""The end of samples and of patches: last steps, colours, and the mean of a pixel's samples."""

from __future__ import annotations

from typing import Any

from render.kernels.room import (
    COUNTER,
    IN_TRAY,
    TRAY,
    corner,
    here,
    of_tray,
    of_tray_counter,
)
from render.kernels.scalar import levels, marked
from render.kernels.slots import (
    LANES,
    PATCH_HEIGHT,
    PATCH_WIDTH,
    alive,
    fetch,
    fetch_apart,
    from_lane_bits,
    keep,
    lane_bits,
    lift,
    memory,
    ones,
    pixel_codes,
    put_counts,
    put_pixels,
    real_count,
    reals,
    settled,
    shade,
    total,
    unpack,
    whole_memory,
)
from render.language.primitives import any_lane, bits, from_bits, where
from render.sampling import clamped


def finish(room: Any, notes: Any, ready: int, at: Any, p: Any, like: Any) -> None:
    """Make the last steps of a rack's samples, shade them, and put their light where it belongs."""
    apart = LANES if notes[COUNTER.whole] != 0 else 2 * LANES
    state = fetch_apart(room, ready, apart, like)
    steps = bits(fetch(room, ready + len(like) * apart))
    if any_lane(from_lane_bits(notes[COUNTER.ready], state[0]) & alive(state, p) & (steps < at.limit)):
        state, steps = settled(state, steps, p, at.limit)
        notes[COUNTER.settled] += 1
    red, green, blue = lift(shade(state, real_count(steps, state[0]), p), state[0])
    steps = marked(state, steps, p)
    numbers = whole_memory(at.room)
    number_at = ready + (len(like) + 1) * apart
    row = at.samples * LANES
    if notes[COUNTER.whole] != 0:
        tray, within = numbers[number_at] >> IN_TRAY, numbers[number_at] & ((1 << IN_TRAY) - 1)
        place = of_tray(tray, at, like) + within
        keep(room, place, red)
        keep(room, place + row, green)
        keep(room, place + 2 * row, blue)
        keep(room, place + 3 * row, from_bits(steps))
        arrived(notes, tray, ones(notes[COUNTER.ready]))
        return
    reds, greens, blues, made = unpack(red), unpack(green), unpack(blue), unpack(from_bits(steps))
    for lane in range(ones(notes[COUNTER.ready])):
        tray, within = numbers[number_at + lane] >> IN_TRAY, numbers[number_at + lane] & ((1 << IN_TRAY) - 1)
        place = of_tray(tray, at, like) + within
        room[place] = reds[lane]
        room[place + row] = greens[lane]
        room[place + 2 * row] = blues[lane]
        room[place + 3 * row] = made[lane]
        arrived(notes, tray, 1)


def arrived(notes: Any, tray: int, count: int) -> None:
    """So many more samples of a tray are there."""
    left = notes[of_tray_counter(TRAY.pending, tray)] - count
    notes[of_tray_counter(TRAY.pending, tray)] = left
    if left == 0:
        notes[of_tray_counter(TRAY.full, notes[COUNTER.full_trays])] = tray
        notes[COUNTER.full_trays] += 1


def store(room: Any, notes: Any, at: Any, like: Any) -> int:
    """Store the pixels of a complete patch and free its tray. Gives the steps that its samples made."""
    notes[COUNTER.full_trays] -= 1
    tray = notes[of_tray_counter(TRAY.full, notes[COUNTER.full_trays])]
    notes[of_tray_counter(TRAY.free, notes[COUNTER.free_trays])] = tray
    notes[COUNTER.free_trays] += 1
    right, down = corner(notes[of_tray_counter(TRAY.patch, tray)], at)
    _, j, inside = here(right, down, at)
    image = reals(at.frame_height - 1 - at.y - at.height) - j  # where the mirror image is, in rows below the rectangle
    again = inside & (image >= 0.0) & (image < reals(at.images))
    light = reals(0), reals(0), reals(0)
    counts = bits(reals(0))
    made = bad = 0
    row = at.samples * LANES
    for place in range(of_tray(tray, at, like), of_tray(tray, at, like) + row, LANES):
        r, g, b = fetch(room, place), fetch(room, place + row), fetch(room, place + 2 * row)
        counts = bits(fetch(room, place + 3 * row))
        steps = where(counts < 0, ~counts, counts)
        strange = (r != r) | (g != g) | (b != b)
        bad += ones(lane_bits(inside & strange))
        made += total(where(inside, steps, 0))
        if at.images > 0:
            bad += ones(lane_bits(again & strange))
            made += total(where(again, steps, 0))
        light = light[0] + clamped(r), light[1] + clamped(g), light[2] + clamped(b)
    at.outcome[0] += bad
    red, green, blue = levels(light, at)
    codes, counted = pixel_codes(at.table, red, green, blue), unpack(counts)
    for low in range(PATCH_HEIGHT):
        row = down + low
        put_row(at, row, row < at.height, right, low * PATCH_WIDTH, codes, counted)
        row = at.frame_height - 1 - 2 * at.y - row
        there = at.height <= row < at.height + at.images
        put_row(at, row, there, right, low * PATCH_WIDTH, codes, counted)
    return made


def put_row(at: Any, row: int, there: bool, right: int, lane: int, codes: Any, counted: Any) -> None:
    """Write a patch's pixels in one row of the rectangle, or of the images below it, if it has any there."""
    if there:
        rgb, steps, place = memory(at.rgb), memory(at.steps), at.first + row * at.stride + right
        if right + PATCH_WIDTH <= at.width:
            put_pixels(rgb, place, codes, lane)
            if at.keep_steps:
                put_counts(steps, place, counted, lane)
        else:
            for along in range(PATCH_WIDTH):
                if right + along < at.width:
                    code = codes[lane + along]
                    rgb[3 * (place + along)] = code & 255
                    rgb[3 * (place + along) + 1] = (code >> 8) & 255
                    rgb[3 * (place + along) + 2] = code >> 16
                    if at.keep_steps:
                        steps[place + along] = counted[lane + along]
