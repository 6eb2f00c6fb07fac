"""Machine code for a graphics card: compiled by numba-cuda once, kept, and loaded by the driver alone ever after."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from importlib.metadata import version

import numpy as np

from render.cards import Cards
from render.compiler import code_cache, driver, native
from render.compiler.retarget import fingerprint

BLOCK = 8  # steps between two tests, for absorbing scenes


def key(made: native.Program, capability: tuple[int, int], toolkit: tuple[int, int]) -> str:
    """Names everything that the code depends on (hex)."""
    fields = made.p._asdict().items()  # type: ignore[attr-defined]
    shape = [(name, v.dtype.str if isinstance(v, np.ndarray) else type(v).__name__) for name, v in fields]
    about = (
        "card",
        fingerprint(driver.paint_pixel, words=native.WORDS, slots=made.slots, names=made.names),
        made.precision,
        shape,
        native._compiler(),
        version("numba-cuda"),
        toolkit,
        capability,
    )
    return hashlib.sha256(repr(about).encode()).hexdigest()


def machine_code(made: native.Program, found: Cards, announce: Callable[[], None]) -> bytes:
    """The kernel for the first card, from the cache, or compiled now (which is announced) and kept.

    Raises SceneError where the scene cannot be compiled, RenderError where the CUDA packages do not work together.
    """
    assert found.toolkit is not None  # a card that can be used has one
    capability = found.cards[0].capability
    name = key(made, capability, found.toolkit)
    code = code_cache.read(name)
    if code is None:
        announce()
        from render.compiler import cuda_front  # slow to import, and not needed in a second run

        capability = cuda_front.closest(capability)
        code, _ = cuda_front.machine_code(cuda_front.assembly(made, capability), capability)
        code_cache.write(name, code)
    return code
