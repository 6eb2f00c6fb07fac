"""The program's former algorithm, written by hand in CUDA C++: steps and nothing else (references/mandelbrot.cu)."""

from __future__ import annotations

import ctypes

import numpy as np

from gpu.bench import COUNTS, Argument, Bench
from render.request import Request
from render.sampling import grid
from render.scene import REALS

THREADS = 128
BLOCK, LOSS = 32, 180  # steps between two votes; lost blocks after which lanes are refilled


class Reference:
    """references/mandelbrot.cu on a GPU, for one request of one sample a pixel without shortcuts. Raises Absent."""

    def __init__(self, bench: Bench, request: Request) -> None:
        self.bench, self.request = bench, request
        self._kernel = bench.kernels("mandelbrot", BLOCK=BLOCK, LOSS=LOSS)(f"mandelbrot_{request.precision}")
        self._counts = bench.memory(4 * request.width * request.height)
        self._taken = bench.memory(4)  # squares
        squares = -(-request.width // 8) * -(-request.height // 4)
        self._blocks = min(-(-squares // 4), bench.held(self._kernel, THREADS))

    def seconds(self) -> float:
        """Paint once; how long the kernel took."""
        request, real = self.request, COUNTS[self.request.precision]
        whole = REALS[request.precision]
        reach = whole(request.values["bailout"]) * whole(request.values["bailout"])
        places = [Argument(place, ctypes.c_void_p) for place in (self._counts, self._taken)]
        sizes = [Argument(one, ctypes.c_int32) for one in (request.width, request.height, request.limit)]
        reals = [Argument(float(one), real) for one in (*grid(request), reach)]
        return self.bench.seconds(
            lambda: self.bench.launch(self._kernel, self._blocks, THREADS, [*places, *sizes, *reals]),
            before=lambda: self.bench.clear(self._taken, 4),
        )

    def counts(self) -> np.ndarray:
        """The step counts of the last painting: (height, width) int32."""
        out = np.empty((self.request.height, self.request.width), np.int32)
        self.bench.fetch(self._counts, out)
        return out
