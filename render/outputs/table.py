"""The run in words: a few lines for a draw, a table and the lesson for a race. Plain text, at most 100 columns wide.

On a narrow terminal sentences fold earlier, and the table leaves out the columns that are missed least.

Every figure and every sentence is computed from the traces; what a mode is called decides nothing, except that
speed-up is counted from the run that `render.frame.baseline` names.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from os import PathLike, fspath
from textwrap import wrap
from typing import NamedTuple

import render.frame
from render import chart, claims, schedule, stats
from render.frame import Frame, Frames, baseline, identical
from render.stats import Stats
from render.wording import columns, count, harmless, large, time

SUFFIXES = (".txt",)
ABOUT = "what was done, by whom and how long, in words"
WIDTH, NARROWEST = 100, 40
TOO_SHORT = 0.25  # seconds of one worker; below, starting and polling of tens of ms hide what a mode gains
NOTABLE = 1.1  # times as fast; less comes and goes from run to run
# seconds: of all tiles, first start to last end; running: at most, and on average; first: seconds to the first one
HEADS = ("mode", "workers", "tiles", "seconds", "speed-up", "running", "mean", "in flight", "switches", "first")

BASELINE = render.frame.BASELINE
MISSED_LEAST = ("tiles", "mean", "first", "switches", "in flight", "workers", "speed-up")
# how the painting was shared out (render.schedule): idle shares of the workers; how even; longest a begun tile was left
# alone; the longest tile; the best that any schedule could do, and how near this one came; the gain with start-up.
# What takes workers for hands of their own says nothing of the streams of a card, which are queues.
SHARED = ("mode", "idle", "fair", "alone", "longest", "best", "near", "with start", "efficiency", "serial")
SHARED_LEAST = ("serial", "alone", "longest", "fair", "with start", "efficiency", "best", "idle")


class Run(NamedTuple):
    """A frame, what its trace tells, and the run that it is measured against with what that one's tells."""

    frame: Frame
    found: Stats
    base: tuple[Frame, Stats] | None

    @property
    def gain(self) -> float | None:
        """The speed-up."""
        return self.found.speed_up(self.base[1]) if self.base else None


def write(frames: Frames, *, plain: bool = False) -> bytes:
    """The lines of one draw, or the table of a race; there is nothing that a plain file could leave out."""
    text = "\n".join(draw_lines(frames[0], ())[:-1]) if frames.kind == "draw" else race_table(frames, frames.not_run)
    return f"{text}\n".encode()


def draw_lines(frame: Frame, out: Iterable[str | PathLike[str]]) -> list[str]:
    """About one draw: what was done, by whom and how long, where the time went, and where it was saved."""
    request, found = frame.request, stats.of(frame.trace)
    samples = "1 sample" if request.samples == 1 else f"{request.samples} samples"
    tiles = found.seconds["tiles"]
    rate = f", {large(frame.total_steps / tiles)} steps a second" if tiles else ""
    files = ", ".join(fspath(path) for path in out)
    size = f"{request.width} x {request.height} pixels, {samples} each"
    who = f"{count(found.tiles, 'tile')} by {count(len(found.busy), 'worker')} in {time(tiles)}"
    told = [
        f"{request.scene}, view {request.view}: {size}, limit {request.limit}, {request.precision}",
        f"{frame.title}: {who}, at most {found.running.max} running (mean {found.running.mean:.2f}){rate}",
        _ledger(found),
        *inside(frame, found),
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
    runs = list(_runs(frames))
    below = [*_told(runs), *_equal(frames), *_not_run(not_run)]
    folded = [line for text in below for line in wrap(harmless(text), width, subsequent_indent="  ")]
    first = columns([HEADS, *(_row(run) for run in runs)], width, MISSED_LEAST)
    second = columns([SHARED, *(_shared(run) for run in runs)], width, SHARED_LEAST)
    return "\n".join([*first, "", *second, "", *chart.lanes(frames, width), "", *folded])


def _runs(frames: Sequence[Frame]) -> Iterator[Run]:
    found = {id(frame): stats.of(frame.trace) for frame in frames}
    for frame in frames:
        base = baseline(frame, frames)
        yield Run(frame, found[id(frame)], (base, found[id(base)]) if base else None)


def _not_run(modes: Iterable[tuple[str, str]]) -> Iterator[str]:
    for mode, reason in modes:
        yield f"{mode} did not run: {reason.removeprefix(f'mode {mode} cannot run here: ')}"


def _row(run: Run) -> tuple[str, ...]:
    frame, found, _ = run
    gain = None if frame.simulated else run.gain
    first = found.first_tile_seconds
    return (
        frame.title,
        str(len(found.busy)),
        str(found.tiles),
        f"{found.seconds['tiles']:.3f}",
        _figure(gain, 2),
        str(found.running.max),
        f"{found.running.mean:.2f}",
        str(found.in_flight.max),
        str(found.switches),
        _figure(first, 3),
    )


def _shared(run: Run) -> tuple[str, ...]:
    frame, found, base = run
    how = schedule.of(frame.trace, found)
    gain = schedule.gain(frame.trace, base[0].trace) if base and not frame.simulated else None
    start = _figure(gain.speed_up_with_start if gain else None, 2)
    idle = sorted({f"{100 * share:.0f}" for share in how.idle}, key=int)
    return (
        frame.title,
        f"{'-'.join(dict.fromkeys((idle[0], idle[-1])))} %" if idle else "-",
        _figure(how.fairness, 3),
        time(found.left_alone_seconds),
        time(how.longest_tile_seconds),
        "-" if how.bound_seconds is None else time(how.bound_seconds),
        "-" if how.near is None else f"{100 * how.near:.0f} %",
        start,
        _figure(gain.efficiency if gain else None, 2),
        _figure(gain.serial_fraction if gain else None, 3),
    )


def _figure(value: float | None, digits: int) -> str:
    return "-" if value is None else f"{value:.{digits}f}"


def _told(runs: Sequence[Run]) -> Iterator[str]:
    """What the traces show, in the words of the lesson."""
    for run in runs:
        yield f"{run.frame.title}: {_manner(run)}{_won(run)}"
        yield from (f"  {line}" for line in inside(run.frame, run.found))
        claimed = claims.line(run.frame.trace)
        if claimed:
            yield f"  {claimed}"
    alike = [run for run in runs if run.frame.sha256 == runs[0].frame.sha256]
    real = [run for run in alike if run.found.tiles and not run.frame.simulated]
    if len(real) > 1:
        yield _fastest(real)
    alone = [run.base[1].seconds["tiles"] for run in runs if run.base]
    if alone and alone[0] < TOO_SHORT:
        yield (
            f"this frame is too small to show the lesson: one worker needs {time(alone[0])} for it; "
            "take a larger one, or more samples"
        )


def _manner(run: Run) -> str:
    """How the tiles of a run were worked on; only its trace decides."""
    found, frame = run.found, run.frame
    workers, most, flying = len(found.busy), found.running.max, found.in_flight.max
    if not found.tiles:
        return "nothing was painted"
    if most > 1:
        doing = "running" if _at_once(frame, found) == most else "at a tile"
        return f"{count(workers, 'worker')}, up to {most} {doing} at the same instant (mean {found.running.mean:.2f})"
    if workers > 1:
        return f"{workers} workers, but never two running: they took turns"
    if flying > 1 or found.switches:
        in_flight, switches = count(flying, "tile"), count(found.switches, "switch")
        return f"one worker, never two running, {in_flight} in flight at most, {switches}: it juggles"
    return "one worker, one tile after the other"


def _at_once(frame: Frame, found: Stats) -> int:
    """How many can have painted at the same instant: no more than this process had CPUs for."""
    allowed = claims.of(frame.trace).allowed
    return min(found.running.max, allowed) if allowed and not found.on_card else found.running.max


def _won(run: Run) -> str:
    """What juggling gained on one worker, where there was something to wait for."""
    gain = run.gain
    if gain is None or len(run.found.busy) > 1 or not run.found.switches:
        return ""
    if not run.frame.request.wait_ns:
        return ", and gains no time, for nothing had to be waited for" if gain < NOTABLE else ""
    if gain <= 1:
        return ", and won nothing by it"
    return f", and is {gain:.2f} times as fast: while one tile waited for its data, the worker saw to another"


def _fastest(runs: Sequence[Run]) -> str:
    """Who was fastest, and why. The reason is what sets that run apart in its trace."""
    fastest = min(runs, key=lambda run: run.found.seconds["tiles"])
    frame, found, base = fastest
    said = f"fastest: {frame.title}, {time(found.seconds['tiles'])}"
    if base is not None and base[0] is not frame and fastest.gain is not None:
        said += f", {fastest.gain:.2f} times as fast as {base[0].title}"
    if found.on_card:
        return f"{said}: the graphics card paints thousands of samples at once"
    if _at_once(frame, found) > 1:
        return f"{said}: {_at_once(frame, found)} workers painted at the same instant"
    if frame.request.wait_ns and found.switches:
        return f"{said}: while one tile waited for its data, the one worker saw to another"
    return f"{said}: no run had two workers running" if all(run.found.running.max < 2 for run in runs) else said


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
