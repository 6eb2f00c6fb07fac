"""The benchmarks' references count and paint what the program does, so that their times mean something."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from render import engine
from render.options import complete
from render.request import Request

FOLDER = Path(__file__).parent.parent / "benchmarks"
MEASURING = sorted(path.stem for path in FOLDER.glob("*.py") if "options(__doc__" in path.read_text(encoding="utf-8"))
PLACES = ({"zoom": 1.6}, {"x": -0.743643887037151, "y": 0.13182590420533, "zoom": 1e5}, {"x": -0.1, "zoom": 40.0})

Load = Callable[[str], ModuleType]


def asked(parameters: dict[str, float], precision: str, **more: Any) -> Request:
    return complete(
        scene=str(FOLDER / "references" / "bare_mandelbrot.py"),
        parameters=parameters | {"shortcuts": 0},
        size=(67, 35),  # no multiple of any vector's length
        samples=1,
        limit=300,
        precision=precision,
        mode="sequential",
        **more,
    )


def steps(request: Request) -> np.ndarray:
    counted = engine.draw(request).steps
    assert counted is not None
    return counted


@pytest.fixture(scope="module")
def by_hand(script: Load) -> Any:
    module = script("hand_written")
    try:
        return module.HandWritten()
    except module.Absent as absent:
        pytest.skip(f"no C++ loop here: {absent}")


@pytest.mark.parametrize("precision", ["f64", "f32"])
@pytest.mark.parametrize("place", PLACES)
def test_the_hand_written_loop_counts_as_the_program_does(
    by_hand: Any, place: dict[str, float], precision: str
) -> None:
    request = asked(place, precision)
    out = np.full((request.height, request.width), -1, np.int32)
    by_hand.counts(request, out)

    assert np.array_equal(out, steps(request))


@pytest.mark.parametrize("place", PLACES)
def test_the_plain_loop_counts_as_the_program_does(script: Load, place: dict[str, float]) -> None:
    request = asked(place, "f64")
    out = np.full((request.height, request.width), -1, np.int32)
    script("hand_written").plain_counts(request, out)

    assert np.array_equal(out, steps(request))


def test_a_loop_that_issues_more_takes_longer(script: Load) -> None:
    issue = script("hand_written").numba_issue("f64")
    timed = script("pairs").timed

    few, many = (min(timed(lambda n=n: issue(n, True))() for _ in range(5)) for n in (2_000, 200_000))

    assert many > 10 * few


@pytest.mark.parametrize("name", MEASURING)
def test_a_benchmark_says_how_it_is_used(name: str) -> None:
    environment = os.environ | {"PYTHONPATH": str(FOLDER.parent)}
    run = subprocess.run(
        [sys.executable, str(FOLDER / f"{name}.py"), "--help"],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )

    assert f"python benchmarks/{name}.py" in run.stdout


def test_without_a_card_the_model_tells_its_figures() -> None:
    environment = os.environ | {"PYTHONPATH": str(FOLDER.parent)}
    told = [str(FOLDER / "card.py"), "--model", "--precision", "f32", "--size", "40x24"]
    run = subprocess.run([sys.executable, *told], env=environment, capture_output=True, text=True, check=True)

    assert "no card: figures of the model" in run.stdout
    assert "H100 f32 by hand" in run.stdout
    assert "brooch" in run.stdout


def test_the_model_wastes_nothing_where_all_samples_take_the_same(script: Load) -> None:
    model = script("card_model")
    counts = np.full((2, 64, 256), 320)
    how = {"card": model.H100, "precision": "f64", "resident": 1}

    told = model.modelled(counts, 320, 128, model.Costs(8.0, 0.0), **how)

    assert told.useful == 1
    assert told.services == 1
    assert told.ms == pytest.approx(2 * 320 * 8 / model.H100.ghz * 1e-6, rel=1e-3)  # 512 squares: one for each warp


def test_the_model_refills_lanes_where_samples_differ(script: Load) -> None:
    model = script("card_model")
    counts = np.random.default_rng(1).integers(1, 5000, (1, 512, 512))
    how = {"card": model.CARDS[-1], "precision": "f64", "resident": 1}

    refilled, waiting = (model.modelled(counts, 5000, loss, model.Costs(8.0, 100.0), **how) for loss in (32, 1 << 40))

    assert waiting.useful < 0.55  # the mean of 32 against their largest
    assert refilled.useful > 1.5 * waiting.useful
    assert refilled.services > waiting.services


def test_every_script_has_its_place_in_the_readme() -> None:
    told = (FOLDER / "README.md").read_text(encoding="utf-8")

    files = {path.name for pattern in ("*.py", "*.cpp", "*.cu") for path in FOLDER.rglob(pattern)}

    assert {name for name in files if name not in told} == set()
