"""The Mandelbrot set: the points that stay near zero under z -> z z + c, and how fast the others leave.

Interior points never end and cost `limit` steps each, so a frame's cost is uneven: that is what tiles are for.
"""

from render.escape_time import COLOURING, colouring, next_z, shaded, within
from render.lanes import fma, maximum, sqrt

LIMIT = 1000
PRECISION = "f64"
ABSORBING = True  # bailout >= 2: beyond it, and for |c| <= |z|, every step leads further out
INSIDE_FLAT = True

PARAMETERS = {
    "x": (-0.75, -4.0, 4.0, "Centre of the frame, real part."),
    "y": (0.0, -4.0, 4.0, "Centre of the frame, imaginary part."),
    "zoom": (1.6, 1e-3, 1e15, "Magnification: the frame is 4 / zoom high."),
    "bailout": (256.0, 2.0, 1e6, "How far out a point counts as gone; from about 100 the colours are smooth."),
    **COLOURING,
}

VIEWS = {
    "whole": {},
    "valley": {"x": -0.7534, "y": 0.078, "zoom": 180.0, "light": 0.6, "limit": 3000},
    "seahorses": {"x": -0.74515, "y": 0.1128, "zoom": 700.0, "limit": 3000},
    "elephants": {
        "x": 0.2752, "y": 0.0066, "zoom": 700.0, "palette": "moss", "offset": 0.3, "light": 0.8, "limit": 4000,
    },
    "lightning": {
        "x": -0.10109, "y": 0.95628, "zoom": 120.0, "palette": "aurora", "density": 0.8, "light": 0.8, "limit": 2000,
    },
    "needle": {
        "x": -1.7494, "y": 0.0, "zoom": 60.0, "palette": "tide", "density": 0.6, "offset": 0.5, "light": 0.7,
        "edge": 0.6, "limit": 2000,
    },
    "tails": {
        "x": -0.7436, "y": 0.1318, "zoom": 9000.0, "palette": "ember", "light": 0.7, "edge": 0.5, "limit": 4000,
    },
    "spiral": {"x": -0.743643887037151, "y": 0.13182590420533, "zoom": 1e5, "limit": 5000},
    "island": {
        "x": -1.7686678631, "y": 0.0016455800, "zoom": 8e8, "palette": "tide", "density": 2.5, "light": 0.7,
        "limit": 6000,
    },
    "brooch": {
        "x": -0.7436438870371587, "y": 0.1318259042053120, "zoom": 9e10, "palette": "ember", "density": 2.0,
        "limit": 10000,
    },
    "rosette": {  # as deep as float64 goes: a pixel of a frame 720 high is six of its last places wide
        "x": -0.7436438870371587, "y": 0.1318259042053120, "zoom": 8e12, "palette": "aurora", "density": 3.0,
        "limit": 10000,
    },
}  # fmt: skip


def prepare(parameters, size):
    """What colours, light and shortcuts need."""
    real = type(parameters.zoom)
    margin = 2.0**-5 if real(1.0 + 2.0**-30) == 1.0 else 2.0**-16
    return colouring(parameters) | {"steady": (1.0 - margin) ** 2}


def start(x, y, p):
    """Z = 0 and c, the point itself."""
    return 0.0, 0.0, x, y


def step(state, p):
    """One step of z -> z z + c."""
    x, y, cx, cy = state
    x, y = next_z(x, y, cx, cy)
    return x, y, cx, cy


def alive(state, p):
    """Whether |z| is still within the bailout."""
    return within(state[0], state[1], p)


def never_ends(x, y, p):
    """Whether c is well inside the cardioid, or the disc on its left: the orbit is then drawn to 1 or 2 points.

    With each turn the way to them shrinks by 1 - sqrt(1 - 4 c), or by 4 (c + 1) where they are two (Douady and
    Hubbard, 1982). Here that is 1 - m at most. Rounding by u at each step then keeps the orbit off by u / m, and to get
    away it would have to be off by about m / 2: u is far below m m.
    """
    u, v = fma(-4.0, x, 1.0), 4.0 * y
    size = sqrt(fma(u, u, v * v))
    one = 1.0 + size - 2.0 * sqrt(maximum(fma(0.5, size, 0.5 * u), 0.0))
    left = fma(4.0, x, 4.0)
    return (one <= p.steady) | (fma(left, left, v * v) <= p.steady)


def symmetric(p):
    """The set is its own mirror image; light from one side is not."""
    return p.relief == 0


def shade(state, steps, p):
    """Inside black; outside a colour of the palette, in relief where that is asked for."""
    x, y, cx, cy = state
    nought = cx - cx
    orbit = nought, nought, cx, cy, nought, nought + p.height
    return shaded(x, y, steps, alive(state, p), orbit, p)
