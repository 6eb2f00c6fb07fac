"""Points, directions and colours of three lanes each, and distances to solids, for scenes that follow rays.

Lanes cannot be grouped in a scene's state, but they can on the way: a vector here is a tuple of three.
"""

from __future__ import annotations

from render.lanes import Lane, abs, fma, maximum, minimum, sqrt, where

Vector = tuple[Lane, Lane, Lane]


def along(a: Vector, b: Vector, t: Lane) -> Vector:
    """Compute a + t b: a point on a ray, or more of a colour."""
    return fma(t, b[0], a[0]), fma(t, b[1], a[1]), fma(t, b[2], a[2])


def scaled(a: Vector, t: Lane) -> Vector:
    """Multiply every part by t."""
    return a[0] * t, a[1] * t, a[2] * t


def times(a: Vector, b: Vector) -> Vector:
    """See colour a through a filter b: multiply part by part."""
    return a[0] * b[0], a[1] * b[1], a[2] * b[2]


def dot(a: Vector, b: Vector) -> Lane:
    """Compute the scalar product."""
    return fma(a[0], b[0], fma(a[1], b[1], a[2] * b[2]))


def length(a: Vector) -> Lane:
    """Compute the length of a vector."""
    return sqrt(dot(a, a))


def normalised(a: Vector) -> Vector:
    """Scale a vector to length 1; the zero vector stays."""
    return scaled(a, 1.0 / maximum(length(a), 1e-9))


def is_closer(x: Lane, y: Lane, z: Lane, reach: Lane) -> Lane:
    """Test, without a root, whether a vector is shorter than `reach`."""
    return fma(x, x, fma(y, y, z * z)) < reach * reach


# --- rays and solids ------------------------------------------------------------------------------------------


def cross_sphere(o: Vector, d: Vector, radius: float) -> tuple[Lane, Lane]:
    """Find where the line o + t d enters and leaves a sphere around 0; for a miss, where it is closest, twice."""
    middle = -dot(o, d)
    half = sqrt(maximum(fma(middle, middle, radius * radius - dot(o, o)), 0.0))
    return middle - half, middle + half


def rounded_box(q: Vector, half: tuple[float, float, float], radius: float) -> Lane:
    """Compute the distance to a box around 0 with rounded edges: of twice `half`, and `radius` more on every side."""
    x, y, z = abs(q[0]) - half[0], abs(q[1]) - half[1], abs(q[2]) - half[2]
    outside = length((maximum(x, 0.0), maximum(y, 0.0), maximum(z, 0.0)))
    return outside + minimum(maximum(x, maximum(y, z)), 0.0) - radius


def arc(
    x: Lane,
    y: Lane,
    direction: tuple[float, float],
    opening: tuple[float, float],
    end: tuple[float, float],
    radius: float,
) -> Lane:
    """Compute the distance, in a plane, to an arc of a circle around 0.

    direction: cosine and sine of where its middle lies; opening: of half its angle; end: where it ends if its middle
    lies on the first axis. Both halves are seen as one, so one root does.
    """
    ahead, aside = fma(direction[1], y, direction[0] * x), abs(fma(-direction[0], y, direction[1] * x))
    beside = fma(opening[0], aside, -opening[1] * ahead) < 0.0
    away = length((where(beside, ahead, ahead - end[0]), where(beside, aside, aside - end[1]), 0.0))
    return where(beside, abs(away - radius), away)


def melted(a: Lane, b: Lane, reach: Lane) -> Lane:
    """Unite two shapes, filled out by a parabola where both are nearly as near; the same for b and a."""
    near = maximum(reach - abs(a - b), 0.0)
    return fma(near * near / reach, -0.25, minimum(a, b))


# --- colours --------------------------------------------------------------------------------------------------


def added(a: Vector, b: Vector, c: Vector) -> Vector:
    """Add to colour a colour b seen through a filter c."""
    return fma(b[0], c[0], a[0]), fma(b[1], c[1], a[1]), fma(b[2], c[2], a[2])


def blended(a: Vector, b: Vector, t: Lane) -> Vector:
    """Blend colour a with a share t of b."""
    return fma(t, b[0] - a[0], a[0]), fma(t, b[1] - a[1], a[1]), fma(t, b[2] - a[2], a[2])


def hidden(gone: Lane, fog: Lane) -> Lane:
    """Compute how much haze hides of what is so far away: u^2 / (1 + u^2), a half at 1 / fog."""
    u = gone * fog
    return u * u / fma(u, u, 1.0)


def developed(light: Vector) -> Vector:
    """Bring light of any strength to 0 .. 1: a soft toe, and a shoulder that never quite reaches white."""
    return _exposed(light[0]), _exposed(light[1]), _exposed(light[2])


def _exposed(light: Lane) -> Lane:
    return light * (light + 0.095) / fma(light, light + 0.65, 0.195)
