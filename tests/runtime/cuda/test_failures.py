"""Each call of the driver fails once, wherever it comes: one clear error or the right picture, and nothing is left."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from itertools import cycle
from typing import Any

import pytest

import render
from render import engine, options
from render.errors import RenderError
from render.frontend.cli import main
from render.runtime.cuda import discovery
from tests.gpu_driver import GPU

from .test_device import Imitation
from .test_kept import CLOSING, driver

__all__ = ["driver"]  # the fixture

pytestmark = pytest.mark.slow  # some hundred frames and more

FRAME: dict[str, Any] = {"size": "24x8", "tile": "8x8", "samples": 2, "limit": 20}
WORDS = [word for name, value in FRAME.items() for word in (f"--{name}", str(value))]
CODES = (2, 400, 719)  # no memory, a wrong handle, a failed launch
FRAMES = 3


@pytest.fixture(scope="module")
def expected() -> str:
    """The frame's hash, as the CPU paints it."""
    return engine.draw(options.complete(mode="sequential", target="scalar", **FRAME)).sha256


def failing(driver: Imitation, scenario: Callable[[], object]) -> Iterator[str]:
    """Let each call that a scenario makes where nothing fails be the one that fails, with each of CODES in turn.

    Gives which it is. After the scenario all memory must be given back, but by what has failed.
    """
    scenario()
    calls = Counter(driver.calls)
    codes = cycle(CODES)
    for name, count in calls.items():
        for number in range(1, count + 1):
            driver.calls.clear()
            driver.failures = {name: (number, next(codes))}
            yield f"{name}, call {number}, {driver.failures[name][1]}"
            assert name in CLOSING or not driver.memory, name
            driver.gpu.pieces.clear()
            driver.pinned.pieces.clear()
    driver.failures = {}


def draw_frames(expected: str) -> list[RenderError]:
    """Draw some frames of a session, each right or with an error."""
    errors: list[RenderError] = []
    with render.session(mode="cuda", **FRAME) as session:
        for _ in range(FRAMES):
            try:
                assert session.draw().sha256 == expected
            except RenderError as error:
                errors.append(error)
    return errors


def test_a_session_goes_on_after_any_failure(driver: Imitation, expected: str) -> None:
    """Whatever failed in one frame, the next is right; no failure is reported twice, and none without what to do."""
    for where in failing(driver, lambda: draw_frames(expected)):
        errors = draw_frames(expected)

        assert len(errors) <= 1, where
        assert all(error.exit_code in (1, 4) and str(error) and error.remedy for error in errors), where


def test_of_two_gpus_one_may_fail(driver: Imitation, expected: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The other paints its tiles; the picture is right, and nobody sees an error."""
    both = (GPU, GPU._replace(number=1))
    monkeypatch.setattr(discovery, "find", lambda **_: discovery.Gpus(both, None, "", (13, 0), both))

    for where in failing(driver, lambda: draw_frames(expected)):
        assert not draw_frames(expected), where


@pytest.mark.parametrize(
    ("words", "codes"),
    [
        (["draw", "--mode", "cuda", "--out", "a.png"], {0, 1, 4}),
        (["race", "--modes", "sequential,cuda", "--repeat", "2", "--out", "a.svg"], {0, 1, 3, 4}),
        (["film", "a.webp", "--mode", "cuda", "--seconds", "0.2", "--fps", "10"], {0, 1, 4}),
    ],
    ids=["draw", "race", "film"],
)
@pytest.mark.usefixtures("own_folder")
def test_a_command_ends_with_one_cause_and_one_remedy(
    words: list[str], codes: set[int], driver: Imitation, capsys: pytest.CaptureFixture[str]
) -> None:
    seen = Counter[int]()
    for where in failing(driver, lambda: main([*words, *WORDS])):
        capsys.readouterr()
        code = main([*words, *WORDS])
        said = capsys.readouterr().err
        seen[code] += 1

        assert code in codes, (where, said)
        assert "Traceback" not in said, where
        assert "bug in render" not in said, (where, said)
        if code:
            assert said.count("render: ") >= 1, (where, said)
    assert seen[0]
    assert len(seen) > 1
