"""A session prepares once, draws the pictures of `draw`, refuses what it cannot change, and survives errors."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

import render
from render.codegen import program
from render.contract import trial
from render.errors import SceneError, TileError, UsageError

SMALL: dict[str, Any] = {"size": (24, 16), "samples": 1, "limit": 30, "tile": 8}
COUNTED = """
from pathlib import Path
from render.lanes import fma, where
PARAMETERS = {"wall": (1.0, 0.0, 9.0, "Where it ends."), "turns": (1, 0, 3, "How often it is folded.")}
LIMIT = 9
def prepare(parameters, size):
    with open(%r, "a", encoding="utf-8") as counts:
        counts.write("prepared\\n")
    return {"wall": parameters.wall, "turns": parameters.turns, "hole": 0.0 / parameters.wall}
def start(x, y, p): return x, y
def step(state, p):
    x, y = state
    return fma(x, 1.5, y + p.hole), y
def alive(state, p): return state[0] < p.wall
def shade(state, steps, p):
    return state[0] * 0.5 + p.hole, state[1] * 0.5, steps * 0.1
"""
BRANCHING = COUNTED.replace("    x, y = state\n", "    x, y = state\n    if p.turns == 3:\n        x = x ** 2\n")
RUNS: dict[str, dict[str, Any]] = {
    "sequential": {"mode": "sequential"},
    "interpreted": {"mode": "sequential", "target": "python"},
    "concurrent": {"mode": "concurrent"},
    "threads": {"mode": "parallel", "workers": 2},
    "processes": {"mode": "parallel", "backend": "loky", "workers": 2},
    "interpreted processes": {"mode": "parallel", "backend": "loky", "workers": 2, "target": "python"},
    "simulated": {"mode": "cuda", "simulate": True},
}
EACH_RUN = [pytest.param(run, marks=[pytest.mark.slow] if run == "simulated" else []) for run in RUNS]


class Counted:
    """A scene's file that counts in another file how often it was prepared, in whatever process."""

    def __init__(self, folder: Path) -> None:
        self.path, self._counts = folder / "counted.py", folder / "counts"
        self.path.write_text(COUNTED % str(self._counts), encoding="utf-8")

    def prepared(self) -> int:
        """Give how often since it was last asked."""
        count = len(self._counts.read_text(encoding="utf-8").splitlines()) if self._counts.exists() else 0
        self._counts.unlink(missing_ok=True)
        return count


@pytest.fixture
def counted(tmp_path: Path) -> Counted:
    return Counted(tmp_path)


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often the contract was checked and code was found by its fingerprint."""
    made: Counter[str] = Counter()

    def counting(home: Any, name: str) -> None:
        plain = getattr(home, name)

        def call(*arguments: Any, **named: Any) -> Any:
            made[name] += 1
            return plain(*arguments, **named)

        monkeypatch.setattr(home, name, call)

    counting(trial, "check_scene")
    counting(program, "hash_function")
    return made


@pytest.mark.parametrize("run", EACH_RUN)
def test_a_frame_is_prepared_once_whoever_paints_it(run: str, counted: Counted) -> None:
    """The contract check, the code, all workers and the estimate of the tiles' costs share what `prepare` gives."""
    render.draw(scene=str(counted.path), order="costly", **RUNS[run], **SMALL)

    assert counted.prepared() == 1


def test_a_race_is_prepared_once_for_all_modes(counted: Counted, calls: Counter[str]) -> None:
    result = render.race(["sequential", "concurrent", "parallel"], scene=str(counted.path), workers=2, **SMALL)

    assert result.identical
    assert (counted.prepared(), calls) == (1, {"check_scene": 1, "hash_function": 1})


def test_a_session_checks_and_finds_its_code_once(counted: Counted, calls: Counter[str]) -> None:
    with render.session(scene=str(counted.path), mode="sequential", **SMALL) as s:
        for wall in (1, 2, 3, 2, 1):
            s.draw(parameters={"wall": wall}, order="costly")
        s.draw(size=(32, 20), tile=(9, 7), samples=4, limit=5)

    assert calls == {"check_scene": 1, "hash_function": 1}
    assert counted.prepared() == 4, "three walls and two sizes, none of them twice"


def test_numbers_that_may_steer_a_branch_are_checked_anew(counted: Counted, calls: Counter[str]) -> None:
    counted.path.write_text(BRANCHING % os.devnull, encoding="utf-8")
    with render.session(scene=str(counted.path), mode="sequential", target="python", **SMALL) as s:
        s.draw(parameters={"turns": 2})
        with pytest.raises(SceneError, match=r"\*\*"):
            s.draw(parameters={"turns": 3})
        s.draw(parameters={"turns": 2})

    assert calls["check_scene"] == 3


CHANGES: list[dict[str, Any]] = [
    {},
    {"parameters": {"zoom": 3}},
    {"parameters": {"x": -0.75, "y": 0.1, "zoom": 40}, "limit": 300},
    {"view": "seahorses"},
    {"size": (19, 25), "tile": (7, 9)},
    {"samples": 3, "order": "hilbert"},
    {"parameters": {"shortcuts": 0}},
    {"parameters": {"y": 0.5}},
    {"only_tile": 2},
]


@pytest.mark.parametrize("run", EACH_RUN)
def test_each_frame_is_that_of_draw(run: str) -> None:
    """Also after frames of other sizes and samples, and with rows folded or not, which use the same code and memory."""
    changes = CHANGES[:2] if run == "simulated" else CHANGES
    with render.session(**RUNS[run], **SMALL) as s:
        drawn = [s.draw(**change) for change in changes]

    for frame, change in zip(drawn, changes, strict=True):
        expected = render.draw(**SMALL | {"mode": "sequential"} | change)
        assert (frame.sha256, frame.total_steps) == (expected.sha256, expected.total_steps), change


def test_parameters_add_to_those_of_the_session() -> None:
    with render.session(mode="sequential", target="python", parameters={"x": -0.75, "zoom": 2}, **SMALL) as s:
        assert s.draw(parameters={"zoom": 3}).request.values["x"] == -0.75
        assert s.draw().request.values["zoom"] == 2.0, "a change is for one frame"


@pytest.mark.parametrize(
    "change", [{"scene": "julia"}, {"precision": "f32"}, {"mode": "concurrent"}, {"target": "scalar"}]
)
def test_what_is_compiled_cannot_change(change: dict[str, Any]) -> None:
    with render.session(mode="sequential", target="python", **SMALL) as s:
        with pytest.raises(UsageError, match=f"the {next(iter(change))} of a session cannot change"):
            s.draw(**change)
        assert s.draw().total_steps > 0


def test_a_closed_session_draws_no_more() -> None:
    with render.session(mode="sequential", target="python", **SMALL) as s:
        assert "open" in repr(s)
    s.close()
    with pytest.raises(UsageError, match="closed"):
        s.draw()
    with pytest.raises(UsageError, match="closed"), s:
        pass
    assert "closed" in repr(s)


def test_a_window_tells_of_itself_in_one_line_and_shows_itself_as_a_picture() -> None:
    with render.session(mode="sequential", target="python", **SMALL) as s:
        window = s.window(3, 2, 5, 4)
    assert repr(window) == "<Window of 5 x 4 pixels at 3, 2>"
    assert window._repr_png_() == window.png()


def test_an_error_leaves_a_session_as_it_was(counted: Counted) -> None:
    with render.session(scene=str(counted.path), mode="parallel", workers=2, target="python", **SMALL) as s:
        before = s.draw().sha256
        for change, error in (
            ({"parameters": {"colour": 3}}, UsageError),
            ({"size": "big"}, UsageError),
            ({"parameters": {"wall": 0.0}}, TileError),  # a hole of NaN
        ):
            with pytest.raises(error):
                s.draw(**change)
        assert s.draw().sha256 == before


def test_opening_finds_what_is_wrong(counted: Counted) -> None:
    with pytest.raises(UsageError):
        render.session(workers=2, mode="sequential")
    counted.path.write_text(BRANCHING % os.devnull, encoding="utf-8")
    with pytest.raises(SceneError):
        render.session(scene=str(counted.path), parameters={"turns": 3})


def test_a_session_keeps_the_scene_that_it_was_opened_with(counted: Counted) -> None:
    with render.session(scene=str(counted.path), mode="sequential", **SMALL) as s:
        before = s.draw()
        counted.path.unlink()
        assert s.draw().sha256 == before.sha256


@pytest.mark.parametrize("run", [run for run in RUNS if run != "simulated"])
def test_several_threads_may_draw_in_one_session(run: str) -> None:
    zooms = (1, 2, 3, 2, 1, 4)
    expected = {zoom: render.draw(mode="sequential", parameters={"zoom": zoom}, **SMALL).sha256 for zoom in zooms}
    with render.session(**RUNS[run], **SMALL) as s, ThreadPoolExecutor(3) as threads:
        draw: Callable[[int], str] = lambda zoom: s.draw(parameters={"zoom": zoom}).sha256  # noqa: E731
        drawn = list(threads.map(draw, zooms))

    assert drawn == [expected[zoom] for zoom in zooms]


def test_worker_processes_live_on_between_frames() -> None:
    with render.session(**RUNS["processes"], **SMALL) as s:
        first, second = (s.draw(parameters={"zoom": zoom}).trace for zoom in (1, 2))
    processes = [{span.worker.process for span in trace.spans if span.kind == "start"} for trace in (first, second)]

    assert processes[0] & processes[1] - {0}
    assert {worker.process for worker in second.workers} <= processes[0]
