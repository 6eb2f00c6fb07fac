"""The part of the page that is a lesson's own: its conclusions, the words it needs, and a stretch shown event by event.

What it says comes with the frames (`render.findings.explanation`); here it only gets its look.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from render.findings.explanation import CloseUp, Explanation
from render.outputs.page.runs import Run
from render.outputs.page.words import format_ns
from render.plan import cut
from render.swatches import COLOURS
from render.wording import escape_html


def build_lesson(lesson: Explanation | None, runs: Sequence[Run], images: Sequence[int]) -> str:
    """Build the HTML of the lesson's part; nothing for a race without one. `images`: the picture of each run."""
    if lesson is None:
        return ""
    follows = "".join(f"<li>{escape_html(text)}</li>" for text in lesson.follows)
    terms = "".join(f"<p><b>{escape_html(term)}</b> {escape_html(meaning)}</p>" for term, meaning in lesson.terms)
    closely = "" if lesson.close_up is None else _build_close_up(lesson.close_up, runs, images)
    return (
        f'<section class="lesson" aria-labelledby="follows"><div><h2 id="follows">What follows from these runs</h2>'
        f'<ul class="follows">{follows}</ul></div>\n<div>{terms}{closely}</div></section>'
    )


def _build_close_up(close_up: CloseUp, runs: Sequence[Run], images: Sequence[int]) -> str:
    run = runs[close_up.run]
    first = min((event.at for event in close_up.events), default=run.start)
    steps = "".join(
        f'<li data-at="{event.at - run.start}"><span class="when">+{format_ns(event.at - first)}</span> '
        f'<b class="who s{event.worker % len(COLOURS)}">worker {event.worker}</b> {escape_html(event.text)}</li>'
        for event in close_up.events
    )
    when = f", from {format_ns(first - run.start)} on" if steps else ""
    return (
        f'<h3 id="closely">{escape_html(close_up.title)}</h3><p class="note">{escape_html(run.frame.title)}{when}.</p>'
        f'{_compare_tile(close_up, runs, images)}<ol class="events" data-run="{close_up.run}">{steps}</ol>'
    )


def _compare_tile(close_up: CloseUp, runs: Sequence[Run], images: Sequence[int]) -> str:
    """Build the first of the tiles twice, enlarged: as it should be, and as the run has it."""
    tiles = {tile.number: tile for tile in cut(runs[close_up.run].frame.request)}
    tile = tiles.get(close_up.tiles[0]) if close_up.tiles else None
    if tile is None or close_up.right is None:
        return ""
    box = f"{tile.x} {tile.y} {tile.width} {tile.height}"
    figures = ""
    for place in (close_up.right, close_up.run):
        name = escape_html(runs[place].frame.title)
        figures += (
            f'<figure><svg viewBox="{box}" role="img" aria-label="Tile {tile.number}, {name}">'
            f'<use href="#picture-{images[place]}"/></svg><figcaption>{name}</figcaption></figure>'
        )
    return f'<div class="beside">{figures}</div>'


def mark_tiles(lesson: Explanation | None) -> list[dict[str, Any]]:
    """List tiles to frame, for the script: of which run, and which they are."""
    if lesson is None or lesson.close_up is None or not lesson.close_up.tiles:
        return []
    close_up = lesson.close_up
    return [{"run": close_up.run, "tiles": list(close_up.tiles)}]
