"""The ray-marched scene on one core: vectors against one lane, and against vectors used plainly.

    python benchmarks/ray_marching.py [--runs N]

`still_life`, 1280x720, one sample, one worker. Three ways to paint it, in turn, and all pictures equal to the last bit:

    simd      the program's default target
    scalar    the same, one lane at a time
    plain     a loop of 64 lanes that lives here: a patch of pixels is stepped until its last lane has ended, the others
              idle; every pixel is then shaded in full, whether or not any lane meets the sun or a mirror. Such a
              loop was found to be as fast as ISPC (design.md, section 4).

Beside it stands the same plain loop with one thing more: what no lane of a patch needs is skipped (`any_lane`).

The limit: rays are stepped a fixed number of times, without a test, with 64 lanes and with one. No lane idles and
nothing is shaded, so the ratio is all that this CPU's vectors can bring to the scene's own arithmetic; one lane also
skips whatever its one ray does not need, which 64 rays together cannot.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import numba
import numpy as np
from compiled import compiled
from pairs import Times, against, in_turn, machine_line, median_ratio, options, ratio, timed

from render import engine, scene, stats
from render.codegen import cpu_compiler
from render.codegen.settings import request_settings
from render.frame import Canvas, Frame
from render.kernels import slots
from render.kernels.slots import (
    alive,
    choose,
    counts,
    how_many,
    lift,
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
from render.options import complete
from render.request import Request
from render.sampling import clamped, light_step, position

LANES, WIDEST = 64, 8  # pixels along an edge of their patch
EDGE: Any = slots.Number("EDGE")  # of the patch of so many lanes as a loop is made for
SIMD, SCALAR, PLAIN, SKIPPING = "simd", "scalar", "plain, 64 lanes", "plain, skipping"
MANY, ONE = "64 lanes, straight", "one lane, straight"
TOGETHER = 8  # steps made without a test
AIMS = {SCALAR: 20.0, PLAIN: 1.5}


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
            left += how_many(alive(state, p))
    return left


def code(light: Lane) -> Lane:
    """Where one sample's light stands in the sRGB table."""
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


def plainly(request: Request, expected: Frame, words: dict[Any, Any]) -> Callable[[], float]:
    """The time of the plain loop; ends the program where the picture is not as expected."""
    canvas = Canvas(request.width, request.height, with_steps=True)
    run = loop(paint, request, canvas, LANES, words)
    if run() != expected.total_steps or not np.array_equal(canvas.rgb, expected.rgb):
        sys.exit("the plain loop's picture differs: no figure")
    return timed(run)


def asked(target: str, size: str) -> Request:
    """One sample a pixel, one worker."""
    return complete(scene="still_life", size=size, samples=1, mode="sequential", target=target)


def painting(request: Request, expected: Frame) -> Callable[[], float]:
    """The paint time of a request; ends the program where the picture is not as expected."""

    def once() -> float:
        frame = engine.draw(request)
        if frame.sha256 != expected.sha256:
            sys.exit(f"{request.target}: the pictures differ: no figure")
        return stats.of(frame.trace).seconds["paint"]

    return once


def show(request: Request, steps: int, times: dict[str, Times]) -> None:
    """Print one line for each way."""
    size = f"{request.width}x{request.height}"
    print(f"\nstill_life, {size}, one sample, {request.precision}, {steps / 1e6:.2f} M steps; all pictures equal")
    print(f"  {'':18}{'ms':>9}{'median':>9}{'M pixels/s':>12}{'simd is':>10}{'median':>9}")
    for name, spent in times.items():
        rate = request.width * request.height / spent.best / 1e6
        line = f"  {name:18}{spent.best * 1e3:9.1f}{spent.median * 1e3:9.1f}{rate:12.1f}"
        if name != SIMD:
            line += f"{ratio(spent, times[SIMD]):9.2f}x{median_ratio(spent, times[SIMD]):8.2f}x"
        aim = AIMS.get(name)
        print(line + (f"   {against(ratio(spent, times[SIMD]), aim)}" if aim else ""))


def main() -> None:
    """Measure all ways in turn."""
    parser = options(__doc__ or "", 5)
    parser.add_argument("--size", default="1280x720", metavar="WxH", help="1280x720 unless told; multiples of 8")
    typed = parser.parse_args()
    simd, scalar = (asked(target, typed.size) for target in ("simd", "scalar"))
    if simd.width % WIDEST or simd.height % WIDEST:
        parser.error("the plain loop takes whole patches of 8x8 pixels only")
    print(machine_line())
    expected = engine.draw(simd)
    works = {SIMD: painting(simd, expected), SCALAR: painting(scalar, expected)}
    works[SCALAR]()
    works[PLAIN] = plainly(simd, expected, {primitives.any_lane: numba.njit(always)})
    works[SKIPPING] = plainly(simd, expected, {})
    many, one = (loop(straight, simd, Canvas(8, 8, with_steps=True), lanes, {}) for lanes in (LANES, 1))
    if many() != one():
        sys.exit("64 lanes and one step differently: no figure")
    times = in_turn({**works, MANY: timed(many), ONE: timed(one)}, typed.runs)
    show(simd, expected.total_steps, {name: times[name] for name in works})
    rates = [simd.width * simd.height * TOGETHER / times[name].best / 1e6 for name in (MANY, ONE)]
    print(
        f"  limit: rays stepped alone, none idle: {rates[0]:.0f} M steps/s with 64 lanes, {rates[1]:.0f} with one:",
        end=" ",
    )
    print(f"vectors bring {ratio(times[ONE], times[MANY]):.2f}x here")


if __name__ == "__main__":
    main()
