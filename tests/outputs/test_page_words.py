"""What the theatre says: each sentence is provoked by a timeline and nothing else; what it reckons obeys its laws."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from render.findings import sentences
from render.frame import Frame
from render.outputs.page.lesson import questions, tour
from render.outputs.page.runs import Run, at_least, curve, juggled, raced
from render.outputs.page.still import means, ticks
from render.outputs.page.words import clock, image, tick
from render.trace import Span
from render.wording import in_words

from .conftest import MS, drawn
from .synthetic_card import with_card

FRAMES = drawn("001122334455"), drawn("012301234545", mode="concurrent"), drawn("002244", "113355", mode="parallel")
LESSON = raced(FRAMES)
SEQUENTIAL, CONCURRENT, PARALLEL = LESSON


def waited(timeline: str, *waits: tuple[int, int, int], mode: str = "sequential") -> Frame:
    """A run of one worker with waits: (tile, from, to) in ms."""
    frame = drawn(timeline, mode=mode, wait_ns=MS)
    worker = frame.trace.workers[0]
    spans = [Span(worker, tile, "wait", t0 * MS, t1 * MS) for tile, t0, t1 in waits]
    return replace(frame, trace=replace(frame.trace, spans=(*spans, *frame.trace.spans)))


# --- the image -----------------------------------------------------------------------------------------------

ONE_CPU = {"cpus": 1, "cpus_affinity": 1}


@pytest.mark.parametrize(
    ("timelines", "more", "kitchen", "theatre"),
    [
        (("00",), {}, "One chef, one dish.", "One stage, one play."),
        (("0011",), {}, "One chef, one dish after the other.", "One stage, one play after the other."),
        (("0101",), {}, "One chef, two dishes on the go.", "One stage, scenes of two plays in turn."),
        (("00", "11", "22"), {}, "Three chefs, each with a stove.", "Three stages, a play on each."),
        (("00", "11", "22"), {"given": None}, "Three chefs; how many had a stove", "Three plays; on how many stages"),
        (
            ("00", "11", "22"),
            {"given": 0.3},
            "Three chefs, about one stove or less between them, on average.",
            "Three plays, about one stage or less",
        ),
        (("00", "11", "22"), {"facts": {"cpus": 2}}, "Three chefs share two stoves.", "Three plays, two stages."),
        (
            ("00", "11"),
            {"given": 0.5, "facts": ONE_CPU},
            "Two chefs, one stove: they take",
            "Two plays, one stage: they",
        ),
        (("00..", "..11"), {}, "Two chefs, never two at work at once.", "Two plays, never two at once."),
        (("00",), {"mode": "cuda", "facts": {"simulated": True}}, "One chef, one dish", "One stage, one play"),
        ((), {}, "Nobody cooked.", "Nothing was played."),
    ],
)
def test_the_image_is_chosen_by_the_trace_and_not_by_the_name(
    timelines: tuple[str, ...], more: dict[str, Any], kitchen: str, theatre: str
) -> None:
    for mode in ("sequential", "concurrent", "parallel"):
        told = image(Run(drawn(*timelines, **{"mode": mode} | more)))
        assert told[0].startswith(kitchen)
        assert told[1].startswith(theatre)


def test_a_simulated_card_is_not_thousands_of_hands() -> None:
    card = with_card(drawn(), bands=6, multiprocessors=20)
    assert "thousands" in image(Run(card))[0]
    simulated = replace(card, trace=replace(card.trace, facts={"simulated": True}))
    assert "thousands" not in " ".join(image(Run(simulated)))


def test_a_cards_two_levels_are_told_apart_and_not_added() -> None:
    card = Run(with_card(drawn(), bands=30))
    answer = dict(questions([card]))["Which are the workers of cuda: its streams, or its multiprocessors?"]
    assert "streams are queues" in answer
    assert "never added" in answer
    assert dict(questions([card]))["How many workers were there?"] == "cuda: 8."


def test_a_run_is_measured_against_the_one_that_waits_as_long() -> None:
    slow, quick = waited(".00.11", (0, 1, 2), (1, 4, 5)), waited(".0011", (0, 1, 2), (1, 1, 4), mode="concurrent")
    runs = raced([FRAMES[0], slow, quick])
    assert [run.base and run.base.frame for run in runs] == [FRAMES[0], slow, slow]


def test_blocks_leave_every_other_sentence_as_it_was() -> None:
    frame = with_card(drawn(), bands=6, multiprocessors=20)
    spans = tuple(span for span in frame.trace.spans if span.kind != "block")
    without = Run(replace(frame, trace=replace(frame.trace, spans=spans)))
    along = Run(frame)
    told = [line for line in sentences.of(along) if "Inside the card" not in line]
    assert [line.replace("This is parallelism.", "") for line in told] == sentences.of(without)
    assert tour([along]) == tour([without])
    assert (along.spans, along.before, along.length) == (without.spans, without.before, without.length)


# --- questions and tour --------------------------------------------------------------------------------------


def test_a_default_race_answers_what_a_beginner_asks() -> None:
    told = dict(questions(LESSON))
    assert told["How many workers had each mode?"] == "sequential: 1; concurrent: 1; parallel: 2."
    assert told["When were two workers at a tile at the same instant, and on how many CPUs?"] == (
        "sequential: never; concurrent: never; parallel: from 0 s to 6.00 ms, on 2.00 CPUs on average."
    )
    assert "its one worker was at a tile 100 % of the time" in told["Why was concurrent not faster than sequential?"]
    cure = told["What would have made it faster?"]
    assert "if each of the 6 tiles first had to wait 50 ms for its data, sequential would take about 312 ms" in cure
    assert "a second worker with a CPU of its own, to paint at the same instant: parallel took 6.00 ms" in cure


def test_a_race_in_which_waiting_paid_answers_other_questions() -> None:
    base = waited(".00.11", (0, 1, 2), (1, 4, 5))
    run = waited(".0101", (0, 1, 2), (1, 1, 3), mode="concurrent")
    told = dict(questions(raced([base, run])))
    assert "it stood idle for 2 ms" in told["Why was concurrent faster than sequential?"]
    assert "only 1 ms went by idle" in told["Why was concurrent faster than sequential?"]
    assert told["What would make it faster still?"].startswith(
        "A second worker with a CPU of its own. The painting alone takes 4.00 ms"
    )


def test_the_tour_has_five_steps_for_a_race_and_each_has_one_right_answer() -> None:
    steps = tour(LESSON)
    assert len(steps) == 5
    for step in steps:
        assert 0 <= step.right < len(step.options) == len(set(step.options))
        assert 0 <= step.start <= step.end <= SEQUENTIAL.length
        assert step.answer


def test_the_right_answers_are_those_of_the_trace() -> None:
    first, juggling, together, finish, _ = tour(LESSON)
    assert first.options[first.right] == "sequential"
    assert juggling.options[juggling.right] == "1"
    assert "has begun 4 tiles" in juggling.question
    assert together.options[together.right] == "2"
    assert finish.options[finish.right] == "both at about the same time"


@pytest.mark.parametrize("runs", [[], [Run(drawn())], [SEQUENTIAL], [PARALLEL], [CONCURRENT], [PARALLEL, PARALLEL]])
def test_fewer_runs_ask_fewer_questions_and_never_fail(runs: list[Run]) -> None:
    assert len(tour(runs)) <= 5
    assert all(len(step.options) > 1 for step in tour(runs))
    assert all(answer for _, answer in questions(runs))


# --- what is reckoned ----------------------------------------------------------------------------------------

intervals = st.lists(st.tuples(st.integers(0, 40), st.integers(0, 12)).map(lambda pair: (pair[0], sum(pair))))


@given(intervals, st.integers(-1, 60))
def test_a_curve_counts_what_holds_each_instant(made: list[tuple[int, int]], t: int) -> None:
    passed = [count for start, count in curve(made) if start <= t]
    assert (passed[-1] if passed else 0) == sum(t0 <= t < t1 for t0, t1 in made)


@given(intervals, st.integers(1, 4), st.integers(-1, 60))
def test_at_least_is_where_the_curve_is_not_below(made: list[tuple[int, int]], least: int, t: int) -> None:
    inside = any(t0 <= t < t1 for t0, t1 in at_least(curve(made), least))
    assert inside == (sum(t0 <= t < t1 for t0, t1 in made) >= least)


@given(intervals, st.integers(1, 30))
def test_means_keep_the_area(made: list[tuple[int, int]], columns: int) -> None:
    area = sum(t1 - t0 for t0, t1 in made)
    assert sum(means(curve(made), columns, columns / 60)) == pytest.approx(area * columns / 60)


costs = st.lists(st.integers(0, 1000), min_size=1, max_size=30)


@given(costs, st.integers(0, 2000), st.integers(1, 8))
def test_juggling_is_never_quicker_than_its_painting_nor_slower_than_one_by_one(
    made: list[int], wait: int, hands: int
) -> None:
    took = juggled(made, wait, hands)
    assert wait + sum(made) <= took <= juggled(made, wait, 1) == sum(made) + wait * len(made)
    assert juggled(made, wait, hands + 1) <= took or hands > len(made)


@given(costs, st.integers(1, 8))
def test_with_nothing_to_wait_for_juggling_gains_nothing(made: list[int], hands: int) -> None:
    assert juggled(made, 0, hands) == sum(made)


@pytest.mark.parametrize(
    ("ns", "text"),
    [
        (0, "0 s"),
        (7, "7 ns"),
        (1_500, "1.50 µs"),
        (999_499, "999 µs"),
        (12_345_678, "12.3 ms"),
        (2_177_000_000, "2.18 s"),
        (90_000_000_000, "90.0 s"),
    ],
)
def test_times_have_three_digits_and_a_unit(ns: int, text: str) -> None:
    assert clock(ns) == text


def test_round_times_lose_what_says_nothing() -> None:
    assert (tick(0), tick(500_000_000), tick(2_000_000_000)) == ("0 s", "500 ms", "2 s")


def test_small_numbers_are_words() -> None:
    assert [in_words(number) for number in (2, 12, 13)] == ["two", "twelve", "13"]


@given(st.integers(1, 10**13))
def test_an_axis_has_a_few_round_ticks_inside(end: int) -> None:
    marks = list(ticks(end))
    assert marks[0] == 0
    assert marks[-1] <= end
    assert len(marks) <= 7
