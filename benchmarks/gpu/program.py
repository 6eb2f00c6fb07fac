"""The program's kernel on a GPU, a whole frame a launch: its picture must be the CPU's before a time counts.

Its picture and its time on the host come from the program's own stream. The kernel alone is launched and timed as
everything else that it is compared with: by `Bench.seconds`, writing to memory of its own.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import partial

import numpy as np

from gpu.bench import Argument, Bench
from harness.cases import Differ
from harness.program import check_equal
from render import engine, scene
from render.codegen import cuda_code
from render.codegen.settings import Settings, pack_cells
from render.frame import split_marked
from render.kernels.launch import TALLY, THREADS
from render.options import complete
from render.request import Request
from render.runtime.cuda import discovery
from render.runtime.cuda.device import CudaDevice
from render.runtime.cuda.stream import INT32, INT64
from render.runtime.kernel import Painted
from render.runtime.launch import Shape, make_list, share_out, sizes

NEVER = 1 << 62  # pixels that no list holds


class Program:
    """The program's kernel on the bench's GPU. Raises Differ where the CPU paints another picture."""

    def __init__(self, bench: Bench, request: Request) -> None:
        self.bench, self.request = bench, replace(request, tile=(request.width, request.height))
        made = cuda_code.make_program(scene.load(request.scene), self.request)
        code = cuda_code.load_machine_code(made, bench.gpu.capability, discovery.find().toolkit, lambda: None)
        p, clock = tuple(made.p), time.perf_counter_ns
        self.host, self.shape = 0.0, Shape(1, request.width, request.height)
        with ExitStack() as taken:
            self.device = CudaDevice(bench.gpu, code, self.request, p, clock, driver=bench.driver)
            taken.callback(self.device.close)
            self._load(taken)
            self._taken = taken.pop_all()

    def _load(self, taken: ExitStack) -> None:
        """Reserve memory, and see that both ways to launch paint what the CPU paints."""
        bench, request = self.bench, self.request
        self.stream = self.device.streams(1)[0]
        self._sizes = sizes(self.request, self.shape)
        here = np.zeros(self._sizes.whole, np.uint8)  # laid out as it is there
        self._memory = share_out(here, self.request, self.shape)
        self._memory.tiles[:] = 0, 0, request.width, request.height
        self._place = bench.memory(self._sizes.whole)
        taken.callback(bench.free, self._place)
        self._list = make_list(self.request, self.shape, self.device.most_listed)
        self._listed = bench.memory(sum(array.nbytes for array in self._list))
        taken.callback(bench.free, self._listed)
        bench.send(self._place, here)
        at = self.device.at
        self._arguments = self._make_arguments(here, at)
        self._listing = self._make_arguments(here, at._replace(enough=NEVER))
        painted = self._once()
        steps = painted.steps
        self.made, self.steps = int(painted.made[0]), None if steps is None else split_marked(steps[0].copy())[0]
        expected = engine.draw(on_cpu(request))
        self.rgb = painted.rgb[0].copy()
        check_equal(self.rgb, expected.rgb, "values of the picture")
        if self.made != expected.total_steps:
            raise Differ(abs(self.made - expected.total_steps), expected.total_steps, "steps")
        for once in (self.seconds, self.listing_seconds):
            once()
            self._check_alone(here)

    def _check_alone(self, here: np.ndarray) -> None:
        """Compare what was painted last where the kernel alone is timed. Raises Differ."""
        self.bench.fetch(self._place, here)
        check_equal(self._memory.rgb, self.rgb.reshape(-1), "values of the picture, where the kernel alone is timed,")
        alone = int(self._memory.tallies[::TALLY].sum())
        if alone != self.made:
            raise Differ(abs(alone - self.made), self.made, "steps, where the kernel alone is timed,")

    def _make_arguments(self, here: np.ndarray, at: Settings) -> list[Argument]:
        """Make the arguments of threads that write to memory of the bench."""
        room, waiting = self._list.room, self._list.waiting
        listed = {room.ctypes.data: self._listed, waiting.ctypes.data: self._listed + room.nbytes}

        def address(array: np.ndarray) -> int:
            if array.ctypes.data in listed:
                return listed[array.ctypes.data]
            distance = array.ctypes.data - here.ctypes.data
            if 0 <= distance < here.nbytes:
                return self._place + distance
            return self.device.find_place(array) if array.size else 0

        whole = self._list.settings(self._memory.settings(at))
        cells = pack_cells(whole, self.device.p, address=address).tolist()
        return [*(Argument(cell, INT64) for cell in cells), *(Argument(one, INT32) for one in self.shape)]

    def _once(self) -> Painted:
        t0 = time.perf_counter_ns()
        self.stream.submit(np.array([[0, 0, self.request.width, self.request.height]]))
        painted = self.stream.collect()
        self.host = (time.perf_counter_ns() - t0) / 1e9
        return painted

    def seconds(self) -> float:
        """Paint the frame once; how long the kernel took."""
        return self.bench.seconds(self._launch, before=self._clear)

    def listing_seconds(self) -> float:
        """Paint the frame once, with all that goes on left to the second pass; how long the kernel took."""
        return self.bench.seconds(partial(self._launch, self._listing), before=self._clear)

    def launch_once(self) -> None:
        """Paint the frame once, and wait."""
        self._clear()
        self._launch()
        self.bench.wait()

    def _clear(self) -> None:
        self.bench.clear(self._place, self._sizes.cleared)

    def _launch(self, arguments: list[Argument] | None = None) -> None:
        grids = self.shape.grids(self.device.most)
        for function, grid in zip(self.device.functions, grids, strict=True):
            self.bench.launch(function, grid, THREADS, arguments or self._arguments)

    def on_host(self) -> float:
        """Paint the frame once; how long it took to have it here."""
        self._once()
        return self.host

    def close(self) -> None:
        """Give the GPU's memory back."""
        self._taken.close()


def on_cpu(request: Request) -> Request:
    """The same frame, painted by all CPUs; with shortcuts, which change no pixel."""
    parameters = dict(request.values)
    if "shortcuts" in parameters:
        parameters["shortcuts"] = 1
    return complete(
        scene=request.scene,
        view=request.view,
        parameters=parameters,
        size=(request.width, request.height),
        samples=request.samples,
        limit=request.limit,
        precision=request.precision,
        mode="parallel",
    )


@contextmanager
def programs(bench: Bench, **requests: Request) -> Iterator[dict[str, Program]]:
    """The program for some requests, given back in the end."""
    made: dict[str, Program] = {}
    try:
        for name, request in requests.items():
            made[name.replace("_", " ")] = Program(bench, request)
        yield made
    finally:
        for program in made.values():
            program.close()
