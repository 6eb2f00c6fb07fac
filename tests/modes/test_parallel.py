"""Workers that die, or cannot start: every tile is painted all the same, or the one to blame is named."""

from __future__ import annotations

import contextlib
import errno
import os
import signal
import subprocess
import sys
import threading
import warnings
from collections.abc import Callable
from dataclasses import replace
from multiprocessing import Pipe
from pathlib import Path
from typing import NoReturn

import pytest

import render
from render import backends, engine
from render.backends.loky import crew
from render.errors import ModeUnavailable, TileError
from render.painting.course import Moment
from render.painting.retries import Death
from render.request import Request
from tests.conftest import HANGING

pytestmark = pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system knows no SIGKILL")


@pytest.fixture
def wanted(ask: Callable[..., Request]) -> Request:
    """Sixty tiles for two processes."""
    return ask(mode="parallel", backend="loky", workers=2, target="simd", width=160, height=96, samples=4, limit=400)


@pytest.mark.parametrize("most", [1, crew.MOST_AT_ONCE])
def test_the_frame_is_whole_although_workers_are_killed(
    most: int, wanted: Request, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(crew, "MOST_AT_ONCE", most)  # tile by tile, and several at a time
    expected = engine.draw(replace(wanted, mode="sequential", backend=None)).sha256
    killed: list[int] = []
    done: list[int] = []

    def kill_now_and_then(moment: Moment) -> None:
        done.append(moment.done.tile.number)
        if len(done) in (5, 30):
            victim = next(worker for worker in children() if worker not in killed)
            killed.append(victim)
            os.kill(victim, signal.SIGKILL)

    frame = engine.draw(wanted, watch=kill_now_and_then)

    assert len(killed) == 2
    assert frame.sha256 == expected
    assert sorted(done) == list(range(60))


def test_a_tile_that_kills_its_worker_every_time_is_named_when_all_others_are_painted(
    wanted: Request, tmp_path: Path
) -> None:
    """In target python a scene may do anything; this one ends the process it runs in, for one tile alone."""
    scene = tmp_path / "deadly.py"
    scene.write_text(
        '"""Ends its process in the upper left corner, but not in the one that started it."""\n'
        "import os\n"
        f"HOME = {os.getpid()}\n"
        "class Death:\n"
        "    def __call__(self, state):\n"
        "        if os.getpid() != HOME and state[0] < -2.4 and state[1] > 1.5:\n"
        "            os._exit(3)\n"
        "        return state[0] > 1e30\n"
        "death = Death()\n"
        "def start(x, y, p): return x, y\n"
        "def step(state, p): return state\n"
        "def alive(state, p): return death(state)\n"
        "def shade(state, steps, p): return 0.1, 0.2, 0.3\n"
    )
    parameters = (("shortcuts", 1), ("x", 0.0), ("y", 0.0), ("zoom", 1.0))
    request = replace(
        wanted, scene=str(scene), view="default", parameters=parameters, target="python", width=48, height=32, samples=1
    )
    done: list[int] = []

    with pytest.raises(TileError) as caught:
        engine.draw(request, watch=lambda moment: done.append(moment.done.tile.number))

    assert "tile 0 " in caught.value.cause
    assert caught.value.cause.endswith("its worker was lost 3 times (exit code 3)")
    assert sorted(done) == [1, 2, 3, 4, 5]


@pytest.mark.slow
def test_a_thread_that_hangs_is_named_when_all_other_tiles_are_painted(wanted: Request, tmp_path: Path) -> None:
    scene = tmp_path / "hanging.py"
    scene.write_text(
        "import threading, time\n"
        "class Hang:\n"
        "    def __call__(self, state):\n"
        "        if threading.current_thread() is not threading.main_thread() and state[0] < -2.4 and state[1] > 1.5:\n"
        "            time.sleep(1e6)\n"
        "        return state[0] > 1e30\n"
        "hang = Hang()\n"
        "def start(x, y, p): return x, y\n"
        "def step(state, p): return state\n"
        "def alive(state, p): return hang(state)\n"
        "def shade(state, steps, p): return 0.1, 0.2, 0.3\n"
    )
    parameters = (("shortcuts", 1), ("x", 0.0), ("y", 0.0), ("zoom", 1.0))
    request = replace(
        wanted,
        scene=str(scene),
        view="default",
        parameters=parameters,
        target="python",
        backend="threading",
        in_flight=1,
        width=48,
        height=32,
        samples=1,
        tile_timeout_ns=2_000_000_000,
    )
    done: list[int] = []
    with pytest.raises(TileError, match=r"tile 0 .* its thread gave no sign of life for"):
        engine.draw(request, watch=lambda moment: done.append(moment.done.tile.number))
    assert sorted(done) == [1, 2, 3, 4, 5]


def test_workers_that_are_killed_while_they_start_are_started_again(wanted: Request) -> None:
    """Each of the first that are seen, which is before they are ready; an earlier run's would be too."""
    expected = engine.draw(replace(wanted, mode="sequential", backend=None)).sha256
    killed: set[int] = set()
    over = threading.Event()

    def kill() -> None:
        while len(killed) < 5 and not over.wait(0.01):
            for worker in set(children()) - killed:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(worker, signal.SIGKILL)
                killed.add(worker)

    killer = threading.Thread(target=kill)
    killer.start()
    try:
        frame = engine.draw(wanted)
    finally:
        over.set()
        killer.join()

    assert len(killed) >= 5
    assert frame.sha256 == expected


class Stillborn:
    """A process that is dead as soon as it is started."""

    pid = 0

    def __init__(self) -> None:
        self.connection, theirs = Pipe()
        theirs.close()

    send_call = receive_result = staticmethod(lambda *_: Stillborn.refuse())

    @staticmethod
    def refuse() -> NoReturn:
        raise EOFError

    def describe_death(self) -> Death:
        return Death("SIGKILL", by_tile=False)


def test_processes_that_never_start_are_given_up(wanted: Request, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crew, "STALL_SECONDS", 0.3)
    monkeypatch.setattr(crew, "take_idle", lambda: None)
    monkeypatch.setattr(crew, "WorkerProcess", Stillborn)
    monkeypatch.setattr(Stillborn, "send_call", lambda *_: None)

    with pytest.raises(ModeUnavailable, match=r"the worker processes do not start \(SIGKILL\)"):
        engine.draw(wanted)


def test_a_stopped_worker_is_noticed_and_its_tile_painted_by_another(
    wanted: Request, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(crew, "STOPPED_SECONDS", 0.5)
    expected = engine.draw(replace(wanted, mode="sequential", backend=None)).sha256
    stopped: list[int] = []

    def stop(_moment: object) -> None:
        if not stopped:
            stopped.extend(children())
            for worker in stopped:
                os.kill(worker, signal.SIGSTOP)

    frame = engine.draw(wanted, watch=stop)

    assert frame.sha256 == expected
    assert "SIGSTOP" in frame.trace.facts["lost_workers"]
    assert not set(stopped) & set(children())


def children() -> list[int]:
    """The processes that paint for this one."""
    import psutil

    found = []
    for child in psutil.Process().children(recursive=True):
        try:
            words = " ".join(child.cmdline())
        except psutil.Error:  # it has just ended
            continue
        if "LokyProcess" in words and "resource_tracker" not in words:
            found.append(child.pid)
    return found


@pytest.mark.parametrize("backend", backends.names())
@pytest.mark.usefixtures("_cluster_of_threads")
def test_a_run_that_is_given_up_says_nothing(backend: str, wanted: Request) -> None:
    """joblib would warn, and warnings are errors here."""

    def stop(_moment: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        engine.draw(replace(wanted, backend=backend), watch=stop)


@pytest.mark.parametrize("backend", backends.names())
@pytest.mark.usefixtures("_cluster_of_threads")
def test_warnings_are_everybodys_while_tiles_are_painted(backend: str, wanted: Request) -> None:
    seen: list[bool] = []

    def warn(_moment: object) -> None:
        with pytest.warns(UserWarning, match="being processed by the workers"):
            warnings.warn("one of mine is still being processed by the workers", UserWarning, stacklevel=1)
        seen.append(warnings.filters is filters)

    filters = warnings.filters
    engine.draw(replace(wanted, backend=backend), watch=warn)
    assert all(seen)


def test_without_files_for_its_pipes_no_process_starts_and_the_way_on_is_told(
    wanted: Request, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> NoReturn:
        raise OSError(errno.EMFILE, "Too many open files")

    monkeypatch.setattr(crew, "take_idle", lambda: None)
    monkeypatch.setattr(crew, "WorkerProcess", refuse)
    with pytest.raises(ModeUnavailable, match=r"no processes can be started .Too many open files.") as refused:
        engine.draw(wanted)
    assert "ulimit -n" in refused.value.remedy


def test_nobody_sees_another_environment_while_processes_are_started(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another thread may read it just then, or hand it to a process of its own."""
    from joblib.externals.loky.backend import resource_tracker

    before, options, seen = dict(os.environ), sys.warnoptions[:], list[object]()
    monkeypatch.setattr(
        resource_tracker, "ensure_running", lambda: seen.append((dict(os.environ), sys.warnoptions[-1:]))
    )
    backends.start_tracker()
    assert seen == [(before, ["ignore"])]
    assert sys.warnoptions == options


@pytest.fixture
def _no_semaphores(monkeypatch: pytest.MonkeyPatch) -> None:
    """joblib as it is where there are none, and with JOBLIB_MULTIPROCESSING=0."""
    monkeypatch.setattr("joblib._parallel_backends.mp", None)


def test_where_joblib_is_told_to_start_none_processes_are_refused_with_the_reason(
    wanted: Request, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JOBLIB_MULTIPROCESSING", "0")
    with pytest.raises(ModeUnavailable, match="JOBLIB_MULTIPROCESSING is 0") as caught:
        engine.draw(wanted)
    assert "--backend threading" in caught.value.remedy
    with pytest.raises(ModeUnavailable, match=r"lesson gil needs processes, .* JOBLIB_MULTIPROCESSING is 0") as refused:
        render.lesson("gil", size=(12, 8))
    assert "--backend" not in refused.value.remedy  # which a lesson does not take


@pytest.mark.usefixtures("_no_semaphores")
def test_dask_whose_processes_need_semaphores_is_refused_where_there_are_none(
    wanted: Request, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("render.backends.dask.connection.KEPT", backends.Kept(1))
    with pytest.raises(ModeUnavailable, match="without semaphores") as caught:
        engine.draw(replace(wanted, backend="dask"))
    assert "--backend loky" in caught.value.remedy


@pytest.mark.parametrize("backend", [name for name in backends.names() if name != "dask"])
@pytest.mark.usefixtures("_no_semaphores")
def test_where_there_are_no_semaphores_workers_paint_all_the_same(backend: str, wanted: Request) -> None:
    expected = engine.draw(replace(wanted, mode="sequential", backend=None)).sha256
    done: list[int] = []

    frame = engine.draw(
        replace(wanted, backend=backend, workers=3), watch=lambda moment: done.append(moment.done.tile.number)
    )

    assert frame.sha256 == expected
    assert sorted(done) == list(range(60))
    assert len(frame.trace.workers) <= 3


@pytest.mark.usefixtures("_no_semaphores")
def test_threads_without_joblib_fail_and_stop_as_others_do(wanted: Request, tmp_path: Path) -> None:
    scene = tmp_path / "broken.py"
    scene.write_text(
        "def start(x, y, p): return x, y\n"
        "def step(state, p): return state\n"
        "def alive(state, p): return state[0] > 1e30\n"
        "def shade(state, steps, p): return (state[0] - state[0]) / (state[0] - state[0]), 0.0, 0.0\n"
    )
    parameters = (("shortcuts", 1), ("x", 0.0), ("y", 0.0), ("zoom", 1.0))
    threads = replace(wanted, backend="threading", width=48, height=32, target="python", samples=1)
    with pytest.raises(TileError, match="NaN"):
        engine.draw(replace(threads, scene=str(scene), view="default", parameters=parameters))

    def stop(_moment: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        engine.draw(threads, watch=stop)
    for thread in [thread for thread in threading.enumerate() if thread.name == "painter"]:
        thread.join(HANGING)
        assert not thread.is_alive()


def test_a_daemon_may_use_threads_only(wanted: Request, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("multiprocessing.process._current_process._config", {"daemon": True})
    with pytest.raises(ModeUnavailable) as caught:
        engine.load_available_mode(wanted)

    assert "--backend threading" in caught.value.remedy
    assert engine.load_available_mode(replace(wanted, backend="threading"))


@pytest.mark.parametrize("closed", ["2>&-", "<&- >&- 2>&-"])
def test_processes_paint_although_standard_streams_are_closed(closed: str, tmp_path: Path) -> None:
    """Python has no sys.stderr then, and a worker of loky ends at once without one."""
    words = "--backend loky --workers 2 --target python --size 8x6 --tile 4 --samples 1 --limit 9 --out a.png"
    run = subprocess.run(
        ["/bin/sh", "-c", f'exec "$0" -m render {words} {closed}', sys.executable],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])},
        timeout=HANGING,
        check=False,
    )
    assert run.returncode == 0
    assert (tmp_path / "a.png").stat().st_size > 0
