"""A scene in which nothing is ever stepped and every sample has a colour: what is left is what pixels cost."""

ABSORBING = True
INSIDE_FLAT = True
PARAMETERS = {"zoom": (2.0, 0.1, 10.0, "Magnification: the frame is 4 / zoom high.")}


def start(x, y, p):
    """The point itself."""
    return x, y


def step(state, p):
    """Never made."""
    return state


def alive(state, p):
    """No sample is."""
    return state[0] != state[0]


def shade(state, steps, p):
    """The point as a colour: what lies beyond 0 .. 1 is clamped like any light."""
    x, y = state
    return x, y, x - y
