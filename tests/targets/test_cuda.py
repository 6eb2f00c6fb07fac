"""Target cuda without a GPU: the code that a GPU would run, and the same code in numba's simulator.

Tests marked `gpu` compare a real GPU with the CPU.
"""

from __future__ import annotations

import pickle
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from render import engine, scene, targets
from render.errors import ModeUnavailable, SceneError, UsageError
from render.frame import Frame, open_canvas
from render.options import complete
from render.request import Request
from tests.conftest import HANGING

ROOT = Path(__file__).parent.parent.parent
PRECISIONS = ("f32", "f64")
VIEWS = [(name, view) for name in scene.names() for view in scene.load(name).views]


@pytest.mark.slow
def test_numpy_without_row_stack_is_no_obstacle() -> None:
    """NumPy 2.5 has none, and numba-cuda looks for it; what it is lent is taken back."""
    code = """
import numpy
from render import scene
from render.codegen import cuda_code, cuda_compiler
from render.options import complete
vars(numpy).pop("row_stack", None)
request = complete(mode="cuda", simulate=True)
made = cuda_code.make_program(scene.load(request.scene), request)
cuda_compiler.compile_kernels(made, (9, 0))
assert "row_stack" not in vars(numpy) and numpy.vstack
"""
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, timeout=HANGING)


def test_without_a_gpu_it_is_refused_with_a_reason(ask: Callable[..., Request]) -> None:
    target = targets.load("cuda")
    missing = target.unavailable_reason()
    if missing is None:
        pytest.skip("there is a GPU here")

    with pytest.raises(ModeUnavailable, match=re.escape(missing[0])):
        target.compile(scene.load("mandelbrot"), ask(mode="cuda", target="cuda"), print)


# --- the simulator: a real child process -------------------------------------------------------------------


@pytest.fixture
def simulated(ask: Callable[..., Request]) -> Request:
    """Ragged at the right and the lower edge, so that threads outside the frame must do nothing."""
    return ask(mode="cuda", target="cuda", simulate=True, width=21, height=11, tile=(21, 11), limit=40)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "precision"), [*((name, scene.load(name).precision) for name in scene.names()), ("mandelbrot", "f32")]
)
def test_the_simulator_paints_what_the_cpu_paints(name: str, precision: str, ask: Callable[..., Request]) -> None:
    asked = ask(scene=name, precision=precision, samples=2, width=21, height=11, tile=(21, 11), limit=40)
    request = replace(asked, mode="cuda", target="cuda", simulate=True)

    frame = engine.draw(request)
    expected = engine.draw(replace(request, mode="sequential", target="scalar", simulate=False))

    assert frame.sha256 == expected.sha256
    assert frame.total_steps == expected.total_steps


def test_the_simulator_gives_the_step_counts_too(simulated: Request) -> None:
    frame = engine.draw(simulated)
    expected = engine.draw(replace(simulated, mode="sequential", target="python", simulate=False))

    assert np.array_equal(np.asarray(frame.steps), np.asarray(expected.steps))
    assert np.array_equal(np.asarray(frame.inside), np.asarray(expected.inside))
    assert {span.worker.device for span in frame.trace.spans if span.kind == "paint"} == {"cuda simulator"}
    assert frame.trace.facts["device"] == "cuda simulator"


def test_a_kernel_can_be_sent_and_paints_by_itself(simulated: Request) -> None:
    kernel = targets.load("cuda").compile(scene.load("mandelbrot"), simulated, lambda _: None)
    sent = pickle.loads(pickle.dumps(kernel))  # noqa: S301  (our own)

    with open_canvas(simulated, shared=False) as here, open_canvas(simulated, shared=False) as there:
        assert kernel.paint(here, 0, 0, 21, 11) == sent.paint(there, 0, 0, 21, 11)
        assert np.array_equal(here.rgb, there.rgb)
    kernel.close()  # type: ignore[attr-defined]
    sent.close()


def test_a_scene_that_cannot_be_compiled_is_told_as_everywhere(simulated: Request, tmp_path: Path) -> None:
    broken = tmp_path / "broken.py"
    broken.write_text(
        "def start(x, y, p): return (x, y)\n"
        "def step(s, p): return s\n"
        "def alive(s, p): return s[0] > 9.0\n"
        "def shade(s, n, p): return open('x'), 0.0, 0.0\n"
    )
    request = replace(simulated, scene=str(broken), view="default")

    with pytest.raises(SceneError, match=r"broken\.py, line 4"):
        targets.load("cuda").compile(scene.load(str(broken)), request, lambda _: None)


def test_what_a_scene_prints_does_not_come_between(simulated: Request, tmp_path: Path) -> None:
    loud = tmp_path / "mandelbrot.py"  # whose code is kept under the same key
    loud.write_text("print('hello')\n" + (scene.scene_folder() / "mandelbrot.py").read_text(encoding="utf-8"))
    request = replace(simulated, scene=str(loud), width=3, height=2, tile=(3, 2), limit=9)
    expected = engine.draw(replace(request, mode="sequential", target="python", simulate=False))

    assert engine.draw(request).sha256 == expected.sha256


# --- a real GPU -------------------------------------------------------------------------------------------


def drawn(name: str, view: str, precision: str, **who: Any) -> Frame:
    return engine.draw(complete(scene=name, view=view, precision=precision, size=(317, 203), samples=2, **who))


def reached(name: str, view: str, precision: str) -> bool:
    """Whether the precision tells neighbouring pixels of the view apart; if not, a user is refused it too."""
    try:
        complete(scene=name, view=view, precision=precision, size=(317, 203))
    except UsageError as error:
        assert "too deep for f32" in error.cause  # noqa: PT017  (nothing else may keep a view from being compared)
        return False
    return True


PAINTED = [(*view, precision) for view in VIEWS for precision in PRECISIONS if reached(*view, precision)]


def test_every_view_is_compared_in_the_precision_that_it_is_made_for() -> None:
    assert {(name, view, scene.load(name).precision) for name, view in VIEWS} <= set(PAINTED)
    assert {(name, view, "f64") for name, view in VIEWS} <= set(PAINTED)


@pytest.mark.gpu
@pytest.mark.parametrize(("name", "view", "precision"), PAINTED)
def test_a_gpu_paints_what_the_cpu_paints(name: str, view: str, precision: str) -> None:
    frame = drawn(name, view, precision, mode="cuda", tile=(64, 48))
    expected = drawn(name, view, precision, mode="sequential", target="simd")

    assert frame.sha256 == expected.sha256
    assert frame.total_steps == expected.total_steps


@pytest.mark.gpu
@pytest.mark.parametrize("limit", [7, 8, 9, 100])
def test_a_gpu_counts_the_steps_that_the_cpu_counts(limit: int) -> None:
    wanted = {"size": (200, 130), "samples": 1, "limit": limit, "parameters": {"bailout": 2.0}}

    frame = engine.draw(complete(mode="cuda", **wanted))
    expected = engine.draw(complete(mode="sequential", target="simd", **wanted))

    assert np.array_equal(np.asarray(frame.steps), np.asarray(expected.steps))
    assert np.array_equal(np.asarray(frame.inside), np.asarray(expected.inside))


@pytest.mark.gpu
def test_a_second_run_on_a_gpu_compiles_nothing() -> None:
    request = complete(mode="cuda", size=(64, 64))
    engine.draw(request)
    said: list[str] = []

    engine.draw(request, announce=said.append)

    assert not said
