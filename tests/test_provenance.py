"""Who drew a picture, as text that it carries: it comes back as it was, and whatever else is there harms nobody."""

from __future__ import annotations

import json
import zlib
from base64 import b64encode
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from render.pictures import provenance
from render.request import Request
from render.trace import Span, Trace, Worker
from render.wording import make_harmless
from tests.conftest import EXAMPLE

REQUEST = replace(EXAMPLE, view="whole")
STORED = json.dumps(REQUEST.as_dict())


def traced(owners: dict[int, int]) -> Trace:
    spans = [Span(Worker(1, worker), tile, "paint", worker, 100 + tile) for tile, worker in owners.items()]
    return Trace(tuple(spans), 0, 0, 999, {})


@given(st.dictionaries(st.integers(0, 5), st.integers(0, 3)), st.text())
def test_title_and_owners_come_back(painted: dict[int, int], title: str) -> None:
    title = make_harmless(title)
    found = provenance.read_provenance(STORED, provenance.encode_provenance(REQUEST, title, traced(painted)))
    number = {worker: index for index, worker in enumerate(sorted(set(painted.values())))}  # by their first paint
    assert found is not None
    assert (found.request, found.title, found.tiles) == (REQUEST, title, 6)
    assert [found.worker_of(tile) for tile in range(6)] == [number.get(painted.get(tile, -1)) for tile in range(6)]


def test_it_is_small() -> None:
    request = replace(REQUEST, width=1920, height=1080, tile=(24, 24))
    owners = {tile: tile * 7919 % 4 for tile in range(80 * 45)}
    assert len(provenance.encode_provenance(request, "parallel (threading)", traced(owners))) < 4000


@pytest.mark.parametrize("request_text", [None, 3, "", "[]", "{}", "{" * 99_999, STORED[:-9]])
def test_a_picture_of_others_tells_nothing(request_text: Any) -> None:
    assert provenance.read_provenance(request_text, None) is None


@given(st.none() | st.integers() | st.text() | st.sampled_from(["[]", "3", '{"run": 1}', '{"tiles": "AAAA"}']))
def test_strange_owners_are_not_told(text: Any) -> None:
    assert provenance.read_provenance(STORED, text) == provenance.Provenance(REQUEST, "sequential")


def test_owners_that_unpack_to_more_than_there_are_tiles_are_refused() -> None:
    larger = replace(REQUEST, tile=(1, 1))
    text = provenance.encode_provenance(larger, "too many", traced({}))
    found = provenance.read_provenance(STORED, text)
    assert found is not None
    assert found.workers is None


def test_of_more_tiles_than_a_plan_has_places_for_no_owner_is_read() -> None:
    huge = replace(REQUEST, width=1 << 20, height=1 << 20, tile=(1, 1))
    found = provenance.read_provenance(json.dumps(huge.as_dict()), provenance.encode_provenance(huge, "a", traced({})))
    assert found == provenance.Provenance(huge, "a")
    some = replace(REQUEST, width=1 << 20, height=2, tile=(1, 1))
    owners = {"run": "a", "tiles": b64encode(zlib.compress(bytes(4 << 20))).decode()}
    assert provenance.read_provenance(json.dumps(some.as_dict()), json.dumps(owners)) == provenance.Provenance(
        some, some.mode
    )


def test_a_backend_is_part_of_the_title(ask: Callable[..., Request]) -> None:
    request = ask(mode="parallel", backend="loky")
    found = provenance.read_provenance(json.dumps(request.as_dict()), None)
    assert found is not None
    assert found.title == "parallel (loky)"
