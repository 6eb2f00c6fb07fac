"""Mode cuda on a real GPU: what only there can be seen. All are skipped, with the reason, where there is none.

tests/targets/test_cuda.py compares every scene, view and precision with the CPU.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from render import engine, stats
from render.errors import RenderError
from render.frame import Frame
from render.options import complete
from render.runtime.cuda import discovery
from render.runtime.cuda.discovery import Gpu
from render.trace import Span

pytestmark = pytest.mark.gpu


def drawn(**wanted: Any) -> Frame:
    return engine.draw(complete(**{"mode": "cuda", "size": (640, 360), "samples": 2} | wanted))


def spans(frame: Frame, kind: str) -> list[Span]:
    return [span for span in frame.trace.spans if span.kind == kind]


@contextmanager
def full(chosen: Iterable[Gpu], left: int = 0) -> Iterator[None]:
    """The memory of these GPUs is taken, to the last 2 MiB of each, or to so many bytes."""
    from render.runtime.cuda.driver import check_result, load_driver, retain_context

    driver, taken = load_driver(), []
    try:
        for gpu in chosen:
            check_result(driver.cuCtxSetCurrent(retain_context(driver, gpu.number)))
            for size in (1 << 30, 1 << 24, 1 << 21):  # what is left decides, so the pieces become smaller
                while check_result(driver.cuMemGetInfo()) > left + size and not int(
                    (got := driver.cuMemAlloc(size))[0]
                ):
                    taken.append((gpu, got[1]))
        yield
    finally:
        for gpu, place in taken:
            check_result(driver.cuCtxSetCurrent(retain_context(driver, gpu.number)))
            check_result(driver.cuMemFree(place))


@pytest.mark.parametrize("count", [1, 2, 8])
def test_any_number_of_launches_paints_the_same(count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("modes.cuda", "runtime.launch"):
        monkeypatch.setattr(f"render.{module}.LAUNCHES", count)

    frame = drawn(tile=(64, 64))

    assert frame.sha256 == drawn(mode="sequential").sha256
    assert stats.of(frame.trace).launches == count * len(discovery.find().usable)


def test_many_tiles_are_painted_at_the_same_time() -> None:
    """By one launch, or a few."""
    found = stats.of(drawn(view="seahorses", size=(1920, 1080), tile=(48, 40)).trace)

    assert found.in_flight.max > 10
    assert found.launches is not None
    assert found.launches <= 4 * len(discovery.find().usable)


def test_a_full_gpu_is_reported_with_what_to_do_and_paints_again_when_it_is_not() -> None:
    large: dict[str, Any] = {"size": (4096, 4096), "samples": 1, "limit": 50, "tile": (4096, 4096)}
    with full(discovery.find().usable), pytest.raises(RenderError) as told:
        drawn(**large)

    assert "memory" in told.value.cause
    assert told.value.remedy
    assert drawn(**large).sha256 == drawn(**large | {"mode": "sequential", "tile": None}).sha256


@pytest.mark.parametrize("tile", [(8000, 8000), (500, 500), None], ids=str)
def test_a_frame_that_has_no_room_on_the_gpu_is_cut_smaller(tile: tuple[int, int] | None) -> None:
    large: dict[str, Any] = {"size": (8000, 8000), "samples": 1, "limit": 50}
    with full(discovery.find().usable, left=300 << 20):
        frame = drawn(**large, tile=tile)

    assert frame.sha256 == drawn(**large, mode="parallel").sha256


def test_a_large_frame_streams_through() -> None:
    """More tiles than streams, so their memory is used again and again."""
    wanted: dict[str, Any] = {"size": (6000, 4500), "samples": 1, "limit": 200}

    frame, expected = drawn(**wanted, tile=(1024, 512)), drawn(**wanted, mode="sequential")

    assert frame.sha256 == expected.sha256
    assert np.array_equal(np.asarray(frame.steps), np.asarray(expected.steps))
    assert np.array_equal(np.asarray(frame.inside), np.asarray(expected.inside))


def test_blocks_tell_which_multiprocessor_painted_which_tile_and_when() -> None:
    """There are no more of them than the GPU has; their numbers may be larger."""
    frame = drawn(tile=(40, 30))
    tiles = {span.tile: span for span in spans(frame, "paint")}
    blocks = spans(frame, "block")

    assert {span.tile for span in blocks} == set(tiles)
    assert 0 < len(frame.trace.multiprocessors) <= int(frame.trace.facts["multiprocessors"])
    assert all(tiles[span.tile].t0 <= span.t0 <= span.t1 <= tiles[span.tile].t1 for span in blocks)
    for tile, span in tiles.items():
        assert min(block.t0 for block in blocks if block.tile == tile) == span.t0
        assert max(block.t1 for block in blocks if block.tile == tile) == span.t1


def test_the_clock_of_the_gpu_is_known_well_enough() -> None:
    """Better than a quarter of a millisecond, or nobody could say what ran beside what."""
    frame = drawn()

    assert 0 < int(frame.trace.facts["card_clock_error_ns"]) < 250_000


def test_every_tile_is_painted_once_and_copied_after_that() -> None:
    frame = drawn(tile=(128, 90))
    copied = max(span.t0 for span in spans(frame, "transfer"))

    assert sorted(span.tile for span in spans(frame, "paint")) == list(range(5 * 4))
    assert all(span.t1 <= copied for span in spans(frame, "paint"))


@pytest.mark.parametrize("limit", [1, 15, 16, 17, 33])
def test_limits_about_the_length_of_a_block_are_kept(limit: int) -> None:
    wanted: dict[str, Any] = {"size": (203, 117), "samples": 1, "limit": limit}

    frame, expected = drawn(**wanted), drawn(**wanted, mode="sequential")

    assert np.array_equal(np.asarray(frame.steps), np.asarray(expected.steps))
    assert np.array_equal(np.asarray(frame.inside), np.asarray(expected.inside))


def test_a_gpu_draws_one_tile_of_a_frame() -> None:
    request = complete(mode="cuda", size=(640, 360), samples=1, tile=(160, 90))
    one = replace(request, only_tile=5)

    part, whole = engine.draw(one), engine.draw(request)

    x, y = 5 % 4 * 160, 5 // 4 * 90
    assert np.array_equal(part.rgb[y : y + 90, x : x + 160], whole.rgb[y : y + 90, x : x + 160])
