"""The explorer and the lesson in a real browser: on a telephone and a wide screen, from one server alone."""

from __future__ import annotations

import json
import shlex
import shutil
from collections.abc import Callable, Iterator
from importlib.resources import files
from typing import Any

import pytest

from tests.server.conftest import Running

sync_api = pytest.importorskip("playwright.sync_api", reason="drives a browser")
pytestmark = pytest.mark.slow

FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync"]
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
READY = "() => globalThis.explorer && explorer.layers.length && !explorer.layers[1].isLoading() && lesson.told"
TILES = "() => [...document.querySelectorAll('img.leaflet-tile-loaded')].map(tile => tile.src)"
SCREENS = {"wide": (1280, 900, "light", 1), "telephone": (360, 740, "dark", 2)}


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    path = next(filter(None, map(shutil.which, NAMES)), None)
    if path is None:
        pytest.skip("there is no Chromium: install it (Debian: chromium)")
    with sync_api.sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield started
        started.close()


@pytest.fixture(scope="module")
def server(serve: Callable[..., Running]) -> Running:
    return serve(workers=2, data_ms=20)


@pytest.fixture(params=SCREENS)
def page(browser: Any, server: Running, request: pytest.FixtureRequest) -> Iterator[Any]:
    """A page that may say and ask nothing it should not."""
    width, height, scheme, ratio = SCREENS[request.param]
    size = {"width": width, "height": height}
    context = browser.new_context(viewport=size, color_scheme=scheme, device_scale_factor=ratio)
    context.set_default_timeout(120_000)
    page, faults = context.new_page(), []
    page.on("console", lambda said: faults.append(said.text) if said.type in {"error", "warning"} else None)
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("request", lambda asked: faults.append(asked.url) if not asked.url.startswith(server.address) else None)
    yield page
    context.close()
    assert [fault for fault in faults if not fault.startswith("data:")] == []


def settled(page: Any, zoom: int | None = None) -> Any:
    if zoom is not None:
        page.wait_for_function(f"() => globalThis.explorer?.map.getZoom() === {zoom}")
    page.wait_for_function(READY)
    return page


def test_it_is_worked_by_keyboard_and_shuts_nobody_out(page: Any, server: Running) -> None:
    page.goto(server.address)
    settled(page)
    assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
    axe = files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")
    page.evaluate(axe)
    found = "async () => (await axe.run()).violations.map(v => [v.id, v.nodes.map(n => n.html.slice(0, 99))])"
    assert page.evaluate(found) == []

    zoom = page.evaluate("() => explorer.map.getZoom()")
    page.locator("#map").focus()
    page.keyboard.press("+")
    settled(page, zoom + 1)
    before = page.evaluate("() => explorer.map.getCenter().lng")
    page.keyboard.press("ArrowRight")
    page.wait_for_function(f"() => explorer.map.getCenter().lng > {before}")
    assert any(f"/mandelbrot/{zoom + 1}/" in src for src in page.evaluate(TILES))


IN_SIGHT = """() => document.getElementById("take").getBoundingClientRect().bottom
    <= document.getElementById("panel").getBoundingClientRect().bottom + 1"""


def test_a_palette_a_link_and_a_command_lead_to_the_same_view(page: Any, server: Running) -> None:
    page.goto(f"{server.address}#scene=mandelbrot&view=seahorses&x=-0.7455&y=0.1125&scale=6000")
    settled(page)
    page.locator("#palette").select_option("moss")
    settled(page)
    page.wait_for_function("() => location.hash.includes('palette=moss')")
    page.get_by_text("Parameters", exact=True).click()
    page.locator("#take summary").click()
    page.wait_for_function(IN_SIGHT)
    command = shlex.split(page.locator("#command").input_value())
    link = page.url

    assert command[:5] == ["python", "-m", "render", "--scene", "mandelbrot"]
    assert {"palette=moss", "x=-0.7455"} <= set(command)
    page.goto("about:blank")
    page.goto(link)
    settled(page)
    assert shlex.split(page.locator("#command").input_value()) == command
    assert any("palette=moss" in src for src in page.evaluate(TILES))


def test_the_depths_go_on_where_one_world_ends(page: Any, server: Running) -> None:
    page.goto(f"{server.address}#scene=mandelbrot&view=whole&x=-0.74364388&y=0.13182590&scale={1.6 * 2**20}")
    settled(page, 20)
    page.evaluate("() => explorer.map.setZoom(explorer.map.getMaxZoom())")
    page.wait_for_function("() => explorer.now.root.zoom > 1e5")
    settled(page, 6)
    assert "zoom=" in page.evaluate(TILES)[0]
    assert page.evaluate("() => explorer.map.getMaxZoom() > 10")
    page.evaluate("() => explorer.map.setZoom(0)")
    page.wait_for_function("() => explorer.now.root.zoom === 1.6")
    settled(page)


def test_the_lesson_shows_each_user_and_what_they_wait_for(page: Any, server: Running) -> None:
    server.get("/tiles/julia/3/4/4.png", Cookie="client=another")
    page.goto(server.address)
    settled(page)
    page.wait_for_function("() => lesson.told.requests.some(request => request.user === lesson.told.you)")
    page.wait_for_function("() => document.querySelectorAll('#users tr').length >= 2")
    told = json.loads(json.dumps(page.evaluate("() => lesson.told")))

    assert page.locator("#users tr td:first-child").first.text_content() == "you"
    assert "switching between all users" in page.locator("#how").text_content()
    assert page.locator("#sentences li").all_text_contents() != []
    assert told["workers"] == 2
    assert int(page.locator("#n-users").text_content()) >= 2
