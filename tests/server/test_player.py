"""The player's films: painted while they are asked for, part by part; and in a real browser."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Iterator
from importlib.resources import files
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from render.film import screening
from render.outputs import trace as saved
from render.server import player
from render.trace.intervals import merge_intervals
from tests.server.conftest import Running, wait_until

av = pytest.importorskip("av", reason="PyAV is missing")

FRAMES = 20


@pytest.fixture(scope="module")
def server(serve: Callable[..., Running]) -> Running:
    return serve(workers=1)


@pytest.fixture
def _small(monkeypatch: pytest.MonkeyPatch, server: Running) -> Iterator[None]:
    """Films of one second, hardly larger than a thumbnail; none is left behind."""
    monkeypatch.setattr(player, "SIZE", (64, 36))
    monkeypatch.setattr(player, "SECONDS", 1)
    before = server.app.state.screenings
    server.app.state.screenings = player.Screenings()
    yield
    server.app.state.screenings.stop()
    wait_until(lambda: not server.app.state.screenings.under_way)
    server.app.state.screenings = before


def start(server: Running, query: str = "") -> Any:
    answer = server.get(f"/play/start?view=valley{query}")
    assert answer.status == 200, answer
    return json.loads(answer.body)


@pytest.mark.usefixtures("_small")
def test_the_parts_of_a_film_are_one_film(server: Running) -> None:
    film = start(server)
    assert (film["frames"], film["fps"], film["seconds"]) == (FRAMES, 20, 1.0)
    head = server.get(f"/play/{film['name']}/head")
    assert head.headers["content-type"].startswith('video/mp4; codecs="avc1.')
    data, frames, number = head.body, 0, 0
    while frames < FRAMES:
        part = server.get(f"/play/{film['name']}/{number}")
        assert part.status == 200
        assert float(part.headers["x-painting-began"]) >= float(part.headers["x-painting-ended"]) >= 0
        data, frames, number = data + part.body, frames + int(part.headers["x-frames"]), number + 1
    with av.open(BytesIO(data)) as container:
        times = [one.pts for one in container.decode(video=0)]
    assert len(times) == FRAMES
    assert times == sorted(set(times))
    assert server.get(f"/play/{film['name']}/{number}").status == 400
    assert server.get("/play/another/0").status == 404


@pytest.mark.usefixtures("_small")
def test_the_record_of_a_film_is_a_saved_trace_with_what_the_player_did(server: Running, tmp_path: Path) -> None:
    film = start(server)
    times = "began=-2&loaded=5~9,20~21&played=10~600,700~1110"
    assert film["age"] >= 0
    number = frames = 0
    while frames < FRAMES:
        frames += int(server.get(f"/play/{film['name']}/{number}").headers["x-frames"])
        number += 1
    shown = server.app.state.screenings.find(film["name"])
    wait_until(lambda: shown.sheet is not None)
    shown.asked -= 5 * 10**9  # as if it had been played since
    answer = server.get(f"/play/{film['name']}/film.trace.json?{times}")
    assert answer.headers["content-disposition"] == 'attachment; filename="film.trace.json"'
    file = tmp_path / "film.trace.json"
    file.write_bytes(answer.body)
    trace = saved.read(file)[0].trace
    assert {span.kind for span in trace.spans} >= {"paint", "encode", "load", "play"}
    assert {span.tile for span in trace.of_kind("paint")} == set(range(FRAMES))
    assert [span.tile for span in trace.of_kind("play")] == [*range(12), *range(11, FRAMES)]
    assert trace.of_kind("play")[0].t0 - trace.asked == 12_000_000
    theatre = server.get(f"/play/{film['name']}/theatre.html?{times}")
    assert "it stalled 1 time, for 100 ms in all" in theatre.body.decode()
    for wrong in ("played=9~3", "played=nan~3", "loaded=x", f"played={'1~2,' * 300}"):
        assert server.get(f"/play/{film['name']}/film.trace.json?{wrong}").status == 400
    unfinished = start(server, "&overlap=0")
    assert server.get(f"/play/{unfinished['name']}/film.trace.json").status == 404


@pytest.mark.usefixtures("_small")
def test_without_overlap_no_part_is_painted_before_it_is_asked_for(server: Running) -> None:
    film = start(server, "&overlap=0")
    server.get(f"/play/{film['name']}/0")
    shown = server.app.state.screenings.find(film["name"])
    time.sleep(0.2)
    assert len(shown.parts) == 1
    assert server.get(f"/play/{film['name']}/1").status == 200
    assert len(shown.parts) == 2


@pytest.mark.usefixtures("_small")
def test_a_browser_without_h264_gets_a_webp(server: Running) -> None:
    film = start(server, "&mp4=0")
    answer = server.get(f"/play/{film['name']}/film.webp")
    with Image.open(BytesIO(answer.body)) as image:
        assert (image.n_frames, image.size) == (FRAMES, (64, 36))  # type: ignore[attr-defined]


@pytest.mark.usefixtures("_small")
def test_nobody_starts_more_films_than_are_painted(server: Running) -> None:
    for _ in range(player.MOST_AT_WORK):
        start(server, "&overlap=0")
    refused = server.get("/play/start?view=valley")
    assert (refused.status, refused.headers["retry-after"]) == (503, "1")


@pytest.mark.usefixtures("_small")
@pytest.mark.parametrize(
    ("query", "site", "status"), [("scene=../x", "none", 404), ("view=no", "none", 404), ("", "cross-site", 403)]
)
def test_no_film_for_those_that_may_not(server: Running, query: str, site: str, status: int) -> None:
    assert server.get(f"/play/start?{query}", Sec_Fetch_Site=site).status == status


@pytest.mark.usefixtures("_small")
def test_a_film_that_nobody_asks_for_is_painted_no_further(server: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(screening, "PATIENCE", 0.05)
    film = start(server, "&overlap=0")
    shown = server.app.state.screenings.find(film["name"])
    wait_until(lambda: bool(shown.finished))
    assert len(shown.parts) < 2


@pytest.mark.slow
@pytest.mark.parametrize("screen", [(1280, 900, "light"), (360, 740, "dark")])
def test_a_film_plays_while_it_is_painted(server: Running, screen: tuple[int, int, str]) -> None:
    sync_api = pytest.importorskip("playwright.sync_api", reason="drives a browser")
    path = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if path is None:
        pytest.skip("there is no Chromium: install it (Debian: chromium)")
    faults: list[str] = []
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        width, height, scheme = screen
        page = browser.new_page(viewport={"width": width, "height": height}, color_scheme=scheme)
        page.set_default_timeout(120_000)
        page.on("console", lambda said: faults.append(said.text) if said.type in {"error", "warning"} else None)
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.goto(f"{server.address}play")
        page.wait_for_function("() => document.getElementById('view').value")
        page.evaluate(files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8"))
        assert page.evaluate("async () => (await axe.run()).violations.map(v => v.id)") == []
        assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
        page.locator("#view").select_option("whole")
        page.locator("#play").focus()
        page.keyboard.press("Enter")
        page.wait_for_function("() => player.told.length === 1")
        page.locator("#overlap").uncheck()
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        page.wait_for_function("() => player.told.length === 2")
        kept = "overlap, started, painted, ended, stalls, parts"
        runs = page.evaluate(f"() => player.told.map(({{ {kept} }}) => ({{ {kept} }}))")
        text = " ".join(page.locator("#sentences li").all_text_contents())
        with page.expect_download() as download:
            page.get_by_role("link", name="Save the trace").first.click()
        film = saved.read(download.value.path())[0]
        browser.close()
    ahead, after = runs
    assert (ahead["overlap"], after["overlap"]) == (True, False)
    assert ahead["started"] < ahead["painted"] < ahead["ended"]
    assert after["parts"] == ahead["parts"]
    assert after["painted"] > ahead["painted"]
    assert len(after["stalls"]) > len(ahead["stalls"])
    played = merge_intervals((span.t0, span.t1) for span in film.trace.of_kind("play"))
    assert len(played) == len(ahead["stalls"]) + 1
    assert f"without {len(after['stalls'])}" in text
    assert "earlier" in text
    assert faults == []
