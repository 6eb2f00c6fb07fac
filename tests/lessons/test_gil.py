"""The lesson about Python's lock: its sentence is carried by the figures, or it says that it was not."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from render.frame import Frame
from render.lessons import gil
from render.trace import Span
from tests.outputs.conftest import MS, drawn

TWO: dict[str, Any] = {"cpus": 2, "cpus_machine": 2, "cpus_affinity": 2}
ONE: dict[str, Any] = {"cpus": 1, "cpus_machine": 2, "cpus_affinity": 1}
BASE = drawn("0" * 300 + "1" * 300, facts=TWO)
HELD = drawn("0" * 300, "." * 300 + "1" * 300, mode="parallel", facts=TWO)
DROPPED = drawn("0" * 310, "1" * 310, mode="parallel", facts=TWO)
SHARED = drawn("0" * 600, "1" * 600, mode="parallel", given=0.5, facts=ONE)
NOISY = replace(DROPPED, trace=replace(DROPPED.trace, facts=TWO | {"seconds_all": [0.31, 0.9, 0.3]}))
NOT_CARRIED = "nothing follows from it"


def told(*frames: Frame) -> str:
    return list(gil.follows(frames))[-1]


def with_facts(frame: Frame, **facts: Any) -> Frame:
    return replace(frame, trace=replace(frame.trace, facts=frame.trace.facts | facts))


def test_where_the_figures_carry_it_the_lock_is_what_decides() -> None:
    frames = BASE, HELD, DROPPED, DROPPED
    assert gil.enough(frames)
    first, second, third, decides = gil.follows(frames)
    assert "2 threads that hold the GIL while they paint: about as fast as one" in first
    assert "no two at the same instant" in first
    assert (
        "in 2 threads that drop it: 1.94 times as fast as one (310 ms, where one took 600 ms), 2.00 on a CPU" in second
    )
    assert "2 processes, each with a GIL of its own: 1.94 times as fast as one" in third
    assert decides.startswith("so it is not threads that hold Python back but the lock")


def test_two_threads_that_hold_the_lock_are_not_called_faster_for_noise() -> None:
    quick = with_facts(
        drawn("0" * 100 + "." * 200, "." * 100 + "1" * 200, mode="parallel"), seconds_all=[0.3, 0.9, 0.2]
    )
    assert "about as fast as one (300 ms, where one took 600 ms)" in next(gil.follows((BASE, quick, DROPPED, DROPPED)))


@pytest.mark.parametrize(
    ("frames", "why"),
    [
        ((BASE, HELD, SHARED, DROPPED), "this process may use one CPU"),
        ((BASE, HELD, drawn("0" * 310, "1" * 310, mode="parallel", given=0.6, facts=TWO), DROPPED), "other programs"),
        ((with_facts(BASE, load=7.5), HELD, with_facts(DROPPED, load=7.5), DROPPED), "the load was 7.5"),
        ((drawn("0" * 90), HELD, drawn("0" * 90, "1" * 90, mode="parallel"), DROPPED), "the frame is too small"),
        (
            (BASE, HELD, NOISY, DROPPED),
            "is not clearly faster than sequential",
        ),
        ((BASE, HELD, drawn("0" * 310, "1" * 310, mode="parallel", given=None), DROPPED), "is not known"),
    ],
)
def test_where_they_do_not_it_says_so_and_why(frames: tuple[Frame, ...], why: str) -> None:
    said = told(*frames)
    assert why in said
    assert "it is not threads" not in said
    assert NOT_CARRIED in said or "one CPU" in said


def test_it_is_not_repeated_where_that_cannot_help() -> None:
    assert gil.enough((BASE, HELD, SHARED, DROPPED))
    assert gil.enough((with_facts(BASE, load=7.5), HELD, with_facts(DROPPED, load=7.5), DROPPED))
    assert not gil.enough((BASE, HELD, NOISY, DROPPED))


def test_how_one_thread_waited_for_the_lock_is_told_event_by_event() -> None:
    frame = drawn("00.222", "..11..", mode="parallel")
    one, other = frame.trace.workers
    waits = (Span(other, 1, "wait", 2 * MS, 3 * MS), Span(one, 2, "wait", 3 * MS, 4 * MS))
    held = replace(frame, trace=replace(frame.trace, spans=(*frame.trace.spans, *waits)))
    found = gil.close_up((BASE, held, DROPPED, DROPPED))
    assert found is not None
    assert [(event.at // MS, event.worker) for event in found.events] == [(1, 0), (2, 1), (3, 0), (3, 1)]
    assert found.events[1].text == "has tile 1, and waits for the lock: without it no thread paints"
    assert found.events[3].text == "has the lock after 1 ms of waiting, and paints tile 1"
    assert gil.close_up((BASE, HELD, DROPPED, DROPPED)) is None
