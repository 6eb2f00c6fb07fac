"""The Mandelbulb: a solid whose points stay near zero when a power of eight turns and stretches them in space.

The set is that of Nylander and White (2009): both angles of a point times eight, its radius to the power of eight,
and the point where it began added. Roots and products do it, without angles. The derivative that is carried
along makes a distance of it (Quilez, 2009), and rays go as far as no surface can be.
"""

from render.lanes import (
    any_lane,
    clamp,
    cos,
    fma,
    fract,
    log,
    maximum,
    minimum,
    mix,
    sin,
    smoothstep,
    sqrt,
    take,
    where,
)
from render.palettes import PALETTES, palette
from render.vectors import along, cross_sphere, developed, dot, normalised, scaled, times

LIMIT = 160
PRECISION = "f32"
ABSORBING = False  # a ray that has grazed the surface would go on inside
INSIDE_FLAT = False

PARAMETERS = {
    "x": (0.0, -20.0, 20.0, "Centre of the frame on the picture plane, to the right."),
    "y": (0.0, -20.0, 20.0, "Centre of the frame on the picture plane, upwards."),
    "zoom": (1.1, 0.05, 1e4, "Magnification: the frame is 4 / zoom high."),
    "turn": (20.0, -3600.0, 3600.0, "Where the camera stands around the bulb, in degrees."),
    "rise": (18.0, -90.0, 90.0, "How high it stands, in degrees above the horizon."),
    "distance": (4.0, 1.25, 100.0, "From the camera to the middle of the bulb."),
    "sun_turn": (70.0, -3600.0, 3600.0, "Where the sun stands around the bulb, in degrees."),
    "sun_rise": (45.0, -90.0, 90.0, "How high the sun stands, in degrees above the horizon."),
    "softness": (0.06, 0.005, 0.5, "Half width of a shadow's edge for each unit of distance from what casts it."),
    "detail": (7, 1, 12, "How often a point is turned and stretched: what the surface shows of its folds."),
    "palette": ("dusk", tuple(PALETTES), "Colours of the surface."),
    "density": (0.7, 0.0, 100.0, "Turns of the palette from the folds outwards."),
    "offset": (0.1, -1000.0, 1000.0, "Where on the palette the colours begin, in turns."),
}

VIEWS = {
    "whole": {},
    "flower": {"rise": 88.0, "sun_turn": 140.0, "sun_rise": 50.0, "detail": 9},
    "close": {"x": 0.2, "y": 0.2, "zoom": 1.2, "rise": 35.0, "distance": 1.7, "sun_turn": 95.0, "detail": 9},
    "reef": {
        "x": 0.6, "zoom": 3.0, "rise": 35.0, "distance": 1.6, "detail": 10, "palette": "ember", "density": 0.6,
        "offset": 0.97,
    },
}  # fmt: skip

REACH = 1.15  # the bulb lies within this sphere; a point beyond LEFT, squared, has left it for good
LEFT = 16.0
LENS = 6.0  # focal length: the frame is 4 high where zoom is 1
SHADOW_STEPS = 40

SUNLIGHT = (4.2, 3.5, 2.6)
SKYLIGHT = (0.45, 0.60, 0.90)
GROUND_LIGHT = (0.30, 0.20, 0.14)
WALL = (0.150, 0.165, 0.200)  # where it is lit
CORNERS = (0.012, 0.015, 0.025)


def prepare(p, size):
    """The camera's axes, the sun's direction, half a pixel's opening and the palette."""
    degree = type(p.turn)(0.017453292519943295)
    turn, rise, sun_turn, sun_rise = p.turn * degree, p.rise * degree, p.sun_turn * degree, p.sun_rise * degree
    away = cos(rise) * sin(turn), sin(rise), cos(rise) * cos(turn)
    colours = palette(p.palette)
    return p | {
        "eye": scaled(away, p.distance),
        "right": (cos(turn), 0.0, -sin(turn)),
        "up": (-sin(rise) * sin(turn), cos(rise), -sin(rise) * cos(turn)),
        "ahead": scaled(away, -LENS),
        "sun": (cos(sun_rise) * sin(sun_turn), sin(sun_rise), cos(sun_rise) * cos(sun_turn)),
        "cone": min(max(2.0 / (p.zoom * size[1] * LENS), 2e-6), 0.02),
        "corners": (1, -1, -1, -1, -1, 1, -1, 1, -1, 1, 1, 1),  # of a tetrahedron
        "palette_turn": float(len(colours)),
        "red": [*colours[:, 0], colours[0, 0]],
        "green": [*colours[:, 1], colours[0, 1]],
        "blue": [*colours[:, 2], colours[0, 2]],
    }


def start(x, y, p):
    """The way gone, the distance to the surface when last asked, the ray's direction, and where it ends."""
    d = normalised(along(along(p.ahead, p.up, y), p.right, x))
    entry, end = span(along(p.eye, d, 0.0), d)
    return entry, 1e9, d[0], d[1], d[2], end


def step(state, p):
    """Go as far as no surface can be."""
    t, _, dx, dy, dz, end = state
    distance, _, _ = bulb(along(p.eye, (dx, dy, dz), t), alive(state, p), p)
    return t + distance, distance, dx, dy, dz, end


def alive(state, p):
    """Neither within half a pixel of the surface nor past the sphere around it."""
    t, distance, _, _, _, end = state
    return (distance > p.cone * t) & (t < end)


def span(o, d):
    """Between which distances a ray is inside the sphere around the bulb; the same twice for a ray that misses it."""
    enters, leaves = cross_sphere(o, d, REACH)
    return maximum(enters, 0.0), maximum(leaves, 0.0)


def bulb(c, going, p):
    """How far the surface is, or a little less; and of the way a point takes how near it came to zero and to the axis.

    The distance is r log(r) / (2 r'), r' being how r changes with c: 8 r^7 r' + 1 a step. Lanes that are not `going`
    are anything, so that no other waits for them.
    """
    x, y, z = c
    far = dot(c, c)
    slope = fma(0.0, far, 1.0)
    nearest, axis = far, fma(x, x, z * z)
    going = going & (far < LEFT)
    made = 0
    while made < p.detail and any_lane(going):
        r = sqrt(far)
        slope = where(going, fma(8.0 * r * far * far * far, slope, 1.0), slope)
        nx, ny, nz = eighth_power(x, y, z)
        x, y, z = where(going, nx + c[0], x), where(going, ny + c[1], y), where(going, nz + c[2], z)
        far = fma(x, x, fma(y, y, z * z))
        nearest = minimum(nearest, far)
        axis = minimum(axis, fma(x, x, z * z))
        going = going & (far < LEFT)
        made += 1
    r = sqrt(far)
    return maximum(0.25 * log(maximum(far, 1e-12)) * r / slope, 0.0), nearest, axis


def eighth_power(x, y, z):
    """A point with eight times its angles, from the y axis and around it, and the eighth power of its radius.

    Complex squares, three for each angle: (y + i rho)^8 holds the new height and the new rho.
    """
    rho = sqrt(fma(x, x, z * z))
    per_rho = 1.0 / maximum(rho, 1e-18)
    up, out = squared(y, rho)
    up, out = squared(up, out)
    up, out = squared(up, out)
    across, deep = squared(x * per_rho, z * per_rho)
    across, deep = squared(across, deep)
    across, deep = squared(across, deep)
    return out * across, up, out * deep


def squared(a, b):
    """(a + i b)^2."""
    return fma(a, a, -(b * b)), (a + a) * b


def shade(state, steps, p):
    """The surface in the light of sun and sky, and behind it the sky."""
    t, _, dx, dy, dz, end = state
    d = dx, dy, dz
    hit = t < end
    behind = backdrop(d, p)
    light = behind
    if any_lane(hit):
        q = along(p.eye, d, t)
        n, nearest, axis = surface(q, p.cone * t, hit, p)
        o = along(q, n, fma(p.cone, t + t, 1e-4))
        slant = maximum(dot(n, p.sun), 0.0)
        sun = slant * sunshine(o, hit & (slant > 0.0), p)
        open_sky = openness(o, n, hit, p) * smoothstep(fma(2.0, sqrt(nearest), -1.1))
        around = along(scaled(SKYLIGHT, fma(0.5, n[1], 0.5)), GROUND_LIGHT, fma(-0.5, n[1], 0.5))
        falling = along(scaled(around, open_sky), SUNLIGHT, sun)
        seen = times(colour(axis, p), falling)
        light = seen
        light = where(hit, seen[0], behind[0]), where(hit, seen[1], behind[1]), where(hit, seen[2], behind[2])
    return developed(light)


def surface(q, width, going, p):
    """Where the surface faces, from four distances around it, and how near one of the four came to zero and axis."""
    reach = maximum(width, 2e-5)
    n = scaled(q, 0.0)
    nearest = axis = fma(0.0, q[0], 0.0)
    for i in range(0, 12, 3):
        corner = p.corners[i], p.corners[i + 1], p.corners[i + 2]
        distance, nearest, axis = bulb(along(q, corner, reach), going, p)
        n = along(n, corner, distance / reach)
    return normalised(n), nearest, axis


def colour(axis, p):
    """A colour of the palette, by how near the point came to the axis on its way."""
    place = fma(fract(fma(sqrt(axis), p.density, p.offset)), p.palette_turn, 0.0)
    share = fract(place)
    return (
        mix(take(p.red, place), take(p.red, place + 1.0), share),
        mix(take(p.green, place), take(p.green, place + 1.0), share),
        mix(take(p.blue, place), take(p.blue, place + 1.0), share),
    )


def sunshine(q, going, p):
    """How much of the sun is seen from here, 0 .. 1: by the least angle between the way there and the surface."""
    _, end = span(q, p.sun)
    t = fma(0.0, end, 0.004)
    clear = fma(0.0, end, 1.0)
    made = 0
    while made < SHADOW_STEPS and any_lane(going):
        h, _, _ = bulb(along(q, p.sun, t), going, p)
        clear = where(going, minimum(clear, h / (p.softness * t)), clear)
        t = where(going, t + clamp(h, 0.004, 0.2), t)
        going = going & (clear > 0.001) & (t < end)
        made += 1
    return smoothstep(clear)


def openness(q, n, going, p):
    """How little is in the way of light from everywhere: 1 in the open, less in folds."""
    closed = fma(0.0, q[1], 0.0)
    height, weight = closed + 0.01, closed + 1.0
    for _ in range(4):
        h, _, _ = bulb(along(q, n, height), going, p)
        closed = fma(weight, maximum(height - h, 0.0) / height, closed)
        height = height * 2.2
        weight = weight * 0.7
    return clamp(fma(-0.36, closed, 1.0), 0.0, 1.0)


def backdrop(d, p):
    """Behind the bulb: a wall with a patch of light, dark towards the corners."""
    lit = smoothstep(fma(dot(d, p.ahead), 8.0 / LENS, -7.0))
    return (
        mix(CORNERS[0], WALL[0], lit),
        mix(CORNERS[1], WALL[1], lit),
        mix(CORNERS[2], WALL[2], lit),
    )
