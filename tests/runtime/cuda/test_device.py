"""The host's side of a GPU, against a driver that runs each thread's own code on the CPU: what is told to the GPU,
what comes back, and what is said when it fails."""

from __future__ import annotations

import ctypes
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
import pytest

from render import engine, scene
from render.codegen import cuda_code
from render.codegen.program import ENTRIES, Fixed
from render.errors import RenderError
from render.kernels.launch import THREADS
from render.kernels.passes import FIRST_PASS
from render.request import Request
from render.runtime.cuda import driver as gpu_driver
from render.runtime.cuda.device import CudaDevice
from render.runtime.cuda.driver import LaunchFailed
from tests.conftest import HANGING
from tests.gpu_driver import EVERY, Driver, drawn, open_device


class Imitation(Driver):
    """A driver that runs each thread's own code on the CPU, as a warp of one lane."""

    def __init__(self, thread: Callable[..., None]) -> None:
        super().__init__()
        self.thread = thread

    def launch(self, function: Any, *rest: Any) -> None:
        (*values, count, wide, high), types = rest[-2]
        assert types == (*[ctypes.c_int64] * len(values), *[ctypes.c_int32] * 3)
        cells = (ctypes.c_int64 * len(values))(*values)
        across, down, deep = rest[:3]
        stage, warps = ENTRIES.index(function), THREADS // 32
        for x, y, tile, warp in product(range(across), range(down), range(deep), range(warps)):
            square = 2 * x + warp % 2, 2 * y + warp // 2
            place = square if stage == FIRST_PASS else (warps * x + warp, warps * across)
            self.thread(ctypes.addressof(cells), stage, *place, tile, count, wide, high)


def rectangle(*edges: int) -> np.ndarray:
    """One rectangle for a launch."""
    return np.array([edges])


@pytest.fixture
def driver(ask: Callable[..., Request]) -> Imitation:
    """For float64 frames of the default scene, of any number of samples."""
    made = cuda_code.make_program(scene.load("mandelbrot"), ask())._replace(fixed=Fixed())
    return Imitation(cuda_code.load_thread(made, cuda_code.simulated_cache_key(made)))


@pytest.fixture
def device(driver: Imitation, ask: Callable[..., Request]) -> Iterator[CudaDevice]:
    opened = open_device(driver, ask())
    yield opened
    opened.close()


@pytest.mark.parametrize("samples", [1, 3])
@pytest.mark.parametrize("tile", [(16, 16), (48, 32), (13, 7)], ids=str)
def test_the_picture_and_the_steps_are_those_of_the_cpu(
    driver: Imitation, samples: int, tile: tuple[int, int], ask: Callable[..., Request]
) -> None:
    request = ask(mode="cuda", target="cuda", tile=tile, samples=samples)
    expected = engine.draw(replace(request, mode="sequential", target="scalar", tile=(48, 32)))

    frame = drawn(driver, request)

    assert frame.sha256 == expected.sha256
    assert frame.total_steps == expected.total_steps
    assert (frame.steps is None) == (expected.steps is None)
    assert frame.steps is None or np.array_equal(frame.steps, np.asarray(expected.steps))
    assert frame.inside is None or np.array_equal(frame.inside, np.asarray(expected.inside))


def test_all_memory_is_given_back(driver: Imitation, ask: Callable[..., Request]) -> None:
    drawn(driver, ask(mode="cuda", target="cuda"))

    assert not driver.memory


def test_a_launch_is_waited_for_only_when_it_is_asked_for(driver: Imitation, device: CudaDevice) -> None:
    first, second = device.streams(2)
    driver.polls = 2
    driver.calls.clear()

    first.submit(rectangle(0, 0, 16, 16))
    second.submit(rectangle(16, 0, 16, 16))

    assert not {"cuEventSynchronize", "cuCtxSynchronize"} & set(driver.calls)
    assert [first.ready(), first.ready(), first.ready()] == [False, False, True]


def test_what_a_long_launch_writes_to_is_given_back_in_the_background_when_it_has_ended(
    driver: Imitation, device: CudaDevice
) -> None:
    (stream,) = device.streams(1)
    stream.submit(rectangle(0, 0, 16, 16))
    driver.polls = 1 << 40

    device.close()
    assert driver.memory
    driver.polls = 0

    until = time.monotonic() + HANGING
    while driver.memory and time.monotonic() < until:
        time.sleep(0.01)
    assert not driver.memory


def test_memory_is_kept_from_launch_to_launch(driver: Imitation, device: CudaDevice) -> None:
    (stream,) = device.streams(1)
    stream.submit(rectangle(0, 0, 16, 16))
    stream.collect()
    driver.calls.clear()

    stream.submit(rectangle(16, 0, 16, 16))
    stream.collect()
    stream.submit(rectangle(32, 16, 16, 8))

    assert not {"cuMemAlloc", "cuMemHostAlloc"} & set(driver.calls)


def test_each_launch_counts_from_nothing_though_another_stream_stands_still(device: CudaDevice) -> None:
    made = []
    standing, stream = device.streams(2)
    standing.submit(rectangle(0, 0, 16, 16))
    for x in (16, 0, 16, 0):
        stream.submit(rectangle(x, 0, 16, 16))
        made.append(int(stream.collect().made[0]))

    assert made == made[:2] * 2
    assert made[0] != made[1]


def test_times_of_the_gpu_are_told_on_the_host_clock(device: CudaDevice) -> None:
    (stream,) = device.streams(1)
    before = time.perf_counter_ns()
    stream.submit(rectangle(0, 0, 16, 16))
    painted = stream.collect()

    assert before <= painted.began <= painted.painted <= painted.arrived <= time.perf_counter_ns()
    assert device.facts()["card_clock_error_ns"] > 0


def test_no_clock_learns_from_the_launch_that_has_the_kernel_loaded(
    driver: Imitation, ask: Callable[..., Request]
) -> None:
    """A driver that loads when it is first asked to run takes a tenth of a second for it, once."""
    launched: list[int] = []
    ended: list[int] = []
    inner = driver.launch

    def launch(function: object, *rest: Any) -> None:
        launched.append(rest[-2][0][-3])
        time.sleep(0 if launched[1:] else 0.1)
        inner(function, *rest)
        ended.append(time.perf_counter_ns())

    driver.done["cuLaunchKernel"] = lambda *asked: asked[-3].append(lambda: launch(*asked))
    device = open_device(driver, ask())
    (stream,) = device.streams(1)
    stream.submit(rectangle(0, 0, 16, 16))
    stream.collect()

    assert launched == [0, 0, 1, 1], "each has two passes"
    assert 0 < device.facts()["card_clock_error_ns"] < time.perf_counter_ns() - ended[1], "for it began only then"
    device.close()


@pytest.mark.parametrize(
    ("call", "code", "words"),
    [
        ("cuMemHostAlloc", 2, "no memory left"),
        ("cuMemcpyDtoHAsync", 999, "lost"),
        ("cuModuleLoadData", 209, "kernel"),
        ("cuModuleLoadData", 719, r"nothing more for this process, in which a launch has failed \(CUDA error 719\)"),
        ("cuStreamCreate", 702, "nothing more for this process"),
        ("cuStreamCreate", 304, r"does not start \(CUDA error 304\)"),
    ],
)
def test_a_gpu_that_fails_says_what_to_do(
    driver: Imitation, call: str, code: int, words: str, ask: Callable[..., Request]
) -> None:
    driver.failures[call] = EVERY, code

    with pytest.raises(RenderError, match=words) as caught:
        drawn(driver, ask(mode="cuda", target="cuda"))

    assert caught.value.remedy


@pytest.mark.parametrize("call", ["cuMemAlloc", "cuMemHostAlloc"])
def test_no_memory_may_be_the_gpu_s_or_the_host_s(driver: Imitation, call: str, ask: Callable[..., Request]) -> None:
    """The driver says the same of both."""
    driver.failures[call] = EVERY, 2

    with pytest.raises(RenderError, match="on the GPU or on this machine") as caught:
        drawn(driver, ask(mode="cuda", target="cuda"))

    assert all(word in caught.value.remedy for word in ("other programs", "ulimit -l", "--tile"))


def test_a_launch_that_fails_names_its_tile(driver: Imitation, ask: Callable[..., Request]) -> None:
    driver.failures["cuLaunchKernel"] = (
        5,
        719,
    )  # two for each launch, of which the first paints nothing, and others three tiles

    with pytest.raises(
        RenderError, match=r"tile 3 .* failed: LaunchFailed: CUDA error 719 \(tiles 4, 5, 0, 1, 2 "
    ) as caught:
        drawn(driver, ask(mode="cuda", target="cuda"))

    assert caught.value.exit_code == 4
    assert "--only-tile 3" in caught.value.remedy


def test_an_unknown_failure_is_the_launch_own() -> None:
    with pytest.raises(LaunchFailed, match="CUDA error 700"):
        gpu_driver.check_result((700,))
