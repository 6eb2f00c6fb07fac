"""The table says what the traces show: each sentence is provoked by a timeline, and by nothing else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from render.frame import Frame, Frames
from render.outputs.table import WIDTH, draw_lines, race_table, write
from render.trace import Span, Worker

from .synthetic_card import with_card

Draw = Callable[..., Frame]


def said(*frames: Frame) -> str:
    """The table, its folded lines joined again."""
    return race_table(frames, ()).replace("\n  ", " ")


def test_a_draw_is_told_in_a_few_lines(draw: Draw) -> None:
    lines = draw_lines(draw("0022", "1133", mode="parallel"), ["a.png", "b.npz"])
    assert lines == [
        "mandelbrot, view default: 48 x 32 pixels, 1 sample each, limit 60, f64",
        "parallel: 4 tiles by 2 workers in 4 ms, at most 2 running (mean 2.00), 30.9 million steps a second",
        "6 ms in all: 67 % paint, 33 % other",
        "saved a.png, b.npz",
    ]
    assert "parallel (threading): " in draw_lines(draw(backend="threading", mode="parallel"), [])[1]


def test_a_draw_without_tiles_is_told_as_well(draw: Draw) -> None:
    assert draw_lines(draw(), [])[1:] == [
        "sequential: 0 tiles by 0 workers in 0 ms, at most 0 running (mean 0.00)",
        "2 ms in all: 100 % other",
        "nothing was saved",
    ]


def test_the_table_has_one_row_for_each_run(draw: Draw) -> None:
    frames = draw("00112233"), draw("01230123", mode="concurrent"), draw("0022", "1133", mode="parallel")
    assert race_table(frames, ()).splitlines()[:4] == [
        "mode        workers  tiles  seconds  speed-up  running  mean  in flight  switches  first",
        "sequential        1      4    0.008      1.00        1  1.00          1         0  0.003",
        "concurrent        1      4    0.008      1.00        1  1.00          4         4  0.005",
        "parallel          2      4    0.004      2.00        2  2.00          2         0  0.003",
    ]


def test_below_it_stands_how_the_painting_was_shared_out(draw: Draw) -> None:
    frames = draw("00112233"), draw("01230123", mode="concurrent"), draw("000.", "1122", mode="parallel")
    assert race_table(frames, ()).splitlines()[5:9] == [
        "mode          idle   fair  alone  longest    best   near  with start  efficiency  serial",
        "sequential     0 %  1.000   0 ms     2 ms    8 ms  100 %        1.00        1.00       -",
        "concurrent     0 %  1.000   3 ms     2 ms    8 ms  100 %        1.00        1.00       -",
        "parallel    0-25 %  0.980   0 ms     3 ms  3.5 ms   88 %        1.89        1.00   0.000",
    ]


def test_workers_and_cpus_that_were_claimed_are_checked(draw: Draw) -> None:
    told = said(draw("0011"), draw("00", "11", mode="parallel", facts={"asked": 2, "cpus": 1, "cpus_affinity": 1}))
    assert "asked 2 workers, 2 painted on 2 CPUs; this process may use 1 CPU (affinity): at most 1 can run" in told


def test_workers_without_a_cpu_each_are_at_a_tile_and_do_not_all_run(draw: Draw) -> None:
    told = said(draw("000111"), draw("00", "11", mode="parallel", facts={"asked": 2, "cpus": 1}))
    assert "parallel: 2 workers, up to 2 at a tile at the same instant" in told
    assert "painted at the same instant" not in told


def test_one_tile_after_the_other_is_called_so(draw: Draw) -> None:
    assert "sequential: one worker, one tile after the other" in said(draw("0011"))


def test_juggling_is_never_two_running(draw: Draw) -> None:
    told = "one worker, never two running, 2 tiles in flight at most, 2 switches: it juggles"
    assert told in said(draw("0101", mode="concurrent"))


def test_juggling_gains_no_time_without_waiting(draw: Draw) -> None:
    assert "gains no time, for nothing had to be waited for" in said(draw("0011"), draw("0101", mode="concurrent"))


def test_juggling_wins_on_one_worker_where_tiles_wait(draw: Draw) -> None:
    told = said(draw("..00..11", wait_ns=1), draw("0101", mode="concurrent", wait_ns=1))
    assert "and is 1.50 times as fast: while one tile waited for its data, the worker saw to another" in told


def test_parallel_reaches_several_running(draw: Draw) -> None:
    told = said(draw("0011"), draw("00", "11", mode="parallel"))
    assert "parallel: 2 workers, up to 2 running at the same instant (mean 2.00)" in told
    assert "fastest: parallel, 2 ms, 2.00 times as fast as sequential: 2 workers painted at the same instant" in told


def test_workers_that_never_run_together_take_turns(draw: Draw) -> None:
    assert "parallel: 2 workers, but never two running: they took turns" in said(draw("0.2.", ".1.3", mode="parallel"))


def test_a_frame_too_small_for_the_lesson_is_called_so(draw: Draw) -> None:
    assert "too small to show the lesson: one worker needs 4 ms" in said(draw("0011"))
    assert "too small" not in said(draw("0" * 400 + "1"))


def test_a_simulated_run_is_marked_and_never_the_fastest(draw: Draw) -> None:
    told = said(draw("0011"), draw("0000"), draw("0", mode="cuda", target="cuda", facts={"simulated": True}))
    assert "cuda, simulated: one worker" in told
    assert "fastest: sequential" in told
    assert told.splitlines()[3].split()[5] == "-"


def test_equal_pictures_share_one_hash(draw: Draw) -> None:
    frames = draw("0011"), draw("0101", mode="concurrent")
    assert f"all 2 pictures are equal: sha256 {frames[0].sha256}" in race_table(frames, ())


def test_pictures_that_differ_are_named(draw: Draw) -> None:
    frames = draw("0011"), draw("0101", mode="concurrent", colour=1), draw("0", "1", mode="parallel")
    one, other = frames[0].sha256[:16], frames[1].sha256[:16]
    assert f"THE PICTURES DIFFER, by sha256: sequential, parallel {one}; concurrent {other}" in said(*frames)


def test_a_mode_that_did_not_run_is_told_with_its_reason(draw: Draw) -> None:
    missing = [("cuda", "mode cuda cannot run here: there is no card")]
    assert "cuda did not run: there is no card" in race_table([draw("0")], missing)


def test_without_a_sequential_run_there_is_no_speed_up(draw: Draw) -> None:
    table = race_table([draw("00", mode="concurrent"), draw("0", mode="parallel")], ())
    assert table.splitlines()[1].split()[4] == "-"


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
    assert write(Frames(frames, "race", not_run)) == f"{race_table(frames, not_run)}\n".encode()
    assert write(Frames(frames[:1])) == ("\n".join(draw_lines(frames[0], ())[:3]) + "\n").encode()


@pytest.mark.parametrize("width", [40, 60, 80, 100])
def test_a_narrow_terminal_gets_a_narrow_table(width: int, draw: Callable[..., Frame]) -> None:
    told = race_table([draw("0011"), draw("00", "11", mode="parallel", backend="threading")], [], width)

    assert max(map(len, told.splitlines())) <= max(width, 74)  # the hash is one word of 64 letters
    assert "seconds" in told.splitlines()[0]
    assert "running" in told.splitlines()[0]


def test_a_cards_multiprocessors_are_a_line_of_their_own(draw: Draw) -> None:
    plain = draw("0022", "1133", mode="cuda")
    own = [Worker(7, number, "a card multiprocessor") for number in range(2)]
    blocks = (Span(own[0], 0, "block", 10, 20), Span(own[1], 0, "block", 10, 15))
    frame = replace(plain, trace=replace(plain.trace, spans=(*plain.trace.spans, *blocks)))
    told = "multiprocessors: 2 painted, 1.5 at once on average, 75 % busy; least busy: number 1, 50 %"
    assert [line for line in draw_lines(frame, []) if line not in draw_lines(plain, [])] == [told]
    assert f"  {told}" in race_table([frame], ()).splitlines()
    there = replace(frame, trace=replace(frame.trace, facts={"multiprocessors": 132}))
    assert "multiprocessors: 2 of 132 painted" in said(there)
    assert "multiprocessors" not in said(plain)


def test_streams_are_queues_and_not_measured_as_hands_of_their_own(draw: Draw) -> None:
    card = with_card(draw(), bands=6, multiprocessors=20)
    row = next(line for line in race_table([draw("0011"), card], ()).splitlines()[5:] if line.startswith("cuda"))
    assert row.split()[1:3] == ["-", "-"]
    assert row.split()[-1] == "-"
