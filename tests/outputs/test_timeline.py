"""The timeline as a picture: every painted stretch is a bar in its worker's lane, at its time."""

from __future__ import annotations

import re
from collections.abc import Callable
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from render import swatches
from render.cpu_time import cpu_share
from render.findings import foremost
from render.frame import Frame
from render.outputs import timeline
from render.trace import Span, Worker

from .synthetic_gpu import with_gpu

SVG = "{http://www.w3.org/2000/svg}"


def rectangles(frames: list[Frame], kind: str = "fill") -> list[dict[str, str]]:
    """The bars of paint spans."""
    tree = ET.fromstring(timeline.write(frames))  # noqa: S314  (our own)
    return [rect.attrib for rect in tree.iter(f"{SVG}rect") if kind in rect.attrib]


def test_each_stretch_of_a_tile_is_a_bar(draw: Callable[..., Frame]) -> None:
    assert len(rectangles([draw("0011", "22.3")])) == 4


def test_juggled_tiles_are_bars_of_their_own_each_time(draw: Callable[..., Frame]) -> None:
    bars = rectangles([draw("0101")])

    assert [bar["fill"] for bar in bars] == [swatches.COLOURS[0], swatches.COLOURS[1]] * 2


def test_workers_have_a_lane_each(draw: Callable[..., Frame]) -> None:
    assert len({bar["y"] for bar in rectangles([draw("0", "1", "2")])}) == 3


def test_two_runs_share_one_scale(draw: Callable[..., Frame]) -> None:
    """A run that takes half the time is half as long."""
    long, short = rectangles([draw("0000"), draw("00", "11", mode="parallel")])[:2]

    assert float(short["width"]) == pytest.approx(float(long["width"]) / 2, abs=0.02)


def test_bars_too_narrow_to_see_are_joined_but_never_two_tiles() -> None:
    worker = Worker(1, 1)
    spans = [Span(worker, tile, "paint", t0, t0 + 1) for t0, tile in enumerate([7, 7, 7, 8, 7])]

    joined = list(timeline.join_bars(spans, 0, 0.01))

    assert [bar.tile for bar in joined] == [7, 8, 7]


def test_a_bar_is_as_high_as_its_worker_had_a_cpu_and_pale_above(draw: Callable[..., Frame]) -> None:
    whole, half = (timeline.write([draw("0000", given=given)]).decode() for given in (1.0, 0.5))
    assert 'class="p"' not in whole
    assert "pale: at a tile without a CPU" not in whole
    assert half.count('class="p"') == 1
    assert f'height="{timeline.LANE / 2:.1f}"' in half
    assert "0.50 on a CPU on average" in half
    assert "pale: at a tile without a CPU" in half


@given(st.lists(st.tuples(st.integers(1, 9), st.integers(0, 100)), min_size=1, max_size=9), st.floats(0.01, 3))
def test_joined_bars_keep_the_time_on_a_cpu(made: list[tuple[int, int]], scale: float) -> None:
    t, spans = 0, []
    for length, percent in made:
        spans.append(Span(Worker(1, 1), 0, "paint", t, t + 100 * length, on_cpu=percent * length))
        t += 100 * length + 1
    bars = list(timeline.join_bars(spans, 0, scale))
    area = sum(cpu_share(span) * (span.t1 - span.t0) for span in spans)
    assert sum(bar.share for bar in bars) <= len(bars)
    if len(bars) == 1:
        assert bars[0].share == pytest.approx(area / sum(span.t1 - span.t0 for span in spans))


def test_names_are_escaped_and_nothing_is_loaded_from_elsewhere(draw: Callable[..., Frame]) -> None:
    text = timeline.write([draw("0", mode="<mode>")]).decode()

    assert "<mode>" not in text
    assert "href" not in text
    assert "url(http" not in text


def test_a_trace_without_tiles_is_an_empty_timeline(draw: Callable[..., Frame]) -> None:
    assert b"</svg>" in timeline.write([draw(".")])


def test_multiprocessors_stand_below_the_streams_in_the_colours_of_their_tiles(draw: Callable[..., Frame]) -> None:
    frame = with_gpu(draw(), bands=6, multiprocessors=20)
    text = timeline.write([frame]).decode()
    assert "20 multiprocessors, a thin row each" in text
    used = {swatches.COLOURS[band] for band in range(6)}
    assert set(re.findall(r'<path stroke="(#.{6})"', text)) == used
    assert timeline.write([draw("0011")]).count(b"multiprocessors") == 0


def test_a_gpu_beside_slow_runs_is_drawn_once_more_on_a_scale_of_its_own(draw: Callable[..., Frame]) -> None:
    short = with_gpu(draw(), bands=6, multiprocessors=20)
    text = timeline.write([draw("0" * 300), short]).decode()
    assert re.search(r">cuda, \d\d times wider<", text)
    assert text.count(">cuda<") == text.count("20 multiprocessors") == 1
    assert "times wider" not in timeline.write([draw("0000"), short]).decode()


def test_hundreds_of_multiprocessors_take_no_more_room_than_a_hundred(draw: Callable[..., Frame]) -> None:
    heights = [
        timeline.Panel(frame, {}, foremost.foremost_blocks(frame.trace), 1.0).height
        for frame in (with_gpu(draw(), bands=6, multiprocessors=count) for count in (132, 1056))
    ]
    assert heights[0] == heights[1]
