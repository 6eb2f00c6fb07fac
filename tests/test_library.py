"""The program as a library: the options of the command line as keyword arguments, and results that show themselves."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import render
from render.errors import UnknownName, UsageError

SMALL = {"size": (48, 32), "samples": 1, "limit": 60}


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
    result = render.race(["sequential", "concurrent", "parallel"], workers=2, in_flight=3, **SMALL)

    assert result.identical
    assert [frame.request.mode for frame in result.frames] == ["sequential", "concurrent", "parallel"]
    assert [frame.request.in_flight for frame in result.frames] == [4, 3, 4]


def test_a_frame_shows_itself_as_a_picture() -> None:
    assert render.draw(mode="sequential", **SMALL)._repr_png_().startswith(b"\x89PNG")


def test_a_race_shows_itself_as_the_theatre_with_the_table_under_it() -> None:
    shown = render.race(["sequential", "concurrent"], **SMALL)._repr_html_()

    assert shown.startswith('<iframe title="the theatre" ')
    assert "&lt;h2 id=&quot;name-1&quot;&gt;concurrent&lt;/h2&gt;" in shown
    assert "all 2 pictures are equal" in shown


def test_an_unknown_name_is_no_attribute() -> None:
    with pytest.raises(AttributeError):
        _ = render.paint
    with pytest.raises(UnknownName):
        render.race(["sequential", "cubist"], **SMALL)


def test_the_public_names_are_there() -> None:
    assert all(hasattr(render, name) for name in render.__all__)


@pytest.mark.parametrize("asked", [{"workers": 7}, {"backend": "loky"}, {"in_flight": 3}, {"target": "cuda"}])
def test_an_option_that_no_mode_of_the_race_takes_is_an_error(asked: dict[str, object]) -> None:
    with pytest.raises(UsageError):
        render.race(["sequential"], **asked, **SMALL)


def test_a_race_that_cannot_run_at_all_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("render.modes.sequential.missing", lambda _request: ("it is Sunday", "wait"))

    result = render.race(["sequential"], **SMALL)

    assert (result.frames, result.identical) == ((), True)
    assert "it is Sunday" in result.not_run[0][1]
    assert "it is Sunday" in result._repr_html_()


def test_several_threads_may_draw_at_once() -> None:
    """Each loads the code for itself: it must not be unloaded under another's feet."""
    from concurrent.futures import ThreadPoolExecutor

    from render.runtime.cpu import native

    native._loaded.cache_clear()  # noqa: SLF001
    with ThreadPoolExecutor(4) as pool:
        hashes = list(pool.map(lambda _: render.draw(mode="sequential", **SMALL).sha256, range(12)))

    assert len(set(hashes)) == 1


def test_only_our_own_leftovers_are_swept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from render import frame

    thesis, left = tmp_path / "render-2024-final", tmp_path / "render-999999999-abcdefgh"
    for folder, name in ((thesis, "thesis.txt"), (left, "canvas")):
        folder.mkdir()
        (folder / name).touch()
    monkeypatch.setattr(frame, "MEMORY", str(tmp_path))

    frame._sweep(tmp_path)  # noqa: SLF001

    assert thesis.exists()
    assert not left.exists()


def test_a_lesson_is_a_race_with_runs_of_its_own() -> None:
    result = render.lesson("wait", size=(48, 32), samples=1, limit=20, tile=16, wait="1ms", target="python")
    assert result.identical
    assert [frame.title for frame in result][:2] == ["in sequence (no waiting)", "juggling (no waiting)"]
