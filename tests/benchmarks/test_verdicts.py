"""Two runs of one machine differ only where the program does: verdicts from raw samples, on made-up noise."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

Load = Callable[[str], ModuleType]


@pytest.fixture(scope="module")
def verdicts(script: Load) -> Any:
    return script("harness.verdicts")


@pytest.fixture(scope="module")
def make_run(script: Load) -> Any:
    """Make a run of made-up cases: each pass has an offset, each sample a delay, and now and then a large one."""
    record = script("harness.record")

    def make(
        seed: int,
        *,
        cases: int = 40,
        passes: int = 5,
        drift: float = 1.0,
        disturbed: float = 0.0,
        slower: dict[int, float] | None = None,
    ) -> Any:
        random = np.random.default_rng(seed)
        made = record.Record({"cpu": "imagined"}, {})
        for number in range(cases):
            true = 1e-3 * (1 + number) * drift * (slower or {}).get(number, 1.0)
            samples: list[float] = []
            for _ in range(passes):
                own = true * math.exp(random.normal(0, 0.012))
                own *= 1 + (random.random() < disturbed) * random.uniform(0.02, 0.4)
                delays = random.exponential(0.02, 12) + (random.random(12) < 0.2) * random.exponential(1.5, 12)
                samples += list(own * (1 + delays))
            name = f"section/group {number}/case"
            made.cases[name] = {
                "name": name,
                "section": "section",
                "group": f"group {number}",
                "case": "case",
                "base": None,
                "samples": samples,
                "passes": [12] * passes,
                "equal": True,
                "control": number >= cases - 8,
            }
        return made

    return make


def words(found: dict[str, Any]) -> Counter[str]:
    return Counter(one.word for one in found.values())


def test_nothing_is_fast_or_slow_where_only_noise_differs(verdicts: Any, make_run: Any) -> None:
    found: Counter[str] = Counter()
    for seed in range(0, 10, 2):
        found += words(verdicts.compare(make_run(seed), make_run(seed + 1)))

    assert found.total() == 200
    assert found["FAST"] + found["SLOW"] <= 5  # of 100 at most 5 are allowed, here of 200


def test_a_kernel_that_takes_a_tenth_longer_is_found_and_no_other(verdicts: Any, make_run: Any) -> None:
    slower, faster = f"section/group {3}/case", f"section/group {5}/case"
    for seed in range(20, 30, 2):
        before, after = make_run(seed), make_run(seed + 1, slower={3: 1.1, 5: 1 / 1.1})
        found = verdicts.compare(before, after)

        assert found[slower].word == "SLOW"
        assert found[faster].word == "FAST"
        assert words(found)["SLOW"] + words(found)["FAST"] <= 3


def test_a_machine_that_is_slower_altogether_makes_no_case_slow(verdicts: Any, make_run: Any) -> None:
    found = words(verdicts.compare(make_run(40), make_run(41, drift=1.08)))

    assert found["SLOW"] == 0


def test_wall_times_that_others_made_longer_are_not_called_slower(verdicts: Any, make_run: Any) -> None:
    before, after = make_run(44), make_run(45, slower=dict.fromkeys(range(32), 1.5))  # not the controls
    assert words(verdicts.compare(before, after))["SLOW"] >= 30

    before.waited = {f"section/group {number}": [0.1] * 5 for number in range(32)}
    after.waited = {f"section/group {number}": [0.4] * 5 for number in range(32)}  # for a CPU: 0.9 / 0.6 is 1.5
    assert words(verdicts.compare(before, after))["SLOW"] == 0

    for run in (before, after):
        for row in run.cases.values():
            row["clock"] = "thread"  # CPU time runs only while the thread does
    assert words(verdicts.compare(before, after))["SLOW"] >= 30


def test_two_equal_runs_on_a_quiet_machine_are_the_same(verdicts: Any, make_run: Any) -> None:
    run = make_run(50, passes=8)

    assert words(verdicts.compare(run, run)) == {"SAME": 40}


def test_few_passes_carry_no_verdict_and_no_figure(verdicts: Any, make_run: Any) -> None:
    run = make_run(60, passes=2)

    assert set(words(verdicts.compare(run, make_run(61, slower={1: 3.0})))) == {"AMBIGUOUS"}
    assert "2 of 3 passes" in verdicts.unstable(run, run.cases["section/group 1/case"])


def test_a_pass_in_which_the_yardstick_was_slow_does_not_count(verdicts: Any, make_run: Any) -> None:
    run = make_run(70, cases=1)
    row = run.cases["section/group 0/case"]
    row["samples"][:12] = [2 * one for one in row["samples"][:12]]
    quiet = [[1e-3] * 3 for _ in range(4)]

    run.yardsticks["section/group 0"] = [[1.3e-3] * 3, *quiet]
    assert len(verdicts.undisturbed(run, row)) == 4
    run.yardsticks["section/group 0"] = [[1e-3] * 3, *quiet]
    assert len(verdicts.undisturbed(run, row)) == 5


def test_passes_that_were_disturbed_do_not_hide_a_slower_kernel(verdicts: Any, make_run: Any) -> None:
    found: Counter[str] = Counter()
    others: Counter[str] = Counter()
    for seed in range(80, 90, 2):
        before = make_run(seed, passes=8, disturbed=0.3)
        after = make_run(seed + 1, passes=8, disturbed=0.3, slower=dict.fromkeys(range(10), 1.1))
        compared = verdicts.compare(before, after)
        slowed = {f"section/group {number}/case" for number in range(10)}
        found += words({name: one for name, one in compared.items() if name in slowed})
        others += words({name: one for name, one in compared.items() if name not in slowed})

    assert found["SLOW"] >= 40  # of 50
    assert others["SLOW"] + others["FAST"] <= 3  # of 150


@settings(max_examples=30, deadline=None)
@given(st.lists(st.floats(1e-9, 1e3), min_size=1, max_size=30))
def test_what_counts_of_a_pass_lies_among_its_samples_and_is_never_above_the_median(
    verdicts: Any, samples: list[float]
) -> None:
    low = verdicts.quick(samples)

    assert min(samples) <= low <= sorted(samples)[len(samples) // 2] * (1 + 1e-12)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.floats(-3, 3), min_size=2, max_size=12), st.floats(1.01, 5))
def test_an_interval_scales_with_its_times(verdicts: Any, values: list[float], factor: float) -> None:
    one, other = verdicts.interval(values), verdicts.interval([value + math.log(factor) for value in values])

    assert other.middle == pytest.approx(factor * one.middle)
    assert one.low <= one.middle <= one.high
    assert other.half == pytest.approx(one.half, rel=1e-6, abs=1e-9)
