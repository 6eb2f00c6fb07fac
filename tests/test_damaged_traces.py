"""Whatever is in a saved trace, `show` makes something of it or says in two lines why not."""

from __future__ import annotations

import contextlib
import copy
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from render import engine, lessons, outputs
from render.frame import Frames
from render.frontend.cli import main
from render.outputs import trace as saved

KINDS = ["paint", "block", "launch", "transfer", "wait", "import"]
NAMES = ["sequential", "cuda", "wait", "gil", "draw", "race", *KINDS]
JUNK: st.SearchStrategy[Any] = st.one_of(
    st.sampled_from([None, True, {}, [], [[]], {"a": 1}, *NAMES, "\ud800", "\x1b[2J", "", "9" * 5000]),
    st.integers(-2, 9) | st.sampled_from([2**31, 2**53, 2**62, 2**63 - 1, 2**63, 10**30]),
    st.floats(),
)
FILES = [f"made{load.SUFFIXES[0]}" for load in map(outputs.load, outputs.names())]


@pytest.fixture(scope="module")
def traces(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """A draw, and a race that is a lesson, as JSON documents."""
    asked = {
        "size": (24, 16),
        "tile": (8, 8),
        "limit": 9,
        "samples": 1,
        "target": "python",
        "wait": "1ms",
        "workers": 2,
    }
    race = engine.race(lessons.prepare_entrants("wait", asked))
    draw = Frames(race.frames[1:2])
    return [json.loads(saved.write(frames)) for frames in (draw, race)]


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("render.outputs.replay.IMAGES", 3)


def paths(value: Any, here: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The ways to all places of a document, but only to some of its spans, which are many and alike."""
    keys: Any = value if isinstance(value, dict) else range(min(len(value), 9)) if isinstance(value, list) else ()
    for key in keys:
        yield (*here, key)
        yield from paths(value[key], (*here, key))


def put(stored: Any, way: tuple[Any, ...], value: Any) -> None:
    *before, last = way
    for key in before:
        stored = stored[key]
    stored[last] = value


def show(stored: dict[str, Any], *words: str) -> tuple[int, str, str]:
    Path("t.trace.json").write_text(json.dumps(stored), encoding="utf-8")
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main(["show", "t.trace.json", *words])
    return code, out.getvalue(), err.getvalue()


@settings(max_examples=30, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_every_output_of_a_damaged_trace_is_made_or_refused_in_two_lines(
    traces: list[dict[str, Any]], data: st.DataObject
) -> None:
    stored = copy.deepcopy(data.draw(st.sampled_from(traces)))
    for _ in range(data.draw(st.integers(1, 2))):
        way = data.draw(st.sampled_from(list(paths(stored))))
        put(stored, way, copy.deepcopy(data.draw(JUNK)))  # or a second one could go into itself
    files = [word for file in FILES for word in ("--out", file)]
    code, _, err = show(stored, *files)
    assert code in (0, 2)
    assert len(err.splitlines()) == (2 if code else 0)
    code, out, err = show(stored, "--json")
    assert code in (0, 2)
    assert code or json.loads(out, parse_constant=lambda word: pytest.fail(f"{word} is no JSON"))


@pytest.mark.parametrize("lesson", [{}, [], None, 5, "gil", "bug", "no lesson", "\ud800", "wait"])
@pytest.mark.parametrize("which", [0, 1])
def test_a_lesson_is_told_of_its_own_runs_only(traces: list[dict[str, Any]], which: int, lesson: Any) -> None:
    stored = copy.deepcopy(traces[which])
    for run in stored["runs"]:
        run["facts"]["lesson"] = lesson
    code, out, err = show(stored)
    assert (code, len(err.splitlines())) == ((2, 2) if lesson == {} else (0, 0))
    assert ("lesson wait:" in out) == (which == 1 and lesson == "wait")
