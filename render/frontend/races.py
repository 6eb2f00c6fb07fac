"""The runs of a race: one plain run of each mode, then those of a speed-up curve and of a story."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import prod
from typing import Any

from render import modes, options, targets
from render.engine import Entrant
from render.errors import UnknownName, UsageError
from render.findings import stories
from render.findings.stories import Story
from render.request import Request
from render.wording import count

RACE_DEFAULTS = {"view": "seahorses", "samples": 9}  # one worker needs about a second; `race --help` says so


def parse_modes(given: str | Sequence[str]) -> list[str]:
    """Parse the modes of a race, "sequential,parallel" or a list of them. Raises UnknownName."""
    named = [word.strip() for word in (given.split(",") if isinstance(given, str) else given)] if given else []
    for name in named:
        if name not in modes.names():
            raise UnknownName("mode", name, modes.names())
    return named


def line_up(arguments: dict[str, Any], names: Sequence[str] = (), story: str | None = None) -> list[Entrant]:
    """Make the runs of a race: one of each mode, the same but for who draws; then those of a story, if there is one.

    Each option goes to the modes that it belongs to; to wait belongs to a story that was asked for. Where modes are
    named, or all runs wait, there is a story only if it is asked for. Where nothing is said about what to draw, it is a
    frame large enough to show the lesson. Several numbers of workers ("1,2,4") make a speed-up curve; all other runs
    have the largest. Raises UsageError.
    """
    arguments = {name: value for name, value in arguments.items() if value is not None}
    if "mode" in arguments:
        raise UsageError("a race has several modes, and mode names one", 'give modes=["sequential", "parallel"]')
    special = names or options.parse_duration(arguments.get("wait", 0))
    chosen = _choose_story(story, stories.NONE if special else stories.DEFAULT)
    names = names or modes.names()
    numbers = parse_workers(arguments["workers"]) if "workers" in arguments else []
    if numbers:
        arguments["workers"] = numbers[-1]
    plain = arguments if chosen is None else {name: value for name, value in arguments.items() if name != "wait"}
    requests = race_requests(plain, names, story=chosen)
    curve = make_curve_runs(requests, numbers) if len(numbers) > 1 else []
    story_runs = make_story_runs(chosen, requests, arguments) if chosen else []
    return [*map(Entrant, requests), *curve, *story_runs]


def race_requests(arguments: dict[str, Any], names: Sequence[str], *, story: Story | None = None) -> list[Request]:
    """Make one request for each mode; runs of a `story` take what these do not. Raises UsageError."""
    arguments = {name: value for name, value in arguments.items() if value is not None}
    if not options.names_subject(arguments):
        arguments = RACE_DEFAULTS | arguments
    owned = modes.own_options()
    taken = [modes.load(name).OPTIONS if story else modes.select_race_options(name) for name in names]
    for option in sorted(owned.difference(*taken)):
        if arguments.get(option, options.OWN[option]) != options.OWN[option]:
            chosen = f"{'modes' if len(names) > 1 else 'mode'} {', '.join(names)}"
            raise UsageError(
                f"{options.spell_option(option)} does not apply to {chosen}",
                "name a mode that takes it, or leave it out",
            )
    target = arguments.get("target")
    if target and targets.load(str(target)).KIND != "cpu":
        raise UsageError("in a race --target is for the CPU modes only", "leave it out: mode cuda has its own target")
    requests: list[Request] = []
    for name in dict.fromkeys(names):
        mode = modes.load(name)
        mine = {
            option: value
            for option, value in arguments.items()
            if option not in owned or option in modes.select_race_options(name)
        }
        if target and targets.load(str(target)).KIND != mode.KIND:
            del mine["target"]
        requests.append(options.complete(mode=name, **mine))
    tile = min((request.tile for request in requests), key=lambda tile: tile[0] * tile[1])  # one cut for all
    requests = [replace(request, tile=tile) for request in requests]
    if target and all(request.target != target for request in requests):
        raise UnknownName("target of these modes", str(target), {request.target for request in requests})
    return requests


def _choose_story(asked: str | None, default: str) -> Story | None:
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
