"""What the samples of a case carry: how long it takes, how sure that is, and whether another run differs.

**Of one pass** counts the time that a tenth of its samples stay under: what others do on the machine only ever adds
time, so the quick samples are the ones that tell of the program. The median stands in reports beside it.

**Passes are the independent pieces.** Samples of one process, taken one after the other, share that process's memory
layout and that minute's noise; to count them all as independent is what makes benchmarks see differences that are not
there. So an interval is Student's t over passes (of logarithms, so that it is one of ratios), of confidence 95 %, and
that of two runs is Welch's. Where passes agree by luck, and they are few, their variance is taken to be at least the
median one of all cases by the same clock.

**Disturbed passes do not count.** Those in which the yardstick, a fixed piece of work between the turns, took an eighth
longer than in its quickest pass are left out, where enough others are left. Of the rest count all, or their quicker
half (three at least), whichever makes the narrower interval: where nothing disturbed them all are alike, and where
something did, it made some slow and none quick. (With a third of the passes disturbed by up to 40 %, eight of them find
a change of a tenth nine times in ten, where all passes together find it once in four; neither calls noise a change once
in a hundred. `tests/benchmarks/test_verdicts.py`.)

**What runs none of the program's code** (yardsticks, NumPy, plain numba, C++) should not change between two runs. By
what most of them by the same clock did together, the machine has changed, and so it has where a group's own yardstick
moved: intervals grow by whichever is more. A machine that others load disturbs wall time far more than CPU time; so the
intervals of wall times grow as well by what the measuring threads waited longer for a CPU in one run than in the other.

SLOW or FAST: the whole interval lies beyond a change of 3 %. SAME: it lies within 6 %. Else AMBIGUOUS: measure longer,
or on a quieter machine.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from statistics import fmean, median, variance
from typing import Any, NamedTuple

from harness.record import Record

LOW = 0.1  # the share of samples that are under what counts
LEAST, WITHIN = 0.03, 0.06  # changes: smaller ones are nobody's concern; those within may be called the same
WIDE = 0.05  # half an interval that makes a case unstable
FEW = 3  # passes
DISTURBED = 1.125  # of the yardstick's quickest pass
YARDSTICK_CLOCKS = {"core": "thread", "cores": "wall", "interpreter": "wall"}

# Student's t, two-sided, 95 %, for 1 to 30 degrees of freedom; beyond, the normal distribution's 1.96 is near enough
T95: tuple[float, ...] = (
    *(12.71, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365),
    *(2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145),
)
T95 += (2.131, 2.120, 2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042)

FAST, SLOW, SAME, AMBIGUOUS = "FAST", "SLOW", "SAME", "AMBIGUOUS"


class Interval(NamedTuple):
    """An estimate with its interval of confidence 95 %; `half` is half the interval as a share of the middle."""

    middle: float
    low: float
    high: float

    @property
    def half(self) -> float:
        """Half its width, relative."""
        return math.sqrt(self.high / self.low) - 1 if self.low > 0 else math.inf


class Verdict(NamedTuple):
    """The second run against the first: `ratio` of times, above 1 where the second takes longer."""

    word: str
    ratio: Interval | None
    why: str = ""


def quick(samples: Sequence[float]) -> float:
    """The time that a tenth of the samples stay under, between the two nearest."""
    found = sorted(samples)
    place = LOW * (len(found) - 1)
    low = int(place)
    return found[low] + (place - low) * (found[min(low + 1, len(found) - 1)] - found[low])


def pieces(row: Mapping[str, Any]) -> list[list[float]]:
    """The samples of a case, pass by pass; those of a file that does not tell its passes, cut in five."""
    samples, counts = row["samples"], row.get("passes") or [len(row["samples"])]
    if len(counts) == 1 and len(samples) >= 10:
        edges = [len(samples) * number // 5 for number in range(6)]
        counts = [b - a for a, b in pairwise(edges)]
    found, at = [], 0
    for count in counts:
        found.append(list(samples[at : at + count]))
        at += count
    return [piece for piece in found if piece]


def yards(record: Record, row: Mapping[str, Any]) -> list[float]:
    """The yardstick's quick time beside a case, pass by pass; none where they do not belong to its passes."""
    found = [quick(yard) for yard in record.yardsticks.get(f"{row['section']}/{row['group']}", ()) if yard]
    return found if len(found) == len(row.get("passes") or ()) == len(pieces(row)) else []


def undisturbed(record: Record, row: Mapping[str, Any]) -> list[list[float]]:
    """The samples of the passes of a case in which the yardstick was not slow; of all passes where too few are left."""
    found, beside = pieces(row), yards(record, row)
    quiet = [piece for piece, yard in zip(found, beside, strict=False) if yard <= DISTURBED * min(beside)]
    return quiet if len(quiet) >= FEW else found


def logs(record: Record, row: Mapping[str, Any]) -> list[float]:
    """The logarithm of what counts of each pass, the quickest first."""
    return sorted(math.log(quick(piece)) for piece in undisturbed(record, row))


def choices(record: Record, row: Mapping[str, Any]) -> tuple[list[float], list[float]]:
    """All passes that may count, and their quicker half."""
    values = logs(record, row)
    return values, values[: max(FEW, (len(row.get("passes") or values) + 1) // 2)]


def estimate(record: Record, row: Mapping[str, Any]) -> Interval:
    """Estimate how long a case takes, by whichever choice of its passes makes the narrower interval."""
    return min(map(interval, choices(record, row)), key=lambda found: found.half)


def interval(values: Sequence[float], floor: float = 0.0) -> Interval:
    """Student's interval of logarithms, as times; a variance of `floor` at least."""
    middle = fmean(values)
    half = math.inf
    if len(values) > 1:
        half = t95(len(values) - 1) * math.sqrt(max(variance(values), floor) / len(values))
    return Interval(math.exp(middle), math.exp(middle - half), math.exp(middle + half) if half < 700 else math.inf)


def t95(freedom: float) -> float:
    """Student's t for so many degrees of freedom."""
    return T95[max(1, int(freedom)) - 1] if freedom < len(T95) + 1 else 1.96


def unstable(record: Record, row: Mapping[str, Any]) -> str | None:
    """Say why a case's samples carry no figure; None where they do."""
    found = pieces(row)
    if len(found) < FEW:
        return f"{len(found)} of {FEW} passes that it takes to tell how sure a figure is"
    half = estimate(record, row).half
    return f"known to {100 * half:.0f} % only, by {len(found)} passes" if half > WIDE else None


def pooled(runs: Iterable[Record]) -> dict[str | None, float]:
    """The median variance of what counts, of all cases by one clock that have passes enough, by clock."""
    found: dict[str | None, list[float]] = {}
    for record in runs:
        for row in record.cases.values():
            if row.get("samples") and len(values := choices(record, row)[1]) >= FEW:
                found.setdefault(row.get("clock"), []).append(variance(values))
    return {clock: median(variances) for clock, variances in found.items()}


def moved(before: Record, after: Record) -> dict[str, float]:
    """Estimate how far what runs none of the program's code moved between two runs, by clock: a median logarithm."""
    found: dict[str, list[float]] = {}
    for name, row in before.cases.items():
        new = after.cases.get(name, {})
        if row.get("control") and row.get("samples") and new.get("samples"):
            change = math.log(estimate(after, new).middle / estimate(before, row).middle)
            found.setdefault(drift_clock(row), []).append(change)
    for group, row in {f"{row['section']}/{row['group']}": row for row in before.cases.values()}.items():
        own = yardstick_moved(before, after, group)
        clock = YARDSTICK_CLOCKS.get(row.get("yardstick", ""))
        if own is not None and clock is not None:
            found.setdefault(clock, []).append(own)
    return {clock: abs(median(changes)) for clock, changes in found.items() if len(changes) >= FEW}


def yardstick_moved(before: Record, after: Record, group: str) -> float | None:
    """Return the logarithm by which a group's own yardstick changed, by its median pass; None where it has none."""
    old, new = ([quick(yard) for yard in record.yardsticks.get(group, ()) if yard] for record in (before, after))
    return math.log(median(new) / median(old)) if old and new else None


def slowed(record: Record, group: str) -> float:
    """Return the logarithm by which wall time was longer because others had the CPUs, in the median pass of a group."""
    found = [-math.log(1 - min(share, 0.99)) for share in record.waited.get(group, ()) if share is not None]
    return median(found) if found else 0.0


def drift_clock(row: Mapping[str, Any]) -> str:
    """Return the clock whose drift concerns a case: CPU time is disturbed otherwise than wall time."""
    clock = str(row.get("clock") or "wall")
    return "thread" if clock == "process" else clock


def compare(before: Record, after: Record) -> dict[str, Verdict]:
    """Compare all cases of two runs of one machine, by name, in the first one's order."""
    floor, drift = pooled((before, after)), moved(before, after)

    def drift_of(row: Mapping[str, Any]) -> float:
        group, clock = f"{row['section']}/{row['group']}", drift_clock(row)
        own = abs(yardstick_moved(before, after, group) or 0.0)
        kept = abs(slowed(after, group) - slowed(before, group)) if clock == "wall" else 0.0
        return max(drift.get(clock, 0.0), own, kept)

    return {
        name: _verdict(before, after, row, after.cases[name], floor.get(row.get("clock"), 0.0), drift_of(row))
        for name, row in before.cases.items()
        if name in after.cases
    }


def welch(first: Sequence[float], second: Sequence[float], floor: float, drift: float) -> Interval:
    """Welch's interval of the second's times over the first's, from logarithms, wider by `drift` on both sides."""
    middle = fmean(second) - fmean(first)
    parts = [(max(variance(values), floor) / len(values), len(values) - 1) for values in (first, second)]
    whole = sum(part for part, _ in parts)
    freedom = whole**2 / sum(part**2 / free for part, free in parts) if whole else math.inf
    half = min(t95(freedom) * math.sqrt(whole) + drift, 300.0)
    return Interval(math.exp(middle), math.exp(middle - half), math.exp(middle + half))


def _verdict(
    before: Record, after: Record, old: Mapping[str, Any], new: Mapping[str, Any], floor: float, drift: float
) -> Verdict:
    if not (old.get("samples") and new.get("samples")):
        return Verdict(AMBIGUOUS, None, str(new.get("reason") or old.get("reason") or "no samples to compare"))
    both = list(zip(choices(before, old), choices(after, new), strict=True))
    if min(len(values) for pair in both for values in pair) < FEW:
        return Verdict(AMBIGUOUS, None, f"{FEW} passes of both are needed")
    ratio = min((welch(*pair, floor, drift) for pair in both), key=lambda found: found.half)
    if ratio.low > 1 + LEAST:
        return Verdict(SLOW, ratio)
    if ratio.high < 1 / (1 + LEAST):
        return Verdict(FAST, ratio)
    if ratio.low > 1 / (1 + WITHIN) and ratio.high < 1 + WITHIN:
        return Verdict(SAME, ratio)
    return Verdict(AMBIGUOUS, ratio, f"known to {100 * ratio.half:.0f} % only")
