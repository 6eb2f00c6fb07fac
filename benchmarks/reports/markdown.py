"""A report as Markdown: for a terminal, an issue, or a README."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from harness.cases import title
from harness.passes import duration
from harness.record import Record
from harness.verdicts import Verdict
from reports import findings
from reports.figures import LIMIT, Row, base_of, by_group, rate, ratio, share, time_of

Named = Sequence[tuple[str, Record]]  # a short name for each run


def report(runs: Named, verdicts: Mapping[str, Verdict] | None = None) -> str:
    """Write the whole report: first what ran on what and how sure it is, who won, then every case."""
    lines = ["# Benchmarks", ""]
    for name, record in runs:
        lines += _head(name, record)
    if verdicts is not None:
        lines += _verdicts(verdicts)
    lines += _tables(runs)
    for name, record in runs:
        left = list(findings.missing(record))
        if left:
            lines += [f"## Without a time on {name}, and why", "", *(f"- {text}" for text in left), ""]
    return "\n".join(lines)


def _head(name: str, record: Record) -> Iterator[str]:
    yield from (f"**{name}**: {findings.machine_line(record)}. {findings.circumstances(record)}.", "")
    yield from (findings.sureness(record), "")
    said = findings.findings(record)
    yield from (f"- {text}" for text in said)
    if said:
        yield ""


def _verdicts(verdicts: Mapping[str, Verdict]) -> Iterator[str]:
    yield from ("## The second run against the first", "", f"{findings.counted(dict(verdicts))}.", "")
    yield from ("| case | verdict | time |", "|---|---|---|")
    for name, verdict in verdicts.items():
        yield f"| {name} | {verdict.word} | {findings.change(verdict)} |"
    yield ""


def _tables(runs: Named) -> Iterator[str]:
    """One table a group, with a column for each run."""
    order: dict[tuple[str, str], None] = {}
    for _, record in runs:
        order |= dict.fromkeys(by_group(record))
    section = None
    for key in order:
        if key[0] != section:
            section = key[0]
            yield from (f"## {heading(section)}", "")
        yield from (f"### {key[1]}", "")
        yield "| case |" + "".join(f" {name} | against |" for name, _ in runs)
        yield "|---|" + "---:|---:|" * len(runs)
        for case in cases(runs, key):
            yield f"| {case} |" + "".join(_cells(record, key, case) for _, record in runs)
        yield ""


def heading(section: str) -> str:
    """A section's title; its name where this version has no such section."""
    try:
        return title(section)
    except ImportError:
        return section


def cases(runs: Named, key: tuple[str, str]) -> list[str]:
    """List the cases of a group over all runs."""
    return list(dict.fromkeys(row["case"] for _, record in runs for row in by_group(record).get(key, ())))


def _cells(record: Record, key: tuple[str, str], case: str) -> str:
    row = record.cases.get("/".join((*key, case)))
    if row is None:
        return " | |"
    return f" {time_words(record, row)} | {against_words(record, row)} |"


def time_words(record: Record, row: Row) -> str:
    """A case's time, how sure it is, and its rate; or why it has none."""
    time = time_of(record, row)
    if time is None:
        return f"not run: {row.get('reason', 'no reason recorded')}"
    words = duration(time.quick)
    if time.half is not None and time.half < 1:
        words += f" ± {100 * time.half:.1f} %"
    if time.median > 1.1 * time.quick:
        words += f", median {duration(time.median)}"
    found = rate(record, row)
    if found:
        words += f", {found.all_steps:.3g} G steps/s"
    if (reached := share(record, row)) is not None:
        words += f", {100 * reached:.0f} % of the limit"
    if row.get("summary"):
        return f"{words} (transcribed)"
    if time.unstable:
        words += ", unstable"
    if isinstance(row.get("equal"), dict):
        words += f", {row['equal']['differing']} pixels differ"
    return words


def against_words(record: Record, row: Row) -> str:
    """Compute how many times as fast as the case that the group is compared with."""
    base = base_of(record, row)
    if base is None or base is row or row["case"] == LIMIT:
        return ""
    found = ratio(record, row, base)
    return f"{found.middle:.3g} x" if found else ""
