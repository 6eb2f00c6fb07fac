"""Julia sets: for one c, the points that stay near zero under z -> z z + c; each c of the Mandelbrot set makes another.

The point is where z begins, and c is the same for all. Most of a frame leaves after a few steps or, where c belongs to
the Mandelbrot set, never.
"""

from render.escape_time import COLOURING, colouring, next_z, shaded, within

LIMIT = 1000
PRECISION = "f64"
ABSORBING = True  # the least bailout is above (1 + sqrt(1 + 4 |c|)) / 2 for the largest |c|, which is 2.25
INSIDE_FLAT = True

PARAMETERS = {
    "x": (0.0, -4.0, 4.0, "Centre of the frame, real part."),
    "y": (0.0, -4.0, 4.0, "Centre of the frame, imaginary part."),
    "zoom": (1.8, 1e-3, 1e15, "Magnification: the frame is 4 / zoom high."),
    "cx": (-0.8, -2.0, 2.0, "Real part of c."),
    "cy": (0.156, -2.0, 2.0, "Imaginary part of c."),
    "bailout": (256.0, 2.5, 1e6, "How far out a point counts as gone; from about 100 the colours are smooth."),
    **COLOURING,
}

VIEWS = {
    "dragon": {},
    "rabbit": {"cx": -0.123, "cy": 0.745, "palette": "ember", "density": 0.7, "light": 0.8},
    "coils": {"cx": 0.285, "cy": 0.01, "zoom": 1.7, "palette": "moss", "light": 0.7, "edge": 0.6},
    "medallions": {
        "cx": -0.70176, "cy": -0.3842, "zoom": 1.9, "palette": "pearl", "density": 0.7, "light": 0.7, "edge": 0.5,
    },
    "eyes": {"cx": -0.75, "cy": 0.11, "zoom": 2.0, "palette": "tide", "density": 1.0, "light": 0.7, "edge": 0.5},
    "whirl": {
        "cx": 0.355, "cy": 0.355, "x": -0.13, "y": 0.42, "zoom": 9.0, "palette": "aurora", "density": 1.0,
        "light": 0.7, "edge": 0.5,
    },
}  # fmt: skip


def prepare(parameters, size):
    """C, and what colours and light need."""
    return colouring(parameters) | {"cx": parameters.cx, "cy": parameters.cy}


def start(x, y, p):
    """Z, the point itself, and that point once more for `shade`."""
    return x, y, x, y


def step(state, p):
    """One step of z -> z z + c."""
    x, y, first_x, first_y = state
    x, y = next_z(x, y, p.cx, p.cy)
    return x, y, first_x, first_y


def alive(state, p):
    """Whether |z| is still within the bailout."""
    return within(state[0], state[1], p)


def shade(state, steps, p):
    """Inside black; outside a colour of the palette, in relief where that is asked for."""
    x, y, first_x, first_y = state
    nought = first_x - first_x
    orbit = first_x, first_y, nought + p.cx, nought + p.cy, nought + p.height, nought
    return shaded(x, y, steps, alive(state, p), orbit, p)
