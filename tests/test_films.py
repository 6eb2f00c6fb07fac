"""What is said of a film's stages, from traces whose times are known."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import pytest

from render.findings import films
from render.findings.sheets import describe_sheet
from render.outputs.table import describe_picture
from render.trace import Span, Trace, Worker
from tests.outputs.conftest import drawn

MS = 1_000_000
PAINTER, ENCODER, WRITER = (Worker(1, thread) for thread in (1, 2, 3))
FACTS = {"film": True, "frames": 2, "fps": 10.0}
SERVER = {"server": True}


def trace(rows: Iterable[tuple[Worker, int, str, int, int]], share: float = 1.0) -> Trace:
    """Times in ms; `share` of each span's was on a CPU."""
    spans = tuple(
        Span(worker, tile, kind, t0 * MS, t1 * MS, on_cpu=round((t1 - t0) * MS * share))
        for worker, tile, kind, t0, t1 in rows
    )
    return Trace(spans, 0, 0, 100 * MS, FACTS)


IN_TURN = [
    (PAINTER, 0, "paint", 0, 20),
    (PAINTER, 0, "encode", 20, 30),
    (PAINTER, 0, "save", 30, 35),
    (PAINTER, 1, "paint", 35, 55),
    (PAINTER, 1, "encode", 55, 65),
    (PAINTER, 1, "save", 65, 70),
]
OVERLAPPED = [
    (PAINTER, 0, "paint", 0, 20),
    (PAINTER, 1, "paint", 20, 40),
    (ENCODER, 0, "encode", 20, 30),
    (ENCODER, 1, "encode", 40, 50),
    (WRITER, 0, "save", 30, 35),
    (WRITER, 1, "save", 50, 55),
]


def test_one_after_the_other_takes_as_long_as_all_stages_together() -> None:
    first, second = films.describe_film(trace(IN_TURN))
    assert first == "2 frames, which play for 200 ms, were painted, encoded and written in 70 ms."
    assert second == (
        "Painting was at work for 40 ms, encoding for 20 ms and writing for 10 ms: 70 ms together. No two of them were "
        "at work at the same instant."
    )


def test_a_film_of_one_frame_is_told_of_in_the_singular() -> None:
    first, *_ = films.describe_film(replace(trace(IN_TURN[:3]), facts=FACTS | {"frames": 1}))
    assert first == "1 frame, which plays for 100 ms, was painted, encoded and written in 35 ms."


@pytest.mark.parametrize(
    ("share", "said"),
    [
        (1.0, "On average 1.27 CPUs were at work: this is parallelism."),
        (0.8, "On average 1.02 CPUs were at work: this is concurrency; parallelism needs more."),
        (0.5, "A stage at work had less than one CPU; other programs were using the CPUs: run it again."),
    ],
)
def test_overlap_is_parallelism_only_where_more_than_one_cpu_was_at_work(share: float, said: str) -> None:
    texts = films.describe_film(trace(OVERLAPPED, share))
    assert (
        "70 ms together, in 55 ms. For 15 ms two stages or more were at work at the same instant, on different frames."
        in texts[1]
    )
    assert said in texts


def test_the_stage_that_is_nearly_always_at_work_decides() -> None:
    rows = [
        (PAINTER, 0, "paint", 0, 50),
        (PAINTER, 1, "paint", 50, 95),
        (ENCODER, 0, "encode", 50, 60),
        (ENCODER, 1, "encode", 95, 100),
    ]
    assert films.describe_film(trace(rows))[-1] == (
        "Painting was at work 95 % of the time: that decided how long it took."
    )


def test_a_stage_counts_once_however_many_workers_it_has() -> None:
    rows = [*OVERLAPPED, (Worker(1, 4), 0, "paint", 5, 20)]
    assert films.measure_overlap(trace(rows)).stages["paint"] == pytest.approx(0.04)
    assert films.measure_overlap(trace(rows)).together == pytest.approx(0.015)


def test_nothing_is_said_of_the_times_of_a_simulator() -> None:
    simulated = replace(trace(OVERLAPPED), facts=FACTS | {"simulated": True})
    assert films.describe_film(simulated) == [
        "A simulator stood for the graphics card: 2 frames, whose times mean nothing."
    ]


def test_lanes_are_named_by_what_was_done_there() -> None:
    assert list(trace(OVERLAPPED).lanes.values()) == ["worker 0", "encoder", "writer"]
    assert list(trace(IN_TURN).lanes.values()) == ["worker 0"]


def test_a_sheet_is_named_by_what_its_tiles_are_and_a_picture_is_none() -> None:
    sheets = [describe_sheet(drawn("01", view="2 requests of 1 user", facts=facts)) for facts in (FACTS, SERVER, {})]
    assert [sheet and sheet.title.split(",")[0] for sheet in sheets] == ["A film", "A server", None]
    film, server = (
        describe_picture(drawn("01", view="2 requests of 1 user", facts=facts)) for facts in (FACTS, SERVER)
    )
    assert film.endswith("2 frames of a film")
    assert server == "2 requests of 1 user"


def test_what_only_waits_is_a_worker_and_at_a_server_its_event_loop() -> None:
    frame = drawn("01")
    waits = Span(Worker(7, 9), 1, "wait", 0, MS)
    lanes = [
        list(replace(frame.trace, spans=(waits, *frame.trace.spans), facts=facts).lanes.values())
        for facts in ({}, SERVER)
    ]
    assert lanes == [["worker 0", "worker 1"], ["worker 0", "event loop"]]
