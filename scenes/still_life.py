"""Ceramics, a pear and a brass ring on a chequered table in late-afternoon light, ray marched.

A step asks how near the nearest surface is and goes that far along the ray (sphere tracing: Hart, The Visual
Computer 12(10), 1996). It ends within half a pixel of a surface, so far things need fewer steps. The table is a
plane, met by division. Where a ray has ended, `shade` follows soft shadow, occlusion and mirror images, and that is
where the time goes: sky costs next to nothing, the glazed vase most. A unit of length is about two hands' breadth.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from render.lanes import (
    Lane,
    abs,
    any_lane,
    clamp,
    cos,
    floor,
    fma,
    maximum,
    minimum,
    mix,
    sin,
    smoothstep,
    sqrt,
    take,
    where,
)

LIMIT = 112
PRECISION = "f32"
ABSORBING = False  # a ray that has grazed a surface would go on behind it
INSIDE_FLAT = False

PARAMETERS = {
    "x": (0.0, -20.0, 20.0, "Centre of the frame on the picture plane, to the right."),
    "y": (0.22, -20.0, 20.0, "Centre of the frame on the picture plane, upwards."),
    "zoom": (1.0, 0.05, 1e4, "Magnification: the frame is 4 / zoom high."),
    "turn": (12.0, -3600.0, 3600.0, "Where the camera stands around the table, in degrees."),
    "distance": (4.8, 3.0, 100.0, "From the camera to the middle of the table, measured along the table."),
    "height": (1.8, 0.05, 100.0, "The camera's height above the table."),
    "lens": (7.0, 1.0, 100.0, "Focal length: 2 sees a right angle upwards at zoom 1, longer lenses see less."),
    "sun_turn": (104.0, -3600.0, 3600.0, "Where the sun stands around the table, in degrees."),
    "sun_height": (32.0, 2.0, 90.0, "The sun's height above the horizon, in degrees."),
    "softness": (0.09, 0.005, 0.5, "Half width of a shadow's edge for each unit of distance from what casts it."),
    "fog": (0.04, 0.0, 1.0, "Haze: at a distance of 1 / fog it hides half of what lies there."),
    "blend": (0.22, 0.01, 0.5, "How far melted shapes flow into each other."),
    "reflections": (1, 0, 4, "How many mirror images are followed, one in the other."),
}

VIEWS: dict[str, dict[str, float]] = {
    "table": {},
    "close": {"x": 0.1, "y": -0.3, "zoom": 2.6},
}

MIDDLE = 0.55  # all shapes lie within REACH of (0, MIDDLE, 0), and below TOP
REACH = 1.75
TOP = 1.6
AIM = 0.6  # the camera looks at (0, AIM, 0)
TILE = 0.6  # the side of a tile
EXPOSURE = 0.85
FAR = 1000.0  # where the table ends; haze hides it
AWAY = 1e9  # the distance to a surface before the first step

SHADOW_STEPS = 28
MIRROR_STEPS = 40

# Red, green and blue of what comes back scattered, and how much is mirrored when seen straight on (of a metal: all).
MATERIALS = (
    (0.030, 0.150, 0.200, 0.050),  # glaze
    (0.640, 0.290, 0.160, 0.015),  # clay
    (0.600, 0.500, 0.080, 0.025),  # the pear, below
    (0.560, 0.190, 0.060, 0.025),  # the pear, above
    (0.150, 0.200, 0.240, 0.020),  # dark tiles
    (0.700, 0.610, 0.490, 0.020),  # light tiles
    (0.090, 0.050, 0.030, 0.010),  # the stem
    (0.740, 0.710, 0.660, 0.010),  # plaster
    (0.500, 0.030, 0.025, 0.050),  # lacquer
    (0.820, 0.580, 0.250, 1.000),  # brass
)
VASE, PEAR, TILES, STEM, SLAB, BALL, RING = 0.0, 2.0, 4.0, 6.0, 7.0, 8.0, 9.0  # the first three blend two rows

SUNLIGHT = (4.20, 3.05, 1.90)
SKYLIGHT = (0.24, 0.33, 0.52)
TABLE_LIGHT = (0.26, 0.19, 0.13)  # what the sunlit table throws back up
HORIZON = (0.54, 0.40, 0.39)
ZENITH = (0.05, 0.11, 0.25)
GLOW = (2.90, 1.25, 0.38)  # around the sun


def prepare(parameters: Any, size: tuple[int, int]) -> Mapping[str, Any]:
    """The camera's axes, the sun's direction and half a pixel's opening, all in the request's precision."""
    p = parameters
    degree = type(p.turn)(0.017453292519943295)
    turn, sun_turn, sun_height = p.turn * degree, p.sun_turn * degree, p.sun_height * degree
    sine, cosine = sin(turn), cos(turn)
    drop = p.height - AIM
    away = sqrt(fma(p.distance, p.distance, drop * drop))
    level, fall = p.distance / away, drop / away  # cosine and sine of how far the camera looks down
    return {
        "eye_x": p.distance * sine, "eye_y": p.height, "eye_z": p.distance * cosine,
        "right_x": cosine, "right_z": -sine,
        "up_x": -fall * sine, "up_y": level, "up_z": -fall * cosine,
        "ahead_x": -level * sine * p.lens, "ahead_y": -fall * p.lens, "ahead_z": -level * cosine * p.lens,
        "sun_x": cos(sun_height) * sin(sun_turn), "sun_y": sin(sun_height), "sun_z": cos(sun_height) * cos(sun_turn),
        "cone": min(max(2.0 / (p.zoom * size[1] * p.lens), 1e-4), 0.02),
        "red": [row[0] for row in MATERIALS], "green": [row[1] for row in MATERIALS],
        "blue": [row[2] for row in MATERIALS], "shine": [row[3] for row in MATERIALS],
        "corners": (1, -1, -1, -1, -1, 1, -1, 1, -1, 1, 1, 1),
        "softness": p.softness, "fog": p.fog, "blend": p.blend, "reflections": p.reflections,
    }  # fmt: skip


# --- following a ray ----------------------------------------------------------------------------------------


def start(x: Lane, y: Lane, p: Any) -> tuple[Lane, ...]:
    """The way gone, the distance to the nearest surface when last asked, the ray's direction, and where it ends."""
    dx = fma(x, p.right_x, fma(y, p.up_x, p.ahead_x))
    dy = fma(y, p.up_y, p.ahead_y)
    dz = fma(x, p.right_z, fma(y, p.up_z, p.ahead_z))
    dx, dy, dz = normalised(dx, dy, dz)
    nil = dx - dx
    entry, end = span(nil + p.eye_x, nil + p.eye_y, nil + p.eye_z, dx, dy, dz)
    return entry, AWAY, dx, dy, dz, end


def step(state: Any, p: Any) -> tuple[Lane, ...]:
    """Go as far as no surface can be."""
    t, _, dx, dy, dz, end = state
    distance = nearest(fma(t, dx, p.eye_x), fma(t, dy, p.eye_y), fma(t, dz, p.eye_z), p)
    return t + distance, distance, dx, dy, dz, end


def alive(state: Any, p: Any) -> Any:
    """Neither within half a pixel of a surface nor past all shapes."""
    t, distance, _, _, _, end = state
    return (distance > p.cone * t) & (t < end)


def span(ox: Lane, oy: Lane, oz: Lane, dx: Lane, dy: Lane, dz: Lane) -> tuple[Lane, Lane]:
    """Between which distances a ray can meet a shape: inside the sphere around them all and above the table."""
    cy = oy - MIDDLE
    along = fma(ox, dx, fma(cy, dy, oz * dz))
    beyond = fma(ox, ox, fma(cy, cy, fma(oz, oz, -REACH * REACH)))
    half = sqrt(maximum(fma(along, along, -beyond), 0.0))
    return maximum(-along - half, 0.0), minimum(half - along, table(oy, dy))


def table(oy: Lane, dy: Lane) -> Lane:
    """How far it is to the table; FAR for rays that do not meet it before."""
    return where(dy < 0.0, minimum(oy / maximum(-dy, 1e-6), FAR), FAR)


def mirrored(ox: Lane, oy: Lane, oz: Lane, dx: Lane, dy: Lane, dz: Lane, so: Any, p: Any) -> tuple[Lane, Lane]:
    """Follow mirrored rays where `so`: the way gone and where the ray had to end."""
    t, end = span(ox, oy, oz, dx, dy, dz)
    going = so & (t < end)
    made = 0
    while made < MIRROR_STEPS and any_lane(going):
        distance = nearest(fma(t, dx, ox), fma(t, dy, oy), fma(t, dz, oz), p)
        t = where(going, t + distance, t)
        going = going & (distance > fma(p.cone, t, 1e-3)) & (t < end)
        made += 1
    return where(so, t, end), end


# --- the shapes ---------------------------------------------------------------------------------------------


def nearest(x: Lane, y: Lane, z: Lane, p: Any) -> Lane:
    """The distance to the nearest shape, or a little less: never more."""
    body, neck, low, high, stem, slab, ball, ring = shapes(x, y, z)
    vase, pear = melted(body, neck, p.blend), melted(low, high, p.blend)
    return minimum(minimum(minimum(vase, pear), minimum(stem, slab)), minimum(ball, ring))


def shapes(x: Lane, y: Lane, z: Lane) -> tuple[Lane, ...]:
    """The distance to each shape by itself."""
    from_axis = length(x + 0.72, z + 0.28)
    body = length(from_axis, y - 0.46) - 0.5
    neck = flared_neck(from_axis, y)
    px, pz = x - 0.16, z - 0.42
    low = length3(px, y - 0.285, pz) - 0.3
    high = length3(px - 0.03, y - 0.66, pz) - 0.15
    stem = length3(px - 0.05, y - clamp(y, 0.78, 0.93), pz) - 0.018
    bx, bz = x - 0.86, z + 0.3
    slab = rounded_box(fma(0.8, bx, -0.6 * bz), y - 0.15, fma(0.6, bx, 0.8 * bz))
    ball = length3(bx + 0.02, y - 0.6, bz) - 0.3
    ring = length(length(x - 0.72, z - 0.62) - 0.23, y - 0.07) - 0.07
    return body, neck, low, high, stem, slab, ball, ring


def length(x: Lane, y: Lane) -> Lane:
    """The length of a vector in a plane."""
    return sqrt(fma(x, x, y * y))


def length3(x: Lane, y: Lane, z: Lane) -> Lane:
    """The length of a vector in space."""
    return sqrt(fma(x, x, fma(y, y, z * z)))


def normalised(x: Lane, y: Lane, z: Lane) -> tuple[Lane, Lane, Lane]:
    """The vector with length 1; the zero vector stays."""
    scale = 1.0 / maximum(length3(x, y, z), 1e-9)
    return x * scale, y * scale, z * scale


def flared_neck(r: Lane, y: Lane) -> Lane:
    """A thin tube from y = 0.85 to 1.5, narrowest at 1.1, made smaller by its slope."""
    inside = clamp(y, 0.85, 1.5)
    rise = inside - 1.1
    across = maximum(abs(r - fma(0.8 * rise, rise, 0.155)) - 0.008, 0.0)
    return fma(0.84, length(across, y - inside), -0.022)


def rounded_box(x: Lane, y: Lane, z: Lane) -> Lane:
    """A slab of 1.04 x 0.3 x 0.72 with rounded edges."""
    x, y, z = abs(x) - 0.48, abs(y) - 0.11, abs(z) - 0.32
    outside = length3(maximum(x, 0.0), maximum(y, 0.0), maximum(z, 0.0))
    return outside + minimum(maximum(x, maximum(y, z)), 0.0) - 0.04


def melted(a: Lane, b: Lane, reach: Lane) -> Lane:
    """The union of two shapes, filled out by a parabola where both are nearly as near; the same for b and a."""
    near = maximum(reach - abs(a - b), 0.0)
    return fma(near * near, -0.25 / reach, minimum(a, b))


def colour_share(a: Lane, b: Lane, reach: Lane) -> Lane:
    """How much of b's colour a melted union shows: 0 .. 1, a half where both are equally near."""
    return smoothstep(fma((a - b) / reach, 0.5, 0.5))


# --- light --------------------------------------------------------------------------------------------------


def shade(state: Any, steps: Lane, p: Any) -> tuple[Lane, Lane, Lane]:
    """The light along the ray and along its mirror images, as a camera shows it."""
    t, _, dx, dy, dz, end = state
    gone = red = green = blue = t - t
    through_r = through_g = through_b = gone + 1.0  # how much of the light met from here on reaches the eye
    ox, oy, oz = gone + p.eye_x, gone + p.eye_y, gone + p.eye_z
    for image in range(p.reflections + 1):
        if image > 0:
            t, end = mirrored(ox, oy, oz, dx, dy, dz, through_r > 0.0, p)
        shape = t < end
        t = where(shape, t, table(oy, dy))
        gone = gone + t
        haze = where(t < FAR, hidden(gone, p.fog), 1.0)
        r, g, b = sky(dx, where(t < FAR, 0.0, dy), dz, p)
        red, green, blue = fma(through_r * haze, r, red), fma(through_g * haze, g, green), fma(through_b * haze, b, blue)
        through_r, through_g, through_b = less(through_r, haze), less(through_g, haze), less(through_b, haze)
        if any_lane(through_r > 0.0):
            x, y, z = fma(t, dx, ox), where(shape, fma(t, dy, oy), 0.0), fma(t, dz, oz)
            nx, ny, nz = normal(x, y, z, shape, gone, p)
            facing = clamp(-dot(nx, ny, nz, dx, dy, dz), 0.0, 1.0)
            dx, dy, dz = fma(2.0 * facing, nx, dx), fma(2.0 * facing, ny, dy), fma(2.0 * facing, nz, dz)
            lift = fma(2.0 * p.cone, gone, 1e-3)  # off the surface, or it would shade itself
            ox, oy, oz = fma(nx, lift, x), fma(ny, lift, y), fma(nz, lift, z)
            row, tint = surface(ox, oy, oz, shape, 2.0 * p.cone * gone / maximum(facing, 1e-3), p)
            r, g, b = material(p.red, row, tint), material(p.green, row, tint), material(p.blue, row, tint)
            shine, metal = material(p.shine, row, tint), row == RING
            mr, mg, mb = mirror(shine, r, metal, facing), mirror(shine, g, metal, facing), mirror(shine, b, metal, facing)
            lr, lg, lb, glint = light(ox, oy, oz, nx, ny, nz, dx, dy, dz, through_r > 0.0, p)
            rough = where(metal, 0.0, gone - gone + 1.0)
            red = fma(through_r, fma(mr, glint * SUNLIGHT[0], less(rough * r * lr, mr)), red)
            green = fma(through_g, fma(mg, glint * SUNLIGHT[1], less(rough * g * lg, mg)), green)
            blue = fma(through_b, fma(mb, glint * SUNLIGHT[2], less(rough * b * lb, mb)), blue)
            through_r, through_g, through_b = through_r * mr, through_g * mg, through_b * mb
    return developed(red), developed(green), developed(blue)


def normal(x: Lane, y: Lane, z: Lane, shape: Any, gone: Lane, p: Any) -> tuple[Lane, Lane, Lane]:
    """Where the surface faces: for a shape from four distances around the point, for the table upwards."""
    reach = fma(p.cone, gone, 3e-4)
    nx = ny = nz = x - x
    for corner in range(4):
        cx, cy, cz = p.corners[3 * corner], p.corners[3 * corner + 1], p.corners[3 * corner + 2]
        distance = nearest(fma(cx, reach, x), fma(cy, reach, y), fma(cz, reach, z), p)
        nx, ny, nz = fma(cx, distance, nx), fma(cy, distance, ny), fma(cz, distance, nz)
    nx, ny, nz = normalised(nx, ny, nz)
    return where(shape, nx, 0.0), where(shape, ny, 1.0), where(shape, nz, 0.0)


def surface(x: Lane, y: Lane, z: Lane, shape: Any, width: Lane, p: Any) -> tuple[Lane, Lane]:
    """What is here: its row in MATERIALS, and the next row's share in it."""
    body, neck, low, high, stem, slab, ball, ring = shapes(x, y, z)
    vase, pear = melted(body, neck, p.blend), melted(low, high, p.blend)
    near = minimum(minimum(minimum(vase, pear), minimum(stem, slab)), minimum(ball, ring))
    row = where(near == vase, VASE, where(near == pear, PEAR, where(near == stem, STEM, x - x + SLAB)))
    row = where(shape, where(near == ball, BALL, where(near == ring, RING, row)), TILES)
    tint = where(row == VASE, colour_share(body, neck, p.blend), colour_share(low, high, p.blend))
    tint = where(row == TILES, chequered(x, z, width), tint)
    return row, where(row < STEM, tint, 0.0)


def material(channel: Any, row: Lane, tint: Lane) -> Lane:
    """One channel of MATERIALS, blended."""
    return mix(take(channel, row), take(channel, row + 1.0), tint)


def chequered(x: Lane, z: Lane, width: Lane) -> Lane:
    """How much of a square with sides `width` around (x, z) lies on light tiles: 0 .. 1."""
    return fma(0.5 * striped(x, width), striped(z, width), 0.5)


def striped(x: Lane, width: Lane) -> Lane:
    """The mean over x - width / 2 .. x + width / 2 of stripes that are 1 and -1 in turn.

    It is the slope between two points of their integral, which goes up and down by `TILE`.
    """
    reach = maximum(width * (0.5 / TILE), 0.005)
    place = x * (1.0 / TILE)
    return clamp((zigzag(place + reach) - zigzag(place - reach)) * 0.5 / reach, -1.0, 1.0)


def zigzag(x: Lane) -> Lane:
    """Up from 0 to 1 as x goes from 0 to 1, down again to x = 2, and so on."""
    half = 0.5 * x
    return 1.0 - abs(fma(-2.0, half - floor(half), 1.0))


def light(
    x: Lane, y: Lane, z: Lane, nx: Lane, ny: Lane, nz: Lane, dx: Lane, dy: Lane, dz: Lane, wanted: Any, p: Any
) -> tuple[Lane, ...]:
    """What falls on a point: red, green and blue from sun, sky and table, and how bright the sun's mirror image is."""
    slant = maximum(dot(nx, ny, nz, p.sun_x, p.sun_y, p.sun_z), 0.0)
    sun = sunshine(x, y, z, wanted & (slant > 0.0), p)
    upward = fma(0.5, ny, 0.5)
    open_sky = openness(x, y, z, nx, ny, nz, p)
    glint = maximum(dot(dx, dy, dz, p.sun_x, p.sun_y, p.sun_z), 0.0)
    for _ in range(7):
        glint = glint * glint
    warm = sun * slant
    return (
        fma(warm, SUNLIGHT[0], open_sky * mix(TABLE_LIGHT[0], SKYLIGHT[0], upward)),
        fma(warm, SUNLIGHT[1], open_sky * mix(TABLE_LIGHT[1], SKYLIGHT[1], upward)),
        fma(warm, SUNLIGHT[2], open_sky * mix(TABLE_LIGHT[2], SKYLIGHT[2], upward)),
        sun * glint * 24.0,
    )


def sunshine(x: Lane, y: Lane, z: Lane, wanted: Any, p: Any) -> Lane:
    """How much of the sun is seen from here: 0 .. 1, soft where a shape's edge passes before it.

    The least h / (softness t) on the way, for distances h at t; it goes on to -1, so half the edge lies in the shape.
    """
    end = minimum((TOP + 0.3 - y) / p.sun_y, 6.0)
    t = fma(0.0, x, 0.02)
    clear = fma(0.0, x, 1.0)
    going = wanted
    made = 0
    while made < SHADOW_STEPS and any_lane(going):
        h = nearest(fma(t, p.sun_x, x), fma(t, p.sun_y, y), fma(t, p.sun_z, z), p)
        clear = where(going, minimum(clear, h / (p.softness * t)), clear)
        t = where(going, t + clamp(0.8 * h, 0.03, 0.5), t)
        going = going & (clear > -1.0) & (t < end)
        made += 1
    return where(wanted, smoothstep(fma(0.5, clear, 0.5)), 0.0)


def openness(x: Lane, y: Lane, z: Lane, nx: Lane, ny: Lane, nz: Lane, p: Any) -> Lane:
    """How little is in the way of light from everywhere: 1 in the open, less in corners."""
    closed = x - x
    height, weight = 0.03, 1.0
    for _ in range(5):
        up = fma(height, ny, y)
        free = minimum(nearest(fma(height, nx, x), up, fma(height, nz, z), p), up)
        closed = fma(weight, height - free, closed)
        height += 0.09
        weight *= 0.75
    return clamp(fma(-1.3, closed, 1.0), 0.0, 1.0)


def sky(dx: Lane, dy: Lane, dz: Lane, p: Any) -> tuple[Lane, Lane, Lane]:
    """The sky in a direction: warm at the horizon and on the sun's side."""
    height = hidden(maximum(dy, 0.0), 13.0)
    glow = fma(0.5, dot(dx, dy, dz, p.sun_x, p.sun_y, p.sun_z), 0.5)
    glow = glow * glow
    glow = glow * glow
    return (
        fma(glow, GLOW[0], mix(HORIZON[0], ZENITH[0], height)),
        fma(glow, GLOW[1], mix(HORIZON[1], ZENITH[1], height)),
        fma(glow, GLOW[2], mix(HORIZON[2], ZENITH[2], height)),
    )


def hidden(gone: Lane, fog: Lane) -> Lane:
    """How much haze hides of what is so far away: u^2 / (1 + u^2), a half at 1 / fog."""
    u = gone * fog
    return u * u / fma(u, u, 1.0)


def less(light: Lane, taken: Lane) -> Lane:
    """What is left when a share is taken: 0 where that is 1."""
    return fma(-taken, light, light)


def mirror(shine: Lane, colour: Lane, metal: Any, facing: Lane) -> Lane:
    """How much is mirrored at this angle: Schlick's 1994 formula, with an end that rough surfaces do not reach."""
    edge = 1.0 - facing
    square = edge * edge
    straight = where(metal, colour, shine)
    return mix(straight, minimum(18.0 * straight, 1.0), square * square * edge)


def dot(ax: Lane, ay: Lane, az: Lane, bx: Lane, by: Lane, bz: Lane) -> Lane:
    """The scalar product."""
    return fma(ax, bx, fma(ay, by, az * bz))


def developed(light: Lane) -> Lane:
    """Light of any strength as 0 .. 1: a soft toe, and a shoulder that never quite reaches white."""
    light = EXPOSURE * light
    return light * (light + 0.08) / fma(light, light + 0.55, 0.14)
