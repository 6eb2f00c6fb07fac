"""The table says what the traces show: each sentence is provoked by a timeline, and by nothing else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from render.findings import conclusions, evidence, sentences
from render.frame import Frame, Frames
from render.outputs.table import WIDTH, draw_lines, race_table, write
from render.trace import Span, Worker
from tests.recount import of_table

from .synthetic_gpu import with_gpu

Draw = Callable[..., Frame]


def said(*frames: Frame) -> str:
    """The table, its folded lines joined again."""
    return race_table(frames, ()).replace("\n  ", " ")


def test_a_draw_is_told_in_a_few_lines(draw: Draw) -> None:
    lines = draw_lines(draw("0022", "1133", mode="parallel"), ["a.png", "b.npz"])
    assert lines == [
        "mandelbrot, view default: 48 x 32 pixels, 1 sample each, limit 60, f64",
        "parallel: 2 workers painted 4 tiles in 4 ms (2 by worker 0 and 2 by worker 1): on average 2.00 were",
        "  at a tile (at most 2), and 2.00 on a CPU. This is parallelism.",
        "6 ms in all: 67 % paint, 33 % other; 30.9 million steps a second",
        "saved a.png, b.npz",
    ]
    assert "parallel (threading): " in draw_lines(draw(backend="threading", mode="parallel"), [])[1]


def test_a_draw_without_tiles_is_told_as_well(draw: Draw) -> None:
    assert draw_lines(draw(), [])[1:] == [
        "sequential: No tile was painted.",
        "2 ms in all: 100 % other",
        "nothing was saved",
    ]


def test_a_draw_says_what_a_race_says_of_the_same_run(draw: Draw) -> None:
    frame = draw("0022", "1133", mode="parallel", given=0.3, facts={"cpus": 1, "cpus_affinity": 1})
    alone = "\n".join(draw_lines(frame, [])).replace("\n  ", " ")
    for told in sentences.of(evidence.Run(frame)):
        assert told in alone
        assert told in said(frame)


def test_the_table_has_one_row_for_each_run(draw: Draw) -> None:
    frames = draw("00112233"), draw("01230123", mode="concurrent"), draw("0022", "1133", mode="parallel", given=0.5)
    assert table_below(race_table(frames, ()), "run")[:4] == [
        "run         workers  seconds  speed-up  on a CPU  in flight",
        "sequential        1    0.008      1.00      1.00          1",
        "concurrent        1    0.008      1.00      1.00          4",
        "parallel          2    0.004      2.00      1.00          2",
    ]


def test_what_else_there_is_to_tell_stands_behind_it_for_those_who_ask(draw: Draw) -> None:
    frames = draw("00112233"), draw("01230123", mode="concurrent"), draw("000.", "1122", mode="parallel")
    repeated = {"seconds_all": [0.008, 0.012, 0.007]}
    first = replace(frames[0], trace=replace(frames[0].trace, facts=frames[0].trace.facts | repeated))
    text = race_table([first, *frames[1:]], (), figures=True)
    assert table_below(text, "run         tiles") == [
        "run         tiles  spread  at a tile  waiting  switches  first",
        "sequential      4    62 %          1        0         0  0.003",
        "concurrent      4       -          1        0         4  0.005",
        "parallel        3       -          2        0         0  0.003",
    ]
    assert table_below(text, "run           idle") == [
        "run           idle   fair  alone  longest    best   near  with start  efficiency  serial",
        "sequential     0 %  1.000   0 ms     2 ms    8 ms  100 %        1.00        1.00       -",
        "concurrent     0 %  1.000   3 ms     2 ms    8 ms  100 %        1.00        1.00       -",
        "parallel    0-25 %  0.980   0 ms     3 ms  3.5 ms   88 %        1.89        1.00   0.000",
    ]
    assert "fair" not in race_table(frames, ())


def table_below(text: str, heads: str) -> list[str]:
    """The lines of the table with these heads, as far as the next empty line."""
    lines = [*text.splitlines(), ""]
    at = next(number for number, line in enumerate(lines) if line.startswith(heads))
    return lines[at : lines.index("", at)]


def test_where_cpu_time_is_not_known_there_is_no_figure(draw: Draw) -> None:
    [row] = of_table(race_table([draw("0011", given=None)], ()))
    assert row["on a CPU"] == "-"


def test_more_speed_up_than_workers_has_no_serial_fraction(draw: Draw) -> None:
    row = of_table(race_table([draw("00001111"), draw("00", "11", mode="parallel")], (), figures=True))[1]
    assert (row["efficiency"], row["serial"]) == ("2.00", "-")


def test_first_stands_what_is_said_of_each_run_and_of_all(draw: Draw) -> None:
    frames = draw("0011"), draw("00", "11", mode="parallel")
    told, entered = said(*frames), evidence.build_runs(frames)
    for run in entered:
        assert f"\n{run.frame.title}: {' '.join(sentences.of(run))}\n" in told
    for sentence in conclusions.of(entered):
        assert sentence in told


def test_a_simulated_run_has_no_speed_up(draw: Draw) -> None:
    told = said(draw("0011"), draw("0000"), draw("0", mode="cuda", target="cuda", facts={"simulated": True}))
    assert of_table(told)[2]["speed-up"] == "-"


def test_equal_pictures_share_one_hash(draw: Draw) -> None:
    frames = draw("0011"), draw("0101", mode="concurrent")
    assert f"all 2 pictures are equal: sha256 {frames[0].sha256}" in race_table(frames, ())


def test_pictures_that_differ_are_named(draw: Draw) -> None:
    frames = draw("0011"), draw("0101", mode="concurrent", colour=1), draw("0", "1", mode="parallel")
    one, other = frames[0].sha256[:16], frames[1].sha256[:16]
    assert f"THE PICTURES DIFFER, by sha256: sequential, parallel {one}; concurrent {other}" in said(*frames)


def test_a_mode_that_did_not_run_is_told_with_its_reason(draw: Draw) -> None:
    missing = [("cuda", "mode cuda cannot run here: there is no GPU")]
    assert "cuda did not run: there is no GPU" in race_table([draw("0")], missing)


def test_a_race_in_which_nothing_ran_has_no_table() -> None:
    assert race_table([], [("cuda", "there is no GPU")]) == "cuda did not run: there is no GPU"


def test_without_a_sequential_run_there_is_no_speed_up(draw: Draw) -> None:
    table = race_table([draw("00", mode="concurrent"), draw("0", mode="parallel")], ())
    assert of_table(table)[0]["speed-up"] == "-"


@pytest.mark.parametrize("scale", [1, 10**6])
def test_the_table_fits_100_columns(draw: Draw, scale: int) -> None:
    frames = [draw("0101", "2323", mode=mode, backend="threading") for mode in ("sequential", "parallel", "concurrent")]
    frames = [replace(f, trace=replace(f.trace, spans=tuple(stretched(f, scale)))) for f in frames]
    table = race_table(frames, [("cuda", "no driver was found " * 20)])
    assert max(map(len, table.splitlines())) <= WIDTH


def stretched(frame: Frame, scale: int) -> list[Span]:
    return [span._replace(t0=span.t0 * scale, t1=span.t1 * scale) for span in frame.trace.spans]


def test_the_file_holds_the_same_words(draw: Draw) -> None:
    frames = draw("0011"), draw("0101", mode="concurrent")
    not_run = (("cuda", "there is no driver"),)
    assert write(Frames(frames, "race", not_run)) == f"{race_table(frames, not_run, figures=True)}\n".encode()
    assert write(Frames(frames[:1])) == ("\n".join(draw_lines(frames[0], ())[:-1]) + "\n").encode()


@pytest.mark.parametrize("width", [40, 60, 80, 100])
def test_a_narrow_terminal_gets_a_narrow_table(width: int, draw: Callable[..., Frame]) -> None:
    told = race_table([draw("0011"), draw("00", "11", mode="parallel", backend="threading")], [], width)

    assert max(map(len, told.splitlines())) <= max(width, 74)  # the hash is one word of 64 letters
    heads = table_below(told, "run")[0]
    assert "seconds" in heads
    assert "on a CPU" in heads
    assert all((f"{head}:" in told) == (head in heads) for head in ("speed-up", "on a CPU", "in flight"))


def test_a_gpus_multiprocessors_are_a_line_of_their_own(draw: Draw) -> None:
    plain = draw("0022", "1133", mode="cuda")
    own = [Worker(7, number, "a GPU multiprocessor") for number in range(2)]
    blocks = (Span(own[0], 0, "block", 10, 20), Span(own[1], 0, "block", 10, 15))
    frame = replace(plain, trace=replace(plain.trace, spans=(*plain.trace.spans, *blocks)))
    told = "multiprocessors: 2 painted, 1.5 at once on average, 75 % busy; least busy: number 1, 50 %"
    assert [line for line in draw_lines(frame, []) if line not in draw_lines(plain, [])] == [told]
    assert f"  {told}" in race_table([frame], ()).splitlines()
    there = replace(frame, trace=replace(frame.trace, facts={"multiprocessors": 132}))
    assert "multiprocessors: 2 of 132 painted" in said(there)
    assert "multiprocessors" not in said(plain)


def test_streams_are_queues_and_not_measured_as_hands_of_their_own(draw: Draw) -> None:
    gpu = with_gpu(draw(), bands=6, multiprocessors=20)
    row = of_table(race_table([draw("0011"), gpu], (), figures=True))[1]
    assert [row[head] for head in ("idle", "fair", "serial")] == ["-", "-", "-"]
