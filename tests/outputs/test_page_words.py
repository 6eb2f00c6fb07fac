"""What the theatre says: each sentence is provoked by a timeline and nothing else; what it reckons obeys its laws."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from render.outputs.page.lesson import questions, tour
from render.outputs.page.runs import Run, at_least, curve, juggled
from render.outputs.page.still import means, ticks
from render.outputs.page.words import caption, clock, image, in_words, tick
from render.trace import Span

from .conftest import MS, drawn
from .synthetic_card import with_card

SEQUENTIAL = Run(drawn("001122334455"))
CONCURRENT = Run(drawn("012301234545", mode="concurrent"))
PARALLEL = Run(drawn("002244", "113355", mode="parallel"))
LESSON = [SEQUENTIAL, CONCURRENT, PARALLEL]


def said(run: Run, base: Run | None = SEQUENTIAL) -> str:
    return " ".join(caption(run, base))


def waited(timeline: str, *waits: tuple[int, int, int], mode: str = "sequential") -> Run:
    """A run of one worker with waits: (tile, from, to) in ms."""
    frame = drawn(timeline, mode=mode, wait_ns=MS)
    worker = frame.trace.workers[0]
    spans = [Span(worker, tile, "wait", t0 * MS, t1 * MS) for tile, t0, t1 in waits]
    return Run(replace(frame, trace=replace(frame.trace, spans=(*spans, *frame.trace.spans))))


# --- the image and the sentences -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("timelines", "kitchen", "theatre"),
    [
        (("0011",), "One chef, one dish after the other.", "One stage, one play after the other."),
        (("0101",), "One chef, two dishes on the go.", "One stage, scenes of two plays in turn."),
        (("00", "11", "22"), "Three chefs, each with a stove.", "Three stages, a play on each."),
        (("00..", "..11"), "Several chefs who share one stove.", "Several troupes, one stage: never two at once."),
        ((), "Nobody cooked.", "Nothing was played."),
    ],
)
def test_the_image_is_chosen_by_the_trace_and_not_by_the_name(
    timelines: tuple[str, ...], kitchen: str, theatre: str
) -> None:
    for mode in ("sequential", "concurrent", "parallel"):
        assert image(Run(drawn(*timelines, mode=mode))) == (kitchen, theatre)


def test_one_after_the_other_is_said() -> None:
    assert said(SEQUENTIAL) == (
        "1 worker painted all 6 tiles in 12.0 ms. "
        "It began a tile only when the one before was done: never two in flight, never two running."
    )


def test_juggling_is_called_concurrency_and_never_parallelism() -> None:
    told = said(CONCURRENT)
    assert "Up to 4 tiles were in flight, begun and not done; 6 times it put one aside" in told
    assert "This is concurrency. Yet never were two painted at the same instant" in told
    assert "parallelism" not in told
    assert "It was no faster than sequential (12.0 ms there, 12.0 ms here): nothing had to be waited for." in told


def test_painting_at_the_same_instant_is_called_parallelism_with_its_instants() -> None:
    told = said(PARALLEL)
    assert "2 workers painted 6 tiles in 6.00 ms: 3 by worker 0 and 3 by worker 1." in told
    assert "painted at the same instant from 0 s to 6.00 ms. This is parallelism." in told
    assert "It was 2.00 times as fast as sequential: 12.0 ms became 6.00 ms (2 workers could make it 2 times" in told
    assert "concurrency" not in told


def test_instants_that_do_not_touch_are_added_up() -> None:
    assert "for 2.00 ms in all, first at 0 s and last until 4.00 ms" in said(Run(drawn("0..1", "2..3")))


def test_a_worker_that_waits_along_is_told_from_one_that_does_not() -> None:
    along = waited(".00.11", (0, 1, 2), (1, 4, 5))
    aside = waited(".0011", (0, 1, 2), (1, 1, 4), mode="concurrent")
    assert "while they waited nobody was painting: 2.00 ms of idle hands" in said(along)
    assert "but while one waited another was painted, so nobody was painting for only 1.00 ms" in said(aside, along)


def test_more_workers_than_cpus_are_not_believed() -> None:
    told = said(Run(drawn("00", "11", mode="parallel", facts={"cpus": 1})))
    assert "this process may use only 1 CPU" in told
    assert "CPU" not in said(Run(drawn("00", "11", mode="parallel", facts={"cpus": 2})))


def test_a_simulator_is_no_timing() -> None:
    told = said(Run(drawn("00", "11", mode="cuda", facts={"simulated": True})))
    assert "how long it took means nothing" in told
    assert "times as fast" not in told


def test_many_workers_are_told_in_one_breath() -> None:
    assert "6 workers painted 6 tiles in 2.00 ms, 1 each." in said(Run(drawn(*(2 * str(n) for n in range(6)))))


def test_a_cards_two_levels_are_told_apart_and_not_added() -> None:
    card = Run(with_card(drawn(), bands=30))
    told = said(card)
    assert "8 streams of the graphics card painted 30 tiles in 3.06 ms, from 3 to 4 each." in told
    assert "Inside the card 132 multiprocessors did that painting, 131.0 at the same instant on average." in told
    answer = dict(questions([card], None))["Which are the workers of cuda: its streams, or its multiprocessors?"]
    assert "streams are queues" in answer
    assert "never added" in answer
    assert dict(questions([card], None))["How many workers were there?"] == "cuda: 8."


def test_blocks_leave_every_other_sentence_as_it_was() -> None:
    frame = with_card(drawn(), bands=6, multiprocessors=20)
    spans = tuple(span for span in frame.trace.spans if span.kind != "block")
    without = Run(replace(frame, trace=replace(frame.trace, spans=spans)))
    along = Run(frame)
    assert [line for line in caption(along, None) if "Inside the card" not in line] == caption(without, None)
    assert tour([along], None) == tour([without], None)
    assert (along.spans, along.before, along.length) == (without.spans, without.before, without.length)


# --- questions and tour --------------------------------------------------------------------------------------


def test_a_default_race_answers_what_a_beginner_asks() -> None:
    told = dict(questions(LESSON, SEQUENTIAL))
    assert told["How many workers had each mode?"] == "sequential: 1; concurrent: 1; parallel: 2."
    assert told["When were two tiles painted at the same instant?"] == (
        "sequential: never; concurrent: never; parallel: from 0 s to 6.00 ms."
    )
    assert "its one worker was painting 100 % of the time" in told["Why was concurrent not faster than sequential?"]
    cure = told["What would have made it faster?"]
    assert "if each of the 6 tiles first had to wait 50 ms for its data, sequential would take about 312 ms" in cure
    assert "a second worker that paints at the same instant: parallel took 6.00 ms" in cure


def test_a_race_in_which_waiting_paid_answers_other_questions() -> None:
    base = waited(".00.11", (0, 1, 2), (1, 4, 5))
    run = waited(".0101", (0, 1, 2), (1, 1, 3), mode="concurrent")
    told = dict(questions([base, run], base))
    assert "it stood idle for 2.00 ms" in told["Why was concurrent faster than sequential?"]
    assert "only 1.00 ms went by idle" in told["Why was concurrent faster than sequential?"]
    assert told["What would make it faster still?"].startswith("A second worker. The painting alone takes 4.00 ms")


def test_the_tour_has_five_steps_for_a_race_and_each_has_one_right_answer() -> None:
    steps = tour(LESSON, SEQUENTIAL)
    assert len(steps) == 5
    for step in steps:
        assert 0 <= step.right < len(step.options) == len(set(step.options))
        assert 0 <= step.start <= step.end <= SEQUENTIAL.length
        assert step.answer


def test_the_right_answers_are_those_of_the_trace() -> None:
    first, juggling, together, finish, _ = tour(LESSON, SEQUENTIAL)
    assert first.options[first.right] == "sequential"
    assert juggling.options[juggling.right] == "1"
    assert "has begun 4 tiles" in juggling.question
    assert together.options[together.right] == "2"
    assert finish.options[finish.right] == "both at about the same time"


@pytest.mark.parametrize("runs", [[], [Run(drawn())], [SEQUENTIAL], [PARALLEL], [CONCURRENT], [PARALLEL, PARALLEL]])
def test_fewer_runs_ask_fewer_questions_and_never_fail(runs: list[Run]) -> None:
    assert len(tour(runs, None)) <= 5
    assert all(len(step.options) > 1 for step in tour(runs, None))
    assert all(answer for _, answer in questions(runs, None))


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
