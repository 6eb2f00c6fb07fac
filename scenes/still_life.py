"""Ceramics, a pear and a brass ring on a chequered table in late-afternoon light, ray marched.

A step asks how near the nearest surface is and goes that far along the ray (sphere tracing: Hart, The Visual
Computer 12(10), 1996), until it is within half a pixel. The table is a plane, met by division. `shade` then follows
soft shadow, occlusion and mirror images, so the time goes where there is something to see. Lengths are in feet.

Only the nearest shape counts. Who asks how far it is says how far it can be (by how far it was, and the way since), and
a shape that lies farther in all lanes, seen as an upright line with a reach, is left out: the least of the others is
the least of all, to the last bit.
"""

from render.lanes import abs, any_lane, clamp, cos, floor, fma, maximum, minimum, sin, smoothstep, sqrt, take, where
from render.vectors import (
    added,
    along,
    arc,
    blended,
    cross_sphere,
    developed,
    dot,
    hidden,
    is_closer,
    length,
    melted,
    normalised,
    rounded_box,
    scaled,
    times,
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
    "distance": (4.8, 0.0, 100.0, "From the camera to the middle of the table, measured along it; 0: right above."),
    "height": (1.8, 0.05, 100.0, "The camera's height above the table; nearer than 2 it stays above all shapes."),
    "sun_turn": (104.0, -3600.0, 3600.0, "Where the sun stands around the table, in degrees."),
    "sun_height": (32.0, 0.0, 90.0, "The sun's height above the horizon, in degrees."),
    "softness": (0.09, 0.005, 0.5, "Half width of a shadow's edge for each unit of distance from what casts it."),
    "fog": (0.04, 0.0, 1.0, "Haze: at a distance of 1 / fog it hides half of what lies there."),
    "blend": (0.22, 0.01, 0.5, "How far melted shapes flow into each other."),
    "reflections": (1, 0, 4, "How many mirror images are followed, one in the other."),
}

VIEWS = {
    "table": {},
    "close": {"x": 0.25, "y": -0.42, "zoom": 2.3},
    "dusk": {"turn": -28.0, "height": 1.25, "sun_turn": 124.0, "sun_height": 15.0, "fog": 0.035, "reflections": 2},
}

MIDDLE = 0.58  # the camera looks at (0, MIDDLE, 0), and all shapes lie within REACH of it
REACH = 1.75
CLOSEST = 2.0  # no camera comes so near to it
TILE = 0.6  # the side of a tile
LENS = 7.0  # focal length: the frame is 4 high where zoom is 1
FAR = 1000.0  # where the table ends; haze hides it
AWAY = 1e9  # farther than anything is
STEPS = 160  # at most, of a mirrored ray and of one to the sun: more than any was seen to need

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
GLOW = (2.90, 1.25, 0.38)  # of the sky on the sun's side
SUN = (25.0, 19.0, 12.0)  # as mirrors show it
REST = (0.40, 0.30, 0.24)  # about what the mirror images show that nobody follows


def prepare(p, size):
    """The camera's axes, the sun's direction and half a pixel's opening, all in the request's precision."""
    degree = type(p.turn)(0.017453292519943295)
    turn, sun_turn, sun_height = p.turn * degree, p.sun_turn * degree, p.sun_height * degree
    sine, cosine = sin(turn), cos(turn)
    above = p.height - MIDDLE
    if p.distance < CLOSEST:
        above = maximum(above, sqrt(CLOSEST * CLOSEST - p.distance * p.distance))
    away = length((p.distance, above, 0.0))
    level, fall = p.distance / away, above / away  # cosine and sine of how far the camera looks down
    return p | {
        "eye": (p.distance * sine, MIDDLE + above, p.distance * cosine),
        "right": (cosine, 0.0, -sine),
        "up": (-fall * sine, level, -fall * cosine),
        "ahead": (-level * sine * LENS, -fall * LENS, -level * cosine * LENS),
        "sun": (cos(sun_height) * sin(sun_turn), sin(sun_height), cos(sun_height) * cos(sun_turn)),
        "cone": min(max(2.0 / (p.zoom * size[1] * LENS), 1e-4), 0.02),
        "corners": (1, -1, -1, -1, -1, 1, -1, 1, -1, 1, 1, 1),  # of a tetrahedron
        "materials": [part for material in MATERIALS for part in material],
    }


def start(x, y, p):
    """The way gone, the distance to the nearest surface when last asked, the ray's direction, and where it ends."""
    d = normalised(along(along(p.ahead, p.up, y), p.right, x))
    entry, end = span(along(p.eye, d, 0.0), d)
    return entry, AWAY, d[0], d[1], d[2], end


def step(state, p):
    """Go as far as no surface can be."""
    t, before, dx, dy, dz, end = state
    distance = nearest(along(p.eye, (dx, dy, dz), t), farthest(before, before), t < end, p)
    return t + distance, distance, dx, dy, dz, end


def alive(state, p):
    """Neither within half a pixel of a surface nor past all shapes."""
    t, distance, _, _, _, end = state
    return (distance > p.cone * t) & (t < end)


def span(o, d):
    """Between which distances a ray can meet a shape: inside the sphere around them all and above the table."""
    enters, leaves = cross_sphere((o[0], o[1] - MIDDLE, o[2]), d, REACH)
    return maximum(enters, 0.0), minimum(leaves, table(o, d))


def table(o, d):
    """How far it is to the table; FAR for rays that do not meet it before."""
    return where(d[1] < 0.0, minimum(o[1] / maximum(-d[1], 1e-6), FAR), FAR)


def mirrored(o, d, going, p):
    """Follow mirrored rays as `step` does, where `going`: the way gone, the last distance, where the ray had to end."""
    t, end = span(o, d)
    going = going & (t < end)
    distance = fma(0.0, t, AWAY)
    made = 0
    while made < STEPS and any_lane(going):
        distance = nearest(along(o, d, t), farthest(distance, distance), going, p)
        t = where(going, t + distance, t)
        going = going & (distance > fma(p.cone, t, 1e-3)) & (t < end)
        made += 1
    return t, distance, end


def farthest(distance, way):
    """The most that the nearest shape's distance can be after some way, rounding included."""
    return fma(1.001, abs(way), distance + 1e-3)


def nearest(q, most, going, p):
    """The distance to the nearest shape, or a little less: never more. It has to be no more than `most`."""
    return shapes(q, most, going, p)[0]


def shapes(q, most, going, p):
    """The distance to the nearest shape and to each, and how much farther the lower part of vase and pear is.

    AWAY stands for what is farther than `most`, or than another shape, in all lanes that are `going`. The reaches have
    more to spare than rounding makes of coordinates up to FAR, and a ninth of the way for the neck (`flared_neck`).
    """
    x, y, z = q
    vase = pear = stem = slab = ball = ring = fma(0.0, y, AWAY)
    neck = top = fma(0.0, y, 0.0)
    vx, vz = x + 0.72, z + 0.28
    reach = fma(1.13, maximum(most, 0.0), fma(0.29, p.blend, 0.505))
    if any_lane(going & is_closer(vx, y - clamp(y, 0.46, 1.14), vz, reach)):
        from_axis = length((vx, vz, 0.03))  # rounded, or the bottom of the neck would come to a point
        body, neck = length((from_axis, y - 0.46, 0.0)) - 0.5, flared_neck(from_axis, y)
        vase, neck = melted(body, neck, p.blend), body - neck
        most = minimum(most, vase)
    bx, bz = x - 0.86, z + 0.3
    if any_lane(going & is_closer(bx, y - clamp(y, 0.15, 0.275), bz, most + 0.635)):
        slab = rounded_box((fma(0.8, bx, -0.6 * bz), y - 0.15, fma(0.6, bx, 0.8 * bz)), (0.48, 0.11, 0.32), 0.04)
        ball = length((bx + 0.02, y - 0.6, bz)) - 0.3
        most = minimum(most, minimum(slab, ball))
    px, pz = x - 0.16, z - 0.42
    if any_lane(going & is_closer(px, y - clamp(y, 0.285, 0.66), pz, fma(0.25, p.blend, most + 0.305))):
        low, high = length((px, y - 0.285, pz)) - 0.3, length((px - 0.03, y - 0.66, pz)) - 0.15
        stem = length((px - 0.05, y - clamp(y, 0.78, 0.93), pz)) - 0.018
        pear, top = melted(low, high, p.blend), low - high
        most = minimum(most, minimum(pear, stem))
    rx, ry, rz = x - 0.72, y - 0.07, z - 0.62
    if any_lane(going & is_closer(rx, ry, rz, most + 0.305)):
        ring = length((length((rx, rz, 0.0)) - 0.23, ry, 0.0)) - 0.07
    near = minimum(minimum(minimum(vase, pear), minimum(stem, slab)), minimum(ball, ring))
    return near, vase, neck, pear, top, stem, slab, ball, ring


def flared_neck(r, y):
    """A thin tube from y = 0.8 to 1.5, narrowest at 1.1; a ninth too near, so it flows into the body more broadly."""
    return 0.89 * (arc(r - 0.844, y - 1.1, (-0.9964, 0.0844), (0.8603, 0.5098), (0.5927, 0.3513), 0.689) - 0.034)


def shade(state, steps, p):
    """The light along the ray and along its mirror images, as a camera shows it."""
    t, distance, dx, dy, dz, end = state
    d = dx, dy, dz
    gone = fma(0.0, t, 0.0)
    o = along(p.eye, d, gone)
    light = scaled(d, 0.0)
    through = gone + 1.0, gone + 1.0, gone + 1.0  # how much of the light met from here on reaches the eye
    for image in range(p.reflections + 1):
        if image > 0:
            t, distance, end = mirrored(o, d, through[0] > 0.0, p)
        shape = t < end
        t = where(shape, t, table(o, d))
        gone = gone + t
        outside = t >= FAR
        haze = where(outside, 1.0, hidden(gone, p.fog))
        light = added(light, scaled(through, haze), sky((d[0], where(outside, d[1], 0.0), d[2]), p))
        through = scaled(through, 1.0 - haze)
        seen = through[0] > 0.0
        if any_lane(seen):
            q = along(o, d, t)
            n = normal(q, shape, gone, distance, p)
            facing = clamp(-dot(n, d), 0.0, 1.0)
            d = along(d, n, 2.0 * facing)
            o = along(q, n, fma(p.cone, gone + gone, 1e-3))  # off the surface, or it would shade itself
            row, share, near = surface(o, shape, p.cone * (gone + gone) / maximum(facing, 1e-3), p)
            matte, mirror = material(row, share, facing, p)
            slant = maximum(dot(n, p.sun), 0.0)
            sun = slant * sunshine(o, seen & (slant > 0.0), p)
            around = blended(TABLE_LIGHT, SKYLIGHT, fma(0.5, n[1], 0.5))
            falling = along(scaled(around, openness(o, n, near, seen, p)), SUNLIGHT, sun)
            light = added(light, through, times(matte, falling))
            through = times(through, mirror)
    return developed(added(light, through, REST))


def normal(q, shape, gone, distance, p):
    """Where the surface faces: for a shape from four distances around the point, for the table upwards."""
    reach = fma(p.cone, gone, 3e-4)
    most = farthest(distance, fma(2.0, reach, abs(distance)))  # the ray has gone that far since
    n = scaled(q, 0.0)
    if any_lane(shape):
        for i in range(0, 12, 3):
            corner = p.corners[i], p.corners[i + 1], p.corners[i + 2]
            n = along(n, corner, nearest(along(q, corner, reach), most, shape, p))
        n = normalised(n)
    return where(shape, n[0], 0.0), where(shape, n[1], 1.0), where(shape, n[2], 0.0)


def surface(q, shape, width, p):
    """The row in MATERIALS of what is here, how much of the next row is in it, and the distance to the shape."""
    near, vase, neck, pear, top, stem, _, ball, ring = shapes(q, fma(0.0, width, AWAY), shape, p)
    row = where(near == ball, BALL, where(near == ring, RING, fma(0.0, near, SLAB)))
    row = where(near == vase, VASE, where(near == pear, PEAR, where(near == stem, STEM, row)))
    row = where(shape, row, TILES)
    share = smoothstep(fma(where(row == VASE, neck, top) / p.blend, 0.5, 0.5))
    share = where(row == TILES, fma(0.5 * striped(q[0], width), striped(q[2], width), 0.5), share)
    return row, where(row < STEM, share, 0.0), near


def striped(x, width):
    """Stripes of 1 and -1: their mean over `width` around x is the slope of their integral, a zigzag."""
    reach = maximum(width * (0.5 / TILE), 0.005)
    last, first = fma(x, 1.0 / TILE, reach), fma(x, 1.0 / TILE, -reach)
    fall = abs(last - fma(2.0, floor(0.5 * last), 1.0))
    return clamp((abs(first - fma(2.0, floor(0.5 * first), 1.0)) - fall) * 0.5 / reach, -1.0, 1.0)


def material(row, share, facing, p):
    """The colour that is scattered back, and (Schlick 1994; rough surfaces do not become mirrors) the one mirrored."""
    own = channel(0.0, row, share, p), channel(1.0, row, share, p), channel(2.0, row, share, p)
    shine = channel(3.0, row, share, p)
    metal = row == RING
    straight = where(metal, own[0], shine), where(metal, own[1], shine), where(metal, own[2], shine)
    most = minimum(fma(18.0, shine, 0.0), 1.0)
    edge = 1.0 - facing
    square = edge * edge
    mirror = blended(straight, (most, most, most), square * square * edge)
    rough = where(metal, 0.0, 1.0 - mirror[0])
    return scaled(own, rough), mirror


def channel(number, row, share, p):
    """One column of MATERIALS, blended."""
    first = take(p.materials, fma(4.0, row, number))
    return fma(share, take(p.materials, fma(4.0, row, 4.0 + number)) - first, first)


def sunshine(q, going, p):
    """How much of the sun is seen from here, 0 .. 1: by the least angle between the way there and a shape.

    At t on the way the angle is h / t, with h the distance to the nearest shape. It cannot come below the least angle
    that was found before t + (h - t least) / (1 + least): steps are so long, or short where a shape is near. On both
    sides of a shape h goes almost straight; where the lines through the last two places and through the two before them
    meet below what was found, the lowest lies between, and h is asked there as well.
    """
    end = REACH - dot((q[0], q[1] - MIDDLE, q[2]), p.sun)  # no shape lies farther that way
    t = fma(0.0, end, 0.02)
    least = fma(0.0, end, p.softness)
    last = older = lowest = tilt = tilt_before = fma(0.0, end, 0.0)  # a line's slope, and its height at 0
    high = high_before = fma(0.0, end, 1.0)
    aside = end < 0.0
    h, here = fma(0.0, end, AWAY), t
    made = 0
    while made < STEPS and any_lane(going):
        at = where(aside, lowest, t)
        h, here = nearest(along(q, p.sun, at), farthest(h, at - here), going, p), at
        least = where(going, minimum(least, h / at), least)
        short = minimum(fma(0.1 * p.softness, t, 0.02), 0.5 * t)
        on = t + maximum(fma(-t, least, h) * (1.0 - least), short)
        new_tilt = (h - fma(tilt, last, high)) / (t - last)
        new_high = fma(-new_tilt, t, h)
        lowest = (high_before - new_high) / (new_tilt - tilt_before)
        below = fma(tilt_before, lowest, high_before) < fma(-0.003, p.softness, least) * lowest
        forth = ~aside
        aside = forth & below & (lowest > older) & (lowest < last)
        older, last, t = where(forth, last, older), where(forth, t, last), where(forth, on, t)
        tilt_before, high_before = where(forth, tilt, tilt_before), where(forth, high, high_before)
        tilt, high = where(forth, new_tilt, tilt), where(forth, new_high, high)
        going = going & (least > -p.softness) & (aside | (t < end))
        made += 1
    return smoothstep(fma(0.5, least / p.softness, 0.5))


def openness(q, n, near, going, p):
    """How little is in the way of light from everywhere: 1 in the open, less in corners. `near`: the nearest shape."""
    closed = fma(0.0, q[1], 0.0)
    height, weight = closed + 0.03, closed + 1.0
    for _ in range(5):
        above = along(q, n, height)
        most = minimum(farthest(near, height), above[1])
        closed = fma(weight, height - minimum(nearest(above, most, going, p), above[1]), closed)
        height = height + 0.09
        weight = weight * 0.75
    return clamp(fma(-1.3, closed, 1.0), 0.0, 1.0)


def sky(d, p):
    """The sky in a direction: warm at the horizon and on the sun's side, and in it the sun."""
    rise = hidden(maximum(d[1], 0.0), 13.0)
    facing = fma(0.5, dot(d, p.sun), 0.5)
    glow = facing * facing * facing * facing
    disc = smoothstep(fma(facing, 125.0, -124.0))  # and what is bright around it: ten degrees
    return along(along(blended(HORIZON, ZENITH, rise), GLOW, glow), SUN, disc * disc)
