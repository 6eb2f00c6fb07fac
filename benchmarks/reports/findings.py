"""The sentences that a report begins with: who won where and by how much, and how sure that is."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from statistics import median

from harness.passes import duration
from harness.record import Record
from harness.verdicts import AMBIGUOUS, FAST, SAME, SLOW, Interval, Verdict
from reports.figures import Row, amdahl, base_of, by_group, crossings, ratio, reasons, scaling, share, time_of

MODES = {"sequential", "concurrent", "parallel, threads", "parallel, processes", "cuda"}


NEAR = 0.1  # half an interval, up to which a ratio says something


def machine_line(record: Record) -> str:
    """Name the machine in one line."""
    of = record.machine
    gpus = of.get("gpus") or []
    gpu = ", ".join(one["name"] for one in gpus) if gpus else f"no GPU ({of.get('gpu_reason') or 'none was recorded'})"
    cpus = of.get("cpus", "?")
    return f"{of.get('cpu', 'unknown CPU')}, {cpus} CPU{'' if cpus == 1 else 's'}; {gpu}"


def circumstances(record: Record) -> str:
    """Say with what and under which load a run was measured."""
    of, run = record.machine, record.run
    versions = of.get("packages") or {}
    words = [f"Python {of['python']}"] if of.get("python") else []
    words += [f"{name} {versions[name]}" for name in ("numba", "numpy", "numba-cuda") if name in versions]
    loads = [of.get("load_before"), run.get("load_after")]
    if any(load is not None for load in loads):
        words.append("load " + " before, ".join(str(load) for load in loads if load is not None) + " after")
    waited = [share for shares in record.waited.values() for share in shares if share is not None]
    if waited:
        words.append(f"others had the CPUs for {100 * median(waited):.0f} % of the time")
    commit = of.get("commit")
    if commit:
        words.append(f"commit {commit['hash'][:10]}{' with changes' if commit.get('changed') else ''}")
    if run.get("quick"):
        words.append("--quick")
    return ", ".join(words)


def sureness(record: Record) -> str:
    """Say how many cases carry a figure, and how well they are known."""
    rows = list(record.cases.values())
    timed = [row for row in rows if row.get("samples")]
    stable = [row for row in timed if not row.get("unstable")]
    transcribed = sum(1 for row in rows if row.get("summary"))
    words = [f"{len(timed)} of {len(rows)} cases were timed"] if timed or not transcribed else []
    if timed:
        words.append(f"{len(stable)} of them are known to 5 % or better, {len(timed) - len(stable)} are unstable")
    if transcribed:
        words.append(f"{transcribed} are transcribed figures without samples")
    if record.run.get("interrupted"):
        words.append("the run was interrupted")
    equal = sum(1 for row in timed if row.get("equal") is True)
    differing = sum(1 for row in timed if isinstance(row.get("equal"), dict))
    if timed:
        more = f", {differing} differ a little" if differing else ""
        words.append(f"{equal} pictures were compared and equal{more}")
    return "; ".join(words) + "."


def findings(record: Record) -> list[str]:
    """All sentences of one run, the most telling first."""
    kinds = winners, peers, crossed, scaled, limits, further_tiles
    return [sentence for of_kind in kinds for sentence in of_kind(record)]


def winners(record: Record) -> Iterator[str]:
    """The fastest mode of each scene."""
    for (section, group), rows in by_group(record).items():
        if section == "modes" and (said := _fastest(record, [row for row in rows if row["case"] in MODES])):
            yield f"{group}: {said}."


def peers(record: Record) -> Iterator[str]:
    """The program against the best of the others, frame by frame."""
    for (section, group), rows in by_group(record).items():
        ours = [row for row in rows if row["case"].startswith("render") and time_of(record, row)]
        others = [row for row in rows if not row["case"].startswith("render") and time_of(record, row)]
        if section != "peers" or not ours or not others:
            continue
        first = ours[0]
        times = {row["name"]: time_of(record, row) for row in (first, *others)}
        best = min(others, key=lambda row: times[row["name"]].quick)  # type: ignore[union-attr]
        found = ratio(record, first, best)
        if found is not None:
            time = times[first["name"]]
            assert time is not None
            yield f"{group}: {first['case']} takes {duration(time.quick)}, {compared(found, best['case'])}."


def limits(record: Record) -> Iterator[str]:
    """The whole set and the interior against their limit, and against C++ or CUDA C++."""
    for (section, group), rows in by_group(record).items():
        painted = next((row for row in rows if row["case"] == "painted"), None)
        if section not in {"core", "gpu"} or painted is None or (time := time_of(record, painted)) is None:
            continue
        if not group.startswith(("whole set f", "interior")):
            continue
        words = [f"{'one core' if section == 'core' else 'GPU'}, {group}: painted in {duration(time.quick)}"]
        words[0] += " (unstable)" if time.unstable and time.samples else ""
        base, reached = base_of(record, painted), share(record, painted)
        if base is not None and base["case"] != "limit" and (found := ratio(record, painted, base)) is not None:
            words.append(compared(found, base["case"]))
        if reached is not None:
            words.append(f"{100 * reached:.0f} % of the limit")
        yield ", ".join(words) + "."


def compared(found: Interval, other: str) -> str:
    """Say how many times as fast as another, or that it cannot be told: `found` is the other's time over ours."""
    if found.low > 1:
        return f"{times(found.middle)} times as fast as {other}"
    if found.high < 1:
        return f"{times(1 / found.middle)} times as long as {other}"
    if found.half <= NEAR:
        return f"about as long as {other}"
    if found.half == math.inf:
        return f"in too few passes to compare it with {other}"
    return f"which these samples do not tell from {other}"


def times(ratio: float) -> str:
    """Write a ratio as people read it: 1.13, 18.1, 240."""
    return f"{ratio:.3g}" if ratio < 1000 else f"{ratio:.0f}"


def spoken(case: str) -> str:
    """Name a mode within a sentence, where a comma would part it."""
    mode, _, how = case.partition(", ")
    return f"{mode} ({how})" if how else mode


def listed(names: Iterable[str], last: str = "and") -> str:
    """Write names as a list in a sentence."""
    *first, end = map(spoken, names)
    return f"{', '.join(first)} {last} {end}" if first else end


def _fastest(record: Record, rows: list[Row]) -> str | None:
    """The fastest of some cases, and those that may be as fast."""
    timed = [row for row in rows if time_of(record, row)]
    if len(timed) < 2:
        return None
    best = min(timed, key=lambda row: time_of(record, row).quick)  # type: ignore[union-attr]
    surely = [found and found.low > 1 for row in timed if row is not best for found in [ratio(record, best, row)]]
    others = [row["case"] for row in timed if row is not best]
    near = [name for name, sure in zip(others, surely, strict=True) if not sure]
    time, base = time_of(record, best), base_of(record, best)
    assert time is not None
    if near:
        return f"{spoken(best['case'])}, {duration(time.quick)}, is not surely faster than {listed(near, 'or')}"
    said = f"{spoken(best['case'])} is fastest, {duration(time.quick)}"
    found = ratio(record, best, base) if base is not None and base is not best else None
    return f"{said}, {compared(found, spoken(base['case']))}" if found and base else said


def scaled(record: Record) -> Iterator[str]:
    """Speed-up with all workers, against what the machine could give."""
    found = scaling(record)
    for kind in dict.fromkeys(one.kind for one in found):
        most = max((one for one in found if one.kind == kind), key=lambda one: one.workers)
        if most.workers == 1:
            continue
        if most.half > NEAR:
            yield f"{most.workers} {kind}: their samples waver too much to tell a speed-up."
            continue
        said = f"{most.workers} {kind} are {times(most.speed_up)} times as fast as one worker"
        if most.limit:
            said += f"; as many that only multiply do {most.limit:.2f} times the work of one"
        serial = amdahl(found, kind)
        if serial is not None:
            said += f"; Amdahl's serial share that fits: {100 * serial:.1f} %"
        yield said + "."


def crossed(record: Record) -> Iterator[str]:
    """From which frame on each mode wins."""
    nowhere: dict[tuple[str, ...], list[str]] = {}
    for one in crossings(record):
        if one.size is None:
            nowhere.setdefault(one.measured, []).append(one.mode)
        else:
            smallest = ", the smallest that was measured" if one.size == one.measured[0] else ""
            yield f"{spoken(one.mode)}: faster than sequential from {one.size} on{smallest}."
    for sizes, modes in nowhere.items():
        yield f"{listed(modes)}: not surely faster than sequential at any size that was measured ({', '.join(sizes)})."


def further_tiles(record: Record) -> Iterator[str]:
    """Say what each further tile of mode cuda costs the host."""
    rows = [row for row in record.cases.values() if row["section"] == "host" and row.get("samples")]
    if len(rows) == 2:
        many, one = rows
        tiles = many["facts"]["tiles"] - one["facts"]["tiles"]
        spent = min(many["samples"]) - min(one["samples"])  # the least of many: a tenth could leave less than nothing
        yield f"host: {1e6 * spent / tiles:.2f} us for each further tile"


def missing(record: Record) -> Iterator[str]:
    """List what could not run, and why."""
    for reason, names in reasons(record):
        shown = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
        yield f"{shown}: {reason}"


def counted(verdicts: dict[str, Verdict]) -> str:
    """Count how many cases have which verdict."""
    words = [one.word for one in verdicts.values()]
    return ", ".join(f"{words.count(word)} {word}" for word in (SLOW, FAST, SAME, AMBIGUOUS))


def change(verdict: Verdict) -> str:
    """A verdict's ratio in words: by how much longer the second run took, with its interval."""
    if verdict.ratio is None:
        return verdict.why
    middle, low, high = (100 * (value - 1) for value in verdict.ratio)
    return f"{middle:+.1f} % ({low:+.1f} to {high:+.1f} %)"
