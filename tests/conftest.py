"""What the tests share: a clock that they set, a folder for compiled code, small requests, and a GPU or none."""

from __future__ import annotations

import importlib
import os
import pickle
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from render import targets
from render.codegen import code_cache
from render.request import Request, Value
from render.scene import load

# A first example may compile a scene, and the machine may be busy, so time says nothing about the code under test.
settings.register_profile("render", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", settings.get_profile("render"), derandomize=True)  # the same examples each time
settings.load_profile("render")

EXAMPLE = Request(  # of a frame that nobody paints: six tiles, for tests that make their own pixels and spans
    scene="mandelbrot",
    view="default",
    parameters=(("x", -0.5), ("zoom", 1.25)),
    width=48,
    height=32,
    samples=1,
    limit=60,
    precision="f64",
    mode="sequential",
    target="simd",
    backend=None,
    workers=1,
    in_flight=4,
    wait_ns=0,
    tile=(16, 16),
    order="rows",
)


ROOT = Path(__file__).parent.parent
HANGING = 300  # seconds after which a process is taken to hang; none waits so long, however busy the machine is


class FakeClock:
    """Integer nanoseconds that pass only when a test says so."""

    def __init__(self) -> None:
        self.now = 0

    def __call__(self) -> int:
        return self.now

    def tick(self, ns: int = 1) -> int:
        """Let `ns` nanoseconds pass; gives the new time."""
        self.now += ns
        return self.now


@pytest.fixture
def clock() -> FakeClock:
    """A clock at 0, for a Recorder or whatever else asks for the time."""
    return FakeClock()


def pytest_configure(config: pytest.Config) -> None:
    """Compiled code goes to one folder for all workers of a run: each kernel compiles once, and never in an older run.

    The workers of pytest-xdist are started after this, with the environment of the process that starts them. And a
    shell's background job ignores Control-C, as all would do that it starts; tests interrupt some. Bytecode is kept, as
    Python does by itself: with PYTHONDONTWRITEBYTECODE each of the many processes would parse the whole program anew.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if not hasattr(config, "workerinput"):
        folder = tempfile.TemporaryDirectory(prefix="render-tests-", ignore_cleanup_errors=True)
        patch = pytest.MonkeyPatch()
        patch.setenv("RENDER_CACHE_DIR", folder.name)
        patch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
        config.add_cleanup(folder.cleanup)
        config.add_cleanup(patch.undo)


@pytest.fixture(scope="module")
def script() -> Iterator[Callable[[str], ModuleType]]:
    """Loads a benchmark as Python does when it is run: its neighbours are found by bare name."""
    folder = Path(__file__).parent.parent / "benchmarks"
    before = set(sys.modules)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(folder)
        yield importlib.import_module
    own = {path.stem for path in folder.iterdir()}
    for name in [name for name in sys.modules if name not in before and name.partition(".")[0] in own]:
        sys.modules.pop(name)


def library(request: Request) -> Any:
    """A request's kernel in the language of NVIDIA's compiler, for the oldest GPU that a test assembles it for.

    It is compiled once for all tests of all workers.
    """
    from render.codegen import cuda_code, cuda_compiler

    made = cuda_code.make_program(load(request.scene), request)

    def compiled() -> bytes:
        return pickle.dumps(cuda_compiler.compile_kernels(made, (7, 5)))

    key = made.cache_key("cuda", ("library",))
    if key not in LIBRARIES:
        LIBRARIES[key] = pickle.loads(code_cache.obtain_code(key, compiled))  # noqa: S301  (our own)
    return LIBRARIES[key]


LIBRARIES: dict[str, Any] = {}  # by what they depend on


@pytest.fixture(scope="session")
def gpu_library() -> Callable[[str, str], Any]:
    """A scene's kernel: `gpu_library("mandelbrot", "f32")`."""
    from render.options import complete

    return lambda name, precision: library(complete(scene=name, precision=precision, mode="cuda", simulate=True))


@pytest.fixture(scope="session")
def ask() -> Callable[..., Request]:
    """Makes small requests: `ask(mode="parallel", workers=2, parameters={"zoom": 3})`; the scene fills in the rest."""
    return small_request


def small_request(
    *, scene: str = "mandelbrot", view: str | None = None, parameters: Mapping[str, Value] | None = None, **changes: Any
) -> Request:
    """A frame of 48 x 32 pixels in six tiles, one sample a pixel, painted sequentially by target python."""
    asked = load(scene)
    view = view or next(iter(asked.views))
    settled, _ = asked.settle(view, parameters or {})
    what = {"scene": scene, "view": view, "parameters": tuple(settled.items()), "precision": asked.precision}
    return replace(EXAMPLE, **what | {"target": "python"} | changes)


@cache
def why_no_gpu() -> str | None:
    """Why target cuda cannot run here, or None."""
    if "cuda" not in targets.names():
        return "target cuda is not there"
    reason, _ = targets.load("cuda").unavailable_reason() or (None, "")
    return reason


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Tests that need a GPU are skipped, with the reason, where there is none."""
    if item.get_closest_marker("gpu"):
        reason = why_no_gpu()
        if reason:
            pytest.skip(f"needs a graphics card: {reason}")


@pytest.fixture(scope="session")
def _end_kept_cluster() -> Iterator[None]:
    """Close the cluster that was kept, while the threads that it is made of still run."""
    yield
    from render.backends.dask import connection

    connection.KEPT.close()


@pytest.fixture
def _cluster_of_threads(monkeypatch: pytest.MonkeyPatch, _end_kept_cluster: None) -> None:
    """A cluster of backend dask on this machine is made of threads of this process, which start at once."""
    from distributed import Worker

    from render.backends.dask import local

    class WorkerHere(Worker):  # type: ignore[misc]
        pid = None  # of a process of its own

    monkeypatch.setattr(local, "Nanny", WorkerHere)


def start_program(*words: str | bytes, **more: Any) -> subprocess.Popen[str]:
    """The program in a process and a session of its own."""
    command, environment = [sys.executable, "-m", "render", *words], os.environ | {"PYTHONPATH": str(ROOT)}
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen(command, env=environment, text=True, start_new_session=True, **pipes | more)


@pytest.fixture
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Each test has a folder of its own, and the program leaves no signal handler behind.

    A machine may be so busy that a tiny picture takes seconds: that alone makes no journal, and no news of progress.
    """
    from render.frontend import progress
    from render.storage import journal

    for late in (journal, progress):
        monkeypatch.setattr(late, "FIRST_SECONDS", HANGING)
    monkeypatch.chdir(tmp_path)
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)
