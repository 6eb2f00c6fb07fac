"""The Mandelbrot set: the points that stay near zero under z -> z z + c, and how fast the others leave.

Interior points never end and cost `limit` steps each, so a frame's cost is uneven: that is what tiles are for. The
outside is coloured by the number of steps, made continuous by how far beyond the bailout the last one went,
which runs through a cyclic palette, one turn for so many doublings.
"""

from render.lanes import fma, fract, log2, maximum, mix, take, where
from render.palettes import PALETTES, palette

LIMIT = 1000
PRECISION = "f64"
ABSORBING = True  # bailout >= 2: beyond it, and for |c| <= |z|, every step leads further out
INSIDE_FLAT = True

PARAMETERS = {
    "x": (-0.75, -4.0, 4.0, "Centre of the frame, real part."),
    "y": (0.0, -4.0, 4.0, "Centre of the frame, imaginary part."),
    "zoom": (1.6, 1e-3, 1e15, "Magnification: the frame is 4 / zoom high."),
    "bailout": (256.0, 2.0, 1e6, "How far out a point counts as gone; from about 100 the colours are smooth."),
    "density": (0.45, 0.0, 100.0, "Turns of the palette for each doubling of the steps."),
    "offset": (0.0, -1000.0, 1000.0, "Where on the palette the colours begin, in turns."),
    "palette": ("dusk", tuple(PALETTES), "Colours of the outside."),
}

VIEWS = {
    "whole": {},
    "valley": {"x": -0.7496, "y": 0.0805, "zoom": 180.0, "limit": 3000},
    "seahorses": {"x": -0.74515, "y": 0.1128, "zoom": 700.0, "limit": 3000},
    "elephants": {"x": 0.2744, "y": 0.0062, "zoom": 500.0, "limit": 4000},
    "lightning": {"x": -0.10109, "y": 0.95628, "zoom": 120.0, "limit": 2000},
    "tails": {"x": -0.7436, "y": 0.1318, "zoom": 9000.0, "limit": 4000},
    "spiral": {"x": -0.743643887037151, "y": 0.13182590420533, "zoom": 1e5, "limit": 5000},
    "needle": {"x": -1.7494, "y": 0.0, "zoom": 60.0, "limit": 2000},
}


def prepare(parameters, size):
    """The squared bailout and its logarithm, and the palette with its first colour again at the end."""
    colours = palette(parameters.palette)
    reach = parameters.bailout * parameters.bailout
    return {
        "reach": reach,
        "per_reach": 1.0 / log2(reach),
        "density": parameters.density,
        "offset": parameters.offset,
        "turn": float(len(colours)),
        "red": [*colours[:, 0], colours[0, 0]],
        "green": [*colours[:, 1], colours[0, 1]],
        "blue": [*colours[:, 2], colours[0, 2]],
    }


def start(x, y, p):
    """Z = 0 and c, the point itself."""
    return 0.0, 0.0, x, y


def step(state, p):
    """One step of z -> z z + c: three fma and one sum."""
    x, y, cx, cy = state
    part = fma(-y, y, cx)
    return fma(x, x, part), fma(x + x, y, cy), cx, cy


def alive(state, p):
    """Whether |z| is still within the bailout."""
    x, y, _, _ = state
    return fma(x, x, y * y) <= p.reach


def shade(state, steps, p):
    """Inside black; outside a colour of the palette by the continuous number of steps."""
    x, y, _, _ = state
    far = maximum(fma(x, x, y * y), p.reach)
    late = steps + 1.0 - log2(log2(far) * p.per_reach)
    turn = fma(fract(fma(log2(maximum(late, 1.0)), p.density, p.offset)), p.turn, 0.0)  # a product that stays one
    inside = alive(state, p)
    return (
        where(inside, 0.0, blend(p.red, turn)),
        where(inside, 0.0, blend(p.green, turn)),
        where(inside, 0.0, blend(p.blue, turn)),
    )


def blend(colours, turn):
    """Between two neighbouring entries of a palette."""
    return mix(take(colours, turn), take(colours, turn + 1.0), fract(turn))
