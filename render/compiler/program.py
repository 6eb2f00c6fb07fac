"""What is compiled: the driver with a scene in its slots, and a key that names everything its code depends on."""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Callable
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

from render import primitives
from render.compiler import driver, slots
from render.compiler.retarget import fingerprint
from render.request import Request
from render.scene import Scene

PATCHES = {64: (8, 8), 32: (8, 4), 16: (4, 4), 8: (4, 2), 4: (2, 2), 1: (1, 1)}  # lanes: pixels across, down
ENTRY = "render_paint"
WORDS = {getattr(primitives, name): getattr(primitives, name) for name in primitives.NAMES}


class Program(NamedTuple):
    """What is compiled: the driver with a scene in its slots, for so many lanes of one precision."""

    slots: dict[Callable[..., Any], Callable[..., Any]]
    names: dict[str, Any]
    lanes: int
    precision: str
    p: tuple[Any, ...]
    source: str  # the scene's file, for messages only

    def key(self, host: tuple[str, ...]) -> str:
        """Names everything that the object code depends on, among it the CPU it is made for (hex)."""
        fields = self.p._asdict().items()  # type: ignore[attr-defined]
        shape = [(name, type(value).__name__, getattr(value, "dtype", None)) for name, value in fields]
        about = (
            fingerprint(driver.paint, words=WORDS, slots=self.slots, names=self.names),
            self.lanes,
            self.precision,
            shape,
            _compiler(),
            host,
        )
        return hashlib.sha256(repr(about).encode()).hexdigest()


def program(scene: Scene, request: Request, lanes: int, block: int) -> Program:
    """The driver for this scene and request. `block`: steps between two tests, for absorbing scenes."""
    functions = scene.functions
    never = functions.get("never_ends") if scene.inside_flat else None
    wide, high = PATCHES[lanes]
    return Program(
        slots={
            slots.start: functions["start"],
            slots.step: functions["step"],
            slots.alive: functions["alive"],
            slots.shade: functions["shade"],
            slots.never_ends: never or driver.no_lane,
            slots.follow: driver.follow_in_blocks if scene.absorbing else driver.follow_every_step,
        },
        names={"BLOCK": block, "PATCH_WIDTH": wide, "PATCH_HEIGHT": high},
        lanes=lanes,
        precision=request.precision,
        p=scene.prepared(request),
        source=str(scene.path),
    )


@cache
def _compiler() -> tuple[str, ...]:
    """Everything on our side and numba's that shapes the code, besides the driver and the scene."""
    own = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        own.update(path.read_bytes())
    chosen = [f"{name}={value}" for name, value in sorted(os.environ.items()) if name.startswith("NUMBA_")]
    return own.hexdigest(), version("numba"), version("llvmlite"), version("numpy"), sys.version, *chosen
