"""Threads that give no sign of life: one that hangs is named, and none because somebody stopped the whole process."""

from __future__ import annotations

from collections.abc import Callable
from threading import Thread
from types import SimpleNamespace

import pytest

from render.painting import liveness
from render.painting.liveness import LOOK_SECONDS, QUIET_FACTOR, QUIET_SECONDS, ThreadWatch, quiet_limit
from render.request import Request

SECOND = 1_000_000_000


class Seconds:
    """A clock that stands still until it is told otherwise."""

    now = 100.0

    def look(self, watch: ThreadWatch, seconds: float) -> tuple[int, float] | None:
        """Look at the threads as often as whoever waits does, for so long; return the last thing that was seen."""
        found = None
        for _ in range(round(seconds / LOOK_SECONDS)):
            self.now += LOOK_SECONDS
            found = watch.find_hung()
        return found


@pytest.fixture
def seconds(monkeypatch: pytest.MonkeyPatch) -> Seconds:
    clock = Seconds()
    told = SimpleNamespace(monotonic=lambda: clock.now, monotonic_ns=lambda: round(clock.now * SECOND))
    monkeypatch.setattr(liveness, "time", told)
    return clock


def beside(act: Callable[[], None]) -> None:
    """Do it in another thread."""
    thread = Thread(target=act)
    thread.start()
    thread.join()


def test_a_worker_may_be_quiet_for_what_its_tiles_take_and_wait(ask: Callable[..., Request]) -> None:
    assert quiet_limit(ask(), 0) == QUIET_SECONDS
    assert quiet_limit(ask(), 30 * SECOND) == 30 * QUIET_FACTOR
    assert quiet_limit(ask(wait_ns=7 * SECOND), 0) == QUIET_SECONDS + 7
    assert quiet_limit(ask(tile_timeout_ns=2 * SECOND, wait_ns=7 * SECOND), 30 * SECOND) == 9


def test_a_thread_hangs_when_all_that_are_left_give_no_sign(ask: Callable[..., Request], seconds: Seconds) -> None:
    watch = ThreadWatch(ask(tile_timeout_ns=2 * SECOND))
    watch.write_tile(3)
    beside(lambda: watch.write_tile(4))
    assert seconds.look(watch, 1.5) is None
    watch.write_heartbeat()
    assert seconds.look(watch, 1.5) is None, "one goes on"
    found = seconds.look(watch, 3)
    assert found is not None
    assert found[0] == 3
    assert found[1] > 2
    watch.leave()
    assert watch.find_hung() is not None, "the other is left"
    watch = ThreadWatch(ask(tile_timeout_ns=2 * SECOND))
    assert seconds.look(watch, 9) is None, "nobody paints"


def test_a_process_that_was_stopped_as_a_whole_hangs_not(ask: Callable[..., Request], seconds: Seconds) -> None:
    watch = ThreadWatch(ask(tile_timeout_ns=2 * SECOND))
    watch.write_tile(3)
    assert seconds.look(watch, 1) is None
    seconds.now += 3600
    assert watch.find_hung() is None
    assert seconds.look(watch, 3) is not None


def test_of_threads_in_another_process_the_first_that_is_silent_is_named(
    ask: Callable[..., Request], seconds: Seconds
) -> None:
    watch = ThreadWatch(ask(tile_timeout_ns=2 * SECOND))
    watch.write_tile(3)
    seconds.now += 1
    beside(lambda: watch.write_tile(4))
    assert watch.find_silent() is None
    seconds.now += 1.5
    assert watch.find_silent() == (3, 2.5)
    watch.write_heartbeat()
    assert watch.find_silent() is None
