"""The request: checked once, frozen, and the same after any journey."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import FrozenInstanceError, asdict, fields, replace
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from render.errors import UsageError
from render.request import DRAWN, HIGHEST_LIMIT, LARGEST_SIDE, LARGEST_SIDES, LONGEST_WAIT, MOST_SAMPLES, Request

RANGES = [
    ("width", 1, LARGEST_SIDES["f64"]),
    ("height", 1, LARGEST_SIDES["f64"]),
    ("samples", 1, MOST_SAMPLES),
    ("limit", 1, HIGHEST_LIMIT),
    ("workers", 1, 1024),
    ("in_flight", 1, 4096),
    ("wait_ns", 0, LONGEST_WAIT),
]
names = st.text(min_size=1, max_size=8)
values = st.one_of(st.floats(allow_nan=False), st.integers(-(2**53), 2**53), st.booleans(), names)
requests = st.builds(
    Request,
    scene=names,
    view=names,
    parameters=st.dictionaries(names, values).map(lambda given: tuple(sorted(given.items()))),
    precision=st.sampled_from(["f32", "f64"]),
    backend=st.none() | names,
    tile=st.tuples(*[st.integers(LARGEST_SIDE >> 10, 4096)] * 2),
    only_tile=st.sampled_from([None, 0]),
    **{name: st.integers(lowest, highest) for name, lowest, highest in RANGES}
    | dict.fromkeys(("width", "height"), st.integers(1, LARGEST_SIDE)),
)
BASE = Request("s", "v", (("zoom", 1.0),), 10, 6, 1, 9, "f64", "sequential", "python", None, 1, 4, 0, (4, 4), "rows")
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)


def with_one(name: str, value: Any, **others: Any) -> Request:
    """The plain request with one field changed."""
    return replace(BASE, **others | {name: value})


@pytest.mark.parametrize(("name", "lowest", "highest"), RANGES)
def test_both_ends_of_a_range_are_allowed_and_nothing_beyond(name: str, lowest: int, highest: int) -> None:
    for value in (lowest, highest):
        assert getattr(with_one(name, value, tile=(4096, 4096)), name) == value
    for value in (lowest - 1, highest + 1):
        with pytest.raises(UsageError, match=f"{name.replace('_', ' ')} is {value}"):
            with_one(name, value)


@pytest.mark.parametrize("side", ["width", "height"])
def test_a_frame_of_float32_is_no_larger_than_its_positions_are_exact(side: str) -> None:
    assert with_one(side, LARGEST_SIDE, precision="f32", tile=(4096, 4096))
    with pytest.raises(UsageError, match="f32 has no exact positions in a frame of"):
        with_one(side, LARGEST_SIDE + 1, precision="f32")


@pytest.mark.parametrize("value", [1.0, "1", None, float("nan")])
def test_a_size_is_a_whole_number(value: Any) -> None:
    with pytest.raises(UsageError, match="width is"):
        replace(BASE, width=value)


@pytest.mark.parametrize("changes", [{"precision": "f16"}, {"tile": (0, 4)}, {"tile": (4, -1)}, {"only_tile": -1}])
def test_what_makes_no_sense_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        replace(BASE, **changes)


@pytest.mark.parametrize("number", [-1, 6, 1 << 60, 0.5])
def test_a_tile_that_is_not_there_is_told_those_that_are(number: Any) -> None:
    with pytest.raises(UsageError, match=r"there is no tile .*: this frame has tiles 0 to 5"):
        replace(BASE, only_tile=number)


@pytest.mark.parametrize("field", [field.name for field in fields(Request)])
def test_a_request_is_frozen(field: str) -> None:
    with pytest.raises(FrozenInstanceError):
        setattr(BASE, field, getattr(BASE, field))


@given(requests)
def test_a_request_survives_json(request: Request) -> None:
    assert Request.from_dict(json.loads(json.dumps(request.as_dict()))) == request


@given(requests)
def test_a_request_can_be_a_key(request: Request) -> None:
    assert {request: 1}[replace(request)] == 1


def test_what_a_later_program_added_is_let_alone() -> None:
    assert Request.from_dict(BASE.as_dict() | {"colour of the bike shed": 3}) == BASE


@pytest.mark.parametrize(
    "name", [name for name in asdict(BASE) if name not in ("only_tile", "simulate", "tile_timeout_ns", "cluster")]
)
def test_a_stored_request_needs_every_field(name: str) -> None:
    stored = BASE.as_dict()
    del stored[name]
    with pytest.raises(UsageError, match="not a stored request"):
        Request.from_dict(stored)


@given(st.sampled_from(sorted(BASE.as_dict())), anything)
@example("tile", [float("inf"), 1])
@example("tile", [1.5, "2"])
@example("only_tile", 0.5)
@example("parameters", [[None, 1], ["x", 2]])
def test_whatever_stands_in_a_stored_request_it_is_read_or_refused(name: str, value: Any) -> None:
    try:
        remade = Request.from_dict(BASE.as_dict() | {name: value})
    except UsageError:
        return
    assert isinstance(remade, Request)


@given(requests, requests)
def test_what_is_drawn_does_not_depend_on_who_draws(one: Request, other: Request) -> None:
    who = {field.name: getattr(other, field.name) for field in fields(Request) if field.name not in DRAWN}
    assert replace(one, **who).picture_key() == one.picture_key()


CHANGED: dict[str, Any] = {
    "scene": "t",
    "parameters": (("zoom", 2.0),),
    "width": 9,
    "height": 7,
    "samples": 2,
    "limit": 10,
    "precision": "f32",
}


@pytest.mark.parametrize("name", DRAWN)
def test_what_is_drawn_tells_all_that_decides_the_picture(name: str) -> None:
    assert replace(BASE, **{name: CHANGED[name]}).picture_key() != BASE.picture_key()


def test_a_small_request_asks_for_what_the_tests_say(ask: Callable[..., Request]) -> None:
    request = ask(parameters={"zoom": 3}, mode="parallel", workers=2)
    assert (request.values["zoom"], request.mode, request.workers) == (3.0, "parallel", 2)
