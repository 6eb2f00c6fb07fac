"""The picture, lanes and curves of each run as SVG: the page before, or without, its script, and on paper.

The picture stands in the page once; each run refers to it. All runs have one scale of time, and one of tiles.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import pairwise
from math import floor, log10

from render.cpu_time import cpu_share
from render.outputs.page.runs import Curve, Run
from render.outputs.page.words import format_tick
from render.plan import Tile, cut
from render.swatches import COLOURS
from render.trace import AFTER_PAINTING, Span, tile_owners
from render.trace.intervals import Interval
from render.wording import escape_html

WIDTH, LEFT = 400, 58  # pixels: of the drawing, of what stands before the lanes
CURVES, FOOT = 56, 16
MOST_OUTLINES = 4000  # tiles; more would be a grey mist


def draw_picture(run: Run, image: int, marked: Collection[int] = ()) -> str:
    """Draw the whole picture, each tile outlined in the colour of its worker, and some of them framed."""
    wide, high = run.frame.request.width, run.frame.request.height
    owned: dict[int, list[Tile]] = {}
    last = tile_owners(run.frame.trace)
    tiles = cut(run.frame.request)
    for tile in tiles if len(tiles) <= MOST_OUTLINES else ():
        if tile.number in last:
            owned.setdefault(last[tile.number], []).append(tile)
    outlines = "".join(
        f'<path class="o w{number % len(COLOURS)}" d="{"".join(map(_outline, mine))}"/>'
        for number, mine in sorted(owned.items())
    )
    framed = "".join(_outline(tile) for tile in tiles if tile.number in marked)
    outlines += f'<path class="mark" d="{framed}"/>' if framed else ""
    return (
        f'<svg class="still picture" viewBox="0 0 {wide} {high}" role="img" '
        f'aria-label="The picture, painted by {run.workers}">'
        f'<use href="#picture-{image}"/>{outlines}</svg>'
    )


def _outline(tile: Tile) -> str:
    return f"M{tile.x} {tile.y}h{tile.width}v{tile.height}h-{tile.width}z"


def draw_timeline(run: Run, end: int, most: int) -> str:
    """Draw lanes and curves. `end`: where the page's clock ends; `most`: the highest number in any run's curves."""
    scale = (WIDTH - LEFT) / (end or 1)
    lane = max(2, min(18, 180 // max(len(run.crew), 1)))
    drawn = list(_draw_lanes(run, scale, lane, LEFT))
    y = len(run.crew) * (lane + 1) + 8
    tall = CURVES / (most or 1)
    drawn.append(f'<path class="flying" d="{_step_path(run.in_flight, scale, y, tall)}"/>')
    drawn.append(f'<path class="running" d="{_step_path(run.running, scale, y, tall)}"/>')
    drawn += [f'<text x="0" y="{y + 12}">in flight</text>', f'<text class="b" x="0" y="{y + CURVES}">at a tile</text>']
    y += CURVES
    drawn += draw_axis(end, scale, y)
    peak = f"at most {run.stats.running.max} at a tile, at most {run.stats.in_flight.max} in flight"
    given = "" if run.stats.on_cpu.mean is None else f", {run.stats.on_cpu.mean:.2f} on a CPU on average"
    return (
        f'<svg class="still timeline" viewBox="0 0 {WIDTH} {y + FOOT}" role="img" '
        f'aria-label="{escape_html(f"{run.frame.title}: {peak}{given}")}">{"".join(drawn)}</svg>'
    )


def draw_lanes(run: Run, end: int) -> str:
    """Draw the lanes alone, small, where the page's script draws something that moves."""
    lane = max(2, min(16, 64 // max(len(run.crew), 1)))
    drawn = "".join(_draw_lanes(run, WIDTH / (end or 1), lane, 0))
    high = len(run.crew) * (lane + 1)
    return f'<svg class="still lanes" viewBox="0 0 {WIDTH} {high}" aria-hidden="true">{drawn}</svg>'


def _draw_lanes(run: Run, scale: float, lane: int, left: int) -> Iterator[str]:
    for number, mine in enumerate(run.lanes.values()):
        y = number * (lane + 1)
        if lane >= 10 and left:
            yield f'<text x="0" y="{y + lane - 5}">{run.names[number]}</text>'
        yield f'<path class="lane" d="M{left} {y}h{WIDTH - left}v{lane}H{left}z"/>'
        waits = ((span.t0, span.t1) for span in mine if span.kind == "wait")
        yield f'<path class="wait" d="{"".join(bar_paths(waits, scale, y, lane, left))}"/>'
        later = ((span.t0, span.t1) for span in mine if span.kind in AFTER_PAINTING)
        look = f"w{number % len(COLOURS)}"
        half = "".join(bar_paths(later, scale, y + lane // 4, lane // 2, left))
        yield f'<path class="{look}" d="{half}"/>' if half else ""
        solid, pale = fill_paths([span for span in mine if span.kind == "paint"], scale, y, lane, left)
        yield f'<path class="{look} pale" d="{pale}"/>' if pale else ""
        yield f'<path class="{look}" d="{solid}"/>'


def bar_paths(times: Iterable[Interval], scale: float, y: int, height: int, origin: int = LEFT) -> Iterator[str]:
    """Draw bars as one path; those that would touch on paper are one."""
    x0 = x1 = -1.0
    for t0, t1 in times:
        left, right = origin + t0 * scale, origin + t1 * scale
        if x0 >= 0 and left - x1 < 0.3:
            x1 = max(x1, right)
            continue
        if x0 >= 0:
            yield _bar(x0, x1, y, height)
        x0, x1 = left, right
    if x0 >= 0:
        yield _bar(x0, x1, y, height)


def fill_paths(spans: Sequence[Span], scale: float, y: int, height: int, origin: int = LEFT) -> tuple[str, str]:
    """Draw bars as two paths: as high as the share of its time that a span had a CPU, and whole ones behind the others.

    Spans that would touch on paper are one bar, of their mean share.
    """
    solid, pale = [], []
    for x0, x1, given in _join_spans(spans, scale, origin):
        if given < 1:
            pale.append(_bar(x0, x1, y, height))
        solid.append(_bar(x0, x1, y + height * (1 - given), height * given))
    return "".join(solid), "".join(pale)


def _join_spans(spans: Sequence[Span], scale: float, origin: int) -> Iterator[tuple[float, float, float]]:
    """Join spans that would touch: from where to where, and the share of that time on a CPU."""
    x0 = x1 = -1.0
    given = length = 0.0
    for span in spans:
        left, right = origin + span.t0 * scale, origin + span.t1 * scale
        if x0 >= 0 and left - x1 >= 0.3:
            yield x0, x1, given / length if length else 1.0
            x0 = -1.0
        if x0 < 0:
            x0, x1, given, length = left, right, 0.0, 0.0
        x1 = max(x1, right)
        given += cpu_share(span) * (span.t1 - span.t0)
        length += span.t1 - span.t0
    if x0 >= 0:
        yield x0, x1, given / length if length else 1.0


def _bar(x0: float, x1: float, y: float, height: float) -> str:
    return f"M{x0:.1f} {y:.4g}h{max(x1 - x0, 0.2):.1f}v{height:.4g}H{x0:.1f}z"


def _step_path(curve: Curve, scale: float, y: int, tall: float) -> str:
    """Draw a curve as the area under it: its mean over each pixel."""
    columns = column_means(curve, WIDTH - LEFT, scale)
    last = max((x for x, mean in enumerate(columns) if mean), default=0)
    levels = "".join(f"V{y + CURVES - mean * tall:.1f}h1" for mean in columns[: last + 1])
    return f"M{LEFT} {y + CURVES}{levels}V{y + CURVES}z"


def column_means(curve: Curve, columns: int, scale: float) -> list[float]:
    """Compute the mean of a curve over each of so many columns, `scale` columns a nanosecond."""
    means = [0.0] * columns
    for (t0, count), (t1, _) in pairwise(curve):
        left, right = t0 * scale, min(t1 * scale, columns)
        x = floor(left)
        while count and x < right:
            means[x] += count * (min(right, x + 1) - max(left, x))
            x += 1
    return means


def axis_ticks(end: int) -> Sequence[int]:
    """Choose round times from 0 to the end (ns), three to six of them."""
    if end <= 0:
        return (0,)
    step = int(10 ** floor(log10(end)))
    size = next((step * share // 10 for share in (2, 5, 10) if end * 10 <= step * share * 5), step * 2)
    return range(0, end + 1, max(size, 1))


def draw_axis(end: int, scale: float, y: int, origin: int = LEFT, width: int = WIDTH) -> Iterator[str]:
    """Draw round times under the lanes, which start at `origin`."""
    for t in axis_ticks(end):
        x = origin + t * scale
        anchor = "" if x < origin + 8 else ' class="e"' if x > width - 14 else ' class="m"'
        yield f'<path class="tick" d="M{x:.1f} {y}v4"/><text{anchor} x="{x:.1f}" y="{y + 14}">{format_tick(t)}</text>'
