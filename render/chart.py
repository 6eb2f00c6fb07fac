"""The lanes as plain text, for terminals far away and the logs of machines: who worked on what, and when.

    parallel (threading)
      worker 0   002244..      a digit: the tile it paints (the last digit of its number), the one that took most of
      worker 1   113355~5      the time that the letter stands for; ~ waits, . does neither
      running    22222212      how many workers painted at the same instant, at most
      in flight  22222222      how many tiles were begun and not done, at most

All runs have one scale of time, from each run's first span of a tile; only a run that would be hardly a letter long, as
one of a graphics card is, has a scale of its own and says so. Letters that every terminal and log can show.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from textwrap import wrap

from render import stats
from render.frame import Frame
from render.trace import NO_TILE, Span
from render.wording import count, time

HEAD = 13  # letters before a lane
FEWEST = 2  # letters; a run that is shorter has a scale of its own
MOST = 8  # lanes of a run; of more the first, and how many there are
WAITS, IDLE = "~", "."

Interval = tuple[int, int]


def lanes(frames: Sequence[Frame], width: int) -> list[str]:
    """The lanes of all runs as lines of at most `width` letters; none where nothing was painted."""
    runs = [(frame, _work(frame)) for frame in frames]
    length = max((_length(spans) for _, spans in runs), default=0)
    cells = width - HEAD
    if not length or cells < 1:
        return []
    letter = length / cells
    told = f"a letter is {time(letter / 1e9)}; a digit the tile painted (its last), {WAITS} waits, {IDLE} does neither"
    return [
        *wrap(told, width),
        *(line[:width] for frame, spans in runs for line in _scaled(frame, spans, letter, cells)),
    ]


def _scaled(frame: Frame, spans: Sequence[Span], letter: float, cells: int) -> Iterator[str]:
    """A run on the scale of all, or on its own where that would show nothing."""
    own = _length(spans) / cells
    if not 0 < own * cells < FEWEST * letter:
        return _run(frame.title, frame, spans, letter)
    return _run(f"{frame.title} ({letter / own:.0f} times wider: a letter is {time(own / 1e9)})", frame, spans, own)


def _work(frame: Frame) -> list[Span]:
    return [span for span in frame.trace.of_kind("wait", "paint") if span.tile != NO_TILE]


def _length(spans: Sequence[Span]) -> int:
    return max((s.t1 for s in spans), default=0) - min((s.t0 for s in spans), default=0)


def _run(title: str, frame: Frame, spans: Sequence[Span], letter: float) -> Iterator[str]:
    yield title
    start = min((span.t0 for span in spans), default=0)
    cells = max(round(_length(spans) / letter), 1) if spans else 0
    workers = frame.trace.workers
    for number, worker in enumerate(workers[:MOST]):
        own = [span for span in spans if span.worker == worker]
        yield _line(f"worker {number}", _lane(own, start, letter, cells))
    if len(workers) > MOST:
        yield f"  and {count(len(workers) - MOST, 'worker')} more"
    if workers:
        turns = chain.from_iterable(stats.turns(frame.trace).values())
        yield _line("running", _levels(turns, start, letter, cells))
        yield _line("in flight", _levels(stats.flights(frame.trace).values(), start, letter, cells))


def _line(head: str, lane: str) -> str:
    return f"  {head:<{HEAD - 2}}{lane}".rstrip()


def _lane(spans: Sequence[Span], start: int, letter: float, cells: int) -> str:
    """A letter for each cell, by what took most of its time."""
    shares: list[dict[str, float]] = [{} for _ in range(cells)]
    for span in spans:
        for cell, share in _cells((span.t0 - start, span.t1 - start), letter, cells):
            key = WAITS if span.kind == "wait" else str(span.tile)
            shares[cell][key] = shares[cell].get(key, 0.0) + share
    return "".join(_letter(share, letter) for share in shares)


def _cells(interval: Interval, letter: float, cells: int) -> Iterator[tuple[int, float]]:
    """The cells that an interval touches, and how much of its time is in each."""
    t0, t1 = interval
    for cell in range(min(int(t0 / letter), cells - 1), min(int(t1 / letter), cells - 1) + 1):
        end = t1 if cell == cells - 1 else (cell + 1) * letter
        yield cell, max(min(t1, end) - max(t0, cell * letter), 0.0)


def _letter(shares: Mapping[str, float], letter: float) -> str:
    """Painting, waiting or neither, whichever took most; of painting, the tile that did."""
    tiles = {key: share for key, share in shares.items() if key != WAITS}
    painted, waited = sum(tiles.values()), min(shares.get(WAITS, 0.0), letter)
    if painted and painted >= max(waited, letter - painted - waited):
        return max(tiles, key=lambda tile: tiles[tile])[-1]
    return WAITS if waited > letter - painted - waited else IDLE


def _levels(intervals: Iterable[Interval], start: int, letter: float, cells: int) -> str:
    """The most that hold an instant of each cell, as a digit; + for more than nine."""
    most = [0] * cells
    changes = stats.levels(intervals)
    for (since, level), (until, _) in zip(changes, [*changes[1:], (0, 0)], strict=True):
        for cell, share in _cells((since - start, until - start), letter, cells) if level else ():
            if share > 0:
                most[cell] = max(most[cell], level)
    return "".join(str(level) if level < 10 else "+" for level in most)
