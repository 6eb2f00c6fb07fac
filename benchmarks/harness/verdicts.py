"""What the samples of a case carry: how long it takes, how sure that is, and whether another run differs.

**Of one pass** counts the time that a tenth of its samples stay under: what others do on the machine only ever adds
time, so the quick samples are the ones that tell of the program. The median stands in reports beside it.

**Passes are the independent pieces.** Samples of one process, taken one after the other, share that process's memory
layout and that minute's noise; to count them all as independent is what makes benchmarks see differences that are not
there. So an interval is Student's t over passes (of logarithms, so that it is one of ratios), of confidence 99 %, and
that of two runs is Welch's. Where passes agree by luck, and they are few, their variance is taken to be at least the
median one of all cases by the same clock.

**Disturbed passes do not count** where enough others are left: those in which the yardstick, a fixed piece of work
between the turns, took an eighth longer than in its quickest pass.

**What runs none of the program's code** (yardsticks, NumPy, plain numba, C++) should not change between two runs. By
what most of them did together, the machine has changed, and all intervals grow by that.

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

# Student's t, two-sided, 99 %, for 1 to 30 degrees of freedom; beyond, the normal distribution's 2.58 is near enough
T99: tuple[float, ...] = (
    63.66,
    9.925,
    5.841,
    4.604,
    4.032,
    3.707,
    3.499,
    3.355,
    3.250,
    3.169,
    3.106,
    3.055,
    3.012,
    2.977,
    2.947,
)
T99 += (2.921, 2.898, 2.878, 2.861, 2.845, 2.831, 2.819, 2.807, 2.797, 2.787, 2.779, 2.771, 2.763, 2.756, 2.750)

FAST, SLOW, SAME, AMBIGUOUS = "FAST", "SLOW", "SAME", "AMBIGUOUS"


class Interval(NamedTuple):
    """An estimate with its interval of confidence 99 %; `half` is half the interval as a share of the middle."""

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
    """The samples of a case, pass by pass, without the passes that were disturbed, where enough others are left."""
    found, beside = pieces(row), yards(record, row)
    quiet = [piece for piece, yard in zip(found, beside, strict=False) if yard <= DISTURBED * min(beside)]
    return quiet if len(quiet) >= FEW else found


def logs(record: Record, row: Mapping[str, Any]) -> list[float]:
    """The logarithm of what counts of each pass."""
    return [math.log(quick(piece)) for piece in undisturbed(record, row)]


def interval(values: Sequence[float], floor: float = 0.0) -> Interval:
    """Student's interval of logarithms, as times; a variance of `floor` at least."""
    middle = fmean(values)
    half = math.inf
    if len(values) > 1:
        half = t99(len(values) - 1) * math.sqrt(max(variance(values), floor) / len(values))
    return Interval(math.exp(middle), math.exp(middle - half), math.exp(middle + half) if half < 700 else math.inf)


def t99(freedom: float) -> float:
    """Student's t for so many degrees of freedom."""
    whole = int(freedom)
    return T99[max(1, whole) - 1] if whole <= len(T99) else 2.58


def unstable(record: Record, row: Mapping[str, Any]) -> str | None:
    """Say why a case's samples carry no figure; None where they do."""
    found = pieces(row)
    if len(found) < FEW:
        return f"{len(found)} of {FEW} passes that it takes to tell how sure a figure is"
    half = interval(logs(record, row)).half
    return f"known to {100 * half:.0f} % only, by {len(found)} passes" if half > WIDE else None


def pooled(runs: Iterable[Record]) -> dict[str | None, float]:
    """The median variance of what counts, of all cases by one clock that have passes enough, by clock."""
    found: dict[str | None, list[float]] = {}
    for record in runs:
        for row in record.cases.values():
            if row.get("samples") and len(values := logs(record, row)) >= FEW:
                found.setdefault(row.get("clock"), []).append(variance(values))
    return {clock: median(variances) for clock, variances in found.items()}


def moved(before: Record, after: Record) -> float:
    """How far what runs none of the program's code moved together between two runs, as a logarithm: its median."""
    found = [
        fmean(logs(after, after.cases[name])) - fmean(logs(before, row))
        for name, row in before.cases.items()
        if row.get("control") and row.get("samples") and after.cases.get(name, {}).get("samples")
    ]
    for name, passes in before.yardsticks.items():
        old, new = ([quick(yard) for yard in each if yard] for each in (passes, after.yardsticks.get(name, ())))
        if old and new:
            found.append(math.log(min(new) / min(old)))
    return abs(median(found)) if len(found) >= FEW else 0.0


def compare(before: Record, after: Record) -> dict[str, Verdict]:
    """Compare all cases of two runs of one machine, by name, in the first one's order."""
    floor, drift = pooled((before, after)), moved(before, after)
    return {
        name: _verdict(before, after, row, after.cases[name], floor.get(row.get("clock"), 0.0), drift)
        for name, row in before.cases.items()
        if name in after.cases
    }


def _verdict(
    before: Record, after: Record, old: Mapping[str, Any], new: Mapping[str, Any], floor: float, drift: float
) -> Verdict:
    if not (old.get("samples") and new.get("samples")):
        return Verdict(AMBIGUOUS, None, str(new.get("reason") or old.get("reason") or "no samples to compare"))
    first, second = logs(before, old), logs(after, new)
    middle = fmean(second) - fmean(first)
    if min(len(first), len(second)) < FEW:
        return Verdict(AMBIGUOUS, None, f"{FEW} passes of both are needed")
    parts = [max(variance(values), floor) / len(values) for values in (first, second)]
    freedom = (
        sum(parts) ** 2 / sum(part**2 / (len(values) - 1) for part, values in zip(parts, (first, second), strict=True))
        if sum(parts)
        else 1e9
    )
    half = t99(freedom) * math.sqrt(sum(parts)) + drift
    ratio = Interval(math.exp(middle), math.exp(middle - half), math.exp(min(middle + half, 700)))
    if ratio.low > 1 + LEAST:
        return Verdict(SLOW, ratio)
    if ratio.high < 1 / (1 + LEAST):
        return Verdict(FAST, ratio)
    if ratio.low > 1 / (1 + WITHIN) and ratio.high < 1 + WITHIN:
        return Verdict(SAME, ratio)
    return Verdict(AMBIGUOUS, ratio, f"known to {100 * ratio.half:.0f} % only")
