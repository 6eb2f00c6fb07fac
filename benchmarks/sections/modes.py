"""Modes against each other, scene by scene.

The first view of each scene in every mode, drawn in a session, as who draws one frame after the other sees it: workers
live, code is loaded. The time is that of the whole call. Every picture is compared with the sequential one.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from typing import Any

from harness.cases import Case, Group, Missing

WAYS: dict[str, dict[str, str]] = {
    "sequential": {"mode": "sequential"},
    "concurrent": {"mode": "concurrent"},
    "parallel, threads": {"mode": "parallel", "backend": "threading"},
    "parallel, processes": {"mode": "parallel", "backend": "loky"},
    "cuda": {"mode": "cuda"},
}
SCENES = ("mandelbrot", "still_life", "julia", "mandelbulb")


def groups(quick: bool) -> Iterator[Group]:  # noqa: FBT001  (one signature for all sections)
    """One group for each scene and size."""
    for scene in SCENES[:2] if quick else SCENES:
        for size in ((480, 270),) if quick else ((320, 180), (1280, 720)):
            name, prepared = f"{scene} {size[0]}x{size[1]}", partial(prepare, scene, size)
            yield Group(name, tuple(WAYS), prepared, "sequential", "cores", seconds=2.0)


def prepare(scene: str, size: tuple[int, int], stack: ExitStack) -> Iterator[Case | Missing]:
    """The first view of a scene."""
    yield from prepare_modes({"scene": scene, "samples": 1, "size": size}, stack)


def prepare_modes(options: dict[str, Any], stack: ExitStack) -> Iterator[Case | Missing]:
    """Open a session for each mode; one that cannot run here says why. Raises Differ."""
    from harness.program import drawing
    from render import engine
    from render.errors import RenderError
    from render.options import complete

    expected = engine.draw(complete(**options, mode="sequential"))
    width, height = options["size"]
    for name, how in WAYS.items():
        try:
            once, last = drawing(stack, expected.sha256, **options, **how)
            warmup = once()
        except RenderError as error:
            yield Missing(name, error.cause)
            continue
        workers = len({span.worker for span in last().trace.spans if span.kind == "paint"})
        facts = {"pixels": width * height, "steps": expected.total_steps, "workers": workers, "mode": how["mode"]}
        yield Case(name, once, equal=True, facts=facts, warmup=warmup)
