"""The runs of a race: one plain run of each mode, then those of a story (`render.findings.stories`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import prod
from typing import Any

from render import modes, options
from render.engine import Entrant
from render.errors import UnknownName
from render.findings import stories
from render.findings.stories import Story
from render.request import Request
from render.wording import count


def choose_story(asked: str | None, default: str = stories.DEFAULT) -> Story | None:
    """Choose the story of a race: the named one or the default; None for `none`. Raises UnknownName."""
    name = default if asked is None else asked
    if name == stories.NONE:
        return None
    if name not in stories.STORIES:
        raise UnknownName("story", name, (*stories.STORIES, stories.NONE))
    return stories.STORIES[name]


def make_story_runs(story: Story, plain: Sequence[Request], asked: Mapping[str, Any]) -> list[Entrant]:
    """Make the runs of a story: those modes of a race that a CPU paints, one by one or juggling.

    `plain`: the race's own requests. in_flight and wait among `asked` take the place of the story's own. Raises
    UsageError.
    """
    by_mode = {request.mode: request for request in plain}
    juggled = options.parse_whole(asked.get("in_flight") or story.in_flight, "in flight")
    wait_ns = options.parse_duration(asked.get("wait") or 0)
    runs = []
    for mode, juggles in stories.WHO:
        if mode in by_mode:
            request = by_mode[mode]
            in_flight = juggled if juggles else modes.load(mode).IN_FLIGHT
            request = replace(request, tile=_choose_tile(request), in_flight=in_flight)
            request = replace(request, wait_ns=wait_ns or story.wait_ns(request))
            facts = {"label": story.title(request.workers if _has_workers(mode) else 1, juggles=juggles)}
            runs.append(Entrant(request, facts | {"story": story.name}))
    return runs


def make_curve_runs(plain: Sequence[Request], numbers: Sequence[int]) -> list[Entrant]:
    """Make the runs of a speed-up curve: those modes of a race that have workers, with each of these numbers."""
    return [
        Entrant(replace(request, workers=number), {"label": count(number, "worker"), "story": stories.CURVE})
        for request in plain
        if _has_workers(request.mode)
        for number in numbers
    ]


def parse_workers(given: Any) -> list[int]:
    """Parse the workers of a race: a number, or several for a curve ("1,2,4"). Raises UsageError."""
    several = given.split(",") if isinstance(given, str) else given
    return sorted({options.count_workers(one) for one in (several if isinstance(several, list | tuple) else [several])})


def _has_workers(mode: str) -> bool:
    """Tell if a mode takes the option `workers`."""
    return "workers" in modes.load(mode).OPTIONS


def _choose_tile(request: Request) -> tuple[int, int]:
    """Cut a frame into no more tiles than a story can take."""
    while prod(request.rows_and_columns) > stories.MOST_TILES:
        wide, high = request.tile
        request = replace(request, tile=(2 * wide, 2 * high))
    return request.tile
