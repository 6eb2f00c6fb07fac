"""What every lesson keeps to: real runs with names of their own, and sentences computed from them alone."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from render import engine, lessons
from render.errors import UnknownName, UsageError
from render.frame import Frame, Frames
from render.outputs import trace as saved
from render.wording import as_sentence

SMALL: dict[str, Any] = {
    "scene": "mandelbrot",
    "size": (192, 128),
    "samples": 1,
    "limit": 200,
    "tile": (32, 32),
    "workers": 2,
}
each = pytest.mark.parametrize("name", lessons.names())


@pytest.fixture(scope="module")
def given() -> dict[str, Frames]:
    """Each lesson, given once on a small frame."""
    made: dict[str, Frames] = {}
    for name in lessons.names():
        more = {"wait": "2ms"} if name == "wait" else {}
        made[name] = engine.race(lessons.prepare_entrants(name, SMALL | more))
    return made


@each
def test_it_asks_one_question(name: str) -> None:
    assert lessons.load(name).QUESTION.endswith("?")


@each
def test_its_runs_have_names_of_their_own_and_the_same_picture_to_paint(name: str) -> None:
    runs = lessons.prepare_entrants(name, SMALL)
    labels = [run.facts["label"] for run in runs]
    assert len(set(labels)) == len(runs) >= 2
    assert {run.facts["lesson"] for run in runs} == {name}
    assert len({str(run.request.picture_key()) for run in runs}) == 1
    assert {run.request.tile for run in runs} == {(32, 32)}


@each
def test_it_is_sound_on_real_runs(name: str, given: dict[str, Frames]) -> None:
    frames = given[name]
    assert lessons.load(name).sound(frames)
    assert [frame.title for frame in frames] == [frame.trace.facts["label"] for frame in frames]
    assert lessons.find_lesson(frames) == name


@each
def test_what_follows_is_the_same_from_a_saved_trace(name: str, given: dict[str, Frames], tmp_path: Path) -> None:
    (tmp_path / "a.trace.json").write_bytes(saved.write(given[name]))
    again = saved.read(tmp_path / "a.trace.json")
    told, before = (lessons.explain(race).explanation for race in (again, given[name]))
    assert told is not None
    assert told == before
    lines = told.format_lines(80)
    assert len(lines) > len(told.follows)
    assert max(map(len, lines)) <= 80


@each
def test_its_frames_carry_its_question_its_conclusions_and_what_its_words_mean(
    name: str, given: dict[str, Frames]
) -> None:
    text = lessons.explain(given[name]).explanation
    assert text is not None
    lesson = lessons.load(name)
    assert (text.question, text.sound) == (lesson.QUESTION, True)
    assert list(text.follows) == [as_sentence(told) for told in lesson.follows(given[name])]
    assert dict(text.terms) == lesson.TERMS
    assert all(words for words in lesson.TERMS.values())
    if text.close_up is not None:
        assert 0 <= text.close_up.run < len(given[name])
        assert list(text.close_up.events) == sorted(text.close_up.events, key=lambda event: event.at)


def test_frames_of_no_lesson_are_not_explained(given: dict[str, Frames]) -> None:
    part = Frames(given["gil"].frames[:1])
    assert lessons.explain(part) is part


@each
@pytest.mark.parametrize("option", ["mode", "backend", "simulate"])
def test_what_it_decides_itself_is_refused(name: str, option: str) -> None:
    with pytest.raises(UsageError, match=f"decides --{option} itself"):
        lessons.prepare_entrants(name, SMALL | {option: "sequential"})


def test_runs_of_no_lesson_are_none(given: dict[str, Frames]) -> None:
    assert lessons.find_lesson([]) is None
    assert lessons.find_lesson([*given["gil"], *given["wait"]]) is None


@pytest.mark.parametrize("told", ["wait", "gill", {}, None, 5])
def test_runs_that_claim_a_lesson_which_is_not_theirs_are_none(told: Any, given: dict[str, Frames]) -> None:
    def claims(frame: Frame) -> Frame:
        return frame.with_trace(replace(frame.trace, facts={**frame.trace.facts, "lesson": told}))

    assert lessons.find_lesson([claims(frame) for frame in given["gil"]]) is None


def test_an_unknown_lesson_is_refused() -> None:
    with pytest.raises(UnknownName, match="there is no lesson 'gill'"):
        lessons.prepare_entrants("gill", {})


def test_threads_that_hold_the_gil_never_run_at_the_same_instant(given: dict[str, Frames]) -> None:
    told = list(lessons.load("gil").follows(given["gil"]))
    assert "no two at the same instant" in told[0]
    assert given["gil"].identical


def test_how_long_the_worker_stood_idle_is_told_whoever_won(given: dict[str, Frames]) -> None:
    told = list(lessons.load("wait").follows(given["wait"]))
    assert "with 24 waits of 2 ms" in told[1]
    assert told[1].count("was idle for") == 2


def test_a_wait_of_nothing_teaches_nothing() -> None:
    with pytest.raises(UsageError, match="needs something to wait for"):
        lessons.prepare_entrants("wait", SMALL | {"wait": "0ms"})


def test_target_python_cannot_drop_the_gil() -> None:
    with pytest.raises(UsageError, match="always holds the GIL"):
        lessons.prepare_entrants("gil", SMALL | {"target": "python"})


def test_overlapping_tiles_show_in_the_steps_alone(given: dict[str, Frames]) -> None:
    right, *_, overlapping = given["bug"]
    assert right.sha256 == overlapping.sha256
    assert overlapping.total_steps > right.total_steps
    assert "only the steps show" in list(lessons.load("bug").follows(given["bug"]))[-1]
