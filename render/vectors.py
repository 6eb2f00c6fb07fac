"""Points, directions and colours of three lanes each, for scenes that follow rays.

Lanes cannot be grouped in a scene's state, but they can on the way: a vector here is a tuple of three.
"""

from __future__ import annotations

from render.lanes import Lane, fma, maximum, sqrt

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
