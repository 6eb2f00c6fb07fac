"""The timeline: a lane for each worker, a bar for each span, all runs of a race on one scale of time.

What concurrency and parallelism are can be seen at a glance: bars of several tiles side by side in one lane are
juggling, bars one above the other are parallel. A bar has its tile's colour, and its number where there is room;
waiting is an empty, hatched bar. Plain SVG, light and dark.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from math import ceil, floor, log10

from render import stats, swatches
from render.frame import Frame
from render.trace import NO_TILE, Span, Trace, Worker

SUFFIXES = (".svg",)
ABOUT = "a lane for each worker, a bar for each span"

WIDTH, LEFT, RIGHT = 960, 96, 24  # pixels
LANE, GAP, HEAD, FOOT = 22, 4, 30, 34
NARROW = 0.5  # pixels; bars of one tile that lie closer are drawn as one
ROOM = 7.5  # pixels that a digit needs
COLOURS = swatches.COLOURS
STYLE = """\
text{font:12px system-ui,sans-serif;fill:#24292f}.h{font-size:14px;font-weight:600}.n{fill:#fff;font-size:11px;\
text-anchor:middle}.q{fill:#57606a}.t{text-anchor:middle}.e{text-anchor:end}.l{fill:#8c959f22}.g{stroke:#8c959f55}\
.w{fill:url(#wait);stroke:#8c959f;stroke-width:.5}
@media(prefers-color-scheme:dark){text{fill:#e6edf3}.q{fill:#9198a1}}"""
HATCH = (
    '<pattern id="wait" width="5" height="5" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
    '<path d="M0 0V5" stroke="#8c959f" stroke-width="1.5"/></pattern>'
)


def write(frames: Sequence[Frame], *, plain: bool = False) -> bytes:
    """The lanes of all frames, one below the other. Times count from the first span of a tile of each run."""
    runs = [(frame, worked(frame.trace)) for frame in frames]
    seconds = max((stats.of(frame.trace).seconds["tiles"] for frame in frames), default=0.0) or 1e-9
    scale = (WIDTH - LEFT - RIGHT) / (seconds * 1e9)
    body: list[str] = []
    y = 8.0
    for frame, lanes in runs:
        body += _run(frame, lanes, y, scale)
        y += HEAD + len(lanes) * (LANE + GAP) + 10
    body += _axis(y, seconds, scale)
    height = ceil(y + FOOT)
    told = "; ".join(f"{frame.title}: {len(lanes)} lanes" for frame, lanes in runs)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" '
        f'role="img"><title>Who painted what, and when: {escape(told)}</title>\n<style>{STYLE}</style>'
        f"<defs>{HATCH}</defs>\n" + "\n".join(body) + "\n</svg>\n"
    ).encode()


def worked(trace: Trace) -> dict[Worker, list[Span]]:
    """The spans that carry a tile, by worker, in the order of the workers' first paint; those that only waited last."""
    lanes: dict[Worker, list[Span]] = {worker: [] for worker in trace.workers}
    for span in trace.of_kind("wait", "paint"):
        if span.tile != NO_TILE:
            lanes.setdefault(span.worker, []).append(span)
    return lanes


def bars(spans: Sequence[Span], start: int, scale: float) -> Iterator[tuple[str, int, float, float]]:
    """(kind, tile, x, width) in pixels, for one kind of span in order; too narrow ones of one tile are joined."""
    last: tuple[str, int, float, float] | None = None
    for span in spans:
        x, width = (span.t0 - start) * scale, (span.t1 - span.t0) * scale
        if last and last[:2] == (span.kind, span.tile) and x - (last[2] + last[3]) < NARROW:
            last = (*last[:3], x + width - last[2])
            continue
        if last:
            yield last
        last = span.kind, span.tile, x, width
    if last:
        yield last


def _run(frame: Frame, lanes: dict[Worker, list[Span]], y: float, scale: float) -> Iterator[str]:
    """One run: its name and what it shows, then its lanes."""
    found = stats.of(frame.trace)
    told = f"{found.seconds['tiles']:.3g} s, at most {found.running.max} running, {found.in_flight.max} in flight"
    yield f'<text class="h" x="{LEFT}" y="{y + 18:.0f}">{escape(frame.title)}</text>'
    yield f'<text class="q e" x="{WIDTH - RIGHT}" y="{y + 18:.0f}">{told}</text>'
    start = min((span.t0 for spans in lanes.values() for span in spans), default=0)
    for number, spans in enumerate(lanes.values()):
        top = y + HEAD + number * (LANE + GAP)
        yield f'<text class="q" x="8" y="{top + 15:.0f}">worker {number}</text>'
        yield f'<rect class="l" x="{LEFT}" y="{top:.0f}" width="{WIDTH - LEFT - RIGHT}" height="{LANE}"/>'
        for kind in ("wait", "paint"):  # what is painted lies over what waits
            for bar in bars([span for span in spans if span.kind == kind], start, scale):
                yield _bar(*bar, top)


def _bar(kind: str, tile: int, x: float, width: float, top: float) -> str:
    """One bar, with its tile's number where that fits in."""
    place = f'x="{LEFT + x:.2f}" y="{top:.0f}" width="{max(width, 0.2):.2f}" height="{LANE}"'
    if kind == "wait":
        return f'<rect class="w" {place}/>'
    drawn = f'<rect {place} fill="{COLOURS[tile % len(COLOURS)]}"/>'
    if width < ROOM * len(str(tile)):
        return drawn
    return f'{drawn}<text class="n" x="{LEFT + x + width / 2:.1f}" y="{top + 15:.0f}">{tile}</text>'


def _axis(y: float, seconds: float, scale: float) -> Iterator[str]:
    """Ticks at round times, five to ten of them."""
    step = 10.0 ** floor(log10(seconds))
    step *= next(share for share in (0.1, 0.2, 0.5, 1.0) if seconds / (share * step) <= 10)
    for tick in range(int(seconds / step) + 1):
        x = LEFT + tick * step * 1e9 * scale
        yield f'<path class="g" d="M{x:.1f} 8V{y:.0f}"/>'
        yield f'<text class="q t" x="{x:.1f}" y="{y + 16:.0f}">{tick * step:.10g}{" s" if not tick else ""}</text>'
