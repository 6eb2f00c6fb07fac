"""The driver owns the loop: it follows samples through a scene's steps, many lanes at a time, and knows no scene.

Lanes cover a patch of neighbouring pixels (8 x 8 for 64 lanes), since neighbours end at similar steps. A patch is
followed sample by sample; the light of a pixel's samples is summed in order, so every width gives the same bits.

A step of the Mandelbrot set is 3 fma and 1 add; asking after each whether the sample has ended would add another
3 instructions and a branch. For an *absorbing* scene (once ended, always ended) the driver therefore makes BLOCK
steps at once and asks then. Where a lane has ended inside a block, its state from before the block is kept, and
when all lanes are done those last steps are walked again, one by one and for all lanes together, up to the very
step at which each ended. The same operations on the same numbers give the same bits, so the counts and final states
are those of the plain loop of target `python`. A lane too near the limit for a whole block goes the same way.

Everything is written in the lane vocabulary and the names of `slots`; one source serves one lane, 64 lanes and a
CUDA thread. Nothing in a lane depends on another lane, so lanes may be refilled without changing a picture.
"""

from __future__ import annotations

from typing import Any

from render.compiler.slots import (
    alive,
    choose,
    counts,
    follow,
    how_many,
    lift,
    mask,
    never_ends,
    patch,
    real_count,
    reals,
    shade,
    start,
    step,
    total,
    unpack,
)
from render.primitives import Lane, any_lane, minimum, to_int, where
from render.sampling import clamped, light_step, position

BLOCK = 8  # steps between two tests; set for each target by name
PATCH_WIDTH, PATCH_HEIGHT = 8, 8  # pixels that the lanes cover together; likewise


def no_lane(x: Lane, y: Lane, p: Any) -> Any:
    """`never_ends` of a scene that has none."""
    return mask(False)


def walk(state: Any, steps: Lane, never: Any, p: Any, limit: int) -> Any:
    """The plain loop, all lanes together: each is frozen where it ends, or at the limit."""
    going = alive(state, p) & (steps < limit) & ~never
    while any_lane(going):
        state = choose(going, lift(step(state, p), state[0]), state)
        steps = where(going, steps + 1, steps)
        going = going & alive(state, p) & (steps < limit)
    return state, steps


def follow_every_step(x: Lane, y: Lane, p: Any, limit: int, never: Any) -> Any:
    """Follow one sample a lane, asking after every step. Gives the final state and the steps made."""
    return walk(lift(start(x, y, p), x), where(never, counts(limit), counts(0)), never, p, limit)


def follow_in_blocks(x: Lane, y: Lane, p: Any, limit: int, never: Any) -> Any:
    """Follow one sample a lane, BLOCK steps at a time, and walk the last few again. For absorbing scenes."""
    state = lift(start(x, y, p), x)
    kept = state  # where the walk begins, for lanes that have ended
    steps = where(never, counts(limit), counts(0))
    active = ~never
    made = 0
    while made + BLOCK <= limit and any_lane(active):
        before = state
        for _ in range(BLOCK):
            state = lift(step(state, p), x)
        going = alive(state, p)
        ended = active & ~going
        if any_lane(ended):
            kept = choose(ended, before, kept)
            steps = where(ended, counts(made), steps)
            active = active & going
        made += BLOCK
    kept = choose(active, state, kept)
    steps = where(active, counts(made), steps)
    return walk(kept, steps, never, p, limit)


def sample(i: Lane, j: Lane, s: int, at: Any, p: Any) -> Any:
    """Follow and shade sample s of the pixels (i, j): (r, g, b) as it came, and the steps made."""
    across, down = reals(at.offsets[2 * s]), reals(at.offsets[2 * s + 1])
    x, y = position(i, j, across, down, at.x0, at.y0, at.pitch, at.half_width, at.half_height)
    never = mask(False)
    if at.shortcuts:
        never = never_ends(x, y, p)
    state, steps = follow(x, y, p, at.limit, never)
    return lift(shade(state, real_count(steps, x), p), x), steps


def pixels(i: Lane, j: Lane, inside: Any, at: Any, p: Any) -> Any:
    """All samples of the pixels (i, j), in order: summed light, the last one's steps, all steps, how many are NaN.

    Lanes that are not `inside` are followed like the others, and counted nowhere.
    """
    red = green = blue = reals(0)
    steps = counts(0)
    made = 0
    bad = 0
    for s in range(at.samples):
        (r, g, b), steps = sample(i, j, s, at, p)
        bad += how_many(inside & ((r != r) | (g != g) | (b != b)))
        made += total(where(inside, steps, counts(0)))
        red, green, blue = red + clamped(r), green + clamped(g), blue + clamped(b)
    return (red, green, blue), steps, made, bad


def paint(at: Any, p: Any) -> int:
    """Paint the rectangle (at.x, at.y, at.width, at.height) of the frame; see `settings.Settings`.

    Gives the steps made; the number of samples that are NaN goes to at.outcome[0].
    """
    column, row = patch()
    made = 0
    bad = 0
    for down in range(0, at.height, PATCH_HEIGHT):
        for right in range(0, at.width, PATCH_WIDTH):
            # lanes beyond the edge repeat its last pixel: they cost nothing extra and are not stored
            inside = (column + right < reals(at.width)) & (row + down < reals(at.height))
            i = reals(at.x) + minimum(column + right, reals(at.width - 1))
            j = reals(at.y) + minimum(row + down, reals(at.height - 1))
            light, steps, of_all, strange = pixels(i, j, inside, at, p)
            made += of_all
            bad += strange
            store(at, right, down, light, steps)
    at.outcome[0] = bad
    return made


def paint_pixel(at: Any, p: Any, i: int, j: int, place: int) -> tuple[int, int]:
    """Paint the pixel (i, j) of the frame as number `place` of a buffer: what one thread of a graphics card does.

    Gives the steps made and the number of samples that are NaN.
    """
    light, steps, made, bad = pixels(reals(i), reals(j), mask(True), at, p)
    red, green, blue = levels(light, at)
    put(at, place, 0, unpack(red), unpack(green), unpack(blue), unpack(steps))
    return made, bad


def store(at: Any, right: int, down: int, light: Any, steps: Lane) -> None:
    """Write one patch's pixels as 8-bit sRGB, and its step counts where the frame keeps them."""
    red, green, blue = levels(light, at)
    reds, greens, blues, made = unpack(red), unpack(green), unpack(blue), unpack(steps)
    for low in range(min(PATCH_HEIGHT, at.height - down)):
        for along in range(min(PATCH_WIDTH, at.width - right)):
            place = (at.y + down + low) * at.frame_width + at.x + right + along
            put(at, place, low * PATCH_WIDTH + along, reds, greens, blues, made)


def levels(light: Any, at: Any) -> Any:
    """The mean light of the samples as steps of the sRGB table: red, green, blue."""
    red, green, blue = light
    share = reals(at.samples)
    return to_int(light_step(red / share)), to_int(light_step(green / share)), to_int(light_step(blue / share))


def put(at: Any, place: int, lane: int, reds: Any, greens: Any, blues: Any, made: Any) -> None:
    """Write one lane's pixel, and its step count where the frame keeps them, to their place."""
    at.rgb[3 * place] = at.table[reds[lane]]
    at.rgb[3 * place + 1] = at.table[greens[lane]]
    at.rgb[3 * place + 2] = at.table[blues[lane]]
    if at.keep_steps:
        at.steps[place] = made[lane]
