"""Shared parts of scenes of z -> z z + c: the step, the colours of the outside, and the light on its slope.

Outside, the number of steps is made continuous by how far beyond the bailout the last one went, and runs through a
cyclic palette, one turn for so many doublings. Relief needs the derivative of the last z by the point. Carried along,
it would slow every picture down (by 1.3 to 2.5); so where relief is requested, `derivative` walks the orbits that have
left a second time, and nothing else pays for it.
"""

from __future__ import annotations

from typing import Any

from render.lanes import (
    Lane,
    abs,
    any_lane,
    clamp,
    cos,
    floor,
    fma,
    fract,
    log2,
    maximum,
    mix,
    rough_log2,
    sin,
    sqrt,
    take,
    where,
)
from render.palettes import PALETTES, palette

COLOURING: dict[str, tuple[Any, ...]] = {  # for PARAMETERS; `colouring` makes members of p out of them
    "density": (0.45, 0.0, 100.0, "Turns of the palette for each doubling of the steps."),
    "offset": (0.0, -1000.0, 1000.0, "Where on the palette the colours begin, in turns."),
    "palette": ("dusk", tuple(PALETTES), "Colours of the outside."),
    "light": (0.0, 0.0, 1.0, "How strongly light from one side shows the outside as slopes; 0 costs nothing."),
    "light_angle": (135.0, -3600.0, 3600.0, "Where that light comes from, in degrees from the right, anticlockwise."),
    "edge": (0.0, 0.0, 1.0, "How dark the outside becomes towards the set, by its distance; 0 costs nothing."),
}

STRIDE = 8  # steps of `derivative` between two questions
EDGE = 1 / 600  # the distance, in heights of the frame, at which half of the darkness is gone
HEIGHT = 1.3  # of the light above the slopes, whose own steepness is 1
STEEPEST = 1e30  # a longer derivative is no more than noise; float32 would soon overflow


def colouring(parameters: Any) -> dict[str, Any]:
    """Make the members of `p` for all that follows, from `bailout`, `zoom` and the parameters in COLOURING."""
    colours = palette(parameters.palette)
    reach = parameters.bailout * parameters.bailout
    angle = parameters.light_angle * type(parameters.light_angle)(0.017453292519943295)
    return {
        "reach": reach,
        "per_reach": 1.0 / log2(reach),
        "density": parameters.density,
        "offset": parameters.offset,
        "turn": float(len(colours)),
        "red": [*colours[:, 0], colours[0, 0]],  # the first again, so that there is always a next
        "green": [*colours[:, 1], colours[0, 1]],
        "blue": [*colours[:, 2], colours[0, 2]],
        "relief": int(parameters.light > 0.0 or parameters.edge > 0.0),
        "height": 4.0 / parameters.zoom,  # of the frame
        "light": parameters.light,
        "light_x": cos(angle),
        "light_y": sin(angle),
        "edge": parameters.edge,
    }


def next_z(x: Lane, y: Lane, cx: Lane, cy: Lane) -> tuple[Lane, Lane]:
    """Compute z z + c for z = x + i y: three fma and one sum."""
    part = fma(-y, y, cx)
    return fma(x, x, part), fma(x + x, y, cy)


def within(x: Lane, y: Lane, p: Any) -> Any:
    """Test whether |z| is still within the bailout."""
    return fma(x, x, y * y) <= p.reach


def shaded(x: Lane, y: Lane, steps: Lane, inside: Any, orbit: Any, p: Any) -> tuple[Lane, Lane, Lane]:
    """Inside black; outside a colour of the palette, in relief where that is requested.

    orbit: what `derivative` is to be given before the steps. Where all is inside, no colours are looked up.
    """
    nought = orbit[0] - orbit[0]
    colour = nought, nought, nought
    if any_lane(~inside):
        red, green, blue = coloured(x, y, steps, p)
        if p.relief > 0:
            wx, wy = derivative(orbit[0], orbit[1], orbit[2], orbit[3], orbit[4], orbit[5], where(inside, 0.0, steps))
            brightness = relief(x, y, wx, wy, p)
            red, green, blue = brightness * red, brightness * green, brightness * blue
        colour = where(inside, nought, red), where(inside, nought, green), where(inside, nought, blue)
    return colour


def coloured(x: Lane, y: Lane, steps: Lane, p: Any) -> tuple[Lane, Lane, Lane]:
    """Look up a colour of the palette by the continuous number of steps."""
    late = steps + 1.0 - rough_log2(rough_log2(maximum(fma(x, x, y * y), p.reach)) * p.per_reach)
    turn = fma(fract(fma(rough_log2(maximum(late, 1.0)), p.density, p.offset)), p.turn, 0.0)  # a product that stays one
    return between(p.red, turn), between(p.green, turn), between(p.blue, turn)


def between(colours: Any, turn: Lane) -> Lane:
    """Blend two neighbouring entries of a palette."""
    return mix(take(colours, turn), take(colours, turn + 1.0), fract(turn))


def derivative(x: Lane, y: Lane, cx: Lane, cy: Lane, first: Lane, each: Lane, steps: Lane) -> tuple[Lane, Lane]:
    """Follow how z after so many steps from z = x + i y changes with the point: w -> 2 z w + each, from w = first on.

    The odd steps come first, one by one; whole blocks are then left to all lanes, which need no question inside them.
    """
    wx, wy = first, first - first
    blocks = floor(steps * (1 / STRIDE))
    left = fma(-float(STRIDE), blocks, steps)
    going = left > 0.0
    while any_lane(going):
        vx, vy = next_derivative(x, y, wx, wy, each)
        zx, zy = next_z(x, y, cx, cy)
        x, y, wx, wy = where(going, zx, x), where(going, zy, y), where(going, vx, wx), where(going, vy, wy)
        left = left - 1.0
        going = left > 0.0
    going = blocks > 0.0
    while any_lane(going):
        zx, zy, vx, vy = x, y, wx, wy
        for _ in range(STRIDE):
            vx, vy = next_derivative(zx, zy, vx, vy, each)
            zx, zy = next_z(zx, zy, cx, cy)
        x, y, wx, wy = where(going, zx, x), where(going, zy, y), where(going, vx, wx), where(going, vy, wy)
        blocks = blocks - 1.0
        going = blocks > 0.0
    return wx, wy


def next_derivative(x: Lane, y: Lane, wx: Lane, wy: Lane, each: Lane) -> tuple[Lane, Lane]:
    """Compute 2 z w + each, where each is real."""
    two_x, two_y = x + x, y + y
    return fma(two_x, wx, fma(-two_y, wy, each)), fma(two_x, wy, two_y * wx)


def relief(x: Lane, y: Lane, wx: Lane, wy: Lane, p: Any) -> Lane:
    """Compute how bright light from one side and the set's nearness make a point outside: 0 .. 1.

    z / w points away from the set, up the slope of log |z|. The set is as far away as 2 |z| log |z| / |w|, or nearer by
    a factor of 4 at most (Peitgen and Saupe, The Science of Fractal Images, 1988, appendix D).
    """
    size = abs(wx) + abs(wy)
    known = (size > 0.0) & (size < STEEPEST)  # not so for NaN
    size = where(known, size, 1.0)
    ux, uy = where(known, wx, 1.0) / size, where(known, wy, 0.0) / size
    far = sqrt(fma(x, x, y * y))
    zx, zy = x / far, y / far
    slope_x, slope_y = fma(zx, ux, zy * uy), fma(zy, ux, -(zx * uy))
    length = sqrt(fma(slope_x, slope_x, slope_y * slope_y))
    facing = fma(slope_x, p.light_x, slope_y * p.light_y) / length
    lit = where(known, clamp((facing + HEIGHT) / (HEIGHT + 1.0), 0.0, 1.0), 1.0)
    distance = far / size * (log2(far) * 1.3862943611198906) / length  # 2 log 2
    open_sky = where(known, distance / (distance + EDGE), 0.0)
    return fma(-p.light, 1.0 - lit, 1.0) * fma(-p.edge, 1.0 - open_sky, 1.0)
