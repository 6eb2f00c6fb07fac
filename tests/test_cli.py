"""The command line as people meet it: what is printed where, which files are there, and how it ends."""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import shlex
import signal
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import render
from render import engine, options
from render.errors import OutputError, RenderError
from render.frontend import commands, devices, races
from render.frontend.cli import main
from render.frontend.parsers import PARSERS
from render.pictures import picture, png_writer
from tests.conftest import HANGING, start_program

FRAME = ["--size", "24x16", "--samples", "1", "--limit", "20", "--tile", "8"]
SMALL = [*FRAME, "--target", "python"]
ALONE = [*SMALL, "--mode", "sequential"]
DISC = """\
from render.lanes import fma, sqrt, where


def start(x, y, p):
    return x, y


def step(state, p):
    return state


def alive(state, p):
    return fma(state[0], state[0], state[1] * state[1]) < 1.0


def shade(state, steps, p):
    return where(alive(state, p), 0.0, 0.5), 0.25, 0.0
"""
DOCUMENT = {  # what it holds at least
    *("scene", "view", "parameters", "size", "tile", "samples", "limit", "precision", "mode", "target", "backend"),
    *("device", "simulated", "workers", "tiles", "seconds", "steps", "running", "in_flight", "waiting", "switches"),
    *("first_tile_seconds", "sha256", "out", "on_cpu", "seconds_all", "sentences"),
}
COMPARISON = {
    *("identical", "differing_pixels", "differing_percent", "max_error", "mean_error", "rmse", "psnr", "worst"),
    *("same_request", "sizes", "depth"),
}


class Said(NamedTuple):
    """How a run of the program ended, and what it said."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """The one JSON document on standard output, which holds nothing else."""
        assert self.out.count("\n") == 1
        return json.loads(self.out)


Say = Callable[..., Said]


@pytest.fixture(autouse=True)
def _here(own_folder: None) -> None:
    """Use it in each test, before all else."""


@pytest.fixture
def say(capsys: pytest.CaptureFixture[str]) -> Say:
    """Runs a command line in this process."""

    def said(*words: str) -> Said:
        code = main(words)
        return Said(code, *capsys.readouterr())

    return said


@pytest.fixture
def never_painted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Painting anything fails the test."""

    def painted(*_: Any, **__: Any) -> None:
        pytest.fail("something was painted")

    monkeypatch.setattr(engine, "draw", painted)


def process(*words: str) -> Said:
    run = start_program(*words)
    out, err = run.communicate(timeout=HANGING)
    return Said(run.returncode, out, err)


def refused(said: Said, code: int) -> str:
    """What an error says: cause and remedy, short, on standard error, without a traceback."""
    assert said.code == code, said
    assert said.out == ""
    assert "Traceback" not in said.err
    lines = said.err.splitlines()
    assert 2 <= len(lines) <= 6
    assert lines[0].startswith("render: ")
    return said.err


def scene(**changes: str) -> str:
    """A scene file, the disc with one text in place of another; gives its name."""
    text = DISC
    for old, new in zip(changes.get("old", "").split("|"), changes.get("new", "").split("|"), strict=True):
        text = text.replace(old, new)
    Path("disc.py").write_text(text, encoding="utf-8")
    return "disc.py"


def pixels(path: str) -> np.ndarray:
    return picture.read(path).rgb


# --- draw ---------------------------------------------------------------------------------------------------


def test_no_command_at_all_is_draw(say: Say) -> None:
    said = say(*ALONE)
    assert (said.code, said.err) == (0, "")
    *told, last = said.out.splitlines()
    assert len(told) <= 8  # of which some are there only on a busy machine
    assert "mandelbrot-sequential.png" in last
    assert say("draw", *ALONE, "--out", "d.png", "--quiet").code == 0
    assert np.array_equal(pixels("mandelbrot-sequential.png"), pixels("d.png"))


def test_a_picture_of_a_users_scene_is_named_after_its_file(say: Say) -> None:
    assert say("--scene", scene(), *ALONE).code == 0
    assert Path("disc-sequential.png").is_file()


def test_json_is_one_document_on_standard_output_and_nothing_else(say: Say) -> None:
    said = say(*ALONE, "--json")
    assert (said.code, said.err) == (0, "")
    document = said.document
    assert set(document) >= DOCUMENT
    assert (document["size"], document["tile"], document["tiles"]) == ([24, 16], [8, 8], 6)
    assert (document["mode"], document["target"], document["backend"]) == ("sequential", "python", None)
    assert document["workers"] == {"asked": 1, "seen": 1}
    assert document["out"] == ["mandelbrot-sequential.png"]


def test_quiet_is_silent(say: Say) -> None:
    assert say(*ALONE, "--quiet") == (0, "", "")
    assert Path("mandelbrot-sequential.png").is_file()


def test_quiet_and_json_are_the_document_alone(say: Say) -> None:
    said = say(*FRAME, "--mode", "sequential", "--target", "scalar", "--scene", scene(), "--quiet", "--json")
    assert set(said.document) >= DOCUMENT
    assert said.err == ""


def test_compiling_is_announced_on_standard_error_once(say: Say) -> None:
    words = ["--scene", scene(old="0.25", new="0.75"), *FRAME, "--mode", "sequential", "--target", "scalar", "--json"]
    first, second = say(*words), say(*words)
    assert first.err.startswith("render: compiling disc for one lane, float64")
    assert second.err == ""
    assert first.document["sha256"] == second.document["sha256"]


def test_several_outputs_are_made_of_one_run(say: Say) -> None:
    document = say(*ALONE, "--out", "a.png", "--out", "a.npz", "--out", "a.txt", "--trace", "t.json", "--json").document
    assert document["out"] == ["a.png", "a.npz", "a.txt", "t.json"]
    with np.load("a.npz") as arrays:
        assert arrays["rgb"].shape == (16, 24, 3)
        assert arrays["steps"].sum() == document["steps"]
        assert np.array_equal(arrays["rgb"], pixels("a.png"))
    assert "mandelbrot" in Path("a.txt").read_text(encoding="utf-8")


def test_plain_pictures_of_equal_pixels_are_equal_files(say: Say) -> None:
    for mode in ("sequential", "concurrent"):
        assert say(*SMALL, "--mode", mode, "--plain", "--out", f"{mode}.png").code == 0
    assert Path("sequential.png").read_bytes() == Path("concurrent.png").read_bytes()


def test_one_tile_alone_is_the_same_there_and_black_elsewhere(say: Say) -> None:
    words = ["--scene", scene(), *ALONE]
    assert say(*words, "--out", "all.npz").code == 0
    assert say(*words, "--only-tile", "4", "--out", "one.npz", "--json").document["tiles"] == 1
    whole, alone = pixels("all.npz"), pixels("one.npz")
    assert np.array_equal(whole[8:16, 8:16], alone[8:16, 8:16])
    assert alone[8:16, 8:16].any()
    alone[8:16, 8:16] = 0
    assert not alone.any()


def test_a_view_other_than_the_first_is_in_the_name(say: Say) -> None:
    """So that it does not replace the picture of another view."""
    assert say(*ALONE, "--view", "seahorses").code == 0
    assert Path("mandelbrot-seahorses-sequential.png").is_file()


def test_what_lies_under_a_pixel_is_drawn_ten_times_as_large(say: Say) -> None:
    assert say(*ALONE, "--view", "seahorses", "--out", "wall.png").code == 0
    told = say(
        "--like", "wall.png", "--at", "5,3", "--closer", "10", "--target", "python", "--mode", "sequential", "--json"
    )
    shown = say("show", "wall.png", "--json").document
    assert shown["request"]["view"] == "seahorses"
    assert told.document["parameters"]["zoom"] == 10 * shown["request"]["parameters"]["zoom"]
    assert told.document["out"] == ["mandelbrot-seahorses-sequential.png"]


def test_a_picture_tells_what_it_is(say: Say) -> None:
    assert say(*ALONE, "--out", "wall.png").code == 0
    told = say("show", "wall.png")
    assert told.code == 0
    assert "scene mandelbrot, view whole" in told.out.splitlines()
    assert "is a picture" in refused(say("show", "wall.png", "--out", "a.svg"), 2)


def test_a_picture_for_a_pipe_is_alone_on_standard_output() -> None:
    assert main([*ALONE, "--out", "file.png", "--quiet"]) == 0
    drawing = start_program(*ALONE, "--out", "-")
    comparing = start_program("compare", "-", "file.png", stdin=drawing.stdout)
    assert drawing.stdout is not None
    drawing.stdout.close()  # it is the other's now
    out, err = comparing.communicate(timeout=HANGING)
    assert (comparing.returncode, err) == (0, ""), out
    assert drawing.stderr is not None
    assert "saved to standard output" in drawing.stderr.read()
    drawing.stderr.close()
    assert drawing.wait(HANGING) == 0


def test_a_pipe_is_read_once(say: Say) -> None:
    assert "can be read only once" in refused(say("compare", "-", "-"), 2)


def test_the_document_and_a_picture_do_not_share_standard_output(say: Say) -> None:
    assert "both write to standard output" in refused(say(*ALONE, "--json", "--out", "-"), 2)


@pytest.mark.parametrize("order", ["rows", "spiral", "hilbert", "costly"])
def test_the_order_of_tiles_changes_nothing_that_is_seen(order: str, say: Say) -> None:
    document = say(*ALONE, "--order", order, "--json").document
    assert (document["tiles"], document["sha256"]) == (6, say(*ALONE, "--json").document["sha256"])


def test_what_was_set_is_what_is_drawn(say: Say) -> None:
    words = ["--view", "whole", "--set", "zoom=3", "--set", "x=-1", "--set", "zoom=4", "--precision", "f32"]
    document = say(*ALONE, *words, "--json").document
    assert (document["parameters"]["zoom"], document["parameters"]["x"], document["precision"]) == (4.0, -1.0, "f32")


# --- what is refused ----------------------------------------------------------------------------------------

WRONG = [  # words, and what is said
    (["paint"], "there is no command 'paint'"),
    ([""], "there is no command ''"),
    (["raec"], "did you mean 'race'?"),
    (["--siez", "4"], "did you mean '--size'?"),
    (["--siez=4"], "there is no option '--siez' of draw"),
    (["--zoom", "4"], "it is a parameter of scene mandelbrot: write --set zoom=4"),
    (["--palette=tide"], "write --set palette=tide"),
    (["race", "--x", "-1"], "write --set x=-1"),
    (["--sun-height", "9"], "write --scene still_life --set sun_height=9"),
    (["--scene", "still_life", "--turn", "--json"], "write --set turn=VALUE"),
    (["--output", "a.png"], "did you mean '--out'?"),
    (["help", "nix"], "there is no command 'nix'"),
    (["draw", "race"], "unexpected argument 'race'"),
    (["draw", ""], "unexpected argument ''"),
    (["--size"], "--size"),
    (["--size", "0x5"], "at least one pixel"),
    (["--size", "axb"], "1280x720"),
    (["--size", "1e9x1e9"], "1280x720"),
    (["--size", "9999999999"], "width is 9999999999"),
    (["--size", "99999999"], "a row of tiles of 262144 x 262144 pixels needs"),
    (["--size", "131072", "--tile", "65536"], "a row of tiles of 65536 x 65536 pixels needs"),
    (["--size", "65535", "--out", "a.webp"], "at most 16383 pixels a side"),
    (["--size", "65500", "--out", "a.jpg"], "one picture saved as .png, .tif or .npz alone"),
    (["--size", "131072", "--out", "a.jpg"], "a.jpg can be at most 65500 pixels a side"),
    (["--samples", "0"], "samples is 0"),
    (["--samples", "1.5"], "samples is '1.5'"),
    (["--samples", "2000"], "samples is 2000"),
    (["--limit", "-1"], "limit is -1"),
    (["--limit", "9999999999"], "limit is 9999999999"),
    (["--set", "zoom"], "has no value"),
    (["--set", "zoom=nan"], "zoom is nan"),
    (["--set", "zoom=-1"], "zoom is -1"),
    (["--set", "zom=1"], "did you mean 'zoom'?"),
    (["--set", "zoom=1e15"], "zoom 1e+15 is too deep for f64"),
    (["--view", "nix"], "there is no view 'nix' of scene mandelbrot"),
    (["--view", ""], "there is no view"),
    (["--scene", "julie"], "there is no scene 'julie'"),
    (["--scene", "nix.py"], "there is no scene file nix.py"),
    (["--precision", "f16"], "there is no precision 'f16'"),
    (["--mode", "paralel"], "did you mean 'parallel'?"),
    (["--target", "smid"], "did you mean 'simd'?"),
    (["--target", "cuda"], "mode parallel does not go with target cuda"),
    (["--mode", "cuda", "--target", "simd"], "mode cuda does not go with target simd"),
    (["--mode", "sequential", "--workers", "2"], "--workers does not apply to mode sequential"),
    (["--mode", "sequential", "--workers", "0"], "--workers does not apply to mode sequential"),
    (["--mode", "sequential", "--in-flight", "2"], "--in-flight does not apply to mode sequential"),
    (["race", "--story", "plaier"], "did you mean 'player'?"),
    (["race", "--lesson", "gil", "--story", "server"], "lesson gil has no --story"),
    (["--mode", "concurrent", "--backend", "loky"], "--backend does not apply to mode concurrent"),
    (["--mode", "sequential", "--simulate"], "--simulate does not apply to mode sequential"),
    (["--backend", "dsk"], "there is no backend 'dsk'"),
    (["--workers", "0"], "workers is 0"),
    (["--workers", "-1025"], "that leaves none"),
    (["race", "--workers", "-1025"], "that leaves none"),
    (["--workers", "many"], "workers is 'many'"),
    (["--wait", "soon"], "wait is 'soon'"),
    (["--wait", "2h"], "wait is '2h'"),
    (["--tile", "0"], "at least one pixel"),
    (["--size", "2048x2048", "--tile", "1"], "4194304 tiles are too many"),
    (["--size", "2048x2048", "--tile", "2", "--page", "a.html"], "and there are 1,048,576"),
    (["--size", "2048x2048", "--tile", "2", "--out", "a.svg"], "for example --tile 32"),
    (["race", "--size", "1024x1024", "--tile", "3", "--out", "a.cost.png"], "a.cost.png can show at most"),
    (["race", "--lesson", "gil", "--size", "1024x1024", "--tile", "3", "--page", "a.html"], "a.html can show at most"),
    (["--order", "random"], "there is no order 'random'"),
    (["--only-tile", "99999"], "there is no tile 99999"),
    (["--only-tile", "-1"], "there is no tile -1"),
    (["--out", "picture.gif"], "does not say what to save"),
    (["--out", "a.png", "--out", "./a.png"], "./a.png is named twice"),
    (["race", "--trace", "a.svg", "--out", "a.svg"], "a.svg is named twice"),
    (["--page", "wall.png"], "--page writes .html, and wall.png ends in .png"),
    (["--trace", "wall.ownership.png"], "and wall.ownership.png ends in .ownership.png"),
    (["race", "--trace", "a.perfetto.json"], "and a.perfetto.json ends in .perfetto.json"),
    (["show", "a.trace.json", "--page", "a.trace.json"], "and a.trace.json ends in .trace.json"),
    (["race", "--mode", "cuda"], "did you mean '--modes'?"),
    (["race", "--modes", "sequential,nix"], "there is no mode 'nix'"),
    (["race", "--modes", ","], "there is no mode ''"),
    (["race", "--target", "nix"], "there is no target"),
    (["race", "--repeat", "0"], "--repeat is '0'"),
    (["race", "--repeat", "often"], "--repeat is 'often'"),
    (["race", "--lesson", "gil", "--repeat", "-1"], "--repeat is '-1'"),
    (["draw", "--repeat", "2"], "there is no option '--repeat' of draw"),
    (["compare"], "required: A, B"),
    (["compare", "a.png"], "required: B"),
    (["compare", "a.png", "b.png"], "cannot read a.png"),
    (["compare", ".", "."], "cannot read ."),
    (["compare", "a", "b", "--max-error", "nan"], "--max-error is 'nan'"),
    (["compare", "a", "b", "--max-differing", "-1"], "--max-differing is '-1'"),
    (["show"], "required: SAVED_TRACE"),
    (["show", "nix.json"], "cannot read nix.json"),
    (["show", "."], "cannot read ."),
    (["show", "\0"], "cannot read"),
    (["scenes", "nix"], "there is no scene 'nix'"),
    (["devices", "--quiet"], "there is no option '--quiet' of devices"),
]


@pytest.mark.usefixtures("never_painted_tile")
@pytest.mark.parametrize(("words", "why"), WRONG, ids=[" ".join(words) for words, _ in WRONG])
def test_wrong_use_is_told_in_two_lines(words: list[str], why: str, say: Say) -> None:
    assert why in refused(say(*words), 2)
    assert list(Path().iterdir()) == []


@pytest.mark.parametrize("words", [["--xyzzy"], ["--precession-axis", "3"], ["compare", "a", "b", "--zoom"]])
def test_what_is_like_no_option_is_not_guessed_at(words: list[str], say: Say) -> None:
    said = refused(say(*words), 2)
    assert "did you mean" not in said
    assert "known: --" in said


@pytest.fixture
def never_painted_tile(monkeypatch: pytest.MonkeyPatch) -> None:
    """Painting a tile fails the test; what a request needs before that may go on."""

    def painted(*_: Any) -> None:
        pytest.fail("a tile was painted")

    monkeypatch.setattr("render.painting.painter.Painter.paint", painted)


UNWRITABLE = ["no/such/folder/a.png", "folder.png", "folder.png/", "file/a.png", "x" * 300 + ".png", "a\0.png"]


@pytest.mark.usefixtures("never_painted")
@pytest.mark.parametrize("path", UNWRITABLE, ids=ascii)
@pytest.mark.parametrize("words", [["--out"], ["--out", "good.png", "--out"], ["race", "--out"]], ids=" ".join)
def test_what_cannot_be_written_is_found_before_painting(path: str, words: list[str], say: Say) -> None:
    Path("folder.png").mkdir()
    Path("file").touch()
    assert "cannot write" in refused(say(*words, path), 1)
    assert sorted(found.name for found in Path().iterdir()) == ["file", "folder.png"]


@pytest.mark.usefixtures("never_painted")
@pytest.mark.parametrize("command", ["draw", "race"])
def test_a_trace_that_cannot_be_written_is_found_before_painting(command: str, say: Say) -> None:
    assert "cannot write 'no/t.trace.json'" in refused(say(command, "--trace", "no/t.trace.json"), 1)


def test_no_room_left_leaves_no_file_behind(say: Say, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    Path("old.png").write_bytes(b"an older picture")
    monkeypatch.setattr(Path, "replace", full)
    assert "the disk is full" in refused(say(*ALONE, "--out", "old.png"), 1)
    assert [path.name for path in Path().iterdir()] == ["old.png"]
    assert Path("old.png").read_bytes() == b"an older picture"


OPTIONS = {option for make in PARSERS.values() for option in re.findall(r"--[a-z-]+", make().format_help())}
words_of = st.one_of(
    st.sampled_from(sorted(OPTIONS)),
    st.sampled_from([*PARSERS, "mandelbrot", "whole", "sequential", "parallel", "python", "zoom=3", "4", "8x8", "-1"]),
    st.text(st.characters(blacklist_characters="/\\~"), max_size=8),
)


ENDS_AT_ONCE = ("--help", "-h", "--version", "help")  # by leaving Python


@settings(max_examples=400, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(words=st.lists(words_of.filter(lambda word: word not in (*ENDS_AT_ONCE, "--debug")), min_size=1, max_size=6))
def test_whatever_is_typed_ends_in_an_exit_code_and_a_few_lines(
    words: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def unpainted(*_: Any, **__: Any) -> None:
        raise OutputError("nothing is painted here", "go on")

    monkeypatch.setattr(engine, "draw", unpainted)
    monkeypatch.setattr(engine, "race", unpainted)
    monkeypatch.setitem(commands.COMMANDS, "serve", unpainted)  # it would serve until a signal comes
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main(words)
    assert code in (0, 1, 2, 3)
    assert "bug in render" not in err.getvalue()
    if code:
        *notes, cause, remedy = err.getvalue().splitlines()
        assert cause.startswith("render: ")
        assert remedy.startswith("        ")
        assert len(notes) <= 1, "one note may come first: there is no journal to go on with, say"


# --- how it ends --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (RenderError("it failed", "do this"), 1, "render: it failed\n        do this\n"),
        (RenderError("it\nfailed \n\n twice"), 1, "render: it failed twice\n"),
        (ZeroDivisionError("why"), 1, "render: ZeroDivisionError: why\n        this is a bug in render"),
        (OSError(28, "No space left"), 1, "render: the system reports an error: [Errno 28] No space left"),
    ],
)
def test_each_way_to_fail_has_its_exit_code(
    error: BaseException, code: int, said: str, say: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise error

    monkeypatch.setattr(engine, "draw", fail)
    found = say(*ALONE)
    assert (found.code, found.out) == (code, "")
    assert found.err.startswith(said)
    assert list(Path().iterdir()) == []


def test_a_traceback_comes_only_when_asked_for_and_keeps_the_exit_code(say: Say) -> None:
    said = say("--scene", scene(old="0.25", new="sqrt(state[0])"), *ALONE, "--debug")
    assert said.code == 4
    assert said.err.startswith("Traceback")
    assert "\nrender: tile 0 " in said.err


def test_a_long_cause_is_cut(say: Say) -> None:
    Path("loud.py").write_text(f"raise ValueError({'word ' * 1000!r})", encoding="utf-8")
    assert len(refused(say("--scene", "loud.py"), 2)) < 700


MODES = [["--mode", "sequential"], ["--mode", "concurrent"], ["--mode", "parallel", "--workers", "2"]]


@pytest.mark.parametrize("mode", MODES, ids=" ".join)
@pytest.mark.parametrize("target", ["python", "scalar"])
def test_a_sample_that_is_no_number_fails_its_tile(target: str, mode: list[str], say: Say) -> None:
    name = scene(old="0.25", new="sqrt(state[0])")
    said = say("--scene", name, *FRAME, *mode, "--target", target, "--quiet")
    error = refused(said, 4)
    assert "of scene disc.py failed: " in error
    assert "samples with a colour that is not a number" in error
    assert f"--target {target}" in error
    assert [path.name for path in Path().iterdir()] == [name]


def test_the_tiles_that_were_done_before_one_failed_are_kept(say: Say) -> None:
    name = scene(old="0.25", new="sqrt(1.0 - state[0])")  # no number in the right part
    words = ["--scene", name, "--size", "40x24", "--tile", "8", "--mode", "sequential", "--target", "python"]

    error = refused(say(*words, "--out", "wanted.png"), 4)

    kept = picture.read("wanted.unfinished.png").rgb
    assert "3 of 15 tiles are kept in wanted.unfinished.png" in error
    assert kept[:8, :24].any()
    assert not kept[:, 24:].any()
    assert not kept[8:].any()
    assert not Path("wanted.png").exists()

    Path(name).write_text(DISC, encoding="utf-8")
    assert say(*words, "--out", "wanted.png", "--out", "wanted.unfinished.png", "--quiet").code == 0
    assert Path("wanted.unfinished.png").exists()  # for it was asked for
    assert say(*words, "--out", "other.tif", "--out", "wanted.png", "--quiet").code == 0
    assert sorted(path.name for path in Path().iterdir()) == [name, "other.tif", "wanted.png"]


@pytest.mark.slow
def test_a_race_keeps_nothing_that_is_not_whole(say: Say) -> None:
    name = scene(old="0.25", new="sqrt(1.0 - state[0])")

    refused(say("race", "--scene", name, "--size", "40x24", "--tile", "8", "--modes", "sequential"), 4)

    assert [path.name for path in Path().iterdir()] == [name]


def test_the_command_in_the_error_shows_the_same_tile_alone(say: Say) -> None:
    Path("a folder").mkdir()
    path = Path("a folder", "dot's.py")
    path.write_text(DISC.replace("0.25", "sqrt(1.0 - state[0])"), encoding="utf-8")
    words = ["--size", "40x24", "--tile", "16", "--set", "x=0.1", "--precision", "f32", "--limit", "9"]
    error = refused(say("--scene", str(path), *words, "--mode", "parallel", "--target", "python"), 4)
    cause, _, command = error.partition("to reproduce it: ")
    python, *rest = shlex.split(command)
    assert (python, rest[:2]) == ("python", ["-m", "render"])

    alone = process(*rest[2:])
    assert alone.code == 4
    assert "Traceback" in alone.err
    assert cause.splitlines()[0] in alone.err.splitlines()
    assert command.strip() in alone.err


def test_a_scene_that_raises_fails_its_tile(say: Say) -> None:
    name = scene(old="    return state\n", new="    raise ValueError('lost')\n")
    assert "ValueError: lost" in refused(say("--scene", name, *ALONE), 4)


SLOW = """\
import sys
class Telling:
    said = False

    def __call__(self):
        if not self.said:
            self.said = True
            print("painting", file=sys.__stdout__, flush=True)
tell = Telling()
def start(x, y, p): return x, y
def step(state, p):
    tell()
    return state
def alive(state, p): return state[0] < 1e30
def shade(state, steps, p):
    return 0.0, 0.0, 0.0
"""


@pytest.mark.parametrize("mode", [*MODES, ["--mode", "parallel", "--backend", "loky"]], ids=" ".join)
def test_an_interruption_ends_it_at_once_and_leaves_nothing(mode: list[str]) -> None:
    Path("slow.py").write_text(SLOW, encoding="utf-8")
    run = start_program(
        "--scene", "slow.py", "--size", "64", "--tile", "16", "--limit", "99999999", "--target", "python", *mode
    )
    assert run.stdout is not None
    assert run.stdout.readline() == "painting\n"
    os.killpg(run.pid, signal.SIGINT)  # what a terminal does for Control-C: all processes are told
    assert run.stderr is not None
    assert run.stderr.readline() == "render: interrupted\n"
    with contextlib.suppress(ProcessLookupError):
        os.killpg(run.pid, signal.SIGINT)  # an impatient user changes nothing
    _, err = run.communicate(timeout=HANGING)
    assert (run.returncode, err) == (130, "")
    assert [path.name for path in Path().iterdir()] == ["slow.py"]


def test_an_interruption_while_text_is_run_ends_it_in_the_same_way() -> None:
    """Named tuples are made by text; Python would end by the signal, and not with the exit code."""
    text = "import sys, time; print('painting', file=sys.__stdout__, flush=True); time.sleep(3000)"
    Path("slow.py").write_text(f"exec({text!r})", encoding="utf-8")
    run = start_program("--scene", "slow.py")
    assert run.stdout is not None
    assert run.stdout.readline() == "painting\n"
    run.send_signal(signal.SIGINT)
    _, err = run.communicate(timeout=HANGING)
    assert (run.returncode, err) == (130, "render: interrupted\n")


@pytest.mark.skipif(sys.platform != "linux", reason="file names are text elsewhere")
@pytest.mark.parametrize("utf8", [pytest.param(True, marks=pytest.mark.slow), False], ids=["UTF-8", "ASCII"])
def test_a_scene_is_drawn_whatever_bytes_its_name_has(utf8: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a locale of ASCII, that is what Python makes of any letter beyond."""
    monkeypatch.setenv("PYTHONUTF8", "1" if utf8 else "0")
    monkeypatch.setenv("PYTHONCOERCECLOCALE", "0")
    monkeypatch.setenv("LC_ALL", "C")
    names = [os.fsencode(Path.cwd() / name) for name in ("ü", "b")]
    names[1] += b"\xff"
    for name in names:
        Path(os.fsdecode(name + b".py")).write_text(DISC, encoding="utf-8")
        paint: list[str | bytes] = ["--scene", name + b".py", *FRAME, "--target", "scalar", "--mode", "sequential"]
        made = [name + end for end in (b".png", b".html", b".svg", b".txt", b".trace.json")]
        run = start_program(*paint, *(word for path in made for word in ("--out", path)), "--json")
        out, err = run.communicate(timeout=HANGING)
        assert run.returncode == 0, err
        assert json.loads(out)["steps"] > 0
        assert all(Path(os.fsdecode(path)).stat().st_size for path in made)
        assert process("show", os.fsdecode(made[-1])).code == 0


def test_a_reader_that_has_gone_is_no_fault() -> None:
    run = start_program("scenes", "--json")
    assert run.stdout is not None
    run.stdout.close()
    assert run.stderr is not None
    assert (run.stderr.read(), run.wait(timeout=HANGING)) == ("", 1)
    run.stderr.close()


def test_real_processes_end_with_the_same_codes() -> None:
    assert process(*ALONE, "--json").document["tiles"] == 6
    assert "there is no command" in refused(process("nix"), 2)
    assert process("--help").out.startswith("usage: python -m render")


# --- compare and show ---------------------------------------------------------------------------------------


@pytest.fixture
def disc(say: Say) -> str:
    """A scene, drawn to disc.png."""
    name = scene()
    assert say("--scene", name, *ALONE, "--out", "disc.png", "--quiet").code == 0
    return name


@pytest.mark.usefixtures("disc")
def test_equal_pictures_compare_equal(say: Say) -> None:
    assert say("--scene", "disc.py", *SMALL, "--mode", "concurrent", "--out", "other.npz", "--quiet").code == 0
    said = say("compare", "disc.png", "other.npz")
    assert (said.code, said.err) == (0, "")
    assert "are equal" in said.out
    found = say("compare", "disc.png", "other.npz", "--json").document
    assert set(found) == COMPARISON
    assert (found["identical"], found["same_request"], found["psnr"], found["worst"]) == (True, True, None, None)


@pytest.mark.usefixtures("disc")
def test_pictures_of_different_requests_are_compared_only_when_asked_for(say: Say) -> None:
    assert say("--scene", "disc.py", *ALONE, "--set", "zoom=0.5", "--out", "wide.png", "--quiet").code == 0
    error = refused(say("compare", "disc.png", "wide.png"), 2)
    assert "zoom (1.0 and 0.5)" in error
    assert "--any-request" in error
    assert say("compare", "disc.png", "wide.png", "--any-request", "--quiet") == (1, "", "")


def altered(error: int) -> str:
    """disc.png with one channel of one pixel changed, as a picture of no known request."""
    rgb = pixels("disc.png").copy()
    rgb[3, 2, 1] += error
    Path("altered.png").write_bytes(png_writer.encode_png(rgb))
    return "altered.png"


def test_a_lesson_is_a_race_with_names_and_what_follows(say: Say) -> None:
    said = say("race", "--lesson", "wait", "--wait", "1ms", "--tile", "16", *SMALL, "--trace", "w.trace.json")
    assert said.code == 0
    assert "in sequence (no waiting)" in said.out
    assert "lesson wait: When is one worker who juggles faster" in said.out
    assert say("show", "w.trace.json").out == said.out
    found = say("show", "w.trace.json", "--json").document
    assert [run["title"] for run in found["runs"]][-1] == "parallel (waits of 1 ms)"
    assert found["lesson"]["name"] == "wait"
    assert found["lesson"]["sound"] is True


@pytest.mark.parametrize(
    ("words", "cause"),
    [
        (["--lesson", "gul"], "there is no lesson 'gul'"),
        (["--lesson", "gil", "--modes", "cuda"], "lesson gil decides --modes itself"),
        (["--lesson", "bug", "--backend", "loky"], "lesson bug decides --backend itself"),
    ],
)
def test_what_makes_no_sense_in_a_lesson_is_refused(say: Say, words: list[str], cause: str) -> None:
    assert cause in refused(say("race", *words), 2)


@pytest.mark.usefixtures("disc")
def test_a_difference_is_found_told_and_drawn(say: Say) -> None:
    said = say("compare", "disc.png", altered(7), "--json", "--diff", "diff.png")
    found = said.document
    assert said.code == 1
    assert (found["differing_pixels"], found["max_error"], found["worst"]) == (1, 7, [2, 3, 1])
    assert found["same_request"] is None
    drawn = pixels("diff.png")
    assert drawn.shape == (16 * 40, 24 * 40, 3)  # magnified
    assert drawn[3 * 40 + 20, 2 * 40 + 20].tolist() == [0, 104, 0]
    assert found["attribution"]["worst"][0]["tile"] == 0
    assert found["attribution"]["workers"] == {"a": {"0": 1}, "b": {}}


@pytest.mark.usefixtures("disc")
@pytest.mark.parametrize(
    ("allowed", "code"),
    [
        ([], 1),
        (["--max-error", "6"], 1),
        (["--max-error", "7"], 0),
        (["--max-differing", "0.2"], 1),  # one of 384 pixels: 0.26 %
        (["--max-differing", "0.3"], 0),
        (["--max-error", "6", "--max-differing", "0.3"], 1),
        (["--max-error", "7", "--max-differing", "0.3"], 0),
        (["--max-error", "7", "--max-differing", "0.2"], 1),
    ],
)
def test_what_is_allowed_decides_the_exit_code_alone(allowed: list[str], code: int, say: Say) -> None:
    said = say("compare", "disc.png", altered(7), "--json", *allowed)
    assert said.code == code
    assert said.document["identical"] is False


@pytest.mark.usefixtures("disc")
def test_pictures_of_different_sizes_differ(say: Say) -> None:
    Path("tiny.png").write_bytes(png_writer.encode_png(np.zeros((2, 2, 3), np.uint8)))
    said = say("compare", "disc.png", "tiny.png", "--json")
    assert said.code == 1
    assert (said.document["identical"], said.document["max_error"]) == (False, None)


@pytest.mark.usefixtures("disc")
@pytest.mark.parametrize("content", [b"", b"no picture", b"\x89PNG\r\n\x1a\n", b"PK\x03\x04", b"{}"])
def test_what_is_no_picture_is_told(content: bytes, say: Say) -> None:
    Path("strange.png").write_bytes(content)
    assert "strange.png" in refused(say("compare", "disc.png", "strange.png"), 2)
    assert "strange.png" in refused(say("show", "strange.png"), 2)


@pytest.mark.usefixtures("disc")
def test_a_picture_of_differences_that_cannot_be_written_is_told(say: Say) -> None:
    assert "cannot write" in refused(say("compare", "disc.png", "disc.png", "--diff", "no/d.png"), 1)


def test_a_saved_trace_tells_the_run_again(say: Say) -> None:
    drawn = say(*ALONE, "--trace", "t.trace.json", "--out", "a.png", "--json").document
    Path("a.png").rename("b.png")
    said = say("show", "t.trace.json", "--out", "a.png", "--out", "a.txt", "--json")
    assert said.code == 0
    assert set(said.document) >= DOCUMENT
    assert {name for name in DOCUMENT if said.document[name] != drawn[name]} <= {"out", "seconds"}  # saved after it
    assert np.array_equal(pixels("a.png"), pixels("b.png"))
    assert "nothing was saved" in say("show", "t.trace.json").out
    assert say("show", "t.trace.json", "--quiet") == (0, "", "")


def test_a_saved_race_is_shown_as_it_was_raced(say: Say, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("render.modes.cuda.unavailable_reason", lambda _request: ("it is Sunday", "wait"))
    raced = say("race", *SMALL, "--story", "server", "--wait", "1ms", "--trace", "t.trace.json", "--out", "a.txt").out
    assert "story server: Four users ask a server for tiles" in raced
    assert "cuda did not run: it is Sunday" in raced
    assert say("show", "t.trace.json", "--out", "b.txt").out == raced
    assert Path("a.txt").read_bytes() == Path("b.txt").read_bytes()
    assert say("show", "t.trace.json", "--json").document["not_run"][0]["mode"] == "cuda"


def test_the_page_is_the_same_from_the_race_and_from_its_trace(say: Say) -> None:
    say("race", *SMALL, "--modes", "sequential,concurrent", "--trace", "t.trace.json", "--page", "theatre")
    say("show", "t.trace.json", "--page", "again.html", "--out", "other.html")
    assert Path("theatre").read_bytes() == Path("again.html").read_bytes() == Path("other.html").read_bytes()
    assert Path("theatre").read_bytes().startswith(b"<!doctype html>")


def test_a_draw_has_a_page_and_says_so(say: Say) -> None:
    assert say(*ALONE, "--out", "a.png", "--page", "a.html").out.splitlines()[-1] == "saved a.png, a.html"
    assert "named twice" in refused(say(*ALONE, "--out", "a.html", "--page", "a.html"), 2)
    assert "folder does not exist" in refused(say(*ALONE, "--page", "missing/a.html"), 1)


def test_a_race_of_one_mode_is_still_a_race(say: Say) -> None:
    raced = say("race", *SMALL, "--modes", "sequential", "--trace", "t.trace.json").out
    assert say("show", "t.trace.json").out == raced


def test_a_damaged_trace_is_told(say: Say) -> None:
    assert say(*ALONE, "--trace", "t.trace.json", "--quiet").code == 0
    whole = Path("t.trace.json").read_bytes()
    for damaged in (
        whole[:-20],
        whole.replace(b'"version":4', b'"version":9'),
        whole.replace(b'"paint"', b'"pains"', 1),
    ):
        Path("t.trace.json").write_bytes(damaged)
        assert "t.trace.json" in refused(say("show", "t.trace.json"), 2)


# --- race, devices, scenes ----------------------------------------------------------------------------------

MODES_OF_THE_CPU = "sequential,concurrent,parallel"


def test_a_race_tells_all_modes_in_one_table(say: Say) -> None:
    said = say("race", *SMALL, "--modes", MODES_OF_THE_CPU, "--trace", "r.trace.json")
    assert (said.code, said.err) == (0, "")
    lines = said.out.splitlines()
    assert max(map(len, lines)) <= 100
    at = next(number for number, line in enumerate(lines) if line.startswith("run "))
    assert [line.split()[0] for line in lines[at + 1 : at + 4]] == ["sequential", "concurrent", "parallel"]
    assert len(lines[at].split("  ")) >= 5
    assert "at a tile" not in lines[at]
    assert "at a tile" in say("show", "r.trace.json", "--figures").out
    assert "all 3 pictures are equal" in said.out
    assert "all 3 pictures are equal" in say("show", "r.trace.json").out


def test_a_race_as_json_is_one_document(say: Say) -> None:
    said = say("race", *SMALL, "--modes", MODES_OF_THE_CPU, "--in-flight", "2", "--workers", "3", "--json")
    assert said.err == ""
    race = said.document
    assert set(race) == {"runs", "not_run", "identical", "repeats", "sentences"}
    assert (race["identical"], race["not_run"]) == (True, [])
    assert all(set(run) >= DOCUMENT for run in race["runs"])
    assert [run["workers"]["asked"] for run in race["runs"]] == [1, 1, 3]
    assert race["runs"][1]["in_flight"]["max"] == 2
    assert len({(run["sha256"], run["steps"], *run["tile"]) for run in race["runs"]}) == 1


def test_a_race_is_repeated_as_often_as_asked(say: Say) -> None:
    said = say("race", *SMALL, "--modes", "sequential,concurrent", "--repeat", "2", "--json")
    assert said.document["repeats"] == 2
    for run in said.document["runs"]:
        assert len(run["seconds_all"]) == 2
        assert min(run["seconds_all"]) == run["seconds"]["tiles"]  # of two in the middle, the lower
        assert run["on_cpu"]["cpus"] >= 1
        assert run["sentences"]


def test_a_draw_says_in_words_and_json_what_a_race_says(say: Say) -> None:
    drawn = say(*ALONE, "--trace", "t.trace.json", "--json").document
    told = " ".join(say("show", "t.trace.json").out.replace("\n  ", " ").split("\n"))
    assert len(drawn["seconds_all"]) == 1
    assert drawn["on_cpu"]["mean"] > 0
    assert all(sentence in told for sentence in drawn["sentences"])


def test_a_race_whose_pictures_differ_fails(say: Say, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = engine.draw

    def wrong(request: Any, **more: Any) -> Any:
        frame = drawn(request, **more)
        return frame if request.mode == "sequential" else replace(frame, rgb=frame.rgb + np.uint8(1))

    monkeypatch.setattr(engine, "draw", wrong)
    said = say("race", *SMALL, "--modes", "sequential,concurrent")
    assert said.code == 1
    assert "THE PICTURES DIFFER" in said.out


@pytest.fixture(scope="module")
def _no_gpu() -> None:
    """Skips where mode cuda runs."""
    if devices.find_devices()["modes"]["cuda"]["runs"]:
        pytest.skip("this machine has a GPU")


@pytest.mark.usefixtures("_no_gpu")
def test_a_mode_that_was_named_and_cannot_run_makes_the_race_end_with_3(say: Say) -> None:
    said = say("race", *SMALL, "--modes", "sequential,cuda", "--json")
    assert said.code == 3
    assert [run["mode"] for run in said.document["runs"]] == ["sequential"]
    assert [(one["mode"], bool(one["reason"])) for one in said.document["not_run"]] == [("cuda", True)]
    assert said.err.endswith("render: python -m render devices shows what is missing here\n")


@pytest.mark.usefixtures("_no_gpu", "never_painted")
def test_mode_cuda_without_a_gpu_is_refused_with_the_reason(say: Say) -> None:
    assert "mode cuda cannot run here: " in refused(say("--mode", "cuda"), 3)
    assert list(Path().iterdir()) == []


def test_devices_says_of_each_mode_whether_it_runs(say: Say) -> None:
    said = say("devices")
    assert (said.code, said.err) == (0, "")
    found = say("devices", "--json").document
    assert set(found) == {"cpu", "cards", "cuda", "targets", "modes"}
    for name, mode in found["modes"].items():
        assert f"mode    {name}" in said.out
        assert mode["runs"] or (mode["reason"] in said.out and mode["remedy"])


def test_scenes_are_told_with_their_views_and_one_with_its_parameters(say: Say) -> None:
    assert "\nmandelbrot: " in f"\n{say('scenes').out}"
    told = say("scenes", "mandelbrot").out
    assert "bailout" in told
    assert "still_life" not in told
    [one] = say("scenes", scene(), "--json").document["scenes"]
    assert (one["scene"], one["views"]) == ("disc", {"default": {}})
    assert {found["scene"] for found in say("scenes", "--json").document["scenes"]} >= {"mandelbrot", "still_life"}


@pytest.mark.parametrize("words", [["--version"], ["race", "--version"], ["show", "--version"]], ids=" ".join)
def test_every_command_tells_the_version(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        main(words)
    assert capsys.readouterr().out == f"render {render.__version__}\n"


@pytest.mark.parametrize("command", PARSERS)
def test_help_and_a_command_is_that_commands_help(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    told = []
    for words in (["help", command], [command, "--help"]):
        with pytest.raises(SystemExit, match="0"):
            main(words)
        told.append(capsys.readouterr().out)
    assert told[0] == told[1] != ""


def test_the_help_of_a_race_names_what_a_race_takes(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["help", "race"])
    told = " ".join(capsys.readouterr().out.split())
    assert f"views ({races.RACE_DEFAULTS['view']}, or its first if" in told
    assert f"each pixel ({races.RACE_DEFAULTS['samples']}, or {options.DEFAULTS['samples']} if" in told


@pytest.mark.slow
def test_a_race_is_as_wide_as_columns_says_though_nobody_looks(say: Say, monkeypatch: pytest.MonkeyPatch) -> None:
    wide = {}
    for columns in ("60", "100", "0"):
        monkeypatch.setenv("COLUMNS", columns)
        said = say(
            "race", *SMALL, "--modes", "sequential,concurrent", "--quiet", "-o", "r.txt", "--trace", "r.trace.json"
        )
        assert said.code == 0
        wide[columns] = max(map(len, say("show", "r.trace.json").out.splitlines()))
    assert wide["60"] <= 60 < wide["100"] == wide["0"] <= 100


@pytest.mark.parametrize("command", PARSERS)
def test_help_tells_and_ends_well(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([command, "--help"])
    assert ended.value.code == 0
    assert "--debug" in capsys.readouterr().out
