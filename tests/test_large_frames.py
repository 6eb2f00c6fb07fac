"""Frames that are not kept in memory: their files are those of a frame that is, and whatever ends a run is resumed."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np
import pytest

import render
from render.frontend import band_files
from render.frontend.cli import main
from render.outputs import npz
from render.outputs.trace import read as read_trace
from render.painting import slabs
from render.pictures import picture, png_writer, source, tiff
from render.pictures.bands import Band

ROOT = Path(__file__).parent.parent
SMALL = ("--size", "48x700", "--tile", "16x70", "--limit", "60", "--mode", "sequential")  # ten slabs
DRAWN = ("sha256", "steps", "tiles", "size")
FILES = ("a.png", "a.npz", "a.tif")

SINKS: dict[str, Any] = {"a.png": png_writer.PngSink, "a.npz": npz.NpzSink, "a.tif": tiff.TiffSink}

Document = dict[str, Any]
Draw = Callable[..., Document]


@pytest.fixture(autouse=True)
def _large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every frame is a large one here, and each row of tiles a slab."""
    monkeypatch.setattr(slabs, "LARGE", 0)
    monkeypatch.setattr(slabs, "SLAB_BYTES", 1)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def draw(capsys: pytest.CaptureFixture[str]) -> Draw:
    """Draws on the command line, in this process; gives the document."""

    def drawn(*words: str) -> Document:
        assert main([*words, "--json"]) == 0
        document: Document = json.loads(capsys.readouterr().out)
        return document

    return drawn


def named(*files: str) -> list[str]:
    return [word for file in files for word in ("--out", file)]


@pytest.mark.parametrize("samples", ["1", "4"])
def test_the_files_are_those_of_a_frame_in_memory(samples: str, draw: Draw, monkeypatch: pytest.MonkeyPatch) -> None:
    words = (*SMALL, "--samples", samples, "--plain")
    bands = draw(*words, *named(*FILES))
    monkeypatch.setattr(slabs, "LARGE", 1 << 30)
    whole = draw(*words, *named(*(f"whole-{file}" for file in FILES)))

    assert [bands[name] for name in DRAWN] == [whole[name] for name in DRAWN]
    for file in FILES[:2]:
        assert Path(file).read_bytes() == Path(f"whole-{file}").read_bytes(), file
    assert np.array_equal(picture.read("a.tif").rgb, picture.read("whole-a.tif").rgb)


def test_the_library_and_a_session_draw_into_files_as_the_command_line_does(draw: Draw) -> None:
    document = draw(*SMALL, "--plain", *named(*FILES))
    wanted = {"size": (48, 700), "tile": (16, 70), "limit": 60, "plain": True}
    with render.session(mode="sequential") as session:
        for files, drawn in (("b", partial(render.draw, mode="sequential")), ("c", session.draw)):
            Path(files).mkdir()
            frame = drawn(**wanted, out=[Path(files, file) for file in FILES])
            assert (frame.is_small, frame.sha256) == (True, document["sha256"])
            for file in FILES:
                assert Path(files, file).read_bytes() == Path(file).read_bytes(), file
    with pytest.raises(render.RenderError, match="only a small picture"):
        frame.save("d.png")
    for wrong, cause in (({"resume": True}, "out names none"), ({"out": 7}, "out is 7"), ({"out": "-"}, "out is '-'")):
        with pytest.raises(render.RenderError, match=cause):
            render.draw(**wrong)
    assert sorted(path.name for path in Path().iterdir()) == ["a.npz", "a.png", "a.tif", "b", "c"]


def test_they_carry_the_request_and_who_painted(draw: Draw) -> None:
    draw(*SMALL, *named(*FILES))
    for file in FILES:
        read = picture.read(file)
        assert read.provenance is not None
        assert (read.provenance.request.width, read.provenance.request.height) == (48, 700)
        assert (read.timings is None) == (file == "a.npz")


def test_a_trace_and_what_is_made_of_it_have_a_small_picture(draw: Draw, capsys: pytest.CaptureFixture[str]) -> None:
    document = draw(*SMALL, "--trace", "t.trace.json", "--page", "t.html", *named("a.png", "a.ownership.png"))
    [frame] = read_trace("t.trace.json")
    assert frame.is_small
    assert np.array_equal(frame.rgb, picture.read("a.png").rgb)  # of a small frame it is the frame
    assert frame.sha256 == document["sha256"] == hashlib.sha256(picture.read("a.png").rgb.tobytes()).hexdigest()
    assert main(["show", "t.trace.json", "--out", "b.cost.png", "--page", "b.html", "--quiet"]) == 0
    assert main(["show", "t.trace.json", "--out", "b.png", "--quiet"]) == 2
    assert "there is only a small picture" in capsys.readouterr().err
    assert not Path("b.png").exists()


def test_an_order_holds_within_each_slab_and_the_report_says_so(draw: Draw) -> None:
    said = "It was painted in 10 slabs from the top, and order spiral held within each."
    assert said in draw(*SMALL, "--order", "spiral", *named("a.png"))["sentences"]
    assert not any("slabs" in sentence for sentence in draw(*SMALL, *named("a.png"))["sentences"])


def test_it_goes_to_standard_output() -> None:
    run = subprocess.run(
        [sys.executable, "-c", PIPED, *SMALL, "--quiet", "--plain", "--out", "-"],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        check=True,
    )
    rgb = render.draw(size=(48, 700), tile=(16, 70), limit=60, mode="sequential").rgb
    assert run.stdout == png_writer.encode_png(rgb)


PIPED = """
import sys
from render.painting import slabs
from render.frontend.cli import main
from render.outputs import npz
slabs.LARGE, slabs.SLAB_BYTES = 0, 1
sys.exit(main(sys.argv[1:]))
"""


def test_a_race_compares_the_hashes_of_whole_frames(draw: Draw) -> None:
    words = [*SMALL[:-2], "--view", "whole", "--story", "none", "--modes", "sequential,concurrent", "--repeat", "1"]
    result = draw("race", *words, "--page", "r.html", "--out", "a.tif")
    expected = render.draw(size=(48, 700), tile=(16, 70), limit=60, mode="sequential").sha256
    assert result["identical"]
    assert [run["sha256"] for run in result["runs"]] == [expected] * 2
    assert hashlib.sha256(picture.read("a.tif").rgb.tobytes()).hexdigest() == expected


def test_a_disk_that_is_too_full_is_found_before_painting(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Usage(NamedTuple):
        free: int = 70_000

    monkeypatch.setattr(shutil, "disk_usage", lambda _path: Usage())
    assert main([*SMALL, *named(*FILES)]) == 1
    said = capsys.readouterr().err
    assert "a.png and what is kept beside it may need" in said
    assert "free some space there" in said
    assert not list(Path().iterdir())


@pytest.mark.parametrize("file", FILES)
def test_a_disk_that_fills_up_keeps_the_tiles_for_a_resumed_run(
    file: str, draw: Draw, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = 0

    def write_band(sink: Any, band: Band) -> None:
        nonlocal expected
        expected = sink.expected_bytes
        if band.y:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        write(sink, band)

    write = SINKS[file].write_band
    with monkeypatch.context() as full:
        full.setattr(SINKS[file], "write_band", write_band)
        assert main([*SMALL, *named(file)]) == 1
    said = capsys.readouterr().err
    assert f"cannot write '{file}': the disk is full" in said
    assert "add --resume to go on" in said
    assert [path.name for path in Path().iterdir()] == [f"{file}.journal"]

    left = max(48 * 700 * 3 // band_files.JOURNAL_SHARE - Path(f"{file}.journal").stat().st_size, 0)
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: SimpleNamespace(free=expected + left))  # just enough
    document = draw(*SMALL, *named(file), "--resume")
    assert 0 < document["resumed"] < document["tiles"] == 30
    assert document["sha256"] == hashlib.sha256(picture.read(file).rgb.tobytes()).hexdigest()
    assert [path.name for path in Path().iterdir()] == [file]


MEASURED = """
import sys
from pathlib import Path
from render.frontend.cli import main
code = main(sys.argv[1:])
lines = Path("/proc/self/status").read_text().splitlines()
print(next(line.split()[1] for line in lines if line.startswith("VmHWM")), file=sys.stderr)
sys.exit(code)
"""  # the system's `ru_maxrss` is the parent's, where that is larger


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not say how much memory a process had")
def test_a_killed_run_of_a_large_frame_is_resumed_in_bounded_memory() -> None:
    """8,192 x 8,192 pixels of one sample are 470 MB."""
    words = ["--size", "8192x8192", "--samples", "1", "--limit", "300", "--json", "--quiet", *named("a.png", "a.tif")]

    def start(*more: str) -> subprocess.Popen[str]:
        environment = os.environ | {"PYTHONPATH": str(ROOT)}
        command = [sys.executable, "-c", MEASURED, "draw", *words, *more]
        return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    first = start()
    journal = Path("a.png.journal")
    while not (journal.exists() and journal.stat().st_size > 1_000_000):
        assert first.poll() is None, "it was done before it could be killed"
        time.sleep(0.01)
    first.send_signal(signal.SIGKILL)
    first.communicate()
    assert [path.name for path in Path().iterdir()] == [journal.name]

    second = start("--resume")
    out, most = second.communicate()
    assert second.returncode == 0, most
    assert int(most) < 450 << 10
    document = json.loads(out)
    assert 0 < document["resumed"] < document["tiles"]
    assert sorted(path.name for path in Path().iterdir()) == ["a.png", "a.tif"]
    check_pixels(document)


def check_pixels(document: Document) -> None:
    """Check that both files hold the pixels of the document's hash, and some of these against windows."""
    hashes = [hashlib.sha256() for _ in range(2)]
    with render.session(size=(8192, 8192), samples=1, limit=300) as session:
        for a, b in zip(*(source.open_picture(file).read_bands() for file in ("a.png", "a.tif")), strict=True):
            for one, band in zip(hashes, (a, b), strict=True):
                one.update(band.rgb.tobytes())
            x = a.y * 7 % 8000
            assert np.array_equal(a.rgb[:64, x : x + 64], session.window(x, a.y, 64, 64).rgb)
    assert {one.hexdigest() for one in hashes} == {document["sha256"]}
