"""What every scene promises, tried on every file in the folder."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from render import sampling, scene
from render.codegen.retarget import retarget
from render.language import primitives
from render.request import Request
from render.scene import REALS

ALL = scene.names()
VIEWS = [(name, view) for name in ALL for view in scene.load(name).views]


@pytest.mark.parametrize("name", ALL)
def test_a_scene_says_what_it_is_and_what_can_be_asked(name: str) -> None:
    loaded = scene.load(name)

    assert len(loaded.about) > 20
    assert loaded.views
    assert {"x", "y", "zoom", "shortcuts"} <= set(loaded.parameters)
    assert all(parameter.about.endswith(".") for parameter in loaded.parameters.values())


@pytest.mark.parametrize("name", ALL)
def test_every_scene_has_tests_of_its_own(name: str) -> None:
    """What it draws is looked at nowhere else; this module holds it only to what all scenes promise."""
    tests = Path(__file__).parent / "scenes" / f"test_{name}.py"

    assert tests.is_file(), f"write tests/scenes/{tests.name}"
    assert "\ndef test_" in tests.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ALL)
def test_scenes_name_no_numba(name: str) -> None:
    assert "numba" not in scene.load(name).path.read_text(encoding="utf-8")


@pytest.mark.parametrize("precision", ["f32", "f64"])
@pytest.mark.parametrize(("name", "view"), VIEWS)
def test_light_is_a_number_between_nothing_and_one(
    name: str, view: str, precision: str, ask: Callable[..., Request]
) -> None:
    """Before it is clamped: a scene that relies on clamping would lose its highlights in silence."""
    request = ask(scene=name, view=view, precision=precision, width=14, height=8, limit=80)

    for _, _, rgb, _ in samples(request):
        assert all(0.0 <= float(part) <= 1.0 for part in rgb)


@pytest.mark.parametrize("precision", ["f32", "f64"])
@pytest.mark.parametrize("name", [name for name in ALL if scene.load(name).absorbing])
def test_once_ended_is_always_ended(name: str, precision: str, ask: Callable[..., Request]) -> None:
    """ABSORBING, for the smallest bailout that a scene allows: the driver relies on it to look only now and then."""
    parameters = {"bailout": scene.load(name).parameters["bailout"].lowest}
    request = ask(scene=name, precision=precision, width=24, height=16, limit=40, parameters=parameters)

    for first, alive, place, step in samples(request, follow=30):
        state, lives = first, [alive(first)]
        for _ in range(30):
            state = step(state)
            lives.append(alive(state))

        assert lives == sorted(lives, reverse=True), place


def samples(request: Request, follow: int = 0) -> Iterator[Any]:
    """Each pixel's sample in plain Python: (state, alive, rgb, step), at the start for `follow`, else at the end."""
    loaded = scene.load(request.scene)
    real = REALS[request.precision]
    bound = {getattr(primitives, word): meaning for word, meaning in primitives.words(real).items()}
    p, at = loaded.prepared(request), sampling.grid(request)
    start, step, alive, shade = (
        retarget(loaded.functions[name], words=bound) for name in ("start", "step", "alive", "shade")
    )
    position = retarget(sampling.position, words=bound)

    def lanes(values: Any) -> tuple[Any, ...]:
        return tuple(real(value) for value in values)

    with np.errstate(all="ignore"):
        for j in range(request.height):
            for i in range(request.width):
                state, steps = lanes(start(*position(real(i), real(j), real(0), real(0), *at), p)), 0
                while not follow and steps < request.limit and alive(state, p):
                    state, steps = lanes(step(state, p)), steps + 1
                rgb = (i, j) if follow else shade(state, real(steps), p)
                yield state, lambda s: bool(alive(s, p)), rgb, lambda s: lanes(step(s, p))
