"""The program as a library: the options of the command line as keyword arguments, and results that show themselves."""

from __future__ import annotations

from dataclasses import replace
from html import escape
from pathlib import Path
from traceback import format_exception
from typing import Any

import numpy as np
import pytest

import render
from render.engine import Race
from render.errors import OutputError, UnknownName, UsageError
from render.findings import stories
from render.outputs import trace as saved
from render.pictures import picture

SMALL: dict[str, Any] = {"size": (48, 32), "samples": 1, "limit": 60}


def test_draw_gives_pixels_steps_and_a_trace() -> None:
    frame = render.draw(mode="sequential", **SMALL)

    assert frame.rgb.shape == (32, 48, 3)
    assert np.asarray(frame.steps).shape == (32, 48)
    assert frame.trace.workers


def test_parameters_are_given_by_name() -> None:
    frame = render.draw(mode="sequential", parameters={"zoom": 3}, **SMALL)

    assert frame.request.values["zoom"] == 3.0


@pytest.mark.parametrize("asked", [{"colour": "red"}, {"mode": "sequential", "workers": 3}, {"size": "big"}])
def test_options_that_make_no_sense_are_errors(asked: dict[str, object]) -> None:
    with pytest.raises(UsageError):
        render.draw(**asked)


def test_race_gives_equal_frames_and_the_modes_that_did_not_run() -> None:
    result = render.race(["sequential", "concurrent", "parallel"], workers=2, in_flight=3, story="server", **SMALL)

    assert result.identical
    told = [(frame.request.mode, frame.request.in_flight, stories.name_of(frame)) for frame in result]
    plain = [("sequential", 1, None), ("concurrent", 3, None), ("parallel", 1, None)]
    assert told[:3] == plain
    assert told[3:] == [(mode, n, "server") for mode, n, _ in plain] + [("parallel", 3, "server")]
    assert all((frame.request.wait_ns > 0) == (number >= 3) for number, frame in enumerate(result))


def test_several_numbers_of_workers_make_a_curve_behind_the_plain_runs() -> None:
    result = render.race(["sequential", "parallel"], workers="1,3,2", repeat=1, **SMALL)
    told = [(frame.request.mode, frame.request.workers, stories.name_of(frame)) for frame in result]
    assert told[1:] == [("parallel", 3, None), *(("parallel", n, stories.CURVE) for n in (1, 2, 3))]
    assert result.identical
    with pytest.raises(UsageError, match="workers is"):
        render.race(["parallel"], workers="1,many", **SMALL)


def test_the_modes_of_a_race_are_given_as_on_the_command_line() -> None:
    for given in ("sequential,concurrent", ["sequential", "concurrent"]):
        assert [frame.request.mode for frame in render.race(modes=given, **SMALL).frames] == [
            "sequential",
            "concurrent",
        ]
    with pytest.raises(UsageError, match="mode names one"):
        render.race(mode="sequential", **SMALL)


def test_a_frame_shows_itself_as_a_picture() -> None:
    assert render.draw(mode="sequential", **SMALL)._repr_png_().startswith(b"\x89PNG")


def test_a_race_shows_itself_as_the_theatre_with_the_table_under_it() -> None:
    shown = render.race(["sequential", "concurrent"], **SMALL)._repr_html_()

    assert shown.startswith('<iframe title="the theatre" ')
    assert "id=&quot;name-1&quot;&gt;concurrent&lt;/h" in shown
    assert "all 2 pictures are equal" in shown


def test_an_unknown_name_is_no_attribute() -> None:
    with pytest.raises(AttributeError):
        _ = render.paint
    with pytest.raises(UnknownName) as unknown:
        render.race(["sequential", "cubist"], **SMALL)
    assert "known: concurrent, cuda" in "".join(format_exception(unknown.value)), "a traceback ends with what to do"


def test_the_public_names_are_there() -> None:
    assert all(hasattr(render, name) for name in render.__all__)


@pytest.mark.parametrize("asked", [{"workers": 7}, {"backend": "loky"}, {"in_flight": 3}, {"target": "cuda"}])
def test_an_option_that_no_mode_of_the_race_takes_is_an_error(asked: dict[str, object]) -> None:
    with pytest.raises(UsageError):
        render.race(["sequential"], **asked, **SMALL)


def test_a_race_that_cannot_run_at_all_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("render.modes.sequential.unavailable_reason", lambda _request: ("it is Sunday", "wait"))

    result = render.race(["sequential"], **SMALL)

    assert (result.frames, result.identical) == ((), True)
    assert "it is Sunday" in result.not_run[0][1]
    assert "it is Sunday" in result._repr_html_()


def test_several_threads_may_draw_at_once() -> None:
    """Each loads the code for itself: it must not be unloaded under another's feet."""
    from concurrent.futures import ThreadPoolExecutor

    from render.runtime.cpu import native

    native._load_function.cache_clear()  # noqa: SLF001
    with ThreadPoolExecutor(4) as pool:
        hashes = list(pool.map(lambda _: render.draw(mode="sequential", **SMALL).sha256, range(12)))

    assert len(set(hashes)) == 1


def test_a_lesson_is_a_race_with_runs_of_its_own() -> None:
    asked = {"samples": 1, "limit": 20, "tile": 16, "wait": "1ms", "target": "python"}
    result = render.lesson("wait", size=(48, 32), repeat=2, **asked)
    assert result.identical
    assert [len(frame.trace.facts["seconds_all"]) for frame in result] == [2] * 6
    assert [frame.title for frame in result][:2] == ["in sequence (no waiting)", "juggling (no waiting)"]


def test_what_comes_back_is_told_in_one_line() -> None:
    """However long the names are that somebody chose."""
    race = render.lesson("wait", size=(12, 8), samples=1, limit=20, tile=4, wait="1ms", target="python")
    request = replace(race[0].request, scene=f"{'x' * 500}.py", view="y" * 500)
    facts = race[0].trace.facts | {"label": "\x1b]0;z\x07" * 100}
    strange = replace(race[0], request=request, trace=replace(race[0].trace, facts=facts))

    for thing in (race, race[0], race[0].trace, strange, strange.trace, Race((strange,) * 100)):
        assert len(repr(thing)) < 300
        assert repr(thing).isprintable()
    assert "'mandelbrot', 12 x 8, by 'in sequence (no waiting)'" in repr(race[0])
    assert repr(race).startswith("<Lesson of 6 runs: 'in sequence (no waiting)', ")


def test_frames_and_races_save_themselves_as_what_the_name_says(tmp_path: Path) -> None:
    race = render.race(["sequential", "concurrent"], **SMALL)
    for name in ("a.png", "a.npz", "a.svg", "a.html", "a.txt", "a.trace.json", "a.ownership.png", "a.perfetto.json"):
        race.frames[0].save(tmp_path / name)
        race.save(str(tmp_path / f"race-{name}"))

    assert picture.read(tmp_path / "a.png").rgb.tobytes() == race[0].rgb.tobytes()
    assert [frame.title for frame in saved.read(str(tmp_path / "race-a.trace.json"))] == ["sequential", "concurrent"]
    assert len(list(tmp_path.iterdir())) == 16


def test_a_plain_picture_is_the_picture_alone(tmp_path: Path) -> None:
    one, other = (render.draw(mode=mode, **SMALL) for mode in ("sequential", "concurrent"))
    one.save(tmp_path / "one.png", plain=True)
    other.save(tmp_path / "other.png", plain=True)

    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "other.png").read_bytes()


def test_what_cannot_be_saved_is_told_as_on_the_command_line(tmp_path: Path) -> None:
    frame = render.draw(mode="sequential", **SMALL)
    with pytest.raises(UsageError, match="does not say what to save"):
        frame.save(tmp_path / "x.bmp")
    with pytest.raises(OutputError, match="its folder does not exist"):
        frame.save(tmp_path / "nowhere" / "x.png")
    with pytest.raises(UsageError, match=r"nothing to save.*no mode ran"):
        Race((), "race", (("cuda", "there is no GPU"),)).save(tmp_path / "r.html")
    assert not list(tmp_path.iterdir())


def test_a_lesson_shows_its_question_and_its_answers() -> None:
    result = render.lesson("wait", size=(12, 8), samples=1, limit=20, tile=4, wait="1ms", target="python")
    shown = result._repr_html_()

    assert result.question == "When is one worker who juggles faster than one who does not?"
    assert escape(result.question) in shown
    assert len(result.follows) > 2
    assert all(escape(answer) in shown for answer in result.follows)
    assert shown.count("<iframe") == 1
