"""The theatre in a real browser, opened from disk: it asks nobody for anything, and shows what the trace holds."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import replace
from importlib.resources import files
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from render.engine import Race
from render.findings.explanation import CloseUp, Event, Explanation
from render.frame import Frame, Frames
from render.outputs import page as theatre
from render.outputs import trace as saved
from render.swatches import COLOURS
from render.trace import Span, Trace, Worker
from tests.conftest import HANGING

from .conftest import MS, drawn
from .synthetic_gpu import with_gpu

sync_api = pytest.importorskip("playwright.sync_api", reason="drives a browser")

ROOT = Path(__file__).parent.parent.parent
FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync"]
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
HIDDEN = {"now": (".number b",), "after": (".took", ".closeup", ".overview")}  # while a question is open
FRAMES = "() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"

LESSON = Frames(
    (
        drawn("001122334455"),
        drawn("012301234545", mode="concurrent"),
        drawn("002244", "113355", mode="parallel", backend="threading"),
    ),
    "race",
    (("cuda", "mode cuda cannot run here: there is no NVIDIA driver"),),
)


def waiting(frame: Frame) -> Frame:
    """The frame, in which each tile waits a millisecond before its first span."""
    spans = list(frame.trace.spans)
    firsts = {span.tile: span for span in reversed(spans)}
    waits = [Span(s.worker, s.tile, "wait", s.t0 - MS, s.t0) for s in firsts.values()]
    trace = replace(frame.trace, spans=(*waits, *spans))
    return replace(frame, request=replace(frame.request, wait_ns=MS), trace=trace)


def crowd(workers: int = 130, spans: int = 15_000) -> Frames:
    """A GPU with so many lanes, and a frame in 2400 tiles."""
    base = drawn(width=960, height=640, mode="cuda", target="cuda")
    free = [0] * workers
    made = []
    for number in range(spans):
        lane, long = number % workers, 100_000 + number * 7919 % 400_000
        tile = number * 2400 // spans
        made.append(Span(Worker(1, lane, "a GPU"), tile, "paint", MS + free[lane], MS + free[lane] + long))
        free[lane] += long + number % 3 * 5_000
    many = replace(base, trace=Trace(tuple(made), 0, 1, max(free) + 2 * MS, {"device": "a GPU"}))
    return Frames((drawn("".join(str(i % 6) for i in range(12))), many), "race")


ONE_CPU = {"cpus": 1, "cpus_affinity": 1}
SHARED = Frames((drawn("0123"), drawn("0022", "1133", mode="parallel", given=0.5, facts=ONE_CPU)), "race")
SHADES = """() => { const canvas = document.querySelector('#run-1 canvas.overview'), g = canvas.getContext('2d');
    const { data } = g.getImageData(0, 0, canvas.width, canvas.height), seen = new Set();
    for (let i = 0; i < data.length; i += 4) if (data[i + 3] === 255) seen.add(data.slice(i, i + 3).join());
    return seen.size; }"""

GPU = Frames((drawn("0" * 100 + "12345"), with_gpu(drawn(), bands=30)), "race")  # 3 ms beside 105

STRANGE = {  # what a saved trace may hold besides a race of four modes
    "one tile": Frames((drawn("0"),)),
    "nothing painted": Frames((drawn(),)),
    "no length": Frames((replace(drawn("0"), trace=Trace((Span(Worker(1, 1), 0, "paint", 5, 5),), 0, 0, 9, {})),)),
    "only waits": Frames((replace(drawn("0"), trace=Trace((Span(Worker(1, 1), 0, "wait", 5, 9),), 0, 0, 9, {})),)),
    "no steps": Frames((drawn("01", samples=4), drawn("01", samples=4)), "race"),
    "simulated": Frames((drawn("01", mode="cuda", facts={"simulated": True}),)),
    "waits": Frames((waiting(drawn("01.23")), waiting(drawn("0101", mode="concurrent"))), "race"),
    "different pictures": Frames((drawn("01"), drawn("01", colour=90)), "race"),
    "a name that bites": Frames(
        (drawn("01", view="</script><script>alert(1)</script><!--", facts={"cpu": "<b>&'\""}),)
    ),
    "older": Frames((drawn("01", given=None), drawn("00", "11", mode="parallel", given=None)), "race"),
    "130 lanes": crowd(),
    "a GPU inside": GPU,
}


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """The system's Chromium, or the one that Playwright installed. Only these tests: its loop is in the others' way."""
    path = next(filter(None, map(shutil.which, NAMES)), None)
    with sync_api.sync_playwright() as playwright:
        if path is None and not Path(playwright.chromium.executable_path).exists():
            pytest.skip("there is no Chromium: install it (Debian: chromium), or run `playwright install chromium`")
        started = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield started
        started.close()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("pages")


class Tab(NamedTuple):
    """One page of the browser, which shows one file after the other, and what it has complained of."""

    page: Any
    faults: list[str]


@pytest.fixture(scope="module")
def tabs(browser: Any) -> dict[str, list[Tab]]:
    """Those that nobody uses now, by their options: to open one takes four times as long as to show another file."""
    return defaultdict(list)


def open_tab(browser: Any, options: dict[str, Any]) -> Tab:
    page, faults = browser.new_context(**options).new_page(), list[str]()
    page.set_default_timeout(1000 * HANGING)
    page.on("console", lambda message: faults.append(message.text))
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("request", lambda asked: faults.append(asked.url) if asked.url[:5] not in {"file:", "data:"} else None)
    return Tab(page, faults)


@pytest.fixture
def shown(browser: Any, folder: Path, tabs: dict[str, list[Tab]]) -> Iterator[Callable[..., Any]]:
    """`shown(frames, width=, fragment=, ...)` opens their page from disk; at the end it must have kept quiet."""
    used: list[tuple[str, Tab]] = []

    def opened(frames: Frames, fragment: str = "", *, width: int = 1280, scripted: bool = True, **more: Any) -> Any:
        data = theatre.write(frames)
        file = folder / f"{hashlib.sha256(data).hexdigest()[:16]}.html"
        file.write_bytes(data)
        options = {"viewport": {"width": width, "height": 800}, "java_script_enabled": scripted} | more
        free = tabs[repr(options)]
        tab = free.pop() if free else open_tab(browser, options)
        used.append((repr(options), tab))
        tab.page.goto(file.as_uri() + fragment)
        if scripted:
            tab.page.wait_for_function("() => globalThis.theatre?.states[0].finished >= 0")
        return tab.page

    yield opened
    for options, tab in used:
        tab.page.mouse.move(0, 0)
        tab.page.emulate_media(media="null")
        tab.page.goto("about:blank")  # an address that differs by its fragment alone would not be loaded anew
        tabs[options].append(tab)
    faults = [fault for _, tab in used for fault in tab.faults]
    for _, tab in used:
        tab.faults.clear()
    assert faults == []


def states(page: Any, t: float) -> list[dict[str, int]]:
    """What the page shows at t (ns), run by run."""
    return list(page.evaluate("t => { theatre.clock.seek(t); theatre.draw(); return theatre.states; }", t))


def slowly(*values: object) -> Any:
    """Values for a run of the slow tests."""
    return pytest.param(*values, marks=pytest.mark.slow)


# --- figures: an independent reader of the saved trace, by brute force ---------------------------------------


class Reader:
    """One run of a saved trace, read as JSON; whatever it tells is counted span by span."""

    def __init__(self, run: dict[str, Any]) -> None:
        tiled = [(w, tile, kind, t0, t1) for w, tile, kind, t0, t1, *_ in run["spans"] if tile >= 0]
        self.given = [(t0, t1, on_cpu) for *_, kind, t0, t1, _, _, on_cpu in run["spans"] if kind == "paint"]
        self.start = min(t0 for _, _, _, t0, _ in tiled)
        self.paint = [(w, tile, t0 - self.start, t1 - self.start) for w, tile, kind, t0, t1 in tiled if kind == "paint"]
        self.length = max(t1 for *_, t1 in tiled) - self.start
        self.waits = [(t0 - self.start, t1 - self.start) for _, _, kind, t0, t1 in tiled if kind == "wait"]
        self.waited = sum(t1 - t0 for t0, t1 in self.waits)
        self.tiles = {tile for _, tile, _, _ in self.paint}
        self.flights = {
            tile: (min(p[3] for p in tiled if p[1] == tile) - self.start, max(p[3] for p in self.paint if p[1] == tile))
            for tile in self.tiles
        }
        self.asked = run["asked"]

    def running(self, t: float) -> int:
        return len({worker for worker, _, t0, t1 in self.paint if t0 <= t < t1})

    def on_cpu(self, t: float) -> Any:
        return sum(on_cpu / (t1 - t0) for t0, t1, on_cpu in self.given if t0 - self.start <= t < t1 - self.start)

    def in_flight(self, t: float) -> int:
        return sum(t0 <= t < t1 for t0, t1 in self.flights.values())

    def waiting(self, t: float) -> int:
        return sum(t0 <= t < t1 for t0, t1 in self.waits)

    def finished(self, t: float) -> int:
        return sum(t1 <= t for _, t1 in self.flights.values())

    def figures(self) -> dict[str, float]:
        instants = [t0 for _, _, t0, _ in self.paint]
        starts = [t0 for t0, _ in self.flights.values()]
        spent = sum(t1 - t0 for _, _, t0, t1 in self.paint)
        window = max(t1 for *_, t1 in self.paint) - min(instants)
        return {
            "workers": len({worker for worker, *_ in self.paint}),
            "tiles": len(self.tiles),
            "seconds": self.length / 1e9,
            "running.max": max(map(self.running, instants)),
            "running.mean": spent / window,
            "on_cpu.mean": sum(on_cpu for *_, on_cpu in self.given) / window,
            "in_flight.max": max(map(self.in_flight, starts)),
            "waiting.max": max(sum(t0 <= t < t1 for t0, t1 in self.waits) for t in (0, *(t0 for t0, _ in self.waits))),
            "switches": self.switches(),
            "first": (min(t1 for _, t1 in self.flights.values()) + self.start - self.asked) / 1e9,
            "painting": spent / 1e9,
            "waiting": self.waited / 1e9,
            "before": (self.start - self.asked) / 1e9,
        }

    def switches(self) -> int:
        before: dict[int, int] = {}
        count = 0
        for worker, tile, t0, _ in sorted(self.paint, key=lambda span: span[2:]):
            last = before.get(worker, tile)
            count += last != tile and self.flights[last][1] > t0
            before[worker] = tile
        return count


def readers(frames: Frames) -> list[Reader]:
    return [Reader(run) for run in json.loads(saved.write(frames))["runs"]]


def test_the_figures_are_those_of_the_saved_trace(shown: Callable[..., Any]) -> None:
    page = shown(LESSON)
    rows = page.evaluate(
        "() => [...document.querySelectorAll('.figures tbody tr')].map(row => Object.fromEntries("
        "[...row.querySelectorAll('data')].map(cell => [cell.dataset.figure, cell.value])))"
    )
    for row, reader in zip(rows, readers(LESSON), strict=True):
        for name, value in reader.figures().items():
            assert float(row[name]) == pytest.approx(value, rel=1e-9), name
    times = [reader.length for reader in readers(LESSON)]
    gains = [float(row["speed-up"]) for row in rows]
    assert gains == pytest.approx([times[0] / time for time in times])


def test_what_is_shown_at_an_instant_is_in_the_trace_at_that_instant(shown: Callable[..., Any]) -> None:
    page = shown(LESSON)
    told = readers(LESSON)
    for t in [*range(0, 13 * MS, MS // 2), 2 * MS - 1]:
        for state, reader in zip(states(page, t), told, strict=True):
            found = state["running"], state["waiting"], state["inFlight"], state["finished"]
            there = reader.running(t), reader.waiting(t), reader.in_flight(t), reader.finished(t)
            assert found == there, (state["title"], t)


def test_two_workers_on_one_cpu_are_both_at_a_tile_and_one_on_a_cpu(shown: Callable[..., Any]) -> None:
    page = shown(SHARED)
    for t in range(0, 6 * MS, MS // 2):
        for state, reader in zip(states(page, t), readers(SHARED), strict=True):
            assert state["onCpu"] == pytest.approx(reader.on_cpu(t), abs=1e-5)
    states(page, MS)
    assert page.locator("#run-1 .number.onCpu b").inner_text() == "1.0"
    assert "Two workers, one CPU: they took turns." in page.locator("#run-1 .caption").inner_text()
    page.locator("#run-1 canvas.picture").focus()
    page.evaluate(FRAMES)  # where that scrolls, what is told is hidden
    page.keyboard.press("ArrowRight")
    assert "on a CPU for 1.00 ms of that" in page.locator("#tip").inner_text()


@pytest.mark.slow
def test_a_worker_without_a_cpu_is_drawn_pale(shown: Callable[..., Any]) -> None:
    whole, half = (shown(frames) for frames in (LESSON, SHARED))
    shades = [page.evaluate(SHADES) for page in (whole, half)]
    assert shades[0] < shades[1]
    assert [shown(frames, scripted=False).locator("svg.timeline .pale").count() for frames in (LESSON, SHARED)] == [
        0,
        2,
    ]


def test_of_an_older_trace_nothing_is_shown_of_cpus(shown: Callable[..., Any]) -> None:
    page = shown(STRANGE["older"])
    assert page.locator(".number.onCpu").count() == 0
    assert page.locator('[data-figure="on_cpu.mean"]').first.text_content() == "–"


def test_a_juggler_never_runs_two_and_a_pair_does(shown: Callable[..., Any]) -> None:
    page = shown(LESSON)
    seen = [states(page, t) for t in range(0, 12 * MS, MS // 4)]
    most = [tuple(max(at[run][name] for at in seen) for name in ("running", "inFlight")) for run in range(3)]
    assert most == [(1, 1), (1, 4), (2, 2)]


# --- inside the GPU -----------------------------------------------------------------------------------------


def test_the_multiprocessors_figures_are_those_of_the_blocks_in_the_saved_trace(shown: Callable[..., Any]) -> None:
    run = json.loads(saved.write(GPU))["runs"][1]
    blocks = [(w, t0, t1) for w, _, kind, t0, t1, *_ in run["spans"] if kind == "block"]
    edges = sorted({t for _, t0, t1 in blocks for t in (t0, t1)})
    spent = most = 0
    for t0, t1 in pairwise(edges):
        busy = len({w for w, start, end in blocks if start <= t0 < end})
        spent, most = spent + busy * (t1 - t0), max(most, busy)
    mean = spent / (edges[-1] - edges[0])
    seen = len({w for w, *_ in blocks})
    page = shown(GPU)
    told = {cell.get_attribute("data-figure"): cell for cell in page.locator(".inside data").all()}
    expected = {"seen": seen, "mean": mean, "max": most, "busy_percent": 100 * mean / seen}
    for name, value in expected.items():
        assert float(told.pop(f"multiprocessors.{name}").get_attribute("value")) == pytest.approx(value, rel=1e-9)
    assert not told


def test_how_many_multiprocessors_paint_is_told_for_the_instant(shown: Callable[..., Any]) -> None:
    page = shown(GPU)
    trace = GPU[1].trace
    start = min(span.t0 for span in trace.spans if span.tile >= 0)
    for t in range(0, 4 * MS, MS // 4):
        states(page, t)
        busy = {s.worker for s in trace.spans if s.kind == "block" and s.t0 <= start + t < s.t1}
        assert page.locator(".inside .now b").inner_text() == str(len(busy))


def test_a_gpu_can_be_watched_and_then_the_pace_is_as_before(shown: Callable[..., Any]) -> None:
    page = shown(GPU)
    usual = page.evaluate("() => theatre.clock.pace")
    page.get_by_role("button", name="Watch these 3.06 ms: 5,000 × slower").click()
    assert page.evaluate("() => theatre.clock.pace") == 5000
    page.wait_for_function("() => theatre.clock.now > 0 && theatre.clock.now < theatre.runs[1].length")
    page.evaluate("() => theatre.clock.advance(1e6)")
    assert page.evaluate("() => [theatre.clock.playing, theatre.clock.pace]") == [False, usual]
    assert page.evaluate("() => theatre.clock.now === theatre.runs[1].length")


def test_the_lanes_inside_the_gpu_are_a_slider_too(shown: Callable[..., Any]) -> None:
    page = shown(GPU)
    lanes = page.locator(".inside canvas")
    lanes.scroll_into_view_if_needed()
    box = lanes.bounding_box()
    lanes.click(position={"x": box["width"] - 2, "y": box["height"] / 2})
    assert page.evaluate("() => theatre.clock.now / theatre.runs[1].length") == pytest.approx(1, abs=0.01)


def test_multiprocessors_light_up_in_the_colours_of_their_tiles(shown: Callable[..., Any]) -> None:
    page = shown(GPU)
    states(page, GPU[1].trace.ended)
    colours = page.evaluate(
        """() => { const canvas = document.querySelector('.inside canvas'), g = canvas.getContext('2d');
            const x = Math.round(canvas.width / 2), { data } = g.getImageData(x, 0, 1, canvas.height), seen = {};
            for (let i = 0; i < data.length; i += 4) {
                const key = '#' + [...data.slice(i, i + 3)].map(c => c.toString(16).padStart(2, '0')).join('');
                seen[key] = (seen[key] ?? 0) + 1;
            }
            return seen; }"""
    )
    assert sum(count for colour, count in colours.items() if colour in COLOURS) > 132


def test_a_run_too_short_for_the_others_scale_has_a_close_up_of_its_own(shown: Callable[..., Any]) -> None:
    page = shown(GPU)
    near = [page.locator(f"#run-{run} .strip").first.inner_text() for run in range(2)]
    assert near[0] == "Close-up 6.00 ms around this instant"
    assert near[1].startswith("Close-up 1.")
    assert page.evaluate("() => theatre.clock.now") > 30 * MS  # in the midst of the run that can be watched


def test_a_tile_of_a_gpu_tells_its_stream_by_name(shown: Callable[..., Any]) -> None:
    page = shown(GPU)
    page.locator("#run-1 canvas.picture").focus()
    page.evaluate(FRAMES)  # where that scrolls, what is told is hidden
    page.keyboard.press("ArrowRight")
    assert "worker 0, NVIDIA H100 (synthetic) stream 0\n" in page.locator("#tip").inner_text()


def test_a_tile_chosen_with_the_keys_keeps_its_tip_where_the_page_scrolls(shown: Callable[..., Any]) -> None:
    page = shown(LESSON)
    apart = "() => document.querySelector('#tip').getBoundingClientRect().top - "
    apart += "document.querySelector('#run-0 canvas.picture').getBoundingClientRect().top"
    page.locator("#run-0 canvas.picture").focus()
    page.keyboard.press("ArrowRight")
    page.evaluate(FRAMES)
    before = page.evaluate(apart)
    page.evaluate("() => scrollBy(0, scrollY ? -20 : 20)")
    page.evaluate(FRAMES)
    assert page.locator("#tip").is_visible()
    assert page.evaluate(apart) == pytest.approx(before, abs=1)


def test_without_its_script_the_gpu_is_seen_from_inside(shown: Callable[..., Any]) -> None:
    page = shown(GPU, scripted=False)
    assert page.locator("svg.field").is_visible()
    assert page.locator("svg.field g path").count() == len(COLOURS)
    assert b'svg class="still field' not in theatre.write(LESSON)


# --- the page stands alone -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", STRANGE)
def test_any_trace_opens_quietly_and_reaches_its_last_tile(shown: Callable[..., Any], name: str) -> None:
    page = shown(STRANGE[name])
    page.keyboard.press("End")
    page.evaluate(FRAMES)
    ended = page.evaluate("() => theatre.runs.map(run => run.finished.length)")
    assert [state["finished"] for state in page.evaluate("() => theatre.states")] == ended


@pytest.fixture(scope="module")
def raced(folder: Path) -> tuple[Path, Path]:
    """A real race of this machine, from the command line: its page and its saved trace."""
    page, trace = folder / "race.html", folder / "race.trace.json"
    words = ["race", "--size", "48x32", "--samples", "1", "--target", "python", "--limit", "20", "--tile", "8"]
    words += ["--repeat", "1", "--story", "none"]
    subprocess.run(
        [sys.executable, "-m", "render", *words, "--quiet", "--page", str(page), "--trace", str(trace)],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        check=True,
        timeout=HANGING,
    )
    return page, trace


def test_a_race_of_this_machine_replays_to_the_end(raced: tuple[Path, Path], shown: Callable[..., Any]) -> None:
    page = shown(saved.read(raced[1]))
    assert raced[0].read_bytes() == theatre.write(saved.read(raced[1]))
    page.get_by_label("Pace").select_option(label="real time")
    page.get_by_role("button", name="Play").click()
    page.wait_for_function(
        "() => theatre.states.every((state, i) => state.finished === theatre.runs[i].finished.length)"
    )
    page.get_by_role("button", name="Play").wait_for()  # it stops by itself
    assert [state["finished"] for state in page.evaluate("() => theatre.states")] == [24] * len(saved.read(raced[1]))


def test_its_policy_allows_its_own_style_and_script_and_nothing_else() -> None:
    text = theatre.write(LESSON).decode()
    policy = re.findall(r'http-equiv="Content-Security-Policy" content="([^"]*)"', text)[0]
    parts = dict(part.strip().split(" ", 1) for part in policy.split(";"))
    assert parts.pop("default-src") == parts.pop("base-uri") == parts.pop("form-action") == "'none'"
    assert parts.pop("img-src") == "data:"
    for name, element in (("style-src", "style"), ("script-src", "script")):
        inside = re.findall(rf"<{element}>(.*?)</{element}>", text, re.DOTALL)
        assert len(inside) == 1
        digest = base64.b64encode(hashlib.sha256(inside[0].encode()).digest()).decode()
        assert parts.pop(name) == f"'sha256-{digest}'"
    assert not parts


def test_a_name_cannot_break_out_of_the_page(shown: Callable[..., Any]) -> None:
    page = shown(STRANGE["a name that bites"])
    assert "</script><script>alert(1)</script>" in page.locator(".lead").inner_text()
    assert page.locator("b", has_text="&'").count() == 0
    assert page.locator(".lead bdi").count() == 2  # a name that is written from right to left turns nothing else round


def test_the_page_of_a_race_stays_small() -> None:
    noise = np.random.default_rng(1).integers(0, 256, (720, 1280, 3), np.uint8) // 3
    smooth = np.repeat(np.repeat(noise[::8, ::8], 8, 0), 8, 1)
    frames = [replace(frame, rgb=smooth, request=replace(frame.request, width=1280, height=720)) for frame in LESSON]
    assert len(theatre.write(Frames(tuple(frames), "race"))) < 400_000


def test_all_of_the_script_is_in_the_page() -> None:
    folder = files(theatre.__name__).joinpath("js")
    assert sorted(theatre.SCRIPT) == sorted(Path(file.name).stem for file in folder.iterdir())


def test_the_picture_is_kept_once_unless_pictures_differ() -> None:
    assert theatre.write(LESSON).count(b"data:image/webp") == 1
    different = theatre.write(STRANGE["different pictures"])
    assert different.count(b"data:image/webp") == 2
    assert b"The pictures differ" in different


def test_it_shows_in_a_notebook_shut_off_from_it(browser: Any) -> None:
    page, faults = browser.new_page(), list[str]()
    page.on("console", lambda message: faults.append(message.text))
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.set_content(Race(LESSON.frames, "race", LESSON.not_run)._repr_html_())
    inside = page.frame_locator("iframe")
    inside.get_by_role("button", name="Play").click()
    inside.get_by_role("button", name="Pause").click()
    assert inside.locator(".number b").first.inner_text() == "1"
    page.close()
    assert faults == []


# --- the replay ----------------------------------------------------------------------------------------------


def test_it_begins_in_the_midst_of_things_and_plays_from_the_start(shown: Callable[..., Any]) -> None:
    page = shown(LESSON)
    started = page.evaluate("() => theatre.states")
    assert [(state["running"], state["inFlight"]) for state in started] == [(1, 1), (1, 4), (2, 2)]
    page.evaluate("() => { theatre.clock.pace = 1e6; }")
    page.keyboard.press("Space")
    page.evaluate(FRAMES)
    assert page.evaluate("() => theatre.clock.now") < MS


def test_what_plays_is_drawn_at_every_step(shown: Callable[..., Any]) -> None:
    page = shown(LESSON)
    seen = page.evaluate(
        """async () => { const { clock } = theatre, seen = [];
            clock.seek(0); clock.slow(1e9 / clock.end); clock.play();
            while (clock.playing) {
                await new Promise(requestAnimationFrame);
                seen.push([clock.now, theatre.states[0].finished, document.querySelector('.time').textContent]);
            }
            return seen; }"""
    )
    told = readers(LESSON)[0]
    assert len({text for _, _, text in seen}) > 5
    assert {finished for _, finished, _ in seen} >= {1, 2, 3, 4, 5}
    for now, finished, _ in seen[1:-1]:
        assert abs(finished - told.finished(now)) <= 1  # what is read may be a frame older than the clock


def test_keys_move_it(shown: Callable[..., Any]) -> None:
    page = shown(LESSON)

    def now(*keys: str) -> float:
        for key in keys:
            page.keyboard.press(key)
        return float(page.evaluate("() => theatre.clock.now")) / MS

    assert now("End") == 12
    assert now("Home") == 0
    assert now("ArrowRight") == 2
    assert now("ArrowRight", "ArrowRight", "ArrowLeft") == 4
    slower = page.evaluate("() => theatre.clock.pace")
    now("-")
    assert page.evaluate("() => theatre.clock.pace") > slower


def test_single_key_shortcuts_can_be_switched_off(shown: Callable[..., Any]) -> None:
    page = shown(LESSON)
    pressed = page.locator("button", has_text="Stretch each timeline").get_attribute
    page.keyboard.press("s")
    assert pressed("aria-pressed") == "true"
    page.get_by_text("More", exact=True).click()
    page.get_by_role("button", name="Single-key shortcuts").click()
    page.keyboard.press("s")
    assert pressed("aria-pressed") == "true"


def test_how_much_it_is_slowed_is_always_said(shown: Callable[..., Any]) -> None:
    page = shown(LESSON)
    chosen = "() => document.querySelector('#bar select').selectedOptions[0].textContent"
    assert re.fullmatch(r"[\d,]+ × slower", page.evaluate(chosen))
    page.get_by_role("button", name="Tour: ").click()
    page.locator(".panel .options button").first.click()
    assert re.fullmatch(r"[\d,]+ × slower", page.evaluate(chosen))


def test_an_address_leads_to_an_instant_and_a_pause_writes_one(shown: Callable[..., Any]) -> None:
    page = shown(LESSON, "#t=0.0055")
    assert page.evaluate("() => theatre.clock.now") == pytest.approx(5.5 * MS)
    page.keyboard.press("Space")
    page.keyboard.press("Space")
    now = page.evaluate("() => theatre.clock.now / 1e9")
    assert float(page.evaluate("() => location.hash").removeprefix("#t=")) == pytest.approx(now, rel=1e-5)


def test_a_touch_on_the_lanes_goes_there(shown: Callable[..., Any]) -> None:
    page = shown(LESSON, width=360, has_touch=True)
    lanes = page.locator("#run-0 canvas.overview")
    lanes.scroll_into_view_if_needed()
    box = lanes.bounding_box()
    page.touchscreen.tap(box["x"] + box["width"] - 2, box["y"] + 10)
    assert page.evaluate("() => theatre.clock.now") == pytest.approx(12 * MS, rel=0.02)


def test_pointing_at_a_tile_tells_of_its_spans(shown: Callable[..., Any]) -> None:
    page = shown(LESSON)
    picture = page.locator("#run-1 canvas.picture")
    box = picture.bounding_box()
    picture.hover(position={"x": box["width"] / 2, "y": box["height"] / 4})
    told = page.locator("#tip").inner_text()
    assert "Tile 1, concurrent" in told
    assert "in 2 pieces, 2.00 ms in all" in told
    page.locator("#run-1 canvas.closeup").hover(position={"x": 250, "y": 8})
    assert "Tile " in page.locator("#tip").inner_text()


def test_tiles_can_be_walked_with_the_keys_alone(shown: Callable[..., Any]) -> None:
    page = shown(LESSON)
    page.locator("#run-2 canvas.picture").focus()
    for key in ("ArrowRight", "ArrowRight", "ArrowDown"):
        page.keyboard.press(key)
    assert "Tile 4, parallel (threading)" in page.locator("#tip").inner_text()
    assert "Tile 4" in page.locator("#say").inner_text()


def test_every_tile_stands_in_a_table(shown: Callable[..., Any]) -> None:
    page = shown(LESSON)
    page.locator("#run-1 summary").click()
    page.locator("#run-1 .tiles tbody tr").first.wait_for()
    rows = page.locator("#run-1 .tiles tbody tr").all_inner_texts()
    assert len(rows) == 6
    assert rows[0].split("\t")[:2] == ["0", "0"]


def pixel(page: Any, run: int, x: int, y: int) -> list[int]:
    """The colour on the canvas where this pixel of the picture is."""
    script = """([run, x, y]) => {
        const canvas = document.querySelector(`#run-${run} canvas.picture`), k = canvas.width / 48;
        const copy = new OffscreenCanvas(1, 1).getContext('2d', { willReadFrequently: true });
        copy.drawImage(canvas, (x + .5) * k, (y + .5) * k, 1, 1, 0, 0, 1, 1);
        return [...copy.getImageData(0, 0, 1, 1).data].slice(0, 3); }"""
    return list(page.evaluate(script, [run, x, y]))


def test_a_tile_appears_when_it_is_finished_and_is_the_picture_then(shown: Callable[..., Any]) -> None:
    page = shown(LESSON)
    empty, (r, g, b) = [0x15, 0x18, 0x1E], (int(v) for v in LESSON[0].rgb[11, 9])
    states(page, 0)
    assert pixel(page, 2, 41, 27) == empty
    states(page, 1 * MS)
    assert pixel(page, 0, 9, 11) not in (empty, [r, g, b])  # being painted
    states(page, 2 * MS)
    assert pixel(page, 0, 9, 11) == pytest.approx([r, g, b], abs=6)
    states(page, 1 * MS)
    assert pixel(page, 0, 9, 11) != pytest.approx([r, g, b], abs=6)  # time went back


def test_what_an_interrupted_run_had_painted_is_there_from_the_start(shown: Callable[..., Any]) -> None:
    resumed = drawn("0011", facts={"resumed": 4})
    page = shown(Frames((resumed,)))
    assert "cut into 6 tiles." in page.locator(".lead").inner_text()
    states(page, 0)
    assert pixel(page, 0, 41, 27) == pytest.approx([int(v) for v in resumed.rgb[27, 41]], abs=6)
    assert pixel(page, 0, 25, 11) == [0x15, 0x18, 0x1E]  # of tile 1, which this run is to paint


def test_every_run_ends_with_the_same_picture(shown: Callable[..., Any]) -> None:
    page = shown(LESSON)
    page.keyboard.press("o")
    page.keyboard.press("End")
    page.evaluate(FRAMES)
    pictures = "() => [...document.querySelectorAll('canvas.picture')].map(canvas => canvas.toDataURL())"
    assert len(set(page.evaluate(pictures))) == 1


@pytest.mark.parametrize("name", ["130 lanes", "a GPU inside"])
def test_of_thousands_of_spans_an_instant_draws_only_what_is_seen(shown: Callable[..., Any], name: str) -> None:
    """So it plays smoothly: a stroke takes less than a microsecond, and a frame may take 16 ms."""
    page = shown(STRANGE[name])
    strokes = page.evaluate(
        """() => { const { clock } = theatre, kind = CanvasRenderingContext2D.prototype, counts = [];
            let count = 0;
            for (const word of ['fillRect', 'strokeRect', 'clearRect', 'lineTo', 'rect', 'fillText', 'drawImage']) {
                const plain = kind[word];
                kind[word] = function (...values) { count += 1; return plain.apply(this, values); };
            }
            for (let part = 0; part <= 20; part += 1) {
                count = 0;
                clock.seek(clock.end * part / 20);
                theatre.draw();
                counts.push(count);
            }
            return counts; }"""
    )
    assert 0 < max(strokes) < 1500


def test_with_less_motion_wanted_it_moves_in_few_steps(shown: Callable[..., Any]) -> None:
    """Four a second at most, by the time that the browser gives with each frame."""
    page = shown(LESSON, reduced_motion="reduce")
    page.keyboard.press("Space")
    moved = page.evaluate(
        """async () => { const moved = [];
            for (let last = theatre.clock.now; moved.length < 3;) {
                const time = await new Promise(requestAnimationFrame), { now } = theatre.clock;
                if (now !== last) moved.push(time);
                last = now;
            }
            return moved; }"""
    )
    assert all(after - before >= 250 for before, after in pairwise(moved))


# --- the lesson ----------------------------------------------------------------------------------------------


def test_the_tour_freezes_the_instant_asks_and_then_shows(shown: Callable[..., Any]) -> None:
    page = shown(LESSON)
    steps = page.evaluate("() => JSON.parse(document.getElementById('record').textContent).tour")
    page.get_by_role("button", name="Tour: 5 questions").click()
    panel = page.locator(".panel")
    for number, step in enumerate(steps, 1):
        assert f"Question {number} of 5" in panel.inner_text()
        assert panel.locator(".answer").inner_text() == ""
        assert page.evaluate("() => [theatre.clock.now, theatre.clock.playing]") == [step["at"], False]
        seen = [
            page.locator(f"#run-{run} {part}").first.is_visible()
            for run in step["runs"]
            for part in HIDDEN[step["hides"]]
        ]
        assert not any(seen)
        assert all(page.locator(f"#run-{run} canvas.picture").is_visible() for run in step["runs"])
        panel.locator(".options button").nth(step["right"]).click()
        assert panel.locator(".answer").inner_text().startswith("Right.")
        page.evaluate("() => theatre.clock.advance(1e9)")
        assert page.evaluate("() => [theatre.clock.now, theatre.clock.playing]") == [step["end"], False]
        assert page.locator(f"#run-{step['runs'][0]} .took").is_visible()
        panel.locator(".answer button").last.click()
    assert not panel.is_visible()


@pytest.mark.parametrize("width", [360, slowly(1280)])
def test_what_the_tour_asks_about_and_answers_is_not_under_its_panel(shown: Callable[..., Any], width: int) -> None:
    page = shown(LESSON, width=width, reduced_motion="reduce")
    page.get_by_role("button", name="Tour: ").click()
    for when in ("asked", "answered"):
        page.evaluate(FRAMES)
        below = page.evaluate("() => document.querySelector('.panel').getBoundingClientRect().top")
        picture, number = (
            page.locator(f"#run-1 {part}").first.bounding_box() for part in ("canvas.picture", ".numbers")
        )
        assert 0 <= picture["y"] < picture["y"] + picture["height"] <= below, when
        assert number["y"] + number["height"] <= below, when
        if when == "asked":
            page.locator(".panel .options button").first.click()


def test_a_wrong_guess_is_not_quite_right(shown: Callable[..., Any]) -> None:
    page = shown(LESSON)
    page.get_by_role("button", name="Tour: ").click()
    page.locator(".panel").get_by_role("button", name="4", exact=True).click()
    assert page.locator(".answer").inner_text().startswith("Not quite: 1.")
    page.keyboard.press("Escape")
    assert not page.locator(".panel").is_visible()


def test_the_first_screen_has_the_ways_and_a_bet_that_says_no_time_before_it_is_made(shown: Callable[..., Any]) -> None:
    page = shown(LESSON)
    ways = page.locator(".ways")
    assert [ways.get_by_role("columnheader").count(), ways.get_by_role("rowheader").count()] == [2, 2]
    assert ways.locator("canvas").count() == 3
    first = page.locator(".top").inner_text()
    assert "Concurrent, not parallel:" in first
    assert not re.search(r"\d ms|--|sha256|[0-9a-f]{12}", first)
    page.get_by_role("button", name="concurrent finishes first").click()
    assert page.locator("#bet").inner_text().split("\n")[2].startswith("Not quite. parallel (threading) was first.")
    assert page.locator(".ways .first .finish").inner_text() == "6 ms first"
    assert page.evaluate("() => theatre.clock.playing")


def test_kitchen_and_theatre_move_with_the_clock(shown: Callable[..., Any]) -> None:
    page = shown(LESSON)
    drawn_now = "() => [...document.querySelectorAll('.act canvas.scenery')].map(canvas => canvas.toDataURL())"
    seen = set()
    for image in ("kitchen", "theatre"):
        for t in (0.5, 2.5):
            states(page, t * MS)
            seen |= set(page.evaluate(drawn_now))
        assert page.locator(f"#run-1 .image .{image}").is_visible()
        page.keyboard.press("k")
        page.evaluate(FRAMES)
    assert len(seen) == 2 * 2 * 3


LESSON_TEXT = Explanation(
    "bug",
    "How is a fault found?",
    ("1 of 6 tiles differs <b>", "nothing is wrong with several workers"),
    (("A race condition", "depends on who comes first."),),
    CloseUp(2, "How it was torn", (Event(MS, 0, "starts tile 0"), Event(3 * MS, 1, "writes over it")), (1,), "torn", 0),
)
RED = """() => { const canvas = document.querySelector('#run-2 canvas.picture'), g = canvas.getContext('2d');
    const { data } = g.getImageData(0, 0, canvas.width, canvas.height);
    return data.filter((red, i) => i % 4 === 0 && red === 197 && data[i + 1] === 34 && data[i + 2] === 31).length; }"""


def test_a_lessons_page_has_its_question_its_conclusions_and_leads_to_each_event(shown: Callable[..., Any]) -> None:
    page = shown(replace(LESSON, explanation=LESSON_TEXT))
    assert page.locator("h1").inner_text() == "How is a fault found?"
    assert page.locator(".follows li").all_inner_texts() == [*LESSON_TEXT.follows]
    assert "A race condition depends on who comes first." in page.locator(".lesson").inner_text()
    events = page.locator(".events li")
    assert events.nth(1).inner_text().startswith("+2.00 ms worker 1 writes over it")
    events.nth(1).get_by_role("button").click()
    assert page.evaluate("() => theatre.clock.now") == 2 * MS
    states(page, 12 * MS)
    assert page.evaluate(RED) > 100  # the frame around the tile that was torn
    assert page.locator(".beside figcaption").all_inner_texts() == ["sequential", "parallel (threading)"]
    assert page.locator(".beside svg").first.get_attribute("viewBox") == "16 0 16 16"
    assert page.locator(".ways").count() == 0


def test_without_its_script_it_still_shows_picture_lanes_figures_and_answers(shown: Callable[..., Any]) -> None:
    page = shown(LESSON, scripted=False)
    assert page.locator("svg.picture").count() == page.locator("svg.timeline").count() == 3
    assert all(box.is_visible() for box in page.locator("svg.picture").all())
    assert "Why was concurrent not faster than sequential?" in page.locator(".questions").inner_text()
    assert "no two were painted at the same instant" in page.locator("#run-1 .caption").inner_text()
    assert page.locator(".figures tbody tr").count() == 3
    assert "cuda did not run: there is no NVIDIA driver." in page.locator("main").inner_text()


def test_on_paper_stand_the_still_pictures(shown: Callable[..., Any]) -> None:
    page = shown(LESSON)
    page.emulate_media(media="print")
    assert page.locator("svg.timeline").first.is_visible()
    assert not page.locator("canvas.picture").first.is_visible()
    assert not page.locator("#bar").is_visible()
    assert page.locator(".tour .ask").count() == page.locator(".printed li").count() == 5
    assert page.locator(".tour .ask").first.is_visible()
    assert "One. The other 3 are put aside, hatched. At a tile: 1" in page.locator(".printed").inner_text()
    assert page.evaluate("() => getComputedStyle(document.querySelector('.key')).printColorAdjust") == "exact"


# --- for everyone --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("width", "scheme"), [(360, "dark"), slowly(1280, "dark"), slowly(360, "light"), slowly(1280, "light")]
)
@pytest.mark.parametrize(("name", "touring"), [("waits", False), ("waits", True), ("a GPU inside", False)])
def test_axe_finds_nothing(shown: Callable[..., Any], width: int, scheme: str, name: str, touring: bool) -> None:
    axe = pytest.importorskip("axe_playwright_python", reason="brings axe-core along")
    page = shown(STRANGE[name], width=width, color_scheme=scheme)
    if touring:
        page.get_by_role("button", name="Ask me one by one").click()
        page.locator(".panel .options button").first.click()
    page.evaluate(files(axe).joinpath("axe.min.js").read_text(encoding="utf-8"))
    found = page.evaluate(
        "async () => (await axe.run()).violations.map(one => [one.id, one.nodes.map(node => node.html)])"
    )
    assert found == []


@pytest.mark.parametrize("width", [320, slowly(360), slowly(768), 1280, slowly(2560)])
@pytest.mark.parametrize("name", ["130 lanes", "waits", "a GPU inside"])
def test_nothing_is_cut_off(shown: Callable[..., Any], width: int, name: str) -> None:
    page = shown(STRANGE[name], width=width)
    assert page.evaluate("() => document.documentElement.scrollWidth") <= width


def test_light_and_dark_can_be_changed(shown: Callable[..., Any]) -> None:
    page = shown(LESSON, color_scheme="light")
    paper = "() => getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(paper)
    page.get_by_text("More", exact=True).click()
    page.get_by_role("button", name="Light / dark").click()
    assert page.evaluate(paper) != light
