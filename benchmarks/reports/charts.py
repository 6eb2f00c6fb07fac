"""Charts as SVG, which print, and which people who do not see colours can read: marks and dashes besides colour."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import NamedTuple

from harness.passes import duration

WIDTH, HEIGHT = 440, 300
LEFT, RIGHT, TOP, BOTTOM = 62, 12, 14, 46
BAR, NAMES, LABELS = 30, 168, 84  # of a bar chart: a row's height, and the room for names and for labels
MARKS = ("circle", "square", "diamond", "triangle", "cross")


class Point(NamedTuple):
    """A point of a line: where, how high, and from where to where it may lie."""

    x: float
    y: float
    low: float
    high: float


class Bar(NamedTuple):
    """A bar: its name, its length, from where to where it may end, what is written beside it, and its kind."""

    name: str
    value: float
    low: float
    high: float
    label: str
    kind: str = "other"


def lines(
    title: str,
    series: Mapping[str, Sequence[Point]],
    x_ticks: Mapping[float, str],
    *,
    axes: tuple[str, str],
    log: bool = True,
    guides: Mapping[str, Sequence[tuple[float, float]]] | None = None,
) -> str:
    """A chart of lines, both axes logarithmic or both plain. guides: thin lines for comparison, by name."""
    guides = guides or {}
    every = [value for points in series.values() for point in points for value in (point.y, point.low, point.high)]
    every += [y for points in guides.values() for _, y in points]
    across = Scale(list(x_ticks), LEFT, WIDTH - RIGHT, log=log, room=0.04)
    up = Scale([value for value in every if value > 0], HEIGHT - BOTTOM, TOP, log=log, room=0.06)
    parts = [*_grid(up, axes[1], log=log), *_x_axis(across, x_ticks, axes[0])]
    for name, guide in guides.items():
        where = " ".join(f"{across(x):.1f},{up(y):.1f}" for x, y in guide)
        parts.append(f'<polyline class="guide" points="{where}"/>')
        x, y = guide[-1]
        at = f'x="{across(x) - 4:.1f}" y="{up(y) - 6:.1f}"'
        parts.append(f'<text class="small" text-anchor="end" {at}>{escape(name)}</text>')
    for number, (_, points) in enumerate(series.items()):
        where = " ".join(f"{across(one.x):.1f},{up(one.y):.1f}" for one in points)
        parts.append(f'<polyline class="line l{number}" points="{where}"/>')
        for one in points:
            if 0 < one.low < one.high < math.inf:
                x = across(one.x)
                parts.append(f'<path class="span l{number}" d="M{x:.1f} {up(one.low):.1f}V{up(one.high):.1f}"/>')
            parts.append(mark(number, across(one.x), up(one.y)))
    told = "; ".join(f"{name}: {_told(points, x_ticks)}" for name, points in series.items())
    return _figure(title, told, WIDTH, HEIGHT, parts) + legend(series)


def _told(points: Sequence[Point], ticks: Mapping[float, str]) -> str:
    return ", ".join(f"{ticks.get(one.x, f'{one.x:g}')} {one.y:.3g}" for one in points)


def legend(names: Iterable[str]) -> str:
    """Marks and names, as wrapping text beneath a chart."""
    items = "".join(
        f'<li><svg viewBox="0 0 28 14" width="28" height="14" aria-hidden="true">'
        f'<path class="line l{number}" d="M1 7H27"/>{mark(number, 14, 7)}</svg>{escape(name)}</li>'
        for number, name in enumerate(names)
    )
    return f'<ul class="legend">{items}</ul>'


def mark(number: int, x: float, y: float) -> str:
    """A series' mark, a form of its own."""
    form = {
        "circle": f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4"',
        "square": f'<rect x="{x - 4:.1f}" y="{y - 4:.1f}" width="8" height="8"',
        "diamond": f'<path d="M{x:.1f} {y - 5.5:.1f}l5.5 5.5l-5.5 5.5l-5.5-5.5z"',
        "triangle": f'<path d="M{x:.1f} {y - 5:.1f}l5 9h-10z"',
        "cross": f'<path d="M{x - 4:.1f} {y - 4:.1f}l8 8m0-8l-8 8"',
    }[MARKS[number % len(MARKS)]]
    return f'{form} class="mark l{number}"/>'


def bars(title: str, found: Sequence[Bar], axis: str, *, middle: float | None = None) -> str:
    """A chart of lying bars on a logarithmic axis, with whiskers; from `middle` where bars go to both sides of it."""
    ends = [value for one in found for value in (one.value, one.low, one.high) if 0 < value < math.inf]
    ends += [middle] if middle else [min(ends) / 2]
    height = TOP + BAR * len(found) + BOTTOM
    across = Scale(ends, NAMES, WIDTH - LABELS, log=True, room=0.02)
    start = across(middle) if middle else NAMES
    parts = []
    base = height - BOTTOM
    for value in across.ticks():
        x = across(value)
        parts.append(f'<path class="grid" d="M{x:.1f} {TOP}V{base}"/>')
        parts.append(_small(x, base + 16, number(value)))
    for place, one in enumerate(found):
        y, end = TOP + BAR * place, across(one.value)
        left, right = min(start, end), max(start, end)
        wide, high = max(right - left, 1), BAR - 12
        parts.append(f'<rect class="bar {one.kind}" x="{left:.1f}" y="{y + 6}" width="{wide:.1f}" height="{high}"/>')
        if 0 < one.low < one.high < math.inf:
            parts.append(f'<path class="whisker" d="M{across(one.low):.1f} {y + BAR / 2}H{across(one.high):.1f}"/>')
        parts.append(f'<text text-anchor="end" x="{NAMES - 8}" y="{y + BAR / 2 + 4}">{escape(short(one.name))}</text>')
        beyond = max(right, across(one.high) if 0 < one.high < math.inf else right)
        parts.append(f'<text x="{beyond + 6:.1f}" y="{y + BAR / 2 + 4}">{escape(one.label)}</text>')
    parts.append(_small((NAMES + WIDTH - LABELS) / 2, height - 10, axis))
    told = "; ".join(f"{one.name}: {one.label}" for one in found)
    return _figure(title, told, WIDTH, height, parts)


def short(name: str) -> str:
    """A name that fits beside a bar."""
    return name if len(name) <= 22 else name[:21] + "…"


class Scale:
    """From values to places along an axis."""

    def __init__(self, values: Sequence[float], start: float, end: float, *, log: bool, room: float) -> None:
        self.log, self.start, self.end = log, start, end
        if log:
            low, high = math.log10(min(values)), math.log10(max(values))
        else:
            low, high = 0.0, max(values)
        span = (high - low) or 1.0
        self.low, self.high = (low - room * span if log else low), high + room * span

    def __call__(self, value: float) -> float:
        """The place of a value."""
        share = ((math.log10(value) if self.log else value) - self.low) / (self.high - self.low)
        return self.start + min(max(share, 0.0), 1.0) * (self.end - self.start)

    def ticks(self) -> list[float]:
        """Round values within the axis: powers of ten, with 2 and 5 of each where there are few."""
        if not self.log:
            step = 10 ** math.floor(math.log10(self.high or 1))
            step = next(one for one in (step / 5, step / 2, step, 2 * step) if self.high / one <= 6)
            return [step * n for n in range(int(self.high / step) + 1)]
        powers = range(math.floor(self.low), math.ceil(self.high) + 1)
        for factors in ((1,), (1, 3), (1, 2, 5)):
            found = [f * 10.0**n for n in powers for f in factors if self.low <= math.log10(f * 10.0**n) <= self.high]
            if len(found) >= 3:
                return found
        return even(10**self.low, 10**self.high)


def even(low: float, high: float) -> list[float]:
    """Round values between two that are near to each other, at even distances: at most seven."""
    step = 10 ** math.floor(math.log10(high - low))
    step = next(one for one in (step / 5, step / 2, step, 2 * step) if (high - low) / one <= 6)
    first, last = math.ceil(low / step), math.floor(high / step)
    return [step * n for n in range(first, last + 1)]


def number(value: float) -> str:
    """A tick's number."""
    return f"{value:.6g}" if value == 0 or 1e-3 <= value < 1e5 else f"{value:.0e}"


def _grid(up: Scale, label: str, *, log: bool) -> list[str]:
    parts = []
    for value in up.ticks():
        y = up(value)
        told = duration(value) if log else number(value)
        parts.append(f'<path class="grid" d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}"/>')
        parts.append(f'<text class="small" text-anchor="end" x="{LEFT - 6}" y="{y + 4:.1f}">{told}</text>')
    middle = (TOP + HEIGHT - BOTTOM) / 2
    turned = f'transform="rotate(-90 12 {middle})"'
    return [*parts, f'<text class="small" text-anchor="middle" x="12" y="{middle}" {turned}>{escape(label)}</text>']


def _x_axis(across: Scale, ticks: Mapping[float, str], label: str) -> list[str]:
    parts, last = [f'<path class="axis" d="M{LEFT} {HEIGHT - BOTTOM}H{WIDTH - RIGHT}"/>'], -math.inf
    for value, words in ticks.items():
        x = across(value)
        if x - last > 7 * len(words):  # else names would run into each other
            half = 3.5 * len(words)
            parts.append(_small(min(x, WIDTH - half), HEIGHT - BOTTOM + 17, words))
            last = x
    middle = (LEFT + WIDTH - RIGHT) / 2
    return [*parts, _small(middle, HEIGHT - 8, label)]


def _small(x: float, y: float, words: str) -> str:
    return f'<text class="small" text-anchor="middle" x="{x:.1f}" y="{y:.1f}">{escape(words)}</text>'


def _figure(title: str, told: str, width: float, height: float, parts: Sequence[str]) -> str:
    label = escape(f"{title}. {told}", quote=True)
    return f'<svg class="chart" role="img" viewBox="0 0 {width} {height}" aria-label="{label}">{"".join(parts)}</svg>'
