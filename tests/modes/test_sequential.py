"""Mode sequential heeds signals in the midst of a tile, however long it takes; the tile is one span all the same."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from render import engine
from render.request import Request
from render.runtime.cpu import native, underway
from tests.conftest import HANGING

ROOT = Path(__file__).parents[2]
ENDLESS = [
    *("--mode", "sequential", "--size", "64", "--tile", "64", "--limit", "2000000000"),
    *("--set", "shortcuts=0", "--set", "zoom=100", "--set", "x=-0.1"),
]
TELLING = """\
import sys
from render.__main__ import run
from render.runtime.cpu import underway

def telling(self, budget, go=underway.Rectangle.paint_slice):
    print("slice", flush=True)
    return go(self, budget)

underway.Rectangle.paint_slice = telling
sys.exit(run())
"""
COMPILED = ("simd",)


@pytest.fixture
def wanted(ask: Callable[..., Request]) -> Request:
    """One tile of many steps."""
    return ask(tile=(48, 32), limit=20_000, parameters={"shortcuts": 0}, target="simd")


@pytest.fixture
def slices(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The budgets of the slices that compiled code was asked for; after the third Ctrl-C is pressed."""
    asked: list[int] = []

    def going(self: underway.Rectangle, budget: int, go: Callable[..., Any] = underway.Rectangle.paint_slice) -> Any:
        asked.append(budget)
        if len(asked) == 3:
            signal.raise_signal(signal.SIGINT)
        return go(self, budget)

    monkeypatch.setattr(underway.Rectangle, "paint_slice", going)
    return asked


@pytest.mark.parametrize("target", COMPILED)
def test_an_interruption_is_heeded_between_two_slices_of_a_tile(
    target: str, wanted: Request, slices: list[int]
) -> None:
    with pytest.raises(KeyboardInterrupt):
        engine.draw(replace(wanted, target=target))

    assert len(slices) == 3


def test_no_slice_is_longer_than_somebody_waits_who_pressed_a_key(
    wanted: Request, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A machine that makes ten steps in a microsecond: 20 ms are 200,000 steps."""
    now, made = 0, list[int]()

    class Slow(underway.Rectangle):
        def paint_slice(self, budget: int) -> Any:
            nonlocal now
            now += budget * 100
            made.append(budget)
            return super().paint_slice(budget)

    monkeypatch.setattr(native, "Rectangle", Slow)
    monkeypatch.setattr("time.perf_counter_ns", lambda: now)
    frame = engine.draw(wanted, clock=lambda: now)

    assert len(made) > 10
    assert max(made) == 200_000
    assert [span.tile for span in frame.trace.of_kind("paint")] == [0]


@pytest.mark.skipif(os.name == "nt", reason="signals are others there")
@pytest.mark.parametrize("target", COMPILED)
@pytest.mark.parametrize(
    ("name", "code", "said"),
    [("SIGINT", 130, "interrupted"), ("SIGTERM", 143, "ended by SIGTERM"), ("SIGHUP", 129, "ended by SIGHUP")],
)
def test_a_tile_that_would_take_hours_ends_with_the_program(
    name: str, code: int, said: str, target: str, tmp_path: Path
) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", TELLING, *ENDLESS, "--target", target],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as run:
        assert run.stdout is not None
        assert [run.stdout.readline() for _ in range(3)] == ["slice\n"] * 3
        run.send_signal(getattr(signal, name))
        _, err = run.communicate(timeout=HANGING)

    assert (run.returncode, err.splitlines()[-1]) == (code, f"render: {said}")
    assert not list(tmp_path.iterdir())
