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
    abs,  # noqa: A004
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
    where,
)

LIMIT = 112
PRECISION = "f32"
ABSORBING = False  # a ray that has grazed a surface would go on behind it
INSIDE_FLAT = False

PARAMETERS = {
    "x": (0.0, -20.0, 20.0, "Centre of the frame on the picture plane, to the right."),
    "y": (0.0, -20.0, 20.0, "Centre of the frame on the picture plane, upwards."),
    "zoom": (1.0, 0.05, 1e4, "Magnification: the frame is 4 / zoom high."),
    "turn": (14.0, -3600.0, 3600.0, "Where the camera stands around the table, in degrees."),
    "distance": (6.2, 3.0, 100.0, "From the camera to the middle of the table, measured along the table."),
    "height": (2.3, 0.05, 100.0, "The camera's height above the table."),
    "lens": (8.4, 1.0, 100.0, "Focal length: 2 sees a right angle upwards at zoom 1, longer lenses see less."),
    "sun_turn": (-62.0, -3600.0, 3600.0, "Where the sun stands around the table, in degrees."),
    "sun_height": (33.0, 2.0, 90.0, "The sun's height above the horizon, in degrees."),
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
FAR = 1000.0  # where the table ends; haze hides it
AWAY = 1e9  # the distance to a surface before the first step

SHADOW_STEPS = 28
MIRROR_STEPS = 40

# red, green, blue of what comes back scattered, then of what a surface mirrors when seen straight on
GLAZE = (0.030, 0.150, 0.200, 0.05, 0.05, 0.05)
CLAY = (0.640, 0.290, 0.160, 0.015, 0.015, 0.015)
PEAR = (0.600, 0.500, 0.080, 0.025, 0.025, 0.025)
BLUSH = (0.560, 0.190, 0.060, 0.025, 0.025, 0.025)
WOOD = (0.090, 0.050, 0.030, 0.010, 0.010, 0.010)
PLASTER = (0.740, 0.710, 0.660, 0.010, 0.010, 0.010)
LACQUER = (0.500, 0.030, 0.025, 0.050, 0.050, 0.050)
BRASS = (0.080, 0.050, 0.012, 0.820, 0.580, 0.250)
LIGHT_TILE = (0.720, 0.660, 0.560, 0.030, 0.030, 0.030)
DARK_TILE = (0.100, 0.110, 0.125, 0.030, 0.030, 0.030)

SUNLIGHT = (3.60, 2.75, 1.85)
SKYLIGHT = (0.42, 0.56, 0.80)
TABLE_LIGHT = (0.34, 0.27, 0.20)  # what the sunlit table throws back up
HORIZON = (0.86, 0.70, 0.55)
ZENITH = (0.20, 0.32, 0.50)
GLOW = (0.60, 0.40, 0.20)  # around the sun


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
    entry, end = span(p.eye_x, p.eye_y, p.eye_z, dx, dy, dz)
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
    ring = length(length(x + 0.42, z - 0.62) - 0.23, y - 0.07) - 0.07
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


def shade(state: Any, steps: Lane, p: Any) -> tuple[Lane, Lane, Lane]:  # noqa: ARG001  (the contract's signature)
    """The light along the ray, and along its mirror images, as a camera shows it."""
    t, _, dx, dy, dz, end = state
    gone = red = green = blue = t - t
    through_r = through_g = through_b = gone + 1.0  # how much of what comes along the ray reaches the eye
    ox, oy, oz = gone + p.eye_x, gone + p.eye_y, gone + p.eye_z
    for image in range(p.reflections + 1):
        if image > 0:
            t, end = mirrored(ox, oy, oz, dx, dy, dz, through_r > 0.0, p)
        shape = t < end
        t = where(shape, t, table(oy, dy))
        gone = gone + t
        met = (t < FAR) & (through_r > 0.0)
        r, g, b = sky(dx, dy, dz, p)
        mr, mg, mb = red - red, red - red, red - red
        if any_lane(met):
            ...
    return developed(red), developed(green), developed(blue)
