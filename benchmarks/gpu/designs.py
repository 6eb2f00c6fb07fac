"""Designs of the Mandelbrot kernel written by hand (references/designs.cu), for requests that the program paints too.

    pixels   one pixel a thread, from its first step to its last
    refill   two passes: what goes on after some steps is listed, and followed by warps whose ended lanes take the next

Each is tried with both ways to find a sample's last steps: one by one, or by halves.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial
from itertools import product
from typing import Any

import numpy as np

from gpu import nvrtc
from gpu.bench import COUNTS, Argument, Bench
from gpu.program import Program
from harness.cases import Once
from harness.program import check_equal
from render import scene
from render.kernels import warp
from render.request import Request

HALVES = {0: "one by one", 1: "by halves"}
PIXELS, REFILL = "pixels", "refill"
BLOCK = warp.BLOCK  # steps between two tests
UNTIL = warp.FIRST + 7 * BLOCK  # steps in the first pass
LOOK, FEWEST = 1440, 16  # steps between two looks for cycles; lanes that go on before others take from the list
FINISHING = 8  # blocks of two warps a multiprocessor in the second pass

Capability = tuple[int, int]


@cache
def compile_designs(capability: Capability, precision: str, shortcuts: int) -> dict[int, bytes]:
    """Compile references/designs.cu by HALVES, both at a time. Raises Absent."""
    real = {"f64": "double", "f32": "float"}[precision]

    def compile_one(halves: int) -> bytes:
        macros = {"REAL": real, "HALVES": halves, "SHORTCUTS": shortcuts, "K": BLOCK, "FIRST": warp.FIRST}
        return nvrtc.compile_reference("designs", capability, **macros).machine

    with ThreadPoolExecutor(len(HALVES)) as pool:
        return dict(zip(HALVES, pool.map(compile_one, HALVES), strict=True))


class ByHand:
    """The designs on a GPU, for the request of one of the program's kernels. Raises Absent."""

    def __init__(self, bench: Bench, program: Program) -> None:
        self.bench, self.program, request = bench, program, program.request
        codes = compile_designs(bench.gpu.capability, request.precision, int(bool(request.values["shortcuts"])))
        self._kernels = {halves: bench.load(code) for halves, code in codes.items()}
        self._squares = -(-request.width // 8) * -(-request.height // 4)
        pixels = request.width * request.height
        self._rgb, self._steps, self._counters = bench.memory(3 * pixels), bench.memory(4 * pixels), bench.memory(8)
        self._lists = [bench.memory(4 * pixels), bench.memory(4 * pixels), bench.memory(8 * pixels)]
        self._lists.append(bench.memory(8 * pixels))

    def works(self) -> Iterator[tuple[str, Once]]:
        """Give each design by its name, as one launch's seconds, once it has painted the program's picture.

        Raises Differ where it paints another.
        """
        for kind, halves in product((PIXELS, REFILL), HALVES):
            if kind == PIXELS:
                launch = self._pixels(self._kernels[halves])
            elif self.program.request.limit > UNTIL:
                launch = self._refill(self._kernels[halves])
            else:  # nothing goes on after the first pass
                continue
            once = partial(self.bench.seconds, launch, before=self._clear)
            once()
            name = design_name(kind, halves)
            self._check(name)
            yield name, once

    def _clear(self) -> None:
        self.bench.clear(self._counters, 8)

    def _pixels(self, kernels: Callable[[str], Any]) -> Callable[[], None]:
        return partial(self.bench.launch, kernels("pixels"), -(-self._squares // 4), 128, self._frame())

    def _refill(self, kernels: Callable[[str], Any]) -> Callable[[], None]:
        frame, first, second = self._frame(), kernels("first"), kernels("second")
        lists = [Argument(place, ctypes.c_void_p) for place in (self._counters, *self._lists)]
        taken = Argument(self._counters + 4, ctypes.c_void_p)
        until, look, fewest = (Argument(one, ctypes.c_int32) for one in (UNTIL, LOOK, FEWEST))

        def launch() -> None:
            self.bench.launch(first, -(-self._squares // 2), 64, [*frame, until, *lists])
            blocks = FINISHING * int(self.bench.gpu.multiprocessors)
            self.bench.launch(second, blocks, 64, [*frame, taken, look, fewest, *lists])

        return launch

    def _frame(self) -> list[Argument]:
        """Return what all kernels are told of a frame."""
        request, device = self.program.request, self.program.device
        real, p = COUNTS[request.precision], dict(zip(scene_members(request), device.p, strict=True))
        at = device.at
        whole = [Argument(one, ctypes.c_int32) for one in (request.width, request.height, request.limit)]
        grid = (at.x0, at.y0, at.pitch, at.half_width, at.half_height)
        members = (p[name] for name in ("reach", "per_reach", "density", "offset", "turn", "steady"))
        reals = [Argument(float(one), real) for one in (*grid, *members)]
        tables = [device.find_place(p[name]) for name in ("red", "green", "blue")]
        places = [*tables, device.find_place(at.table), self._rgb, self._steps]
        return [*whole, *reals, *[Argument(place, ctypes.c_void_p) for place in places]]

    def _check(self, name: str) -> None:
        painted = np.empty_like(self.program.rgb)
        self.bench.fetch(self._rgb, painted)
        check_equal(painted, self.program.rgb, f"values of the picture of {name}")

    def close(self) -> None:
        """Give the GPU's memory back."""
        for place in (self._rgb, self._steps, self._counters, *self._lists):
            self.bench.free(place)


def design_name(kind: str, halves: int) -> str:
    """Name a design as tables show it."""
    return f"{kind}, {HALVES[halves]}"


def scene_members(request: Request) -> tuple[str, ...]:
    """List the names of the members of a scene's `p`."""
    p: Any = scene.load(request.scene).prepared(request)
    return tuple(p._fields)
