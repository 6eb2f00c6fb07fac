"""All figures of a page as a table, for those who ask, and where and with what it was produced."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from render.outputs.page.runs import Run
from render.wording import count, escape_html, format_time


def build_rows(runs: Sequence[Run]) -> str:
    """Build the HTML of the table's rows, each figure with its exact value."""
    return "\n".join(map(_build_row, runs))


def _build_row(run: Run) -> str:
    stats = run.stats
    busy = sum(stats.busy.values())
    speed_up, mean, first = run.gain.speed_up if run.gain else None, stats.on_cpu.mean, stats.first_tile_seconds
    spread = run.repeats.spread_percent
    cells: tuple[tuple[str, float | None, str], ...] = (
        ("workers", run.workers, str(run.workers)),
        ("tiles", stats.tiles, str(stats.tiles)),
        ("seconds", run.seconds, format_time(run.seconds)),
        ("spread", spread, "–" if spread is None else f"{spread:.0f} %"),
        ("speed-up", speed_up, "–" if speed_up is None else f"{speed_up:.2f}"),
        ("running.max", stats.running.max, str(stats.running.max)),
        ("running.mean", stats.running.mean, f"{stats.running.mean:.2f}"),
        ("on_cpu.mean", mean, "–" if mean is None else f"{mean:.2f}"),
        ("in_flight.max", stats.in_flight.max, str(stats.in_flight.max)),
        ("waiting.max", stats.waiting.max, str(stats.waiting.max)),
        ("switches", stats.switches, str(stats.switches)),
        ("first", first, "–" if first is None else format_time(first)),
        ("painting", busy, format_time(busy)),
        ("waiting", run.waited_seconds, format_time(run.waited_seconds)),
        ("before", run.before / 1e9, format_time(max(run.before, 0) / 1e9)),
    )
    row = "".join(
        f'<td><data data-figure="{name}" value="{"" if value is None else value}">{text}</data></td>'
        for name, value, text in cells
    )
    return f'<tr><th scope="row">{escape_html(run.frame.title)}</th>{row}</tr>'


def build_facts(runs: Sequence[Run]) -> str:
    """Build the HTML of what was drawn, on what machine, and by which workers."""
    return _build_list([*_list_facts(runs[0]), *((run.frame.title, _list_workers(run)) for run in runs)])


def _build_list(pairs: Iterable[tuple[str, str]]) -> str:
    return "\n".join(f"<dt>{escape_html(name)}</dt><dd>{escape_html(text)}</dd>" for name, text in pairs)


def _list_facts(run: Run) -> Iterator[tuple[str, str]]:
    request, facts = run.frame.request, run.frame.trace.facts
    yield (
        "picture",
        f"{request.scene}, view {request.view}, {count(request.samples, 'sample')} a pixel, limit {request.limit}",
    )
    yield "tiles", f"{request.tile[0]} × {request.tile[1]} pixels, in order {request.order}"
    for name in ("cpu", "cpus", "device", "kernel", "system", "python"):
        if name in facts:
            yield name, str(facts[name])
    yield "sha256", run.frame.sha256


MOST_NAMED = 8  # workers


def _list_workers(run: Run) -> str:
    """Name a run's workers as the system numbers them."""
    named = [
        f"{run.names[number]}: process {worker.process}, thread {worker.thread}"
        + (f" on {worker.host}" if worker.host else "")
        if worker.device == "cpu"
        else f"{run.names[number]}: {worker.device}"
        for number, worker in enumerate(run.crew[:MOST_NAMED])
    ]
    more = len(run.crew) - MOST_NAMED
    return "; ".join([*named, *([f"and {more} more"] if more > 0 else [])])
