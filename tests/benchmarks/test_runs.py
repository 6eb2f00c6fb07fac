"""A run keeps what it measured, says why the rest is missing, and goes on where it was interrupted."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.conftest import HANGING

Load = Callable[[str], ModuleType]
ROOT = Path(__file__).parent.parent.parent
RUN, REPORT = ROOT / "benchmarks" / "run.py", ROOT / "benchmarks" / "report.py"


@pytest.fixture(scope="module")
def harness(script: Load) -> Any:
    """The parts that a run is made of."""

    class Parts:
        cases, passes, process, record = (
            script(f"harness.{name}") for name in ("cases", "passes", "process", "record")
        )
        markdown, page = script("reports.markdown"), script("reports.page")

    return Parts


def make_group(harness: Any, prepare: Any, name: str = "group", names: tuple[str, ...] = ("one", "two")) -> Any:
    return harness.cases.Group(name, names, prepare, base="one", yardstick="none", seconds=0.0)


def test_each_case_that_cannot_run_has_its_reason_and_the_others_are_measured(harness: Any) -> None:
    def prepare(stack: ExitStack) -> Iterator[Any]:
        yield harness.cases.Case("one", lambda: 0.5, equal=True, facts={"steps": 7})
        yield harness.cases.Missing("two", "there is no second")
        raise harness.cases.Absent("and no third")

    found = harness.process.measure_group(make_group(harness, prepare, names=("one", "two", "three")), 0.0)

    one, *rest = sorted(found["cases"], key=lambda row: "reason" in row)
    assert (one["case"], one["equal"], set(one["samples"])) == ("one", True, {0.5})
    assert {row["case"]: row["reason"] for row in rest} == {"two": "there is no second", "three": "and no third"}


def test_pictures_that_differ_are_not_timed_and_fail_the_run(harness: Any) -> None:
    def prepare(stack: ExitStack) -> Iterator[Any]:
        raise harness.cases.Differ(3, 100)
        yield

    found = harness.process.measure_group(make_group(harness, prepare), 0.0)

    assert [row["reason"] for row in found["cases"]] == 2 * ["not equal: 3 of 100 step counts differ"]
    assert [row["equal"]["differing"] for row in found["cases"]] == [3, 3]


def test_a_case_that_fails_while_it_is_measured_takes_no_other_with_it(harness: Any) -> None:
    calls: list[str] = []

    def fail(error: Exception) -> float:
        calls.append(str(error))
        if len(calls) > 6:  # both have had their warm-up and some turns
            raise error
        return 0.5

    def prepare(stack: ExitStack) -> Iterator[Any]:
        yield harness.cases.Case("one", lambda: 0.5)
        yield harness.cases.Case("two", lambda: fail(ValueError("odd")))
        yield harness.cases.Case("three", lambda: fail(harness.cases.Differ(3, 100)), equal=True)

    found = harness.process.measure_group(make_group(harness, prepare, names=("one", "two", "three")), 0.1)

    rows = {row["case"]: row for row in found["cases"]}
    assert set(rows["one"]["samples"]) == {0.5}
    assert (rows["two"]["reason"], rows["two"]["equal"]) == ("fails: ValueError: odd", None)
    assert rows["three"]["reason"] == "not equal: 3 of 100 step counts differ"
    assert rows["three"]["equal"]["differing"] == 3


@pytest.mark.parametrize(
    ("only", "found"),
    [
        ([], {"modes", "core", "host"}),
        (["designs"], {"designs"}),
        (["designs/whole f64"], {"designs"}),
        (["straight"], {"ray_marching"}),
        (["whole set f64"], {"core", "gpu", "peers"}),
    ],
)
def test_words_choose_sections_groups_and_cases(script: Load, only: list[str], found: set[str]) -> None:
    chosen = {section for section, _ in script("run").choose(only, quick=False)}

    assert chosen == found if only else found < chosen
    assert only or "designs" not in chosen  # which is measured only when it is named


def test_the_peer_that_needs_a_name_of_an_older_numpy_has_it(script: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(np, "row_stack", raising=False)
    script("peers.numba_cuda").lend_row_stack()

    assert vars(np).pop("row_stack") is np.vstack


@pytest.mark.parametrize(
    ("before", "after", "share"), [((5, 5), (35, 15), 0.25), ((5, 5), (5, 5), None), (None, (5, 5), None)]
)
def test_the_share_of_its_time_that_a_thread_waited_for_a_cpu(
    script: Load, before: Any, after: Any, share: float | None
) -> None:
    assert script("harness.timing").share_waited(before, after) == share


def test_an_interrupted_run_keeps_its_passes_and_goes_on_from_there(
    harness: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    groups = [make_group(harness, None, name) for name in ("first", "second")]
    chosen = [("section", group) for group in groups]
    asked: list[tuple[str, ...]] = []
    out = tmp_path / "run.json"
    made = {
        "case": "one",
        "samples": [0.1, 0.2],
        "warmup": 1.0,
        "repeats": 1,
        "equal": True,
        "facts": {},
        "clock": "wall",
    }
    missing = {"case": "two", "reason": "not here", "equal": None}

    def measure(part: Any, *_: Any) -> Iterator[Any]:
        asked.append(tuple(group.name for group in part.groups))
        for group in part.groups:
            if len(asked) == 2 and group.name == "second":
                raise KeyboardInterrupt
            yield group, {"cases": [dict(made), dict(missing)], "yardstick": [0.1]}

    monkeypatch.setattr(harness.passes, "measure_apart", measure)
    plan = harness.passes.QUICK._replace(passes=3)
    run = harness.record.Record({"cpu": "imagined"}, {"quick": True})
    run.declare("section", groups)
    with pytest.raises(KeyboardInterrupt):
        harness.passes.run(run, chosen, plan, out, {}, lambda _: None)

    kept = harness.record.read(out)
    assert kept.run["interrupted"]
    assert [kept.cases[f"section/{name}/one"]["passes"] for name in ("first", "second")] == [[2, 2], [2]]
    assert kept.cases["section/first/two"]["reason"] == "not here"

    harness.passes.run(kept, chosen, plan, out, {}, lambda _: None)
    assert asked[2:] == [("second",), ("first", "second")]
    assert harness.record.read(out).cases["section/second/one"]["passes"] == [2, 2, 2]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("no JSON", "is no JSON"),
        ('{"schema": "render-benchmarks/99"}', "is no record of benchmarks that this version reads"),
        (
            '{"schema": "render-benchmarks/1", "machine": {}, "cases": [{"name": "a/b/c"}]}',
            "neither samples nor a reason",
        ),
        ('{"schema": "render-benchmarks/1", "cases": []}', "is damaged"),
    ],
)
def test_a_file_that_is_no_record_is_refused_in_a_line(harness: Any, tmp_path: Path, text: str, why: str) -> None:
    path = tmp_path / "x.json"
    path.write_text(text, encoding="utf-8")

    with pytest.raises(harness.record.Unreadable, match=why):
        harness.record.read(path)


def test_a_report_needs_no_more_than_the_names_that_are_checked_from_outside(harness: Any, tmp_path: Path) -> None:
    rows = [
        {"name": "a/b/c", "samples": [0.1] * 20, "equal": True},
        {"name": "a/b/d", "reason": "no <compiler>", "equal": None},
        {"name": "a/b/e", "summary": {"seconds": 0.2}, "equal": {"differing": 3, "why": "rounding"}},
    ]
    path = tmp_path / "x.json"
    path.write_text(json.dumps({"schema": "render-benchmarks/1", "machine": {}, "cases": rows}), encoding="utf-8")
    runs = [("x", harness.record.read(path))]

    text, page = harness.markdown.report(runs), harness.page.write(runs)

    assert "| c | 100 ms" in text
    assert "200 ms" in text
    assert "a/b/d: no <compiler>" in text
    assert "no &lt;compiler&gt;" in page
    assert "no <compiler>" not in page


@given(st.floats(1e-3, 1e3), st.floats(1.0001, 30))
def test_an_axis_has_round_ticks_within_it_whatever_its_ends(script: Load, low: float, factor: float) -> None:
    scale = script("reports.charts").Scale([low, low * factor], 0.0, 100.0, log=True, room=0.02)

    ticks = scale.ticks()

    assert 1 <= len(ticks) <= 8
    assert all(10**scale.low * 0.999 <= tick <= 10**scale.high * 1.001 for tick in ticks)


def test_the_readmes_figures_are_those_of_the_results(script: Load) -> None:
    figures = script("figures")
    runs = figures.results()

    for path in figures.FILES:
        text = path.read_text(encoding="utf-8")
        assert figures.MARKED.search(text)
        assert figures.renew(text, runs) == text, "run python benchmarks/figures.py"


def start(tmp_path: Path, *words: str) -> subprocess.Popen[str]:
    what = "--quick", "--only", "startup/help", "--out", str(tmp_path / "run.json")
    command = [sys.executable, str(RUN), *what, *words]
    return subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=os.environ | {"PYTHONPATH": str(ROOT)})


@pytest.mark.slow
def test_a_run_is_interrupted_resumed_and_reported(tmp_path: Path) -> None:
    with start(tmp_path, "--passes", "3") as run:
        assert run.stderr is not None
        assert run.stderr.readline() == "1 group of cases, 3 passes\n"
        assert "startup/help" in run.stderr.readline()
        run.send_signal(signal.SIGINT)
        assert run.wait(HANGING) == 130
    kept = json.loads((tmp_path / "run.json").read_text(encoding="utf-8"))
    assert kept["run"]["interrupted"]

    with start(tmp_path, "--passes", "3", "--resume") as again:
        assert again.wait(HANGING) == 0
    done = json.loads((tmp_path / "run.json").read_text(encoding="utf-8"))
    assert [len(row["passes"]) for row in done["cases"]] == [3, 3]
    assert done["cases"][0]["samples"][0] == kept["cases"][0]["samples"][0]

    files = 2 * [str(tmp_path / "run.json")]
    report = [sys.executable, str(REPORT), *files, "--check", "--html", str(tmp_path / "x.html")]
    told = subprocess.run(report, capture_output=True, text=True, check=True)
    assert "| startup/help/render --help |" in told.stdout
    assert "0 SLOW" in told.stderr


@pytest.mark.slow
def test_a_process_that_dies_costs_its_own_group_only(
    harness: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    script = tmp_path / "child.py"
    script.write_text(
        "import json, os, sys\n"
        "for name in [b for a, b in zip(sys.argv, sys.argv[1:]) if a == '--group']:\n"
        "    if name == 'deadly':\n"
        "        print('the end is near', file=sys.stderr, flush=True)\n"
        "        os.kill(os.getpid(), 9)\n"
        "    print(json.dumps({'cases': [], 'yardstick': [1.0]}), flush=True)\n",
        encoding="utf-8",
    )
    monkeypatch.setattr(harness.process, "SCRIPT", script)
    groups = [make_group(harness, None, name) for name in ("before", "deadly", "after")]
    found = {
        group.name: made
        for group, made in harness.process.measure_apart(
            harness.process.Part("section", groups, quick=True, share=1.0), {}, HANGING
        )
    }

    assert found["before"] == found["after"] == {"cases": [], "yardstick": [1.0]}
    reasons = {row["reason"] for row in found["deadly"]["cases"]}
    assert reasons == {"its process ended with signal SIGKILL: the end is near"}
