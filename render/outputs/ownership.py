"""The owner of each tile: outlined and hatched by its worker, with the worker's number and its place in the order.

Hatch, colour and number say the same, so nobody depends on colour. All runs of a race stand side by side.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from render import cpu_time, drawing, stats
from render.frame import Frame, Frames
from render.trace import Span, Worker, tile_owners
from render.wording import count, format_time

if TYPE_CHECKING:
    from PIL import Image

SUFFIXES = (".ownership.png",)
ABOUT = "the picture with each tile marked by its worker"
LARGEST_SIDE = None
MOST_TILES = 200_000
KEEPS_PIXELS = False
open_sink = None


def write(frames: Frames, *, plain: bool = False) -> bytes:
    """Draw a panel for each run, as PNG. It carries no text chunks: it is a picture about a run, not the run's."""
    return drawing.encode_png(drawing.join_panels([_draw_panel(frame, len(frames)) for frame in frames]))


def _draw_panel(frame: Frame, runs: int) -> Image.Image:
    panel = drawing.fit_panel(frame, runs)
    image = drawing.fade_image(panel.image)
    owned = tile_owners(frame.trace)
    ends = sorted((end, tile) for tile, (_, end) in stats.flight_intervals(frame.trace).items())
    place = {tile: number for number, (_, tile) in enumerate(ends, 1)}
    for tile, worker in owned.items():
        if tile in panel.boxes:
            drawing.mark_owner(image, panel.boxes[tile], worker)
            drawing.draw_badge(image, panel.boxes[tile], worker, str(place[tile]), str(len(place)))
    tiles = Counter(owned.values())
    busy = list(stats.of(frame.trace).busy.values())
    given = [cpu_time.sum_cpu_time(_paint_spans(frame, worker)) for worker in frame.trace.workers]
    entries = [
        (worker, f"worker {worker}: {count(tiles[worker], 'tile')}, {_describe_busy(busy[worker], given[worker])}")
        for worker in sorted(tiles)
    ]
    said = "worker, and order of tiles done"
    return drawing.frame_panel(frame.title, said, image, drawing.draw_legend(entries, image.width))


def _paint_spans(frame: Frame, worker: Worker) -> list[Span]:
    return [span for span in frame.trace.spans if span.kind == "paint" and span.worker == worker]


def _describe_busy(busy: float, given: int | None) -> str:
    """Say how long a worker was at its tiles, and how long of that on a CPU."""
    return format_time(busy) if given is None else f"{format_time(busy)} ({format_time(given / 1e9)} on a CPU)"
