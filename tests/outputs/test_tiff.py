"""The TIFF file: a pyramid to every program that knows pyramids, one picture to all others, and equal to the bit."""

from __future__ import annotations

import json
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms

from render.frame import Frame
from render.outputs import tiff as output
from render.outputs.tiff import write
from render.pictures import picture, tiff
from render.pictures.bands import Band
from render.request import Request

Draw = Callable[..., Frame]
WIDE, HIGH = 600, 517  # levels of 600 x 517, 300 x 259, 150 x 130


def noise(width: int = WIDE, height: int = HIGH) -> np.ndarray:
    return np.random.default_rng(1).integers(0, 256, (height, width, 3), np.uint8)


def levels_in(data: bytes) -> list[np.ndarray]:
    with tifffile.TiffFile(BytesIO(data)) as file:
        first = file.pages.first
        return [page.asarray() for page in (first, *(first.pages or ()))]


def means(rgb: np.ndarray) -> np.ndarray:
    """The means of 2 x 2 pixels, halves rounded up, by the definition: sums over those that there are."""
    height, width, _ = rgb.shape
    there = np.pad(np.ones((height, width, 1), np.int64), ((0, height % 2), (0, width % 2), (0, 0)))
    sums = np.pad(rgb.astype(np.int64), ((0, height % 2), (0, width % 2), (0, 0)))
    sums, there = (x[0::2, 0::2] + x[1::2, 0::2] + x[0::2, 1::2] + x[1::2, 1::2] for x in (sums, there))
    return ((2 * sums + there) // (2 * there)).astype(np.uint8)


@settings(max_examples=10)
@given(st.integers(1, 700), st.integers(1, 700))
def test_each_level_holds_the_means_of_the_one_below(width: int, height: int) -> None:
    rgb = noise(width, height)
    levels = levels_in(tiff.encode_tiff(rgb, {}))
    assert max(levels[-1].shape) <= tiff.TILE
    assert len(levels) == 1 or max(levels[-2].shape) > tiff.TILE
    for level in levels:
        assert np.array_equal(level, rgb)
        rgb = means(rgb)


@pytest.mark.parametrize("rows", [256, 512])
def test_bands_change_no_byte(rows: int) -> None:
    rgb, file = noise(), BytesIO()
    sink = tiff.TiffSink(file, BytesIO(), WIDE, HIGH, plain=False)
    for y in range(0, HIGH, rows):
        lent = rgb[y : y + rows].copy()
        sink.write_band(Band(y, lent))
        lent[:] = 0
    sink.finish({"render:request": "{}"})
    assert file.getvalue() == tiff.encode_tiff(rgb, {"render:request": "{}"})


def test_where_no_more_threads_are_allowed_it_is_the_same_file(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    expected = tiff.encode_tiff(noise(), {"render:request": "{}"})
    monkeypatch.setattr(threading.Thread, "start", refuse)
    assert tiff.encode_tiff(noise(), {"render:request": "{}"}) == expected


def test_where_all_levels_may_pass_4_gib_it_is_a_big_tiff(monkeypatch: pytest.MonkeyPatch) -> None:
    assert tiff.encode_tiff(noise(), {}).startswith(b"II\x2a\0")
    monkeypatch.setattr(tiff, "CLASSIC", 11 * 256 * 256 * 3)  # there are 9 tiles, and 4, and 1
    big = tiff.encode_tiff(noise(), {"render:request": "{}"})
    assert big.startswith(b"II\x2b\0")
    assert [level.shape for level in levels_in(big)] == [(517, 600, 3), (259, 300, 3), (130, 150, 3)]
    with Image.open(BytesIO(big)) as image:
        assert np.array_equal(np.asarray(image), noise())


def test_it_carries_what_the_png_carries(draw: Draw) -> None:
    with Image.open(BytesIO(write([draw("0")]))) as image:
        lines = image.getexif()[0x010E].split("\n")
    texts = dict(line.split("=", 1) for line in lines)
    assert list(texts) == ["render:request", "render:owners", "render:timings"]
    assert Request.from_dict(json.loads(texts["render:request"])) == draw("0").request
    assert json.loads(texts["render:timings"])["sha256"] == draw("0").sha256


def test_equal_pictures_are_equal_plain_files(draw: Draw) -> None:
    plain = write([draw("0011")], plain=True)
    assert plain == write([draw("0", "1", mode="parallel")], plain=True)
    assert b"render:" not in plain


def test_its_profile_says_srgb_and_no_date(draw: Draw) -> None:
    with Image.open(BytesIO(write([draw("0")]))) as image:
        stored = image.info["icc_profile"]
    profile = ImageCms.ImageCmsProfile(BytesIO(stored)).profile
    assert "sRGB" in str(profile.profile_description)
    assert not any(stored[24:36])


# --- as other programs read it ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("tiff") / "a.tif"
    path.write_bytes(tiff.encode_tiff(noise(), {"render:request": "{}"}))
    return path


def read_by(program: str, *arguments: str | Path, to: Path) -> np.ndarray:
    """The pixels that a program makes of a file."""
    if shutil.which(program) is None:
        pytest.skip(f"{program} is not installed")
    run = subprocess.run([program, *arguments, to], capture_output=True, text=True, check=False)
    assert (run.returncode, run.stderr) == (0, "")
    with Image.open(to) as image:
        return np.asarray(image)


def test_to_tifffile_the_copies_are_levels(saved: Path) -> None:
    with tifffile.TiffFile(saved) as file:
        assert [level.shape for level in file.series[0].levels] == [(517, 600, 3), (259, 300, 3), (130, 150, 3)]


def test_to_pillow_it_is_one_picture(saved: Path) -> None:
    with Image.open(saved) as image:
        assert (getattr(image, "n_frames", 1), image.mode) == (1, "RGB")
        assert np.array_equal(np.asarray(image), noise())


@pytest.mark.parametrize("level", [0, 1, 2])
def test_to_gdal_the_copies_are_overviews(saved: Path, tmp_path: Path, level: int) -> None:
    chosen = ["-oo", f"OVERVIEW_LEVEL={level - 1}"] if level else []
    read = read_by("gdal_translate", "-q", "-of", "PNM", *chosen, saved, to=tmp_path / "a.ppm")
    assert np.array_equal(read, levels_in(saved.read_bytes())[level])


@pytest.mark.parametrize("level", [0, 1, 2])
def test_to_vips_the_copies_are_subifds(saved: Path, tmp_path: Path, level: int) -> None:
    name = f"{saved}[subifd={level - 1}]"
    assert np.array_equal(read_by("vips", "copy", name, to=tmp_path / "a.ppm"), levels_in(saved.read_bytes())[level])


@pytest.mark.parametrize("program", [("gdal_translate", "-q", "-of", "PNM"), ("vips", "copy")], ids=" ".join)
def test_where_a_picture_is_narrow_so_are_its_tiles(program: tuple[str, ...], tmp_path: Path) -> None:
    saved, rgb = tmp_path / "a.tif", noise(3, 700)
    saved.write_bytes(tiff.encode_tiff(rgb, {}))
    with tifffile.TiffFile(saved) as file:
        first = file.pages.first
        tiles = [(page.tilewidth, page.tilelength) for page in (first, *(first.pages or ()))]
    assert tiles == [(16, 256), (16, 256), (16, 176)]
    assert np.array_equal(picture.read(saved).rgb, rgb)
    assert np.array_equal(read_by(*program, saved, to=tmp_path / "a.ppm"), rgb)


# --- where it goes wrong ------------------------------------------------------------------------------------------


class FullDisk(BytesIO):
    def write(self, data: Any) -> int:
        if self.tell() > 100_000:
            raise OSError(28, "No space left on device")
        return super().write(data)


@pytest.fixture
def _no_thread_is_left() -> Iterator[None]:
    before = threading.active_count()
    yield
    assert threading.active_count() == before


@pytest.mark.usefixtures("_no_thread_is_left")
@pytest.mark.parametrize("rows", [256, 256 * 40])  # noticed by a later band, or at the end
def test_a_full_disk_is_reported(rows: int) -> None:
    sink = tiff.TiffSink(FullDisk(), BytesIO(), 256, 256 * 40, plain=True)

    def write_all() -> None:
        for y in range(0, 256 * 40, rows):
            sink.write_band(Band(y, noise(256, rows)))
        sink.finish({})

    with pytest.raises(OSError, match="No space left"):
        write_all()
    sink.abandon()


@pytest.mark.usefixtures("_no_thread_is_left")
def test_an_abandoned_picture_leaves_nothing(draw: Draw, tmp_path: Path) -> None:
    with (tmp_path / "a.tif").open("w+b") as file:
        sink = output.open_sink(file, tmp_path, draw("0").request, plain=False)
        sink.write_band(Band(0, draw("0").rgb[:1]))
        sink.abandon()
    assert [path.name for path in tmp_path.iterdir()] == ["a.tif"]
