"""Inside the graphics card: a run's streams above its multiprocessors, on a scale of their own, and what they mean.

A card's run is over in a few milliseconds, which is nothing on one scale with seconds; so it has a section of its own
below the stage, which plays with the same clock, and a button that slows the clock down until it can be watched.
"""

from __future__ import annotations

from collections.abc import Iterator

from render import stats
from render.outputs.page.runs import Run
from render.outputs.page.still import bar_paths, draw_axis
from render.outputs.page.words import TWO_LEVELS, format_ns
from render.swatches import COLOURS
from render.wording import count, escape_html

WIDTH, LEFT = 960, 84  # pixels: of the drawing, of what stands before the lanes
LANE, FIELD, THICKEST, GAP, FOOT = 12, 198, 6, 8, 16  # one stream; all multiprocessors at most, and one; in between


def build_section(run: Run, number: int) -> str:
    """The part of the page about one run; nothing where no multiprocessor was recorded."""
    found = run.stats.multiprocessors
    if found is None:
        return ""
    told = "".join(f"<p>{sentence}</p>" for sentence in _write_sentences(run, found))
    return (
        f'<section class="inside" id="inside-{number}" aria-labelledby="inside-name-{number}">\n'
        f'<h2 id="inside-name-{number}">Inside the graphics card: {escape_html(run.frame.title)}</h2>\n'
        f'<div class="caption">{told}</div>\n<div class="live"></div>\n{_draw_still(run, found)}\n</section>'
    )


def _write_sentences(run: Run, found: stats.Multiprocessors) -> Iterator[str]:
    """HTML: what the two levels are, then what was seen, each figure with its exact value."""
    facts = run.frame.trace.facts
    yield (
        f"{count(len(run.crew), 'worker')}, {count(found.seen, 'multiprocessor')}: {TWO_LEVELS} "
        "Here each tile has a colour, the same in its queue and on the multiprocessors."
    )
    there, error = facts.get("multiprocessors"), facts.get("card_clock_error_ns")
    of_all = f" of {there}" if type(there) is int and there >= found.seen else ""
    least, most = (
        f"{found.name_of(worker)} ({found.busy_percent[worker]:.0f} %)" for worker in (found.least, found.most)
    )
    range_ = f", from {least} to {most}" if found.seen > 1 else ""
    yield (
        f"<b>{_figure('seen', found.seen, f'{found.seen}')}{of_all}</b> multiprocessors painted, "
        f"<b>{_figure('mean', found.mean, f'{found.mean:.1f}')}</b> at the same instant on average and "
        f"{_figure('max', found.max, f'{found.max}')} at most. They were busy "
        f"<b>{_figure('busy_percent', found.mean_percent, f'{found.mean_percent:.0f}')} %</b> of the time from the "
        f"first one's start to the last one's end{escape_html(range_)}."
    )
    if type(error) is int and error > 0:
        within = format_ns(error)
        yield f"They were timed by the graphics card's own clock, tied to the computer's to within {within}."


def _figure(name: str, value: float, told: str) -> str:
    return f'<data data-figure="multiprocessors.{name}" value="{value}">{told}</data>'


def _draw_still(run: Run, found: stats.Multiprocessors) -> str:
    """Streams and multiprocessors as SVG, in the colours of their tiles."""
    scale = (WIDTH - LEFT) / (run.length or 1)
    drawn = []
    for number, mine in enumerate(run.lanes.values()):
        y = number * (LANE + 2)
        drawn.append(f'<path class="lane" d="M{LEFT} {y}h{WIDTH - LEFT}v{LANE}H{LEFT}z"/>')
        drawn.append(f'<text x="0" y="{y + LANE - 2}">worker {number}</text>')
        for span in mine:
            if span.kind == "paint":
                bar = "".join(bar_paths([(span.t0, span.t1)], scale, y, LANE, LEFT))
                drawn.append(f'<path class="w{span.tile % len(COLOURS)}" d="{bar}"/>')
    y = len(run.crew) * (LANE + 2) + GAP
    row = min(THICKEST, FIELD / found.seen)
    drawn.append(f'<path class="lane" d="M{LEFT} {y}h{WIDTH - LEFT}v{row * found.seen:.0f}H{LEFT}z"/>')
    drawn.append(f'<text x="0" y="{y + 11}">{found.seen} multi-</text><text x="0" y="{y + 25}">processors</text>')
    drawn += _draw_field(run, scale, y, row)
    y += round(row * found.seen)
    told = (
        f"Inside the graphics card: {len(run.crew)} workers above {found.seen} multiprocessors, {format_ns(run.length)}"
    )
    return (
        f'<svg class="still field" viewBox="0 0 {WIDTH} {y + FOOT}" role="img" aria-label="{escape_html(told)}">'
        f"{''.join(drawn)}{''.join(draw_axis(run.length, scale, y, LEFT, WIDTH))}</svg>"
    )


def _draw_field(run: Run, scale: float, y: float, row: float) -> Iterator[str]:
    """One path for each colour, its strokes as thick as a row."""
    paths: dict[int, list[str]] = {}
    for lane, piece in run.inside:
        left, long = LEFT + piece.t0 * scale, max((piece.t1 - piece.t0) * scale, 0.2)
        look = piece.tile % len(COLOURS)
        paths.setdefault(look, []).append(f"M{left:.1f} {y + (lane + 0.5) * row:.5g}h{long:.1f}")
    yield f'<g stroke-width="{row:.3g}">'
    yield from (f'<path class="s{look}" d="{"".join(paths[look])}"/>' for look in sorted(paths))
    yield "</g>"
