"""What every mode promises, tried on every file in the folder: each tile once, one picture, honest spans."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise, product
from pathlib import Path

import pytest

from render import backends, engine, modes, options, stats, targets
from render.errors import TileError, UnknownName
from render.painting import course
from render.plan import cut
from render.request import Request
from render.trace.intervals import max_overlap

HERE = [name for name in modes.names() if name != "cuda"]  # a GPU may be missing: tests/modes/test_cuda.py
BROKEN = '''
"""Paints NaN in the right half."""
from render.lanes import where
def start(x, y, p): return x, y
def step(state, p): return state
def alive(state, p): return state[0] > 1e30
def shade(state, steps, p): return where(state[0] > 0.0, (state[0] - state[0]) / (state[0] - state[0]), 0.5), 0.0, 0.0
'''


EVERYONE = [
    (mode, backend)
    for mode in HERE
    for backend in (backends.names() if "backend" in modes.load(mode).OPTIONS else [None])
]
pytestmark = pytest.mark.usefixtures("_cluster_of_threads")
everyone = pytest.mark.parametrize(("mode", "backend"), EVERYONE, ids=[f"{m}-{b}" if b else m for m, b in EVERYONE])


@pytest.fixture(scope="module")
def wanted(ask: Callable[..., Request]) -> Request:
    """A small frame with a ragged right and lower edge."""
    return ask(width=150, height=90, target="simd", samples=2, tile=(50, 37), workers=2)


@pytest.fixture(scope="module")
def expected(wanted: Request) -> str:
    """The hash that they all must have."""
    return engine.draw(replace(wanted, mode="sequential", tile=(150, 90))).sha256


def test_the_folder_holds_the_four_modes_of_the_lesson() -> None:
    assert modes.names()[:4] == ["sequential", "concurrent", "parallel", "cuda"]


def test_an_unknown_mode_is_told_with_the_nearest() -> None:
    with pytest.raises(UnknownName) as caught:
        modes.load("paralel")

    assert "'parallel'" in caught.value.remedy


@pytest.mark.parametrize("name", modes.names())
def test_every_file_offers_what_the_contract_names(name: str) -> None:
    mode = modes.load(name)

    assert mode.KIND in targets.KINDS
    assert isinstance(mode.OPTIONS, frozenset)
    assert mode.OPTIONS.issubset(options.OWN)
    assert mode.IN_FLIGHT >= 1
    assert mode.IN_FLIGHT == 1 or "in_flight" in mode.OPTIONS
    assert mode.__doc__
    assert "|" in mode.__doc__, "a mode's docstring draws its timeline"


def test_every_kind_of_targets_has_a_mode_and_the_one_that_is_taken_by_itself_comes_first() -> None:
    assert {modes.load(name).KIND for name in modes.names()} == targets.KINDS.keys()
    assert {kind: targets.of_kind(kind)[0] for kind in targets.KINDS} == {"cpu": "simd", "device": "cuda"}
    assert sorted(name for kind in targets.KINDS for name in targets.of_kind(kind)) == targets.names()
    assert {modes.load(kind.one_tile_mode).KIND: kind for kind in targets.KINDS.values()} == targets.KINDS


@everyone
@pytest.mark.parametrize("tile", [(50, 37), (16, 16), (150, 1), (7, 90)], ids=str)
def test_each_tile_is_done_once_and_the_picture_is_one(
    mode: str, backend: str | None, tile: tuple[int, int], wanted: Request, expected: str
) -> None:
    request = replace(wanted, mode=mode, backend=backend, tile=tile)
    done: list[int] = []

    frame = engine.draw(request, watch=lambda moment: done.append(moment.done.tile.number))

    assert sorted(done) == [tile.number for tile in cut(request)]
    assert frame.sha256 == expected


@everyone
@pytest.mark.parametrize("workers", [1, 3])
def test_the_number_of_workers_changes_nothing_but_the_trace(
    mode: str, backend: str | None, workers: int, wanted: Request, expected: str
) -> None:
    frame = engine.draw(replace(wanted, mode=mode, backend=backend, workers=workers))

    assert frame.sha256 == expected
    assert len(frame.trace.workers) <= workers


@everyone
def test_whoever_watches_sees_each_tile_with_its_painter_and_its_pixels(
    mode: str, backend: str | None, wanted: Request
) -> None:
    seen: list[course.Moment] = []
    request = replace(wanted, mode=mode, backend=backend, tile=(16, 16))
    pixels: dict[int, bytes] = {}

    def watch(moment: course.Moment) -> None:
        number, x, y, width, height = moment.done.tile
        pixels[number] = moment.rgb[y : y + height, x : x + width].tobytes()
        seen.append(moment)

    frame = engine.draw(request, watch=watch)

    tiles = {tile.number: tile for tile in cut(request)}
    painters = {span.tile: span.worker for span in frame.trace.of_kind("paint")}
    assert {moment.done.tile.number: moment.worker for moment in seen} == painters
    assert {(moment.name, moment.tiles) for moment in seen} == {(frame.title, len(tiles))}
    for number, (_, x, y, width, height) in tiles.items():
        assert pixels[number] == frame.rgb[y : y + height, x : x + width].tobytes()


@everyone
def test_spans_are_honest(mode: str, backend: str | None, wanted: Request) -> None:
    """Every tile has paint spans, no worker is in two of them at once, and all lie within the run."""
    trace = engine.draw(replace(wanted, mode=mode, backend=backend, tile=(16, 16))).trace
    paint = trace.of_kind("paint")

    assert {span.tile for span in paint} == {tile.number for tile in cut(replace(wanted, tile=(16, 16)))}
    assert all(trace.began <= span.t0 <= span.t1 <= trace.ended for span in trace.spans)
    for one, other in product(paint, paint):
        if one is not other and one.worker == other.worker:
            assert one.t1 <= other.t0 or other.t1 <= one.t0


@everyone
def test_every_paint_span_tells_its_cpu_time(mode: str, backend: str | None, wanted: Request) -> None:
    """The thread's own, so never more than the span lasts (but for what two clocks of a machine may differ)."""
    for span in engine.draw(replace(wanted, mode=mode, backend=backend)).trace.of_kind("paint"):
        assert span.on_cpu is not None
        assert 0 <= span.on_cpu <= (span.t1 - span.t0) * 1.01 + 1000
        assert (span.cpu >= 0) == (span.cpu_end >= 0)


@everyone
def test_what_a_worker_is(mode: str, backend: str | None, wanted: Request) -> None:
    """Sequential and concurrent paint with one worker; threads share a process; processes do not."""
    import os

    workers = engine.draw(replace(wanted, mode=mode, backend=backend, tile=(16, 16))).trace.workers

    if mode != "parallel":
        assert len(workers) == 1
    assert ({worker.process for worker in workers} == {os.getpid()}) == (backend != "loky")


@pytest.mark.parametrize("mode", ["sequential", "concurrent"])
def test_one_worker_never_has_two_running(mode: str, wanted: Request) -> None:
    told = stats.of(engine.draw(replace(wanted, mode=mode)).trace)

    assert told.running.max == 1


def test_concurrent_keeps_so_many_in_flight_and_sequential_one(wanted: Request) -> None:
    request = replace(wanted, target="python", width=24, height=24, tile=(12, 12), limit=40, wait_ns=1_000_000)

    juggling = stats.of(engine.draw(replace(request, mode="concurrent", in_flight=3)).trace)
    hasty = stats.of(engine.draw(replace(request, mode="concurrent", in_flight=3, wait_ns=0)).trace)
    plodding = stats.of(engine.draw(replace(request, mode="sequential")).trace)

    assert 2 <= juggling.in_flight.max <= 3  # a timer may be late
    assert juggling.switches > 0
    assert hasty.in_flight.max == 3
    assert (plodding.in_flight.max, plodding.switches) == (1, 0)


@pytest.mark.parametrize("backend", backends.names())
def test_several_workers_may_juggle_each(backend: str, wanted: Request, expected: str) -> None:
    """Each has as many in flight as it may, and no more; together more than there are workers; the same picture."""
    request = replace(wanted, mode="parallel", backend=backend, in_flight=2, tile=(16, 16), wait_ns=20_000_000)
    frame = engine.draw(request)

    assert frame.sha256 == expected
    assert len(frame.trace.workers) == 2
    for worker in frame.trace.workers:
        waits = [(span.t0, span.t1) for span in frame.trace.of_kind("wait") if span.worker == worker]
        assert max_overlap(waits) == 2
    assert frame.trace.facts["asked"] == 2


@everyone
def test_a_wait_is_part_of_every_tile(mode: str, backend: str | None, wanted: Request, expected: str) -> None:
    request = replace(wanted, mode=mode, backend=backend, wait_ns=3_000_000)

    frame = engine.draw(request)
    waits = frame.trace.of_kind("wait")

    assert frame.sha256 == expected
    assert sorted(span.tile for span in waits) == [tile.number for tile in cut(request)]
    assert all(span.t1 - span.t0 >= 3_000_000 for span in waits)


def test_juggling_overlaps_waits_and_plodding_adds_them_up(wanted: Request) -> None:
    """From the traces: the waits of a sequential run lie apart, those of a concurrent one on top of each other."""
    plodding = engine.draw(replace(wanted, mode="sequential", wait_ns=2_000_000)).trace.of_kind("wait")
    juggling = engine.draw(replace(wanted, mode="concurrent", wait_ns=2_000_000)).trace.of_kind("wait")

    assert all(before.t1 <= after.t0 for before, after in pairwise(plodding))
    assert any(before.t1 > after.t0 for before, after in pairwise(juggling))


@everyone
def test_a_tile_that_fails_is_named_with_the_command_that_paints_it_alone(
    mode: str, backend: str | None, ask: Callable[..., Request], tmp_path: Path
) -> None:
    scene = tmp_path / "broken.py"
    scene.write_text(BROKEN)
    request = ask(scene=str(scene), target="scalar", mode=mode, backend=backend, workers=2)

    with pytest.raises(TileError) as caught:
        engine.draw(request)

    assert "NaN" in caught.value.cause
    assert f"--scene {scene}" in caught.value.remedy
    assert "--only-tile" in caught.value.remedy


@everyone
def test_one_may_stop_after_the_first_tile(mode: str, backend: str | None, wanted: Request) -> None:
    """Whoever leaves early leaves nothing behind: the next run is as good as any."""

    class Enough(Exception):
        pass

    def leave(_moment: object) -> None:
        raise Enough

    request = replace(wanted, mode=mode, backend=backend)
    with pytest.raises(Enough):
        engine.draw(request, watch=leave)

    assert engine.draw(request).total_steps > 0
