"""A run over several hosts as each surface shows it: who is where, and how well their clocks are tied."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from render.findings import chart, claims, document
from render.findings.evidence import Run
from render.frame import Frame, Frames
from render.outputs import chrome_trace, page, table, timeline
from render.outputs import trace as saved
from render.trace import Span, Trace, Worker
from tests.conftest import EXAMPLE

MS = 1_000_000
FIRST, SECOND, THIRD = (Worker(7, 7, "cpu", host) for host in ("10.0.0.2", "10.0.0.1", "10.0.0.3"))
FACTS = {
    "cluster": "tcp://10.0.0.9:8786",
    "hosts": ["10.0.0.1", "10.0.0.2", "10.0.0.3"],
    "host_machines": [0, 1, 2],
    "clock_errors_ns": [200_000, 300_000, 100_000],
    "cpus": 6,
    "cpus_machine": 6,
    "cpus_affinity": 6,
    "asked": 3,
}


def draw(**facts: object) -> Frame:
    """Six tiles by three workers, each on a host of its own; the one that paints first is not the first by name."""
    own = [(FIRST, 0, 0), (SECOND, 1, 1), (THIRD, 2, 2), (FIRST, 3, 100), (SECOND, 4, 101), (THIRD, 5, 102)]
    spans = [Span(worker, tile, "paint", t * MS, (t + 99) * MS, 0, 0, 98 * MS) for worker, tile, t in own]
    trace = Trace(tuple(spans), 0, 0, 210 * MS, FACTS | facts)
    request = replace(EXAMPLE, mode="parallel", backend="dask", cluster="tcp://10.0.0.9:8786", samples=4)
    return Frame(np.zeros((32, 48, 3), np.uint8), None, 0, request, trace)


def test_the_sentence_names_the_machines_and_the_error_of_their_clocks() -> None:
    sentences = document.draw_document(draw())["sentences"]
    assert sentences[0].startswith("3 workers on 3 machines painted 6 tiles in 201 ms")
    assert "2.93 on a CPU" in sentences[0]
    assert "Their clocks were tied to one, and no time is wrong by more than 0.3 ms." in sentences
    assert "Its workers may use 6 CPUs of 3 machines." in sentences


@pytest.mark.parametrize(
    ("machines", "where"), [([0, 0, 0], "3 hosts of one machine"), ([0, 1, 1], "3 hosts of 2 machines")]
)
def test_hosts_of_one_machine_are_not_called_machines(machines: list[int], where: str) -> None:
    assert f"3 workers on {where} painted" in document.draw_document(draw(host_machines=machines))["sentences"][0]


def test_the_claims_are_over_all_hosts() -> None:
    stated = document.draw_document(draw())["claims"]
    assert stated == (
        "3 workers requested, 3 workers on 3 machines; 2.9 on a CPU on average; "
        "its workers may use 6 CPUs of 3 machines"
    )


def test_a_cpu_of_one_machine_is_not_that_of_another() -> None:
    assert claims.of(draw().trace).used == 3
    assert claims.of(draw(host_machines=[0, 0, 0]).trace).used == 1


def test_what_clocks_may_have_got_wrong_proves_nothing() -> None:
    assert Run(draw()).parallel
    assert not Run(draw(clock_errors_ns=[0, 200 * MS, 0])).parallel


def test_who_came_and_went_is_said() -> None:
    come = draw(workers_left=["10.0.0.1:7"], workers_joined=["10.0.0.3:9"], workers_left_out=["10.0.0.4:9: too old"])
    sentences = document.draw_document(come)["sentences"]
    assert "1 worker left the cluster midway, and others painted what was not done: 10.0.0.1:7." in sentences
    assert "1 worker joined midway: 10.0.0.3:9." in sentences
    assert "1 worker could not take part: 10.0.0.4:9: too old." in sentences


def test_the_document_lists_the_hosts() -> None:
    hosts = document.draw_document(draw())["hosts"]
    assert hosts[0] == {"host": "10.0.0.2", "workers": 1, "machine": 1, "clock_error_seconds": 3e-4}


def test_a_saved_trace_keeps_them() -> None:
    frame = draw()
    again = saved.parse(saved.write(Frames((frame,))))[0]
    assert again.trace.spans == frame.trace.spans
    assert again.trace.hosts == ("10.0.0.2", "10.0.0.1", "10.0.0.3")


def test_timeline_lanes_and_perfetto_show_them_host_by_host() -> None:
    frames = Frames((draw(),))
    svg = timeline.write(frames).decode()
    lanes = "\n".join(chart.draw_lanes(frames, 100))
    events = json.loads(b"".join(chrome_trace.write(frames)))["traceEvents"]
    threads = [event["args"]["name"] for event in events if event["name"] == "thread_name"]

    for text in (svg, lanes):
        places = [text.index(f"on {host}") for host in frames[0].trace.hosts]
        assert places == sorted(places)
    assert "on 10.0.0.1 (times ± 0.2 ms)" in svg
    assert threads == [f"{host}: worker {number}" for number, host in enumerate(frames[0].trace.hosts)]
    assert '"10.0.0.1"' in page.write(frames).decode()
    assert "10.0.0.9" not in table.write(frames).decode()
