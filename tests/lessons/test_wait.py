"""The lesson about waiting: juggling is told to win where there is waiting, and only where the figures carry it."""

from __future__ import annotations

from dataclasses import replace

from render.frame import Frame
from render.lessons import wait
from render.trace import Span, Worker
from tests.outputs.conftest import MS, drawn

PLAIN, JUGGLED, SEVERAL = (
    drawn("00112233"),
    drawn("01230123", mode="concurrent"),
    drawn("0022", "1133", mode="parallel"),
)


def waits(timeline: str, *rows: tuple[int, int, int], mode: str, seconds: tuple[float, ...] = ()) -> Frame:
    """One worker's timeline, and (tile, from, to) of the waits in ms."""
    frame = drawn(timeline, mode=mode, wait_ns=3 * MS)
    spans = [Span(Worker(7, 0), tile, "wait", t0 * MS, t1 * MS) for tile, t0, t1 in rows]
    facts = frame.trace.facts | ({"seconds_all": list(seconds)} if seconds else {})
    return replace(frame, trace=replace(frame.trace, spans=(*spans, *frame.trace.spans), facts=facts))


PATIENT = waits("...00...11", (0, 1, 4), (1, 6, 9), mode="sequential")
JUGGLING = waits("...0011", (0, 1, 4), (1, 1, 4), mode="concurrent")


def test_where_it_is_carried_juggling_wins_by_the_waiting() -> None:
    frames = PLAIN, JUGGLED, SEVERAL, PATIENT, JUGGLING, JUGGLING
    assert wait.enough(frames)
    plain, waiting, most, several = wait.follows(frames)
    assert "about the same: there was nothing to win, for the worker in sequence stood idle for 0 ms only" in plain
    assert "with 2 waits of 3 ms, juggling took 7 ms and one tile after the other 10 ms, 1.43 times as fast" in waiting
    assert "who juggles sees to other tiles meanwhile, and stood idle for 3 ms" in waiting
    assert "at a tile for 4 ms of its 7 ms" in most
    assert several.endswith("juggling with one was about as good")


def test_where_the_repeats_differ_by_more_nothing_is_won() -> None:
    noisy = waits("...0011", (0, 1, 4), (1, 1, 4), mode="concurrent", seconds=(0.007, 0.02, 0.006))
    frames = PLAIN, JUGGLED, SEVERAL, PATIENT, noisy, JUGGLING
    assert not wait.enough(frames)
    assert "about the same" in list(wait.follows(frames))[1]
    assert "nothing is won clearly this time" in list(wait.follows(frames))[1]


def test_a_gain_without_waiting_is_not_explained() -> None:
    frames = PLAIN, drawn("0123", mode="concurrent"), SEVERAL, PATIENT, JUGGLING, JUGGLING
    assert "why it won, the traces do not tell, so run it again" in next(wait.follows(frames))
    assert not wait.enough(frames)
