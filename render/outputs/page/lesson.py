"""The part of the page that is a lesson's own: its conclusions, the words it needs, and a stretch told event by event.

What it says comes with the frames (`render.findings.explanation`); here it only gets its look.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from render.findings.explanation import CloseUp, Explanation
from render.outputs.page.runs import Run
from render.outputs.page.words import format_ns
from render.swatches import COLOURS
from render.wording import escape_html


def build_lesson(lesson: Explanation | None, runs: Sequence[Run]) -> str:
    """Build the HTML of the lesson's part; nothing for a race without one."""
    if lesson is None:
        return ""
    follows = "".join(f"<li>{escape_html(text)}</li>" for text in lesson.follows)
    terms = "".join(f"<p><b>{escape_html(term)}</b> {escape_html(meaning)}</p>" for term, meaning in lesson.terms)
    return (
        f'<section class="lesson" aria-labelledby="follows"><div><h2 id="follows">What follows from these runs</h2>'
        f'<ul class="follows">{follows}</ul></div>\n'
        f"<div>{terms}{_build_close_up(lesson.close_up, runs)}</div></section>"
    )


def _build_close_up(close_up: CloseUp | None, runs: Sequence[Run]) -> str:
    if close_up is None or not close_up.events:
        return ""
    run = runs[close_up.run]
    first = close_up.events[0].at
    steps = "".join(
        f'<li data-at="{event.at - run.start}"><span class="when">+{format_ns(event.at - first)}</span> '
        f'<b class="who s{event.worker % len(COLOURS)}">worker {event.worker}</b> {escape_html(event.text)}</li>'
        for event in close_up.events
    )
    return (
        f'<h3 id="closely">{escape_html(close_up.title)}</h3><p class="note">{escape_html(run.frame.title)}, from '
        f"{format_ns(first - run.start)} on.</p>"
        f'<ol class="events" data-run="{close_up.run}">{steps}</ol>'
    )


def mark_tiles(lesson: Explanation | None) -> list[dict[str, Any]]:
    """List tiles to frame, for the script: of which run, which they are, and what the frame means."""
    if lesson is None or lesson.close_up is None or not lesson.close_up.tiles:
        return []
    run, _, _, tiles, mark = lesson.close_up
    return [{"run": run, "tiles": list(tiles), "mark": mark}]
