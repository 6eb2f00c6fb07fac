"""Frames that are painted in slabs: the bands that come out, joined, are the whole frame, however it is cut."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from threading import Event, Thread
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from render import engine, machine, modes
from render.errors import OutputError, UsageError
from render.findings.repeats import Rounds
from render.frame import Canvas, Frame, open_rows
from render.frontend.keeping import open_journal
from render.painting import preview, slabs
from render.painting.preview import Preview
from render.painting.slabs import SlabbedFrame, Streaming, choose_slabs
from render.pictures.bands import ROWS, Band, Regrouping
from render.plan import ORDERS, cut, cut_slabs, plan
from render.preparation import Preparation
from render.request import Request
from render.trace import Recorder
from tests.conftest import HANGING, small_request

TWICE = Rounds(2, 2)
PREPARED = Preparation()  # code is loaded once for all of them


class Wall:
    """Copies all bands that come."""

    def __init__(self) -> None:
        self.bands: list[Band] = []

    def take(self, band: Band) -> None:
        self.bands.append(Band(band.y, *(None if array is None else array.copy() for array in band[1:])))  # type: ignore[arg-type]

    def joined(self, member: str) -> np.ndarray:
        return np.concatenate([getattr(band, member) for band in self.bands])


def draw_in_bands(request: Request, slab_bytes: int = 1, **how: Any) -> tuple[Frame, Wall]:
    wall = Wall()
    return engine.draw(request, streaming=Streaming(wall.take, slab_bytes), preparation=PREPARED, **how), wall


def check_equal(wall: Wall, frame: Frame, whole: Frame) -> None:
    """Check that bands are those of a whole frame, and lie below each other."""
    assert np.array_equal(wall.joined("rgb"), whole.rgb)
    for member, expected in (("steps", whole.steps), ("inside", whole.inside)):
        assert expected is None or np.array_equal(wall.joined(member), expected)
    heights = [len(band.rgb) for band in wall.bands]
    assert [band.y for band in wall.bands] == [sum(heights[:number]) for number in range(len(heights))]
    assert not any(height % ROWS for height in heights[:-1])
    assert (frame.sha256, frame.total_steps) == (whole.sha256, whole.total_steps)
    if max(whole.rgb.shape) <= preview.LONGEST:
        assert np.array_equal(frame.rgb, whole.rgb)  # the small picture of a small frame is the frame


@settings(max_examples=20)
@given(
    size=st.tuples(st.integers(1, 70), st.integers(1, 600)),
    tile=st.tuples(st.integers(5, 40), st.integers(5, 300)),
    slab_bytes=st.integers(1, 1 << 17),
    order=st.sampled_from(sorted(ORDERS)),
    samples=st.sampled_from([1, 4]),
    mode=st.sampled_from(["sequential", "concurrent", "parallel"]),
)
def test_bands_are_the_whole_frame_whatever_the_cut_the_order_and_the_mode(
    size: tuple[int, int], tile: tuple[int, int], slab_bytes: int, order: str, samples: int, mode: str
) -> None:
    parallel: dict[str, Any] = {"backend": "threading", "workers": 2} if mode == "parallel" else {}
    request = small_request(
        width=size[0], height=size[1], tile=tile, order=order, samples=samples, mode=mode, target="simd", **parallel
    )
    frame, wall = draw_in_bands(request, slab_bytes)
    check_equal(wall, frame, engine.draw(request, preparation=PREPARED))


@pytest.mark.parametrize(
    "how",
    [
        {"mode": "parallel", "backend": "loky", "workers": 2, "target": "simd", "height": 300},
        {"mode": "parallel", "backend": "dask", "workers": 2, "target": "simd", "height": 300},
        pytest.param({"mode": "cuda", "target": "cuda", "simulate": True, "limit": 9}, marks=pytest.mark.slow),
    ],
    ids=["loky", "dask", "cuda"],
)
@pytest.mark.usefixtures("_cluster_of_threads")
def test_so_they_are_in_processes_and_on_a_device(how: dict[str, Any]) -> None:
    request = small_request(tile=(16, 8), **how)
    frame, wall = draw_in_bands(request)
    check_equal(wall, frame, engine.draw(request, preparation=PREPARED))
    assert frame.trace.facts["slabs"] == request.rows_and_columns[0]


def test_a_race_passes_on_the_bands_of_one_picture_and_compares_the_hashes_of_all() -> None:
    request = small_request(width=3, height=300, limit=5, tile=(2, 64))
    wall = Wall()
    race = engine.race([request, replace(request, mode="concurrent")], rounds=TWICE, streaming=Streaming(wall.take, 1))
    whole = engine.draw(request)
    for frame in race:
        check_equal(wall, frame, whole)
    assert race.identical
    assert all(frame.is_small for frame in race)


def test_one_tile_alone_lies_on_black(ask: Callable[..., Request]) -> None:
    request = ask(only_tile=4)
    frame, wall = draw_in_bands(request)
    check_equal(wall, frame, engine.draw(request, preparation=PREPARED))


@given(st.integers(1, 5), st.integers(1, 5), st.integers(1, 30), st.sampled_from(sorted(ORDERS)))
def test_slabs_hold_each_tile_once_in_the_order_that_is_asked_for(wide: int, high: int, rows: int, order: str) -> None:
    request = small_request(width=17, height=23, tile=(wide, high), order=order)
    planned = [plan(request, dict, slab) for slab in cut_slabs(request, rows)]
    assert sorted(tile for tiles in planned for tile in tiles) == list(cut(request))
    assert len(planned) > 1 or planned[0] == plan(request, dict)


@given(st.lists(st.integers(1, 600), min_size=1, max_size=6))
def test_bands_are_cut_anew_without_a_gap(heights: list[int]) -> None:
    rows = np.arange(sum(heights), dtype=np.uint32).astype(np.uint8).repeat(6).reshape(-1, 2, 3)
    regrouping, wall = Regrouping(), Wall()
    for number, height in enumerate(heights):
        y = sum(heights[:number])
        lent = rows[y : y + height].copy()
        for band in regrouping.cut(Band(y, lent), last=number == len(heights) - 1):
            wall.take(band)
        lent[:] = 0  # it is used again
    assert np.array_equal(wall.joined("rgb"), rows)
    assert not any(len(band.rgb) % ROWS for band in wall.bands[:-1])


@settings(max_examples=20)
@given(st.integers(1, 200), st.integers(1, 200), st.integers(7, 90), st.integers(7, 90))
def test_a_small_picture_is_the_mean_of_what_is_looked_at_however_the_frame_is_cut(
    width: int, height: int, wide: int, high: int
) -> None:
    longest, preview.LONGEST = preview.LONGEST, 50
    try:
        small, coarse = Preview(width, height), Preview(width, height)
    finally:
        preview.LONGEST = longest
    canvas = Canvas(width, height, with_steps=False)
    canvas.rgb[:] = np.random.default_rng(width).integers(0, 256, canvas.rgb.shape)
    for tile in cut(small_request(width=width, height=height, tile=(wide, high))):
        small.add_tile(canvas, tile)
    for tile in cut(small_request(width=width, height=height, tile=(width, height))):
        coarse.add_tile(canvas, tile)
    assert np.array_equal(small.rgb, coarse.rgb)
    edge = -(-max(width, height) // 50)
    step = -(-edge // preview.LOOKS)
    first = canvas.rgb[:edge:step, :edge:step].reshape(-1, 3)
    assert np.array_equal(small.rgb[0, 0], (first.sum(axis=0) + len(first) // 2) // len(first))


def test_whoever_paints_waits_while_bands_are_taken_slowly(ask: Callable[..., Request]) -> None:
    taken, ahead = list[int](), list[int]()

    def take(band: Band) -> None:
        taken.append(band.y)

    request = ask(width=16, height=9 * ROWS, tile=(16, ROWS), limit=1, target="simd")
    engine.draw(
        request,
        streaming=Streaming(take, 1),
        preparation=PREPARED,
        watch=lambda moment: ahead.append(moment.done.tile.number - len(taken)),
    )
    assert len(taken) == 9
    assert max(ahead) <= slabs.CANVASES


def test_a_band_that_cannot_be_written_ends_the_run_and_a_resumed_one_is_the_whole_picture(
    ask: Callable[..., Request], tmp_path: Path
) -> None:
    request, output = ask(width=16, height=6 * ROWS, tile=(8, 64), limit=9, target="simd"), tmp_path / "a.png"

    def refuse(band: Band) -> None:
        if band.y:
            raise OutputError("the disk is full", "free some space")

    request, journal = open_journal(request, [output], lambda _text: None)
    with pytest.raises(OutputError, match="the disk is full") as full:
        engine.draw(request, streaming=Streaming(refuse, 1), journal=journal)
    assert "add --resume to go on" in full.value.remedy

    request, journal = open_journal(request, [output], lambda _text: None, resume=True)
    painted = list[int]()
    frame, wall = draw_in_bands(request, journal=journal, watch=lambda moment: painted.append(moment.done.tile.number))
    journal.remove()
    check_equal(wall, frame, engine.draw(request, preparation=PREPARED))
    assert 0 < len(painted) < 48
    assert len(painted) + frame.trace.facts["resumed"] == 48
    assert not list(tmp_path.iterdir())


def test_an_interrupted_run_keeps_what_is_done_in_both_slabs(ask: Callable[..., Request], tmp_path: Path) -> None:
    request, output = ask(width=16, height=4 * ROWS, tile=(8, 64), limit=9, target="simd"), tmp_path / "a.png"

    def interrupt(_moment: object) -> None:
        interrupt.left -= 1  # type: ignore[attr-defined]
        if not interrupt.left:  # type: ignore[attr-defined]
            raise KeyboardInterrupt

    interrupt.left = 13  # type: ignore[attr-defined]
    request, journal = open_journal(request, [output], lambda _text: None)
    with pytest.raises(KeyboardInterrupt) as caught:
        draw_in_bands(request, journal=journal, watch=interrupt)
    assert f"13 of 32 tiles are kept in {output}.journal" in caught.value.__notes__[0]


@pytest.mark.parametrize("mode", [name for name in modes.names() if modes.load(name).KIND == "cpu"])
def test_a_row_of_tiles_that_does_not_fit_is_refused_with_what_to_do(
    mode: str, ask: Callable[..., Request], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machine, "memory", lambda: 1 << 30)
    request = ask(mode=mode, width=1 << 16, height=1 << 16, tile=(1 << 12, 1 << 12))
    with pytest.raises(UsageError, match="a row of tiles of 4096 x 4096 pixels needs") as refused:
        choose_slabs(request, slabs.SLAB_BYTES)
    assert "--tile" in refused.value.remedy
    assert len(choose_slabs(ask(width=1 << 16, height=1 << 16, tile=(256, 256)), slabs.SLAB_BYTES)) == 256


def test_a_frame_is_large_by_its_bytes_or_by_its_part_of_the_memory(
    ask: Callable[..., Request], monkeypatch: pytest.MonkeyPatch
) -> None:
    sides = (1280, 4096, 8192)
    assert [slabs.is_large(ask(width=side, height=side, samples=4)) for side in sides] == [False, False, True]
    monkeypatch.setattr(machine, "memory", lambda: 256 << 20)
    assert [slabs.is_large(ask(width=side, height=side, samples=4)) for side in sides] == [False, True, True]


def test_once_given_up_no_more_bands_are_made() -> None:
    request = small_request(width=3, height=2 * ROWS, tile=(3, ROWS))
    parts, taken, entered, go_on = cut_slabs(request, 1), list[int](), Event(), Event()

    def take(band: Band) -> None:
        taken.append(band.y)
        entered.set()
        go_on.wait(HANGING)

    with ExitStack() as stack:
        canvases = [stack.enter_context(open_rows(request, ROWS, shared=False)) for _ in parts]
        frame = SlabbedFrame(request, parts, canvases, take, Recorder(), None)
        for part in parts:
            frame.finish_slab(part, frame.open_slab(part))
        entered.wait(HANGING)
        closing = Thread(target=frame.close)
        closing.start()
        while frame._painted.qsize() < 2:  # noqa: SLF001  (the other slab, and that there are no more)
            closing.join(0.01)
        go_on.set()
        closing.join(HANGING)

    assert taken == [0]


def test_many_workers_have_tiles_enough_in_a_slab(ask: Callable[..., Request]) -> None:
    few, many = (ask(width=8192, height=8192, tile=(256, 256), workers=n, samples=4) for n in (2, 64))
    assert [len(choose_slabs(request, 6 << 20)) for request in (few, many)] == [32, 8]
