"""What is compiled: the driver with a scene in its slots, and a key that names everything its code depends on."""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Callable, Mapping
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from render import primitives
from render.compiler import driver, plain_numba, single, slots, warp
from render.compiler.retarget import fingerprint
from render.request import Request
from render.scene import Scene

PATCHES = {64: (8, 8), 32: (8, 4), 16: (4, 4), 8: (4, 2), 4: (2, 2)}  # lanes: pixels across, down
ENTRY = "render_paint"
Filling = dict[Callable[..., Any], Callable[..., Any]]  # what stands in the slots
WORDS = {getattr(primitives, name): getattr(primitives, name) for name in primitives.NAMES}


class Program(NamedTuple):
    """What is compiled: a loop with a scene in its slots, for so many lanes of one precision."""

    root: Callable[..., Any]
    slots: Filling
    names: dict[str, Any]
    lanes: int
    precision: str
    p: tuple[Any, ...]
    folded: bool  # whether rows that are mirror images of others need not be followed
    source: str  # the scene's file, for messages only

    def key(self, host: tuple[str, ...]) -> str:
        """Names everything that the object code depends on, among it the CPU it is made for (hex)."""
        fields = self.p._asdict().items()  # type: ignore[attr-defined]
        shape = [(name, type(value).__name__, getattr(value, "dtype", None)) for name, value in fields]
        about = (
            fingerprint(self.root, words=WORDS, slots=self.slots, names=self.names),
            self.lanes,
            self.precision,
            shape,
            _compiler(),
            host,
        )
        return hashlib.sha256(repr(about).encode()).hexdigest()


class Width(NamedTuple):
    """How many lanes a group has, how many groups are taken in turn, and when to look after them; see `driver`."""

    lanes: int
    groups: int
    block: int
    taking: int
    moving: int


def together(scene: Scene, request: Request, width: Width) -> Program:
    """Many lanes together, for target `simd`."""
    wide, high = PATCHES[width.lanes]
    names = {
        "LANES": width.lanes,
        "PATCH_WIDTH": wide,
        "PATCH_HEIGHT": high,
        "GROUPS": width.groups,
        "BLOCK": width.block if scene.absorbing else 1,
        "TAKING": width.taking,
        "MOVING": width.moving,
    }
    loop: Filling = {
        slots.onward: driver.by_blocks if scene.absorbing else driver.by_steps,
        slots.settled: driver.halved if scene.absorbing else driver.as_it_is,
        slots.come_round: driver.cycles if scene.absorbing and scene.inside_flat else driver.no_cycles,
    }
    return _program(scene, request, driver.paint, loop, names, width.lanes)


def alone(scene: Scene, request: Request) -> Program:
    """One sample at a time, for target `scalar`."""
    loop: Filling = {slots.follow: single.walk_in_blocks if scene.absorbing else single.walk}
    return _program(scene, request, single.paint, loop, {}, 1)


def of_a_warp(scene: Scene, request: Request) -> Program:
    """One lane of a warp, for a thread of a graphics card."""
    loop: Filling = {
        slots.stepping: warp.by_blocks if scene.absorbing else warp.by_steps,
        slots.settled: driver.halved if scene.absorbing else driver.as_it_is,
        slots.repeating: warp.cycles if scene.absorbing and scene.inside_flat else warp.no_cycles,
    }
    names = {"BLOCK": warp.BLOCK}  # also where the driver's last steps are made
    return _program(scene, request, warp.paint_queue, loop, names, 1)


def _program(
    scene: Scene,
    request: Request,
    root: Callable[..., Any],
    loop: Filling,
    names: dict[str, Any],
    lanes: int,
) -> Program:
    functions, p = scene.functions, scene.prepared(request)
    own = {getattr(slots, name): functions[name] for name in ("start", "step", "alive", "shade")}
    never = functions.get("never_ends") if scene.inside_flat else None
    return Program(
        root=root,
        slots=own | loop | {slots.never_ends: never or single.no_lane},
        names=names,
        lanes=lanes,
        precision=request.precision,
        p=p,
        folded=lanes > 1 and _folded(functions, request, p),
        source=str(scene.path),
    )


def _folded(functions: Mapping[str, Callable[..., Any]], request: Request, p: tuple[Any, ...]) -> bool:
    """Whether the frame's lower half is the mirror image of the upper, sample by sample."""
    values = request.values
    centred = request.samples == 1 and values["y"] == 0.0 and bool(values["shortcuts"])
    return centred and "symmetric" in functions and bool(functions["symmetric"](p))


@cache
def _compiler() -> tuple[str, ...]:
    """Everything on our side and numba's that shapes the code, besides the driver and the scene."""
    own = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        own.update(path.read_bytes())
    chosen = [f"{name}={value}" for name, value in sorted(plain_numba.heeded(os.environ).items())]
    return own.hexdigest(), _version("numba"), _version("llvmlite"), np.__version__, sys.version, *chosen


def _version(package: str) -> str:
    """The version of a package that need not be loaded; empty where it is not installed.

    Read from what the package's builders wrote into it, for the installer's records take a hundred times as long.
    """
    place = find_spec(package)
    says = Path((place and place.origin) or package).with_name("_version.py")
    written = says.read_text(encoding="utf-8") if says.is_file() else ""
    if "version_json" in written or "version_version" in written:  # not so where it is run from its source
        return written
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(package)
    except PackageNotFoundError:
        return ""
