"""A storm on loopback, bounded in count and time; what a signal does; an independent client. All of it takes long."""

from __future__ import annotations

import asyncio
import io
import os
import random
import re
import shutil
import signal
import statistics
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import psutil
import pytest
from PIL import Image

import render
from render.trace.intervals import max_overlap
from tests.conftest import HANGING
from tests.server.conftest import Running, wait_until

pytestmark = pytest.mark.slow
Serve = Callable[..., Running]
ROOT = Path(__file__).parent.parent.parent
Z = 4
SIDE = 256 << Z
CLIENTS, TILES = 100, 4


async def ask(port: int, path: str, cookie: str, leave: float | None = None) -> tuple[int, bytes, float]:
    """Ask on a connection of its own; leave after so many seconds without an answer, if any."""
    t0 = time.perf_counter()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    head = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nCookie: client={cookie}\r\nConnection: close\r\n\r\n"
    writer.write(head.encode())
    try:
        if leave is not None:
            await asyncio.sleep(leave)
            return 0, b"", 0.0
        head_bytes, _, body = (await reader.read()).partition(b"\r\n\r\n")
        return int(head_bytes.split()[1]), body, time.perf_counter() - t0
    finally:
        writer.close()


async def storm(server: Running, rng: random.Random) -> tuple[dict[str, list[float]], dict[str, bytes], Counter[int]]:
    """A greedy client, calm ones, some that leave, and floods of bad requests, all at once."""
    waits: dict[str, list[float]] = {}
    bodies: dict[str, bytes] = {}
    statuses: Counter[int] = Counter()
    places = [(x, y) for x in range(1 << Z) for y in range(1 << Z)]

    async def take(path: str, client: str) -> None:
        status, body, took = await ask(server.port, path, client)
        statuses[status] += 1
        if status == 200:
            waits.setdefault(client, []).append(took)
            assert bodies.setdefault(path, body) == body

    async def calm(client: str) -> None:
        for x, y in rng.sample(places, TILES):
            await take(f"/tiles/mandelbrot/{Z}/{x}/{y}.png", client)

    async def leaving(client: str) -> None:
        for x, y in rng.sample(places, TILES):
            await ask(server.port, f"/tiles/mandelbrot/{Z}/{x}/{y}.png?palette=moss", client, rng.random() / 20)

    async def bad() -> None:
        for path in ("/tiles/mandelbrot/99/0/0.png", "/%00", "/tiles/x/0/0/0.png", "/tiles/mandelbrot/0/0/0.png?a=b"):
            statuses[(await ask(server.port, path, "bad"))[0]] += 1

    async with asyncio.TaskGroup() as group:
        for number in range(300):
            x, y = places[number % len(places)]
            group.create_task(take(f"/tiles/mandelbrot/{Z}/{x}/{y}.png?light=0.9&limit={1000 + number}", "greedy"))
        for number in range(CLIENTS):
            group.create_task(calm(f"calm{number}"))
        for number in range(20):
            group.create_task(leaving(f"leaving{number}"))
            group.create_task(bad())
    return waits, bodies, statuses


def test_a_storm_starves_nobody_and_leaves_nothing_behind(serve: Serve) -> None:
    server = serve(workers=2)
    server.get("/tiles/mandelbrot/0/0/0.png")
    whole = render.draw(size=SIDE, mode="parallel").rgb
    waits, bodies, statuses = asyncio.run(storm(server, random.Random(7)))  # noqa: S311

    assert set(statuses) <= {200, 400, 404, 503}
    assert statuses[503], "the greedy client was refused some"
    assert len(waits) == CLIENTS + 1
    for path, body in bodies.items():
        x, y = (int(number) for number in path.removesuffix(".png").split("/")[4:6]) if "?" not in path else (-1, -1)
        if x >= 0:
            crop = whole[256 * y : 256 * (y + 1), 256 * x : 256 * (x + 1)]
            assert np.array_equal(np.asarray(Image.open(io.BytesIO(body))), crop), path
    medians = {client: statistics.median(times) for client, times in waits.items()}
    greedy = medians.pop("greedy")
    fair = statistics.median(medians.values())  # all calm clients want the same
    assert max(medians.values()) <= 2 * fair, (max(medians.values()), fair)
    assert greedy > fair

    wait_until(lambda: server.service.open == 0 and not server.service.workers.at_work)
    assert server.service.workers.count_waiting() == 0
    assert server.service._wanted == {}  # noqa: SLF001
    assert server.get("/healthz").status == server.get("/readyz").status == 200


def test_sixteen_requests_that_mostly_wait_wait_side_by_side_with_switching_and_else_in_turn(serve: Serve) -> None:
    """Each waits 50 ms for one worker: 16 x 50 ms in all, or little more than 50 ms."""
    beside: dict[bool, int] = {}
    took: dict[bool, float] = {}
    for switching in (True, False):
        server = serve(workers=1, data_ms=50, switching=switching)
        server.get("/tiles/mandelbrot/0/0/0.png?limit=20000")
        with ThreadPoolExecutor(16) as users:
            barrier = threading.Barrier(16)

            def ask_one(user: int, server: Running = server, barrier: threading.Barrier = barrier) -> int:
                barrier.wait()
                path = f"/tiles/mandelbrot/5/{user}/{user}.png?bailout={1000 + user}"
                return server.get(path, Cookie=f"client=u{user}").status

            t0 = time.perf_counter()
            assert list(users.map(ask_one, range(16))) == [200] * 16
            took[switching] = time.perf_counter() - t0
        waits = [(span.t0, span.t1) for asked in server.service.record.since(0) for span in asked.waits]
        beside[switching] = max_overlap(waits)
    assert beside[False] == 1
    assert took[False] > 16 * 0.05
    assert beside[True] > 2


def test_a_killed_worker_harms_no_answer(serve: Serve) -> None:
    server = serve(workers=1, processes=True)
    whole = render.draw(size=512, mode="sequential").rgb
    assert server.get("/tiles/mandelbrot/1/0/0.png").status == 200
    [child] = [one for one in psutil.Process().children() if "spawn_main" in " ".join(one.cmdline())]
    child.kill()
    child.wait(HANGING)
    answer = server.get("/tiles/mandelbrot/1/1/1.png")

    assert np.array_equal(np.asarray(Image.open(io.BytesIO(answer.body))), whole[256:, 256:])
    assert server.service.counts["lost_workers"] == 1


def program(*arguments: str) -> subprocess.Popen[str]:
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    words = [sys.executable, "-m", "render", "serve", "--port", "0", *arguments]
    return subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_ends_the_program_though_requests_wait_for_minutes_more(number: signal.Signals, code: int) -> None:
    run = program("--slow-data", "600s", "--workers", "1")
    assert run.stdout is not None
    line = run.stdout.readline()
    found = re.fullmatch(r"render serves at http://127\.0\.0\.1:(\d+)/\n", line)
    assert found, line
    port = int(found[1])
    with ThreadPoolExecutor(1) as user:
        waiting = user.submit(lambda: asyncio.run(ask(port, "/tiles/mandelbrot/0/0/0.png", "one")))
        wait_until(lambda: '"state":"data"' in asyncio.run(ask(port, "/lesson.json", "two"))[1].decode())
        run.send_signal(number)
        _, said = run.communicate(timeout=HANGING)
        assert waiting.result()[0] == 503
    assert run.returncode == code, said
    assert "Traceback" not in said


GDAL = """<GDAL_WMS>
<Service name="TMS"><ServerUrl>{address}tiles/mandelbrot/${{z}}/${{x}}/${{y}}.png</ServerUrl></Service>
<DataWindow>
<UpperLeftX>0</UpperLeftX><UpperLeftY>0</UpperLeftY><LowerRightX>1</LowerRightX><LowerRightY>-1</LowerRightY>
<TileLevel>2</TileLevel><TileCountX>1</TileCountX><TileCountY>1</TileCountY><YOrigin>top</YOrigin>
</DataWindow>
<BlockSizeX>256</BlockSizeX><BlockSizeY>256</BlockSizeY><BandsCount>3</BandsCount>
</GDAL_WMS>"""


@pytest.mark.skipif(shutil.which("gdal_translate") is None, reason="reads tiles with GDAL (Debian: gdal-bin)")
def test_gdal_reads_the_picture_from_its_tiles(serve: Serve, tmp_path: Path) -> None:
    server = serve(workers=2)
    source, out = tmp_path / "tiles.xml", tmp_path / "out.png"
    source.write_text(GDAL.format(address=server.address), encoding="utf-8")
    run = subprocess.run(
        ["gdal_translate", "-q", "-of", "PNG", str(source), str(out)],  # noqa: S607
        cwd=tmp_path, capture_output=True, text=True, timeout=HANGING, check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr

    assert np.array_equal(np.asarray(Image.open(out)), render.draw(size=1024, mode="parallel").rgb)
