"""One HTML file that needs nothing else: what ran, on what, how sure it is, and who won where come first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from html import escape
from pathlib import Path

from harness.passes import duration
from harness.record import Record
from harness.verdicts import FAST, SLOW, Verdict
from reports import charts, findings
from reports.figures import Row, break_even, by_group, scaling, time_of
from reports.markdown import Named, against_words, cases, heading, time_words

CSS = Path(__file__).with_name("page.css")
MOST = 14  # bars of verdicts
WIDE = 0.5  # half an interval, beyond which a chart has no room for it
FIRST, FIRST_OF_MANY = 6, 3  # sentences of a run that are shown at once


def write(runs: Named, verdicts: Mapping[str, Verdict] | None = None) -> str:
    """Write the page."""
    title = "Benchmarks of render"
    body = [f"<h1>{title}</h1>"]
    if verdicts is not None:
        before, after = (name for name, _ in runs[-2:])
        counted = findings.counted(dict(verdicts))
        body.append(f'<p><a href="#verdicts">{escape(after)} against {escape(before)}</a>: {escape(counted)}.</p>')
    body += _head(runs)
    if verdicts is not None:
        body += _verdicts(verdicts, *[name for name, _ in runs[-2:]])
    for name, record in runs:
        body += _charts(name if len(runs) > 1 else "", record)
    body += _tables(runs)
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<style>{CSS.read_text(encoding='utf-8')}</style></head><body><main>{''.join(body)}</main></body></html>\n"
    )


def _head(runs: Named) -> Iterator[str]:
    for name, record in runs:
        said = [f"<li>{escape(text)}</li>" for text in findings.findings(record)]
        shown = "".join(said[: FIRST if len(runs) == 1 else FIRST_OF_MANY])
        more = "".join(said[FIRST if len(runs) == 1 else FIRST_OF_MANY :])
        more = f"<details><summary>Further findings</summary><ul>{more}</ul></details>" if more else ""
        left = [f"<li>{escape(text)}</li>" for text in findings.missing(record)]
        summary = f"Cases without a time, and why ({len(left)})"
        not_run = f"<details><summary>{summary}</summary><ul>{''.join(left)}</ul></details>"
        yield (
            f'<section class="run" aria-label="{escape(name, quote=True)}"><strong>{escape(name)}: '
            f"{escape(findings.machine_line(record))}</strong>"
            f"<p>{escape(findings.sureness(record))}</p>"
            f"{f'<ul>{shown}</ul>' if shown else ''}{more}"
            f'<p class="soft">{escape(findings.circumstances(record))}.</p>{not_run if left else ""}</section>'
        )


def _verdicts(verdicts: Mapping[str, Verdict], before: str, after: str) -> Iterator[str]:
    yield f'<h2 id="verdicts">{escape(after)} against {escape(before)}</h2>'
    yield f"<p>{escape(findings.counted(dict(verdicts)))}.</p>"
    measured = {name: one for name, one in verdicts.items() if one.ratio is not None}
    order = sorted(measured, key=lambda name: (measured[name].word not in {SLOW, FAST}, -abs(_log(measured[name]))))
    found = []
    for name in order[:MOST]:
        one = measured[name]
        assert one.ratio is not None
        found.append(charts.Bar(name.split("/", 1)[1], *one.ratio, one.word, one.word))
    if found:
        chart = charts.bars("Time of the second run over the first", found, "time, second run over first", middle=1.0)
        yield _shown("Those that changed most", "with intervals of confidence 95 %", chart)
    rows = "".join(
        f'<tr><th scope="row">{escape(name)}</th><td class="{one.word}">{one.word}</td>'
        f'<td class="n">{escape(findings.change(one))}</td></tr>'
        for name, one in verdicts.items()
    )
    yield "<details><summary>All verdicts</summary>" + _table("All verdicts", ("case", "verdict", "time"), rows)
    yield "</details>"


def _log(verdict: Verdict) -> float:
    return verdict.ratio.middle - 1 if verdict.ratio else 0.0


def _shown(caption: str, more: str, chart: str) -> str:
    return f"<figure><figcaption>{escape(caption)} <span>{escape(more)}</span></figcaption>{chart}</figure>"


def _charts(name: str, record: Record) -> Iterator[str]:
    """All charts of one run."""
    found = [*_modes(record), *_break_even(record), *_peers(record), *_scaling(record)]
    if found:
        yield f"<h2>{escape(name) + ': who' if name else 'Who'} wins where</h2>"
        yield f'<div class="charts">{"".join(found)}</div>'


def _bars_of(record: Record, rows: list[Row], ours: str) -> list[charts.Bar]:
    found = []
    for row in rows:
        time = time_of(record, row)
        if time is not None:
            label = duration(time.quick) + (" ?" if time.unstable else "")
            kind = "ours" if ours and row["case"].startswith(ours) else "other"
            half = 1 + (time.half if time.half is not None and time.half < 1 else 0.0)
            ms = 1e3 * time.quick
            found.append(charts.Bar(row["case"], ms, ms / half, ms * half, label, kind))
    return found


def _modes(record: Record) -> Iterator[str]:
    for (section, group), rows in by_group(record).items():
        found = _bars_of(record, rows, "")
        if section == "modes" and len(found) > 1:
            more = "a frame in each mode; ms, shorter is faster; ? unstable"
            yield _shown(group, more, charts.bars(group, found, "ms"))


def _peers(record: Record) -> Iterator[str]:
    for (section, group), rows in by_group(record).items():
        found = _bars_of(record, rows, "render")
        if section == "peers" and len(found) > 1:
            found.sort(key=lambda bar: bar.value)
            yield _shown(group, "ms, shorter is faster; ? unstable", charts.bars(group, found, "ms"))


def _break_even(record: Record) -> Iterator[str]:
    curves = break_even(record)
    if not curves or max(map(len, curves.values())) < 2:
        return
    series = {}
    for mode, points in curves.items():
        spread = [1 + (time.half if time.half is not None and time.half < 1 else 0.0) for _, _, time in points]
        series[mode] = [
            charts.Point(pixels, time.quick, time.quick / half, time.quick * half)
            for (pixels, _, time), half in zip(points, spread, strict=True)
        ]
    ticks = {float(pixels): size for points in curves.values() for pixels, size, _ in points}
    ticks = dict(sorted(ticks.items()))
    chart = charts.lines("Break-even", series, ticks, axes=("frame, pixels", "time of a frame"))
    yield _shown("Break-even", "from where on each mode wins", chart)


def _scaling(record: Record) -> Iterator[str]:
    found = scaling(record)
    if not found:
        return
    series: dict[str, list[charts.Point]] = {}
    for one in found:
        spread = 1 + (one.half if one.half < WIDE else 0.0)
        point = charts.Point(one.workers, one.speed_up, one.speed_up / spread, one.speed_up * spread)
        series.setdefault(one.kind, []).append(point)
    counts = sorted({one.workers for one in found})
    guides = {"one more for each": [(n, float(n)) for n in counts]}
    limits = {one.workers: one.limit for one in found if one.limit}
    if len(limits) > 1:
        guides["only multiplying"] = [(n, limits[n]) for n in sorted(limits)]
    ticks = {float(n): str(n) for n in counts}
    chart = charts.lines("Speed-up", series, ticks, axes=("workers", "times as fast as one"), log=False, guides=guides)
    yield _shown("Speed-up", "by workers", chart)


def _tables(runs: Named) -> Iterator[str]:
    """Every case, section by section, folded."""
    order: dict[tuple[str, str], None] = {}
    for _, record in runs:
        order |= dict.fromkeys(by_group(record))
    yield "<h2>Every case</h2>"
    for section in dict.fromkeys(key[0] for key in order):
        yield f"<details><summary>{escape(heading(section))}</summary>"
        for key in order:
            if key[0] == section:
                yield f"<h3>{escape(key[1])}</h3>{_group(runs, key)}"
        yield "</details>"


def _group(runs: Named, key: tuple[str, str]) -> str:
    heads = ["case"]
    for name, record in runs:
        base = next((row.get("base") for row in by_group(record).get(key, ())), None)
        heads += [name, f"times as fast as {base}" if base else ""]
    rows = []
    for case in cases(runs, key):
        cells = [f'<th scope="row">{escape(case)}</th>']
        for _, record in runs:
            row = record.cases.get("/".join((*key, case)))
            words = (time_words(record, row), against_words(record, row)) if row else ("", "")
            cells += [f'<td class="n">{escape(word)}</td>' for word in words]
        rows.append(f"<tr>{''.join(cells)}</tr>")
    return _table(f"{key[0]}, {key[1]}", heads, "".join(rows))


def _table(label: str, heads: list[str] | tuple[str, ...], rows: str) -> str:
    head = "".join(f'<th scope="col">{escape(text)}</th>' if text else "<td></td>" for text in heads)
    return (
        f'<div class="scroll" role="region" tabindex="0" aria-label="{escape(label, quote=True)}">'
        f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>"
    )
