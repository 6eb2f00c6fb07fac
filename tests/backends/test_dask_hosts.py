"""Backend dask with real schedulers and workers: hosts join and die midway, and nothing that is finished is lost."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

import render
from tests.backends.namespaces import Hosts, open_hosts, reason_to_skip, wait_until
from tests.conftest import HANGING

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[2]
DEAF_SECONDS = 11  # the least for which Dask believes that a cut connection lives
ENVIRONMENT = {"DASK_DISTRIBUTED__COMM__TIMEOUTS__TCP": f"{DEAF_SECONDS}s"}
ALONE = ("--nthreads", "1", "--no-nanny")  # a nanny that is killed leaves semaphores
FRAME: dict[str, Any] = {"size": (96, 80), "tile": 8, "target": "python", "limit": 9}  # 120 tiles, which wait
WAIT = "200ms"
DRIVER = """
import json, sys
from render import engine, options, stats
from render.findings import document

request = options.complete(backend="dask", cluster=sys.argv[1], wait=sys.argv[2], **json.loads(sys.argv[3]))
done = []
def watch(moment):  # and wait where the test wants to do something
    done.append(moment.done.tile.number)
    if len(done) in (10, 40, 60):
        print(len(done), flush=True)
        sys.stdin.readline()
frame = engine.draw(request, watch=watch)
painted = [(span.tile, span.worker.host) for span in frame.trace.of_kind("paint")]
print(json.dumps({"sha256": frame.sha256, "painted": painted, "facts": frame.trace.facts,
                  "sentences": document.draw_document(frame)["sentences"]}))
"""


@pytest.fixture(scope="module")
def expected() -> str:
    return render.draw(mode="sequential", **FRAME).sha256


def wait_for(log: Path, text: str) -> None:
    until = time.monotonic() + HANGING
    while text not in log.read_text(encoding="utf-8", errors="replace"):
        assert time.monotonic() < until, f"{log.name} never says {text}"
        time.sleep(0.1)


@pytest.fixture
def hosts(tmp_path: Path) -> Iterator[Hosts]:
    """Four hosts on one network."""
    if reason_to_skip():
        pytest.skip(reason_to_skip())
    with open_hosts(["head", "one", "two", "three"], tmp_path) as opened:
        yield opened


def test_hosts_join_and_die_midway_and_the_picture_is_complete_and_equal(
    hosts: Hosts, tmp_path: Path, expected: str
) -> None:
    """A scheduler and two hosts; a third joins; then one loses its power and one its cable."""
    address = f"tcp://{hosts.address['head']}:8786"
    hosts.start(
        "head", "-m", "distributed.cli.dask_scheduler", "--host", hosts.address["head"], environment=ENVIRONMENT
    )
    wait_for(tmp_path / "head-0.log", "Scheduler at")
    for name in ("one", "two"):
        start_worker(hosts, name, address, tmp_path)
    driver = hosts.run("head", "-c", DRIVER, address, WAIT, json.dumps(FRAME), environment=ENVIRONMENT)
    wait_at(driver, 10)
    start_worker(hosts, "three", address, tmp_path)
    go_on(driver)
    wait_at(driver, 40)
    hosts.kill("one")
    go_on(driver)
    wait_at(driver, 60)
    hosts.cut("two")
    output, errors = driver.communicate("go\n", timeout=HANGING)

    assert driver.returncode == 0, errors
    found = json.loads(output)
    assert found["sha256"] == expected
    assert Counter(tile for tile, _ in found["painted"]) == dict.fromkeys(range(120), 1), "none twice but what was lost"
    assert {host for _, host in found["painted"]} == {hosts.address[name] for name in ("one", "two", "three")}
    facts = found["facts"]
    gone = {*facts.get("workers_left", ()), *facts.get("workers_silent", ())}
    assert {name.partition(":")[0] for name in gone} == {hosts.address["one"], hosts.address["two"]}
    assert len(facts["workers_joined"]) == 1
    assert dict(zip(facts["hosts"], facts["clock_errors_ns"], strict=True)).keys() == set(hosts.address.values()) - {
        hosts.address["head"]
    }
    assert all(0 < error < 1e9 for error in facts["clock_errors_ns"])
    assert "3 workers on 3 hosts of one machine" in found["sentences"][0]


def start_worker(hosts: Hosts, name: str, address: str, folder: Path) -> None:
    """Start a worker on a host, and wait until the scheduler knows it."""
    hosts.start(name, "-m", "distributed.cli.dask_worker", address, *ALONE, environment=ENVIRONMENT)
    wait_for(folder / f"{name}-0.log", "Registered to")


def wait_at(driver: subprocess.Popen[str], tiles: int) -> None:
    """Wait until the driver has so many tiles, and waits itself."""
    assert driver.stdout is not None
    line = driver.stdout.readline()
    assert line == f"{tiles}\n", driver.communicate(timeout=HANGING)


def go_on(driver: subprocess.Popen[str]) -> None:
    """Let the driver go on."""
    assert driver.stdin is not None
    driver.stdin.write("go\n")
    driver.stdin.flush()


@pytest.fixture
def scheduler(tmp_path: Path) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """A scheduler on this machine and two workers: its address and its process."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    address, started = f"tcp://127.0.0.1:{port}", list[subprocess.Popen[bytes]]()

    def start(*words: str) -> subprocess.Popen[bytes]:
        with (tmp_path / f"{len(started)}.log").open("wb") as log:
            environment = os.environ | {"PYTHONPATH": str(ROOT), "TMPDIR": str(tmp_path)}
            started.append(
                subprocess.Popen(
                    [sys.executable, "-m", *words],
                    stdout=log,
                    stderr=log,
                    cwd=tmp_path,
                    env=environment,
                    start_new_session=True,
                )
            )
        return started[-1]

    try:
        head = start("distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", str(port), "--no-dashboard")
        wait_for(tmp_path / "0.log", "Scheduler at")
        for number in (1, 2):
            start("distributed.cli.dask_worker", address, *ALONE, "--no-dashboard")
            wait_for(tmp_path / f"{number}.log", "Registered to")
        yield address, head
    finally:
        for process in started:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait(HANGING)


def draw(folder: Path, *words: str, own_group: bool = False, path: Sequence[Path] = ()) -> subprocess.Popen[str]:
    """The program, in a process of its own; `path`: from where it imports first."""
    frame = ["--size", "96x80", "--tile", "8", "--target", "python", "--limit", "9", "--backend", "dask"]
    return subprocess.Popen(
        [sys.executable, "-m", "render", *frame, *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=folder,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(map(str, [*path, ROOT]))},
        start_new_session=own_group,
    )


def test_a_lost_scheduler_loses_no_finished_tile_and_another_cluster_goes_on(
    tmp_path: Path, scheduler: tuple[str, subprocess.Popen[bytes]], expected: str
) -> None:
    address, head = scheduler
    first = draw(tmp_path, "--cluster", address, "--wait", WAIT, "--out", "p.png")
    until_written(tmp_path / "p.png.journal", 10_000)
    os.killpg(head.pid, signal.SIGKILL)
    killed = time.monotonic()
    _, errors = first.communicate(timeout=HANGING)

    assert first.returncode == 1, errors
    assert time.monotonic() - killed < DEAF_SECONDS * 3
    assert f"the cluster's scheduler {address} is lost" in errors
    assert "add --resume to go on" in errors

    second = draw(tmp_path, "--workers", "2", "--out", "p.png", "--resume", "--json")
    output, errors = second.communicate(timeout=HANGING)

    assert second.returncode == 0, errors
    document = json.loads(output)
    assert document["sha256"] == expected
    assert 0 < document["resumed"] < 120
    assert not (tmp_path / "p.png.journal").exists()


def until_written(path: Path, size: int) -> None:
    """Wait until a file is so long."""
    wait_until(lambda: path.exists() and path.stat().st_size >= size)


def test_workers_that_were_not_started_for_users_scenes_do_not_run_them(
    tmp_path: Path, scheduler: tuple[str, subprocess.Popen[bytes]]
) -> None:
    scene = tmp_path / "mine.py"
    scene.write_text(
        "from pathlib import Path\n"
        f"Path({str(tmp_path / 'ran')!r}).open('a').write('x')\n"
        "def start(x, y, p): return x, y\n"
        "def step(state, p): return state[0] + 0.5, state[1]\n"
        "def alive(state, p): return state[0] < 3.0\n"
        "def shade(state, steps, p): return steps / 12.0, 0.5, 0.25\n"
    )
    address, _ = scheduler
    refused = draw(tmp_path, "--cluster", address, "--scene", str(scene), "--out", "p.png")
    _, errors = refused.communicate(timeout=HANGING)

    assert refused.returncode == 3, errors
    assert "was not started to run users' scenes" in errors
    assert '--resources "render-scenes=1"' in errors
    assert (tmp_path / "ran").read_text() == "x", "only here, to check it"


def test_an_interrupt_ends_a_cluster_of_this_machine_without_a_word_of_its_processes(tmp_path: Path) -> None:
    drawing = draw(tmp_path, "--workers", "2", "--wait", WAIT, "--out", "p.png", own_group=True)
    until_written(tmp_path / "p.png.journal", 1000)
    os.killpg(drawing.pid, signal.SIGINT)  # as a terminal does, to all
    _, errors = drawing.communicate(timeout=HANGING)

    assert drawing.returncode == 130, errors
    assert "Traceback" not in errors
    assert "tiles are kept in" in errors
    wait_until(lambda: not group_lives(drawing.pid))


def test_an_interrupt_ends_a_cluster_whose_processes_do_not_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started = tmp_path / "started"
    (tmp_path / "sitecustomize.py").write_text(
        "import sys, time\n"
        f"if 'Dask Worker' in ' '.join(sys.orig_argv):\n    open({str(started)!r}, 'a').close()\n    time.sleep(1000)\n"
    )
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    drawing = draw(tmp_path, "--workers", "2", "--out", "p.png", own_group=True, path=[tmp_path])
    wait_until(started.exists)
    os.killpg(drawing.pid, signal.SIGINT)
    _, errors = drawing.communicate(timeout=HANGING)

    assert drawing.returncode == 130, errors
    assert "Traceback" not in errors
    wait_until(lambda: not group_lives(drawing.pid))
    assert not list(temporary.iterdir())


def test_a_killed_client_with_a_cluster_of_this_machine_leaves_no_process_and_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene = tmp_path / "mine.py"
    shutil.copy(ROOT / "scenes" / "mandelbrot.py", scene)
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    words = ("--workers", "2", "--wait", WAIT, "--out", "p.png", "--scene", str(scene))
    drawing = draw(tmp_path, *words, own_group=True)
    until_written(tmp_path / "p.png.journal", 1000)
    assert list(temporary.rglob("mine.py")), "each worker has the scene in a file"
    drawing.kill()
    drawing.communicate(timeout=HANGING)

    wait_until(lambda: not group_lives(drawing.pid))
    assert not list(temporary.iterdir())


def group_lives(number: int) -> bool:
    """Tell if any process of a group lives."""
    try:
        os.killpg(number, 0)
    except ProcessLookupError:
        return False
    return True
