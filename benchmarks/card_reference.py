"""Kernels written by hand in CUDA C++, compiled by NVRTC: what a card can at all, and the program's own algorithm.

NVRTC comes with the program's extra `cuda`, so no other compiler is needed, and code for any card can be made and read
without one. What is launched here, and the program's own kernel (card_program.py), is timed on the card's clock between
two events of a queue that is kept busy meanwhile: `Bench.seconds`.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from machine_code import Absent

from render.request import Request
from render.runtime.cuda import driver as card_driver
from render.runtime.cuda.driver import NOT_READY
from render.runtime.cuda.stream import NON_BLOCKING
from render.sampling import grid
from render.scene import REALS

FOLDER = Path(__file__).parent / "references"
FMA_A_TURN = 24  # of references/ceilings.cu
THREADS = 128
BLOCK, LOSS = (
    32,
    180,
)  # of references/mandelbrot.cu: steps between two votes; lost blocks after which lanes are refilled
AHEAD = 1, 2, 4  # how often a work is put in before it is timed, until the card is seen to be busy with it
DELAY_BYTES, DELAYS = 256 << 20, 6  # memory set again and again: 0.4 ms of an H200, and 30 us of this process
COUNTS = {"f64": ctypes.c_double, "f32": ctypes.c_float}


class Code(NamedTuple):
    """A compiled file: machine code, the same in the assembler's language, and what the assembler told."""

    machine: bytes
    assembly: bytes
    told: str


def compiled(name: str, capability: tuple[int, int], **defined: object) -> Code:
    """Compile references/NAME.cu for a GPU, with such macros. Raises Absent where it cannot be made."""
    try:
        from cuda.bindings import nvrtc
    except ImportError as error:
        raise Absent(f"NVRTC is not installed ({error})") from error

    def asked(result: tuple[Any, ...]) -> Any:
        code, *values = result
        if int(code):
            raise Absent(f"NVRTC does not compile {name}.cu ({code.name}): {log()}")
        return values[0] if values else None

    def log() -> str:
        told = bytearray(int(nvrtc.nvrtcGetProgramLogSize(program)[1]))
        nvrtc.nvrtcGetProgramLog(program, told)
        return told.decode(errors="replace").strip("\0\n ")

    source = (FOLDER / f"{name}.cu").read_bytes()
    options = [f"--gpu-architecture=sm_{capability[0]}{capability[1]}", "--fmad=false", "--ptxas-options=-v"]
    options += [f"--define-macro={macro}={value}" for macro, value in defined.items()]
    program = asked(nvrtc.nvrtcCreateProgram(source, f"{name}.cu".encode(), 0, [], []))
    try:
        asked(nvrtc.nvrtcCompileProgram(program, len(options), [option.encode() for option in options]))
        code = bytearray(int(asked(nvrtc.nvrtcGetCUBINSize(program))))
        asked(nvrtc.nvrtcGetCUBIN(program, code))
        text = bytearray(int(asked(nvrtc.nvrtcGetPTXSize(program))))
        asked(nvrtc.nvrtcGetPTX(program, text))
        return Code(bytes(code), bytes(text).rstrip(b"\0"), log())
    finally:
        nvrtc.nvrtcDestroyProgram(program)


class Argument(NamedTuple):
    """One argument of a kernel and its C type."""

    value: float
    type: Any


class Bench:
    """One card, on which kernels are launched one at a time and timed. `card` is a render.runtime.cuda.discovery.Gpu.

    Raises RenderError where the card is at fault.
    """

    def __init__(self, card: Any) -> None:
        self.card, self.asked, self.driver = card, card_driver.check_result, card_driver.load_bindings()
        self.asked(self.driver.cuCtxSetCurrent(card_driver.retain_context(self.driver, card.number)))
        self.queue = self.asked(self.driver.cuStreamCreate(NON_BLOCKING))
        self._events = [self.asked(self.driver.cuEventCreate(0)) for _ in range(2)]
        self._idle_memory = self.memory(DELAY_BYTES)

    def kernels(self, name: str, **defined: object) -> Callable[[str], Any]:
        """Compile references/NAME.cu, to find its kernels by name. Raises Absent."""
        return self.load(compiled(name, self.card.capability, **defined).machine)

    def load(self, code: bytes) -> Callable[[str], Any]:
        """Load machine code, to find its kernels by name."""
        module = self.asked(self.driver.cuModuleLoadData(code))
        return lambda kernel: self.asked(self.driver.cuModuleGetFunction(module, kernel.encode()))

    def memory(self, size: int) -> int:
        """So many bytes of the card's memory."""
        return int(self.asked(self.driver.cuMemAlloc(size)))

    def free(self, place: int) -> None:
        """Give memory of the card back."""
        self.asked(self.driver.cuMemFree(place))

    def pinned(self, size: int) -> np.ndarray:
        """So many bytes of this process's memory that the card can write to by itself (uint8)."""
        place = int(self.asked(self.driver.cuMemHostAlloc(size, 0)))
        return np.ctypeslib.as_array((ctypes.c_uint8 * size).from_address(place))

    def held(self, kernel: Any, threads: int) -> int:
        """Return how many blocks of a kernel the card holds at once."""
        most = self.asked(self.driver.cuOccupancyMaxActiveBlocksPerMultiprocessor(kernel, threads, 0))
        return int(most) * int(self.card.multiprocessors)

    def launch(
        self, kernel: Any, blocks: int | tuple[int, int, int], threads: int, arguments: Sequence[Argument]
    ) -> None:
        """Launch a kernel, without waiting; blocks: how many, or how many across, down and deep."""
        grid = blocks if isinstance(blocks, tuple) else (blocks, 1, 1)
        told = tuple(one.value for one in arguments), tuple(one.type for one in arguments)
        self.asked(self.driver.cuLaunchKernel(kernel, *grid, threads, 1, 1, 0, self.queue, told, 0))

    def seconds(self, work: Callable[[], object], before: Callable[[], object] = lambda: None) -> float:
        """Time what `work` puts into the queue of the card; `before` puts something in that does not count.

        Both are put in ahead, once or more, behind something slow, so that the card is busy while this process hands
        over what is timed: a short work of two launches would else be timed with the host's part.
        """
        first, last = self._events
        for ahead in AHEAD:
            for _ in range(DELAYS):
                self.clear(self._idle_memory, DELAY_BYTES)
            for _ in range(ahead):
                before()
                work()
            before()
            self.asked(self.driver.cuEventRecord(first, self.queue))
            work()
            self.asked(self.driver.cuEventRecord(last, self.queue))
            busy = int(self.driver.cuEventQuery(first)[0]) == NOT_READY
            self.asked(self.driver.cuEventSynchronize(last))
            if busy:
                break
        return float(self.asked(self.driver.cuEventElapsedTime(first, last))) / 1e3

    def clear(self, place: int, size: int) -> None:
        """Set memory of the card to 0."""
        self.asked(self.driver.cuMemsetD8Async(place, 0, size, self.queue))

    def send(self, place: int, values: np.ndarray) -> None:
        """Copy to the card, and wait."""
        self.asked(self.driver.cuMemcpyHtoD(place, values.ctypes.data, values.nbytes))
        self.asked(self.driver.cuCtxSynchronize())

    def fetch(self, place: int, into: np.ndarray) -> None:
        """Wait, and copy from the card."""
        self.asked(self.driver.cuStreamSynchronize(self.queue))
        self.asked(self.driver.cuMemcpyDtoH(into.ctypes.data, place, into.nbytes))


class Reference:
    """references/mandelbrot.cu on a card, for one request of one sample a pixel without shortcuts. Raises Absent."""

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
