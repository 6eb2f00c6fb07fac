"""Numba's CUDA simulator as a device: the kernel's own source run thread by thread, in a process of its own.

The simulator has to be chosen before numba is imported and cannot be left again, so it never runs in the calling
process. The child is a plain Python that is told where modules lie and what to draw; requests and rows go through
its standard input and output. It is not made by multiprocessing, which would run the user's script a second time.

What a thread does is compiled for the CPU, so a small frame takes a second or two. That is no timing of any card.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import signal
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import IO, Any

import numpy as np

from render import scene
from render.codegen import cuda_code
from render.codegen.settings import pack, settings
from render.errors import RenderError
from render.kernels.launch import THREADS
from render.parameters import make_record
from render.prepared import PreparedScene, prepare_key
from render.request import Request
from render.runtime.kernel import Painted
from render.runtime.launch import blocks, rows, size
from render.trace import Clock, Worker

NAME = "cuda simulator"
BLOCKS = 1  # that it holds at once
CHILD = "import sys; sys.path[:] = {path!r}; from render.runtime.simulator import serve; serve()"
INSTEAD = "see whether --mode sequential --target scalar paints the scene"
PATIENCE = 5.0  # seconds that the child has to end by itself
Answer = tuple[Any, ...]


class Simulator:
    """A child process with a compiled kernel; `numbers`: the members of the scene's `p`, by name.

    Raises SceneError where the scene cannot be compiled.
    """

    failed: tuple[str, ...] = ()

    def __init__(self, path: str, key: str, request: Request, numbers: dict[str, Any], clock: Clock) -> None:
        self.name, self.request, self.clock = NAME, request, clock
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115  (closed in `close`)
        self._child = subprocess.Popen(  # noqa: S603  (this Python, our own code)
            [sys.executable, "-c", CHILD.format(path=sys.path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            env=os.environ | {"NUMBA_ENABLE_CUDASIM": "1", "OPENBLAS_NUM_THREADS": "1"},
        )
        self._turn = ThreadPoolExecutor(1, "simulator")
        try:
            self._ask(path, key, request, numbers)
        except BaseException:
            self.close()
            raise
        self.process = self._child.pid

    def submit(self, *rectangle: int) -> Future[Answer]:
        """Have a rectangle painted when those before it are."""
        return self._turn.submit(self._ask, *rectangle)

    def _ask(self, *question: Any) -> Answer:
        """One question and its answer. Raises what the child answers, or RenderError where it is gone."""
        assert self._child.stdin is not None
        assert self._child.stdout is not None
        try:
            pickle.dump(question, self._child.stdin)
            self._child.stdin.flush()
            answer = pickle.load(self._child.stdout)  # noqa: S301  (our own child's)
        except (OSError, ValueError, EOFError, pickle.UnpicklingError) as error:
            raise RenderError(f"the simulator's process ended: {self._last_words()}", INSTEAD) from error
        if isinstance(answer, Exception):
            raise answer
        return answer  # type: ignore[no-any-return]

    def _last_words(self) -> str:
        self._errors.seek(0)
        lines = self._errors.read().decode(errors="replace").split("\n")
        ended = f"exit {self._child.wait(PATIENCE)}, and it said nothing"
        return next((line for line in reversed(lines) if line.strip()), ended)

    def streams(self, count: int) -> list[SimulatedStream]:
        """So many streams; they take turns."""
        return [SimulatedStream(self, number) for number in range(count)]

    def facts(self) -> dict[str, Any]:
        """Nothing to tell of a card that is none."""
        return {}

    def close(self) -> None:
        """End the child, whatever it is doing."""
        self._child.terminate()
        self._turn.shutdown(wait=True, cancel_futures=True)
        try:
            self._child.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()
        for pipe in (self._child.stdin, self._child.stdout, self._errors):
            assert pipe is not None
            _close(pipe)


def _close(pipe: IO[bytes]) -> None:
    """Close, though what was still to be written finds nobody."""
    with contextlib.suppress(OSError):
        pipe.close()


class SimulatedStream:
    """One queue of launches in the simulator."""

    def __init__(self, simulator: Simulator, number: int) -> None:
        self.worker = Worker(simulator.process, number, NAME)
        self.device = self._simulator = simulator
        self._shape = 0, 0
        self._answer: Future[Answer] = Future()

    def submit(self, x: int, y: int, width: int, height: int) -> None:
        """Launch a rectangle of the frame, without waiting for it."""
        self._shape = width, height
        self._answer = self._simulator.submit(x, y, width, height)

    def ready(self) -> bool:
        """Whether `collect` would give the launch back at once."""
        return self._answer.done()

    def collect(self) -> Painted:
        """Wait for the launch."""
        memory, began, painted = self._answer.result()
        brought = rows(np.frombuffer(memory, np.uint8), self._simulator.request, *self._shape, BLOCKS)
        return brought.painted(*self._shape, began, painted, max(self._simulator.clock(), painted))


# --- in the child ------------------------------------------------------------------------------------------


def serve() -> None:
    """The child: compile what the first message says, then paint rectangles until nobody asks any more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which ends this process
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a scene prints must not come between the answers
    paint = None
    while True:
        try:
            question = pickle.load(sys.stdin.buffer)  # noqa: S301  (our parent's)
        except EOFError:
            return
        try:
            if paint is None:
                paint = _compiled(*question)
                answer: Any = (os.getpid(), threading.get_native_id())
            else:
                answer = paint(*question)
        except Exception as error:  # noqa: BLE001  (whatever it is, the parent raises it)
            answer = error if isinstance(error, RenderError) else RuntimeError(f"{type(error).__name__}: {error}")
        pickle.dump(answer, answers)
        answers.flush()


def _compiled(path: str, key: str, request: Request, numbers: dict[str, Any]) -> Any:
    """A function that paints a rectangle in the simulator; its code is in the cache, or put there under `key`."""
    _use_own_simulator()
    from render.codegen import cuda_compiler

    made = cuda_code.program(PreparedScene.of(scene.load(path), {prepare_key(request): make_record(numbers)}), request)
    kernel, at = cuda_compiler.simulated(cuda_code.thread(made, key)), settings(request)

    def paint(x: int, y: int, width: int, height: int) -> Answer:
        memory = np.zeros(size(request, width, height, BLOCKS), np.uint8)
        cells = pack(rows(memory, request, width, height, BLOCKS).told(at), made.p)
        t0 = time.perf_counter_ns()
        kernel[blocks(width, height, BLOCKS), THREADS](cells.ctypes.data, x, y, width, height)
        return memory.tobytes(), t0, time.perf_counter_ns()

    return paint


def _use_own_simulator() -> None:
    """Have numba's own simulator in place of numba-cuda's, which does not even load without a CUDA toolkit."""
    import importlib.util

    for finder in [found for found in sys.meta_path if type(found).__module__ == "_numba_cuda_redirector"]:
        package = importlib.util.find_spec("numba")
        assert package is not None
        if any((Path(place) / "cuda" / "simulator").is_dir() for place in package.submodule_search_locations or ()):
            sys.meta_path.remove(finder)
