"""The run in words: a few lines for a draw, a table and the lesson for a race. Plain text, at most 100 columns wide.

On a narrow terminal sentences fold earlier, and the table leaves out the columns that are missed least.

Every figure and every sentence is computed from the traces (`render.findings.sentences` decides what may be said); what
a mode is called decides nothing, except that speed-up is counted from the run that `render.frame.find_baseline` names.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from os import PathLike, fspath
from textwrap import wrap

from render.findings import chart, conclusions, sentences, stories
from render.findings.evidence import Run, build_runs
from render.findings.incidents import count_resumed
from render.findings.sheets import describe_sheet
from render.frame import Frame, Frames, are_identical
from render.stats import Stats
from render.wording import count, format_columns, format_large, format_time, make_harmless

SUFFIXES = (".txt",)
ABOUT = "what was done, by whom and how long, in words"
LARGEST_SIDE = None
MOST_TILES = None
KEEPS_PIXELS = False
open_sink = None
WIDTH, MIN_WIDTH = 100, 40
# seconds: of all tiles, first start to last end, in the repeat of median time
HEADS = ("run", "workers", "seconds", "speed-up", "on a CPU", "in flight")
MISSED_LEAST = ("in flight", "workers", "speed-up")
KEY = {
    "on a CPU": "workers that had one, on average",
    "in flight": "tiles started but not finished, at most",
    "speed-up": "over one worker that takes one tile after the other",
}
# spread: from the shortest repeat to the longest, as a share of the median; at a tile: workers, at most; waiting:
# tiles, at most; first: seconds to the first tile done
MORE_HEADS = ("run", "tiles", "spread", "at a tile", "waiting", "switches", "first")
MORE_MISSED_LEAST = ("tiles", "switches", "first", "spread", "waiting")
# how the painting was shared out (render.findings.schedule): idle shares of the workers; how even; how long a started
# tile was left alone at most; the longest tile; the best that any schedule could do, and how near this one came; the
# gain with start-up. Figures that take workers for independent hands say nothing of a GPU's streams, which are queues.
SCHEDULE_HEADS = ("run", "idle", "fair", "alone", "longest", "best", "near", "with start", "efficiency", "serial")
SCHEDULE_MISSED_LEAST = ("serial", "alone", "longest", "fair", "with start", "efficiency", "best", "idle")


def write(frames: Frames, *, plain: bool = False) -> bytes:
    """Write the lines of one draw, or the table of a race. A plain file is the same: there is nothing to leave out."""
    if frames.kind == "draw":
        return "\n".join([*draw_lines(frames[0], ())[:-1], ""]).encode()
    return f"{race_table(frames, frames.not_run, figures=True)}\n".encode()


def draw_lines(frame: Frame, out: Iterable[str | PathLike[str]], width: int = WIDTH) -> list[str]:
    """Report one draw: what was done, by whom and how long, where the time went, and where it was saved."""
    width = max(min(width, WIDTH), MIN_WIDTH)
    run = Run(frame)
    own_steps = run.seconds and frame.total_steps and not count_resumed(frame.trace)
    rate = f"; {format_large(frame.total_steps / run.seconds)} steps a second" if own_steps else ""
    files = ", ".join("to standard output" if path == "-" else fspath(path) for path in out)
    lines = [
        describe_picture(frame),
        *fold_lines([f"{frame.title}: {' '.join(sentences.of(run))}", *conclusions.of([run])], width),
        f"{_ledger_line(run.stats)}{rate}",
        *multiprocessor_lines(frame, run.stats),
        f"saved {files}" if files else "nothing was saved",
    ]
    return [make_harmless(line) for line in lines]


def describe_picture(frame: Frame) -> str:
    """Name what was painted, in a line."""
    sheet = describe_sheet(frame)
    if sheet is not None:
        return sheet.shows
    request = frame.request
    size = f"{request.width} x {request.height} pixels, {count(request.samples, 'sample')} each"
    return f"{request.scene}, view {request.view}: {size}, limit {request.limit}, {request.precision}"


def multiprocessor_lines(frame: Frame, figures: Stats) -> Iterator[str]:
    """Report a GPU's multiprocessors, if recorded; a second level of the same work, added to nothing."""
    own = figures.multiprocessors
    if own is None:
        return
    there = frame.trace.facts.get("multiprocessors")
    seen = f"{own.seen} of {there}" if type(there) is int and there >= own.seen else f"{own.seen}"
    least = f"; least busy: {own.name_of(own.least)}, {own.busy_percent[own.least]:.0f} %"
    yield (
        f"multiprocessors: {seen} painted, {own.mean:.1f} at once on average, "
        f"{own.mean_percent:.0f} % busy{least if own.seen > 1 else ''}"
    )


def _ledger_line(figures: Stats) -> str:
    """Say where the wall time of the run went; shares below one per cent are left out."""
    shares = sorted(figures.shares.items(), key=lambda part: -part[1])
    parts = ", ".join(f"{share:.0f} % {kind}" for kind, share in shares if share >= 1)
    return f"{format_time(figures.seconds['total'])} in all: {parts}" if parts else "it took no time"


def race_table(
    frames: Sequence[Frame], not_run: Iterable[tuple[str, str]], width: int = WIDTH, *, figures: bool = False
) -> str:
    """Format a race: what was painted, what the traces show, a table with a row for each run, and the lanes.

    `figures`: two more tables and more lanes, for those who want all figures.
    """
    width = max(min(width, WIDTH), MIN_WIDTH)
    entered = build_runs(frames)
    if not entered:
        return "\n".join(fold_lines(_not_run_lines(not_run), width))
    columns = format_columns([HEADS, *map(_first_row, entered)], width, MISSED_LEAST)
    key = "; ".join(f"{head}: {text}" for head, text in KEY.items() if head in columns[0])
    parts = [
        [line for part in _sentence_parts(entered) if part for line in ["", *fold_lines(part, width)]][1:],
        fold_lines([*_equality_lines(frames), *_not_run_lines(not_run)], width),
        [*columns, *wrap(key, width)],
    ]
    if figures:
        parts += [
            format_columns([MORE_HEADS, *map(_second_row, entered)], width, MORE_MISSED_LEAST),
            format_columns([SCHEDULE_HEADS, *map(_schedule_row, entered)], width, SCHEDULE_MISSED_LEAST),
        ]
    parts.append(chart.draw_lanes(frames, width, levels=figures))
    return "\n\n".join("\n".join(part) for part in parts if part)


def fold_lines(texts: Iterable[str], width: int) -> list[str]:
    """Fold each text into lines of at most `width` letters, made harmless; all but its first are indented."""
    return [line for text in texts for line in wrap(make_harmless(text), width, subsequent_indent="  ")]


def _not_run_lines(modes: Iterable[tuple[str, str]]) -> Iterator[str]:
    for mode, reason in modes:
        yield f"{mode} did not run: {reason.removeprefix(f'mode {mode} cannot run here: ')}"


def _first_row(run: Run) -> tuple[str, ...]:
    figures = run.stats
    return (
        run.frame.title,
        str(run.workers),
        f"{run.seconds:.3f}",
        _format_figure(run.gain.speed_up if run.gain else None, 2),
        _format_figure(figures.on_cpu.mean, 2),
        str(figures.in_flight.max),
    )


def _second_row(run: Run) -> tuple[str, ...]:
    figures = run.stats
    return (
        run.frame.title,
        str(figures.tiles),
        format_percent(run.repeats.spread_percent),
        str(figures.running.max),
        str(figures.waiting.max),
        str(figures.switches),
        _format_figure(figures.first_tile_seconds, 3),
    )


def _schedule_row(run: Run) -> tuple[str, ...]:
    figures, gain, how = run.stats, run.gain, run.schedule
    start = _format_figure(gain.speed_up_with_start if gain else None, 2)
    idle = sorted({f"{100 * share:.0f}" for share in how.idle}, key=int)
    return (
        run.frame.title,
        f"{'-'.join(dict.fromkeys((idle[0], idle[-1])))} %" if idle else "-",
        _format_figure(how.fairness, 3),
        format_time(figures.left_alone_seconds),
        format_time(how.longest_tile_seconds),
        "-" if how.bound_seconds is None else format_time(how.bound_seconds),
        format_percent(None if how.near is None else 100 * how.near),
        start,
        _format_figure(gain.efficiency if gain else None, 2),
        _format_figure(gain.serial_fraction if gain else None, 3),
    )


def format_percent(value: float | None) -> str:
    """Format a share in per cent; "-" for none."""
    return "-" if value is None else f"{value:.0f} %"


def _format_figure(value: float | None, digits: int) -> str:
    return "-" if value is None else f"{value:.{digits}f}"


def _sentence_parts(entered: Sequence[Run]) -> Iterator[list[str]]:
    """Yield what was painted, what the plain runs show, what those of a story do, and what to doubt in all of them."""
    first = entered[0]
    cut = f"cut into {count(first.stats.tiles, 'tile')}"
    yield [f"{describe_picture(first.frame)}; {cut}"]
    told = conclusions.tell_stories(entered)
    plain = [run for run in entered if run.story not in told]
    yield [*_run_lines(plain), *conclusions.name_fastest(entered)]
    for name, follows in told.items():
        own = [run for run in entered if run.story == name]
        story = stories.story_of(own[0].frame)
        about = [f"story {name}: {story.describe(own[0].frame.request.wait_ns)}"] if story else []
        yield [*about, *_run_lines(own), *follows]
    yield conclusions.warn(entered)


def _run_lines(entered: Sequence[Run]) -> Iterator[str]:
    for run in entered:
        yield f"{run.frame.title}: {' '.join(sentences.of(run))}"
        yield from (f"  {line}" for line in multiprocessor_lines(run.frame, run.stats))


def _equality_lines(frames: Sequence[Frame]) -> Iterator[str]:
    """Yield the proof: one hash for all pictures, or which differ."""
    groups: dict[str, list[str]] = {}
    for frame in frames:
        groups.setdefault(frame.sha256, []).append(frame.title)
    if len(frames) > 1 and are_identical(frames):
        yield f"all {len(frames)} pictures are equal: sha256 {frames[0].sha256}"
    elif len(groups) == 1 and len(frames) > 1:
        yield "THE PICTURES ARE EQUAL, BUT THEIR STEPS ARE NOT"
    elif len(groups) > 1:
        hashes = "; ".join(f"{', '.join(modes)} {digest[:16]}" for digest, modes in groups.items())
        yield f"THE PICTURES DIFFER, by sha256: {hashes}"
