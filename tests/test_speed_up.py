"""The speed-up curve: what is fitted to it, and that nothing is said of it which the runs do not carry."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from render.findings import evidence, stories
from render.findings.document import race_document
from render.findings.speed_up import amdahl, build_curve, describe_curve, fit_serial
from render.frame import Frame, Frames
from render.outputs import page
from render.outputs import speed_up as picture
from tests.outputs.conftest import drawn

TWO_CPUS: dict[str, Any] = {"cpus": 2, "cpus_machine": 2, "cpus_affinity": 2}
ONE_CPU: dict[str, Any] = {"cpus": 1, "cpus_machine": 2, "cpus_affinity": 1}


def point(*timelines: str, **more: Any) -> Frame:
    facts = {"story": stories.CURVE, "asked": len(timelines), "label": f"{len(timelines)} w", **more.pop("facts", {})}
    return drawn(*timelines, mode="parallel", in_flight=1, facts=facts, **more)


def described(*frames: Frame) -> str:
    return " ".join(describe_curve(evidence.build_runs(frames)))


@given(st.floats(0, 1), st.lists(st.integers(2, 64), min_size=1, max_size=5))
def test_the_share_that_made_the_times_is_found_again(serial: float, usable: list[int]) -> None:
    assert fit_serial([(k, amdahl(serial, k)) for k in usable]) == pytest.approx(serial, abs=1e-9)


def test_without_a_second_cpu_there_is_nothing_to_fit() -> None:
    assert fit_serial([(1, 1.0), (1, 0.9)]) is None


def test_a_curve_is_told_with_amdahls_law() -> None:
    one, two = point("0" * 80, facts=TWO_CPUS), point("0" * 44, "1" * 44, facts=TWO_CPUS)
    four = point(*(str(n) * 44 for n in range(4)), given=0.5, facts=TWO_CPUS)
    said = described(drawn("0" * 80), four, one, two)
    assert "Speed-up over 1 w (80 ms): 1.00 with 1 worker, 1.82 with 2 workers and 1.82 with 4 workers." in said
    assert "4 workers paint on 2 CPUs at most: more workers than CPUs make nothing faster." in said
    assert "10.0 % is not shared out, overhead included; if that stayed so" in said
    assert "more than 10 times as fast" in said


def test_eight_workers_on_two_cpus_are_never_promised_eight_times() -> None:
    one, eight = point("0" * 80, facts=TWO_CPUS), point(*(str(n) * 40 for n in range(8)), given=0.25, facts=TWO_CPUS)
    curve = build_curve(evidence.build_runs([one, eight]))
    assert curve is not None
    assert [(point.usable, point.amdahl) for point in curve.points] == [(1, 1.0), (2, 2.0)]
    assert "8 times" not in described(one, eight)
    assert "all of the work was shared out" in described(one, eight)


def test_on_one_cpu_more_workers_take_turns() -> None:
    said = described(point("0" * 80, facts=ONE_CPU), point("0" * 80, "1" * 80, given=0.5, facts=ONE_CPU))
    assert "2 workers paint on one CPU, so they take turns: more workers than CPUs make nothing faster." in said
    assert "Amdahl" not in said


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"given": 0.3}, "other programs were using the CPUs"),
        ({"facts": TWO_CPUS | {"load": 4.5}}, "the machine had other work"),
    ],
)
def test_beside_other_load_nothing_follows(more: dict[str, Any], why: str) -> None:
    two = point("0" * 60, "1" * 60, **{"facts": TWO_CPUS} | more)
    frames = point("0" * 80, facts=TWO_CPUS), two
    said = described(*frames)
    assert said.endswith("nothing follows about more workers: run it again.")
    assert "Amdahl" not in said
    drawing = picture.write(Frames(frames, "race")).decode()
    assert f"; {why}" in drawing
    assert "Amdahl" not in drawing


def test_more_than_the_cpus_can_bring_is_not_explained() -> None:
    said = described(point("0" * 80, facts=TWO_CPUS), point("0" * 20, "1" * 20, facts=TWO_CPUS))
    assert "Something held 1 w up, so nothing follows about more workers: run it again." in said
    assert "Amdahl" not in said
    little = described(point("0" * 80, facts=TWO_CPUS), point("0" * 39, "1" * 39, facts=TWO_CPUS))
    assert "2.05 with 2 workers" in little
    assert "all of the work was shared out" in little, "so little more comes and goes"


def test_the_document_has_the_points_and_picture_and_page_draw_them() -> None:
    frames = [drawn("0" * 80), point("0" * 80, facts=TWO_CPUS), point("0" * 44, "1" * 44, facts=TWO_CPUS)]
    told = json.loads(json.dumps(race_document(frames, ())))["speed_up"]
    assert [(one["workers"], round(one["speed_up"], 2)) for one in told["points"]] == [(1, 1.0), (2, 1.82)]
    assert told["serial_fraction"] == pytest.approx(0.1)
    drawing = picture.write(Frames(tuple(frames), "race")).decode()
    assert drawing.count("<circle") == 2
    assert "Amdahl, 10.0 % serial" in drawing
    assert "1 worker: 1.00, 2 workers: 1.82" in page.write(Frames(tuple(frames), "race")).decode()
    assert "speed_up" not in race_document(frames[:1], ())
