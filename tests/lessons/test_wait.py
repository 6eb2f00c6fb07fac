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
BOTH = drawn("...00", "...11", mode="parallel", wait_ns=3 * MS)
BESIDE = [Span(Worker(7, number), number, "wait", MS, 4 * MS) for number in (0, 1)]
SEVERAL_WAIT = replace(BOTH, trace=replace(BOTH.trace, spans=(*BESIDE, *BOTH.trace.spans)))
ALONE = waits("...00", (0, 1, 4), mode="sequential"), waits("...0", (0, 1, 4), mode="concurrent")
JUGGLING = waits("...0011", (0, 1, 4), (1, 1, 4), mode="concurrent")


def test_where_it_is_carried_juggling_wins_by_the_waiting() -> None:
    frames = PLAIN, JUGGLED, SEVERAL, PATIENT, JUGGLING, SEVERAL_WAIT
    assert wait.enough(frames)
    plain, waiting, most, several = wait.follows(frames)
    assert "about the same: there was nothing to win, for the worker in sequence was idle for only 0 ms" in plain
    assert "with 2 waits of 3 ms, juggling took 7 ms and one tile after the other 10 ms, 1.43 times as fast" in waiting
    assert "the one that juggles went on with other tiles, and was idle for 3 ms" in waiting
    assert "at a tile for 4 ms of its 7 ms" in most
    assert several.endswith("took 5 ms (2.00 on a CPU on average): more workers were faster still")


def test_where_the_repeats_differ_by_more_nothing_is_won() -> None:
    noisy = waits("...0011", (0, 1, 4), (1, 1, 4), mode="concurrent", seconds=(0.007, 0.02, 0.006))
    frames = PLAIN, JUGGLED, SEVERAL, PATIENT, noisy, SEVERAL_WAIT
    assert not wait.enough(frames)
    assert "about the same" in list(wait.follows(frames))[1]
    assert "nothing is won clearly this time" in list(wait.follows(frames))[1]


def test_a_gain_without_waiting_is_not_explained() -> None:
    frames = PLAIN, drawn("0123", mode="concurrent"), SEVERAL, PATIENT, JUGGLING, SEVERAL_WAIT
    assert "the traces do not show why it won, so run it again" in next(wait.follows(frames))
    assert not wait.enough(frames)


def test_with_one_tile_there_is_nothing_to_juggle_and_nothing_to_tell() -> None:
    frames = PLAIN, JUGGLED, SEVERAL, *ALONE, ALONE[0]
    assert wait.enough(frames)
    _, waiting, _, several = wait.follows(frames)
    assert "with 1 wait of 3 ms" in waiting
    assert "no other to go on with meanwhile, so give a smaller --tile" in waiting
    assert "only one got a tile" in several


def test_a_gain_that_is_no_waiting_is_not_explained_by_it() -> None:
    """It painted in a fifth of the time, and waited as long."""
    slow, quick = (
        waits("...0000000000...1111111111", (0, 1, 4), (1, 14, 17), mode="sequential"),
        waits("...00..01.", (0, 1, 4), (1, 1, 4), mode="concurrent"),
    )
    frames = PLAIN, JUGGLED, SEVERAL, slow, quick, SEVERAL_WAIT
    assert not wait.enough(frames)
    assert "that alone does not explain what it won" in list(wait.follows(frames))[1]


def test_how_waits_ran_beside_each_other_is_told_event_by_event() -> None:
    found = wait.close_up((PLAIN, JUGGLED, SEVERAL, PATIENT, JUGGLING, SEVERAL_WAIT))
    assert found is not None
    assert [event.at // MS for event in found.events] == [1, 1, 4, 6]
    assert found.events[-1].text == "paints tile 1, whose data came after 3 ms"
    assert wait.close_up((PLAIN, JUGGLED, SEVERAL, *ALONE, SEVERAL)) is None
