"""What a GPU can at most: copies, launches, and loops of nothing but fma, or of 3 fma and 1 sum."""

from __future__ import annotations

import ctypes
from typing import Any

from gpu.bench import COUNTS, Argument, Bench
from harness.cases import Case

FMA_A_TURN = 24  # of references/ceilings.cu
TURNS, THREADS, BLOCKS = 32768, 256, 4  # of a loop: turns; threads of a block, and blocks a multiprocessor
MEGABYTE = 1 << 20
BOTH_WAYS = 2  # bytes that a copy inside the GPU moves: read and written


def issuing(bench: Bench, precision: str, name: str, loop: str = "step") -> Case:
    """Make a case of a loop on all multiprocessors: `fma` alone, or `step`, with a sum for every three.

    No kernel that steps points reaches it. Raises Absent where NVRTC cannot compile the loop.
    """
    kernel = bench.kernels("ceilings")(f"{loop}_{precision}")
    place, real = bench.memory(THREADS * 8), COUNTS[precision]
    values = (place, ctypes.c_void_p), (TURNS, ctypes.c_int32), (0.5, real), (1.0, real)
    arguments = [Argument(*one) for one in values]
    blocks = BLOCKS * int(bench.gpu.multiprocessors)
    made = TURNS * FMA_A_TURN * blocks * THREADS
    facts = {"steps": made // 3} if loop == "step" else {"fma": made}
    return Case(
        name,
        lambda: bench.seconds(lambda: bench.launch(kernel, blocks, THREADS, arguments)),
        facts=facts,
        clock="gpu",
    )


def moving(bench: Bench) -> dict[str, Case]:
    """Make cases of copies inside the GPU and home to pinned memory, and of launches that do nothing. Raises Absent."""
    size = 256 * MEGABYTE
    here, there, other = bench.pinned(size // 4), bench.memory(size), bench.memory(size)
    nothing = bench.kernels("ceilings")("nothing")

    def inside() -> None:
        bench.asked(bench.driver.cuMemcpyDtoDAsync(other, there, size, bench.queue))

    def home() -> None:
        bench.asked(bench.driver.cuMemcpyDtoHAsync(here.ctypes.data, there, here.nbytes, bench.queue))

    def launches() -> None:
        for _ in range(1000):
            bench.launch(nothing, 1, 32, [])

    works: dict[str, tuple[Any, dict[str, int]]] = {
        "copied inside": (inside, {"bytes": BOTH_WAYS * size}),
        "copied home": (home, {"bytes": here.nbytes}),
        "1000 launches": (launches, {"launches": 1000}),
    }
    return {
        name: Case(name, lambda work=work: bench.seconds(work), facts=facts, clock="gpu")  # type: ignore[misc]
        for name, (work, facts) in works.items()
    }
