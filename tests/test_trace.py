"""The recorder, on a clock that the tests set: who did what, and when."""

from __future__ import annotations

import os
import pickle
import platform
import threading
import time
from typing import Any

import pytest

from render import trace
from render.trace import NO_TILE, Recorder, Span, Trace, Worker, cpu_number
from tests.conftest import FakeClock


def worker(thread: int) -> Worker:
    return Worker(1, thread)


def recorded(*spans: Span) -> Trace:
    return Trace(spans, 0, 0, 100, {})


def test_a_span_is_the_time_that_its_body_takes(clock: Any) -> None:
    recorder = Recorder(clock)
    clock.tick(5)
    with recorder.span("paint", 3):
        clock.tick(7)
    [span] = recorder.drain()
    assert (span.kind, span.tile, span.t0, span.t1) == ("paint", 3, 5, 12)


def test_a_paint_span_tells_how_much_cpu_time_its_thread_was_given(clock: Any) -> None:
    given = iter([100, 104])
    recorder = Recorder(clock, lambda: next(given))
    with recorder.record_work("paint", 3):
        clock.tick(7)
    [span] = recorder.drain()
    assert (span.kind, span.tile, span.t1 - span.t0, span.on_cpu) == ("paint", 3, 7, 4)


def test_beside_a_clock_of_its_own_nothing_is_known_of_cpu_time(clock: Any) -> None:
    recorder = Recorder(clock)
    with recorder.record_work("paint", 0):
        clock.tick()
    assert recorder.drain()[0].on_cpu is None


def test_a_thread_that_sleeps_in_a_paint_span_is_at_its_tile_and_on_no_cpu() -> None:
    recorder = Recorder()
    with recorder.record_work("paint", 0):
        time.sleep(0.05)
    [span] = recorder.drain()
    assert span.on_cpu is not None
    assert 0 <= span.on_cpu < (span.t1 - span.t0) / 2


def test_a_paint_span_that_fails_is_recorded_all_the_same() -> None:
    recorder = Recorder()

    def fail() -> None:
        with recorder.record_work("paint", 5):
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert [(span.kind, span.tile) for span in recorder.drain()] == [("paint", 5)]


@pytest.mark.parametrize(("told", "cpus"), [(2, 2), (0, None), (True, None), ("2", None), (2.0, None)])
def test_the_cpus_it_might_use_come_from_the_facts_if_they_make_sense(told: object, cpus: int | None) -> None:
    assert Trace((), 0, 0, 0, {"cpus": told}).cpus == cpus


def test_a_body_that_fails_is_recorded_all_the_same(clock: Any) -> None:
    recorder = Recorder(clock)

    def fail() -> None:
        with recorder.span("compile"):
            raise ZeroDivisionError(clock.tick(2))

    with pytest.raises(ZeroDivisionError):
        fail()
    assert [(span.kind, span.tile, span.t1 - span.t0) for span in recorder.drain()] == [("compile", NO_TILE, 2)]


def test_spans_within_each_other_end_in_order(clock: Any) -> None:
    recorder = Recorder(clock)
    with recorder.span("start"):
        clock.tick()
        with recorder.span("compile"):
            clock.tick()
        clock.tick()
    assert [(span.kind, span.t0, span.t1) for span in recorder.drain()] == [("compile", 1, 2), ("start", 0, 3)]


def test_a_span_carries_the_thread_that_made_it(clock: Any) -> None:
    recorder = Recorder(clock)
    recorder.add("wait", 0, 1)
    assert recorder.drain()[0].worker == Worker(os.getpid(), threading.get_native_id(), "cpu")


def test_another_worker_may_be_named(clock: Any) -> None:
    recorder = Recorder(clock)
    gpu = Worker(1, 2, "cuda 0")
    recorder.add("transfer", 0, 1, worker=gpu, cpu=4)
    assert recorder.drain() == (Span(gpu, NO_TILE, "transfer", 0, 1, 4),)


def test_what_was_drained_is_forgotten(clock: Any) -> None:
    recorder = Recorder(clock)
    recorder.add("paint", 0, 1, 0)
    assert len(recorder.drain()) == 1
    assert recorder.drain() == ()


def test_spans_of_another_process_are_taken_over_as_they_are(clock: Any) -> None:
    recorder = Recorder(clock)
    spans = (Span(worker(7), 1, "paint", 3, 4, 0), Span(worker(8), 2, "paint", 3, 5, 1))
    recorder.extend(pickle.loads(pickle.dumps(spans)))  # noqa: S301  (our own)
    assert recorder.drain() == spans


def test_threads_share_a_recorder_and_lose_nothing(clock: Any) -> None:
    recorder = Recorder(clock)
    together = threading.Barrier(8)

    def work(first: int) -> None:
        together.wait()
        for tile in range(first, first + 200):
            with recorder.span("paint", tile):
                pass

    threads = [threading.Thread(target=work, args=(200 * number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    spans = recorder.drain()
    assert sorted(span.tile for span in spans) == list(range(1600))
    assert len({span.worker for span in spans}) == 8


def test_workers_come_in_the_order_of_their_first_paint() -> None:
    made = recorded(
        Span(worker(3), 2, "paint", 9, 10),
        Span(worker(1), 0, "wait", 0, 1),
        Span(worker(2), 1, "paint", 4, 5),
        Span(worker(3), 0, "paint", 6, 8),
        Span(worker(2), 3, "paint", 11, 12),
    )
    assert made.workers == (worker(2), worker(3))


def test_who_only_waits_or_compiles_is_no_worker() -> None:
    assert recorded(Span(worker(1), NO_TILE, "compile", 0, 1), Span(worker(2), 0, "wait", 0, 1)).workers == ()


def test_spans_of_some_kinds_come_by_time() -> None:
    early, late, other = (Span(worker(1), NO_TILE, kind, t0, 9) for kind, t0 in (("plan", 1), ("save", 2), ("wait", 0)))
    assert recorded(late, other, early).of_kind("save", "plan") == [early, late]


def test_the_clock_is_one_for_all_threads_and_in_whole_nanoseconds() -> None:
    clock = Recorder().clock
    before, after = clock(), clock()
    assert type(before) is int
    assert before <= after


def test_a_worker_knows_its_cpu_where_the_system_tells() -> None:
    allowed = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else {-1}
    assert cpu_number() in allowed | {-1}


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc tells the CPU's number")
def test_glibc_tells_the_cpu() -> None:
    assert cpu_number() >= 0


def test_where_the_system_does_not_tell_the_cpu_is_unknown(monkeypatch: pytest.MonkeyPatch, clock: Any) -> None:
    monkeypatch.setattr(trace, "load_getcpu", lambda: None)
    recorder = Recorder(clock)
    with recorder.span("paint", 0):
        pass
    assert (cpu_number(), recorder.drain()[0].cpu) == (-1, -1)


def test_multiprocessors_are_those_of_block_spans_gpu_by_gpu_in_order_of_number() -> None:
    first, second = "a GPU 0 multiprocessor", "a GPU 1 multiprocessor"
    lanes = [Worker(1, 2, second), Worker(1, 10, first), Worker(1, 9, first)]
    stream = Worker(1, 0, "a GPU 0 stream 0")
    made = recorded(Span(stream, 0, "paint", 1, 9), *(Span(lane, 0, "block", 2, 3) for lane in lanes * 2))
    assert made.multiprocessors == (lanes[2], lanes[1], lanes[0])
    assert made.workers == (stream,)
    assert recorded().multiprocessors == ()


def test_who_painted_is_found_by_looking_at_each_span_once(clock: FakeClock) -> None:
    recorder = Recorder(clock)
    reads: list[int] = []

    class Counted(list[Span]):
        def __getitem__(self, at: Any) -> Any:
            reads.append(at)
            return super().__getitem__(at)

    spans = Counted(Span(worker(tile % 3), tile, "paint", tile, tile + 1) for tile in range(500))
    recorder._spans = spans  # type: ignore[assignment]  # noqa: SLF001
    assert [recorder.painter_of(tile) for tile in range(500)] == [worker(tile % 3) for tile in range(500)]
    assert len(reads) <= 3 * 500
    recorder.drain()
    assert recorder.painter_of(3) == recorder.current_worker()


def test_spans_that_were_made_columns_are_the_same_and_their_painters_are_still_found(
    clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trace, "FEW", 3)
    recorder, made = Recorder(clock), list[Span]()
    for tile in range(20):
        made.append(Span(worker(tile % 3), tile, "paint", tile, tile + 2, on_cpu=1))
        recorder.extend((made[-1],))
        assert recorder.painter_of(tile) == worker(tile % 3)
        recorder.compact()
    assert list(recorder.drain()) == made
