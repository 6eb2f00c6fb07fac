"""The program as a library: the options of the command line as keyword arguments, and results that show themselves."""

from __future__ import annotations

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


def test_a_race_shows_itself_with_timelines_and_table() -> None:
    shown = render.race(["sequential", "concurrent"], **SMALL)._repr_html_()

    assert shown.count("<svg") == 1
    assert "concurrent" in shown
    assert "data:image/png;base64," in shown


def test_an_unknown_name_is_no_attribute() -> None:
    with pytest.raises(AttributeError):
        _ = render.paint
    with pytest.raises(UnknownName):
        render.race(["sequential", "cubist"], **SMALL)


def test_the_public_names_are_there() -> None:
    assert all(hasattr(render, name) for name in render.__all__)
