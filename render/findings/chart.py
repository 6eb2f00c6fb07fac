"""The lanes as plain text, for terminals far away and the logs of machines: who worked on what, and when.

    parallel (threading)
      worker 0   aacc-e..      a letter: the tile it is at (a: 0, Z: 51, then a again), the one that took most of the
      worker 1   bbddff~f      time that it stands for; - at a tile without a CPU, ~ waiting, . neither
      at a tile  22222212      how many workers were at a tile at the same instant, at most
      on a CPU   22221212      how many of them had a CPU, on average
      in flight  22222222      the most tiles that were started but not finished
      waiting    00000010      the most tiles that waited, where any did

It is measured for how long of a span a worker had no CPU, but not when. So as many letters of it are - as that is, as
evenly as may be, those of the next worker a little later.

All runs have one scale of time, from each run's first span of a tile; only a run that would be hardly a letter long, as
one of a GPU is, has a scale of its own and says so. Letters that every terminal and log can show.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from string import ascii_letters
from textwrap import wrap

from render import cpu_time, stats
from render.cpu_time import cpu_share
from render.frame import Frame
from render.trace import AFTER_PAINTING, NO_TILE, Span, on_gpu
from render.trace.intervals import Interval, count_levels
from render.wording import count, format_time, make_harmless

HEAD = 13  # letters before a lane
FEWEST = 2  # letters; a run that is shorter has a scale of its own
MOST = 8  # lanes of a run; of more the first, and how many there are
WAITS, LEFT, IDLE = "~", "-", "."


def draw_lanes(frames: Sequence[Frame], width: int, *, levels: bool = True) -> list[str]:
    """Draw the lanes of all runs as lines of at most `width` letters; none where nothing was painted.

    `levels`: below the workers' lanes also how many were at a tile, on a CPU and in flight.
    """
    runs = [(frame, _tile_spans(frame)) for frame in frames]
    length = max((_total_length(spans) for _, spans in runs), default=0)
    cells = width - HEAD
    if not length or cells < 1:
        return []
    letter = length / cells
    missed = any(cpu_share(span) < 1 for _, spans in runs for span in spans)
    left = f"{LEFT} at a tile without a CPU, " if missed else ""
    key = (
        f"each character is {format_time(letter / 1e9)} of a worker: a letter is the tile it is at, {left}"
        f"{WAITS} waiting, {IDLE} neither"
    )
    return [
        *wrap(key, width),
        *(line[:width] for frame, spans in runs for line in _scale_run(frame, spans, letter, cells, levels)),
    ]


def _scale_run(frame: Frame, spans: Sequence[Span], letter: float, cells: int, levels: bool) -> Iterator[str]:  # noqa: FBT001
    """Draw a run on the scale of all, or on its own where that would show nothing."""
    own = _total_length(spans) / cells
    if not 0 < own * cells < FEWEST * letter:
        return _run_lines(frame.title, frame, spans, letter, levels)
    title = f"{frame.title} ({letter / own:.0f} times wider: a character is {format_time(own / 1e9)})"
    return _run_lines(title, frame, spans, own, levels)


def _tile_spans(frame: Frame) -> list[Span]:
    return [span for span in frame.trace.of_kind("wait", "paint", *AFTER_PAINTING) if span.tile != NO_TILE]


def _total_length(spans: Sequence[Span]) -> int:
    return max((s.t1 for s in spans), default=0) - min((s.t0 for s in spans), default=0)


def _run_lines(title: str, frame: Frame, spans: Sequence[Span], letter: float, levels: bool) -> Iterator[str]:  # noqa: FBT001
    yield title
    start = min((span.t0 for span in spans), default=0)
    cells = max(round(_total_length(spans) / letter), 1) if spans else 0
    workers = frame.trace.workers
    several = len(frame.trace.hosts) > 1
    kind = "stream" if on_gpu(workers) else "worker"
    for number, worker in enumerate(workers[:MOST]):
        if several and worker.host not in {other.host for other in workers[:number]}:
            yield f" on {make_harmless(worker.host)}"
        own = [span for span in spans if span.worker == worker]
        yield _format_lane(f"{kind} {number}", _worker_lane(own, start, letter, cells, number / len(workers)))
    if len(workers) > MOST:
        yield f"  and {count(len(workers) - MOST, kind)} more"
    for worker, name in frame.trace.lanes.items():
        if name in AFTER_PAINTING.values():
            own = [span for span in spans if span.worker == worker]
            yield _format_lane(name, _worker_lane(own, start, letter, cells, 0))
    if workers and levels:
        turns = chain.from_iterable(stats.paint_intervals(frame.trace).values())
        yield _format_lane("at a tile", _level_lane(turns, start, letter, cells))
        if cpu_time.of(frame.trace).mean is not None:
            yield _format_lane("on a CPU", _cpu_lane(spans, start, letter, cells))
        yield _format_lane("in flight", _level_lane(stats.flight_intervals(frame.trace).values(), start, letter, cells))
        waits = stats.wait_intervals(frame.trace)
        if waits:
            yield _format_lane("waiting", _level_lane(waits, start, letter, cells))


def _format_lane(head: str, lane: str) -> str:
    return f"  {head:<{HEAD - 2}}{lane}".rstrip()


def _worker_lane(spans: Sequence[Span], start: int, letter: float, cells: int, later: float) -> str:
    """Draw a letter for each cell, by what took most of its time; `later` (0..1): how much later a CPU is missed."""
    shares: list[dict[str, float]] = [{} for _ in range(cells)]
    without = [0.0] * cells
    for span in spans:
        for cell, part in _split_by_cell((span.t0 - start, span.t1 - start), letter, cells):
            key = WAITS if span.kind == "wait" else str(span.tile)
            shares[cell][key] = shares[cell].get(key, 0.0) + part
            without[cell] += part * (1 - cpu_share(span))
    return _mark_missing_cpu([_choose_letter(parts, letter) for parts in shares], without, letter, later)


def _mark_missing_cpu(letters: list[str], without: Sequence[float], letter: float, later: float) -> str:
    """Put `LEFT` in place of as many letters as stand for the time without a CPU."""
    missed = 0.5 - later
    for cell, lost in enumerate(without):
        missed += lost / letter
        if missed >= 1 and letters[cell] not in (WAITS, IDLE):
            letters[cell] = LEFT
            missed -= 1
    return "".join(letters)


def _cpu_lane(spans: Sequence[Span], start: int, letter: float, cells: int) -> str:
    """Draw how many workers had a CPU on average in each cell, rounded, as a digit; + for more than nine."""
    sums = [0.0] * cells
    for span in spans:
        if span.kind == "paint" and span.on_cpu is not None and span.t1 > span.t0:
            for cell, part in _split_by_cell((span.t0 - start, span.t1 - start), letter, cells):
                sums[cell] += part * span.on_cpu / (span.t1 - span.t0) / letter
    return "".join(_digit(int(given + 0.5)) for given in sums)


def _digit(number: int) -> str:
    return str(number) if number < 10 else "+"


def _split_by_cell(interval: Interval, letter: float, cells: int) -> Iterator[tuple[int, float]]:
    """Yield the cells that an interval touches, and how much of its time is in each."""
    t0, t1 = interval
    for cell in range(min(int(t0 / letter), cells - 1), min(int(t1 / letter), cells - 1) + 1):
        end = t1 if cell == cells - 1 else (cell + 1) * letter
        yield cell, max(min(t1, end) - max(t0, cell * letter), 0.0)


def _choose_letter(shares: Mapping[str, float], letter: float) -> str:
    """Choose painting, waiting or neither, whichever took most; of painting, the tile that did.

    Tiles may wait while their worker paints another: then it paints.
    """
    tiles = {key: part for key, part in shares.items() if key != WAITS}
    painted = sum(tiles.values())
    waited = min(shares.get(WAITS, 0.0), max(letter - painted, 0.0))
    if painted and painted >= max(waited, letter - painted - waited):
        return ascii_letters[int(max(tiles, key=lambda tile: tiles[tile])) % len(ascii_letters)]
    return WAITS if waited > letter - painted - waited else IDLE


def _level_lane(intervals: Iterable[Interval], start: int, letter: float, cells: int) -> str:
    """Draw the most intervals that hold an instant of each cell, as a digit; + for more than nine."""
    most = [0] * cells
    changes = count_levels(intervals)
    for (since, level), (until, _) in zip(changes, [*changes[1:], (0, 0)], strict=True):
        for cell, part in _split_by_cell((since - start, until - start), letter, cells) if level else ():
            if part > 0:
                most[cell] = max(most[cell], level)
    return "".join(map(_digit, most))
