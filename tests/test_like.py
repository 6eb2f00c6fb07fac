"""A saved picture as a starting point: what it shows, with other options over it, and another place in it."""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from render import like, options
from render.errors import InputError, UsageError
from render.frame import Frame
from render.frontend import library
from render.outputs import npz
from render.pictures import picture, png_writer
from render.request import Request
from render.trace import Trace

STORED = options.complete(
    view="seahorses", parameters={"palette": "ember", "zoom": 900.0}, size=(24, 16), samples=2, limit=77,
    mode="sequential", target="scalar", tile=8,
)  # fmt: skip
RGB = np.zeros((16, 24, 3), np.uint8)


def saved(folder: Path, request: Request = STORED, name: str = "wall.png") -> str:
    path = folder / name
    frame = Frame(RGB, None, 0, request, Trace((), 0, 0, 0, {}))
    if name.endswith(".npz"):
        path.write_bytes(npz.write([frame]))
    else:
        path.write_bytes(png_writer.encode_png(RGB, {picture.REQUEST: json.dumps(request.as_dict())}))
    return str(path)


def asked(folder: Path, **more: Any) -> Request:
    return options.complete(**like.apply_picture({"like": saved(folder), **more}))


@pytest.mark.parametrize("name", ["wall.png", "wall.npz"])
def test_a_picture_is_drawn_again_as_it_was(tmp_path: Path, name: str) -> None:
    again = options.complete(**like.apply_picture({"like": saved(tmp_path, name=name)}))
    assert again.picture_key() == STORED.picture_key()
    assert again.view == STORED.view


def test_who_draws_it_is_this_machines_choice(tmp_path: Path) -> None:
    default = options.complete(size=(24, 16))
    again = asked(tmp_path)
    for name in ("mode", "target", "backend", "workers", "tile", "order", "in_flight"):
        assert getattr(again, name) == getattr(default, name)


def test_what_is_asked_goes_over_it(tmp_path: Path) -> None:
    again = asked(tmp_path, size="48x32", limit=5, parameters={"zoom": 3.0}, mode="sequential")
    assert (again.width, again.height, again.limit, again.samples, again.mode) == (48, 32, 5, 2, "sequential")
    assert again.values == STORED.values | {"zoom": 3.0}


def test_another_view_keeps_the_size_and_looks_elsewhere(tmp_path: Path) -> None:
    again = asked(tmp_path, view="whole")
    assert (again.width, again.samples) == (24, 2)
    assert again.values == options.complete(view="whole").values


@given(st.integers(0, 23), st.integers(0, 15), st.sampled_from(["f32", "f64"]))
def test_the_point_under_a_pixel_becomes_the_centre(i: int, j: int, precision: str) -> None:
    """Within a rounding of each of the two operations that the formula has."""
    request = replace(STORED, precision=precision)
    x, y = like.find_centre(request, i, j)
    values = {name: Fraction(float(request.values[name])) for name in ("x", "y", "zoom")}
    pitch = 4 / (values["zoom"] * 16)
    exact = (Fraction(2 * i + 1 - 24, 2) * pitch + values["x"], Fraction(16 - 2 * j - 1, 2) * pitch + values["y"])
    assert abs(Fraction(x) - exact[0]) < Fraction(1, 2**52)
    assert abs(Fraction(y) - exact[1]) < Fraction(1, 2**52)


def test_closer_is_so_many_times_as_large(tmp_path: Path) -> None:
    again = asked(tmp_path, at="3,4", closer="10")
    assert again.values == STORED.values | {"zoom": 9000.0} | dict(
        zip("xy", like.find_centre(STORED, 3, 4), strict=True)
    )
    assert asked(tmp_path, closer=0.5).values == STORED.values | {"zoom": 450.0}


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"at": "24,0"}, "outside the picture, which has 24 x 16"),
        ({"at": "0,-1"}, "outside"),
        ({"at": "1"}, "--at is '1'"),
        ({"at": "1,2,3"}, "--at is"),
        ({"at": "a,b"}, "--at is"),
        ({"closer": "0"}, "--closer is '0'"),
        ({"closer": "nan"}, "--closer"),
        ({"at": "1,1", "parameters": {"x": 0.0}}, "--at and --set x"),
        ({"closer": 2, "parameters": {"zoom": 3.0}}, "--closer and --set zoom"),
        ({"at": "1,1", "view": "whole"}, "--at and --view"),
        ({"scene": "julia"}, "shows scene mandelbrot, not julia"),
    ],
)
def test_what_contradicts_the_picture_is_refused(tmp_path: Path, more: dict[str, Any], why: str) -> None:
    with pytest.raises(UsageError, match=why) as caught:
        asked(tmp_path, **more)
    assert caught.value.remedy


@pytest.mark.parametrize("option", ["at", "closer"])
def test_a_place_in_no_picture_is_refused(option: str) -> None:
    with pytest.raises(UsageError, match=f"--{option} needs a picture to start from"):
        like.apply_picture({option: "1,1"})


def test_a_picture_without_a_request_is_refused_with_that_reason(tmp_path: Path) -> None:
    path = tmp_path / "plain.png"
    path.write_bytes(png_writer.encode_png(RGB))
    with pytest.raises(InputError, match="carries no request"):
        like.apply_picture({"like": str(path)})


def test_a_picture_does_not_start_a_scene_file(tmp_path: Path) -> None:
    """It is a program, and the picture may come from anybody."""
    path = saved(tmp_path, replace(STORED, scene="/some/where/mandelbrot.py"))
    with pytest.raises(UsageError, match="is a program"):
        like.apply_picture({"like": path})
    assert (
        options.complete(**like.apply_picture({"like": path, "scene": "mandelbrot"})).picture_key()
        == STORED.picture_key()
    )


@pytest.mark.parametrize(
    ("view", "mode", "name"),
    [
        ("whole", "sequential", "mandelbrot-sequential.png"),
        ("seahorses", "parallel", "mandelbrot-seahorses-parallel.png"),
    ],
)
def test_another_view_has_another_name(view: str, mode: str, name: str) -> None:
    assert like.default_name(options.complete(view=view, mode=mode)) == name


def test_the_picture_that_is_started_from_is_not_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    name = like.default_name(STORED)
    assert like.default_name(STORED, like=str(tmp_path / name)) == "mandelbrot-seahorses-sequential-like.png"
    assert like.default_name(STORED, like="other.png") == name


def test_a_picture_is_drawn_on_from_in_python(tmp_path: Path) -> None:
    frame = library.draw(like=saved(tmp_path), at=(3, 4), closer=10, mode="sequential", target="python")
    assert frame.request.values == STORED.values | {"zoom": 9000.0} | dict(
        zip("xy", like.find_centre(STORED, 3, 4), strict=True)
    )
