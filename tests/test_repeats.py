"""How often a race repeats its runs, and which repeat is shown: on a clock that the tests set."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from render import engine
from render.errors import ModeUnavailable, UsageError
from render.findings import repeats
from render.findings.repeats import LEAST, MOST, SECONDS, Rounds, choose_median, parse_rounds, share_pixels
from render.frame import Frame
from render.request import Request
from tests.outputs.conftest import drawn

SHORT, LONG, LONGER = (drawn("0" * length) for length in (3, 5, 9))


def rounds_of(each: float, rounds: Rounds) -> int:
    """How many rounds are made that take so many seconds each."""
    made = 1
    while rounds.needs_more(made, made * each, ()):
        made += 1
    return made


@given(st.floats(0.001, 60))
def test_a_race_makes_three_rounds_and_more_where_they_fit(each: float) -> None:
    made = rounds_of(each, Rounds())
    assert made % 2 == 1
    assert LEAST <= made <= MOST
    assert made == LEAST or made * each <= SECONDS * (1 + 1e-9)


def test_a_quick_race_is_repeated_most_often_and_a_slow_one_three_times() -> None:
    assert rounds_of(0.01, Rounds()) == MOST
    assert rounds_of(3.4, Rounds()) == LEAST


@pytest.mark.parametrize("asked", [1, 2, 7, "4"])
def test_as_many_rounds_as_asked_for_are_made(asked: int | str) -> None:
    assert rounds_of(100.0, parse_rounds(asked)) == rounds_of(0.001, parse_rounds(asked)) == int(asked)


@pytest.mark.parametrize("asked", [0, -1, "many", "1.5", 10**9])
def test_a_number_of_rounds_that_makes_no_sense_is_refused(asked: int | str) -> None:
    with pytest.raises(UsageError, match="--repeat is"):
        parse_rounds(asked)


def test_a_lesson_is_repeated_until_it_is_carried_or_patience_ends() -> None:
    answers = iter([False, False, True])
    assert rounds_of(1.0, Rounds(seconds=0.0, enough=lambda _: next(answers))) == LEAST + 2
    assert rounds_of(1.0, Rounds(seconds=0.0, enough=lambda _: False)) == MOST
    assert rounds_of(10.0, Rounds(seconds=0.0, patience=45, enough=lambda _: False)) == 5


def test_the_repeat_of_median_time_is_shown_and_knows_all_times() -> None:
    shown = choose_median([LONGER, SHORT, LONG], LONG)
    assert shown.trace.spans == LONG.trace.spans
    assert shown.trace.facts["seconds_all"] == [0.009, 0.003, 0.005]
    assert choose_median([LONGER, SHORT], LONG).trace.spans == SHORT.trace.spans


def test_a_repeat_with_another_picture_is_not_hidden_by_the_median() -> None:
    torn = drawn("0" * 20, colour=9)
    assert choose_median([SHORT, torn, LONG], SHORT).sha256 == torn.sha256


def test_equal_pixels_are_kept_once() -> None:
    assert share_pixels(LONG, SHORT).rgb is SHORT.rgb
    assert share_pixels(LONG, SHORT).trace == LONG.trace
    torn = drawn("0", colour=9)
    assert share_pixels(torn, SHORT) is torn
    other = replace(LONG, steps=np.asarray(LONG.steps) + 1)
    assert share_pixels(other, SHORT).steps is other.steps


@pytest.fixture
def painted(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The modes in the order in which a race paints them; each takes as many ms as it has been painted before."""
    order: list[str] = []

    def paint(request: Request, **_more: Any) -> Frame:
        order.append(request.mode)
        return replace(drawn("0" * (1 + order.count(request.mode))), request=request)

    monkeypatch.setattr(engine, "draw", paint)
    return order


def test_modes_run_in_turn(painted: list[str], ask: Callable[..., Request]) -> None:
    wanted_: Sequence[Request] = [ask(mode=mode) for mode in ("sequential", "concurrent")]
    race = engine.race(wanted_, rounds=repeats.parse_rounds(3))
    assert painted == ["sequential", "concurrent"] * 3
    assert [frame.trace.facts["seconds_all"] for frame in race] == [[0.002, 0.003, 0.004]] * 2


def test_the_runs_of_each_story_follow_the_plain_ones_and_have_rounds_of_their_own(
    painted: list[str], ask: Callable[..., Request]
) -> None:
    one, other = ask(mode="sequential"), ask(mode="concurrent")
    told = [
        engine.Entrant(other, {"story": "b"}),
        engine.Entrant(one, {"story": "a"}),
        engine.Entrant(one, {"story": "b"}),
    ]
    race = engine.race([*told, other, one], rounds=repeats.parse_rounds(3), later=repeats.parse_rounds(2))
    assert painted == ["concurrent", "sequential"] * 3 + ["concurrent", "sequential"] * 2 + ["sequential"] * 2
    assert [len(frame.trace.facts["seconds_all"]) for frame in race] == [3, 3, 2, 2, 2]


def test_a_simulated_run_is_not_repeated(painted: list[str], ask: Callable[..., Request]) -> None:
    pair = [ask(mode="sequential"), ask(mode="concurrent", simulate=True)]
    race = engine.race(pair, rounds=repeats.parse_rounds(3))
    assert painted == ["sequential", "concurrent", "sequential", "sequential"]
    assert [len(frame.trace.facts["seconds_all"]) for frame in race] == [3, 1]


@pytest.mark.parametrize("others", [[], ["sequential"]])
def test_a_race_that_begins_with_a_simulated_run_ends(
    others: list[str], painted: list[str], ask: Callable[..., Request]
) -> None:
    race = engine.race([ask(mode="concurrent", simulate=True), *(ask(mode=mode) for mode in others)])
    assert painted.count("concurrent") == 1
    assert painted.count("sequential") == len(others) * MOST
    assert len(race) == 1 + len(others)


@pytest.mark.parametrize("refusing", ["sequential", "concurrent"])
def test_a_mode_whose_workers_do_not_start_is_left_out_and_the_rest_is_done(
    refusing: str, painted: list[str], monkeypatch: pytest.MonkeyPatch, ask: Callable[..., Request]
) -> None:
    paint = engine.draw

    def draw(request: Request, **more: Any) -> Frame:
        if request.mode == refusing:
            raise ModeUnavailable("no more threads")
        return paint(request, **more)

    monkeypatch.setattr(engine, "draw", draw)
    race = engine.race([ask(mode=mode) for mode in ("sequential", "concurrent")], rounds=repeats.parse_rounds(2))
    assert race.not_run == ((refusing, "no more threads"),)
    assert len(painted) == 2
    assert refusing not in painted
    with pytest.raises(ModeUnavailable):
        engine.race([engine.Entrant(ask(mode=refusing), {"lesson": "gil"})])


def test_a_race_of_nothing_ends(painted: list[str]) -> None:
    assert len(engine.race([])) == 0
    assert painted == []
