"""Workers that are kept between runs: one run has them at a time, and whatever is not kept is closed."""

from __future__ import annotations

import pytest

from render.backends import Kept


class Workers:
    """Workers that know whether they were closed."""

    def __init__(self) -> None:
        self.closed = False

    def close(self) -> None:
        """Note it."""
        self.closed = True


def test_a_run_gets_those_of_the_last_that_fit_and_no_two_runs_the_same() -> None:
    kept = Kept[Workers](2)
    with kept.lend(lambda _: True, Workers) as first, kept.lend(lambda _: True, Workers) as second:
        assert first is not second
    with kept.lend(lambda one: one is second, Workers) as again:
        assert again is second
    with kept.lend(lambda _: False, Workers) as third:
        pass
    assert [one.closed for one in (first, second, third)] == [True, False, False], "the one used longest ago goes"
    kept.close()
    assert second.closed
    assert third.closed


def test_those_of_a_run_that_failed_are_closed_and_not_kept() -> None:
    kept = Kept[Workers](1)
    with pytest.raises(KeyboardInterrupt), kept.lend(lambda _: True, Workers) as first:
        raise KeyboardInterrupt
    assert first.closed
    with kept.lend(lambda _: True, Workers) as second:
        assert second is not first
