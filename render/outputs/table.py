"""The run in words: a few lines for a draw, a table and the lesson for a race. Plain text, at most 100 columns wide.

On a narrow terminal sentences fold earlier, and the table leaves out the columns that are missed least.

Every figure and every sentence is computed from the traces (`render.findings.sentences` decides what may be said); what
a mode is called decides nothing, except that speed-up is counted from the run that `render.frame.baseline` names.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from os import PathLike, fspath
from textwrap import wrap

from render.findings import chart, schedule, sentences
from render.findings.evidence import Run, build_runs
from render.frame import Frame, Frames, identical
from render.stats import Stats
from render.wording import columns, harmless, large, time

SUFFIXES = (".txt",)
ABOUT = "what was done, by whom and how long, in words"
LARGEST_SIDE = None
MOST_TILES = None
WIDTH, NARROWEST = 100, 40
# seconds: of all tiles, first start to last end, in the repeat of median time; spread: from the shortest repeat to the
# longest, as a share of it; at a tile: workers, at most; on a CPU: how many of them, on average; first: seconds to the
# first tile done
HEADS = (
    *("mode", "workers", "tiles", "seconds", "spread", "speed-up", "at a tile", "on a CPU"),
    *("in flight", "switches", "first"),
)
MISSED_LEAST = ("tiles", "switches", "first", "spread", "in flight", "workers", "speed-up", "at a tile")
# how the painting was shared out (render.findings.schedule): idle shares of the workers; how even; longest a begun tile
# was left alone; the longest tile; the best that any schedule could do, and how near this one came; the gain with
# start-up. What takes workers for hands of their own says nothing of the streams of a card, which are queues.
SHARED = ("mode", "idle", "fair", "alone", "longest", "best", "near", "with start", "efficiency", "serial")
SHARED_LEAST = ("serial", "alone", "longest", "fair", "with start", "efficiency", "best", "idle")


def write(frames: Frames, *, plain: bool = False) -> bytes:
    """The lines of one draw, or the table of a race; there is nothing that a plain file could leave out."""
    text = "\n".join(draw_lines(frames[0], ())[:-1]) if frames.kind == "draw" else race_table(frames, frames.not_run)
    return f"{text}\n".encode()


def draw_lines(frame: Frame, out: Iterable[str | PathLike[str]], width: int = WIDTH) -> list[str]:
    """About one draw: what was done, by whom and how long, where the time went, and where it was saved."""
    width = max(min(width, WIDTH), NARROWEST)
    request, run = frame.request, Run(frame)
    samples = "1 sample" if request.samples == 1 else f"{request.samples} samples"
    rate = f"; {large(frame.total_steps / run.seconds)} steps a second" if run.seconds else ""
    files = ", ".join("to standard output" if path == "-" else fspath(path) for path in out)
    size = f"{request.width} x {request.height} pixels, {samples} each"
    told = [
        f"{request.scene}, view {request.view}: {size}, limit {request.limit}, {request.precision}",
        *_folded([f"{frame.title}: {' '.join(sentences.of(run))}", *sentences.conclusions([run])], width),
        f"{_ledger(run.stats)}{rate}",
        *inside(frame, run.stats),
        f"saved {files}" if files else "nothing was saved",
    ]
    return [harmless(line) for line in told]


def inside(frame: Frame, found: Stats) -> Iterator[str]:
    """How a graphics card's multiprocessors worked, where they were recorded; the second level, added to nothing."""
    own = found.multiprocessors
    if own is None:
        return
    there = frame.trace.facts.get("multiprocessors")
    seen = f"{own.seen} of {there}" if type(there) is int and there >= own.seen else f"{own.seen}"
    least = f"; least busy: {own.called(own.least)}, {own.busy_percent[own.least]:.0f} %"
    yield (
        f"multiprocessors: {seen} painted, {own.mean:.1f} at once on average, "
        f"{own.mean_percent:.0f} % busy{least if own.seen > 1 else ''}"
    )


def _ledger(found: Stats) -> str:
    """Where the wall time of the run went; what is below one per cent goes without saying."""
    shares = sorted(found.shares.items(), key=lambda part: -part[1])
    told = ", ".join(f"{share:.0f} % {kind}" for kind, share in shares if share >= 1)
    return f"{time(found.seconds['total'])} in all: {told}" if told else "it took no time"


def race_table(frames: Sequence[Frame], not_run: Iterable[tuple[str, str]], width: int = WIDTH) -> str:
    """The table of a race: one row a mode, then what it shows, then whether all pictures are equal."""
    width = max(min(width, WIDTH), NARROWEST)
    entered = build_runs(frames)
    below = [*_told(entered), *_equal(frames), *_not_run(not_run)]
    if not entered:
        return "\n".join(_folded(below, width))
    first = columns([HEADS, *(_row(run) for run in entered)], width, MISSED_LEAST)
    second = columns([SHARED, *(_shared(run) for run in entered)], width, SHARED_LEAST)
    return "\n".join([*first, "", *second, "", *chart.draw_lanes(frames, width), "", *_folded(below, width)])


def _folded(texts: Iterable[str], width: int) -> list[str]:
    return [line for text in texts for line in wrap(harmless(text), width, subsequent_indent="  ")]


def _not_run(modes: Iterable[tuple[str, str]]) -> Iterator[str]:
    for mode, reason in modes:
        yield f"{mode} did not run: {reason.removeprefix(f'mode {mode} cannot run here: ')}"


def _row(run: Run) -> tuple[str, ...]:
    found = run.stats
    return (
        run.frame.title,
        str(run.workers),
        str(found.tiles),
        f"{run.seconds:.3f}",
        percent(run.repeats.spread_percent),
        _figure(run.gain.speed_up if run.gain else None, 2),
        str(found.running.max),
        _figure(found.on_cpu.mean, 2),
        str(found.in_flight.max),
        str(found.switches),
        _figure(found.first_tile_seconds, 3),
    )


def _shared(run: Run) -> tuple[str, ...]:
    found, gain = run.stats, run.gain
    how = schedule.of(run.frame.trace, found)
    start = _figure(gain.speed_up_with_start if gain else None, 2)
    idle = sorted({f"{100 * share:.0f}" for share in how.idle}, key=int)
    return (
        run.frame.title,
        f"{'-'.join(dict.fromkeys((idle[0], idle[-1])))} %" if idle else "-",
        _figure(how.fairness, 3),
        time(found.left_alone_seconds),
        time(how.longest_tile_seconds),
        "-" if how.bound_seconds is None else time(how.bound_seconds),
        percent(None if how.near is None else 100 * how.near),
        start,
        _figure(gain.efficiency if gain else None, 2),
        _figure(gain.serial_fraction if gain else None, 3),
    )


def percent(value: float | None) -> str:
    """A share in per cent, or that there is none."""
    return "-" if value is None else f"{value:.0f} %"


def _figure(value: float | None, digits: int) -> str:
    return "-" if value is None else f"{value:.{digits}f}"


def _told(entered: Sequence[Run]) -> Iterator[str]:
    """What the traces show, in the words of the lesson."""
    for run in entered:
        yield f"{run.frame.title}: {' '.join(sentences.of(run))}"
        yield from (f"  {line}" for line in inside(run.frame, run.stats))
    yield from sentences.conclusions(entered)


def _equal(frames: Sequence[Frame]) -> Iterator[str]:
    """The proof: one hash for all pictures, or which differ."""
    groups: dict[str, list[str]] = {}
    for frame in frames:
        groups.setdefault(frame.sha256, []).append(frame.title)
    if len(frames) > 1 and identical(frames):
        yield f"all {len(frames)} pictures are equal: sha256 {frames[0].sha256}"
    elif len(groups) == 1 and len(frames) > 1:
        yield "THE PICTURES ARE EQUAL, BUT THEIR STEPS ARE NOT"
    elif len(groups) > 1:
        told = "; ".join(f"{', '.join(modes)} {digest[:16]}" for digest, modes in groups.items())
        yield f"THE PICTURES DIFFER, by sha256: {told}"
