"""`render film` as people meet it: what is in the file and in the document, and what ends it early."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

import render
from render.film.command import progress_line
from render.frontend.cli import main
from render.outputs import trace as saved
from tests.conftest import HANGING, start_program

ROOT = Path(__file__).parent.parent.parent
SMALL = ["--size", "32x24", "--samples", "1", "--limit", "40", "--target", "scalar", "--mode", "sequential"]
FILM = ["film", *SMALL, "--seconds", "0.5", "--fps", "10"]
TINY = ["--size", "12x8", "--target", "python"]  # which compiles nothing
PATH = """\
scene = "mandelbrot"
size = "32x24"
fps = 10
[[keyframe]]
at = 0
[[keyframe]]
at = 0.3
view = "valley"
parameters = { density = 0.6 }
[[keyframe]]
at = 0.5
view = "seahorses"
ease = "linear"
"""

Say = Callable[..., tuple[int, str, str]]


@pytest.fixture(autouse=True)
def _here(own_folder: None) -> None:
    """Use it in each test, before all else."""


@pytest.fixture
def say(capsys: pytest.CaptureFixture[str]) -> Say:
    """Runs a command line in this process."""

    def said(*words: str) -> tuple[int, str, str]:
        code = main(words)
        return (code, *capsys.readouterr())

    return said


def frames_of(path: str) -> int:
    with Image.open(path) as image:
        return int(getattr(image, "n_frames", 1))


def document(said: tuple[int, str, str]) -> Any:
    code, out, _ = said  # on standard error it may say that it compiles
    assert code == 0
    return json.loads(out)


@pytest.mark.parametrize(
    "more",
    [
        [],
        ["--no-overlap"],
        ["--mode", "concurrent"],
        ["--mode", "parallel", "--workers", "2"],
        pytest.param(["--mode", "cuda", "--target", "cuda", "--simulate"], marks=pytest.mark.slow),
    ],
)
def test_every_frame_is_the_one_that_draw_paints(say: Say, more: list[str]) -> None:
    found = document(say(*FILM, "f.webp", "--json", *more))
    assert found["overlap"] is ("--no-overlap" not in more)
    assert frames_of("f.webp") == len(found["frames"]) == 5
    assert [one["time"] for one in found["frames"]] == [0.0, 0.1, 0.2, 0.3, 0.4]
    zooms = [one["zoom"] for one in found["frames"]]
    assert (zooms[0], zooms[-1]) == (1.6, 700.0)
    assert zooms == sorted(zooms)
    for one in found["frames"][1:4:2]:
        drawn = render.draw(
            size=(32, 24),
            samples=1,
            limit=40,
            mode="sequential",
            target="scalar",
            parameters=one["request"]["parameters"],
        )
        assert one["sha256"] == drawn.sha256
        assert one["request"] == drawn.request.picture_key()
        assert one["zoom"] == drawn.request.values["zoom"]


def test_a_film_is_named_after_its_scene_and_view(say: Say) -> None:
    pytest.importorskip("av", reason="PyAV is missing")
    code, out, _ = say(*FILM, "--view", "valley")
    assert code == 0
    assert Path("mandelbrot-valley.mp4").is_file()
    assert "5 frames" in out
    assert "painting was at work" in " ".join(out.split()).lower()


@pytest.mark.parametrize(
    ("painted", "seconds", "said"),
    [
        (1, 0.0, "1 of 300 frames painted"),
        (11, 1.0, "11 of 300 frames painted"),
        (11, 2.0, "11 of 300 frames painted, about 60 s left"),
        (151, 30.0, "151 of 300 frames painted, about 30 s left"),
        (300, 60.0, "300 of 300 frames painted"),
    ],
)
def test_progress_says_how_long_the_rest_may_take(painted: int, seconds: float, said: str) -> None:
    assert progress_line(painted, 300, seconds) == said


def test_a_path_leads_through_its_keyframes(say: Say) -> None:
    Path("tour.toml").write_text(PATH)
    words = ["film", "tour.toml", "t.webp", *SMALL[2:], "--json"]
    frames = document(say(*words))["frames"]
    assert len(frames) == frames_of("t.webp") == 5
    first, last = (frames[number]["request"] for number in (0, -1))
    assert (first["parameters"]["zoom"], last["parameters"]["zoom"]) == (1.6, 700.0)
    assert 0.45 < frames[1]["request"]["parameters"]["density"] < 0.6
    longer = document(say(*words, "--seconds", "1"))["frames"]
    assert len(longer) == 10
    assert longer[-1]["sha256"] == frames[-1]["sha256"]


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("at = 0.3", "at = 0.6", "follow each other"),
        ("density", "densty", "densty"),
        ('ease = "linear"', 'ease = "slow"', "slow"),
        ("fps = 10", "fsp = 10", "fsp"),
        ('"valley"', '"vale"', "valley"),
        ("fps = 10", "fps = ", "cannot read"),
        ("at = 0.3\n", "", "'at'"),
    ],
)
def test_a_path_that_is_none_is_refused_with_the_reason(say: Say, old: str, new: str, told: str) -> None:
    Path("tour.toml").write_text(PATH.replace(old, new))
    code, out, err = say("film", "tour.toml", "t.webp", *SMALL)
    assert (code, out) == (2, "")
    assert told in err
    assert not Path("t.webp").exists()


@pytest.mark.parametrize(
    "words",
    [
        ["f.gif"],
        [""],
        ["a.webp", "b.webp"],
        ["f.mp4", "--size", "31x24"],
        ["f.webp", "--seconds", "0"],
        ["f.webp", "--fps", "1000"],
        ["f.webp", "--trace", "f.webp"],
        ["tour.toml", "--view", "valley"],
        ["f.webp", "--seconds", "3600", "--fps", "240"],
        ["f.webp", "--in-flight", "2"],
    ],
)
def test_wrong_use_is_refused_before_anything_is_painted(say: Say, words: list[str]) -> None:
    Path("tour.toml").write_text(PATH)
    code, out, err = say(*FILM, *words)
    assert (code, out) == (2, "")
    assert len(err.splitlines()) == 2
    assert not list(Path().glob("f.*"))


def test_its_trace_shows_stages_and_frames_and_makes_every_output(say: Say) -> None:
    code, _, _ = say(*FILM, "f.webp", "--trace", "f.trace.json", "--page", "f.html")
    assert code == 0
    (frame,) = saved.read("f.trace.json")
    spans = frame.trace.spans
    assert {span.kind for span in spans} >= {"paint", "encode", "save"}
    assert {span.tile for span in spans if span.kind in ("paint", "encode", "save")} == set(range(5))
    assert list(frame.trace.lanes.values()) == ["worker 0", "encoder", "writer"]
    assert '"names":["worker 0","encoder","writer"]' in Path("f.html").read_text()
    code, out, _ = say("show", "f.trace.json", "--out", "f.svg", "--out", "f.txt")
    assert code == 0
    assert "5 frames" in out
    assert "writer" in Path("f.svg").read_text()


def test_without_overlap_one_worker_does_it_all(say: Say) -> None:
    assert say(*FILM, "f.webp", "--no-overlap", "--trace", "f.trace.json")[0] == 0
    (frame,) = saved.read("f.trace.json")
    assert list(frame.trace.lanes.values()) == ["worker 0"]
    assert "No two of them were at work at the same instant" in " ".join(say("show", "f.trace.json")[1].split())


def test_a_frame_that_fails_leaves_the_frames_before_it(say: Say) -> None:
    source = (ROOT / "scenes" / "mandelbrot.py").read_text()
    failing = "    if parameters.zoom > 300.0:\n        raise ValueError('too deep')\n    margin ="
    Path("deep.py").write_text(source.replace("    margin =", failing, 1))
    code, _, err = say(*FILM, *TINY, "--scene", "deep.py", "--view", "seahorses", "f.webp")
    assert code != 0
    assert "too deep" in err
    kept = frames_of("f.webp")
    assert 0 < kept < 5
    assert f"{kept} of 5 frames are in f.webp" in err


def start(*words: str) -> subprocess.Popen[str]:
    return start_program("film", *SMALL, "--seconds", "3600", "--fps", "10", *words)


def wait_for_growth(path: Path, size: int) -> None:
    deadline = time.monotonic() + HANGING
    while not (path.exists() and path.stat().st_size > size):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_control_c_leaves_a_film_that_plays() -> None:
    run = start("f.webp")
    wait_for_growth(Path("f.webp"), 2000)
    run.send_signal(signal.SIGINT)
    out, err = run.communicate(timeout=HANGING)
    assert (run.returncode, out) == (130, "")
    assert f"{frames_of('f.webp')} of 36000 frames are in f.webp" in err


@pytest.mark.slow
@pytest.mark.parametrize("name", ["f.webp", "f.mp4"])
@pytest.mark.parametrize("pauses", range(4))
def test_a_film_whose_program_was_killed_plays(name: str, pauses: int) -> None:
    if name == "f.mp4":
        av = pytest.importorskip("av", reason="PyAV is missing")
    run = start(name)
    wait_for_growth(Path(name), 500)
    time.sleep(pauses * 0.137)
    run.kill()
    run.communicate(timeout=HANGING)
    if name == "f.webp":
        assert frames_of(name) > 0
    else:
        with av.open(name) as container:
            assert sum(1 for _ in container.decode(video=0)) >= 5
