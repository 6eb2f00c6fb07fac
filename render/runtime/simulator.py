"""Numba's CUDA simulator as a device: the kernel's own source run thread by thread, in a process of its own.

The simulator has to be chosen before numba is imported and cannot be left again, so it never runs in the calling
process. The child is a plain Python that is told where modules lie and what to draw; launches and pixels go through
its standard input and output. It is not made by multiprocessing, which would run the user's script a second time.

What a thread does is compiled for the CPU, so a small frame takes a second or two. That is no timing of any GPU.
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
from render.codegen.settings import pack_cells, request_settings
from render.errors import RenderError
from render.kernels.launch import THREADS
from render.kernels.passes import FIRST_PASS, SECOND_PASS
from render.parameters import P, make_record, members_of
from render.prepared import PreparedScene, prepare_key
from render.processes import end_with_pipe
from render.request import Request
from render.runtime.launch import MOST_LISTED, Shape, fit, make_list, share_out, sizes
from render.runtime.painted import Painted
from render.trace import Clock, Worker

NAME = "cuda simulator"
BLOCKS = 1  # that it holds at once
STEP = 0  # ns between two times of a square: it has the host's own clock
CHILD = "import sys; sys.path[:] = {path!r}; from render.runtime import simulator; simulator.serve_launches({lifeline})"
INSTEAD = "see whether --mode sequential --target scalar paints the scene"
PATIENCE = 5.0  # seconds that the child has to end by itself
Answer = tuple[Any, ...]


class Simulator:
    """A child process with a compiled kernel; `numbers`: the members of the scene's `p`, by name.

    Raises SceneError where the scene cannot be compiled.
    """

    failed: tuple[str, ...] = ()

    def __init__(self, path: str, request: Request, numbers: dict[str, Any], clock: Clock) -> None:
        self.name, self.request, self.clock, self._path = NAME, request, clock, path
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115  (closed in `close`)
        theirs, ours = os.pipe()  # ours closes when this process ends, however that happens
        self._lifeline = os.fdopen(ours, "wb", 0)
        self._child = subprocess.Popen(  # noqa: S603  (this Python, our own code)
            [sys.executable, "-c", CHILD.format(path=sys.path, lifeline=theirs)],
            pass_fds=() if os.name == "nt" else (theirs,),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            env=os.environ | {"NUMBA_ENABLE_CUDASIM": "1", "OPENBLAS_NUM_THREADS": "1"},
        )
        os.close(theirs)
        self._turn = ThreadPoolExecutor(1, "simulator")
        try:
            self._ask(path, request, numbers)
        except BaseException:
            self.close()
            raise
        self.process = self._child.pid

    def submit(self, shape: Shape, rectangles: np.ndarray) -> Future[Answer]:
        """Have a launch's rectangles painted when those before it are."""
        return self._turn.submit(self._ask, shape, rectangles)

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
        shape = fit(self.request)
        assert shape is not None, "a launch has room for a few rows"
        return [SimulatedStream(self, number, shape) for number in range(count)]

    def restart(self, request: Request, p: P, clock: Clock) -> bool:
        """Have the same child paint another request."""
        self._ask(self._path, request, members_of(p))
        self.request, self.clock = request, clock
        return True

    def facts(self) -> dict[str, Any]:
        """Nothing to tell of a GPU that is none."""
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
        for pipe in (self._child.stdin, self._child.stdout, self._errors, self._lifeline):
            assert pipe is not None
            _close_pipe(pipe)


def _close_pipe(pipe: IO[bytes]) -> None:
    """Close, though what was still to be written finds nobody."""
    with contextlib.suppress(OSError):
        pipe.close()


def _keep_within(times: np.ndarray, began: int, painted: int) -> None:
    """Put times of a launch, which are the host's, between its own."""
    np.clip(times, began, painted, out=times)


class SimulatedStream:
    """One queue of launches in the simulator."""

    def __init__(self, simulator: Simulator, number: int, shape: Shape) -> None:
        self.worker = Worker(simulator.process, number, NAME)
        self.device = self._simulator = simulator
        self.shape = self._launched = shape
        self._answer: Future[Answer] = Future()

    def submit(self, rectangles: np.ndarray) -> None:
        """Launch rectangles of the frame, (n, 4), without waiting for them."""
        self._launched = Shape(len(rectangles), *rectangles[:, 2:].max(axis=0).tolist())
        self._answer = self._simulator.submit(self._launched, rectangles)

    def ready(self) -> bool:
        """Test whether `collect` would return the launch at once."""
        return self._answer.done()

    def collect(self) -> Painted:
        """Wait for the launch."""
        data, began, painted = self._answer.result()
        memory = share_out(np.frombuffer(bytearray(data), np.uint8), self._simulator.request, self._launched)
        arrived = max(self._simulator.clock(), painted)
        brought = memory.painted(self._launched, _keep_within, began, painted, arrived, handed=None, step=STEP)
        return brought._replace(squares=None)  # there are no multiprocessors


# --- in the child ------------------------------------------------------------------------------------------


def serve_launches(lifeline: int) -> None:
    """The child: compile what the first message says, then paint launches until nobody asks any more.

    A message of three parts is a request like the first; one of two is a launch.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which ends this process
    end_with_pipe(lifeline)
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a scene prints must not come between the answers
    paint = None
    while True:
        try:
            question = pickle.load(sys.stdin.buffer)  # noqa: S301  (our parent's)
        except EOFError:
            return
        try:
            if paint is None or len(question) == 3:  # another request
                paint = _compile_painter(*question)
                answer: Any = (os.getpid(), threading.get_native_id())
            else:
                answer = paint(*question)
        except Exception as error:  # noqa: BLE001  (whatever it is, the parent raises it)
            answer = error if isinstance(error, RenderError) else RuntimeError(f"{type(error).__name__}: {error}")
        pickle.dump(answer, answers)
        answers.flush()


def _compile_painter(path: str, request: Request, numbers: dict[str, Any]) -> Any:
    """A function that paints a launch in the simulator; its code is in the cache, or put there."""
    _use_own_simulator()
    from render.codegen import cuda_compiler

    made = cuda_code.make_program(
        PreparedScene.of(scene.load(path), {prepare_key(request): make_record(numbers)}), request
    )
    thread = cuda_code.load_thread(made, cuda_code.simulated_cache_key(made))
    kernel, at = cuda_compiler.make_simulated_kernel(thread), request_settings(request)

    def paint(shape: Shape, rectangles: np.ndarray) -> Answer:
        data = np.zeros(sizes(request, shape).whole, np.uint8)
        memory = share_out(data, request, shape)
        memory.tiles[:] = rectangles.reshape(-1)
        listed = make_list(request, shape, MOST_LISTED)
        cells = pack_cells(listed.settings(memory.settings(at)), made.p)
        t0 = time.perf_counter_ns()
        for stage in (FIRST_PASS, SECOND_PASS):
            kernel[1, THREADS](cells.ctypes.data, stage, *shape)
        return data.tobytes(), t0, time.perf_counter_ns()

    return paint


def _use_own_simulator() -> None:
    """Have numba's own simulator in place of numba-cuda's, which does not even load without a CUDA toolkit."""
    import importlib.util

    for finder in [found for found in sys.meta_path if type(found).__module__ == "_numba_cuda_redirector"]:
        package = importlib.util.find_spec("numba")
        assert package is not None
        if any((Path(place) / "cuda" / "simulator").is_dir() for place in package.submodule_search_locations or ()):
            sys.meta_path.remove(finder)
