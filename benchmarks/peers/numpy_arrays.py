"""NumPy, whole arrays, with those that are gone taken out.

One thread, no fma, and every operation goes through memory. It does take out what has ended, which the first version
that everybody writes does not. Its arrays are complex, as NumPy's users write it.
"""

from __future__ import annotations

from peers import UNFUSED, Counts, Frame

NAME, CORES, WHY = "NumPy", "one", UNFUSED


def build(frame: Frame) -> Counts:
    """Prepare the plane; the loop is what is timed."""
    import numpy as np

    real, both = (np.float32, np.complex64) if frame.precision == "f32" else (np.float64, np.complex128)
    x = frame.x0 + (np.arange(frame.width) + 0.5 - frame.width / 2) * frame.pitch
    y = frame.y0 + (frame.height / 2 - np.arange(frame.height) - 0.5) * frame.pitch
    plane = (x.astype(real)[None, :] + 1j * y.astype(real)[:, None]).astype(both).ravel()  # type: ignore[operator]

    def counts(out: np.ndarray) -> None:
        flat = out.reshape(-1)
        flat[:] = frame.limit
        c, z, where = plane, np.zeros_like(plane), np.arange(plane.size)
        for step in range(frame.limit):
            gone = z.real * z.real + z.imag * z.imag > 4
            if gone.any():
                flat[where[gone]] = step
                left = ~gone
                c, z, where = c[left], z[left], where[left]
            if not where.size:
                break
            np.multiply(z, z, out=z)
            np.add(z, c, out=z)

    return counts
