"""Numbers from samples: times, ratios, rates, speed-ups, and where modes cross. Nothing here is measured or printed."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from statistics import fmean, median
from typing import Any, NamedTuple

from harness.record import Record
from harness.verdicts import Interval, estimate, interval, pieces, quick
from render.findings.speed_up import fit_serial

LIMIT = "limit"  # the case of a group that makes nothing but the arithmetic of steps
Row = Mapping[str, Any]


class Time(NamedTuple):
    """How long a case takes: what a tenth of its samples stay under, the median, the ninth tenth, and how sure it is.

    `half` is half the interval of the first, as a share; None where there are too few passes, or no samples at all.
    """

    quick: float
    median: float
    slow: float
    samples: int
    half: float | None
    unstable: str | None


class Rate(NamedTuple):
    """Steps a second, in thousands of millions: `all_steps` as if none was skipped, `computed` those really made."""

    all_steps: float
    computed: float | None
    at_most: bool


def time_of(record: Record, row: Row) -> Time | None:
    """Return a case's time; None where it has none."""
    if row.get("summary"):
        seconds = float(row["summary"]["seconds"])
        return Time(seconds, seconds, seconds, 0, None, "transcribed, without samples")
    if not row.get("samples"):
        return None
    samples = row["samples"]
    found = estimate(record, row)
    half = found.half if found.half < math.inf else None
    upper = sorted(samples)[min(len(samples) - 1, round(0.9 * (len(samples) - 1)))]
    return Time(found.middle, median(samples), upper, len(samples), half, row.get("unstable"))


def ratio(record: Record, row: Row, base: Row) -> Interval | None:
    """Compute how many times as long the base takes: above 1 where the case is faster; interval over passes."""
    if row.get("summary") and base.get("summary"):
        middle = base["summary"]["seconds"] / row["summary"]["seconds"]
        return Interval(middle, middle, middle)
    if not (row.get("samples") and base.get("samples")):
        return None
    ours, theirs = ([math.log(quick(piece)) for piece in pieces(one)] for one in (row, base))
    if len(ours) == len(theirs):  # of each pass, for what disturbed one disturbed the other
        return interval([b - a for a, b in zip(ours, theirs, strict=True)])
    middle = math.exp(fmean(theirs) - fmean(ours))
    return Interval(middle, 0.0, math.inf)


def rate(record: Record, row: Row) -> Rate | None:
    """Steps a second; None where no steps are counted."""
    time, facts = time_of(record, row), row.get("facts") or {}
    if time is None or not facts.get("steps"):
        return None
    computed = facts.get("computed")
    return Rate(
        facts["steps"] / time.quick / 1e9,
        computed / time.quick / 1e9 if computed else None,
        facts.get("computed_is") == "at most",
    )


def share(record: Record, row: Row) -> float | None:
    """The share of the limit that a case reaches, by its steps a second; None where its group has no limit."""
    limit = record.cases.get(f"{row['section']}/{row['group']}/{LIMIT}")
    if limit is None or limit is row:
        return None
    ours, most = rate(record, row), rate(record, limit)
    return ours.all_steps / most.all_steps if ours and most else None


def base_of(record: Record, row: Row) -> Row | None:
    """Return the case that this one is compared with."""
    return record.cases.get(f"{row['section']}/{row['group']}/{row.get('base')}")


def by_group(record: Record) -> dict[tuple[str, str], list[Row]]:
    """Return the cases by section and group, in the record's order."""
    found: dict[tuple[str, str], list[Row]] = {}
    for row in record.cases.values():
        found.setdefault((row["section"], row["group"]), []).append(row)
    return found


# --- several workers ----------------------------------------------------------------------------------------


class Scaling(NamedTuple):
    """So many workers: speed-up against one, and the machine's own.

    half: half the speed-up's interval, as a share.
    """

    kind: str
    workers: int
    speed_up: float
    limit: float | None
    half: float


def scaling(record: Record) -> list[Scaling]:
    """Speed-ups of section `scaling`."""
    rows = [row for row in record.cases.values() if row["section"] == "scaling" and row.get("samples")]
    limits = _limits(rows, record)
    found = []
    for row in rows:
        facts, base = row["facts"], base_of(record, row)
        if facts.get("kind") not in {"threads", "processes"} or base is None or row is base:
            continue
        gained = ratio(record, row, base)
        if gained is None:
            continue
        n, s = facts["workers"], gained.middle
        found.append(Scaling(facts["kind"], n, s, limits.get(n), gained.half))
    return found


def _limits(rows: Sequence[Row], record: Record) -> dict[int, float]:
    """Compute how much more threads that only multiply do together than one does alone."""
    times = {row["facts"]["workers"]: time_of(record, row) for row in rows if row["facts"].get("kind") == "busy"}
    alone = times.get(1)
    return {n: n * alone.quick / time.quick for n, time in times.items() if alone and time}


def amdahl(found: Sequence[Scaling], kind: str) -> float | None:
    """The serial share that fits all speed-ups of a kind best: 1 / s = f + (1 - f) / n, by least squares."""
    return fit_serial([(one.workers, one.speed_up) for one in found if one.kind == kind])


# --- where modes cross --------------------------------------------------------------------------------------


class Crossing(NamedTuple):
    """From which frame on a mode is faster than sequential; None: not at any of the sizes that were measured."""

    mode: str
    size: str | None
    measured: tuple[str, ...]


def break_even(record: Record) -> dict[str, list[tuple[int, str, Time]]]:
    """Curves of section `break_even`: by mode, (pixels, size, time) by size."""
    curves: dict[str, list[tuple[int, str, Time]]] = {}
    for row in record.cases.values():
        time = time_of(record, row)
        if row["section"] == "break_even" and time is not None:
            curves.setdefault(row["case"], []).append((row["facts"]["pixels"], row["group"], time))
    return {mode: sorted(points, key=lambda point: point[0]) for mode, points in curves.items()}


def crossings(record: Record) -> list[Crossing]:
    """For each mode the smallest frame from which on it beats sequential at every larger size, beyond doubt.

    Beyond doubt: the interval of the ratio of one run lies above 1; by the middle alone where there is none.
    """
    found = []
    for mode, points in break_even(record).items():
        if mode == "sequential":
            continue
        won = [_wins(record, size, mode) for _, size, _ in points]
        first = next((place for place in range(len(won)) if all(won[place:])), None)
        sizes = tuple(size for _, size, _ in points)
        found.append(Crossing(mode, None if first is None else sizes[first], sizes))
    return found


def _wins(record: Record, size: str, mode: str) -> bool:
    row, base = (record.cases[f"break_even/{size}/{name}"] for name in (mode, "sequential"))
    found = ratio(record, row, base)
    return found is not None and (found.low if len(pieces(row)) > 2 else found.middle) > 1


def reasons(record: Record) -> Iterator[tuple[str, list[str]]]:
    """List what could not run, by reason: the reason, and the names of its cases."""
    found: dict[str, list[str]] = {}
    for row in record.cases.values():
        if row.get("reason"):
            found.setdefault(row["reason"], []).append(row["name"])
    yield from found.items()
