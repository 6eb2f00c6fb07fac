"""The documents that --json prints: their keys are a contract with whoever reads them."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from render.findings.document import draw_document, race_document
from render.frame import Frame
from render.trace import Span, Trace, Worker
from tests.conftest import EXAMPLE

REQUEST = replace(
    EXAMPLE,
    view="seahorses",
    parameters=(("x", -0.5), ("zoom", 2.0)),
    width=4,
    height=2,
    mode="parallel",
    backend="threading",
    workers=3,
    tile=(2, 2),
)
SECOND = 10**9
SPANS = (
    Span(Worker(1, 1), -1, "import", 0, SECOND),
    Span(Worker(1, 1), 0, "paint", 2 * SECOND, 4 * SECOND),
    Span(Worker(1, 2), 1, "paint", 2 * SECOND, 5 * SECOND),
)
FACTS = {"device": "a CPU", "simulated": False, "asked": 3}
PAINTED = (
    "2 workers painted 2 tiles in 3 s (1 by worker 0 and 1 by worker 1): on average 1.67 were at a tile (at most 2)."
)
FRAME = Frame(np.zeros((2, 4, 3), np.uint8), None, 77, REQUEST, Trace(SPANS, 0, SECOND, 6 * SECOND, FACTS))


def test_the_document_of_a_draw_has_these_keys_and_values() -> None:
    assert draw_document(FRAME, [Path("a.png"), "b.npz"]) == {
        "scene": "mandelbrot",
        "view": "seahorses",
        "parameters": {"x": -0.5, "zoom": 2.0},
        "size": [4, 2],
        "tile": [2, 2],
        "samples": 1,
        "limit": 60,
        "precision": "f64",
        "mode": "parallel",
        "title": "parallel (threading)",
        "target": "simd",
        "backend": "threading",
        "device": "a CPU",
        "simulated": False,
        "workers": {"asked": 3, "seen": 2},
        "tiles": 2,
        "resumed": 0,
        "launches": None,
        "seconds_all": [3.0],
        "seconds": {
            "total": 6.0,
            "import": 1.0,
            "start": 0.0,
            "compile": 0.0,
            "plan": 0.0,
            "launch": 0.0,
            "paint": 3.0,
            "wait": 0.0,
            "transfer": 0.0,
            "encode": 0.0,
            "save": 0.0,
            "tiles": 3.0,
        },
        "ledger": pytest.approx(
            {
                "paint": 50.0,
                "transfer": 0.0,
                "compile": 0.0,
                "launch": 0.0,
                "encode": 0.0,
                "save": 0.0,
                "plan": 0.0,
                "wait": 0.0,
                "start": 0.0,
                "import": 100 / 6,
                "other": 100 / 3,
            }
        ),
        "steps": 77,
        "running": {"max": 2, "mean": 5 / 3},
        "on_cpu": {"mean": None, "cpus": None},
        "in_flight": {"max": 2},
        "waiting": {"max": 0, "seconds": 0.0},
        "switches": 0,
        "multiprocessors": None,
        "first_tile_seconds": 3.0,
        "left_alone_seconds": 0.0,
        "idle_percent": [pytest.approx(100 / 3), 0.0],
        "fairness": 25 / 26,
        "schedule": {
            "paint_seconds": 5.0,
            "window_seconds": 3.0,
            "done_seconds": 4.0,
            "longest_tile": 1,
            "longest_tile_seconds": 3.0,
            "bound_seconds": 3.0,
            "guarantee_seconds": 4.0,
            "near_percent": 100.0,
        },
        "cpus": {"machine": None, "affinity": None, "quota": None, "allowed": None, "used": None},
        "claims": "3 workers requested, 2 painted, 1 got no tile",
        "sentences": [
            PAINTED,
            "It is not known how many had a CPU, so nothing follows about parallelism.",
            "3 workers requested, 2 painted, 1 got no tile.",
        ],
        "sha256": "9d908ecfb6b256def8b49a7c504e6c889c4b0e41fe6ce3e01863dd7b61a20aa0",
        "out": ["a.png", "b.npz"],
    }


@pytest.mark.parametrize("frame", [FRAME, replace(FRAME, trace=Trace((), 0, 0, 0, {}))], ids=["painted", "empty"])
def test_it_is_strict_json(frame: Frame) -> None:
    assert json.loads(json.dumps(draw_document(frame), allow_nan=False)) == draw_document(frame)


def test_a_trace_that_does_not_tell_its_device_is_unknown_and_one_worker_was_asked_for() -> None:
    found = draw_document(replace(FRAME, trace=replace(FRAME.trace, facts={})))
    assert (found["device"], found["simulated"], found["workers"]["asked"]) == ("unknown", False, 1)


def test_a_race_holds_its_draws_and_what_did_not_run() -> None:
    told = race_document([FRAME, FRAME], [("cuda", "no GPU")])
    assert told.pop("sentences")
    assert told == {
        "runs": [draw_document(FRAME) | {"gain": None}] * 2,
        "not_run": [{"mode": "cuda", "reason": "no GPU"}],
        "identical": True,
        "repeats": 1,
    }


def test_a_race_of_several_rounds_tells_each_time() -> None:
    again = replace(FRAME, trace=replace(FRAME.trace, facts=FACTS | {"seconds_all": [3.5, 3.0, 2.5]}))
    told = race_document([again], [])
    assert told["repeats"] == 3
    assert told["runs"][0]["seconds_all"] == [3.5, 3.0, 2.5]


def test_a_draw_tells_of_the_load_and_a_race_tells_it_once() -> None:
    loaded = replace(FRAME, trace=replace(FRAME.trace, facts=FACTS | {"load": 9.0, "cpus_machine": 2}))
    told = "The load was 9.0 before the start, on 2 CPUs: other programs may have used them, so run it again."
    assert draw_document(loaded)["sentences"][-1] == told
    race = race_document([loaded, loaded], [])
    assert race["sentences"][-1] == told
    assert told not in race["runs"][0]["sentences"]


@pytest.mark.parametrize("junk", [None, [], "3", [None], [True], [-1.0], [float("inf")], {"a": 1}])
def test_strange_times_from_a_file_count_as_not_told(junk: Any) -> None:
    strange = replace(FRAME, trace=replace(FRAME.trace, facts=FACTS | {"seconds_all": junk}))
    assert draw_document(strange)["seconds_all"] == [3.0]


def test_cpu_time_is_told_over_the_time_from_first_paint_to_last_and_never_clamped() -> None:
    given = [span._replace(on_cpu=2 * SECOND) if span.kind == "paint" else span for span in SPANS]
    told = draw_document(replace(FRAME, trace=replace(FRAME.trace, spans=tuple(given), facts=FACTS | {"cpus": 1})))
    assert told["on_cpu"] == {"mean": 4 / 3, "cpus": 1}


def test_a_race_tells_what_each_run_gained_over_the_sequential_one() -> None:
    alone = replace(FRAME, request=replace(REQUEST, mode="sequential"))
    late = Trace((Span(Worker(1, 1), 0, "paint", 2 * SECOND, 8 * SECOND),), 0, SECOND, 9 * SECOND, {})
    runs = race_document([replace(alone, trace=late), FRAME], [])["runs"]
    assert runs[1]["gain"] == {
        "speed_up": 2.0,
        "speed_up_with_start": 7 / 4,
        "efficiency": 1.0,
        "serial_fraction": 0.0,
    }


def test_a_simulated_run_gains_nothing_that_could_be_told() -> None:
    simulated = replace(FRAME, trace=replace(FRAME.trace, facts={"simulated": True}))
    alone = replace(FRAME, request=replace(REQUEST, mode="sequential"))
    assert race_document([alone, simulated], [])["runs"][1]["gain"] is None


@pytest.mark.parametrize("change", [{"rgb": FRAME.rgb + np.uint8(1)}, {"total_steps": 78}])
def test_a_race_with_another_picture_or_other_steps_is_not_identical(change: dict[str, Any]) -> None:
    assert not race_document([FRAME, replace(FRAME, **change)], [])["identical"]


def test_the_document_tells_of_a_gpus_multiprocessors() -> None:
    own = [Worker(1, number, "a GPU multiprocessor") for number in range(2)]
    blocks = (Span(own[0], 0, "block", 2 * SECOND, 4 * SECOND), Span(own[1], 0, "block", 3 * SECOND, 4 * SECOND))
    told = draw_document(replace(FRAME, trace=replace(FRAME.trace, spans=(*SPANS, *blocks))))
    assert told["multiprocessors"] == {"seen": 2, "max": 2, "mean": 1.5, "busy_percent": 75.0}
    assert told | {"multiprocessors": None} == draw_document(FRAME)
