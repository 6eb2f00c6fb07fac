"""The saved trace: read back to the nanosecond, and refused in words where it is damaged."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from render.errors import InputError
from render.frame import Frame, Frames
from render.outputs.trace import parse, read, write
from render.trace import KINDS, NO_TILE, Span, Trace, Worker

from .synthetic_gpu import with_gpu

Draw = Callable[..., Frame]
times = st.integers(0, 2**62)
spans = st.builds(
    lambda worker, tile, kind, t0, length, *cpus: Span(worker, tile, kind, t0, t0 + length, *cpus),
    st.builds(Worker, st.integers(-5, 2**31), st.integers(-5, 2**62), st.text(max_size=5)),
    st.integers(NO_TILE, 5),
    st.sampled_from(KINDS),
    times,
    st.integers(0, 2**60),
    st.integers(-1, 1000),
    st.integers(-1, 1000),
    st.none() | st.integers(0, 2**62),
)
fact = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
facts = st.dictionaries(st.text(), fact | st.lists(fact))
shared = settings(  # `draw` keeps nothing between examples
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
)


def same(one: Frame, other: Frame) -> bool:
    steps = one.steps is other.steps is None or np.array_equal(one.steps, other.steps)  # type: ignore[arg-type]
    inside = one.inside is other.inside is None or np.array_equal(one.inside, other.inside)  # type: ignore[arg-type]
    rest = (one.total_steps, one.request, one.trace) == (other.total_steps, other.request, other.trace)
    return rest and steps and inside and np.array_equal(one.rgb, other.rgb)


def raced(*frames: Frame) -> Frames:
    return Frames(frames, "race")


@shared
@given(st.lists(spans, max_size=8), st.tuples(times, times, times), facts)
def test_every_trace_comes_back_to_the_nanosecond(
    draw: Draw, made: list[Span], instants: tuple[int, ...], told: dict[str, Any]
) -> None:
    began, asked, ended = sorted(instants)
    frame = replace(draw(), trace=Trace(tuple(made), began, asked, ended, told))
    [back] = parse(write(Frames((frame,))))
    assert same(back, frame)


@pytest.mark.parametrize("together", [1, 3, 4, 9])
def test_spans_that_become_text_by_and_by_are_the_same_file(
    draw: Draw, together: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    frames = Frames((draw("0123"),))
    whole = write(frames)
    monkeypatch.setattr("render.outputs.trace.CHUNK_SPANS", together)
    assert write(frames) == whole
    assert same(parse(whole)[0], frames[0])


@pytest.mark.parametrize("samples", [1, 4])
def test_a_race_comes_back_with_one_picture_for_all(draw: Draw, samples: int) -> None:
    frames = raced(draw("0011", samples=samples), draw("00", "11", mode="parallel", samples=samples))
    data = write(frames)
    assert data.count(b'"picture"') == 1
    assert all(map(same, parse(data), frames))


def test_a_picture_that_differs_is_kept_with_its_run(draw: Draw) -> None:
    frames = raced(draw("0"), draw("0", colour=9), draw("0"))
    data = write(frames)
    assert data.count(b'"picture"') == 2
    assert all(map(same, parse(data), frames))


def test_steps_that_differ_are_kept_with_their_run(draw: Draw) -> None:
    first, second = draw("0"), draw("0")
    assert second.steps is not None
    frames = raced(first, replace(second, steps=second.steps + 1))
    assert all(map(same, parse(write(frames)), frames))


def test_a_file_of_before_tells_no_inside(draw: Draw) -> None:
    stored = json.loads(write(Frames((draw("0"),))))
    del stored["inside"]
    [back] = parse(json.dumps(stored).encode())
    assert (back.inside, back.steps is None) == (None, False)


def test_a_gpu_comes_back_with_both_its_levels(draw: Draw) -> None:
    frame = with_gpu(draw(), bands=6, multiprocessors=20)
    [back] = parse(write(Frames((frame,))))
    assert same(back, frame)
    assert [lane.thread for lane in back.trace.multiprocessors] == list(range(20))


def test_the_same_run_is_the_same_file(draw: Draw) -> None:
    assert write(Frames((draw("0"),))) == write(Frames((draw("0"),)))


def test_a_file_is_read(draw: Draw, tmp_path: Path) -> None:
    path = tmp_path / "a.trace.json"
    path.write_bytes(write(Frames((draw("01"),))))
    [frame] = read(path)
    assert same(frame, draw("01"))


@pytest.mark.parametrize("name", ["missing.trace.json", ".", "a\0b"])
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match="cannot read") as caught:
        read(f"{tmp_path}/{name}")
    assert caught.value.remedy


def test_a_race_comes_back_with_the_modes_that_did_not_run(draw: Draw) -> None:
    race = Frames((draw("0"),), "race", (("cuda", "there is no driver"),))
    back = parse(write(race))
    assert (back.kind, back.not_run) == (race.kind, race.not_run)


def test_a_draw_comes_back_as_a_draw(draw: Draw) -> None:
    assert parse(write(Frames((draw("0"),)))).kind == "draw"


@pytest.mark.parametrize(("runs", "kind"), [(1, "draw"), (2, "race")])
def test_a_file_of_version_1_is_still_read(draw: Draw, runs: int, kind: str) -> None:
    stored = as_of_version(2, raced(*[draw("01")] * runs))
    del stored["kind"], stored["not_run"]
    back = parse(json.dumps(stored | {"version": 1}).encode())
    assert (back.kind, back.not_run, len(back)) == (kind, (), runs)
    assert same(back[0], without_cpu_time(draw("01")))


def without_cpu_time(frame: Frame) -> Frame:
    spans = tuple(span._replace(cpu_end=-1, on_cpu=None) for span in frame.trace.spans)
    return replace(frame, trace=replace(frame.trace, spans=spans))


def as_of_version(version: int, frames: Frames) -> dict[str, Any]:
    """What this program wrote before spans had CPU time."""
    stored: dict[str, Any] = json.loads(write(frames)) | {"version": version}
    for run in stored["runs"]:
        run["spans"] = [row[:6] for row in run["spans"]]
    return stored


def test_a_file_of_version_2_is_still_read_and_knows_nothing_of_cpu_time(draw: Draw) -> None:
    frame = draw("00", "11")
    assert {span.on_cpu for span in frame.trace.spans} != {None}
    [back] = parse(json.dumps(as_of_version(2, raced(frame))).encode())
    assert same(back, without_cpu_time(frame))
    assert {span.on_cpu for span in back.trace.spans} == {None}


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"kind": "parade"}, "2 runs cannot be a parade"),
        ({"kind": "draw"}, "2 runs cannot be a draw"),
        ({"kind": []}, "expected text"),
        ({"not_run": [["cuda"]]}, "not enough values"),
        ({"not_run": [["cuda", None]]}, "expected text"),
    ],
)
def test_a_race_that_contradicts_itself_is_refused(draw: Draw, change: dict[str, Any], why: str) -> None:
    stored = json.loads(write(raced(draw("0"), draw("0"))))
    with pytest.raises(InputError, match=why):
        parse(json.dumps(stored | change).encode())


def test_a_trace_of_another_version_is_refused_with_both_numbers(draw: Draw) -> None:
    stored = json.loads(write(Frames((draw("0"),)))) | {"version": 5}
    with pytest.raises(InputError, match="version 5, and this program reads 1 to 4"):
        parse(json.dumps(stored).encode())


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "not valid JSON"),
        (b"\xff\xfe", "not valid JSON"),
        (b"[" * 100_000, "not valid JSON"),
        (b"[]", "schema"),
        (b'{"schema": "render-trace", "version": 1}', "'runs' is missing"),
        (b'{"schema": "render-trace", "version": 2, "picture": "", "steps": null, "runs": []}', "contains no run"),
    ],
)
def test_what_is_no_saved_trace_is_refused(data: bytes, why: str) -> None:
    with pytest.raises(InputError, match=why):
        parse(data)


def damaged(frame: Frame, change: Callable[[dict[str, Any]], object]) -> bytes:
    stored = json.loads(write(Frames((frame,))))
    change(stored["runs"][0])
    return json.dumps(stored).encode()


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda run: run["spans"].append([0, 0, "paint", 5, 4, 0]), "ends at 4, before it starts at 5"),
        (lambda run: run["spans"].append([0, 0, "paint", -5, 4, 0]), "whole number from 0"),
        (lambda run: run["spans"].append([0, 0, "paint", 0.5, 4, 0]), "whole number"),
        (lambda run: run["spans"].append([0, 0, "paint", True, 4, 0]), "whole number"),
        (lambda run: run["spans"].append([0, 0, "paint", 1, 1 << 63, 0]), "whole number"),
        (lambda run: run["spans"].append([9, 0, "paint", 1, 2, 0]), "no worker 9"),
        (lambda run: run["spans"].append([0, 6, "paint", 1, 2, 0]), "no tile 6"),
        (lambda run: run["spans"].append([0, 0, "doze", 1, 2, 0]), "no kind of time 'doze'"),
        (lambda run: run["spans"].append([0, 0, ["paint"], 1, 2, 0]), "no kind of time"),
        (lambda run: run["spans"].append([9, 0, "block", 1, 2, -1]), "no worker 9"),
        (lambda run: run["spans"].append([0, 6, "block", 1, 2, -1]), "no tile 6"),
        (lambda run: run["spans"].append([0, 0, "block", 2, 1, -1]), "ends at 1, before it starts at 2"),
        (lambda run: run["spans"].append([0, 0, "blocks", 1, 2, -1]), "no kind of time 'blocks'"),
        (lambda run: run["spans"].append([0, 0, "paint", 1, 2, 0, 0]), "not enough values"),
        (lambda run: run["spans"].append([0, 0, "paint", 1, 2, 0, 0, -1]), "whole number from 0"),
        (lambda run: run["spans"].append([0, 0, "paint", 1, 2, 0, -2, 1]), "whole number from -1"),
        (lambda run: run["spans"].append([0, 0]), "not enough values"),
        (lambda run: run["spans"].append("span"), "expected a list"),
        (lambda run: run["workers"].append([1, 2, 3]), "expected text"),
        (lambda run: run.update(facts=[]), "expected an object"),
        (lambda run: run.update(ended=0, asked=1), "ended before it began"),
        (lambda run: run.update(sha256="0"), "does not match its sha256"),
        (lambda run: run.pop("total_steps"), "'total_steps' is missing"),
        (lambda run: run["request"].update(width=49), "size of its request"),
        (lambda run: run["request"].update(scene=5), "scene is 5, which is no text"),
        (lambda run: run["request"].update(backend=[]), "backend is .*, which is no text"),
        (lambda run: run["request"].update(width=True), "width is True"),
        (lambda run: run["facts"].update(lesson={}), "fact 'lesson' is neither number nor text"),
        (lambda run: run["facts"].update(cpu=[["a"]]), "fact 'cpu' is neither number nor text"),
        (lambda run: run["facts"].update(cpu=float("nan")), "not valid JSON"),
        (lambda run: run["request"].update(limit=0), "limit is 0"),
        (lambda run: run["request"].update(parameters={"x": [1]}), "neither number nor text"),
        (lambda run: run["request"].pop("mode"), "not a stored request"),
    ],
)
def test_a_damaged_run_is_refused_with_the_reason(draw: Draw, change: Callable[[Any], object], why: str) -> None:
    with pytest.raises(InputError, match=why):
        parse(damaged(draw("0"), change))


def test_a_trace_without_runs_is_refused(draw: Draw) -> None:
    stored = json.loads(write(Frames((draw("0"),)))) | {"runs": []}
    with pytest.raises(InputError, match="it contains no run"):
        parse(json.dumps(stored).encode())


def test_steps_that_unpack_to_more_than_the_picture_are_refused(draw: Draw) -> None:
    large, small = (json.loads(write(Frames((draw("0", width=width),)))) for width in (2000, 48))
    with pytest.raises(InputError, match="steps do not fit"):
        parse(json.dumps(small | {"steps": large["steps"]}).encode())


@shared
@given(st.data())
def test_a_truncated_file_is_refused(draw: Draw, data: st.DataObject) -> None:
    whole = write(Frames((draw("01", "23"),)))
    with pytest.raises(InputError):
        parse(whole[: data.draw(st.integers(0, len(whole) - 1))])


junk = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 2**70) | st.floats() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["x", "tile"]), inner, max_size=2),
    max_leaves=4,
)


def paths(value: Any, here: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The way to every place of a JSON document."""
    keys: Any = value.keys() if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    return [here, *(path for key in keys for path in paths(value[key], (*here, key)))]


@shared
@given(st.data(), junk)
def test_junk_anywhere_is_refused_or_means_something(draw: Draw, data: st.DataObject, value: Any) -> None:
    stored = json.loads(write(Frames((draw("01", "23"),))))
    *way, last = data.draw(st.sampled_from([path for path in paths(stored) if path]))
    place: Any = stored
    for key in way:
        place = place[key]
    place[last] = value
    refused = None
    try:
        frames = parse(json.dumps(stored).encode())
        assert all(map(same, parse(write(frames)), frames))
    except InputError as error:
        refused = error
    assert refused is None or (refused.remedy and "\n" not in str(refused))


def test_a_trace_of_a_large_picture_is_read(draw: Draw, monkeypatch: pytest.MonkeyPatch) -> None:
    frame = draw("0")
    monkeypatch.setattr("PIL.Image.MAX_IMAGE_PIXELS", 5)
    assert same(parse(write(Frames((frame,))))[0], frame)
    with pytest.raises(InputError, match="does not have the size of its request"):
        parse(damaged(frame, lambda run: run["request"].update(width=47)))
