"""Terminal, document and page tell the same, and what the saved trace holds: counted again by code of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from render.findings.document import race_document
from render.frame import Frame, Frames
from render.outputs import page
from render.outputs import trace as saved
from render.outputs.table import race_table
from render.trace import Span, Worker
from tests.conftest import HANGING
from tests.outputs.conftest import MS, drawn
from tests.outputs.synthetic_gpu import with_gpu
from tests.recount import faults

ONE = {"cpus": 1, "cpus_machine": 2, "cpus_affinity": 1, "asked": 2}
TWO = {"cpus": 2, "cpus_machine": 2, "cpus_affinity": 2, "asked": 2}


def repeated(frame: Frame, *seconds: float) -> Frame:
    return replace(frame, trace=replace(frame.trace, facts=frame.trace.facts | {"seconds_all": list(seconds)}))


def waiting(timeline: str, *waits: tuple[int, int, int], **more: Any) -> Frame:
    """One worker's timeline, and (tile, from, to) of the waits in ms."""
    frame = drawn(timeline, wait_ns=3 * MS, **more)
    spans = [Span(Worker(7, 0), tile, "wait", t0 * MS, t1 * MS) for tile, t0, t1 in waits]
    return replace(frame, trace=replace(frame.trace, spans=(*spans, *frame.trace.spans)))


LONG = drawn("0" * 30 + "1" * 30)
CASES = {
    "two CPUs": (LONG, drawn("01" * 30, mode="concurrent"), drawn("0" * 30, "1" * 30, mode="parallel", facts=TWO)),
    "one CPU": (LONG, drawn("0" * 60, "1" * 60, mode="parallel", given=0.49, facts=ONE)),
    "eight workers": (LONG, drawn(*(str(n % 6) * 9 for n in range(8)), mode="parallel", given=0.2, facts=TWO)),
    "others": (LONG, drawn("0" * 50, "1" * 50, mode="parallel", given=0.3, facts=TWO | {"load": 4.5})),
    "repeats": (repeated(LONG, 0.06, 0.09, 0.05), repeated(drawn("01" * 24, mode="concurrent"), 0.04, 0.1, 0.048)),
    "waits": (
        drawn("0011"),
        drawn("0101", mode="concurrent"),
        waiting("...00...11", (0, 1, 4), (1, 6, 9)),
        waiting("...0011", (0, 1, 4), (1, 1, 4), mode="concurrent"),
    ),
    "older": (drawn("0011", given=None), drawn("00", "11", mode="parallel", given=None)),
    "a GPU": (LONG, with_gpu(drawn(), bands=6, multiprocessors=20)),
    "simulated": (LONG, drawn("01", mode="cuda", target="cuda", facts={"simulated": True})),
}


def told(frames: Frames) -> list[str]:
    """What is told apart, or is not in the trace."""
    document = json.dumps(race_document(frames.frames, frames.not_run))
    texts = (
        saved.write(frames).decode(),
        document,
        race_table(frames.frames, (), figures=True),
        page.write(frames).decode(),
    )
    return list(faults(*texts))


@pytest.mark.parametrize("name", CASES)
def test_no_surface_tells_what_the_trace_does_not_hold(name: str) -> None:
    assert told(Frames(CASES[name], "race")) == []


@pytest.mark.parametrize(
    "change",
    [
        lambda span: span._replace(t1=span.t1 + MS),
        lambda span: span._replace(on_cpu=span.on_cpu // 3),
        lambda span: span._replace(tile=1),
    ],
)
def test_a_figure_that_is_off_would_be_noticed(change: Callable[[Any], Any]) -> None:
    frames = Frames(CASES["two CPUs"], "race")
    spans = frames[2].trace.spans
    other = replace(frames[2], trace=replace(frames[2].trace, spans=(change(spans[0]), *spans[1:])))
    trace = saved.write(Frames((*frames[:2], other), "race")).decode()
    document = json.dumps(race_document(frames.frames, ()))
    assert list(faults(trace, document, race_table(frames.frames, (), figures=True), page.write(frames).decode()))


def test_a_sentence_that_is_off_would_be_noticed() -> None:
    frames = Frames(CASES["one CPU"], "race")
    document = json.dumps(race_document(frames.frames, ())).replace("and 0.98 on a CPU", "and 1.98 on a CPU")
    trace, text = saved.write(frames).decode(), race_table(frames.frames, (), figures=True)
    assert len(list(faults(trace, document, text, page.write(frames).decode()))) == 3  # off, and on no other surface


def test_a_race_of_this_machine_tells_the_same_on_every_surface(tmp_path: Path) -> None:
    """However busy it is: what the sentences say depends on that, and whether they hold does not."""
    words = ["race", "--size", "160x120", "--workers", "1,3", "--repeat", "2", "--json", "--quiet"]
    words += ["--story", "player", "--wait", "2ms"]
    files = [word for end in ("trace.json", "html", "txt") for word in ("--out", str(tmp_path / f"r.{end}"))]
    run = subprocess.run(
        [sys.executable, "-m", "render", *words, *files], capture_output=True, text=True, check=True, timeout=HANGING
    )
    texts = [(tmp_path / name).read_text(encoding="utf-8") for name in ("r.trace.json", "r.txt", "r.html")]
    assert list(faults(texts[0], run.stdout, *texts[1:])) == []
    assert json.loads(run.stdout)["repeats"] == 2
    assert json.loads(run.stdout)["story"]["name"] == "player"
    for one in json.loads(run.stdout)["runs"]:
        assert len(one["seconds_all"]) == 2
        assert one["on_cpu"]["mean"] <= one["running"]["mean"] * 1.01
