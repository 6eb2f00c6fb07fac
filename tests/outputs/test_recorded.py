"""The recorded run of a GPU: in a page's own section, under its stamp, and in nothing else."""

from __future__ import annotations

import gzip
import json
import re
from dataclasses import replace
from importlib.resources import files
from typing import Any

import pytest

from render import stats
from render.frame import Frames
from render.outputs import page
from render.outputs.page import recorded
from render.trace import spans
from tests.outputs.conftest import drawn
from tests.outputs.synthetic_gpu import with_gpu

LARGEST = 64_000  # bytes that every installation carries


def record_of(text: bytes) -> dict[str, Any]:
    """What a page's script is given."""
    found = re.search(rb'<script[^>]*id="record"[^>]*>(.*?)</script>', text, re.DOTALL)
    assert found is not None
    record: dict[str, Any] = json.loads(found[1])
    return record


SEQUENTIAL = drawn("012345")
GPU = with_gpu(SEQUENTIAL)


@pytest.fixture
def race() -> Frames:
    """A race without a GPU."""
    return Frames((SEQUENTIAL, drawn("024", "135", mode="parallel", backend="threading")), "race")


def test_a_race_without_a_gpu_shows_one_that_was_recorded(race: Frames) -> None:
    text = page.write(race)

    assert b"<b>Recorded on an NVIDIA H" in text
    assert [run["inside"]["lanes"] for run in record_of(text)["recorded"]] == [132]


def test_it_counts_in_nothing_else(race: Frames) -> None:
    """But for its section and its record, the page is the same."""
    shown, without = page.write(race).decode(), page.write(replace(race, recorded=False)).decode()
    section = re.search(rf'<section class="inside" id="inside-{len(race)}".*?</section>', shown, re.DOTALL)
    assert section is not None
    kept = shown.replace(section[0], "")

    assert "Recorded on" not in without
    assert "Recorded on" not in kept
    kept = re.sub(r'"recorded":\[.*?\],"tour"', '"recorded":[],"tour"', kept, flags=re.DOTALL)
    assert kept.split() == without.split()


@pytest.mark.parametrize("what", ["a draw", "a gpu of its own", "left out"])
def test_other_pages_show_none(what: str, race: Frames) -> None:
    frames = {
        "a draw": replace(race, kind="draw", frames=race.frames[:1]),
        "a gpu of its own": replace(race, frames=(*race.frames, GPU)),
        "left out": replace(race, recorded=False),
    }[what]

    assert recorded.choose_recorded(frames) is None


def test_what_is_packed_is_read_with_the_figures_of_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    frame = GPU
    data = recorded.pack_run(frame, "today", unit=100)
    kinds = dict(zip(spans.KINDS, reversed(range(len(spans.KINDS))), strict=True))
    monkeypatch.setattr(recorded, "NUMBER", kinds)  # a later release may number kinds otherwise
    monkeypatch.setattr(spans, "NUMBER", kinds)
    monkeypatch.setattr(spans, "KINDS", spans.KINDS[::-1])

    class Folder:
        def joinpath(self, _name: str) -> Folder:
            return self

        def read_bytes(self) -> bytes:
            return data

    monkeypatch.setattr(recorded, "files", lambda _: Folder())
    read = recorded.load_run.__wrapped__()
    ours = stats.of(read.frame.trace)
    monkeypatch.undo()
    theirs = stats.of(frame.trace)

    assert read.frame.trace.facts["recorded"] == "today"
    assert ours.tiles == theirs.tiles
    assert ours.multiprocessors is not None
    assert theirs.multiprocessors is not None
    assert ours.multiprocessors.seen == theirs.multiprocessors.seen
    assert ours.multiprocessors.mean == pytest.approx(theirs.multiprocessors.mean, rel=0.05)


def test_it_is_small_and_says_where_and_when() -> None:
    data = files(recorded.__package__).joinpath(recorded.FILE).read_bytes()
    facts = json.loads(gzip.decompress(data))["facts"]

    assert len(data) < LARGEST
    assert facts["device"].startswith("NVIDIA H")
    assert re.fullmatch(r"\d+ \w+ \d{4}", facts["recorded"])
