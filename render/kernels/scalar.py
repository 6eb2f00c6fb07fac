"""One sample at a time: the loop of target `scalar`, and how a sample begins and ends wherever it is followed.

For an absorbing scene (once ended, always ended) BLOCK steps are made before it is asked whether the sample has
ended. If it has, the loop goes back to where the block began and walks on from there step by step, so the counts and
final states are those of the plain loop. The vocabulary is that of the lanes, with one lane.
"""

from __future__ import annotations

from typing import Any

from render.kernels.slots import (
    alive,
    choose,
    counts,
    follow,
    lift,
    mask,
    memory,
    never_ends,
    real_count,
    reals,
    shade,
    start,
    step,
    total,
    truncated,
    unpack,
)
from render.language.primitives import Lane, any_lane, where
from render.sampling import clamped, light_step, position

BLOCK = 8  # steps between two questions


def no_lane(x: Lane, y: Lane, p: Any) -> Any:
    """`never_ends` of a scene that has none."""
    return mask(False)


def walk(state: Any, steps: Lane, p: Any, limit: int) -> Any:
    """The plain loop: to where the sample ends, or to the limit."""
    while any_lane(alive(state, p) & (steps < limit)):
        state = lift(step(state, p), state[0])
        steps = steps + 1
    return state, steps


def walk_in_blocks(state: Any, steps: Lane, p: Any, limit: int) -> Any:
    """The same for absorbing scenes, BLOCK steps at a time as long as none of them ends the sample."""
    going = steps <= limit - BLOCK
    while any_lane(going):
        after = state
        for _ in range(BLOCK):
            after = lift(step(after, p), state[0])
        going = alive(after, p)
        state = choose(going, after, state)
        steps = where(going, steps + BLOCK, steps)
        going = going & (steps <= limit - BLOCK)
    return walk(state, steps, p, limit)


def find_point(i: Lane, j: Lane, s: int, at: Any) -> tuple[Lane, Lane]:
    """Give the point of the picture plane where sample s of the pixel (i, j) lies."""
    across, down = reals(at.offsets[2 * s]), reals(at.offsets[2 * s + 1])
    return position(i, j, across, down, at.x0, at.y0, at.pitch, at.half_width, at.half_height)


def begun(i: Lane, j: Lane, s: int, at: Any, p: Any) -> Any:
    """Sample s of the pixel (i, j) as it starts: its state, and the steps that need not be made."""
    x, y = find_point(i, j, s, at)
    steps = counts(0)
    if at.shortcuts:
        steps = where(never_ends(x, y, p), counts(at.limit), steps)
    return lift(start(x, y, p), x), steps


def light(state: Any, steps: Lane, p: Any) -> Any:
    """The light of a sample that has ended: red, green, blue as they come."""
    return lift(shade(state, real_count(steps, state[0]), p), state[0])


def marked(state: Any, steps: Lane, p: Any) -> Lane:
    """The steps of samples that have ended, and the same with all bits turned where a sample is still alive.

    So one number tells both; `frame.split_marked` takes it apart.
    """
    return where(alive(state, p), ~steps, steps)


def strange(r: Lane, g: Lane, b: Lane) -> bool:
    """Test whether a sample's light is NaN."""
    return any_lane((r != r) | (g != g) | (b != b))


def paint_pixel(at: Any, p: Any, i: int, j: int, place: int) -> tuple[int, int]:
    """Paint the pixel (i, j) of the frame as number `place` of a buffer. The light of its samples is summed in order.

    Gives the steps made and the number of samples that are NaN.
    """
    red = green = blue = reals(0)
    counted = counts(0)
    made = bad = 0
    for s in range(at.samples):
        state, steps = begun(reals(i), reals(j), s, at, p)
        state, steps = follow(state, steps, p, at.limit)
        r, g, b = light(state, steps, p)
        bad += strange(r, g, b)
        made += total(steps)
        counted = marked(state, steps, p)
        red, green, blue = red + clamped(r), green + clamped(g), blue + clamped(b)
    reds, greens, blues = levels((red, green, blue), at)
    put(at, place, 0, unpack(reds), unpack(greens), unpack(blues), unpack(counted))
    return made, bad


def paint(at: Any, p: Any) -> int:
    """Go on with a rectangle of the frame, as `driver.paint` does, but pixel by pixel."""
    notes = memory(at.notes)
    done = notes[0]
    made = 0
    while done < at.width * at.height and made < at.budget:
        column, row = done % at.width, done // at.width
        steps, bad = paint_pixel(at, p, at.x + column, at.y + row, at.first + row * at.stride + column)
        made += steps
        at.outcome[0] += bad
        done += 1
    notes[0] = done
    at.outcome[1] = done == at.width * at.height
    return made


def levels(sums: Any, at: Any) -> Any:
    """The mean light of the samples as steps of the sRGB table: red, green, blue."""
    red, green, blue = sums
    if at.samples & (at.samples - 1) != 0:
        share = reals(at.samples)
        red, green, blue = red / share, green / share, blue / share
    elif at.samples > 1:  # the product is the quotient then, to the last bit
        share = reals(at.share)
        red, green, blue = red * share, green * share, blue * share
    return truncated(light_step(red)), truncated(light_step(green)), truncated(light_step(blue))


def put(at: Any, place: int, lane: int, reds: Any, greens: Any, blues: Any, made: Any) -> None:
    """Write one lane's pixel, and its marked step count where the frame keeps them, to their place."""
    rgb, table = memory(at.rgb), memory(at.table)
    red, green, blue = table[reds[lane]], table[greens[lane]], table[blues[lane]]  # all three are under way at once
    rgb[3 * place] = red
    rgb[3 * place + 1] = green
    rgb[3 * place + 2] = blue
    if at.keep_steps:
        memory(at.steps)[place] = made[lane]
