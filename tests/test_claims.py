"""What was asked for and what was really there, in a sentence: each part of it provoked by facts and spans."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from render import claims
from render.trace import Span, Trace, Worker

FREE: dict[str, Any] = {"cpus": 64, "cpus_machine": 64, "cpus_affinity": 64, "cpus_quota": None}
PINNED: dict[str, Any] = {"cpus": 2, "cpus_machine": 64, "cpus_affinity": 2, "cpus_quota": None}
GRANTED: dict[str, Any] = {"cpus": 2, "cpus_machine": 64, "cpus_affinity": 64, "cpus_quota": 1.5}
NAMES = ("asked", *FREE)


def together(workers: int, on: int = 0, /, **facts: Any) -> Trace:
    """So many workers at the same instant, on so many CPUs (0: not known)."""
    spans = [Span(Worker(1, n), n, "paint", 0, 9, n % on if on else -1) for n in range(workers)]
    return Trace(tuple(spans), 0, 0, 9, facts)


TURNS = ": at most 2 can run at the same instant, though 8 were at a tile, and took turns"


@pytest.mark.parametrize(
    ("trace", "said"),
    [
        (together(8, 8, asked=8, **FREE), "asked 8 workers, 8 painted on 8 CPUs; this process may use 64 CPUs"),
        (
            together(8, 2, asked=8, **PINNED),
            "asked 8 workers, 8 painted on 2 CPUs; this process may use 2 CPUs of 64 (affinity)" + TURNS,
        ),
        (
            together(8, asked=8, **GRANTED),
            "asked 8 workers, 8 painted; this process may use 2 CPUs of 64 (a control group that grants 1.5)" + TURNS,
        ),
        (
            together(1, 1, asked=8, **FREE),
            "asked 8 workers, 1 painted on 1 CPU; this process may use 64 CPUs: 7 had nothing to do",
        ),
        (together(2, asked=2), "asked 2 workers, 2 painted"),
        (together(2), "2 painted"),
        (together(1, asked=1, **PINNED), None),
        (together(0, asked=4, **PINNED), None),
    ],
)
def test_the_claims_are_checked_against_the_spans(trace: Trace, said: str | None) -> None:
    assert claims.line(trace) == said


def test_workers_that_take_turns_by_themselves_are_not_held_back_by_the_machine() -> None:
    spans = tuple(Span(Worker(1, n), n, "paint", n, n + 1) for n in range(8))
    told = claims.line(Trace(spans, 0, 0, 9, {"asked": 8, **PINNED}))
    assert told == "asked 8 workers, 8 painted; this process may use 2 CPUs of 64 (affinity)"


def test_lanes_of_a_card_are_no_claim_about_cpus() -> None:
    spans = tuple(Span(Worker(1, n, "stream"), n, "paint", 0, 9) for n in range(3))
    assert claims.line(Trace(spans, 0, 0, 9, PINNED)) is None


@pytest.mark.parametrize(("facts", "limits"), [(FREE, []), (PINNED, ["affinity"]), ({}, [])])
def test_what_limits_is_named(facts: dict[str, Any], limits: list[str]) -> None:
    assert claims.of(together(2, **facts)).limits == limits


@given(st.dictionaries(st.sampled_from(NAMES), st.none() | st.booleans() | st.integers() | st.floats() | st.text()))
def test_strange_facts_from_a_file_harm_nobody(facts: dict[str, Any]) -> None:
    assert claims.of(together(3, 2, **facts)).seen == 3
    assert "3 painted" in (claims.line(together(3, 2, **facts)) or "")
