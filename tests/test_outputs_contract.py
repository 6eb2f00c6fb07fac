"""What every output keeps to: a pure function of frames, chosen by the end of a name. A new file is tested as it is."""

from __future__ import annotations

import copy
import io
import json
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any
from unicodedata import category
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from render import outputs
from render.errors import UnknownName, UsageError
from render.frame import Frame, Frames
from render.trace import Span, Trace, Worker
from render.wording import make_harmless
from tests.conftest import EXAMPLE

REQUEST = replace(EXAMPLE, width=24, height=16)
IS = {  # what tells that a file is what its suffix says; a new output needs a line here
    "chrome_trace": lambda data: json.loads(data)["displayTimeUnit"] == "ms",
    "cost": lambda data: data.startswith(b"\x89PNG\r\n\x1a\n"),
    "jpeg": lambda data: data.startswith(b"\xff\xd8\xff") and data.endswith(b"\xff\xd9"),
    "npz": lambda data: zipfile.is_zipfile(io.BytesIO(data)),
    "ownership": lambda data: data.startswith(b"\x89PNG\r\n\x1a\n"),
    "page": lambda data: data.startswith(b"<!doctype html>") and data.endswith(b"</html>"),
    "png": lambda data: data.startswith(b"\x89PNG\r\n\x1a\n"),
    "speed_up": lambda data: data.startswith(b"<svg ") and data.endswith(b"</svg>\n"),
    "replay": lambda data: data.startswith(b"RIFF") and data[8:12] == b"WEBP",
    "table": lambda data: data.decode().endswith("\n"),
    "timeline": lambda data: data.startswith(b"<svg ") and data.endswith(b"</svg>\n"),
    "tiff": lambda data: data.startswith(b"II*\0"),
    "trace": lambda data: json.loads(data)["schema"] == "render-trace",
    "webp": lambda data: data.startswith(b"RIFF") and data[8:12] == b"WEBP",
}

TEXTS = ("chrome_trace", "page", "speed_up", "table", "timeline", "trace")  # the outputs that are text
ATTACKS = ["\x1b]0;PWN\x07", "a\nb", "\ud800", "\u202etxt", "</script><b>", "\x9b2J", "&#27;", "]]>", "\0", "\ufffe"]

each = pytest.mark.parametrize("name", outputs.names())


def written(name: str, frames: Frames, *, plain: bool = False) -> bytes:
    """The whole file."""
    return b"".join(outputs.write_pieces(outputs.load(name), frames, plain=plain))


def painted(*tiles: tuple[int, int, int], mode: str = "sequential") -> Frame:
    spans = tuple(Span(Worker(1, thread), tile, "paint", t0, t0 + 5) for thread, tile, t0 in tiles)
    rgb = np.arange(24 * 16 * 3, dtype=np.uint32).astype(np.uint8).reshape(16, 24, 3)
    steps = np.arange(24 * 16, dtype=np.int32).reshape(16, 24)
    return Frame(rgb, steps, 99, replace(REQUEST, mode=mode), Trace(spans, 0, 1, 30, {"device": "a CPU"}))


ALONE, TOGETHER = painted((0, 0, 5), (0, 1, 10)), painted((0, 0, 5), (1, 1, 5), mode="parallel")
DRAW, RACE = Frames((ALONE,)), Frames((ALONE, TOGETHER), "race", (("cuda", "there is no driver"),))


@pytest.fixture(autouse=True)
def _short(monkeypatch: pytest.MonkeyPatch) -> None:
    """A replay has as many images as eyes want; fewer are as good for these tests, and sooner made."""
    monkeypatch.setattr("render.outputs.replay.IMAGES", 7)


def test_every_output_is_known_here() -> None:
    assert sorted(IS) == outputs.names()


@each
def test_it_says_what_it_is_for_in_one_line(name: str) -> None:
    about = outputs.load(name).ABOUT
    assert about
    assert len(about.splitlines()) == 1


@each
def test_each_of_its_suffixes_chooses_it(name: str) -> None:
    output = outputs.load(name)
    assert output.SUFFIXES
    for suffix in output.SUFFIXES:
        assert suffix == suffix.lower()
        assert outputs.by_suffix(f"some.file{suffix}") is output


def test_no_suffix_is_claimed_twice() -> None:
    suffixes = [suffix for name in outputs.names() for suffix in outputs.load(name).SUFFIXES]
    assert len(set(suffixes)) == len(suffixes)


@each
@pytest.mark.parametrize("plain", [False, True])
@pytest.mark.parametrize("frames", [DRAW, RACE], ids=["draw", "race"])
def test_it_makes_its_kind_of_file(name: str, frames: Frames, plain: bool) -> None:
    is_right: Callable[[bytes], bool] = IS[name]
    assert is_right(written(name, frames, plain=plain))


@each
def test_the_same_frames_give_the_same_bytes(name: str) -> None:
    assert written(name, RACE) == written(name, copy.deepcopy(RACE))


@each
def test_more_tiles_than_it_can_show_are_refused_with_what_to_do(name: str) -> None:
    output = outputs.load(name)
    most = output.MOST_TILES
    outputs.check_tiles("a.file", output, (1 << 30) if most is None else most)
    if most is not None:
        with pytest.raises(UsageError, match=r"a\.file can show at most 200,000 tiles, and there are 200,001") as told:
            outputs.check_tiles("a.file", output, most + 1)
        assert "--tile" in told.value.remedy


@each
def test_it_changes_nothing(name: str) -> None:
    frame = copy.deepcopy(ALONE)
    frame.rgb.flags.writeable = False
    written(name, Frames((frame,)))
    assert (frame.request, frame.trace, frame.sha256) == (ALONE.request, ALONE.trace, ALONE.sha256)


@each
@pytest.mark.parametrize("change", ["no tiles", "no steps", "one pixel", "no facts"])
def test_it_copes_with_unusual_frames(name: str, change: str) -> None:
    small = replace(REQUEST, width=1, height=1)
    frame = {
        "no tiles": painted(),
        "no steps": replace(ALONE, steps=None),
        "one pixel": replace(ALONE, rgb=ALONE.rgb[:1, :1], steps=None, request=small),
        "no facts": replace(ALONE, trace=replace(ALONE.trace, facts={})),
    }[change]
    assert written(name, Frames((frame,)))
    assert written(name, Frames((frame, frame), "race"))


@each
@settings(max_examples=8)
@given(foreign=st.lists(st.text(st.characters(), min_size=1) | st.sampled_from(ATTACKS), min_size=6, max_size=6))
def test_no_text_of_a_trace_does_anything_but_be_read(name: str, foreign: list[str]) -> None:
    label, scene, view, device, mode, reason = foreign
    spans = tuple(span._replace(worker=Worker(1, 2, device)) for span in ALONE.trace.spans)
    facts = {"label": label, "device": device, "kernel": reason, "cpu": [label, {view: scene}]}
    request = replace(
        REQUEST, scene=scene, view=view, order=device, parameters=((label, scene), ("x", 0.0), ("y", 0.0))
    )
    frame = replace(ALONE, request=request, trace=replace(ALONE.trace, spans=spans, facts=facts))
    frames = Frames((frame, TOGETHER), "race", ((mode, reason),))
    data = written(name, frames, plain=True)
    if name not in TEXTS:
        return
    text = data.decode()
    assert not [found for found in text if found != "\n" and category(found) in ("Cc", "Cs", "Zl", "Zp")]
    assert not set(text) & set("\u202d\u202e\u2066\u2067\u2068")
    if name == "timeline":
        texts = [one.text for one in ET.fromstring(text).iter()]  # noqa: S314  (we made it)
        assert make_harmless(label) in texts
    if name == "chrome_trace":
        assert not [one for one in strings(json.loads(text)) if one != make_harmless(one)]


def strings(value: Any) -> Iterator[str]:
    """All texts in a JSON document, keys as well."""
    if isinstance(value, dict):
        yield from value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from strings(inner)
    if isinstance(value, str):
        yield value


def test_an_unknown_output_is_refused() -> None:
    with pytest.raises(UnknownName, match="there is no output 'gif'"):
        outputs.load("gif")
