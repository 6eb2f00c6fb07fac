"""The Mandelbrot set around its tip at i, in frames 4 / 10^depth high: far beyond what float64 can tell apart.

Pixels are steps away from one reference orbit, that of c = i, which `prepare` computes once, exactly, in whole numbers:
z = Z + d and c = i + e give d -> (2 Z + d) d + e. Where z is nearer to 0 than to Z, or the reference ends, d starts
over from the reference's beginning (Zhuoran, 2021).
"""

from render.lanes import fma, take, where

LIMIT, ABSORBING, INSIDE_FLAT = 2000, False, True
PARAMETERS = {
    "depth": (40, 0, 280, "Magnification: the frame is 4 / 10^depth high."),
    "orbit": (600, 1, 100_000, "Length of the reference orbit, in steps."),
}
BITS = 64  # of the fixed point: the orbit of i stays on a few whole numbers, so no bit is ever lost


def reference(steps):
    """The orbit of c = i in fixed point: Z of each step, from 0."""
    one = 1 << BITS
    x, y, xs, ys = 0, 0, [], []
    for _ in range(steps):
        xs.append(x / one)
        ys.append(y / one)
        x, y = (x * x - y * y) >> BITS, ((2 * x * y) >> BITS) + one
    return xs, ys


def prepare(parameters, size):
    """The reference orbit, and what a pixel's place is worth at this depth."""
    xs, ys = reference(parameters.orbit)
    return {"xs": xs, "ys": ys, "last": float(parameters.orbit - 1), "scale": float(10) ** -parameters.depth}


def start(x, y, p):
    """Z = 0: no way from the reference, at its beginning; e, the pixel's way from i."""
    nought = x - x
    return nought, nought, x * p.scale, y * p.scale, nought


def step(state, p):
    """One step of the way from the reference, and the start over where it has grown longer than z itself."""
    dx, dy, ex, ey, at = state
    zx, zy = take(p.xs, at), take(p.ys, at)
    ax, ay = fma(2.0, zx, dx), fma(2.0, zy, dy)
    dx, dy, at = fma(ax, dx, fma(-ay, dy, ex)), fma(ax, dy, fma(ay, dx, ey)), at + 1.0
    zx, zy = take(p.xs, at) + dx, take(p.ys, at) + dy
    over = (fma(zx, zx, zy * zy) < fma(dx, dx, dy * dy)) | (at >= p.last)
    return where(over, zx, dx), where(over, zy, dy), ex, ey, where(over, 0.0, at)


def alive(state, p):
    """Tell whether |z| is within 2."""
    dx, dy, _, _, at = state
    zx, zy = take(p.xs, at) + dx, take(p.ys, at) + dy
    return fma(zx, zx, zy * zy) <= 4.0


def shade(state, steps, p):
    """Black inside, and lighter the later a sample has left."""
    light = where(alive(state, p), 0.0, steps / (steps + 200.0))
    return light, light * light, 0.5 * light
