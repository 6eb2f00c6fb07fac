"""The JSON file of a run: written as it grows, so that an interruption keeps what was measured, and read again.

{"schema": "render-benchmarks/1",
 "machine": {...},                       see `machine.describe`
 "run": {"quick", "only", "started", "finished", "interrupted", "passes", "load_after"},
 "cases": [{"name": "SECTION/GROUP/CASE", "section", "group", "case", "base", "control", "yardstick",
            "samples": [seconds, ...],   all raw samples, pass after pass
            "passes": [count, ...],      how many of them each pass made
            "warmup": [seconds, ...],    the first time of each pass, not among the samples
            "repeats": [...],            how often a sample did the work, of which it is the mean
            "equal": true | null | {"differing", "why"},
            "clock": "wall" | "thread" | "process" | "gpu",   whose seconds they are
            "facts": {...}, "unstable": null | why,
            or "reason": why it could not run,
            or "summary": {"seconds", "transcribed"}: a figure from elsewhere, without samples}],
 "yardsticks": {"SECTION/GROUP": [[seconds, ...], ...]},     pass after pass
 "waited": {"SECTION/GROUP": [share | null, ...]}}            of each pass, waiting for a CPU (`timing.Measured`)
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.cases import Group

SCHEMA = "render-benchmarks/1"


class Unreadable(Exception):
    """A file is no record of a run; one line."""


@dataclass
class Record:
    """A run: what the file holds."""

    machine: dict[str, Any]
    run: dict[str, Any]
    cases: dict[str, dict[str, Any]] = field(default_factory=dict)
    yardsticks: dict[str, list[list[float]]] = field(default_factory=dict)
    waited: dict[str, list[float | None]] = field(default_factory=dict)

    def declare(self, section: str, groups: Iterable[Group]) -> None:
        """Make a row for every case of a section, in its order; those that are there stay."""
        for group in groups:
            for name in group.names:
                whole = f"{section}/{group.name}/{name}"
                row: dict[str, Any] = {
                    "name": whole,
                    "section": section,
                    "group": group.name,
                    "case": name,
                    "base": group.base,
                }
                row |= {"control": name in group.controls, "yardstick": group.yardstick, "equal": None}
                row["reason"] = "the run ended before its turn: --resume goes on with it"
                self.cases.setdefault(whole, row)

    def add_pass(self, section: str, group: Group, measured: dict[str, Any]) -> None:
        """Add what one pass measured of a group. A case that was measured before and fails now keeps its samples."""
        for found in measured["cases"]:
            row = self.cases[f"{section}/{group.name}/{found['case']}"]
            if "reason" in found:
                if "samples" not in row or found["equal"] is not None:
                    row |= {"reason": found["reason"], "equal": found["equal"]}
                    row.pop("samples", None)
                else:
                    row.setdefault("lost", []).append(found["reason"])
                continue
            row.pop("reason", None)
            row |= {"equal": found["equal"], "facts": found["facts"], "clock": found["clock"]}
            row.setdefault("samples", []).extend(found["samples"])
            for name, value in (("passes", len(found["samples"])), ("warmup", found["warmup"])):
                row.setdefault(name, []).append(value)
            row.setdefault("repeats", []).append(found["repeats"])
        self.yardsticks.setdefault(f"{section}/{group.name}", []).append(measured["yardstick"])
        self.waited.setdefault(f"{section}/{group.name}", []).append(measured.get("waited"))

    def made(self, section: str, group: Group) -> int:
        """Count how many passes a group has behind it."""
        return len(self.yardsticks.get(f"{section}/{group.name}", ()))

    def write(self, path: Path) -> None:
        """Replace the file at once: whoever reads it meanwhile finds the former or this one whole."""
        document = {"schema": SCHEMA, "machine": self.machine, "run": self.run, "cases": list(self.cases.values())}
        document |= {"yardsticks": self.yardsticks, "waited": self.waited}
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as out:
                out.write(json_text(document))
            Path(name).chmod(0o644)
            Path(name).replace(path)
        except BaseException:
            with suppress(OSError):
                Path(name).unlink()
            raise


def read(path: Path) -> Record:
    """Read a record. Raises Unreadable."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise Unreadable(f"cannot read {path}: {error.strerror}") from error
    except ValueError as error:
        raise Unreadable(f"{path} is no JSON: {error}") from error
    if not isinstance(document, dict) or document.get("schema") != SCHEMA:
        told = document.get("schema") if isinstance(document, dict) else None
        raise Unreadable(f"{path} is no record of benchmarks that this version reads: schema {told}, not {SCHEMA}")
    try:
        cases = {str(row["name"]): dict(row) for row in document["cases"]}
        for row in cases.values():
            if not {"samples", "reason", "summary"} & row.keys():
                raise Unreadable(f"{path}: case {row['name']} has neither samples nor a reason")
            row.setdefault("passes", [len(row["samples"])] if row.get("samples") else [])
            parts = str(row["name"]).split("/")
            row.setdefault("section", parts[0])
            row.setdefault("group", "/".join(parts[1:-1]))
            row.setdefault("case", parts[-1])
        run, yardsticks, waited = (document.get(name, {}) for name in ("run", "yardsticks", "waited"))
        return Record(document["machine"], run, cases, yardsticks, waited)
    except (KeyError, TypeError, ValueError) as error:
        raise Unreadable(f"{path} is damaged: {type(error).__name__} {error}") from error


def json_text(document: Any) -> str:
    """Write JSON that a person can read and git can compare: one line for each case and for each fact."""
    if not isinstance(document, dict):
        return json.dumps(document)
    parts = []
    for name, value in document.items():
        if isinstance(value, list) and value and isinstance(value[0], dict):
            inner = ",\n".join(f"  {json.dumps(_rounded(one))}" for one in value)
            parts.append(f" {json.dumps(name)}: [\n{inner}\n ]")
        elif isinstance(value, dict) and value:
            inner = ",\n".join(f"  {json.dumps(key)}: {json.dumps(_rounded(one))}" for key, one in value.items())
            parts.append(f" {json.dumps(name)}: {{\n{inner}\n }}")
        else:
            parts.append(f" {json.dumps(name)}: {json.dumps(value)}")
    return "{\n" + ",\n".join(parts) + "\n}\n"


def _rounded(value: Any) -> Any:
    """Times to six digits, far below what any clock here can tell apart."""
    if isinstance(value, float):
        return float(f"{value:.6g}")
    if isinstance(value, list):
        return [_rounded(one) for one in value]
    if isinstance(value, dict):
        return {name: _rounded(one) for name, one in value.items()}
    return value


def for_pyperf(record: Record) -> str:
    """Write the same samples as pyperf reads them: a benchmark for each case, a run for each pass.

    pyperf refuses runs without a value, so cases that could not run are left out.
    """
    versions = {str(name): str(value) for name, value in (record.machine.get("packages") or {}).items()}
    shared = {"cpu_model_name": str(record.machine.get("cpu")), "python_version": str(record.machine.get("python"))}
    benchmarks = []
    for row in record.cases.values():
        at, runs = 0, []
        for count in row["passes"]:
            runs.append({"values": row["samples"][at : at + count]})
            at += count
        if runs:
            benchmarks.append({"metadata": {"name": row["name"], "loops": 1, "unit": "second"}, "runs": runs})
    told = shared | {f"{name}_version": value for name, value in versions.items()}
    return json.dumps({"benchmarks": benchmarks, "metadata": told, "version": "1.0"})
