"""Mode cuda: how tiles are handed to streams, and what is said where no GPU can be used."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, NoReturn

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from render import engine, modes, scene, targets
from render.errors import ModeUnavailable, RenderError, TileError
from render.frame import open_canvas
from render.frontend import races
from render.modes.cuda import Host
from render.options import complete
from render.painting.painter import Done, Launcher
from render.plan import LARGEST_BAND, choose_band, cut
from render.request import LARGEST_SIDE, LARGEST_SIDES, Request
from render.runtime.cuda import discovery as gpus
from render.runtime.kernel import LAUNCHES, LaunchKernel, Painted
from render.runtime.launch import Shape
from render.targets.cuda import BAND_ROWS
from render.trace import Recorder, Span, Worker

ROOT = Path(__file__).parent.parent.parent
NO_GPU = gpus.Gpus((), "there is no NVIDIA driver", "install one")


class Gpu:
    """What streams belong to."""

    name = "imitation"


GPU = Gpu()


class Stream:
    """Needs so many ns of the test's clock for each launch, and paints nothing. `bad`: samples by a tile's place."""

    def __init__(
        self, number: int, clock: Any, takes: int = 100, bad: Mapping[int, int] = MappingProxyType({}), tiles: int = 9
    ) -> None:
        self.device = GPU
        self.worker = Worker(1, number, f"imitation stream {number}")
        self.shape = Shape(tiles, 16, 16)
        self.clock, self.takes, self.bad = clock, takes, bad
        self.began, self.launched = 0, 0
        self.launches: list[int] = []  # how many tiles each had

    def submit(self, rectangles: np.ndarray) -> None:
        self.began, self.launched = self.clock(), len(rectangles)
        self.launches.append(self.launched)

    def ready(self) -> bool:
        return bool(self.clock() >= self.began + self.takes)

    def collect(self) -> Painted:
        count, until = self.launched, self.began + self.takes
        rgb, made = np.zeros((count, 16, 16, 3), np.uint8), np.full(count, 10)
        bad = np.array([self.bad.get(number, 0) for number in range(count)])
        first, last = np.full(count, self.began), np.full(count, until)
        return Painted(rgb, None, made, bad, first, last, self.began, until, until + 1)


def no_device(_clock: object) -> NoReturn:
    """The streams are the test's own."""
    raise AssertionError("a device was opened")


def painted(request: Request, clock: Any, streams: Sequence[Stream]) -> tuple[list[Done], Sequence[Span]]:
    """What a host makes of a request with these streams, where sleeping is the only thing that takes time."""
    recorder = Recorder(clock)
    kernel = LaunchKernel(no_device, "imitation", "", 1)
    with open_canvas(request, shared=False) as surface:
        painter = Launcher(request, surface, kernel, recorder)
        host = Host(cut(request), painter, streams, sleep=lambda seconds: clock.tick(max(int(seconds * 1e9), 1000)))
        return list(host.run()), recorder.drain()


@pytest.mark.parametrize("count", [1, 2, 5, 9])
def test_each_tile_is_done_once_whatever_the_number_of_streams(
    count: int, clock: Any, ask: Callable[..., Request]
) -> None:
    done, spans = painted(ask(), clock, [Stream(number, clock) for number in range(count)])

    assert sorted(finished.tile.number for finished in done) == list(range(6))
    assert sum(finished.steps for finished in done) == 60
    assert len({span.worker for span in spans if span.kind == "paint"}) == min(count, LAUNCHES)


@pytest.mark.parametrize("tiles", [4, 48, 47, 1000])
@pytest.mark.parametrize("count", [1, 2, 4])
def test_a_frame_is_a_few_launches_of_many_tiles(
    count: int, tiles: int, clock: Any, ask: Callable[..., Request]
) -> None:
    streams = [Stream(number, clock, tiles=tiles) for number in range(count)]

    painted(ask(width=16 * tiles, height=16), clock, streams)

    launches = [launch for stream in streams for launch in stream.launches]
    assert sum(launches) == tiles
    assert len(launches) == LAUNCHES
    assert max(launches) == -(-tiles // LAUNCHES)


def test_a_launch_has_no_more_tiles_than_its_stream_has_room_for(clock: Any, ask: Callable[..., Request]) -> None:
    roomy, narrow = Stream(0, clock, tiles=100), Stream(1, clock, tiles=3)

    painted(ask(width=16 * 48, height=16), clock, [roomy, narrow])

    assert max(roomy.launches) == 48 // LAUNCHES
    assert max(narrow.launches) == 3


def test_streams_are_busy_at_once(clock: Any, ask: Callable[..., Request]) -> None:
    _, spans = painted(ask(), clock, [Stream(0, clock), Stream(1, clock)])
    paints = [span for span in spans if span.kind == "paint"]

    assert any(a.worker != b.worker and a.t0 < b.t1 and b.t0 < a.t1 for a in paints for b in paints)


def test_a_tile_without_room_is_painted_in_pieces_and_done_once(clock: Any, ask: Callable[..., Request]) -> None:
    """Of at most 16 x 16 pixels; its steps are those of all its pieces."""
    done, spans = painted(ask(width=70, height=40, tile=(35, 40)), clock, [Stream(0, clock), Stream(1, clock)])

    assert sorted(finished.tile for finished in done) == list(cut(ask(width=70, height=40, tile=(35, 40))))
    assert [finished.steps for finished in done] == [10 * 3 * 3] * 2
    assert len([span for span in spans if span.kind == "paint"]) == 2 * 3 * 3


def test_a_slow_tile_holds_nobody_up(clock: Any, ask: Callable[..., Request]) -> None:
    slow, quick = Stream(0, clock, takes=10_000_000), Stream(1, clock, takes=1_000_000)

    done, _ = painted(ask(), clock, [slow, quick])

    assert [finished.tile.number for finished in done] == [3, 4, 5, 0, 1, 2]
    assert len(done) == 6


def test_tiles_are_in_no_launch_before_their_data_is_there(clock: Any, ask: Callable[..., Request]) -> None:
    wait = 50_000_000

    _, spans = painted(ask(wait_ns=wait), clock, [Stream(number, clock, takes=5_000_000) for number in range(3)])

    waits = {span.tile: span for span in spans if span.kind == "wait"}
    paints = {span.tile: span for span in spans if span.kind == "paint"}
    assert len(waits) == 6
    assert all(span.t1 - span.t0 >= wait for span in waits.values())
    assert all(waits[tile].t1 <= paints[tile].t0 <= wait + 2_000_000 for tile in waits)
    assert {waits[tile].worker for tile in waits} == {paints[tile].worker for tile in paints}


def test_copies_are_spans_of_their_own(clock: Any, ask: Callable[..., Request]) -> None:
    _, spans = painted(ask(), clock, [Stream(0, clock)])

    kinds = [span.kind for span in spans]
    assert sorted(kinds) == ["paint"] * 6 + ["transfer"] * LAUNCHES


def test_a_colour_that_is_no_number_is_the_tile_failing(clock: Any, ask: Callable[..., Request]) -> None:
    """That tile of the launch; those beside it are done."""
    request, recorder, done = ask(), Recorder(clock), list[Done]()
    with open_canvas(request, shared=False) as surface:
        painter = Launcher(request, surface, LaunchKernel(no_device, "imitation", "", 1), recorder)
        host = Host(cut(request), painter, [Stream(0, clock, bad={0: 7})], sleep=lambda _: clock.tick(100))
        with pytest.raises(TileError, match=r"tile 0 .* 7 samples .*NaN"):
            done.extend(host.run())  # takes what comes before the error

    assert [finished.tile.number for finished in done] == [1, 2]


def test_a_tile_that_was_done_before_a_failure_has_been_told(clock: Any, ask: Callable[..., Request]) -> None:
    class Failing(Stream):
        def submit(self, rectangles: np.ndarray) -> None:
            if self.launches:
                raise OSError("gone")
            super().submit(rectangles)

    request, recorder = ask(), Recorder(clock)
    kernel = LaunchKernel(no_device, "imitation", "", 1)
    with open_canvas(request, shared=False) as surface:
        painter = Launcher(request, surface, kernel, recorder)
        host = Host(cut(request), painter, [Failing(0, clock)], sleep=lambda _: clock.tick(100))
        tiles = host.run()

        assert [next(tiles).tile.number for _ in range(3)] == [0, 1, 2]
        with pytest.raises(TileError, match=r"tile 3 .*OSError: gone \(tiles 4, 5 were painted beside it\)"):
            next(tiles)


def test_gpus_of_one_kind_share_what_was_compiled_once(
    monkeypatch: pytest.MonkeyPatch, ask: Callable[..., Request]
) -> None:
    """Even where nothing can be kept on disk."""
    kinds = [(9, 0), (9, 0), (8, 0), (9, 0)]
    four = tuple(gpus.Gpu(number, "GPU", 1 << 30, 3, kind, (13, 0)) for number, kind in enumerate(kinds))
    compiled: list[tuple[int, int]] = []

    def machine_code(
        _made: object, capability: tuple[int, int], _toolkit: object, announce: Callable[[], None]
    ) -> bytes:
        announce()
        compiled.append(capability)
        return b"code"

    monkeypatch.setattr(gpus, "find", lambda **_: gpus.Gpus(four, None, "", (13, 0), four))
    monkeypatch.setattr("render.codegen.cuda_code.load_machine_code", machine_code)
    said: list[str] = []
    targets.load("cuda").compile(scene.load("mandelbrot"), ask(mode="cuda", target="cuda"), said.append)

    assert compiled == [(9, 0), (8, 0)]
    assert len(said) == 2


@given(width=st.integers(1, LARGEST_SIDE), height=st.integers(1, LARGEST_SIDE))
def test_the_frame_is_cut_in_bands_of_which_a_few_fit_in_memory(width: int, height: int) -> None:
    wide, high = choose_band(width, height, BAND_ROWS)

    assert wide == width
    assert high == height or high % BAND_ROWS == 0
    assert width * high <= max(LARGEST_BAND, width * BAND_ROWS)
    assert -(-height // high) <= 8 or width * (high + BAND_ROWS) > LARGEST_BAND


def test_a_tile_of_a_world_fits_in_one_launch() -> None:
    side = LARGEST_SIDES["f64"]
    wide, high = choose_band(side, side, BAND_ROWS)

    assert wide * high <= LARGEST_BAND
    assert high % BAND_ROWS == 0


def test_a_race_is_cut_for_all_modes_alike_and_cuda_alone_in_bands() -> None:
    alone, *_ = races.race_requests({"size": (640, 480), "simulate": True}, ["cuda"])
    both = races.race_requests({"size": (640, 480), "simulate": True}, ["cuda", "parallel"])

    assert alone.tile == choose_band(640, 480, BAND_ROWS)
    assert {request.tile for request in both} == {complete(size=(640, 480)).tile}


# --- where no GPU can be used -----------------------------------------------------------------------------


def test_the_reason_and_the_way_on_are_those_that_were_found(
    monkeypatch: pytest.MonkeyPatch, ask: Callable[..., Request]
) -> None:
    monkeypatch.setattr(gpus, "find", lambda: NO_GPU)

    with pytest.raises(ModeUnavailable, match="there is no NVIDIA driver") as caught:
        engine.draw(ask(mode="cuda", target="cuda"))

    assert (caught.value.exit_code, caught.value.remedy) == (3, "install one")


def test_the_simulator_needs_no_gpu(monkeypatch: pytest.MonkeyPatch, ask: Callable[..., Request]) -> None:
    monkeypatch.setattr(gpus, "find", lambda: NO_GPU)

    assert modes.unavailable_reason(ask(mode="cuda", target="cuda", simulate=True)) is None


def test_the_command_line_says_so_before_anything_heavy_is_loaded() -> None:
    if gpus.find().reason is None:
        pytest.skip("there is a GPU here")
    words = [sys.executable, "-X", "importtime", "-m", "render", "--mode", "cuda"]
    run = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    loaded = {line.rpartition("|")[2].strip() for line in run.stderr.splitlines() if line.startswith("import time:")}

    assert run.returncode == 3
    assert "mode cuda cannot run here: " in run.stderr
    assert "render.frontend.commands" in loaded
    assert not loaded & {"numba", "numba_cuda", "llvmlite", "joblib"}


# --- the simulator's process -------------------------------------------------------------------------------


def test_a_script_without_a_guard_may_simulate(tmp_path: Path) -> None:
    """The child must not run the script again."""
    script = tmp_path / "script.py"
    script.write_text(
        "import render\n"
        "frame = render.draw(mode='cuda', simulate=True, size=(16, 8), samples=1, limit=20)\n"
        "print('drawn', frame.sha256)\n"
    )

    run = subprocess.run(
        [sys.executable, str(script)],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )

    assert run.stderr == ""
    assert run.stdout.count("drawn") == 1


def test_the_death_of_the_simulator_is_told(ask: Callable[..., Request]) -> None:
    request = ask(mode="cuda", target="cuda", simulate=True, width=640, height=480, tile=(64, 64))
    from render.parameters import members_of
    from render.runtime import simulator
    from render.scene import load

    loaded = load("mandelbrot")
    numbers = members_of(loaded.prepared(request))
    device = simulator.Simulator(str(loaded.path), request, numbers, time.perf_counter_ns)
    (stream,) = device.streams(1)
    try:
        stream.submit(np.array([[0, 0, 640, 480]]))
        os.kill(device.process, signal.SIGTERM)
        with pytest.raises(RenderError, match="the simulator's process ended"):
            stream.collect()
    finally:
        device.close()


def test_no_process_is_left_behind(ask: Callable[..., Request]) -> None:
    request = ask(mode="cuda", target="cuda", simulate=True)

    frame = engine.draw(request)

    seen = {span.worker.process for span in frame.trace.spans if span.kind == "paint"}
    assert len(seen) == 1
    with pytest.raises(ProcessLookupError):
        os.kill(seen.pop(), 0)
