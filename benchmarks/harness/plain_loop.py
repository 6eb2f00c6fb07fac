"""A ray marcher's loop as one writes it first: 64 lanes step until the last has ended, and all is shaded in full.

It lives here and uses none of the program's driver, so it stays what it is when the driver changes. `paint` is that
loop; told that no lane needs what `any_lane` asks for, it skips (`SKIPPING`). `straight` steps rays a fixed number of
times without a test: no lane idles and nothing is shaded, so 64 lanes against one is all that vectors can bring here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from harness.compiled import compiled
from render import scene
from render.codegen import cpu_compiler
from render.codegen.settings import request_settings
from render.frame import Canvas
from render.kernels import slots
from render.kernels.slots import (
    alive,
    choose,
    counts,
    lane_bits,
    lift,
    ones,
    patch,
    real_count,
    reals,
    shade,
    start,
    step,
    total,
    unpack,
)
from render.language import primitives
from render.language.primitives import Lane, to_int, where
from render.request import Request
from render.sampling import clamped, light_step, position

LANES, WIDEST = 64, 8  # pixels along an edge of their patch
EDGE: Any = slots.Number("EDGE")  # of the patch of so many lanes as a loop is made for
TOGETHER = 8  # steps made without a test


def some_lane(mask: Any) -> bool:
    """`any_lane` as this file's own loop means it, whatever the scene is told."""
    return bool(primitives.any_lane(mask))


def follow(x: Lane, y: Lane, p: Any, limit: int) -> Any:
    """All lanes together, until the last has ended; the others idle."""
    state, steps = lift(start(x, y, p), x), counts(0)
    going = alive(state, p) & (steps < limit)
    while some_lane(going):
        state = choose(going, lift(step(state, p), x), state)
        steps = where(going, steps + 1, steps)
        going = going & alive(state, p) & (steps < limit)
    return state, steps


def paint(at: Any, p: Any) -> int:
    """The whole frame, patch by patch; gives the steps made. Width and height are multiples of 8."""
    column, row = patch()
    made = 0
    for down in range(0, at.height, EDGE):
        for right in range(0, at.width, EDGE):
            i, j, none = reals(right) + column, reals(down) + row, reals(0)
            x, y = position(i, j, none, none, at.x0, at.y0, at.pitch, at.half_width, at.half_height)
            state, steps = follow(x, y, p, at.limit)
            made += total(steps)
            r, g, b = lift(shade(state, real_count(steps, x), p), x)
            reds, greens, blues = unpack(code(r)), unpack(code(g)), unpack(code(b))
            counted = unpack(steps)
            for lane in range(LANES):
                place = (down + lane // EDGE) * at.width + right + lane % EDGE
                at.rgb[3 * place] = at.table[reds[lane]]
                at.rgb[3 * place + 1] = at.table[greens[lane]]
                at.rgb[3 * place + 2] = at.table[blues[lane]]
                at.steps[place] = counted[lane]
    return made


def straight(at: Any, p: Any) -> int:
    """Step the rays of all pixels TOGETHER times, whether they have ended or not; gives how many are alive then."""
    column, row = patch()
    left = 0
    for down in range(0, at.height, EDGE):
        for right in range(0, at.width, EDGE):
            i, j, none = reals(right) + column, reals(down) + row, reals(0)
            x, y = position(i, j, none, none, at.x0, at.y0, at.pitch, at.half_width, at.half_height)
            state = lift(start(x, y, p), x)
            for _ in range(TOGETHER):
                state = lift(step(state, p), x)
            left += ones(lane_bits(alive(state, p)))
    return left


def code(light: Lane) -> Lane:
    """Find where one sample's light stands in the sRGB table."""
    return to_int(light_step(clamped(light)))


def always(_mask: Any) -> bool:
    """`any_lane` for a scene that is to leave nothing out."""
    return True


def loop(
    function: Callable[..., int], request: Request, canvas: Canvas, lanes: int, words: dict[Any, Any]
) -> Callable[[], int]:
    """One of this file's loops, compiled for this request and so many lanes."""
    loaded = scene.load(request.scene)
    assert canvas.steps is not None
    at, p = request_settings(request), loaded.prepared(request)
    at = at._replace(width=request.width, height=request.height, stride=request.width, keep_steps=1)
    at = at._replace(rgb=canvas.rgb.reshape(-1), steps=canvas.steps.reshape(-1))
    edge = WIDEST if lanes > 1 else 1
    run = compiled(
        function,
        (at, p),
        (cpu_compiler.record_type(at), cpu_compiler.p_type(p, lanes)),
        precision=request.precision,
        lanes=lanes,
        across=edge,
        slots={getattr(slots, name): loaded.functions[name] for name in ("start", "step", "alive", "shade")}
        | {EDGE: edge},
        words={some_lane: primitives.any_lane} | words,
    )
    return lambda: run(at, p)
