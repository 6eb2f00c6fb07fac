"""Ceramics, a pear and a brass ring on a chequered table in late-afternoon light, ray marched.

A step asks how near the nearest surface is and goes that far along the ray (sphere tracing: Hart, The Visual
Computer 12(10), 1996), until it is within half a pixel. The table is a plane, met by division. `shade` then follows
soft shadow, occlusion and mirror images, so the time goes where there is something to see. Lengths are in feet.
"""

from render.lanes import abs, any_lane, clamp, cos, floor, fma, maximum, minimum, sin, smoothstep, sqrt, take, where
from render.vectors import along, dot, length, normalised, scaled, times

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
AWAY = 1e9  # as far as nothing is
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


def added(a, b, c):
    """Colour a and colour b seen through a filter c."""
    return fma(b[0], c[0], a[0]), fma(b[1], c[1], a[1]), fma(b[2], c[2], a[2])


def blended(a, b, t):
    """Colour a with a share t of b."""
    return fma(t, b[0] - a[0], a[0]), fma(t, b[1] - a[1], a[1]), fma(t, b[2] - a[2], a[2])


def start(x, y, p):
    """The way gone, the distance to the nearest surface when last asked, the ray's direction, and where it ends."""
    d = normalised(along(along(p.ahead, p.up, y), p.right, x))
    entry, end = span(along(p.eye, d, 0.0), d)
    return entry, 1e9, d[0], d[1], d[2], end


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
    above = o[0], o[1] - MIDDLE, o[2]
    middle = -dot(above, d)
    half = sqrt(maximum(fma(middle, middle, REACH * REACH - dot(above, above)), 0.0))
    return maximum(middle - half, 0.0), minimum(middle + half, table(o, d))


def table(o, d):
    """How far it is to the table; FAR for rays that do not meet it before."""
    return where(d[1] < 0.0, minimum(o[1] / maximum(-d[1], 1e-6), FAR), FAR)


def mirrored(o, d, going, p):
    """Follow mirrored rays as `step` does, where `going`: the way gone, and where the ray had to end."""
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
    """How far the nearest shape can be after some way, as far as rounding may take it."""
    return fma(1.001, way, distance + 1e-3)


def nearest(q, most, going, p):
    """The distance to the nearest shape, or a little less: never more. Where that is above `most`, anything above it."""
    vase, _, pear, _, stem, slab, ball, ring = shapes(q, most, going, p)
    return minimum(minimum(minimum(vase, pear), minimum(stem, slab)), minimum(ball, ring))


def shapes(q, most, going, p):
    """The distance to each shape; behind vase and pear how much farther off their lower part is than the upper.

    Shapes that are farther than `most`, or than another one, in all lanes that are `going`, are left out: AWAY.
    """
    x, y, z = q
    vase = pear = stem = slab = ball = ring = fma(0.0, y, AWAY)
    neck = top = fma(0.0, y, 0.0)
    vx, vz = x + 0.72, z + 0.28
    if any_lane(going & closer(vx, y, vz, 0.46, 1.14, fma(1.13, maximum(most, 0.0), fma(0.29, p.blend, 0.505)))):
        vase, neck = vase_at(vx, y, vz, p)
        most = minimum(most, vase)
    bx, bz = x - 0.86, z + 0.3
    if any_lane(going & closer(bx, y, bz, 0.15, 0.275, most + 0.635)):
        slab = rounded_box(fma(0.8, bx, -0.6 * bz), y - 0.15, fma(0.6, bx, 0.8 * bz))
        ball = length((bx + 0.02, y - 0.6, bz)) - 0.3
        most = minimum(most, minimum(slab, ball))
    px, pz = x - 0.16, z - 0.42
    if any_lane(going & closer(px, y, pz, 0.285, 0.66, fma(0.25, p.blend, most + 0.305))):
        pear, top, stem = pear_at(px, y, pz, p)
        most = minimum(most, minimum(pear, stem))
    rx, rz = x - 0.72, z - 0.62
    if any_lane(going & closer(rx, y, rz, 0.07, 0.07, most + 0.305)):
        ring = length((length((rx, rz, 0.0)) - 0.23, y - 0.07, 0.0)) - 0.07
    return vase, neck, pear, top, stem, slab, ball, ring


def closer(x, y, z, low, high, reach):
    """Whether the upright line from `low` to `high` is closer than `reach`; else so is no shape within as much of it."""
    y = y - clamp(y, low, high)
    return fma(x, x, fma(y, y, z * z)) < reach * reach


def vase_at(x, y, z, p):
    """The vase, seen from its axis, and how much farther its body is than its neck."""
    from_axis = length((x, z, 0.03))  # rounded, or the bottom of the neck would come to a point
    body = length((from_axis, y - 0.46, 0.0)) - 0.5
    neck = flared_neck(from_axis, y)
    return melted(body, neck, p.blend), body - neck


def pear_at(x, y, z, p):
    """The pear, how much farther its lower part is than the upper, and its stem."""
    low = length((x, y - 0.285, z)) - 0.3
    high = length((x - 0.03, y - 0.66, z)) - 0.15
    stem = length((x - 0.05, y - clamp(y, 0.78, 0.93), z)) - 0.018
    return melted(low, high, p.blend), low - high, stem


def flared_neck(r, y):
    """A thin tube from y = 0.8 to 1.5, narrowest at 1.1: an arc of a circle, with rounded ends, turned around the axis.

    Seen from the circle's centre, `ahead` lies the arc's middle and `aside` are both its halves, one on the other. The
    distance is shortened by a ninth: so neck and body flow into each other more broadly.
    """
    out, up = r - 0.844, y - 1.1
    ahead, aside = fma(0.0844, up, -0.9964 * out), abs(fma(0.9964, up, 0.0844 * out))
    beside = fma(0.8603, aside, -0.5098 * ahead) < 0.0
    away = length((where(beside, ahead, ahead - 0.5927), where(beside, aside, aside - 0.3513), 0.0))
    return 0.89 * (where(beside, abs(away - 0.689), away) - 0.034)


def rounded_box(x, y, z):
    """A slab of 1.04 x 0.3 x 0.72 with rounded edges."""
    x, y, z = abs(x) - 0.48, abs(y) - 0.11, abs(z) - 0.32
    outside = length((maximum(x, 0.0), maximum(y, 0.0), maximum(z, 0.0)))
    return outside + minimum(maximum(x, maximum(y, z)), 0.0) - 0.04


def melted(a, b, reach):
    """The union of two shapes, filled out by a parabola where both are nearly as near; the same for b and a."""
    near = maximum(reach - abs(a - b), 0.0)
    return fma(near * near / reach, -0.25, minimum(a, b))


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
        if any_lane(through[0] > 0.0):
            q = along(o, d, t)
            n = normal(q, shape, gone, distance, p)
            facing = clamp(-dot(n, d), 0.0, 1.0)
            d = along(d, n, 2.0 * facing)
            o = along(q, n, fma(p.cone, gone + gone, 1e-3))  # off the surface, or it would shade itself
            row, share, near = surface(o, shape, p.cone * (gone + gone) / maximum(facing, 1e-3), p)
            matte, mirror = material(row, share, facing, p)
            slant = maximum(dot(n, p.sun), 0.0)
            sun = slant * sunshine(o, (through[0] > 0.0) & (slant > 0.0), p)
            around = blended(TABLE_LIGHT, SKYLIGHT, fma(0.5, n[1], 0.5))
            falling = along(scaled(around, openness(o, n, near, p)), SUNLIGHT, sun)
            light = added(light, through, times(matte, falling))
            through = times(through, mirror)
    light = added(light, through, REST)
    return developed(light[0]), developed(light[1]), developed(light[2])


def normal(q, shape, gone, distance, p):
    """Where the surface faces: for a shape from four distances around the point, for the table upwards."""
    reach = fma(p.cone, gone, 3e-4)
    most = farthest(distance, fma(2.0, reach, distance))
    n = scaled(q, 0.0)
    if any_lane(shape):
        for i in range(0, 12, 3):
            corner = p.corners[i], p.corners[i + 1], p.corners[i + 2]
            n = along(n, corner, nearest(along(q, corner, reach), most, shape, p))
        n = normalised(n)
    return where(shape, n[0], 0.0), where(shape, n[1], 1.0), where(shape, n[2], 0.0)


def surface(q, shape, width, p):
    """What is here: its row in MATERIALS, and how much of the next row is in it."""
    vase, neck, pear, top, stem, slab, ball, ring = shapes(q, fma(0.0, width, AWAY), shape, p)
    near = minimum(minimum(minimum(vase, pear), minimum(stem, slab)), minimum(ball, ring))
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
        h = nearest(along(q, p.sun, at), farthest(h, abs(at - here)), going, p)
        here = at
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


def openness(q, n, near, p):
    """How little is in the way of light from everywhere: 1 in the open, less in corners."""
    closed = fma(0.0, q[1], 0.0)
    height, weight = closed + 0.03, closed + 1.0
    for _ in range(5):
        above = along(q, n, height)
        most = minimum(farthest(near, height), above[1])
        closed = fma(weight, height - minimum(nearest(above, most, most < AWAY, p), above[1]), closed)
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


def hidden(gone, fog):
    """How much haze hides of what is so far away: u^2 / (1 + u^2), a half at 1 / fog."""
    u = gone * fog
    return u * u / fma(u, u, 1.0)


def developed(light):
    """Light of any strength as 0 .. 1: a soft toe, and a shoulder that never quite reaches white."""
    return light * (light + 0.095) / fma(light, light + 0.65, 0.195)
