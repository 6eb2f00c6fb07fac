"""Make the palettes of `render/palettes.py`; writes their data, `palettes.npy`, into the current folder.

    python benchmarks/derive_palettes.py

A palette is a closed curve in OKLab (Ottosson, "A perceptual color space for image processing", 2020), where equal
distances look about equally different. It begins as a polygon through a few chosen colours, is rounded by a
Gaussian that runs around it, and is cut into steps of equal length, beginning at the darkest. The Gaussian
makes no new hills, so lightness rises once and falls once, as in the polygon; that is what carries
the structure for eyes that confuse hues.
"""

from __future__ import annotations

import numpy as np

ENTRIES = 256
FINE = 8192  # points of the curve while it is made
ROUNDING = 0.04  # standard deviation of the Gaussian, as a share of the whole turn

# Corners as (lightness, chroma, hue in degrees), from the darkest round to it again.
CORNERS = {
    "dusk": (
        (0.14, 0.055, 285), (0.30, 0.145, 272), (0.48, 0.150, 260), (0.70, 0.105, 245), (0.93, 0.030, 220),
        (0.99, 0.025, 95), (0.88, 0.120, 88), (0.70, 0.150, 65), (0.46, 0.130, 40), (0.25, 0.080, 10),
    ),
    "ember": (
        (0.11, 0.045, 340), (0.26, 0.105, 20), (0.46, 0.170, 29), (0.64, 0.180, 47), (0.82, 0.145, 80),
        (0.98, 0.065, 100), (0.92, 0.030, 30), (0.80, 0.060, 0), (0.60, 0.075, 340), (0.38, 0.078, 310),
        (0.20, 0.070, 293),
    ),
    "tide": (
        (0.12, 0.055, 262), (0.29, 0.103, 267), (0.50, 0.106, 240), (0.72, 0.105, 210), (0.91, 0.060, 200),
        (1.00, 0.015, 120), (0.88, 0.065, 90), (0.66, 0.075, 140), (0.44, 0.066, 165), (0.25, 0.042, 175),
    ),
    "moss": (
        (0.12, 0.028, 180), (0.27, 0.057, 164), (0.47, 0.085, 147), (0.67, 0.105, 132), (0.87, 0.105, 122),
        (1.00, 0.035, 100), (0.90, 0.055, 66), (0.80, 0.068, 64), (0.63, 0.080, 60), (0.39, 0.065, 38),
        (0.20, 0.045, 8),
    ),
    "aurora": (
        (0.12, 0.060, 272), (0.29, 0.054, 226), (0.48, 0.080, 190), (0.70, 0.115, 168), (0.90, 0.085, 155),
        (0.98, 0.025, 60), (0.84, 0.075, 345), (0.64, 0.115, 322), (0.42, 0.135, 302), (0.22, 0.120, 292),
    ),
    "pearl": (
        (0.10, 0.020, 310), (0.32, 0.052, 266), (0.58, 0.052, 256), (0.83, 0.042, 244), (1.00, 0.008, 140),
        (0.87, 0.046, 82), (0.63, 0.050, 66), (0.39, 0.048, 45), (0.20, 0.044, 15),
    ),
}  # fmt: skip

TO_CONES = np.array(
    [
        [1.0, 0.3963377774, 0.2158037573],
        [1.0, -0.1055613458, -0.0638541728],
        [1.0, -0.0894841775, -1.2914855480],
    ]
)
TO_LIGHT = np.array(
    [
        [4.0767416621, -3.3077115913, 0.2309699292],
        [-1.2684380046, 2.6097574011, -0.3413193965],
        [-0.0041960863, -0.7034186147, 1.7076147010],
    ]
)


def light(colours: np.ndarray) -> np.ndarray:
    """Linear sRGB light of OKLab colours, (N, 3) to (N, 3); outside 0..1 where the screen has no such colour."""
    return np.asarray((colours @ TO_CONES.T) ** 3 @ TO_LIGHT.T)


def oklab(linear: np.ndarray) -> np.ndarray:
    """OKLab colours of linear sRGB light, (N, 3) to (N, 3)."""
    return np.asarray(np.cbrt(linear @ np.linalg.inv(TO_LIGHT).T) @ np.linalg.inv(TO_CONES).T)


def steps(ring: np.ndarray) -> np.ndarray:
    """The lengths from each point to the next, the last to the first."""
    return np.asarray(np.linalg.norm(np.roll(ring, -1, axis=0) - ring, axis=1))


def evenly(ring: np.ndarray, count: int) -> np.ndarray:
    """So many points along the closed curve, equally far apart, from its first on."""
    travelled = np.concatenate([[0.0], np.cumsum(steps(ring))])
    closed = np.concatenate([ring, ring[:1]])
    wanted = np.arange(count) * (travelled[-1] / count)
    return np.stack([np.interp(wanted, travelled, closed[:, axis]) for axis in range(3)], axis=1)


def rounded(ring: np.ndarray) -> np.ndarray:
    """The closed curve, averaged along itself by a Gaussian."""
    wave = np.fft.rfftfreq(len(ring), 1 / len(ring))
    kept = np.exp(-2 * (np.pi * ROUNDING * wave) ** 2)
    return np.fft.irfft(np.fft.rfft(ring, axis=0) * kept[:, None], len(ring), axis=0)


def curve(name: str, count: int = ENTRIES) -> np.ndarray:
    """The palette in OKLab, (count, 3), beginning at the darkest."""
    lightness, chroma, hue = np.array(CORNERS[name]).T
    corners = np.stack([lightness, chroma * np.cos(np.radians(hue)), chroma * np.sin(np.radians(hue))], axis=1)
    fine = rounded(evenly(corners, FINE))
    return evenly(np.roll(fine, -np.argmin(fine[:, 0]), axis=0), count)


def codes(name: str) -> np.ndarray:
    """The palette as it is kept: linear light in steps of 1 / 65535, (256, 3). Raises ValueError outside the gamut."""
    linear = light(curve(name))
    if linear.min() < 0 or linear.max() > 1:
        raise ValueError(f"{name} has colours that no screen shows: {linear.min():.4f} .. {linear.max():.4f}")
    return np.asarray(np.rint(linear * 65535), dtype="<u2")


def main() -> None:
    """Write the data of all palettes."""
    np.save("palettes.npy", np.stack([codes(name) for name in CORNERS]))


if __name__ == "__main__":
    main()
