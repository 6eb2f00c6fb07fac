"""A target or a backend is one file: dropped into its folder it is there, and taken by those that it suits."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import render
from render import backends, targets
from render.errors import ModeUnavailable, UsageError
from render.frontend import devices

HERE = Path(__file__).parent / "dropped"
FRAME: dict[str, Any] = {"scene": "mandelbrot", "size": (18, 13), "limit": 40, "tile": (9, 5)}


@pytest.fixture(autouse=True)
def _dropped(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Both folders hold the files of this test as well."""
    folders: list[ModuleType] = [targets, backends]
    for folder in folders:
        own = str(HERE / folder.__name__.rpartition(".")[2])
        monkeypatch.setattr(folder, "__path__", [*folder.__path__, own])
    yield
    for name in ("targets.arrays", "targets.slow_device", "backends.turns"):
        sys.modules.pop(f"render.{name}", None)
    for folder in folders:
        folder.load.cache_clear()


def expected(**asked: Any) -> tuple[str, int]:
    """What target python makes of the frame, the definition of the program."""
    frame = render.draw(mode="sequential", target="python", **FRAME | asked)
    return frame.sha256, frame.total_steps


@pytest.mark.parametrize("samples", [1, 3])
@pytest.mark.parametrize("mode", ["sequential", "concurrent", "parallel"])
def test_a_target_for_cpus_is_taken_by_their_modes(mode: str, samples: int) -> None:
    frame = render.draw(mode=mode, target="arrays", samples=samples, precision="f64", **FRAME)

    assert (frame.sha256, frame.total_steps) == expected(samples=samples, precision="f64")
    assert frame.trace.facts["kernel"] == "NumPy's arrays"


def test_a_target_for_cpus_is_refused_by_mode_cuda_which_names_its_own() -> None:
    with pytest.raises(UsageError, match="mode cuda does not go with target arrays") as caught:
        render.draw(mode="cuda", target="arrays", **FRAME)

    assert caught.value.remedy == "its targets: cuda, slow_device"


def test_a_precision_that_a_target_does_not_know_is_refused() -> None:
    with pytest.raises(UsageError, match="target arrays does not support precision f32") as caught:
        render.draw(target="arrays", precision="f32", **FRAME)

    assert caught.value.remedy == "give --precision f64"


@pytest.mark.parametrize("samples", [1, 3])
def test_a_target_for_a_device_is_taken_by_mode_cuda(samples: int) -> None:
    frame = render.draw(mode="cuda", target="slow_device", samples=samples, **FRAME)

    assert (frame.sha256, frame.total_steps) == expected(samples=samples)
    assert {span.worker.device for span in frame.trace.of_kind("paint")} == {"slow stream 0", "slow stream 1"}
    assert frame.trace.facts["device"] == "slow"


def test_a_target_for_a_device_says_how_its_frames_are_cut() -> None:
    alone = {name: value for name, value in FRAME.items() if name != "tile"}

    assert render.draw(mode="cuda", target="slow_device", **alone).request.tile == (18, 5)


@pytest.mark.parametrize("mode", ["sequential", "concurrent", "parallel"])
def test_a_target_for_a_device_is_refused_by_the_modes_of_cpus(mode: str) -> None:
    with pytest.raises(UsageError, match=f"mode {mode} does not go with target slow_device") as caught:
        render.draw(mode=mode, target="slow_device", **FRAME)

    assert caught.value.remedy == "its targets: simd, arrays, python, scalar"


def test_a_device_that_is_not_there_says_so_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLOW_DEVICE", "broken")

    with pytest.raises(ModeUnavailable, match="it is out of order") as caught:
        render.draw(mode="cuda", target="slow_device", **FRAME)
    assert (caught.value.remedy, caught.value.exit_code) == ("mend it", 3)
    assert devices.find_devices()["targets"]["slow_device"] == {"missing": "it is out of order"}


@pytest.mark.slow
def test_in_a_race_a_dropped_target_goes_to_the_modes_of_its_kind() -> None:
    race = render.race(["sequential", "parallel"], target="arrays", precision="f64", **FRAME)

    assert {frame.request.target for frame in race} == {"arrays"}
    assert race.identical


def test_a_backend_is_taken_by_mode_parallel() -> None:
    frame = render.draw(mode="parallel", backend="turns", target="python", samples=4, **FRAME)

    assert frame.title == "parallel (turns)"
    assert (frame.sha256, frame.total_steps) == expected()
    assert len(frame.trace.workers) == 1
    assert backends.names() == ["threading", "dask", "loky", "turns"]


def steps_in_whole_numbers(width: int, height: int, i: int, j: int, depth: int, limit: int) -> int:
    """The steps of pixel (i, j) of scene abyss, in fixed point, four bits for each decimal place."""
    bits = 64 + 4 * depth
    one = 1 << bits
    pixel = Fraction(4, height * 10**depth)
    cx, cy = (int(way * pixel * one) for way in (Fraction(2 * i + 1 - width, 2), Fraction(height - 2 * j - 1, 2)))
    x = y = steps = 0
    while steps < limit and x * x + y * y <= 4 << (2 * bits):
        x, y, steps = ((x * x - y * y) >> bits) + cx, ((2 * x * y) >> bits) + cy + one, steps + 1
    return steps


@pytest.mark.parametrize("depth", [20, 100])
@pytest.mark.parametrize("target", ["python", pytest.param("simd", marks=pytest.mark.slow)])
def test_a_scene_can_prepare_a_reference_orbit_and_zoom_beyond_what_its_precision_can_tell_apart(
    depth: int, target: str
) -> None:
    asked: dict[str, Any] = {"scene": HERE / "scenes" / "abyss.py", "size": (8, 6), "samples": 1}
    frame = render.draw(**asked, target=target, parameters={"depth": depth})

    assert frame.steps is not None
    counts = [[steps_in_whole_numbers(8, 6, i, j, depth, 2000) for i in range(8)] for j in range(6)]
    assert frame.steps.tolist() == counts
    assert len({count for row in counts for count in row}) > 3
