"""The Mandelbrot set without its colours: every sample is black, so what is measured is stepping alone."""

from render.escape_time import next_z, within

LIMIT = 1000
ABSORBING = True
INSIDE_FLAT = True

PARAMETERS = {
    "x": (-0.75, -4.0, 4.0, "Centre of the frame, real part."),
    "y": (0.0, -4.0, 4.0, "Centre of the frame, imaginary part."),
    "zoom": (1.6, 1e-3, 1e15, "Magnification: the frame is 4 / zoom high."),
    "bailout": (2.0, 2.0, 1e6, "How far out a point counts as gone."),
}


def prepare(parameters, size):
    """The bailout, squared."""
    return {"reach": parameters.bailout * parameters.bailout}


def start(x, y, p):
    """Z = 0 and c, the point itself."""
    return 0.0, 0.0, x, y


def step(state, p):
    """One step of z -> z z + c."""
    x, y, cx, cy = state
    x, y = next_z(x, y, cx, cy)
    return x, y, cx, cy


def alive(state, p):
    """Test whether |z| is still within the bailout."""
    return within(state[0], state[1], p)


def shade(state, steps, p):
    """Black."""
    return 0.0, 0.0, 0.0
