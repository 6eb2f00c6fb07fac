"""A GPU stays open between the frames of a session, a film and a race; an interrupted frame is resumed there."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import render
from render import engine, options, scene
from render.codegen import cuda_code
from render.codegen.program import Fixed
from render.errors import RenderError
from render.findings.repeats import Rounds
from render.frontend.cli import main
from render.frontend.keeping import open_journal
from render.painting.course import Moment
from render.painting.painter import Done
from render.request import Request
from render.runtime.cuda import device, discovery
from render.trace.spans import Spans
from tests.gpu_driver import GPU

from .test_device import Imitation

OPENING = {
    "cuDevicePrimaryCtxRetain",
    "cuModuleLoadData",
    "cuMemAlloc",
    "cuMemHostAlloc",
    "cuStreamCreate",
    "cuEventCreate",
}
CLOSING = {"cuModuleUnload", "cuMemFree", "cuMemFreeHost", "cuStreamDestroy", "cuEventDestroy"}
LARGER: tuple[dict[str, Any], ...] = ({"size": "200x120", "tile": "64x64"}, {"samples": 3})
SMALL = {"size": "48x32", "tile": "16x16", "samples": 2, "limit": 60}


@pytest.fixture
def driver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Imitation]:
    """The driver of the only GPU, which paints the default scene; all memory is given back in the end."""
    request = options.complete(mode="cuda", simulate=True, **SMALL)
    made = cuda_code.make_program(scene.load("mandelbrot"), request)._replace(fixed=Fixed())
    imitation = Imitation(cuda_code.load_thread(made, cuda_code.simulated_cache_key(made)))
    found = discovery.Gpus((GPU,), None, "", (13, 0), (GPU,))
    monkeypatch.setattr(discovery, "find", lambda: found)
    monkeypatch.setattr(device, "load_driver", lambda: imitation)
    monkeypatch.setattr(cuda_code, "load_machine_code", lambda *_: b"code")
    yield imitation
    assert not imitation.memory


@pytest.fixture
def session(driver: Imitation) -> Iterator[Any]:
    """A session that has drawn a frame."""
    with render.session(mode="cuda", **SMALL) as opened:
        opened.draw()
        driver.calls.clear()
        yield opened


def drawn_by_the_cpu(**changes: Any) -> str:
    """The hash of the same frame."""
    return engine.draw(options.complete(mode="sequential", target="scalar", **{**SMALL, **changes})).sha256


@pytest.mark.parametrize(
    "changes",
    [{}, {"parameters": {"x": -0.5, "palette": "moss"}}, {"limit": 30, "order": "spiral"}, {"size": "40x24"}],
    ids=["the same", "another place and palette", "another order", "smaller"],
)
def test_a_second_frame_opens_nothing(changes: dict[str, Any], session: Any, driver: Imitation) -> None:
    frame = session.draw(**changes)

    assert not (OPENING | CLOSING) & set(driver.calls)
    assert "cuLaunchKernel" in driver.calls
    assert frame.sha256 == drawn_by_the_cpu(**changes)
    assert frame.trace.facts["multiprocessors"] == GPU.multiprocessors


@pytest.mark.parametrize(
    "changes", [{"samples": 1}, *(pytest.param(each, marks=pytest.mark.slow) for each in LARGER)], ids=str
)
def test_a_frame_with_more_to_keep_has_memory_of_its_own(
    changes: dict[str, Any], session: Any, driver: Imitation
) -> None:
    frame, again = session.draw(**changes), session.draw()

    assert "cuModuleLoadData" not in driver.calls or changes == {"samples": 1}, "which has code of its own"
    assert frame.sha256 == drawn_by_the_cpu(**changes)
    assert again.sha256 == drawn_by_the_cpu()


def test_spans_stay_columns_from_the_device_to_the_trace(session: Any) -> None:
    """A frame in thousands of tiles has ten thousands of them, which are never made one by one."""
    trace = session.draw().trace

    assert isinstance(trace.spans, Spans)
    assert isinstance(trace.with_spans([trace.spans[0]]).spans, Spans)
    assert trace.columns is trace.spans


def test_after_a_failure_the_gpu_is_opened_anew(session: Any, driver: Imitation) -> None:
    driver.failures["cuLaunchKernel"] = 1, 719
    with pytest.raises(RenderError):
        session.draw()
    driver.failures.clear()
    driver.calls.clear()

    assert session.draw().sha256 == drawn_by_the_cpu()
    assert "cuModuleLoadData" in driver.calls


def test_a_gpu_that_does_not_take_the_next_frame_is_opened_anew(session: Any, driver: Imitation) -> None:
    driver.failures["cuMemcpyHtoD"] = 1, 1

    assert session.draw().sha256 == drawn_by_the_cpu()
    assert driver.calls.count("cuModuleLoadData") == 1


def test_the_repeats_of_a_race_share_the_open_gpu(driver: Imitation, ask: Callable[..., Request]) -> None:
    request = ask(mode="cuda", target="cuda")

    engine.race([request], rounds=Rounds(3))

    assert driver.calls.count("cuModuleLoadData") == 1
    assert driver.calls.count("cuModuleUnload") == 1


def test_a_film_opens_the_gpu_once(
    driver: Imitation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    asked = [word for name, value in SMALL.items() for word in (f"--{name}", str(value))]

    assert main(["film", "f.webp", "--mode", "cuda", *asked, "--seconds", "0.3", "--fps", "10", "--json"]) == 0

    frames = json.loads(capsys.readouterr().out)["frames"]
    assert [one["sha256"] for one in frames] == [
        drawn_by_the_cpu(parameters=one["request"]["parameters"]) for one in frames
    ]
    assert len(frames) == 3
    assert driver.calls.count("cuModuleLoadData") == driver.calls.count("cuModuleUnload") == 1


def test_an_interrupted_frame_is_resumed_on_a_gpu(
    driver: Imitation, ask: Callable[..., Request], tmp_path: Path
) -> None:
    asked = ask(mode="cuda", target="cuda", tile=(8, 8))
    expected = engine.draw(replace(asked, mode="sequential", target="scalar"))

    done: list[Done] = []

    def interrupt(moment: Moment) -> None:
        done.append(moment.done)
        if len(done) == 3:
            raise KeyboardInterrupt

    request, journal = open_journal(asked, [tmp_path / "a.png"], print)
    with pytest.raises(KeyboardInterrupt):
        engine.draw(request, watch=interrupt, journal=journal)
    assert not driver.memory
    request, journal = open_journal(asked, [tmp_path / "a.png"], print, resume=True)
    frame = engine.draw(request, journal=journal)
    journal.remove()

    assert frame.trace.facts["resumed"] == 3
    assert frame.sha256 == expected.sha256
