"""Palettes are rings of even steps, dark to light and back, and are what their script makes."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType

import numpy as np
import pytest

from render.errors import UnknownName
from render.palettes import PALETTES, palette

each_palette = pytest.mark.parametrize("name", PALETTES)


@pytest.fixture(scope="module")
def derive(script: Callable[[str], ModuleType]) -> ModuleType:
    """The script that made the palettes; it knows OKLab."""
    return script("derive_palettes")


@each_palette
def test_a_palette_is_linear_light_that_nobody_can_change(name: str) -> None:
    colours = palette(name)

    assert colours.shape == (256, 3)
    assert colours.dtype == np.float64
    assert colours.min() >= 0
    assert colours.max() <= 1
    assert not colours.flags.writeable


@each_palette
def test_all_steps_look_alike_the_last_to_the_first_too(name: str, derive: ModuleType) -> None:
    steps = derive.steps(derive.oklab(palette(name)))

    assert steps.max() <= 1.15 * steps.min()


@each_palette
def test_the_ring_bends_gently(name: str, derive: ModuleType) -> None:
    ring = derive.oklab(palette(name))
    ahead = np.roll(ring, -1, axis=0) - ring
    ahead /= np.linalg.norm(ahead, axis=1)[:, None]
    bends = np.degrees(np.arccos(np.sum(ahead * np.roll(ahead, -1, axis=0), axis=1)))

    assert np.median(bends) < 2
    assert bends.max() < 60  # only where dark turns to light again; a corner there would be 180


@each_palette
def test_lightness_rises_once_from_the_first_colour_and_falls_once(name: str, derive: ModuleType) -> None:
    lightness = derive.oklab(palette(name))[:, 0]
    lightest = int(lightness.argmax())

    assert lightness.argmin() == 0
    assert (np.diff(lightness[: lightest + 1]) > 0).all()
    assert (np.diff([*lightness[lightest:], lightness[0]]) < 0).all()
    assert lightness.max() - lightness.min() > 0.7


@each_palette
def test_the_data_is_what_the_script_makes(name: str, derive: ModuleType) -> None:
    made, kept = derive.codes(name).astype(int), np.rint(palette(name) * 65535).astype(int)

    assert np.abs(made - kept).max() <= 1  # another machine's cosine may round otherwise


def test_the_script_and_the_module_know_the_same_names(derive: ModuleType) -> None:
    assert list(derive.CORNERS) == list(PALETTES)


def test_oklab_and_light_are_inverse(derive: ModuleType) -> None:
    white, grey = np.ones((1, 3)), np.full((1, 3), 0.18)

    assert np.allclose(derive.oklab(white), [[1, 0, 0]], atol=1e-4)
    assert np.allclose(derive.light(derive.oklab(grey)), grey)


def test_an_unknown_palette_is_refused_by_name() -> None:
    with pytest.raises(UnknownName, match="garish"):
        palette("garish")
