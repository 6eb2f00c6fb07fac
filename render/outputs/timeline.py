"""The timeline: a lane for each worker, a bar for each span, all runs of a race on one scale of time.

What concurrency and parallelism are can be seen at a glance: bars of several tiles side by side in one lane are
juggling, bars one above the other are parallel. A bar has its tile's colour, and its number where there is room;
waiting is an empty, hatched bar. It is filled as high as the share of its time for which the worker had a CPU; the pale
part above is a worker at a tile without one. A film, whose tiles are frames, has lanes for its encoder and its writer,
whose bars are half as high. The lanes of workers on several hosts stand together, host by host. Plain SVG, light and
dark.

Below the streams of a GPU stand its multiprocessors, a thin row each, in the colours of the same tiles. A run
that is too short to be seen beside the others is drawn once more below them, on a scale of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import accumulate
from math import ceil, floor, log10
from typing import NamedTuple

from render import stats, swatches
from render.cpu_time import cpu_share
from render.findings import claims, foremost
from render.frame import Frame
from render.trace import AFTER_PAINTING, NO_TILE, Span, Trace, Worker
from render.wording import escape_html, format_time, make_harmless

SUFFIXES = (".svg",)
ABOUT = "a lane for each worker, a bar for each span"
LARGEST_SIDE = None
MOST_TILES = 200_000
KEEPS_PIXELS = False
open_sink = None

WIDTH, LEFT, RIGHT = 960, 96, 24  # pixels
LANE, GAP, HEAD, FOOT = 22, 4, 30, 34
HOST = 18  # what stands above the lanes of a host, where there are several
NARROW = 0.5  # pixels; bars of one tile that lie closer are drawn as one
TOO_SHORT = 25  # times shorter than the longest run: too short to be seen on one scale with it
FIELD, THICKEST, CAPTION = 264, 6, 26  # pixels: all multiprocessors of a run at most, one of them, what stands above
DIGIT_WIDTH = 7.5  # pixels that a digit needs
READABLE = 0.6  # share of a bar's height; below, its number stands on the pale part
DRAWN = ("wait", "paint", *AFTER_PAINTING)  # what is painted lies over what waits
COLOURS = swatches.COLOURS
STYLE = """\
text{font:12px system-ui,sans-serif;fill:#24292f}.h{font-size:14px;font-weight:600}.n{fill:#fff;font-size:11px;\
text-anchor:middle}.q{fill:#57606a}.t{text-anchor:middle}.e{text-anchor:end}.l{fill:#8c959f22}.g{stroke:#8c959f55}\
.p{opacity:.35}.f path{fill:none}.w{fill:url(#wait);stroke:#8c959f;stroke-width:.5}
@media(prefers-color-scheme:dark){text{fill:#e6edf3}.q{fill:#9198a1}}"""
HATCH = (
    '<pattern id="wait" width="5" height="5" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
    '<path d="M0 0V5" stroke="#8c959f" stroke-width="1.5"/></pattern>'
)


class Panel(NamedTuple):
    """A run as it is drawn: its lanes, the field of its multiprocessors, and how many pixels a nanosecond is long."""

    frame: Frame
    lanes: dict[Worker, list[Span]]
    field: dict[Worker, list[Span]]
    scale: float
    wider: float = 1.0  # than on the scale of all runs

    @property
    def start(self) -> int:
        """Time 0 of the panel: the first span of a tile."""
        return min((span.t0 for spans in self.lanes.values() for span in spans), default=0)

    @property
    def row(self) -> float:
        """Height of a multiprocessor's row, in pixels."""
        return min(THICKEST, max(FIELD // max(len(self.field), 1), 1), FIELD / max(len(self.field), 1))

    @property
    def height(self) -> float:
        """Height of the whole panel, in pixels."""
        field = CAPTION + self.row * len(self.field) + 4 if self.field else 0
        return self.tops[-1] + field + 10

    @property
    def hosts(self) -> list[str]:
        """The host whose name stands above a lane, for each lane; nothing for most, and where there are not several."""
        hosts = [worker.host for worker in self.lanes]
        several = len(set(hosts)) > 1
        return [host if several and host not in hosts[:place] else "" for place, host in enumerate(hosts)]

    @property
    def tops(self) -> list[float]:
        """The upper edge of each lane, in pixels from the panel's, and the end of the last."""
        heights = [(HOST if host else 0, LANE + GAP) for host in self.hosts]
        ends = list(accumulate((sum(height) for height in heights), initial=HEAD))
        return [*(end + above for end, (above, _) in zip(ends, heights, strict=False)), ends[-1]]


def write(frames: Sequence[Frame], *, plain: bool = False) -> bytes:
    """Draw the lanes of all frames, one below the other. Times count from each run's first span of a tile."""
    lengths = [stats.of(frame.trace).seconds["tiles"] for frame in frames]
    seconds = max(lengths, default=0.0) or 1e-9
    width = WIDTH - LEFT - RIGHT
    body: list[str] = []
    y = 8.0
    beside, alone = _make_panels(frames, lengths, width / (seconds * 1e9))
    for panel in beside:
        body += _draw_run(panel, y)
        y += panel.height
    body += _draw_axis(8, y, seconds, width / (seconds * 1e9))
    for panel in alone:
        top = y + FOOT
        body += _draw_run(panel, top)
        y = top + panel.height
        body += _draw_axis(top + HEAD - 4, y, width / panel.scale / 1e9, panel.scale)
    if any(cpu_share(span) < 1 for panel in beside for spans in panel.lanes.values() for span in spans):
        y += FOOT - 10
        note = "a bar is filled as high as the share of its time on a CPU; pale: at a tile without a CPU"
        body.append(f'<text class="q" x="{LEFT}" y="{y + 16:.0f}">{note}</text>')
    height = ceil(y + FOOT)
    description = "; ".join(f"{panel.frame.title}: {len(panel.lanes)} lanes" for panel in beside)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" '
        f'role="img"><title>Who painted what, and when: {escape_html(description)}</title>\n<style>{STYLE}</style>'
        f"<defs>{HATCH}</defs>\n" + "\n".join(body) + "\n</svg>\n"
    ).encode()


def _make_panels(frames: Sequence[Frame], lengths: Sequence[float], scale: float) -> tuple[list[Panel], list[Panel]]:
    """Make panels of all runs on one scale, and a second one for those that are too short for it."""
    beside, alone = [], []
    for frame, length in zip(frames, lengths, strict=True):
        lanes, field = worker_lanes(frame.trace), foremost.foremost_blocks(frame.trace)
        times = max(lengths) / length if length else 1.0
        short = times > TOO_SHORT
        beside.append(Panel(frame, lanes, {} if short else field, scale))
        alone += [Panel(frame, lanes, field, scale * times, times)] if short else []
    return beside, alone


def worker_lanes(trace: Trace) -> dict[Worker, list[Span]]:
    """Collect the spans that carry a tile, by worker in the order of `Trace.lanes`."""
    lanes: dict[Worker, list[Span]] = {worker: [] for worker in trace.lanes}
    for span in trace.of_kind(*DRAWN):
        if span.tile != NO_TILE:
            lanes[span.worker].append(span)
    return lanes


class Bar(NamedTuple):
    """A stretch of one tile in a lane: x and width in pixels, and the share of that time with a CPU."""

    kind: str
    tile: int
    x: float
    width: float
    share: float = 1.0


def join_bars(spans: Sequence[Span], start: int, scale: float) -> Iterator[Bar]:
    """Yield bars for one kind of span in order; join those of one tile that are too narrow."""
    last: Bar | None = None
    given = length = 0.0  # pixels of `last` that were on a CPU, and that were a span
    for span in spans:
        x, width = (span.t0 - start) * scale, (span.t1 - span.t0) * scale
        if last and last[:2] == (span.kind, span.tile) and x - (last.x + last.width) < NARROW:
            last = last._replace(width=x + width - last.x)
        else:
            if last:
                yield last
            last, given, length = Bar(span.kind, span.tile, x, width), 0.0, 0.0
        given, length = given + cpu_share(span) * width, length + width
        last = last._replace(share=given / length if length else 1.0)
    if last:
        yield last


def _draw_run(panel: Panel, y: float) -> Iterator[str]:
    """Draw one run: its name and what it shows, its lanes, its multiprocessors."""
    figures = stats.of(panel.frame.trace)
    given = "" if figures.on_cpu.mean is None else f", {figures.on_cpu.mean:.2f} on a CPU on average"
    counts = f"at most {figures.running.max} at a tile and {figures.in_flight.max} in flight"
    summary = f"{format_time(figures.seconds['tiles'])}, {counts}{given}"
    title = panel.frame.title + (f", {panel.wider:.0f} times wider" if panel.wider > 1 else "")
    yield f'<text class="h" x="{LEFT}" y="{y + 18:.0f}">{escape_html(title)}</text>'
    yield f'<text class="q e" x="{WIDTH - RIGHT}" y="{y + 18:.0f}">{summary}</text>'
    names, tops = list(panel.frame.trace.lanes.values()), panel.tops
    for number, spans in enumerate(panel.lanes.values()):
        top, host = y + tops[number], panel.hosts[number]
        if host:
            yield f'<text class="q" x="{LEFT}" y="{top - 5:.0f}">on {escape_html(_name_host(panel, host))}</text>'
        yield f'<text class="q" x="8" y="{top + 15:.0f}">{names[number]}</text>'
        yield f'<rect class="l" x="{LEFT}" y="{top:.0f}" width="{WIDTH - LEFT - RIGHT}" height="{LANE}"/>'
        for kind in DRAWN:
            for bar in join_bars([span for span in spans if span.kind == kind], panel.start, panel.scale):
                yield _draw_bar(bar, top)
    if panel.field and figures.multiprocessors:
        yield from _draw_multiprocessors(panel, figures.multiprocessors, y + tops[-1])


def _name_host(panel: Panel, host: str) -> str:
    """Name a host, with by how much its times may be wrong."""
    errors = {one["host"]: one["clock_error_seconds"] for one in claims.list_hosts(panel.frame.trace)}
    error = errors.get(host)
    return make_harmless(host) + (f" (times ± {format_time(error)})" if error else "")


def _draw_multiprocessors(panel: Panel, figures: stats.Multiprocessors, y: float) -> Iterator[str]:
    """Draw the multiprocessors, one path for each colour."""
    caption = f"{figures.seen} multiprocessors, a thin row each: {figures.mean:.1f} busy at once on average"
    yield f'<text class="q" x="{LEFT}" y="{y + 18:.0f}">{caption}</text>'
    tall = panel.row * len(panel.field)
    yield f'<rect class="l" x="{LEFT}" y="{y + CAPTION:.0f}" width="{WIDTH - LEFT - RIGHT}" height="{tall:.1f}"/>'
    paths: dict[int, list[str]] = {}
    for number, spans in enumerate(panel.field.values()):
        middle = y + CAPTION + (number + 0.5) * panel.row
        for _, tile, x, width, _ in join_bars(spans, panel.start, panel.scale):
            paths.setdefault(tile % len(COLOURS), []).append(f"M{LEFT + x:.1f} {middle:.6g}h{max(width, 0.2):.1f}")
    yield f'<g class="f" stroke-width="{panel.row:.3g}">'
    for colour, pieces in sorted(paths.items()):
        yield f'<path stroke="{COLOURS[colour]}" d="{"".join(pieces)}"/>'
    yield "</g>"


def _draw_bar(bar: Bar, top: float) -> str:
    """Draw one bar, filled as high as its share of time on a CPU, with its tile's number if that fits."""
    kind, tile, x, width, given = bar
    across = f'x="{LEFT + x:.2f}" width="{max(width, 0.2):.2f}"'
    whole = f'{across} y="{top:.0f}" height="{LANE}"'
    if kind == "wait":
        return f'<rect class="w" {whole}/>'
    paint = f'fill="{COLOURS[tile % len(COLOURS)]}"'
    if kind in AFTER_PAINTING:
        return f'<rect {across} y="{top + LANE / 4:.1f}" height="{LANE / 2:.1f}" {paint}/>'
    drawn = f"<rect {whole} {paint}/>"
    if given < 1:
        part = f'{across} y="{top + LANE * (1 - given):.1f}" height="{LANE * given:.1f}"'
        drawn = f'<rect class="p" {whole} {paint}/><rect {part} {paint}/>'
    if width < DIGIT_WIDTH * len(str(tile)):
        return drawn
    look = "n" if given >= READABLE else "t"
    return f'{drawn}<text class="{look}" x="{LEFT + x + width / 2:.1f}" y="{top + 15:.0f}">{tile}</text>'


def _draw_axis(top: float, y: float, seconds: float, scale: float) -> Iterator[str]:
    """Draw ticks at round times, five to ten of them."""
    step = 10.0 ** floor(log10(seconds))
    step *= next(share for share in (0.1, 0.2, 0.5, 1.0) if seconds / (share * step) <= 10)
    size, unit = (1.0, " s") if seconds >= 0.1 else (1e-3, " ms")
    for tick in range(int(seconds / step) + 1):
        x = LEFT + tick * step * 1e9 * scale
        yield f'<path class="g" d="M{x:.1f} {top:.0f}V{y:.0f}"/>'
        label = f"{tick * step / size:.10g}{'' if tick else unit}"
        yield f'<text class="q t" x="{x:.1f}" y="{y + 16:.0f}">{label}</text>'
