"""What is said can be read and does nothing else, whatever a file, a scene or a path brings along."""

from __future__ import annotations

import io
import json
import sys
import zlib
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path
from unicodedata import category

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from render.frontend.cli import main
from render.frontend.speech import harmless_streams
from render.options import complete
from render.pictures import picture, png_writer
from render.wording import escape_html, make_harmless
from tests.reading import pngs

Said = Callable[..., str]
ESCAPES = "\x1b]0;PWN\x07\x1b[2J\x9b2J\u202e\r"
SCENE = f'''"""A scene.{ESCAPES!r}"""
from render.lanes import where

PARAMETERS = {{"level": (0.5, 0.0, 1.0, "How bright.{ESCAPES!r}")}}
VIEWS = {{"plain{ESCAPES!r}": {{}}}}


def start(x, y, p): return (x,)
def step(state, p): return state
def alive(state, p): return state[0] < state[0]
def shade(state, steps, p): return where(alive(state, p), 0.0, p.level), 0.25, 0.0
'''.replace("'", "")


def steers(text: str) -> list[str]:
    """The characters of a text that do more than be read; an end of line is what the program means by it."""
    kinds = ("Cc", "Cs", "Zl", "Zp")
    return [
        one for one in text if one != "\n" and (category(one) in kinds or one in "\u202d\u202e\u2066\u2067\u2068\u2069")
    ]


@given(st.text(st.characters()))
@example(ESCAPES)
@example("\ud800\ufffe\u2028\n")
def test_nothing_in_a_harmless_text_steers_a_terminal(text: str) -> None:
    made = make_harmless(text)
    assert not steers(made)
    assert "\n" not in made
    assert make_harmless(made) == made
    made.encode()


@given(st.text(st.characters(exclude_categories=["Cc", "Cs", "Cf", "Zl", "Zp", "Cn"])))
def test_what_does_no_harm_stays_as_it_is(text: str) -> None:
    assert make_harmless(text) == text


@given(st.text(st.characters()))
def test_escaped_text_is_no_markup(text: str) -> None:
    assert not set("<>\"'") & set(escape_html(text))


def test_streams_are_harmless_as_long_as_the_program_speaks(monkeypatch: pytest.MonkeyPatch) -> None:
    out = io.StringIO()
    monkeypatch.setattr(sys, "stdout", out)
    with harmless_streams():
        print("a\x1bb\nc")  # noqa: T201
    print("\x07")  # noqa: T201
    assert out.getvalue() == "a\\x1bb\nc\n\x07\n"


@pytest.fixture
def said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Said:
    """Runs a command line in a folder of its own; gives all that it said, once nothing in it steers a terminal."""
    monkeypatch.chdir(tmp_path)

    def run(*words: str) -> str:
        main(words)
        text = "".join(capsys.readouterr())
        assert not steers(text)
        return text

    return run


SMALL = ["--size", "8x8", "--limit", "9", "--mode", "sequential", "--target", "python"]


@pytest.mark.parametrize(
    "words",
    [
        ["scenes", "evil.py"],
        ["--scene", "evil.py", *SMALL],
        ["--scene", "evil.py", "--view", ESCAPES],
        ["--scene", f"{ESCAPES}.py"],
        [ESCAPES],
        [f"--{ESCAPES}"],
        ["--out", f"{ESCAPES}/a.png"],
        ["show", ESCAPES],
        ["show", "--debug", ESCAPES],
        ["compare", ESCAPES, "evil.py"],
        ["--set", f"{ESCAPES}=4"],
    ],
    ids=ascii,
)
def test_neither_scenes_nor_paths_nor_words_steer_a_terminal(words: list[str], said: Said) -> None:
    Path("evil.py").write_text(SCENE, encoding="utf-8")
    assert "x1b" in said(*words)


@pytest.mark.parametrize("command", ["show", "compare"])
def test_neither_a_trace_nor_a_picture_steers_a_terminal(command: str, said: Said) -> None:
    said(*SMALL, "--scene", "mandelbrot", "-o", "a.png", "--trace", "t.trace.json", "-q")
    if command == "show":
        stored = json.loads(Path("t.trace.json").read_text(encoding="utf-8"))
        stored["runs"][0]["request"] |= {"scene": ESCAPES, "view": ESCAPES, "mode": ESCAPES, "backend": ESCAPES}
        stored |= {"kind": "race", "not_run": [[ESCAPES, ESCAPES]]}
        Path("t.trace.json").write_text(json.dumps(stored), encoding="utf-8")
        assert said("show", "t.trace.json").count("PWN") > 2
        return
    request = complete(size=(8, 8), tile=4, mode="sequential", target="python").as_dict() | {"mode": ESCAPES}
    texts = {picture.REQUEST: json.dumps(request), picture.OWNERS: json.dumps({"run": ESCAPES, "tiles": "!"})}
    for name, level in (("a.png", 1), ("b.png", 2)):
        Path(name).write_bytes(png_writer.encode_png(np.full((8, 8, 3), level, np.uint8), texts))
    assert "differ" in said("compare", "a.png", "b.png")


@pytest.mark.parametrize("more", [[], ["--json"]], ids=["for people", "json"])
def test_whatever_a_picture_brings_along_is_shown_and_steers_nothing(more: list[str], said: Said) -> None:
    """Run title, timings, and the name of a colour profile, which is told as left aside."""
    request = complete(size=(8, 8), mode="sequential", target="python").as_dict()
    owners = b64encode(zlib.compress(b"\0\0")).decode()  # of its one tile
    texts = {
        picture.REQUEST: json.dumps(request),
        picture.OWNERS: json.dumps({"run": f"me{ESCAPES}", "tiles": owners}),
        picture.TIMINGS: json.dumps({"seconds": {"paint": 0.5}, "title": ESCAPES}),
    }
    plain = png_writer.encode_png(np.zeros((8, 8, 3), np.uint8), texts)
    profile = pngs.file([(b"iCCP", b"\x1b]0;PWN\x07\0\0" + zlib.compress(b"x" * 200))]).removeprefix(pngs.SIGNATURE)
    Path("a\x1b.png").write_bytes(plain[:33] + profile + plain[33:])  # behind the header
    told = said("show", "a\x1b.png", *more)
    assert told.count("PWN") >= 2
    assert all(word in told for word in ("colour profile", "me", "mandelbrot"))
