"""The run once more, as a moving picture for chats and slides: tiles appear when they finished, all runs on one clock.

    dark        not started            hatched grey    waits for its data, or started and put aside
    framed      being painted          with a number   finished, and by which worker

Below each picture grow the lanes of its workers. Every frame says how many times slower (or faster) it plays.
Animated WebP, which plays once and again; Pillow draws and packs it.
"""

from __future__ import annotations

from dataclasses import dataclass
from io import BytesIO

from render import drawing, stats
from render.cpu_time import cpu_share
from render.drawing import Box, Panel
from render.frame import Frame, Frames
from render.pictures import pillow
from render.swatches import RGB, colour
from render.trace import NO_TILE, Span, tile_owners
from render.wording import format_time

SUFFIXES = (".replay.webp",)
ABOUT = "tiles appearing as they did, slowed down, animated"
LARGEST_SIDE = None
MOST_TILES = 200_000
KEEPS_PIXELS = False
open_sink = None
REPLAY_SECONDS, IMAGES, LAST_IMAGE_MS = 8.0, 96, 2500  # how long it plays, its images, how long the last one stays
LANE_PAPER, PALE = (240, 242, 245), 0.35  # behind the lanes, and how much of a colour is seen of a worker without a CPU
STAGE, DIM, WAITS = (33, 38, 45), (61, 68, 77), (145, 152, 161)
LANES, LANE, CLOCK = 44, 11, 12  # pixels: all lanes of a panel at most, one of them, and more room for the clock


@dataclass
class ReplayedRun:
    """A run on its way: the tiles that stand on the stage, and the lanes up to the time `drawn` (ns, as in spans)."""

    panel: Panel
    spans: list[Span]
    start: int
    ends: dict[int, int]
    owned: dict[int, int]
    number: dict[object, int]
    stage: pillow.Image.Image
    lanes: pillow.Image.Image
    shown: set[int]
    drawn: int

    @property
    def length_ns(self) -> int:
        """Time from the first start to the last end of a tile's spans."""
        return max((span.t1 for span in self.spans), default=self.start) - self.start


def write(frames: Frames, *, plain: bool = False) -> bytes:
    """Draw the replay of all runs. A plain file is the same: there is nothing to leave out."""
    runs = [_prepare_run(frame, max(len(frames), 2)) for frame in frames]  # one alone is as large as one of two
    length = max(run.length_ns for run in runs) or 1
    images = (_draw_image(runs, length, length * step // (IMAGES - 1)) for step in range(IMAGES))
    durations = [round(1000 * REPLAY_SECONDS / IMAGES)] * (IMAGES - 1) + [LAST_IMAGE_MS]
    file = BytesIO()
    first = next(images)
    packing = {"quality": 72, "method": 2, "kmin": IMAGES - 1, "kmax": IMAGES}  # whole once, then changes
    first.save(file, "WEBP", save_all=True, append_images=images, duration=durations, loop=0, **packing)
    return file.getvalue()


def _prepare_run(frame: Frame, runs: int) -> ReplayedRun:
    panel = drawing.fit_panel(frame, runs)
    spans = [span for span in frame.trace.of_kind("wait", "paint") if span.tile != NO_TILE]
    start = min((span.t0 for span in spans), default=0)
    stage = pillow.Image.new("RGB", panel.image.size, STAGE)
    for box in panel.boxes.values():
        drawing.draw_outline(stage, box, DIM, 1)
    number: dict[object, int] = {worker: index for index, worker in enumerate(frame.trace.workers)}
    lanes = pillow.Image.new("RGB", (panel.image.width, min(LANES, LANE * max(len(number), 1))), LANE_PAPER)
    ends = {tile: end for tile, (_, end) in stats.flight_intervals(frame.trace).items() if tile in panel.boxes}
    return ReplayedRun(panel, spans, start, ends, tile_owners(frame.trace), number, stage, lanes, set(), start)


def _draw_image(runs: list[ReplayedRun], length: int, now: int) -> pillow.Image.Image:
    """Draw all panels at this instant, below a line with the clock."""
    panels = drawing.join_panels([_draw_panel(run, length, now) for run in runs])
    image = pillow.Image.new("RGB", (panels.width, panels.height + CLOCK), drawing.PAPER)
    image.paste(panels, (0, CLOCK))
    pace = REPLAY_SECONDS / (length / 1e9)
    speed = f"{pace:.2g} times slower" if pace >= 1 else f"{1 / pace:.2g} times faster"
    caption = f"{format_time(now / 1e9)} of {format_time(length / 1e9)}, {speed} than it was"
    pillow.ImageDraw.Draw(image).text((drawing.MARGIN, 10), caption, drawing.QUIET, drawing.load_font(13))
    return image


def _draw_panel(run: ReplayedRun, length: int, now: int) -> pillow.Image.Image:
    at = run.start + now
    _show_finished(run, at)
    image = run.stage.copy()
    painting = {span.tile: span for span in run.spans if span.kind == "paint" and span.t0 <= at < span.t1}
    waiting = {span.tile for span in run.spans if span.kind == "wait" and span.t0 <= at < span.t1}
    started = {span.tile for span in run.spans if span.kind == "paint" and span.t0 <= at}
    aside = {tile for tile in started if run.ends.get(tile, at) > at} - painting.keys()
    for tile in (aside | waiting) - painting.keys() - run.shown:
        _hatch_tile(image, run.panel.boxes.get(tile, (0, 0, 0, 0)))
    for tile, span in painting.items():
        if tile in run.panel.boxes:
            drawing.draw_outline(image, run.panel.boxes[tile], colour(run.number[span.worker]), 5)
            drawing.draw_badge(image, run.panel.boxes[tile], run.number[span.worker], "")
    _extend_lanes(run, length, at)
    counts = f"at a tile {len(painting)}, in flight {len(painting) + len(aside)}"
    status = f"{len(run.shown)} of {len(run.ends)} tiles; {counts}"
    subtitle = f"done after {format_time(run.length_ns / 1e9)}" if now >= run.length_ns else status
    return drawing.frame_panel(run.panel.frame.title, subtitle, image, run.lanes)


def _show_finished(run: ReplayedRun, at: int) -> None:
    """Put the tiles that are finished by now on the stage, for good."""
    for tile, end in run.ends.items():
        if end <= at and tile not in run.shown:
            box = run.panel.boxes[tile]
            if box[2] > box[0] and box[3] > box[1]:
                run.stage.paste(run.panel.image.crop(box), box[:2])
            drawing.draw_outline(run.stage, box, colour(run.owned[tile]), 1)
            drawing.draw_badge(run.stage, box, run.owned[tile], "")
            run.shown.add(tile)


def _hatch_tile(image: pillow.Image.Image, box: Box) -> None:
    left, top, right, bottom = box
    if right > left and bottom > top:
        size = right - left, bottom - top
        image.paste(pillow.Image.new("RGB", size, WAITS), (left, top), drawing.draw_hatching(*size, "rising"))


def _pale_colour(paint: RGB) -> RGB:
    """Blend the colour with the paper."""
    red, green, blue = (round(part * PALE + paper * (1 - PALE)) for part, paper in zip(paint, LANE_PAPER, strict=True))
    return red, green, blue


def _extend_lanes(run: ReplayedRun, length: int, at: int) -> None:
    """Extend the lanes to this instant: a bar for painting, a thin line for waiting.

    A bar is as high as the share of its time on a CPU; what stands pale above it is a worker at a tile without one.
    """
    draw, scale = pillow.ImageDraw.Draw(run.lanes), run.lanes.width / length
    high = run.lanes.height / max(len(run.number), 1)
    for kind in ("wait", "paint"):  # painting covers what waits meanwhile
        for span in run.spans:
            if span.kind != kind or span.t0 > at or span.t1 <= run.drawn or span.worker not in run.number:
                continue
            lane = run.number[span.worker]
            top, bottom = round(lane * high), round((lane + 1) * high) - (2 if high > 4 else 0)
            x0, x1 = ((instant - run.start) * scale for instant in (max(span.t0, run.drawn), min(span.t1, at)))
            if kind == "wait":
                draw.line((x0, (top + bottom) // 2, x1, (top + bottom) // 2), WAITS)
            else:
                x1, bottom, given = max(x1 - 1, x0), max(bottom - 1, top), cpu_share(span)
                draw.rectangle((x0, top, x1, bottom), fill=colour(lane) if given == 1 else _pale_colour(colour(lane)))
                if 0 < given < 1:
                    draw.rectangle((x0, bottom - (bottom - top) * given, x1, bottom), fill=colour(lane))
    run.drawn = at
