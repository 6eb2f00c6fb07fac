"""What was asked for and what was really there, in a sentence: each part of it provoked by facts and spans."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from render.findings import claims
from render.trace import NO_TILE, Span, Trace, Worker

FREE: dict[str, Any] = {"cpus": 64, "cpus_machine": 64, "cpus_affinity": 64, "cpus_quota": None}
PINNED: dict[str, Any] = {"cpus": 2, "cpus_machine": 64, "cpus_affinity": 2, "cpus_quota": None}
GRANTED: dict[str, Any] = {"cpus": 2, "cpus_machine": 64, "cpus_affinity": 64, "cpus_quota": 1.5}
NAMES = ("asked", *FREE)


def together(workers: int, on: int = 0, /, **facts: Any) -> Trace:
    """So many workers at the same instant, on so many CPUs (0: not known)."""
    spans = [Span(Worker(1, n), n, "paint", 0, 9, n % on if on else -1) for n in range(workers)]
    return Trace(tuple(spans), 0, 0, 9, facts)


@pytest.mark.parametrize(
    ("trace", "said"),
    [
        (together(8, 8, asked=8, **FREE), "8 workers requested, 8 painted on 8 CPUs; this process may use 64 CPUs"),
        (
            together(8, 2, asked=8, **PINNED),
            "8 workers requested, 8 painted on 2 CPUs; this process may use 2 CPUs of 64 (affinity)",
        ),
        (
            together(8, asked=8, **GRANTED),
            "8 workers requested, 8 painted; this process may use 2 CPUs of 64 (a control group that grants 1.5)",
        ),
        (
            together(1, 1, asked=8, **FREE),
            "8 workers requested, 1 painted on 1 CPU, 7 got no tile; this process may use 64 CPUs",
        ),
        (together(2, asked=2), "2 workers requested, 2 painted"),
        (together(2), "2 painted"),
        (together(1, asked=1, **PINNED), None),
        (together(0, asked=4, **PINNED), None),
    ],
)
def test_the_claims_are_checked_against_the_spans(trace: Trace, said: str | None) -> None:
    assert claims.describe_claims(trace) == said


def test_a_cpu_on_which_nothing_was_painted_was_not_used() -> None:
    prepared = Span(Worker(1, 0), NO_TILE, "compile", 0, 1, 7, 8)
    assert claims.of(replace(together(2, 2), spans=(prepared, *together(2, 2).spans))).used == 2


def test_a_span_that_ends_on_another_cpu_used_both() -> None:
    made = Trace((Span(Worker(1, 1), 0, "paint", 0, 9, 3, 5), Span(Worker(1, 2), 1, "paint", 0, 9, 5, 5)), 0, 0, 9, {})
    assert claims.of(made).used == 2


@pytest.mark.parametrize(("facts", "worth", "one"), [(FREE, 64, False), (PINNED, 2, False), (GRANTED, 1.5, False)])
def test_a_grant_counts_where_it_is_less_than_the_cpus(facts: dict[str, Any], worth: float, one: bool) -> None:
    found = claims.of(together(2, **facts))
    assert (found.worth, found.one_cpu) == (worth, one)
    pinned = claims.of(together(2, **facts | {"cpus": 1, "cpus_affinity": 1}))
    assert (pinned.one_cpu, pinned.allowed) == (True, 1)


def test_lanes_of_a_gpu_are_no_claim_about_cpus() -> None:
    spans = tuple(Span(Worker(1, n, "stream"), n, "paint", 0, 9) for n in range(3))
    assert claims.describe_claims(Trace(spans, 0, 0, 9, PINNED)) is None


@pytest.mark.parametrize(("facts", "limits"), [(FREE, []), (PINNED, ["affinity"]), ({}, [])])
def test_what_limits_is_named(facts: dict[str, Any], limits: list[str]) -> None:
    assert claims.of(together(2, **facts)).limits == limits


@given(st.dictionaries(st.sampled_from(NAMES), st.none() | st.booleans() | st.integers() | st.floats() | st.text()))
def test_strange_facts_from_a_file_harm_nobody(facts: dict[str, Any]) -> None:
    assert claims.of(together(3, 2, **facts)).seen == 3
    assert "3 painted" in (claims.describe_claims(together(3, 2, **facts)) or "")


@pytest.mark.parametrize(
    ("facts", "worth"), [(FREE, 64), (PINNED, 2), (GRANTED, 1.5), (PINNED | {"cpus_quota": 4.0}, 2), ({}, None)]
)
def test_cpus_are_worth_what_is_granted_of_those_that_are_allowed(facts: dict[str, Any], worth: float | None) -> None:
    assert claims.of(together(2, **facts)).worth == worth
