"""A GPU's two levels never mix: whatever tells of workers is the same with blocks recorded as without."""

from __future__ import annotations

from dataclasses import replace

import pytest

from render import outputs, stats
from render.findings import chart, claims, schedule
from render.frame import Frame, Frames
from render.outputs.chrome_trace import write as chrome_trace
from render.trace import tile_owners

from .conftest import drawn
from .synthetic_gpu import with_gpu


@pytest.fixture(autouse=True)
def _short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("render.outputs.replay.IMAGES", 7)


GPU = with_gpu(drawn(), bands=8, multiprocessors=132)


def without_blocks(frame: Frame) -> Frame:
    spans = tuple(span for span in frame.trace.spans if span.kind != "block")
    return replace(frame, trace=replace(frame.trace, spans=spans))


@pytest.mark.parametrize("name", ["npz", "ownership", "cost", "replay"])
def test_what_shows_workers_and_tiles_is_the_same_file(name: str) -> None:
    write = outputs.load(name).write
    assert write(Frames((GPU,))) == write(Frames((without_blocks(GPU),)))


def test_what_is_told_of_workers_is_the_same() -> None:
    plain = without_blocks(GPU)
    for tell in (
        tile_owners,
        claims.of,
        claims.describe_claims,
        lambda trace: schedule.of(trace, stats.of(trace)),
        stats.paint_intervals,
        stats.flight_intervals,
    ):
        assert tell(GPU.trace) == tell(plain.trace)
    assert chart.draw_lanes([GPU], 100) == chart.draw_lanes([plain], 100)


@pytest.mark.parametrize("name", outputs.names())
def test_every_output_takes_a_gpu_with_blocks_without_tiles(name: str) -> None:
    """As a damaged or hand-made file may have them: blocks of no tile, before the run, on a stream's own worker."""
    first = GPU.trace.workers[0]
    odd = [span._replace(tile=-1, t0=0, t1=span.t1, worker=first) for span in GPU.trace.spans if span.kind == "block"]
    frame = replace(GPU, trace=replace(GPU.trace, spans=(*odd[:3], *GPU.trace.spans)))
    assert b"".join(outputs.write_pieces(outputs.load(name), Frames((frame,))))


def test_a_viewers_lanes_of_the_streams_are_the_same() -> None:
    along, plain = (b"".join(chrome_trace(Frames((frame,)))) for frame in (GPU, without_blocks(GPU)))
    shared = plain.rpartition(b'],"displayTimeUnit"')[0]
    assert along.startswith(shared)
