"""Inside the graphics card: a run's streams above its multiprocessors, on a scale of their own, and what they mean.

A GPU's run is over in a few milliseconds, which is nothing on one scale with seconds; so it has a section of its own
below the stage, which plays with the same clock, and a button that slows the clock down until it can be watched.
"""

from __future__ import annotations

from collections.abc import Iterator

from render import stats
from render.outputs.page.runs import Run
from render.outputs.page.still import bar_paths, draw_axis
from render.outputs.page.words import TWO_LEVELS, format_ns
from render.swatches import COLOURS
from render.wording import escape_html

WIDTH, LEFT = 960, 84  # pixels: of the drawing, of what stands before the lanes
LANE, FIELD, THICKEST, GAP, FOOT = 12, 198, 6, 8, 16  # one stream; all multiprocessors at most, and one; in between


def build_section(run: Run, number: int, stamp: str = "") -> str:
    """Build the part of the page about one run; nothing where no multiprocessor was recorded.

    stamp: HTML that says of a run what it is, where it is not one of the page's own.
    """
    figures = run.stats.multiprocessors
    if figures is None:
        return ""
    title = f"the graphics card: {run.frame.title}"
    still = "" if stamp else _draw_still(run, figures)  # as large again as what the script is given
    text = "".join(f"<p>{sentence}</p>" for sentence in _write_sentences(run, figures))
    return (
        f'<section class="inside" id="inside-{number}" aria-labelledby="inside-name-{number}">\n'
        f'<h2 id="inside-name-{number}">Inside {escape_html("a graphics card" if stamp else title)}</h2>\n{stamp}'
        f'<div class="caption">{text}</div>\n<div class="live"></div>\n{still}\n</section>'
    )


def _write_sentences(run: Run, figures: stats.Multiprocessors) -> Iterator[str]:
    """Write as HTML what the two levels are, then what was seen, each figure with its exact value."""
    facts = run.frame.trace.facts
    yield f"{TWO_LEVELS} Here each tile has a colour, the same in its queue and on the multiprocessors."
    there, error = facts.get("multiprocessors"), facts.get("card_clock_error_ns")
    of_all = f" of {there}" if type(there) is int and there >= figures.seen else ""
    least, most = (
        f"{figures.name_of(worker)} ({figures.busy_percent[worker]:.0f} %)" for worker in (figures.least, figures.most)
    )
    range_ = f", from {least} to {most}" if figures.seen > 1 else ""
    yield (
        f"<b>{_figure('seen', figures.seen, f'{figures.seen}')}{of_all}</b> multiprocessors painted, "
        f"<b>{_figure('mean', figures.mean, f'{figures.mean:.1f}')}</b> at the same instant on average and "
        f"{_figure('max', figures.max, f'{figures.max}')} at most. They were busy "
        f"<b>{_figure('busy_percent', figures.mean_percent, f'{figures.mean_percent:.0f}')} %</b> of the time from the "
        f"first one's start to the last one's end{escape_html(range_)}."
    )
    if type(error) is int and error > 0:
        within = format_ns(error)
        yield f"They were timed by the graphics card's own clock, tied to the computer's to within {within}."


def _figure(name: str, value: float, text: str) -> str:
    return f'<data data-figure="multiprocessors.{name}" value="{value}">{text}</data>'


def _draw_still(run: Run, figures: stats.Multiprocessors) -> str:
    """Draw streams and multiprocessors as SVG, in the colours of their tiles."""
    scale = (WIDTH - LEFT) / (run.length or 1)
    drawn = []
    for number, mine in enumerate(run.lanes.values()):
        y = number * (LANE + 2)
        drawn.append(f'<path class="lane" d="M{LEFT} {y}h{WIDTH - LEFT}v{LANE}H{LEFT}z"/>')
        drawn.append(f'<text x="0" y="{y + LANE - 2}">{escape_html(run.names[number])}</text>')
        for span in mine:
            if span.kind == "paint":
                bar = "".join(bar_paths([(span.t0, span.t1)], scale, y, LANE, LEFT))
                drawn.append(f'<path class="w{span.tile % len(COLOURS)}" d="{bar}"/>')
    y = len(run.crew) * (LANE + 2) + GAP
    row = min(THICKEST, FIELD / figures.seen)
    drawn.append(f'<path class="lane" d="M{LEFT} {y}h{WIDTH - LEFT}v{row * figures.seen:.0f}H{LEFT}z"/>')
    drawn.append(f'<text x="0" y="{y + 11}">{figures.seen} multi-</text><text x="0" y="{y + 25}">processors</text>')
    drawn += _draw_field(run, scale, y, row)
    y += round(row * figures.seen)
    levels = f"{len(run.crew)} streams above {figures.seen} multiprocessors"
    text = f"Inside the graphics card: {levels}, {format_ns(run.length)}"
    return (
        f'<svg class="still field" viewBox="0 0 {WIDTH} {y + FOOT}" role="img" aria-label="{escape_html(text)}">'
        f"{''.join(drawn)}{''.join(draw_axis(run.length, scale, y, LEFT, WIDTH))}</svg>"
    )


def _draw_field(run: Run, scale: float, y: float, row: float) -> Iterator[str]:
    """Draw one path for each colour, its strokes as thick as a row."""
    paths: dict[int, list[str]] = {}
    for lane, piece in run.inside:
        left, long = LEFT + piece.t0 * scale, max((piece.t1 - piece.t0) * scale, 0.2)
        look = piece.tile % len(COLOURS)
        paths.setdefault(look, []).append(f"M{left:.1f} {y + (lane + 0.5) * row:.5g}h{long:.1f}")
    yield f'<g stroke-width="{row:.3g}">'
    yield from (f'<path class="s{look}" d="{"".join(paths[look])}"/>' for look in sorted(paths))
    yield "</g>"
