"""What the theatre says: each sentence is provoked by a timeline and nothing else; what it reckons obeys its laws."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from render.findings import sentences
from render.frame import Frame
from render.outputs.page.first_screen import ask_bet, build_table, choose_cells, judge_run
from render.outputs.page.mistakes import answer_beliefs
from render.outputs.page.questions import answer_questions
from render.outputs.page.runs import Run, build_runs, count_curve, estimate_juggling, find_intervals, group_runs
from render.outputs.page.still import axis_ticks, column_means
from render.outputs.page.systems import GPU, SYSTEMS, describe_systems
from render.outputs.page.tour import _describe_others, build_tour
from render.outputs.page.words import describe_image, describe_overlap, format_ns, format_range, format_tick
from render.trace import Span
from render.wording import format_time, in_words

from .conftest import MS, drawn
from .synthetic_gpu import with_gpu

FRAMES = drawn("001122334455"), drawn("012301234545", mode="concurrent"), drawn("002244", "113355", mode="parallel")
LESSON = build_runs(FRAMES)
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
        told = describe_image(Run(drawn(*timelines, **{"mode": mode} | more)))
        assert told[0].startswith(kitchen)
        assert told[1].startswith(theatre)


def test_a_simulated_gpu_is_not_thousands_of_hands() -> None:
    gpu = with_gpu(drawn(), bands=6, multiprocessors=20)
    assert "thousands" in describe_image(Run(gpu))[0]
    simulated = replace(gpu, trace=replace(gpu.trace, facts={"simulated": True}))
    assert "thousands" not in " ".join(describe_image(Run(simulated)))


def test_a_gpus_two_levels_are_told_apart_and_not_added() -> None:
    gpu = Run(with_gpu(drawn(), bands=30))
    answer = dict(answer_questions([gpu]))["Which are the workers of cuda: its streams, or its multiprocessors?"]
    assert "streams are queues" in answer
    assert "never added" in answer
    assert dict(answer_questions([gpu]))["How many workers were there?"] == "cuda: 8."


def test_a_run_is_measured_against_the_one_that_waits_as_long() -> None:
    slow, quick = waited(".00.11", (0, 1, 2), (1, 4, 5)), waited(".0011", (0, 1, 2), (1, 1, 4), mode="concurrent")
    runs = build_runs([FRAMES[0], slow, quick])
    assert [run.base and run.base.frame for run in runs] == [FRAMES[0], slow, slow]


def test_blocks_leave_every_other_sentence_as_it_was() -> None:
    frame = with_gpu(drawn(), bands=6, multiprocessors=20)
    spans = tuple(span for span in frame.trace.spans if span.kind != "block")
    without = Run(replace(frame, trace=replace(frame.trace, spans=spans)))
    along = Run(frame)
    told = [line for line in sentences.of(along) if "Inside the card" not in line]
    assert [line.replace("This is parallelism.", "") for line in told] == sentences.of(without)
    assert build_tour([along]) == build_tour([without])
    assert (along.spans, along.before, along.length) == (without.spans, without.before, without.length)


# --- questions and tour --------------------------------------------------------------------------------------


def test_a_default_race_answers_what_a_beginner_asks() -> None:
    told = dict(answer_questions(LESSON, (("cuda", "mode cuda cannot run here: there is no NVIDIA driver"),)))
    assert told["How many workers did each mode have?"] == "sequential: 1; concurrent: 1; parallel: 2."
    assert told["When were two tiles painted at the same instant, and by how many CPUs?"] == (
        "never in sequential and concurrent; parallel: two workers at a tile from 0.00 to 6.00 ms, by 2.00 CPUs on "
        "average."
    )
    assert told["What is running, and what is in flight?"].endswith("or waits: most of all in concurrent.")
    assert "its one worker was at a tile 100 % of the time" in told["Why was concurrent not faster than sequential?"]
    when = told["When does juggling beat one tile after the other?"]
    assert "With nothing to wait for, concurrent was about as fast as sequential." in when
    assert "each of its 6 tiles first waited 50 ms for its data, one after the other would take about 312 ms" in when
    gpu = told["What does a graphics card do differently?"]
    assert "groups of 32" in gpu
    assert gpu.endswith("None took part here: there is no NVIDIA driver.")


WAITING = waited(".00.11", (0, 1, 2), (1, 4, 5)), waited(".0101", (0, 1, 2), (1, 1, 3), mode="concurrent")


def test_a_race_in_which_waiting_paid_answers_other_questions() -> None:
    told = dict(answer_questions(build_runs(WAITING)))
    assert "turned to other tiles meanwhile" in told["Why was concurrent faster than sequential?"]
    when = told["When does juggling beat one tile after the other?"]
    assert "Where tiles waited, concurrent was faster than sequential." in when


def test_a_worker_that_was_mostly_idle_is_not_said_to_have_been_at_a_tile_anyway() -> None:
    idle = build_runs((drawn("0.1"), drawn("0....1....0....1", mode="concurrent")))
    why = dict(answer_questions(idle))["Why was concurrent not faster than sequential?"]
    assert why.startswith("It had several tiles in flight")


def test_of_a_simulator_it_is_not_said_when_two_were_painted() -> None:
    model = Run(drawn("01", "23", mode="cuda", target="cuda", facts={"simulated": True}))
    together = dict(answer_questions([model]))["When were two tiles painted at the same instant, and by how many CPUs?"]
    assert together == "of cuda, simulated nothing follows: a simulator's times mean nothing."


def test_a_figure_stands_once_where_it_is_read() -> None:
    """A run's time, its CPUs and how many times as fast stand with its picture; what follows says them in words."""
    race = build_runs((drawn("0011223344556677"), drawn("01230123", mode="concurrent"), *FOUR))
    cells = choose_cells(group_runs(race))
    bet = ask_bet(cells, race)
    assert bet is not None
    told = [answer for question, answer in answer_questions(race) if not question.startswith("When were two")]
    told += [answer for _, answer in answer_beliefs(race)] + [bet["answer"]]
    told += [step.answer for step in build_tour(race) if "first tile" not in step.question]
    figures = {format_time(run.seconds) for run in race}
    figures |= {f"{run.difference.times:.2f}" for run in race if run.difference}
    figures |= {f"{run.stats.on_cpu.mean:.2f}" for run in race}
    assert len(told) > 20
    said = {figure for figure in figures for text in told if re.search(rf"(?<![\d.]){re.escape(figure)}\b", text)}
    assert said == set()


def test_when_two_were_painted_on_and_off_is_told_in_one_unit() -> None:
    assert format_range(0, 1_390_000_000) == "from 0.00 to 1.39 s"
    run = Run(drawn("00.22", "11.33", mode="parallel"))
    assert describe_overlap(run) == "on and off from 0.00 to 5.00 ms, 4.00 ms in all"


def test_the_tour_has_five_steps_for_a_race_and_each_has_one_right_answer() -> None:
    steps = build_tour(LESSON)
    assert len(steps) == 5
    for step in steps:
        assert 0 <= step.right < len(step.options) == len(set(step.options))
        assert 0 <= step.start <= step.end <= SEQUENTIAL.length
        assert 0 <= step.at <= SEQUENTIAL.length
        assert step.runs
        assert step.answer


def test_the_right_answers_are_those_of_the_trace() -> None:
    juggling, together, finish, when, pictures = build_tour(LESSON)
    assert juggling.options[juggling.right] == "1"
    assert "has 4 tiles in flight" in juggling.question
    assert together.options[together.right] == "2"
    assert finish.options[finish.right] == "both at about the same time"
    assert when.options[when.right] == "when tiles have to wait for something"
    assert pictures.options[pictures.right] == "no, not in one bit"


def test_what_an_answer_says_of_an_instant_holds_at_the_instant_where_the_replay_ends() -> None:
    juggling, together, *_ = build_tour(LESSON)
    assert juggling.at == juggling.end
    held, painted = ([n for start, n in curve if start <= juggling.end][-1] for curve in _curves(CONCURRENT))
    assert f"At a tile: {painted}; in flight: {held}" in juggling.answer
    assert together.at == together.end
    assert [n for start, n in PARALLEL.running if start <= together.end][-1] == 2


@pytest.mark.parametrize(
    ("count", "waiting", "said"),
    [
        (1, 0, "The other one is put aside, hatched."),
        (3, 0, "The other 3 are put aside, hatched."),
        (3, 3, "The other 3 wait for data."),
        (3, 2, "Of the other 3, 2 wait for data and 1 is put aside, hatched."),
    ],
)
def test_of_the_other_tiles_no_number_is_said_twice(count: int, waiting: int, said: str) -> None:
    assert _describe_others(count, waiting, "data") == said


def _curves(run: Run) -> tuple[Any, Any]:
    return run.in_flight, run.running


def test_when_juggling_pays_is_not_asked_where_the_runs_contradict_it() -> None:
    slow = drawn("0" * 50 + "1" * 50), drawn("01", mode="concurrent")
    assert not any("beat" in step.question for step in build_tour(build_runs(slow)))
    assert any("beat" in step.question for step in build_tour(build_runs(WAITING)))


# --- the first screen ----------------------------------------------------------------------------------------


def told_story(*frames: Frame) -> list[Frame]:
    return [replace(f, trace=replace(f.trace, facts=f.trace.facts | {"story": "server"})) for f in frames]


FOUR = (
    *WAITING,
    drawn("0022", "1133", mode="parallel", wait_ns=MS),
    drawn("0101", "2323", mode="parallel", wait_ns=MS),
)


def test_the_four_ways_are_runs_of_one_story() -> None:
    runs = build_runs([*FRAMES, *told_story(*FOUR)])
    groups = group_runs(runs)
    assert [(group.story, len(group.runs)) for group in groups] == [(None, 3), ("server", 4)]
    cells = choose_cells(groups)
    assert [runs.index(cells[way]) for way in SYSTEMS] == [3, 4, 5, 6]
    assert [judge_run(cells[way])[0] for way in SYSTEMS] == [
        "Neither:",
        "Concurrent, not parallel:",
        "Parallel:",
        "Concurrent and parallel:",
    ]


def test_workers_that_shared_one_cpu_are_not_called_parallel() -> None:
    shared = Run(drawn("00", "11", mode="parallel", given=0.5, facts=ONE_CPU))
    assert judge_run(shared) == (
        "Concurrent, not parallel:",
        "up to two in flight, two at a tile at once, but on one CPU: they took turns.",
    )
    unknown = Run(drawn("00", "11", mode="parallel", given=None))
    assert judge_run(unknown)[0] == "Not shown to be parallel:"
    in_turn = Run(drawn("00..", "..11", mode="parallel"))
    assert judge_run(in_turn) == ("Not parallel:", "up to one in flight, never two at a tile at once.")


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({}, "by 2.00 CPUs on average."),
        ({"given": 0.5, "facts": ONE_CPU}, "but by turns on one CPU: never two painted at the same instant."),
        ({"given": 0.3}, "but by only 0.60 CPUs on average, which does not show two at the same instant."),
        ({"given": None}, "by a number of CPUs not known."),
    ],
)
def test_two_at_a_tile_are_two_painted_only_where_two_cpus_show_it(more: dict[str, Any], words: str) -> None:
    told = dict(answer_questions([Run(drawn("00", "11", mode="parallel", **more))]))
    assert told["When were two tiles painted at the same instant, and by how many CPUs?"].endswith(words)


def test_of_a_simulated_gpu_no_time_is_asked() -> None:
    simulated = drawn("0123", mode="cuda", facts={"simulated": True})
    steps = build_tour(build_runs([FRAMES[0], simulated]))
    assert not any("first tile" in step.question or "first?" in step.question for step in steps)


def test_fewer_than_three_ways_are_no_table_and_no_bet() -> None:
    assert choose_cells(group_runs(LESSON[:2])) == {}
    assert ask_bet({}, LESSON) is None


def test_the_bet_is_won_by_whoever_was_not_clearly_beaten() -> None:
    runs = build_runs(FRAMES)
    bet = ask_bet(choose_cells(group_runs(runs)), runs)
    assert bet is not None
    assert (bet["right"], bet["times"]) == ([2], ["6 ms", "12 ms", "12 ms"])
    assert "2 workers, one tile each, were faster than one." in bet["answer"]
    assert "One worker that juggled was about as fast as the one that did not." in bet["answer"]
    assert bet["answer"].endswith("With nothing to wait for, juggling has no time to fill.")


def test_what_is_said_of_the_two_words_is_what_the_runs_have_shown() -> None:
    table = build_table(choose_cells(group_runs(LESSON)), LESSON)
    assert "Concurrency is about structure: concurrent needs no second CPU for it." in table
    assert "Parallelism is about execution: parallel had several CPUs at work at the same instant." in table
    shared = build_runs((*FRAMES[:2], drawn("002244", "113355", mode="parallel", given=0.5, facts=ONE_CPU)))
    assert "about execution" not in build_table(choose_cells(group_runs(shared)), shared)


# --- what is often believed ----------------------------------------------------------------------------------

MISCONCEPTIONS = {  # what research on learners and the field's own questions document: where the page meets it
    "Concurrent and parallel mean the same.": "concurrent had several tiles in flight with one worker",
    "Whoever does several things does them at the same instant.": "No two were painted at the same instant",
    "Several workers are always parallel.": "parallel had several workers at a tile at once, and more than one CPU",
    "Threads are parallel.": "take turns: race --lesson gil shows it",
    "Threads of Python never help.": "and was faster than sequential, for its compiled code",
    "N workers are N times as fast.": "parallel: 2 workers, faster than one.",
    "More workers are always better.": "Only as far as there are CPUs",
    "Juggling is useless overhead.": "It pays where tiles wait.",
    "Async makes computing faster.": "concurrent was about as fast as sequential.",
    "Concurrency needs a second CPU.": "on one CPU at a time: concurrent",
    "It passed once, so it is right.": "compared to the last bit, and are equal",
    "With a lock it is right, and costs nothing.": "A lock makes the others wait",
    "A graphics card is a few faster workers.": "32 of them at a time must take the same step",
}


@pytest.mark.parametrize("belief", MISCONCEPTIONS)
def test_each_misconception_is_met_by_what_the_runs_show(belief: str) -> None:
    assert MISCONCEPTIONS[belief] in dict(answer_beliefs(LESSON))[belief]


def test_two_workers_that_juggle_are_never_said_to_be_one() -> None:
    runs = build_runs([*FRAMES[:1], *told_story(*FOUR)])
    asked = dict(answer_questions(runs))
    assert not any("2 workers" in question or "Why was parallel" in question for question in asked)
    steps = build_tour([run for run in runs if run.workers > 1])
    assert not any("How many of them is it painting" in step.question for step in steps)


def test_a_difference_that_is_not_clear_is_not_told_in_times() -> None:
    noisy = FRAMES[2].with_trace(replace(FRAMES[2].trace, facts=FRAMES[2].trace.facts | {"seconds_all": [0.006, 0.1]}))
    told = dict(answer_beliefs(build_runs([*FRAMES[:2], noisy])))
    assert "2 workers, about as fast as one" in told["N workers are N times as fast."]


def test_runs_that_were_short_of_cpu_time_show_nothing_about_several_workers() -> None:
    short = drawn("0022", "1133", mode="parallel", given=0.3, facts={"cpus_machine": 2, "cpus_affinity": 2})
    told = dict(answer_beliefs(build_runs([*FRAMES[:2], short])))["N workers are N times as fast."]
    assert "Here other programs were using the CPUs" in told
    assert told.endswith("so how fast parallel was shows nothing.")


def test_what_is_believed_of_threads_and_locks_is_answered_by_runs_that_hold_one() -> None:
    held = drawn("00..", "..11", mode="parallel", facts={"waits_for": "the GIL"})
    wait = Span(held.trace.workers[1], 1, "wait", MS, 3 * MS)
    held = replace(held, trace=replace(held.trace, spans=(*held.trace.spans, wait)))
    told = dict(answer_beliefs(build_runs([FRAMES[0], held])))
    assert "2 threads, at most 1 at a tile at any instant" in told["Threads are parallel."]
    assert "each worker of parallel waited 25 %" in told["With a lock it is right, and costs nothing."]


def test_no_more_and_no_fewer_beliefs_are_answered() -> None:
    assert list(dict(answer_beliefs(LESSON))) == list(MISCONCEPTIONS)
    assert list(answer_beliefs(LESSON[:1])) == []


def test_each_way_to_work_names_real_systems() -> None:
    assert [len(system.about) > 40 and bool(system.names) for system in (*SYSTEMS.values(), GPU)] == [True] * 5
    told = [about.rpartition("On this page: ")[2] for _, about in describe_systems(LESSON)]
    assert told[:3] == ["sequential.", "concurrent.", "parallel."]
    assert told[3:] == [SYSTEMS[True, True].about, GPU.about]


# --- fewer runs ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("runs", [[], [Run(drawn())], [SEQUENTIAL], [PARALLEL], [CONCURRENT], [PARALLEL, PARALLEL]])
def test_fewer_runs_ask_fewer_questions_and_never_fail(runs: list[Run]) -> None:
    assert len(build_tour(runs)) <= 5
    assert all(len(step.options) > 1 for step in build_tour(runs))
    assert all(answer for _, answer in answer_questions(runs))


# --- what is reckoned ----------------------------------------------------------------------------------------

intervals = st.lists(st.tuples(st.integers(0, 40), st.integers(0, 12)).map(lambda pair: (pair[0], sum(pair))))


@given(intervals, st.integers(-1, 60))
def test_a_curve_counts_what_holds_each_instant(made: list[tuple[int, int]], t: int) -> None:
    passed = [count for start, count in count_curve(made) if start <= t]
    assert (passed[-1] if passed else 0) == sum(t0 <= t < t1 for t0, t1 in made)


@given(intervals, st.integers(1, 4), st.integers(-1, 60))
def test_at_least_is_where_the_curve_is_not_below(made: list[tuple[int, int]], least: int, t: int) -> None:
    inside = any(t0 <= t < t1 for t0, t1 in find_intervals(count_curve(made), least))
    assert inside == (sum(t0 <= t < t1 for t0, t1 in made) >= least)


@given(intervals, st.integers(1, 30))
def test_means_keep_the_area(made: list[tuple[int, int]], columns: int) -> None:
    area = sum(t1 - t0 for t0, t1 in made)
    assert sum(column_means(count_curve(made), columns, columns / 60)) == pytest.approx(area * columns / 60)


costs = st.lists(st.integers(0, 1000), min_size=1, max_size=30)


@given(costs, st.integers(0, 2000), st.integers(1, 8))
def test_juggling_is_never_quicker_than_its_painting_nor_slower_than_one_by_one(
    made: list[int], wait: int, hands: int
) -> None:
    took = estimate_juggling(made, wait, hands)
    assert wait + sum(made) <= took <= estimate_juggling(made, wait, 1) == sum(made) + wait * len(made)
    assert estimate_juggling(made, wait, hands + 1) <= took or hands > len(made)


@given(costs, st.integers(1, 8))
def test_with_nothing_to_wait_for_juggling_gains_nothing(made: list[int], hands: int) -> None:
    assert estimate_juggling(made, 0, hands) == sum(made)


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
    assert format_ns(ns) == text


def test_round_times_lose_what_says_nothing() -> None:
    assert (format_tick(0), format_tick(500_000_000), format_tick(2_000_000_000)) == ("0 s", "500 ms", "2 s")


def test_small_numbers_are_words() -> None:
    assert [in_words(number) for number in (2, 12, 13)] == ["two", "twelve", "13"]


@given(st.integers(1, 10**13))
def test_an_axis_has_a_few_round_ticks_inside(end: int) -> None:
    marks = list(axis_ticks(end))
    assert marks[0] == 0
    assert marks[-1] <= end
    assert len(marks) <= 7
