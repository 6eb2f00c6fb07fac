"""What a scene can be asked: a value is in the parameter's own type and bounds, or it is refused with them."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from render.errors import UnknownName, UsageError
from render.parameters import FRAMING, Parameter, Parameters, check_member_name

ZOOM = Parameter.of((1.0, 1e-3, 1e15, "Magnification."))
TURNS = Parameter.of((2, 0, 9, "How often."))
COLOURS = Parameter.of(("dusk", ("dusk", "ember"), "Colours."))


@given(st.floats(1e-3, 1e15))
def test_a_number_is_taken_as_a_float_whether_typed_or_given(value: float) -> None:
    for written in (value, repr(value), f" {value!r} "):
        taken = ZOOM.check("zoom", written)
        assert taken == value
        assert type(taken) is float


@given(st.integers(0, 9))
def test_a_whole_number_stays_whole(value: int) -> None:
    for written in (value, str(value), float(value), f"{value}.0"):
        taken = TURNS.check("turns", written)
        assert taken == value
        assert type(taken) is int


@given(st.floats() | st.integers(-(10**400), 10**400))
def test_a_value_out_of_bounds_is_refused_with_the_bounds(value: float) -> None:
    if 1e-3 <= value <= 1e15:
        assert ZOOM.check("zoom", value) == value
    else:
        with pytest.raises(UsageError) as caught:
            ZOOM.check("zoom", value)
        assert caught.value.remedy == "give a number from 0.001 to 1e+15"


@pytest.mark.parametrize("value", ["", "wide", None, [], {}, "1,5", "0x10", math.nan, "nan", "inf", -math.inf, 1j])
def test_what_is_no_number_is_refused(value: Any) -> None:
    for one in (ZOOM, TURNS):
        with pytest.raises(UsageError, match="n is"):
            one.check("n", value)


@pytest.mark.parametrize("value", [0.5, "2.5", -1, 10, 1e300])
def test_what_is_no_whole_number_within_bounds_is_refused(value: Any) -> None:
    with pytest.raises(UsageError) as caught:
        TURNS.check("turns", value)
    assert caught.value.remedy == "give a whole number from 0 to 9"


def test_both_bounds_are_allowed() -> None:
    assert (ZOOM.check("zoom", 1e-3), TURNS.check("turns", 9)) == (1e-3, 9)


def test_one_of_several_words_is_taken_and_no_other() -> None:
    assert COLOURS.check("colours", "ember") == "ember"
    with pytest.raises(UnknownName, match="there is no colours 'embers'") as caught:
        COLOURS.check("colours", "embers")
    assert "did you mean 'ember'?" in caught.value.remedy


@pytest.mark.parametrize(
    "written",
    [
        None,
        3.0,
        "zoom",
        (),
        (1.0,),
        (1.0, 0.0, 2.0),
        (1.0, 0.0, 2.0, "a", "b"),
        (1.0, 2.0, 0.0, "bounds the wrong way round"),
        (1.0, None, 2.0, "no bound"),
        (1.0, "0", 2.0, "a word as bound"),
        (1.0, math.nan, 2.0, "no bound at all"),
        ([], 0.0, 2.0, "a list"),
        ("dusk", (1, 2), "numbers as words"),
        ("dusk", None, "no words"),
    ],
)
def test_what_is_written_otherwise_is_no_parameter(written: Any) -> None:
    with pytest.raises((TypeError, ValueError)):
        Parameter.of(written)


@pytest.mark.parametrize(
    "written", [(3.0, 0.0, 2.0, "beyond"), (math.nan, 0.0, 2.0, "nan"), ("dusk", ("dawn",), "no such")]
)
def test_a_default_must_be_allowed_itself(written: Any) -> None:
    with pytest.raises(UsageError, match="default"):
        Parameter.of(written)


def test_a_parameter_already_made_is_checked_and_taken() -> None:
    assert Parameter.of(ZOOM) is ZOOM
    with pytest.raises(UsageError):
        Parameter.of(ZOOM._replace(default=-1.0))


@pytest.mark.parametrize("name", FRAMING)
def test_what_every_scene_has_is_a_parameter_like_others(name: str) -> None:
    assert Parameter.of(FRAMING[name]) == FRAMING[name]


@pytest.mark.parametrize("name", ["zoom", "x2", "fov_y", "größe"])
def test_a_plain_name_is_a_name(name: str) -> None:
    assert check_member_name(name) == name


@pytest.mark.parametrize("name", ["", "2x", "a b", "a-b", "class", "_x", "__class__", 3, None])
def test_what_cannot_be_a_member_is_no_name(name: Any) -> None:
    with pytest.raises(ValueError, match="cannot be a name"):
        check_member_name(name)


def test_parameters_are_read_as_items_and_as_attributes() -> None:
    values = Parameters(zoom=2.0)
    assert values.zoom == values["zoom"] == 2.0
    with pytest.raises(AttributeError, match="no parameter 'zom'"):
        _ = values.zom
