"""What may be said of a run: each sentence is provoked by a timeline, and none says more than CPU time carries."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from render import stats
from render.findings import conclusions, evidence, sentences, stories
from render.findings.speed_up import describe_curve
from render.frame import Frame
from render.lessons import gil
from render.trace import NO_TILE, Span, Trace, Worker
from tests.conftest import EXAMPLE
from tests.outputs.conftest import MS, drawn
from tests.outputs.synthetic_gpu import with_gpu

ONE_CPU: dict[str, Any] = {"cpus": 1, "cpus_machine": 2, "cpus_affinity": 1}
TWO_CPUS: dict[str, Any] = {"cpus": 2, "cpus_machine": 2, "cpus_affinity": 2}
QUOTA: dict[str, Any] = {"cpus": 1, "cpus_machine": 64, "cpus_affinity": 64, "cpus_quota": 1.0}
SLOW = drawn("0" * 300 + "1" * 300)  # one worker, 600 ms: large enough for the lesson
AGAIN = "Other programs were using the CPUs: run it again."
SHORT = "but it was short of CPU time"


def said(*frames: Frame, of: int = -1) -> str:
    """All that is said of one run of a race: of the last one, unless another is asked for."""
    return " ".join(sentences.of(evidence.build_runs(frames)[of]))


def concluded(*frames: Frame) -> str:
    return " ".join(conclusions.of(evidence.build_runs(frames)))


def repeated(frame: Frame, *seconds: float) -> Frame:
    return replace(frame, trace=replace(frame.trace, facts=frame.trace.facts | {"seconds_all": list(seconds)}))


def waiting(frame: Frame, *waits: tuple[int, int, int, int], **facts: Any) -> Frame:
    """The frame with waits: (worker's thread, tile, from, to) in ms."""
    spans = [Span(Worker(7, thread), tile, "wait", t0 * MS, t1 * MS) for thread, tile, t0, t1 in waits]
    trace = replace(frame.trace, spans=(*spans, *frame.trace.spans), facts=frame.trace.facts | facts)
    return replace(frame, trace=trace)


# --- one worker --------------------------------------------------------------------------------------------


def test_one_tile_after_the_other_is_called_so() -> None:
    assert said(drawn("0011")) == "One worker painted 2 tiles in 4 ms, one after the other: never two in flight."


def test_juggling_is_concurrency_and_never_two_at_once() -> None:
    told = said(drawn("0101", mode="concurrent"))
    assert "up to 2 were in flight (started but not finished); 2 times it put one aside" in told
    assert "This is concurrency: with one worker, no two were painted at the same instant." in told


def test_nothing_is_said_of_nothing() -> None:
    assert said(drawn()) == "No tile was painted."


# --- several workers ---------------------------------------------------------------------------------------


def test_two_workers_with_a_cpu_each_are_parallel() -> None:
    told = said(drawn("0022", "1133", mode="parallel", facts=TWO_CPUS))
    assert "on average 2.00 were at a tile (at most 2), and 2.00 on a CPU. This is parallelism." in told


def test_workers_that_each_juggle_are_both_concurrent_and_parallel() -> None:
    said_ = said(drawn("0101", "2323", mode="parallel", facts=TWO_CPUS))
    assert "2 workers juggled 4 tiles in 4 ms (2 by worker 0 and 2 by worker 1): on average 2.00 were" in said_
    assert "Up to 4 were in flight (up to 2 of one worker). This is concurrency." in said_
    assert "This is parallelism." in said_


def test_tiles_that_wait_while_a_worker_juggles_are_counted() -> None:
    frame = waiting(drawn("...0011", mode="concurrent"), (0, 0, 1, 4), (0, 1, 1, 6))
    assert "up to 2 were in flight (started but not finished), up to 2 of them waiting;" in said(frame)


@pytest.mark.parametrize(
    ("slow", "why"),
    [
        ("0" * 300 + "." * 100 + "1" * 300, "for nobody was at a tile for 100 ms, between one slice and the next"),
        ("0" * 400 + "1" * 400, "for painting itself took 800 ms, where it took 600 ms there"),
    ],
)
def test_a_run_that_lost_is_explained_by_what_its_trace_shows(slow: str, why: str) -> None:
    assert why in said(SLOW, drawn(slow, mode="concurrent", facts=TWO_CPUS))


def test_two_workers_and_one_cpu_took_turns() -> None:
    told = said(drawn("0022", "1133", mode="parallel", given=0.5, facts=ONE_CPU))
    assert "on average 2.00 were at a tile (at most 2), and 1.00 on a CPU." in told
    assert "Two workers, one CPU: they took turns. That is concurrency; parallelism needs a second CPU." in told
    assert "This is parallelism" not in told
    juggled = said(drawn("0202", "1313", mode="parallel", given=0.5, facts=ONE_CPU))
    assert "This is concurrency. Two workers, one CPU: they took turns. Parallelism needs a second CPU." in juggled


def test_a_little_that_is_lacking_around_each_tile_may_be_pythons_lock() -> None:
    told = concluded(drawn("0022", "1133", mode="parallel", given=0.7, facts=TWO_CPUS))
    assert "Other programs were using the CPUs, or threads waited for Python's lock (GIL): run it again." in told
    long = concluded(drawn("0" * 300, "1" * 300, mode="parallel", given=0.7, facts=TWO_CPUS))
    assert f"{AGAIN} Of the CPUs available, parallel got 1.40 of 2.00." in long


def test_the_packing_of_a_large_frame_beside_its_painting_may_have_had_the_cpus() -> None:
    run = drawn("0" * 600, given=0.6)
    for t0, word in ((300 * MS, ", or its files were packed on them"), (601 * MS, "")):
        packed = Span(Worker(7, 9), NO_TILE, "save", t0, 900 * MS)
        told = concluded(replace(run, trace=replace(run.trace, spans=(*run.trace.spans, packed))))
        assert f"Other programs were using the CPUs{word}: run it again." in told


def test_a_cluster_of_this_machine_may_have_had_the_cpus_itself() -> None:
    run = drawn("0" * 600, given=0.6)
    there = tuple(span._replace(worker=span.worker._replace(host="here")) for span in run.trace.spans)
    for spans, word in ((there, ", or the cluster's own client and scheduler"), (run.trace.spans, "")):
        told = concluded(replace(run, trace=replace(run.trace, spans=spans)))
        assert f"Other programs were using the CPUs{word}: run it again." in told


def test_whoever_may_have_had_the_cpus_is_named_wherever_nothing_follows() -> None:
    """In a curve, a story and a lesson as in a plain race."""
    run = drawn("0" * 300 + "1" * 300, given=0.6, facts={"story": stories.CURVE})
    spans = tuple(span._replace(worker=span.worker._replace(host="here")) for span in run.trace.spans)
    there = replace(run, trace=replace(run.trace, spans=spans))
    (short,) = evidence.build_runs([there])
    taken = "other programs were using the CPUs, or the cluster's own client and scheduler"
    assert " ".join(describe_curve([short])).endswith(
        f" O{taken[1:]}, so nothing follows about more workers: run it again."
    )
    assert conclusions._doubt_gain(short, short) == f"nothing follows, for {taken}: run it again"  # noqa: SLF001
    assert gil._explain_doubt(short, short, short) == f"{taken}, so run it again"  # noqa: SLF001


def test_all_runs_that_lacked_cpu_time_are_named_in_one_sentence() -> None:
    told = concluded(*[drawn("0" * 300 + "1" * 300, given=given) for given in (0.6, 0.7, 1.0)])
    assert told.endswith(f"{AGAIN} Of the CPUs available, sequential got 0.60 of 1.00 and sequential 0.70 of 1.00.")


def test_the_cpus_there_are_are_stated_once() -> None:
    run = drawn("00", "11", mode="parallel", facts=TWO_CPUS | {"cpus_machine": 64})
    assert concluded(run, run).count("This process may use 2 CPUs of 64 (affinity).") == 1
    assert "may use" not in concluded(SLOW)


def test_less_than_any_program_takes_is_not_blamed_on_one() -> None:
    assert "programs" not in concluded(drawn("0", given=0.2))


def test_others_on_the_one_cpu_are_noticed_as_well() -> None:
    run = drawn("0" * 30 + "2" * 30, "1" * 30 + "3" * 30, mode="parallel", given=0.3, facts=ONE_CPU)
    assert "Two workers, one CPU: they took turns." in said(run)
    assert f"{AGAIN} Of the CPUs available, parallel got 0.60 of 1.00." in concluded(run)


def test_eight_workers_share_two_cpus() -> None:
    eight = drawn(*(str(n) * 8 for n in range(8)), mode="parallel", given=0.24, facts=TWO_CPUS, tile=(12, 16))
    told = said(eight)
    assert "8 workers shared 2 CPUs. This is parallelism of as many as had a CPU; the others waited for one." in told
    assert "on average 8.00 were at a tile (at most 8), and 1.92 on a CPU" in told
    assert AGAIN not in concluded(eight)


def test_eight_workers_share_two_cpus_also_where_others_had_most_of_them() -> None:
    told = said(drawn(*(str(n % 6) * 8 for n in range(8)), mode="parallel", given=0.05, facts=TWO_CPUS))
    assert "8 workers shared 2 CPUs. That is not parallelism: together they had 0.40 CPUs on average." in told


def test_workers_whose_cpus_others_had_are_not_parallel() -> None:
    run = drawn("0" * 30 + "2" * 30, "1" * 30 + "3" * 30, mode="parallel", given=0.5, facts=TWO_CPUS)
    assert "That is not parallelism: together they had 1.00 CPUs on average." in said(run)
    assert f"{AGAIN} Of the CPUs available, parallel got 1.00 of 2.00." in concluded(run)


def test_threads_that_hold_pythons_lock_are_not_parallel_and_nobody_else_is_blamed() -> None:
    run = drawn("0022", "1133", mode="parallel", target="python", given=0.5, facts=TWO_CPUS)
    assert "That is not parallelism: their code is interpreted and holds Python's lock (GIL)" in said(run)
    assert AGAIN not in concluded(run)


def test_threads_that_hold_pythons_lock_could_have_one_cpu_together() -> None:
    told = concluded(drawn("0" * 30, "1" * 30, mode="parallel", target="python", given=0.3, facts=TWO_CPUS))
    assert f"{AGAIN} Of the CPUs available, parallel got 0.60 of 1.00." in told


def test_a_quota_of_one_cpu_is_not_one_cpu() -> None:
    """Two may well have run at the same instant, and then both stood still: nothing is said of turns."""
    told = said(drawn("0022", "1133", mode="parallel", given=0.5, facts=QUOTA))
    assert (
        "2 workers shared one CPU's worth of time. That is not parallelism: a control group grants one CPU's worth"
        in told
    )
    assert "turns" not in told


def test_workers_that_are_never_at_tiles_together_take_turns() -> None:
    assert "No two were at a tile at the same instant: they took turns." in said(drawn("0.2.", ".1.3"))


def test_workers_that_hardly_ever_meet_are_not_parallel() -> None:
    told = said(drawn("0" * 20, "." * 18 + "1", mode="parallel", given=0.9, facts=TWO_CPUS))
    assert "That is not parallelism: on average hardly more than one was at a tile." in told


def test_of_workers_that_meet_and_then_wait_it_is_not_said_that_they_hardly_meet() -> None:
    """Whenever one was at a tile, so was the other, and each had a CPU: parallel, if less than one on average."""
    told = said(drawn("00......22", "11......33", mode="parallel", facts=TWO_CPUS))
    assert "This is parallelism while they paint; at other times they were idle." in told


def test_workers_that_meet_but_share_one_cpu_are_not_parallel_at_any_time() -> None:
    told = said(drawn("00......22", "11......33", mode="parallel", facts=TWO_CPUS, given=0.5))
    assert "That is not parallelism: together they had 0.40 CPUs on average." in told


def test_of_an_older_trace_nothing_is_said_of_parallelism() -> None:
    told = said(drawn("0022", "1133", mode="parallel", given=None, facts=TWO_CPUS))
    assert "It is not known how many had a CPU, so nothing follows about parallelism." in told
    assert "This is parallelism" not in told


def test_a_simulated_gpu_is_no_parallelism_and_no_timing() -> None:
    base, gpu = drawn("0011"), with_gpu(drawn(), bands=3, multiprocessors=20)
    told = said(base, replace(gpu, trace=replace(gpu.trace, facts={"simulated": True})))
    assert "graphics card: 3 streams painted 3 tiles (1 by stream 0, 1 by stream 1 and 1 by stream 2)" in told
    assert "by worker" not in told
    assert "nothing follows about parallelism" in told
    assert "times as fast" not in told
    assert "this is parallelism" not in told.lower()


def test_a_gpus_streams_are_queues_and_its_multiprocessors_are_parallel() -> None:
    told = said(with_gpu(drawn(), bands=30))
    assert "8 streams of the graphics card painted 30 tiles" in told
    assert "a stream is a queue" in told
    assert "132 multiprocessors did that painting, 131.0 at the same instant on average. This is parallelism." in told


# --- against the baseline ----------------------------------------------------------------------------------


def test_a_clear_gain_is_explained_by_the_cpus_that_painted() -> None:
    fast = drawn("0" * 300, "1" * 300, mode="parallel", facts=TWO_CPUS)
    assert "It was 2.00 times as fast as sequential (600 ms), for on average 2.00 CPUs painted." in said(SLOW, fast)


def test_what_hardly_differs_is_about_as_long() -> None:
    told = said(SLOW, drawn("01" * 290, mode="concurrent"))
    assert (
        "It took about as long as sequential (600 ms): with nothing to wait for, juggling has nothing to win." in told
    )


def test_a_difference_smaller_than_the_spread_is_about_the_same() -> None:
    noisy = repeated(drawn("0" * 250, "1" * 250, mode="parallel", facts=TWO_CPUS), 0.25, 0.2, 0.7)
    told = said(SLOW, noisy)
    assert "About the same as sequential (600 ms): the repeats differ by more, 500 ms." in told
    assert "times as fast" not in told


def test_more_than_the_workers_can_bring_is_not_explained() -> None:
    told = said(SLOW, drawn("0" * 200, "1" * 200, mode="parallel", facts=TWO_CPUS))
    assert "more than 2 workers with a CPU each can bring, so something else held sequential up: run it again" in told
    assert "CPUs painted" not in told


def test_one_cpu_cannot_make_two_workers_faster_either() -> None:
    told = said(SLOW, drawn("0" * 300, "1" * 300, mode="parallel", given=0.5, facts=ONE_CPU))
    assert "that is more than one CPU can bring" in told


def test_where_others_had_the_cpus_no_difference_is_explained() -> None:
    held = drawn("0" * 300 + "1" * 300, given=0.6)
    told = said(held, drawn("0" * 300, "1" * 300, mode="parallel", facts=TWO_CPUS))
    assert "It was 2.00 times as fast as sequential (600 ms); but sequential was short of CPU time." in told
    slow = said(SLOW, drawn("0" * 300, "1" * 300, mode="parallel", given=0.6, facts=TWO_CPUS))
    assert f"It was 2.00 times as fast as sequential (600 ms); {SHORT}." in slow


def test_where_the_load_was_high_no_difference_is_explained() -> None:
    told = said(SLOW, fast := drawn("0" * 300, "1" * 300, mode="parallel", facts=TWO_CPUS | {"load": 3.4}))
    assert "but the machine had other work." in told
    assert (
        "The load was 3.4 before the start, on 2 CPUs: other programs may have used them, so run it again."
        in concluded(SLOW, fast)
    )


@pytest.mark.parametrize("load", [None, "9", True, 1.5, float("nan")])
def test_a_load_that_is_low_or_strange_is_not_told(load: object) -> None:
    run = drawn("00", "11", mode="parallel", facts=TWO_CPUS | {"load": load})
    assert "load" not in concluded(SLOW, run)


def test_a_slower_run_is_explained_by_workers_without_a_tile() -> None:
    idle = drawn("0" * 300 + "." * 600, "1" * 100 + "." * 700 + "2" * 100, mode="parallel", facts=TWO_CPUS)
    told = said(SLOW, idle)
    assert "It was slower than sequential (600 ms), for its workers had no tile for 72 % of that time." in told


def test_a_slower_run_that_the_trace_does_not_explain_is_not_explained() -> None:
    slower = drawn("0" * 900, "1" * 900, mode="parallel", facts=TWO_CPUS)
    assert "It was slower than sequential (600 ms); the traces do not show why." in said(SLOW, slower)


def test_juggling_wins_where_tiles_wait() -> None:
    base = waiting(drawn(".00.11"), (0, 0, 1, 2), (0, 1, 4, 5))
    run = waiting(drawn(".0011", mode="concurrent"), (0, 0, 1, 2), (0, 1, 1, 4))
    assert "Its tiles waited 2 ms in all for their data, and nobody painted for 2 ms." in said(base, run, of=0)
    told = said(base, run)
    assert "but side by side or while another was painted: nobody painted for 1 ms." in told
    assert "1.20 times as fast as sequential (6 ms)" in told


def test_a_gain_that_is_saved_waiting_is_explained_whoever_had_the_cpus() -> None:
    base = waiting(drawn("...00...11", given=0.2), (0, 0, 1, 4), (0, 1, 6, 9))
    run = waiting(drawn("...0011", mode="concurrent", given=0.2), (0, 0, 1, 4), (0, 1, 1, 4))
    waits = [replace(frame, request=replace(frame.request, wait_ns=3 * MS)) for frame in (base, run)]
    told = said(*waits)
    assert (
        "1.43 times as fast as sequential (10 ms), for while one tile waited, its worker went on with others." in told
    )
    assert AGAIN in concluded(*waits)  # which is true all the same


def test_a_cpu_that_is_hardly_needed_is_not_missed() -> None:
    frame = waiting(drawn("0" + "." * 999 + "1" * 9, given=0.3), (0, 1, 1, 1000))
    assert "programs" not in concluded(frame)


def test_the_fastest_is_told_among_those_that_wait_as_long() -> None:
    slow = waiting(drawn("...00...11", wait_ns=3 * MS), (0, 0, 1, 4), (0, 1, 6, 9))
    quick = waiting(drawn("...0011", mode="concurrent", wait_ns=3 * MS), (0, 0, 1, 4), (0, 1, 1, 4))
    told = concluded(drawn("0011"), drawn("0101", mode="concurrent"), slow, quick)
    assert "Fastest of those that do not wait: sequential, 4 ms; about the same" in told
    assert "Fastest of those that wait 3 ms: concurrent, 7 ms, where sequential took 10 ms." in told


def test_waiting_for_a_lock_is_no_waiting_for_data() -> None:
    frame = waiting(drawn("00..", "..11", mode="parallel"), (1, 1, 1, 3), waits_for="the GIL")
    assert "Its tiles waited 2 ms in all for the GIL" in said(drawn("0011"), frame)
    assert "while one worker painted, the others waited for the GIL" in said(drawn("0011"), frame)


# --- of all runs together ----------------------------------------------------------------------------------


def test_the_fastest_is_named_where_it_is_clear() -> None:
    fast = drawn("0" * 300, "1" * 300, mode="parallel", facts=TWO_CPUS)
    assert concluded(SLOW, fast).startswith("Fastest: parallel, 300 ms, where sequential took 600 ms.")


def test_runs_that_are_about_as_fast_are_told_together() -> None:
    told = concluded(SLOW, drawn("01" * 299, mode="concurrent"))
    assert "Fastest: concurrent, 598 ms; about the same: sequential." in told


def test_a_simulated_run_is_never_the_fastest() -> None:
    simulated = drawn("0", mode="cuda", target="cuda", facts={"simulated": True})
    assert concluded(SLOW, SLOW, simulated).startswith("Fastest: sequential")


def test_runs_that_were_not_repeated_are_told_to_have_run_once() -> None:
    assert "Each ran once" in concluded(SLOW, SLOW)
    assert "Each ran once" not in concluded(SLOW, repeated(SLOW, 0.6, 0.6, 0.6))


def test_a_frame_too_small_for_the_lesson_is_called_so() -> None:
    assert "This frame is too small to show the lesson: one worker needs 4 ms" in concluded(drawn("0011"))
    assert "too small" not in concluded(SLOW)


# --- what holds of every run -------------------------------------------------------------------------------

pieces = st.lists(
    st.tuples(st.integers(0, 3), st.integers(0, 5), st.integers(1, 40), st.integers(0, 10), st.integers(0, 100)),
    min_size=1,
    max_size=8,
)
machines = st.fixed_dictionaries(
    {"cpus": st.none() | st.integers(1, 4), "cpus_affinity": st.integers(1, 4), "cpus_machine": st.integers(1, 8)},
    optional={
        "cpus_quota": st.none() | st.floats(0.1, 4),
        "load": st.floats(0, 20),
        "asked": st.integers(1, 9),
        "seconds_all": st.lists(st.floats(0.001, 1), max_size=4),
    },
)
some = settings(max_examples=60)
PARALLELISM = ("this is parallelism", "cpus painted")


def made(rows: list[tuple[int, int, int, int, int]], facts: dict[str, Any], mode: str, target: str) -> Frame:
    """Rows of (worker, tile, length, pause before it, per cent on a CPU); each worker does one after the other."""
    free = [0, 0, 0, 0]
    spans = []
    for thread, tile, length, pause, percent in rows:
        t0 = free[thread] + pause * MS
        free[thread] = t0 + length * MS
        on_cpu = length * MS * percent // 100
        spans.append(Span(Worker(1, thread), tile, "paint", t0, free[thread], thread, thread, on_cpu))
    request = replace(EXAMPLE, mode=mode, target=target, backend="threading" if mode == "parallel" else None)
    trace = Trace(tuple(spans), 0, 0, max(free), facts)
    return Frame(SLOW.rgb, None, 1, request, trace)


@some
@given(pieces, machines, st.sampled_from(["sequential", "concurrent", "parallel"]), st.sampled_from(["simd", "python"]))
@example(
    [(0, 0, 1, 0, 0), (0, 0, 12, 2, 89), (1, 0, 1, 0, 0), (1, 0, 13, 3, 54)],
    {"cpus": 1, "cpus_affinity": 1},
    "parallel",
    "simd",
)
def test_nothing_is_called_parallel_that_had_hardly_more_than_one_cpu(
    rows: list[tuple[int, int, int, int, int]], facts: dict[str, Any], mode: str, target: str
) -> None:
    """Unless they were idle too, and had more CPU time than one CPU has while any of them is at a tile."""
    run = made(rows, facts, mode, target)
    told = said(SLOW, run).lower()
    given = sum(span.on_cpu or 0 for span in run.trace.spans)
    busy = MS * len({t for span in run.trace.spans for t in range(span.t0 // MS, span.t1 // MS)})
    assume(abs(given / busy - 1.1) > 1e-9)  # rounding decides there
    if given < 1.1 * busy:
        assert not any(words in told for words in PARALLELISM)
    elif len(run.trace.workers) > 1:
        assert PARALLELISM[0] in told


@some
@given(pieces, machines)
def test_who_is_on_a_cpu_is_at_a_tile(rows: list[tuple[int, int, int, int, int]], facts: dict[str, Any]) -> None:
    found = stats.of(made(rows, facts, "parallel", "simd").trace)
    assert found.on_cpu.mean is not None
    assert 0 <= found.on_cpu.mean <= found.running.mean + 1e-9
    assert found.on_cpu.cpus == facts["cpus"]


@some
@given(pieces, machines, pieces, machines)
def test_a_speed_up_is_explained_only_where_workers_and_cpus_can_bring_it(
    rows: list[tuple[int, int, int, int, int]],
    facts: dict[str, Any],
    others: list[tuple[int, int, int, int, int]],
    more: dict[str, Any],
) -> None:
    base, run = evidence.build_runs([made(others, more, "sequential", "simd"), made(rows, facts, "parallel", "simd")])
    found = run.difference
    assert found is not None
    compared = next((one for one in sentences.of(run) if "It was" in one), "")
    if ", for " in compared:
        can = min(run.workers, facts["cpus"] or run.workers)
        assert found.clear
        assert not run.short_of_cpu
        assert not base.short_of_cpu
        assert found.times <= can
    if "times as fast" in compared:
        assert f"{found.times:.2f} times as fast" in compared


@some
@given(pieces, machines)
def test_every_sentence_is_whole(rows: list[tuple[int, int, int, int, int]], facts: dict[str, Any]) -> None:
    frames = SLOW, made(rows, facts, "parallel", "simd")
    entered = evidence.build_runs(frames)
    for told in (*sentences.of(entered[1]), *conclusions.of(entered)):
        assert told[0].isupper() or told[0].isdigit()
        assert told.endswith(".")
        assert not {"nan", "None", "inf"} & set(told.replace(".", " ").replace(",", " ").split())
