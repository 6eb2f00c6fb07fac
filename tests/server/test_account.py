"""What a server would have taken the other way is computed exactly, and said to be."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from render.server.account import Account, Need, format_sentences, replay
from render.server.record import Record, Setting
from render.trace import Span, Worker
from tests.conftest import FakeClock

MS = 1_000_000
FOUR = [Need(0, 50 * MS, 20 * MS)] * 4


def test_switching_waits_for_all_data_at_once_and_paints_one_after_the_other() -> None:
    assert replay(FOUR, 1, switching=True) == [70 * MS, 90 * MS, 110 * MS, 130 * MS]
    assert replay(FOUR, 1, switching=False) == [70 * MS, 140 * MS, 210 * MS, 280 * MS]
    assert replay(FOUR, 2, switching=False) == [70 * MS, 70 * MS, 140 * MS, 140 * MS]


NEEDS = st.lists(st.builds(Need, st.integers(0, 100), st.integers(0, 50), st.integers(0, 50)), min_size=1, max_size=12)


@given(NEEDS, st.integers(1, 4))
def test_the_last_of_all_is_never_later_with_switching(needs: list[Need], workers: int) -> None:
    both = [replay(needs, workers, switching=switching) for switching in (True, False)]
    ends = [max(need.arrived + took for need, took in zip(needs, taken, strict=True)) for taken in both]
    if workers == 1:
        assert ends[0] <= ends[1]
    for taken in both:
        assert all(took >= need.data + need.busy for need, took in zip(needs, taken, strict=True))


def recorded(setting: Setting, times: list[tuple[int, int, int, int]]) -> Record:
    """A record of painted requests: (arrived, data there, painting from, painting until), in ms."""
    clock = FakeClock()
    record = Record(setting, clock)
    for user, (arrived, there, t0, t1) in enumerate(times, 1):
        clock.now = arrived * MS
        asked = record.arrive(user, "0/0/0")
        if there > arrived:
            asked.waits = [Span(Worker(1, 1), 0, "wait", arrived * MS, there * MS)]
        asked.paints = [Span(Worker(1, 2), 0, "paint", t0 * MS, t1 * MS)]
        asked.busy_ns = (t1 - t0) * MS
        asked.finish(t1 * MS, "painted")
    return record


def test_sentences_give_both_figures_and_claim_no_more() -> None:
    switching = Setting(1, switching=True, data_ns=50 * MS)
    record = recorded(switching, [(0, 50, 50, 70), (0, 50, 70, 90), (0, 50, 90, 110), (0, 50, 110, 130)])
    said = " ".join(format_sentences(record.since(0), switching))

    assert Account.of(record.since(0), switching) == (4, 4, 0.1, 0.175)
    assert "Four users waited 100 ms for a tile on average (4 requests)" in said
    assert "had the worker done one request at a time, it would have been 175 ms, as computed" in said
    assert "At most 4 requests waited for data beside each other: that is concurrency" in said
    assert "The one worker painted one tile at a time." in said

    alone = recorded(switching, [(0, 50, 50, 70)])
    assert "about the same" in format_sentences(alone.since(0), switching)[0]
    assert format_sentences([], switching) == ["Nobody has been served lately."]


def test_a_record_never_grows_and_becomes_a_run_of_its_tiles() -> None:
    setting = Setting(1, switching=True, data_ns=0)
    record = Record(setting, FakeClock(), kept=3)
    for user in range(9):
        record.arrive(user, "0/0/0").finish(1, "cached")
    assert len(record) == 3
    assert record.to_frames() is None
