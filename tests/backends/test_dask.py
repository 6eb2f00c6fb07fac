"""Backend dask: who may take part, what becomes of tiles whose workers die or hang, and what time it is elsewhere."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from distributed import KilledWorker, LocalCluster
from hypothesis import given
from hypothesis import strategies as st

import render
from render import engine, options
from render.backends.dask import connection, crew, silence, worker
from render.backends.dask.hosts import HostClock, count_cpus, describe_hosts
from render.backends.dask.messages import SCENES, Greeting, Job, describe_job
from render.errors import ModeUnavailable, TileError, UsageError
from render.painting.handfuls import Handful, paint_handfuls
from render.painting.painter import Painter
from render.plan import Tile
from render.request import MOST_WORKERS, Request
from render.trace import Span, Worker
from tests.conftest import HANGING

pytestmark = pytest.mark.usefixtures("_cluster_of_threads")
MS = 1_000_000
KILLED = KilledWorker("task", SimpleNamespace(address="tcp://there:1"), 3)


@pytest.fixture
def wanted(ask: Callable[..., Request]) -> Request:
    """Twelve tiles."""
    return ask(mode="parallel", backend="dask", workers=2, target="python", width=32, height=24, tile=(8, 8), limit=9)


@pytest.fixture
def job(wanted: Request) -> Job:
    return describe_job("1", wanted)


@pytest.fixture
def _no_kept_connection() -> Iterator[None]:
    """A worker that was greeted once is not asked again."""
    connection.KEPT.close()
    yield
    connection.KEPT.close()


def test_the_same_program_takes_part(job: Job) -> None:
    assert worker.explain_refusal(job, {}) == ""


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"version": "9.9"}, "it has render 0.1.0, not 9.9"),
        ({"source": "0" * 64}, "its render 0.1.0 is not the same program"),
        ({"sha256": "0" * 64}, "its scene mandelbrot is not the same"),
        ({"text": b"..."}, f'it was not started to run users\' scenes (--resources "{SCENES}=1")'),
    ],
)
def test_another_program_or_scene_is_left_out_with_the_reason(job: Job, changed: dict[str, Any], why: str) -> None:
    assert worker.explain_refusal(job._replace(**changed), {}) == why


def test_a_users_scene_runs_where_a_worker_was_started_for_it_and_arrives_whole(job: Job) -> None:
    damaged = job._replace(text=b"...")
    assert "damaged" in worker.explain_refusal(damaged, {SCENES: 1.0})


def test_a_users_scene_is_painted_from_the_text_that_was_sent(tmp_path: Path, wanted: Request) -> None:
    scene = tmp_path / "plain.py"
    scene.write_text(
        "from pathlib import Path\n"
        "PLACE = Path(__file__).parent.name\n"
        "def start(x, y, p): return x, y\n"
        "def step(state, p): return state[0] + 0.5, state[1]\n"
        "def alive(state, p): return state[0] < 3.0\n"
        "def shade(state, steps, p): return steps / 12.0, 0.5, 0.25\n"
    )
    asked: dict[str, Any] = {"scene": str(scene), "size": (32, 24), "tile": 8, "target": "python"}
    expected = render.draw(mode="sequential", **asked)
    assert render.draw(backend="dask", workers=2, **asked).sha256 == expected.sha256


@pytest.mark.usefixtures("_no_kept_connection")
def test_where_no_worker_can_take_part_each_is_named_with_its_reason(
    wanted: Request, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "explain_refusal", lambda _job, _resources: "it is another program")
    said: list[str] = []
    with pytest.raises(ModeUnavailable, match=r"none of its workers can take part: .*: it is another program"):
        engine.draw(wanted, announce=said.append)
    assert sum("is left out: it is another program" in text for text in said) == 2


def test_a_scheduler_that_does_not_answer_is_named_within_seconds(
    wanted: Request, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "CONNECT_SECONDS", 0.5)
    with pytest.raises(ModeUnavailable, match=r"no scheduler answers at tcp://127\.0\.0\.1:9 ") as caught:
        engine.draw(replace(wanted, cluster="tcp://127.0.0.1:9"))
    assert "dask scheduler" in caught.value.remedy


@pytest.mark.usefixtures("_no_kept_connection")
@pytest.mark.parametrize(
    ("allowed", "remedy"), [(1024, "give --workers 98 or fewer, allow more (ulimit -n 10280)"), (45, "allow more")]
)
def test_more_processes_than_open_files_are_refused_before_any_starts(
    allowed: int, remedy: str, wanted: Request, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("resource.getrlimit", lambda _which: (allowed, allowed))
    with pytest.raises(ModeUnavailable, match=rf"1024 processes needs 10280 open files, and {allowed}") as caught:
        engine.draw(replace(wanted, workers=MOST_WORKERS))
    assert caught.value.remedy.startswith(remedy)


def test_a_cluster_without_workers_is_given_time_and_the_waiting_is_announced(
    wanted: Request, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(crew, "WORKER_SECONDS", 0.5)
    monkeypatch.setattr(crew, "QUIET_SECONDS", 0.1)
    said: list[str] = []
    with (
        LocalCluster(n_workers=0, processes=False, dashboard_address=None) as cluster,
        pytest.raises(ModeUnavailable, match=r"the cluster .*: it has no workers"),
    ):
        engine.draw(replace(wanted, cluster=cluster.scheduler_address), announce=said.append)
    assert sum("has no workers yet" in text for text in said) == 1


@pytest.mark.parametrize("text", ['{"address": null}', '{"address": 5}', '{"address": "head"}', "[]", "\0"])
def test_a_scheduler_file_without_an_address_is_named_and_no_cluster_started(
    wanted: Request, tmp_path: Path, text: str
) -> None:
    (tmp_path / "s.json").write_text(text)
    with pytest.raises(ModeUnavailable, match=r"s\.json: it is no scheduler file"):
        engine.draw(replace(wanted, cluster=str(tmp_path / "s.json")))


def test_a_scheduler_file_that_is_not_there_is_named(wanted: Request, tmp_path: Path) -> None:
    with pytest.raises(ModeUnavailable, match=r"cannot read the scheduler file .*No such file") as caught:
        engine.draw(replace(wanted, cluster=str(tmp_path / "s.json")))
    assert "--scheduler-file" in caught.value.remedy


def painting(tiles: dict[int, Callable[[], object]]) -> Callable[..., Any]:
    """What a worker does, but for some tiles."""

    def paint_or_not(take: Callable[[], Tile | None], painter: Painter, in_flight: int) -> Iterator[Handful]:
        def take_one() -> Tile | None:
            tile = take()
            if tile is not None and tile.number in tiles:
                tiles[tile.number]()
            return tile

        return paint_handfuls(take_one, painter, in_flight)

    return paint_or_not


def raising(error: BaseException, times: int = 1 << 30) -> Callable[[], None]:
    left = [error] * min(times, 100)

    def throw() -> None:
        if left:
            raise left.pop()

    return throw


def test_a_tile_that_kills_its_workers_is_given_up_alone_when_all_others_are_done(
    wanted: Request, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "paint_handfuls", painting({5: raising(KILLED)}))
    done: list[int] = []
    with pytest.raises(TileError, match=r"tile 5 .*Dask gave it up \(4 workers died\)"):
        engine.draw(wanted, watch=lambda moment: done.append(moment.done.tile.number))
    assert sorted(done) == [0, 1, 2, 3, 4, 6, 7, 8, 9, 10, 11]


def test_a_tile_whose_workers_died_by_chance_is_painted_in_the_end(
    wanted: Request, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = engine.draw(replace(wanted, mode="sequential", backend=None)).sha256
    monkeypatch.setattr(
        worker,
        "paint_handfuls",
        painting({5: raising(KILLED, 1)}),
    )
    assert engine.draw(wanted).sha256 == expected


@pytest.mark.parametrize("times", [1, 99])
def test_a_tile_that_came_to_a_worker_without_the_program_goes_to_another(
    times: int, wanted: Request, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = engine.draw(replace(wanted, mode="sequential", backend=None)).sha256
    monkeypatch.setattr(worker, "paint_handfuls", painting({5: raising(ImportError("no render"), times)}))
    monkeypatch.setattr(crew, "MOST_BOUNCES", 2)
    if times == 1:
        assert engine.draw(wanted).sha256 == expected
    else:
        with pytest.raises(TileError, match=r"tile \d+ .*render cannot be imported there"):
            engine.draw(wanted)


def test_an_error_of_a_worker_is_the_tiles(wanted: Request, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "paint_handfuls", painting({0: raising(MemoryError("no more"))}))
    with pytest.raises(TileError, match="MemoryError: no more") as caught:
        engine.draw(wanted)
    assert "--only-tile" in caught.value.remedy


@pytest.mark.slow
def test_a_tile_that_hangs_is_named(wanted: Request, monkeypatch: pytest.MonkeyPatch) -> None:
    go_on = threading.Event()

    def hang(take: Callable[[], Any], painter: worker.WindowPainter, _in_flight: int) -> Iterator[Handful]:
        tile = take()
        painter._watch.write_tile(tile.number)  # noqa: SLF001
        go_on.wait(HANGING)
        yield Handful([])

    monkeypatch.setattr(worker, "paint_handfuls", hang)
    monkeypatch.setattr(silence, "QUIET_SECONDS", 0.5)
    try:
        with pytest.raises(TileError, match=r"tile \d+ .*gave no sign of life for"):
            engine.draw(replace(wanted, tile_timeout_ns=10**9))
    finally:
        go_on.set()


def test_runs_of_one_process_share_a_cluster(wanted: Request) -> None:
    first, second = (engine.draw(wanted).trace.workers for _ in range(2))
    assert {one.process for one in first} == {one.process for one in second}


# --- options -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "parsed"),
    [
        ("tcp://10.0.0.1:8786", "tcp://10.0.0.1:8786"),
        ("tls://head:8786", "tls://head:8786"),
        ("head:8786", "tcp://head:8786"),
        ("[fe80::1]:8786", "tcp://[fe80::1]:8786"),
        ("~/scheduler.json", "~/scheduler.json"),
    ],
)
def test_a_cluster_is_an_address_or_a_file(given: str, parsed: str) -> None:
    assert options.parse_cluster(given) == parsed


@pytest.mark.parametrize("given", ["", "tcp://head", "http://head:80", "head:0", "head:99999"])
def test_what_is_neither_is_wrong_use(given: str) -> None:
    with pytest.raises(UsageError, match="cluster is"):
        options.parse_cluster(given)


def test_a_cluster_is_for_its_own_backend() -> None:
    with pytest.raises(UsageError, match="--cluster does not apply to backend threading") as caught:
        options.complete(cluster="tcp://head:8786")
    assert "--backend dask" in caught.value.remedy


@pytest.mark.parametrize(("given", "most"), [(None, MOST_WORKERS), (-1, MOST_WORKERS), (3, 3)])
def test_of_a_cluster_all_workers_are_used_or_as_many_as_are_said(given: int | None, most: int) -> None:
    request = options.complete(backend="dask", cluster="tcp://head:8786", workers=given)
    assert request.workers == most
    assert request.tile[0] >= 16, "not cut for a thousand workers"


def test_nobody_knows_all_but_one_of_a_cluster() -> None:
    with pytest.raises(UsageError, match="workers is -2"):
        options.complete(backend="dask", cluster="tcp://head:8786", workers=-2)


# --- hosts ---------------------------------------------------------------------------------------------------


@given(
    ahead=st.integers(-(10**15), 10**15),
    trips=st.lists(
        st.tuples(st.integers(0, 9 * MS), st.integers(0, 90 * MS), st.integers(0, 9 * MS)), min_size=1, max_size=9
    ),
)
def test_no_time_of_another_host_is_further_off_than_is_stated(ahead: int, trips: list[tuple[int, int, int]]) -> None:
    clock, now = HostClock(), 0
    for there, busy, back in trips:
        sent, t0, t1 = now, now + there, now + there + busy
        received = now = t1 + back
        clock.learn(t0 + ahead, t1 + ahead, sent, received)
        span = Span(Worker(1, 2), 0, "paint", t0 + ahead, t1 + ahead)

        (told,) = clock.tell([span], "there", sent, received)

        assert told.worker == Worker(1, 2, "cpu", "there")
        assert max(abs(told.t0 - t0), abs(told.t1 - t1)) <= clock.error + 1
        assert sent <= told.t0 <= told.t1 <= received


def greeting(host: str, machine: str, affinity: Sequence[int], quota: float | None = None) -> Greeting:
    return Greeting(f"tcp://{host}:1", host, machine, 8, tuple(affinity), quota, "a CPU", "4 lanes", ())


@pytest.mark.parametrize(
    ("greetings", "cpus"),
    [
        ([greeting("a", "m", [0, 1]), greeting("a", "m", [0, 1])], 2),  # two workers share two
        ([greeting("a", "m", [0]), greeting("a", "m", [1])], 2),  # each has its own, as Slurm gives them
        ([greeting("a", "m", range(8), 1.5)], 2),
        ([greeting("a", "m", range(8), 1.0), greeting("b", "m", range(8), 2.0)], 3),  # two containers of one machine
        ([greeting("a", "m", range(8), 1.0), greeting("b", "m", range(8))], 8),
    ],
)
def test_cpus_of_a_machine_count_once(greetings: list[Greeting], cpus: int) -> None:
    assert count_cpus(greetings) == cpus


def test_cpus_of_several_machines_add_up() -> None:
    facts = describe_hosts([greeting("a", "m", range(8)), greeting("b", "m", range(8)), greeting("c", "n", [0, 1])], {})
    assert (facts["hosts"], facts["host_machines"], facts["cpus"]) == (["a", "b", "c"], [0, 0, 1], 10)


def test_tiles_that_a_reply_lacks_are_painted_by_another(wanted: Request, monkeypatch: pytest.MonkeyPatch) -> None:
    left = [True]

    def stop_early(take: Callable[[], Tile | None], painter: Painter, in_flight: int) -> Iterator[Handful]:
        if left.pop() if left else False:
            take()
        return paint_handfuls(take, painter, in_flight)

    monkeypatch.setattr(worker, "paint_handfuls", stop_early)
    expected = engine.draw(replace(wanted, mode="sequential", backend=None)).sha256
    assert engine.draw(wanted).sha256 == expected
