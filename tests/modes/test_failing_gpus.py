"""GPUs that fail while a frame is drawn, whichever call of the driver fails and however: others paint the whole
picture, or one clear error is raised; every tile is told once, and all memory is given back."""

from __future__ import annotations

import ctypes
import threading
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from render import modes, scene
from render.codegen.program import ENTRIES
from render.codegen.settings import cell_numbers as cells_of
from render.errors import RenderError, TileError
from render.frame import open_canvas
from render.kernels.launch import RECORD, SQUARE_HEIGHT, SQUARE_WIDTH, TALLY, TILE, copies
from render.painting.painter import Done, Launcher
from render.plan import cut
from render.request import Request
from render.runtime.cuda.device import CudaDevice
from render.runtime.cuda.discovery import Gpu
from render.runtime.cuda.driver import NOT_READY
from render.runtime.kernel import LaunchKernel
from render.runtime.launch import LAUNCHES, Shape
from render.runtime.several import Several
from render.trace import Recorder, Span
from tests.conftest import small_request

CALLS = {  # of the driver, and how often each may well be made while a frame of six tiles is drawn
    "cuDeviceGet": 1,
    "cuDevicePrimaryCtxRetain": 1,
    "cuCtxSetCurrent": 10,
    "cuModuleLoadData": 1,
    "cuModuleGetFunction": 1,
    "cuOccupancyMaxActiveBlocksPerMultiprocessor": 1,
    "cuMemAlloc": 6,
    "cuMemcpyHtoD": 2,
    "cuMemGetInfo": 1,
    "cuMemcpyHtoDAsync": 3,
    "cuCtxSynchronize": 1,
    "cuMemHostAlloc": 4,
    "cuStreamCreate": 4,
    "cuEventCreate": 12,
    "cuEventRecord": 12,
    "cuEventSynchronize": 3,
    "cuEventElapsedTime": 12,
    "cuEventQuery": 12,
    "cuStreamQuery": 3,
    "cuLaunchKernel": 4,
    "cuMemcpyDtoHAsync": 3,
    "cuMemsetD8Async": 4,
}
CODES = [1, 2, 46, 209, 214, 400, 700, 702, 709, 719, 999, 12345]


class Failure(NamedTuple):
    """The call that fails: of which entry point, which in number, the CUresult, and whether all fail after it."""

    call: str
    number: int
    code: int
    lasting: bool


class Imitation:
    """A GPU's driver that colours each pixel by its place, and does everything at once; `busy` queries are not ready.

    `room`: bytes that may be allocated. `strayed`: calls that were made in another GPU's context, or in none.
    """

    current = threading.local()  # whose context a thread is in

    def __init__(self, failure: Failure | None = None, room: int = 1 << 30, busy: int = 0, ahead: int = 0) -> None:
        self.failure, self.room, self.busy, self.ahead = failure, room, busy, ahead
        self.memory: dict[int, Any] = {}
        self.others: dict[int, list[int]] = {}  # modules, streams and events that are there
        self.calls: list[str] = []
        self.strayed: list[str] = []
        self.failed = False
        self.least = room  # that was left at any time

    @property
    def empty(self) -> bool:
        """Whether everything was given back."""
        return not self.memory and not self.others

    def __getattr__(self, name: str) -> Callable[..., tuple[Any, ...]]:
        if not name.startswith("cu"):
            raise AttributeError(name)
        return partial(self._call, name)

    def _call(self, name: str, *arguments: Any) -> tuple[Any, ...]:
        self.calls.append(name)
        if name == "cuCtxSetCurrent":
            self.current.gpu = self
        elif not name.startswith("cuDevice") and getattr(self.current, "gpu", None) is not self:
            self.strayed.append(name)
        if name in ("cuMemFree", "cuMemFreeHost"):
            self.room += self.memory.pop(arguments[0]).size
        if name in ("cuEventDestroy", "cuStreamDestroy", "cuModuleUnload"):
            del self.others[id(arguments[0])]
        if self.failed and self.failure and self.failure.lasting:
            return self.failure.code, None
        if self.failure and name == self.failure.call and self.calls.count(name) == self.failure.number:
            self.failed = True
            return self.failure.code, None
        done = getattr(self, f"_{name}", None)
        return (0, 1) if done is None else done(*arguments)

    def _cuMemAlloc(self, size: int, _flags: int = 0) -> tuple[int, int]:  # noqa: N802  (the driver's names)
        if size > self.room:
            return 2, 0
        block = np.full(size, 0xCD, np.uint8)
        self.memory[block.ctypes.data] = block
        self.room -= size
        self.least = min(self.least, self.room)
        return 0, block.ctypes.data

    _cuMemHostAlloc = _cuMemAlloc  # noqa: N815

    def _made(self, *_: Any) -> tuple[int, Any]:
        made = [0]
        self.others[id(made)] = made
        return 0, made

    _cuEventCreate = _cuStreamCreate = _cuModuleLoadData = _made  # noqa: N815

    @staticmethod
    def _cuOccupancyMaxActiveBlocksPerMultiprocessor(*_: Any) -> tuple[int, int]:  # noqa: N802
        return 0, 2

    def _cuMemGetInfo(self) -> tuple[int, int, int]:  # noqa: N802
        return 0, self.room, 1 << 30

    @staticmethod
    def _cuMemcpyHtoDAsync(there: int, here: int, size: int, _: Any) -> tuple[int]:  # noqa: N802
        ctypes.memmove(there, here, size)
        return (0,)

    @staticmethod
    def _cuMemcpyHtoD(there: int, here: int, size: int) -> tuple[int]:  # noqa: N802
        ctypes.memmove(there, here, size)
        return (0,)

    @staticmethod
    def _cuMemcpyDtoHAsync(here: int, there: int, size: int, _: Any) -> tuple[int]:  # noqa: N802
        ctypes.memmove(here, there, size)
        return (0,)

    @staticmethod
    def _cuMemsetD8Async(there: int, value: int, size: int, _: Any) -> tuple[int]:  # noqa: N802
        ctypes.memset(there, value, size)
        return (0,)

    @staticmethod
    def _cuEventRecord(event: list[int], _: Any) -> tuple[int]:  # noqa: N802
        event[0] = time.perf_counter_ns()
        return (0,)

    @staticmethod
    def _cuEventElapsedTime(first: list[int], last: list[int]) -> tuple[int, float]:  # noqa: N802
        return 0, float(np.float32((last[0] - first[0]) / 1e6))

    def _cuEventQuery(self, _: Any) -> tuple[int]:  # noqa: N802
        self.busy -= 1
        return (NOT_READY if self.busy >= 0 else 0,)

    _cuStreamQuery = _cuEventQuery  # noqa: N815

    @staticmethod
    def _cuModuleGetFunction(_module: object, name: bytes) -> tuple[int, bytes]:  # noqa: N802
        return 0, name

    def _cuLaunchKernel(self, function: bytes, _blocks: int, *rest: Any) -> tuple[int]:  # noqa: N802
        if function != ENTRIES[0].encode():  # the first pass leaves nothing to do
            return (0,)
        (*cells, count, wide, high), _types = rest[-2]
        shape = Shape(count, wide, high)

        def numbers(name: str, kind: Any, *sizes: int) -> Any:
            flat = (kind * int(np.prod(sizes))).from_address(cells[cells_of(name)[0]])
            return np.ctypeslib.as_array(flat).reshape(sizes)

        tiles = numbers("tiles", ctypes.c_int32, count, TILE)
        rgb, steps = (
            numbers("rgb", ctypes.c_uint8, count, high, wide, 3),
            numbers("steps", ctypes.c_int32, count, high, wide),
        )
        tallies = numbers("tallies", ctypes.c_int64, copies(count), count, TALLY)
        records = numbers("records", ctypes.c_int64, count, shape.squares, RECORD)
        for number, (x, y, width, height) in enumerate(tiles.tolist()):
            began = time.perf_counter_ns() + self.ahead
            rgb[number, :height, :width], steps[number, :height, :width] = coloured(x, y, width, height), 1
            tallies[number % len(tallies), number, 0] += width * height
            column, row = np.meshgrid(np.arange(0, wide, SQUARE_WIDTH), np.arange(0, high, SQUARE_HEIGHT))
            there = ((column < width) & (row < height)).reshape(-1)
            records[number, there] = 0, began, time.perf_counter_ns() + self.ahead
            records[number, there, 0] = np.arange(np.count_nonzero(there)) % 2
        return (0,)


def coloured(x: int, y: int, width: int, height: int) -> np.ndarray:
    """What the imitated GPU paints: each pixel by its place in the frame."""
    across, down = np.meshgrid(np.arange(x, x + width), np.arange(y, y + height))
    return np.stack([across, down, 7 * across + down], axis=2).astype(np.uint8)


class Run(NamedTuple):
    """What came of a frame: the tiles that were told, the pixels, the spans and the facts, or an error."""

    tiles: list[int]
    steps: int
    rgb: np.ndarray
    spans: Sequence[Span]
    facts: dict[str, Any]
    error: RenderError | None


def drawn(drivers: Sequence[Imitation], request: Request, streams: int = 3, announce: Any = None) -> Run:
    """A frame drawn by mode cuda on these GPUs."""
    recorder = Recorder()
    p = scene.load(request.scene).prepared(request)

    def device(number: int, clock: Any) -> CudaDevice:
        gpu = Gpu(number, "Imitation", 1 << 30, 2, (9, 0), (13, 0))
        return CudaDevice(gpu, b"code", request, p, clock, drivers[number], f"Imitation {number}")

    makes = {f"Imitation {number}": partial(device, number) for number in range(len(drivers))}
    make: Any = partial(device, 0) if len(makes) == 1 else partial(Several, makes)
    kernel = LaunchKernel(make, "imitated", "imitated", streams, announce)
    done: list[Done] = []
    error = None
    with open_canvas(request, shared=False) as surface:
        painter = Launcher(request, surface, kernel, recorder)
        try:
            done.extend(modes.load("cuda").run(cut(request), painter))
        except RenderError as failure:
            error = failure
        tiles = [finished.tile.number for finished in done]
        made = sum(finished.steps for finished in done)
        return Run(tiles, made, np.array(surface.rgb), recorder.drain(), dict(kernel.facts), error)


def whole(run: Run, request: Request) -> bool:
    """Whether a run gave the whole picture, every tile of it told once."""
    return (
        run.error is None
        and sorted(run.tiles) == [tile.number for tile in cut(request)]
        and run.steps == request.width * request.height
        and np.array_equal(run.rgb, coloured(0, 0, request.width, request.height))
    )


REQUEST = small_request(mode="cuda", target="cuda")
FAILURES = st.sampled_from(sorted(CALLS)).flatmap(
    lambda call: st.builds(
        Failure, st.just(call), st.integers(1, CALLS[call]), st.sampled_from(CODES), lasting=st.booleans()
    )
)


@settings(max_examples=150)
@given(failure=FAILURES, busy=st.integers(0, 5), streams=st.integers(1, 4))
def test_what_one_gpu_leaves_another_paints(failure: Failure, busy: int, streams: int) -> None:
    bad, good = Imitation(failure, busy=busy), Imitation()

    run = drawn([bad, good], REQUEST, streams)

    assert whole(run, REQUEST)
    assert all(gpu.empty for gpu in (bad, good))
    assert not good.strayed, "a lost GPU's context may answer for every call made in it"


@settings(max_examples=150)
@given(failure=FAILURES, busy=st.integers(0, 5), streams=st.integers(1, 4))
def test_the_only_gpu_paints_all_or_one_error_says_why(failure: Failure, busy: int, streams: int) -> None:
    gpu = Imitation(failure, busy=busy)

    run = drawn([gpu], REQUEST, streams)

    if run.error is None:
        assert whole(run, REQUEST)
    else:
        assert str(run.error)
        assert run.error.remedy
        assert run.error.exit_code == (4 if isinstance(run.error, TileError) else 1)
        assert len(set(run.tiles)) == len(run.tiles)
        for tile in (cut(REQUEST)[number] for number in run.tiles):
            expected = coloured(*tile[1:])
            assert np.array_equal(run.rgb[tile.y : tile.y + tile.height, tile.x : tile.x + tile.width], expected)
    assert gpu.empty


@given(first=FAILURES, second=FAILURES)
def test_when_all_gpus_fail_it_is_one_error(first: Failure, second: Failure) -> None:
    gpus = [Imitation(first), Imitation(second)]

    run = drawn(gpus, REQUEST)

    assert whole(run, REQUEST) or (run.error is not None and run.error.remedy)
    assert len(set(run.tiles)) == len(run.tiles)
    assert all(gpu.empty for gpu in gpus)


def test_a_gpu_that_fails_is_told_and_named() -> None:
    said: list[str] = []

    run = drawn(
        [Imitation(Failure("cuLaunchKernel", 3, 709, lasting=True)), Imitation()], REQUEST, announce=said.append
    )

    assert whole(run, REQUEST)
    assert run.facts["failed_cards"] == "Imitation 0: the GPU was lost (CUDA error 709)"
    assert said == [f"a GPU failed, and others paint its tiles: {run.facts['failed_cards']}"]
    assert "Imitation 1 stream 0" in {span.worker.device for span in run.spans}


@pytest.fixture
def roomless(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lists, whose room shrinks with the memory there is, have none."""
    monkeypatch.setattr("render.runtime.launch.MOST_LISTED", 0)


@pytest.mark.usefixtures("roomless")
@pytest.mark.parametrize("streams", [1, 2])
def test_where_the_memory_ends_there_are_fewer_streams(streams: int) -> None:
    run = drawn([Imitation(room=needed(streams + 1) - 1)], REQUEST, streams=6)

    assert whole(run, REQUEST)
    assert len({span.worker for span in run.spans if span.kind == "paint"}) == streams


@pytest.mark.usefixtures("roomless")
def test_no_room_for_one_stream_says_what_to_do() -> None:
    run = drawn([Imitation(room=needed(1) - 1)], REQUEST)

    assert "no memory left" in str(run.error)
    assert run.error is not None
    assert "--tile" in run.error.remedy


def test_two_gpus_share_the_tiles_and_say_who_they_are() -> None:
    request = small_request(mode="cuda", target="cuda", width=64)  # of eight tiles: two launches for each GPU

    run = drawn([Imitation(), Imitation()], request, streams=2)

    assert whole(run, request)
    assert {span.worker.device for span in run.spans if span.kind == "paint"} == {
        f"Imitation {gpu} stream {stream}" for gpu in (0, 1) for stream in (0, 1)
    }
    assert {span.worker.device for span in run.spans if span.kind == "block"} == {
        "Imitation 0 multiprocessor",
        "Imitation 1 multiprocessor",
    }
    assert run.facts["device"] == "2 x Imitation"
    assert run.facts["multiprocessors"] == 4


@pytest.mark.parametrize("ahead", [0, -(10**15), 10**18])
def test_blocks_lie_inside_their_launch_whatever_the_gpu_clock_says(ahead: int) -> None:
    run = drawn([Imitation(ahead=ahead)], REQUEST)

    paints = {span.tile: span for span in run.spans if span.kind == "paint"}
    blocks = [span for span in run.spans if span.kind == "block"]
    assert {span.worker.thread for span in blocks} == {0, 1}
    assert {span.tile for span in blocks} == set(paints)
    assert all(paints[span.tile].t0 <= span.t0 <= span.t1 <= paints[span.tile].t1 for span in blocks)
    assert 0 < run.facts["card_clock_error_ns"] < 50_000_000


def test_each_launch_is_recorded_from_hand_over_to_arrival() -> None:
    run = drawn([Imitation()], REQUEST, streams=1)
    kinds = {kind: [span for span in run.spans if span.kind == kind] for kind in ("launch", "paint", "transfer")}
    paints = {span.tile: span for span in kinds["paint"]}

    assert len(kinds["launch"]) == len(kinds["transfer"]) == LAUNCHES
    for launch, transfer in zip(kinds["launch"], kinds["transfer"], strict=True):
        assert launch.t1 == paints[launch.tile].t0
        assert launch.t0 <= launch.t1 <= transfer.t0 <= transfer.t1
        assert paints[transfer.tile].t1 <= transfer.t0


@pytest.mark.parametrize("room", [3_000_000, 1_200_000])
def test_a_frame_that_has_no_room_on_a_device_is_cut_smaller(room: int) -> None:
    """Into launches of fewer tiles, and a tile that has no room by itself into pieces."""
    request = small_request(mode="cuda", target="cuda", width=640, height=480, tile=(640, 240))
    gpu = Imitation(room=room)

    run = drawn([gpu], request)

    assert whole(run, request)
    assert len(run.spans) > 2 * LAUNCHES, "each tile in several pieces"
    assert gpu.empty


def test_a_tile_whose_gpu_failed_does_not_wait_for_its_data_again() -> None:
    request = small_request(mode="cuda", target="cuda", wait_ns=2_000_000)

    run = drawn([Imitation(Failure("cuLaunchKernel", 3, 719, lasting=True)), Imitation()], request)

    assert whole(run, request)
    assert sorted(span.tile for span in run.spans if span.kind == "wait") == sorted(run.tiles)


def needed(streams: int) -> int:
    """Bytes that a GPU and the host need for so many streams."""
    gpu = Imitation()
    drawn([gpu], REQUEST, streams)
    return (1 << 30) - gpu.least
