"""The program to compile: the driver with a scene in its slots, and a key of everything its code depends on."""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Callable, Mapping
from functools import cache, partial
from importlib.util import find_spec
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np

from render.codegen import packages, plain_numba
from render.codegen.retarget import hash_function
from render.kernels import driver, passes, refill, room, scalar, slots, warp
from render.language import primitives
from render.parameters import P, member_types, members_of
from render.request import Request
from render.scene import Scene

PATCHES = {64: (8, 8), 32: (8, 4), 16: (4, 4), 8: (4, 2), 4: (2, 2)}  # lanes: pixels across, down
ENTRY = "render_paint"
ENTRIES = (ENTRY, "render_finish")  # of a GPU's code, launched one after the other: the passes over a launch's tiles
Filling = dict[Any, Any]  # what stands in the slots
RENDER = Path(__file__).parent.parent
LANES = ("avx512", "lane_memory", "lane_moves", "lane_pixels", "lane_primitives", "lane_slots", "lane_types")
COMPILER = ("cpu_compiler", "host", "llvm_module", "plain_numba", "retarget", "settings")
CPU = tuple(f"codegen/{name}" for name in (*LANES, *COMPILER))
# The files that shape a compiler's code, besides the loop and the scene in it, which are hashed one by one.
SOURCES = {"cpu": CPU, "cuda": (*CPU, "codegen/cuda_compiler", "codegen/warp_words", "kernels/launch")}
WORDS = {getattr(primitives, name): getattr(primitives, name) for name in primitives.NAMES}


class Fixed(NamedTuple):
    """Numbers that are constants of the code, by name: members of the driver's settings, and of the scene's `p`."""

    at: Mapping[str, int] = MappingProxyType({})
    p: Mapping[str, int] = MappingProxyType({})


class Program(NamedTuple):
    """A loop with a scene in its slots, for so many lanes of one precision."""

    root: Callable[..., Any]
    slots: Filling
    lanes: int
    precision: str
    p: P
    is_mirrored: Callable[[Request, P], bool]  # whether rows that are mirror images of others need not be followed
    source: str  # the scene's file, for messages only
    fixed: Fixed = Fixed()

    def fits(self, request: Request, p: P) -> bool:
        """Tell if the code paints another request in the same precision, whose `p` has members of the same kinds."""
        at, members = _switches(request), members_of(p)
        same = all(at[name] == value for name, value in self.fixed.at.items())
        return same and all(members[name] == value for name, value in self.fixed.p.items())

    def cache_key(self, compiler: str, host: tuple[str, ...]) -> str:
        """Hash all that the code depends on, made by this compiler (of SOURCES) for this CPU or GPU (hex)."""
        about = (
            hash_function(self.root, words=WORDS, slots=self.slots),
            self.lanes,
            self.precision,
            member_types(self.p),
            [sorted(members.items()) for members in self.fixed],
            _compiler(compiler),
            host,
        )
        return hashlib.sha256(repr(about).encode()).hexdigest()


class Width(NamedTuple):
    """The lanes of a group, the groups taken in turn, and what a sample's way costs; see `driver`.

    first: steps that a patch makes by itself; batch: steps between two questions after that.
    """

    lanes: int
    groups: int
    first: int
    batch: int
    removal_cost: int
    move_cost: int


def check_width(width: Width) -> None:
    """Raise ValueError for a width of which the driver would paint a wrong picture, or none."""
    lanes, groups, _, batch, *_ = width
    if lanes not in PATCHES:
        raise ValueError(f"{lanes} lanes cover no patch of pixels; these do: {sorted(PATCHES)}")
    if not 1 <= groups <= room.MOST_GROUPS:
        raise ValueError(f"{groups} groups: the driver keeps notes of 1 to {room.MOST_GROUPS}")
    check_batch(batch)


def check_batch(batch: int) -> None:
    """Raise ValueError for a batch size whose last steps `driver.halved` could not make up."""
    if batch.bit_count() != 1 or not 1 <= batch <= driver.HALVED:
        raise ValueError(f"batches of {batch} steps: the driver needs a power of two up to {driver.HALVED}")


def vector_program(scene: Scene, request: Request, width: Width) -> Program:
    """Make the program for many lanes together, for target `simd`. Raises ValueError for a wrong width."""
    check_width(width)
    wide, high = PATCHES[width.lanes]
    batch = width.batch if scene.absorbing else 1
    numbers = {
        slots.LANES: width.lanes,
        slots.PATCH_WIDTH: wide,
        slots.PATCH_HEIGHT: high,
        slots.GROUPS: width.groups,
        slots.FIRST: width.first if scene.absorbing else 0,
        slots.BLOCK: batch,
        slots.BLOCKS: (1 << room.LOOK) // batch,
        slots.TAKING: width.removal_cost,
        slots.MOVING: width.move_cost,
    }
    loop: Filling = {
        slots.starting: refill.step_patch if scene.absorbing else refill.leave_to_groups,
        slots.onward: driver.by_blocks if scene.absorbing else driver.by_steps,
        slots.settled: driver.halved if scene.absorbing else driver.as_it_is,
        slots.come_round: driver.cycles if scene.absorbing and scene.inside_flat else driver.no_cycles,
    }
    return _build_program(scene, request, driver.paint, loop | numbers, width.lanes)


def scalar_program(scene: Scene, request: Request) -> Program:
    """Make the program for one sample at a time, for target `scalar`."""
    loop: Filling = {slots.follow: scalar.walk_in_blocks if scene.absorbing else scalar.walk}
    return _build_program(scene, request, scalar.paint, loop, 1)


def warp_program(scene: Scene, request: Request) -> Program:
    """Make the program for one lane of a warp, for a thread of a GPU."""
    loop: Filling = {
        slots.beginning: warp.begin_by_blocks if scene.absorbing else warp.begin_by_steps,
        slots.following: warp.by_blocks if scene.absorbing else warp.stay,
        slots.stepping: warp.by_blocks if scene.absorbing else warp.by_steps,
        slots.settled: warp.halved if scene.absorbing else driver.as_it_is,
        slots.repeating: warp.cycles if scene.absorbing and scene.inside_flat else warp.no_cycles,
        slots.UNTIL: warp.FOLLOWED if scene.absorbing else warp.FOLLOWED_BY_STEPS,
    }
    made = _build_program(scene, request, passes.paint_tiles, loop, 1)
    return made._replace(fixed=fix_switches(request, made.p))


def fix_switches(request: Request, p: P) -> Fixed:
    """Fix what switches parts of a GPU's code on or off, so that what is off takes none of its registers.

    These are one sample a pixel (code for several paints one as well), and the members of `p` that are 0 or 1. So there
    are a few kernels of a scene where one would do; each is compiled when it is first needed.
    """
    steering = {name: value for name, value in members_of(p).items() if isinstance(value, (int, np.integer))}
    switches = _switches(request) if request.samples == 1 else {}
    return Fixed(switches, {name: int(value) for name, value in steering.items() if value in (0, 1)})


def _switches(request: Request) -> dict[str, int]:
    """Give the members of a launch's settings that may be constants of the code."""
    return {"samples": request.samples, "keep_steps": int(request.samples == 1)}


def _build_program(scene: Scene, request: Request, root: Callable[..., Any], loop: Filling, lanes: int) -> Program:
    functions = scene.functions
    own = {getattr(slots, name): functions[name] for name in ("start", "step", "alive", "shade")}
    never = functions.get("never_ends") if scene.inside_flat else None
    return Program(
        root=root,
        slots=own | loop | {slots.never_ends: never or scalar.no_lane},
        lanes=lanes,
        precision=request.precision,
        p=scene.prepared(request),
        is_mirrored=partial(_is_mirrored, functions.get("symmetric") if lanes > 1 else None),
        source=str(scene.path),
    )


def _is_mirrored(symmetric: Callable[..., Any] | None, request: Request, p: P) -> bool:
    """Tell if the frame's lower half is the mirror image of the upper, sample by sample."""
    values = request.values
    centred = request.samples == 1 and values["y"] == 0.0 and bool(values["shortcuts"])
    return centred and symmetric is not None and bool(symmetric(p))


@cache
def _compiler(compiler: str) -> tuple[str, ...]:
    """Everything on our side and numba's that shapes the code, besides the loop and the scene."""
    own = hashlib.sha256()
    for name in SOURCES[compiler]:
        own.update((RENDER / f"{name}.py").read_bytes())
    chosen = [f"{name}={value}" for name, value in sorted(plain_numba.select_variables(os.environ).items())]
    versions = _package_version("numba"), _package_version("llvmlite"), np.__version__, sys.version
    return own.hexdigest(), *versions, *chosen


def _package_version(package: str) -> str:
    """Return the version of a package without loading it; empty if it is not installed.

    What the package's builders wrote into it says more than the installer's records, of changes to its source too.
    """
    place = find_spec(package)
    says = Path((place and place.origin) or package).with_name("_version.py")
    written = says.read_text(encoding="utf-8") if says.is_file() else ""
    if "version_json" in written or "version_version" in written:  # not so where it is run from its source
        return written
    return packages.find_version(package) or ""
