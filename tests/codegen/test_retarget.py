"""What stands in the slots of generated code: functions and numbers, each found by itself and not by its name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from render import scene
from render.codegen import program
from render.codegen.retarget import hash_function, retarget
from render.kernels import slots
from render.kernels.slots import Number
from render.request import Request
from render.targets import simd

WIDE: Any = Number("WIDE")
HIGH: Any = Number("HIGH")


def area() -> Any:
    return WIDE * HIGH


def test_a_number_is_a_constant_of_the_copy() -> None:
    copy = retarget(area, words={}, slots={WIDE: 6, HIGH: 7})

    assert copy() == 42
    assert copy.__globals__["WIDE"] == 6


@pytest.mark.parametrize("made", [retarget, hash_function])
def test_a_number_that_nobody_filled_in_is_refused(made: Callable[..., object]) -> None:
    with pytest.raises(LookupError, match="WIDE"):
        made(area, words={}, slots={HIGH: 7, Number("WIDE"): 6})


def test_another_number_is_other_code() -> None:
    prints = {hash_function(area, words={}, slots={WIDE: wide, HIGH: 7}) for wide in (6, 6, 5)}

    assert len(prints) == 2


def light(p: Any) -> Any:
    return p.light + len([p.dark for _ in range(WIDE)])


def dark(p: Any) -> Any:
    return light(p)


def test_an_attribute_is_not_the_function_of_its_name() -> None:
    """A scene's helper may well be called as a parameter is; it does not call itself."""
    copy = retarget(dark, words={}, slots={WIDE: 2})

    assert copy(SimpleNamespace(light=40, dark=1)) == 42
    assert "dark" not in copy.__globals__["light"].__globals__


@pytest.mark.parametrize("name", ["mandelbrot", "still_life"])
def test_every_number_that_target_simd_fills_in_is_asked_for(name: str, ask: Callable[..., Request]) -> None:
    loaded, request = scene.load(name), replace(ask(scene=name), precision="f64")
    made = program.vector_program(loaded, request, simd.choose_width(loaded, "f64")[0])

    for number in [slot for slot in made.slots if isinstance(slot, Number)]:
        left = {slot: value for slot, value in made.slots.items() if slot is not number}
        with pytest.raises(LookupError, match=number.name):
            hash_function(made.root, words=program.WORDS, slots=left)
    assert {slot for slot in made.slots if isinstance(slot, Number)} == {
        value for value in vars(slots).values() if isinstance(value, Number) and value is not slots.UNTIL
    }  # UNTIL: of a GPU's first pass
