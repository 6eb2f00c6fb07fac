"""Designs of the Mandelbrot kernel side by side: the program's two passes, and references/designs.cu, written by hand.

    pixels   one pixel a thread, from its first step to its last
    refill   two passes: what goes on after some steps is listed, and followed by warps whose ended lanes take the next

Each is tried with both ways to find a sample's last steps: one by one, or by halves. All make the program's steps and
colours, and are compared with its picture, which is the CPU's, before their times count.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import card_reference
import numpy as np
from card_program import Program, programs, same
from card_reference import COUNTS, Argument, Bench
from pairs import Work, in_turn

from render import scene
from render.errors import UsageError
from render.kernels import warp
from render.request import Request

VIEWS = ("whole", "seahorses", "elephants", "tails", "spiral", "brooch", "interior")
INTERIOR = {"x": -0.1, "y": 0.0, "zoom": 40.0, "limit": 5000}
HALVES = {0: "one by one", 1: "by halves"}
BLOCK = warp.BLOCK  # steps between two tests
UNTIL = warp.FIRST + 7 * BLOCK  # steps in the first pass
LOOK, FEWEST = 1440, 16  # steps between two looks for cycles; lanes that go on before others take from the list
FINISHING = 8  # blocks of two warps a multiprocessor in the second pass
LISTS = ("length", "place", "made", "x", "y")
METRICS = {  # of Nsight Compute
    "launch__registers_per_thread": "registers",
    "launch__occupancy_limit_registers": "blocks by registers",
    "sm__warps_active.avg.pct_of_peak_sustained_active": "% of warps active",
    "smsp__issue_active.avg.pct_of_peak_sustained_active": "% of issue slots used",
    "smsp__thread_inst_executed_per_inst_executed.ratio": "lanes an instruction",
    "gpu__time_duration.sum": "ns",
}
Ask = Callable[..., Request]


def code_of(capability: tuple[int, int], precisions: tuple[str, ...]) -> dict[tuple[str, int, int], bytes]:
    """Compile references/designs.cu by (precision, halves, shortcuts), several at a time. Raises Absent."""
    reals = {"f64": "double", "f32": "float"}

    def compiled(which: tuple[str, int, int]) -> bytes:
        precision, halves, shortcuts = which
        told = {"REAL": reals[precision], "HALVES": halves, "NEVER": 2 * shortcuts, "LEVELS": 3}
        return card_reference.compiled("designs", capability, K=BLOCK, FIRST=warp.FIRST, **told).machine

    every = list(product(precisions, (0, 1), (0, 1)))
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return dict(zip(every, pool.map(compiled, every), strict=True))


class ByHand:
    """The designs written by hand on a GPU, for frames of one size."""

    def __init__(self, bench: Bench, size: tuple[int, int], precisions: tuple[str, ...]) -> None:
        self.bench, self.size = bench, size
        self._squares = -(-size[0] // 8) * -(-size[1] // 4)
        self._kernels = {which: bench.load(code) for which, code in code_of(bench.card.capability, precisions).items()}
        pixels = size[0] * size[1]
        self._rgb, self._steps, self._counters = bench.memory(3 * pixels), bench.memory(4 * pixels), bench.memory(8)
        self._lists = [bench.memory(4 * pixels), bench.memory(4 * pixels), bench.memory(8 * pixels)]
        self._lists.append(bench.memory(8 * pixels))

    def works(self, program: Program) -> Iterator[tuple[str, Work]]:
        """Give each design as a work, for the request of a program, whose picture it must paint. Raises Differ."""
        request = program.request
        for halves, how in HALVES.items():
            kernels = self._kernels[request.precision, halves, int(bool(request.values["shortcuts"]))]
            designs = {"pixels": self._pixels(kernels, program)}
            if request.limit > UNTIL:
                designs["refill"] = self._refill(kernels, program)
            for name, launch in designs.items():
                work = partial(self.bench.seconds, launch, before=self._clear)
                work()
                self._check(program, f"{name}, {how}")
                yield f"{name}, {how}", work

    def _clear(self) -> None:
        self.bench.clear(self._counters, 8)

    def _pixels(self, kernels: Callable[[str], Any], program: Program) -> Callable[[], None]:
        return partial(self.bench.launch, kernels("pixels"), -(-self._squares // 4), 128, self._frame(program))

    def _refill(self, kernels: Callable[[str], Any], program: Program) -> Callable[[], None]:
        frame, first, third = self._frame(program), kernels("first"), kernels("third")
        lists = [Argument(place, ctypes.c_void_p) for place in (self._counters, *self._lists)]
        taken = Argument(self._counters + 4, ctypes.c_void_p)
        chunk, until, look, fewest = (Argument(one, ctypes.c_int32) for one in (0, UNTIL, LOOK, FEWEST))

        def launch() -> None:
            self.bench.launch(first, -(-self._squares // 2), 64, [*frame, taken, chunk, until, *lists])
            blocks = FINISHING * int(self.bench.card.multiprocessors)
            self.bench.launch(third, blocks, 64, [*frame, taken, look, fewest, *lists])

        return launch

    def _frame(self, program: Program) -> list[Argument]:
        """Return what all kernels are told of a frame."""
        request, device = program.request, program.device
        real, p = COUNTS[request.precision], dict(zip(scene_members(request), device.p, strict=True))
        at = device.at
        whole = [Argument(one, ctypes.c_int32) for one in (*self.size, request.limit)]
        grid = (at.x0, at.y0, at.pitch, at.half_width, at.half_height)
        members = (p[name] for name in ("reach", "per_reach", "density", "offset", "turn", "steady"))
        reals = [Argument(float(one), real) for one in (*grid, *members)]
        tables = [device.find_place(p[name]) for name in ("red", "green", "blue")]
        places = [*tables, device.find_place(at.table), self._rgb, self._steps]
        return [*whole, *reals, *[Argument(place, ctypes.c_void_p) for place in places]]

    def _check(self, program: Program, name: str) -> None:
        painted = np.empty_like(program.rgb)
        self.bench.fetch(self._rgb, painted)
        same(painted, program.rgb, f"values of the picture of {name}")

    def close(self) -> None:
        """Give the GPU's memory back."""
        for place in (self._rgb, self._steps, self._counters, *self._lists):
            self.bench.free(place)


def scene_members(request: Request) -> tuple[str, ...]:
    """The names of the members of a scene's `p`."""
    p: Any = scene.load(request.scene).prepared(request)
    return tuple(p._fields)


def requests(ask: Ask, precisions: tuple[str, ...]) -> Iterator[tuple[str, Request]]:
    """Every view, with shortcuts and without; the interior without."""
    named = scene.load("mandelbrot").views
    for precision, view, shortcuts in product(precisions, VIEWS, (0, 1)):
        if view == "interior" and shortcuts:
            continue
        chosen = dict(INTERIOR if view == "interior" else named[view])
        limit = int(chosen.pop("limit", 1000))
        parameters = {name: value for name, value in chosen.items() if name in ("x", "y", "zoom")}
        parameters |= {"shortcuts": shortcuts, "light": 0.0, "edge": 0.0}
        told = {"precision": precision, "limit": limit, "parameters": parameters}
        try:
            request = ask(**told)
        except UsageError:  # float32 cannot tell the pixels of the deepest views apart
            continue
        yield f"{precision} {view}{', shortcuts' if shortcuts else ''}", request


def compare(bench: Bench, ask: Ask, precisions: tuple[str, ...], size: tuple[int, int], runs: int) -> None:
    """Print a line for each view: the program's time, each design's, and the program against the best by hand."""
    by_hand = ByHand(bench, size, precisions)
    print(f"\ndesigns, {size[0]}x{size[1]}, one sample: ms, median of {runs}; last, the best by hand over it")
    columns = [f"{name}, {how}" for name in ("pixels", "refill") for how in HALVES.values()]
    print(f"  {'':28}{'program':>10}" + "".join(f"{name:>20}" for name in columns) + f"{'program':>10}", flush=True)
    for name, request in requests(ask, precisions):
        with programs(bench, painted=request) as made:
            program = made["painted"]
            works = {"program": program.seconds} | dict(by_hand.works(program))
            in_turn(works, 1)
            times = {work: 1e3 * spent.median for work, spent in in_turn(works, runs).items()}
        best = min(spent for work, spent in times.items() if work != "program")
        row = "".join(f"{times[one]:20.4f}" if one in times else f"{'':20}" for one in columns)
        print(f"  {name:28}{times['program']:10.4f}{row}{best / times['program']:10.2f}", flush=True)
    by_hand.close()


def profile(bench: Bench, ask: Ask, precisions: tuple[str, ...]) -> None:
    """Launch one frame of each precision where Nsight Compute looks on."""
    for name, request in requests(ask, precisions):
        if name.split(" ", 1)[1] in ("whole", "interior"):
            with programs(bench, painted=request) as made:
                bench.asked(bench.driver.cuProfilerStart())
                made["painted"].seconds()
                bench.asked(bench.driver.cuProfilerStop())


def profiled(script: Path, precisions: tuple[str, ...]) -> None:
    """Print what Nsight Compute measures of the program's passes, where it is installed."""
    ncu = shutil.which("ncu")
    if ncu is None:
        print("\nNsight Compute (ncu) is not installed: no figures of it")
        return
    options = ["--profile-from-start", "off", "--launch-count", str(4 * len(precisions)), "--csv", "--page", "raw"]
    command = [ncu, *options, "--metrics", ",".join(METRICS), sys.executable, str(script), "designs", "--profile"]
    if len(precisions) == 1:
        command += ["--precision", precisions[0]]
    run = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)  # noqa: S603
    lines = [line for line in run.stdout.splitlines() if line.startswith('"')]
    if run.returncode or len(lines) < 3:
        print(f"\nNsight Compute gave no figures: {(run.stderr or run.stdout)[-300:]}")
        return
    import csv

    heads, _units, *rows = csv.reader(lines)
    print("\nNsight Compute, whole set and interior without shortcuts, each pass: " + ", ".join(METRICS.values()))
    for row in rows:
        told = dict(zip(heads, row, strict=True))
        print(f"  {told['Kernel Name'][:14]:16}" + "".join(f"{told.get(one, '?'):>12}" for one in METRICS))
