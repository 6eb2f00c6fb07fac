"""A saved trace counted again: plain loops over its JSON, and not a line shared with the program.

    python -m tests.recount a.trace.json race.json table.txt page.html

tells each figure and each sentence of the document, the table and the page that is not what the trace holds.
"""

from __future__ import annotations

import html
import itertools
import json
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

NEAR = 1e-9
COLUMNS = ("worker", "tile", "kind", "t0", "t1", "cpu", "end", "given")
UNITS = {"s": 1.0, "ms": 1e-3, "µs": 1e-6, "us": 1e-6, "ns": 1e-9}
TIME = r"(\d+(?:\.\d+)?(?:e[+-]\d+)?) (s|ms|µs|ns)\b"


class Counted:
    """One run of a saved trace, counted."""

    def __init__(self, run: dict[str, Any]) -> None:
        self.request, self.facts = run["request"], run["facts"]
        rows = [dict(zip(COLUMNS, row, strict=False)) for row in run["spans"]]
        self.paint = [row for row in rows if row["kind"] == "paint"]
        self.tiled = [row for row in rows if row["tile"] >= 0 and row["kind"] != "block"]
        self.waits = [row for row in self.tiled if row["kind"] == "wait"]
        self.asked, self.simulated = run["asked"], bool(self.facts.get("simulated"))
        self.devices = {run["workers"][row["worker"]][2] for row in self.paint}
        self.label = self.facts.get("label")

    @property
    def seconds(self) -> float:
        return float(max(r["t1"] for r in self.tiled) - min(r["t0"] for r in self.tiled)) / 1e9

    @property
    def window(self) -> int:
        return int(max(r["t1"] for r in self.paint) - min(r["t0"] for r in self.paint))

    @property
    def workers(self) -> int:
        return len({r["worker"] for r in self.paint})

    def at_a_tile(self) -> tuple[int, float]:
        """At most, and on average: by a sweep over all starts and ends."""
        edges = sorted({t for r in self.paint for t in (r["t0"], r["t1"])})
        changes: dict[int, list[tuple[int, int]]] = {}
        for r in self.paint:
            changes.setdefault(r["t0"], []).append((r["worker"], 1))
            changes.setdefault(r["t1"], []).append((r["worker"], -1))
        open_: dict[int, int] = {}
        most = area = 0
        for t, after in itertools.pairwise(edges):
            for worker, change in changes[t]:
                open_[worker] = open_.get(worker, 0) + change
            busy = sum(1 for count in open_.values() if count > 0)
            most, area = max(most, busy), area + busy * (after - t)
        return most, area / self.window if self.window else 0.0

    @property
    def on_cpu(self) -> float | None:
        given = [r.get("given") for r in self.paint]
        return None if None in given or not self.window else sum(given) / self.window  # type: ignore[arg-type]

    def tiles(self) -> dict[int, tuple[int, int]]:
        found: dict[int, tuple[int, int]] = {}
        for r in self.paint:
            t0, t1 = found.get(r["tile"], (r["t0"], r["t1"]))
            found[r["tile"]] = min(t0, r["t0"]), max(t1, r["t1"])
        return found

    def in_flight(self) -> int:
        """Tiles from their first span to their last paint end."""
        return self.overlap(
            (min(r["t0"] for r in self.tiled if r["tile"] == n), t1) for n, (_, t1) in self.tiles().items()
        )

    def waiting(self) -> int:
        return self.overlap((r["t0"], r["t1"]) for r in self.waits)

    @staticmethod
    def overlap(intervals: Iterable[tuple[int, int]]) -> int:
        changes = sorted((t, change) for t0, t1 in intervals for t, change in ((t0, 1), (t1, -1)) if t0 < t1)
        level = most = 0
        for _, change in changes:
            level += change
            most = max(most, level)
        return most

    def switches(self) -> int:
        work = sorted((r["t0"], r["t1"], r["tile"], r["worker"]) for r in self.tiled if r["kind"] in ("paint", "wait"))
        ends = {tile: max(t1 for _, t1, other, _ in work if other == tile) for tile in {row[2] for row in work}}
        last: dict[int, int] = {}
        count = 0
        for t0, _, tile, worker in work:
            before = last.get(worker, tile)
            count += before != tile and ends[before] > t0
            last[worker] = tile
        return count

    @property
    def first(self) -> float:
        return float(min(t1 for _, t1 in self.tiles().values()) - self.asked) / 1e9

    @property
    def all_seconds(self) -> list[float]:
        return list(self.facts.get("seconds_all") or [self.seconds])

    @property
    def waited(self) -> float:
        return float(sum(r["t1"] - r["t0"] for r in self.waits)) / 1e9

    @property
    def nobody(self) -> float:
        """Seconds in which nobody was at a tile."""
        edges = sorted((r["t0"], r["t1"]) for r in self.paint)
        covered, until = 0, edges[0][0]
        for t0, t1 in edges:
            covered += max(t1 - max(t0, until), 0)
            until = max(until, t1)
        return self.seconds - covered / 1e9


def baseline(run: Counted, runs: list[Counted]) -> Counted | None:
    based = [one for one in runs if one.request["mode"] == "sequential"]
    alike = [one for one in based if one.request["wait_ns"] == run.request["wait_ns"]]
    return (alike or based or [None])[0]  # type: ignore[list-item]


def close(one: Any, other: Any) -> bool:
    if one is None or other is None:
        return one is other
    return bool(abs(one - other) <= NEAR * max(abs(one), abs(other), 1e-3))


def spread(seconds: list[float]) -> float | None:
    if len(seconds) < 2:
        return None
    return 100 * (max(seconds) - min(seconds)) / sorted(seconds)[(len(seconds) - 1) // 2]


class Figure(NamedTuple):
    """A figure that document and page share: how it is counted, and where and how document and table have it."""

    counted: Callable[[Counted, Counted | None], Any]
    document: str
    head: str = ""  # of the table's column; empty: it has none
    form: str = "{}"


FIGURES = {  # by the names of the page
    "workers": Figure(lambda run, _: run.workers, "workers.seen", "workers"),
    "tiles": Figure(lambda run, _: len(run.tiles()), "tiles"),
    "seconds": Figure(lambda run, _: run.seconds, "seconds.tiles", "seconds", "{:.3f}"),
    "running.max": Figure(lambda run, _: run.at_a_tile()[0], "running.max", "at a tile"),
    "running.mean": Figure(lambda run, _: run.at_a_tile()[1], "running.mean"),
    "on_cpu.mean": Figure(lambda run, _: run.on_cpu, "on_cpu.mean", "on a CPU", "{:.2f}"),
    "in_flight.max": Figure(lambda run, _: run.in_flight(), "in_flight.max", "in flight"),
    "waiting.max": Figure(lambda run, _: run.waiting(), "waiting.max", "waiting"),
    "switches": Figure(lambda run, _: run.switches(), "switches", "switches"),
    "first": Figure(lambda run, _: run.first, "first_tile_seconds", "first", "{:.3f}"),
    "speed-up": Figure(
        lambda run, base: None if base is None or run.simulated else base.seconds / run.seconds,
        "gain.speed_up",
        "speed-up",
        "{:.2f}",
    ),
    "spread": Figure(lambda run, _: spread(run.all_seconds), "seconds_all", "spread", "{:.0f} %"),
}


def in_document(told: Any, path: str) -> Any:
    for key in path.split("."):
        told = told and told[key]
    return spread(told) if path == "seconds_all" else told


def of_page(text: str) -> list[dict[str, Any]]:
    [table] = re.findall(r'<table class="figures">.*?</table>', text, re.DOTALL)
    rows = re.findall(r'<tr><th scope="row">.*?</tr>', table, re.DOTALL)
    found = []
    for row in rows:
        cells = re.findall(r'data-figure="([^"]+)" value="([^"]*)"', row)
        found.append({name: float(value) if value else None for name, value in cells})
    return found


def of_table(text: str) -> list[dict[str, str]]:
    """The rows of all tables, by head."""
    lines = [*text.splitlines(), ""]
    rows: dict[int, dict[str, str]] = {}
    for start in [number for number, line in enumerate(lines) if line.startswith("run  ")]:
        heads = re.split(r"\s{2,}", lines[start])
        for number, line in enumerate(lines[start + 1 : lines.index("", start)]):
            cells = re.split(r"\s{2,}", line)
            if len(cells) == len(heads):  # what stands below explains
                rows.setdefault(number, {}).update(zip(heads, cells, strict=True))
    return list(rows.values())


def wrong_in(sentence: str, run: Counted, base: Counted | None) -> Iterator[str]:
    """What a sentence claims that the run's trace does not hold. Rounding: three digits."""
    most, mean = run.at_a_tile()
    known = {
        r"(\d+) workers painted": run.workers,
        r"painted (\d+) tiles? in": len(run.tiles()),
        r"juggled (\d+) tiles? in": len(run.tiles()),
        r"(\d+) workers juggled": run.workers,
        r"up to (\d+) of them waiting": run.waiting(),
        r"were at a tile \(at most (\d+)\)": most,
        r"on average (\d+\.\d+) were at a tile": mean,
        r"and (\d+\.\d+) on a CPU": run.on_cpu,
        r"had (\d+\.\d+) CPUs on average": run.on_cpu,
        r"on average (\d+\.\d+) CPUs painted": run.on_cpu,
        r"up to (\d+) were in flight": run.in_flight(),
        r"(\d+) times? it put one aside": run.switches(),
        r"was (\d+\.\d+) times as fast": base.seconds / run.seconds if base else None,
    }
    for pattern, value in known.items():
        for told in re.findall(pattern, sentence):
            if value is None or abs(float(told) - value) > 0.0051:
                yield f"{sentence!r}: {pattern} is {value}"
    times = {
        rf"(?:painted|juggled) \d+ tiles? in {TIME}": run.seconds,
        rf"(?:as fast as|as long as|the same as|slower than) .*?\({TIME}\)": base.seconds if base else None,
        rf"tiles waited {TIME}": run.waited,
        rf"nobody painted for {TIME}": run.nobody,
    }
    for pattern, value in times.items():
        for number, unit in re.findall(pattern, sentence):
            if value is None or abs(float(number) * UNITS[unit] - value) > 0.0051 * value + 1e-9:
                yield f"{sentence!r}: {pattern} is {value}"
    low = sentence.lower()
    several = "inside the card" in low  # told of multiprocessors, which this does not count
    share = (run.seconds - run.nobody) / (run.window / 1e9 or 1) if "while they paint" in low else 1
    if "this is parallelism" in low and not several and (run.on_cpu or 0) < 1.0999 * share:
        yield f"{sentence!r}: on a CPU {run.on_cpu}"
    if "one cpu: they took turns" in low and run.facts.get("cpus_affinity") != 1:
        yield f"{sentence!r}: there was more than one CPU"
    if "never two in flight" in low and (run.workers > 1 or run.in_flight() > 1):
        yield f"{sentence!r}: {run.in_flight()} in flight"
    if "shared" in low and run.workers <= (run.facts.get("cpus") or 0):
        yield f"{sentence!r}: {run.workers} workers, {run.facts.get('cpus')} CPUs"


def faults(trace: str, document: str, table: str, page: str) -> Iterator[str]:
    """All that document, table and page of a race tell and its saved trace does not hold, or that they tell apart."""
    runs, told = [Counted(run) for run in json.loads(trace)["runs"]], json.loads(document)
    shown, rows = of_page(page), of_table(table)
    if told["repeats"] != max(len(run.all_seconds) for run in runs):
        yield f"repeats: {told['repeats']}"
    if not len(runs) == len(told["runs"]) == len(shown) == len(rows):
        yield "not as many runs everywhere"
    for run, one, cells, row in zip(runs, told["runs"], shown, rows, strict=False):
        yield from wrong_figures(run, baseline(run, runs), one, cells, row)
        for sentence in one["sentences"]:
            yield from wrong_in(sentence, run, baseline(run, runs))
    for run, one in zip(runs, told["runs"], strict=False):
        for got in re.findall(
            rf"(?:, | and ){re.escape(one['title'])} (?:got )?(\d+\.\d+) of", " ".join(told["sentences"])
        ):
            if run.on_cpu is None or abs(float(got) - run.on_cpu) > 0.0051:
                yield f"{one['title']} got {got} CPUs: {run.on_cpu}"
    flat, plain = re.sub(r"\n\s+", " ", table), html.unescape(re.sub(r"</?strong>", "", page))
    for sentence in [*told["sentences"], *(sentence for one in told["runs"] for sentence in one["sentences"])]:
        for where, text in (("table", flat), ("page", plain)):
            if sentence not in text:
                yield f"not on the {where}: {sentence}"


def wrong_figures(
    run: Counted, base: Counted | None, one: dict[str, Any], cells: dict[str, Any], row: dict[str, str]
) -> Iterator[str]:
    """Figures of document, page and table that are not those of the trace."""
    name = one["title"]
    for figure, (count, path, head, form) in FIGURES.items():
        counted = count(run, base)
        for surface, found in (("document", in_document(one, path)), ("page", cells[figure])):
            if not close(found, counted):
                yield f"{name}, {surface}: {figure} is {found}, counted {counted}"
        told = "-" if counted is None else form.format(counted)
        if head and row.get(head) != told:
            yield f"{name}, table: {head} is {row.get(head)}, counted {told}"
    if one["seconds_all"] != run.all_seconds or one["on_cpu"]["cpus"] != run.facts.get("cpus"):
        yield f"{name}: seconds_all or cpus"


if __name__ == "__main__":
    found = list(faults(*(Path(name).read_text(encoding="utf-8") for name in sys.argv[1:5])))
    sys.stdout.write("\n".join(found or ["no fault"]) + "\n")
    sys.exit(bool(found))
