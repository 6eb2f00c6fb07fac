"""Figures of a film's stages from its trace: how long each was at work, and how much of it at the same instant.

Its tiles are frames. A stage is at work while it has a frame, whoever of its workers does; that two stages are at the
same instant is overlap, and parallelism only where more than one CPU was at work. A film that a browser played while
it was painted has two more stages: its parts were loaded, and its frames played. These count in no figure of CPUs.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain, pairwise
from typing import NamedTuple

from render.cpu_time import sum_cpu_time
from render.findings.evidence import OTHERS, PARALLEL, SHORT
from render.trace import NO_TILE, Trace
from render.trace.intervals import Interval, count_levels, merge_intervals
from render.wording import as_sentence, count, format_time, join_words

COMPUTING = {"paint": "painting", "encode": "encoding", "save": "writing"}
STAGES = {**COMPUTING, "load": "loading", "play": "playing"}
DONE = {"paint": "painted", "encode": "encoded", "save": "written", "load": "loaded", "play": "played"}
ALL_THE_TIME = 0.9  # of it: that a stage is at work so long decides how long the film takes
LITTLE = 0.02  # of the time; stages that are at work together for less do not overlap


class Overlap(NamedTuple):
    """Seconds: that each stage was at work, by kind; that two or more were; from first to last of all.

    computing, window: that a stage on CPUs was at work, and from first to last of these. cpus: how many were at work
    on average in that window; None where that is not known.
    """

    stages: dict[str, float]
    together: float
    whole: float
    computing: float
    window: float
    cpus: float | None

    @property
    def overlaps(self) -> bool:
        """True where stages were at work at the same instant."""
        return self.together >= LITTLE * self.whole

    @property
    def short_of_cpu(self) -> bool:
        """True where the stages that were at work together had less than one CPU: others had it."""
        return self.cpus is not None and self.cpus * self.window < SHORT * self.computing


def is_film(trace: Trace) -> bool:
    """Tell whether a trace is that of a film."""
    return bool(trace.facts.get("film"))


def measure_overlap(trace: Trace) -> Overlap:
    """Measure the stages of a film."""
    spans = [span for span in trace.of_kind(*STAGES) if span.tile != NO_TILE]
    times = {kind: [(span.t0, span.t1) for span in spans if span.kind == kind] for kind in STAGES}
    work = {kind: merge_intervals(mine) for kind, mine in times.items() if mine}
    levels = count_levels(chain.from_iterable(work.values()))
    together = sum(end - start for (start, level), (end, _) in pairwise(levels) if level >= 2)
    computing = merge_intervals(chain.from_iterable(times[kind] for kind in COMPUTING))
    given, window = sum_cpu_time(span for span in spans if span.kind in COMPUTING), _measure_window(computing)
    return Overlap(
        {kind: _add_up(intervals) / 1e9 for kind, intervals in work.items()},
        together / 1e9,
        _measure_window(chain.from_iterable(work.values())) / 1e9,
        _add_up(computing) / 1e9,
        window / 1e9,
        given / window if given is not None and window else None,
    )


def _add_up(intervals: Iterable[Interval]) -> int:
    return sum(t1 - t0 for t0, t1 in intervals)


def _measure_window(intervals: Iterable[Interval]) -> int:
    """Measure from the first start to the last end."""
    edges = list(chain.from_iterable(intervals))
    return max(edges, default=0) - min(edges, default=0)


def describe_film(trace: Trace) -> list[str]:
    """List the sentences about a film."""
    return [as_sentence(text) for text in _describe(trace, measure_overlap(trace))]


def _describe(trace: Trace, overlap: Overlap) -> Iterator[str]:
    frames, fps = trace.facts.get("frames"), trace.facts.get("fps")
    if trace.facts.get("simulated"):
        yield f"a simulator stood for the graphics card: {count(int(frames or 0), 'frame')}, whose times mean nothing"
        return
    if type(frames) is int and type(fps) in (int, float) and fps:
        play, were = ("plays", "was") if frames == 1 else ("play", "were")
        plays = f"which {play} for {format_time(frames / fps)}, {were} {join_words([DONE[k] for k in overlap.stages])}"
        yield f"{count(frames, 'frame')}, {plays} in {format_time(overlap.whole)}"
    yield from _describe_playing(trace)
    if not overlap.stages:
        return
    (first, took), *others = ((STAGES[kind], format_time(seconds)) for kind, seconds in overlap.stages.items())
    each = join_words([f"{first} was at work for {took}", *(f"{name} for {took}" for name, took in others)])
    total = sum(overlap.stages.values())
    if not overlap.overlaps:
        yield f"{each}: {format_time(total)} together. No two of them were at work at the same instant"
        if overlap.short_of_cpu:
            yield f"a stage at work had less than one CPU; {OTHERS}: run it again"
        return
    yield (
        f"{each}: {format_time(total)} together, in {format_time(overlap.whole)}. For {format_time(overlap.together)} "
        "two stages or more were at work at the same instant, on different frames"
    )
    if overlap.cpus is not None:
        parallel = "this is parallelism" if overlap.cpus >= PARALLEL else "this is concurrency; parallelism needs more"
        yield f"on average {overlap.cpus:.2f} CPUs were at work: {parallel}"
    if overlap.short_of_cpu:
        yield f"a stage at work had less than one CPU; {OTHERS}: run it again"
        return
    longest = max(overlap.stages, key=overlap.stages.__getitem__)
    share = overlap.stages[longest] / overlap.whole if overlap.whole else 0.0
    if share >= ALL_THE_TIME:
        yield f"{STAGES[longest]} was at work {100 * share:.0f} % of the time: that decided how long it took"


def _describe_playing(trace: Trace) -> Iterator[str]:
    """Say when a film that was played started to, and how often it stalled."""
    played = merge_intervals((span.t0, span.t1) for span in trace.of_kind("play"))
    if not played:
        return
    first, painted = played[0][0], max((span.t1 for span in trace.of_kind("paint")), default=0)
    early = f", {format_time((painted - first) / 1e9)} before its last frame was painted" if first < painted else ""
    stalls = [after[0] - before[1] for before, after in pairwise(played)]
    stood = f"stalled {count(len(stalls), 'time')}, for {format_time(sum(stalls) / 1e9)} in all"
    yield (
        f"it started to play {format_time((first - trace.asked) / 1e9)} after it was asked for{early}; it "
        f"{stood if stalls else 'never stalled'}"
    )
