"""The only place that knows the order of the stages: request, plan, compile, paint, frame.

frame = draw(request)                  one picture in one mode
result = race(requests)                the same picture in several modes, and whether they are equal
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from functools import partial
from math import prod
from os import PathLike
from types import MappingProxyType
from typing import Any, NamedTuple

from render import machine, modes
from render.errors import ModeUnavailable
from render.findings.repeats import Rounds, choose_median, share_pixels
from render.frame import Canvas, Frames, run_title
from render.outputs import table
from render.painting.costs import estimate_costs
from render.painting.course import RunProgress, Salvage, Watch, keep_on_error
from render.painting.painter import Done, Launcher, Painter
from render.painting.slabs import Streaming, Surface, open_surface
from render.plan import Slab, Tile, check_count, plan
from render.preparation import Preparation
from render.request import Request
from render.results import DrawnFrame, save_frames
from render.runtime.kernel import Kernel, LaunchKernel
from render.storage.journal import Journal
from render.trace import Clock, Recorder, Trace

Adapt = Callable[[Any], Kernel]


class Entrant(NamedTuple):
    """A run of a race: its request, facts for its trace (`label`: the name it goes by), and what its kernel becomes."""

    request: Request
    facts: Mapping[str, Any] = MappingProxyType({})
    adapt: Adapt | None = None


MOST_LOSSES = 100  # of workers, that a trace lists


def announce_nothing(text: str) -> None:
    """Announce nothing."""


def draw(
    request: Request,
    *,
    announce: Callable[[str], None] = announce_nothing,
    clock: Clock = time.perf_counter_ns,
    began: int | None = None,
    facts: Mapping[str, Any] = MappingProxyType({}),
    adapt: Adapt | None = None,
    watch: Watch | None = None,
    salvage: Salvage | None = None,
    preparation: Preparation | None = None,
    journal: Journal | None = None,
    streaming: Streaming | None = None,
) -> DrawnFrame:
    """Paint a request in its mode. `began`: when the program was entered (ns of `clock`), if that was earlier.

    `facts` are kept in the trace; `label` among them is the name that the run goes by in place of its mode's. `adapt`
    gives what paints in place of the target's kernel. `salvage` is given the tiles that are done where a later one
    fails. `preparation` keeps for other draws what need not be done again. `journal` keeps tiles on the disk as they
    are done, and gives those that an earlier run has done; whoever opened it removes it. `streaming` takes the pixels
    in bands; then the frame is never in memory as a whole, and what is returned has a small picture of it.

    Raises ModeUnavailable where the mode cannot run here, TileError where a tile fails.
    """
    requested = clock()
    load = machine.load()
    recorder = Recorder(clock, announce=announce)
    began = requested if began is None else began
    if began < requested:
        recorder.add("import", began, requested)
    mode = load_available_mode(request)
    preparation = Preparation() if preparation is None else preparation
    preparation.check_scene(request)
    check_count(request)
    shared = mode.needs_shared_canvas(request)
    with open_surface(request, recorder, journal, streaming, shared=shared) as surface:
        compiled = preparation.record_kernel(request, recorder, announce)
        kernel = compiled if adapt is None else adapt(compiled)
        known: dict[int, int] = {}

        def estimate() -> Mapping[int, int]:
            if not known:
                known.update(estimate_costs(request, recorder, compiled, preparation.prepare_numbers(request)))
            return known

        tiles = prod(request.rows_and_columns) if request.only_tile is None else 1
        kept = () if journal is None else journal.start(request, tiles)
        course = RunProgress(request, run_title(request, facts), tiles, kept, known, recorder, surface.picture)
        paint = partial(_paint_tiles, mode, partial(_make_painter, request, kernel, recorder))
        notify = partial(course.count_tile, watch=watch)
        with keep_on_error(request, course, salvage, journal), closing(surface), kernel.stay_open():
            for slab in surface.slabs:
                _paint_slab(slab, plan(request, estimate, slab), surface, journal, course, paint, notify)
            if journal is not None:
                journal.finish()
            pixels = surface.finish()
    ran = {"load": load, **_describe_run(request, mode, kernel, surface, course, recorder), **facts}
    trace = Trace(kernel.correct_spans(recorder.drain()), began, requested, clock(), ran)
    return DrawnFrame(pixels.rgb, pixels.steps, course.steps, request, trace, pixels.inside, pixels.whole_sha256)


def _paint_slab(
    slab: Slab,
    tiles: Sequence[Tile],
    surface: Surface,
    journal: Journal | None,
    course: RunProgress,
    paint: Callable[[Sequence[Tile], Canvas], Generator[Done]],
    notify: Callable[[Done], None],
) -> None:
    """Paint the tiles of a slab that the journal does not have, and keep each in it as it is done."""
    canvas = surface.open_slab(slab)
    restored = {} if journal is None else journal.restore(canvas, tiles)
    course.count_resumed(restored)
    for tile in tiles if restored else ():
        if tile.number in restored:
            surface.note_tile(canvas, tile)
    todo = [tile for tile in tiles if tile.number not in restored] if restored else tiles
    with closing(paint(todo, canvas)) as done:
        for finished in done:
            if journal is not None:
                journal.add(finished.tile, finished.steps, canvas)
            surface.note_tile(canvas, finished.tile)
            notify(finished)
    surface.finish_slab(slab, canvas)


def _paint_tiles(
    mode: modes.Mode, make_painter: Callable[[Canvas], Painter], tiles: Sequence[Tile], canvas: Canvas
) -> Generator[Done]:
    """Yield the tiles as the mode has painted them; given up, stop the mode. No mode is asked for no tile."""
    if tiles:
        with closing(mode.run(tiles, make_painter(canvas))) as done:  # type: ignore[type-var]
            yield from done


def _describe_run(
    request: Request, mode: modes.Mode, kernel: Kernel, surface: Surface, course: RunProgress, recorder: Recorder
) -> dict[str, Any]:
    """Collect the facts of a run for its trace."""
    ran = machine.describe_machine()
    ran |= {"device": machine.cpu_name(), "simulated": request.simulate, "kernel": kernel.about}
    ran |= {"asked": request.workers if "workers" in mode.OPTIONS else 1, **kernel.facts}
    if course.resumed:
        ran["resumed"] = course.resumed
    if len(surface.slabs) > 1:
        ran["slabs"] = len(surface.slabs)
    if recorder.losses:
        ran["lost_workers"] = "; ".join(recorder.losses[:MOST_LOSSES])
    return ran | recorder.facts


def _make_painter(request: Request, kernel: Kernel, recorder: Recorder, canvas: Canvas) -> Painter:
    """Make the painter for this kind of kernel."""
    if isinstance(kernel, LaunchKernel):
        return Launcher(request, canvas, kernel, recorder)
    return Painter(request, canvas, kernel, recorder)


def load_available_mode(request: Request) -> modes.Mode:
    """Load the request's mode. Raises ModeUnavailable with the reason where it cannot run here."""
    mode, missing = modes.load(request.mode), modes.unavailable_reason(request)
    if missing is not None:
        reason, remedy = missing
        raise ModeUnavailable(f"mode {request.mode} cannot run here: {reason}", remedy)
    return mode


class Race(Frames):
    """The same picture in several modes: the frames in order, and the modes that did not run, with the reason."""

    frames: tuple[DrawnFrame, ...]

    def save(self, path: str | PathLike[str], *, plain: bool = False) -> None:
        """Save it as what the name says: `race.save("r.html")`, `.svg`, `.txt`, `.trace.json`, ...

        plain: without requests and timings. Raises UsageError for a name without a known ending, and where no mode ran;
        OutputError where it cannot be written.
        """
        save_frames(path, self, plain=plain)

    def _repr_html_(self) -> str:
        """Show the race in a notebook: the theatre, and under it the table and the sentences.

        The theatre may run its own script, and nothing else: it is shut off from the notebook.
        """
        from html import escape

        from render.outputs import page

        text = f"<pre>{escape(table.race_table(self.frames, self.not_run))}</pre>"
        if not self.frames:
            return text
        theatre = escape(page.write(self).decode())
        place = 'width="100%" height="900" style="border:0" sandbox="allow-scripts"'
        return f'<iframe title="the theatre" {place} srcdoc="{theatre}"></iframe>{text}'


def race(
    requests: Sequence[Request | Entrant],
    *,
    announce: Callable[[str], None] = announce_nothing,
    watch: Watch | None = None,
    rounds: Rounds = Rounds(),  # noqa: B008  (it is frozen)
    later: Rounds | None = None,
    streaming: Streaming | None = None,
) -> Race:
    """Paint each request in turn, or each entrant; a mode that cannot run here is left out with its reason.

    All code is compiled before the first clock starts, so that no mode pays for being first. Then all run in turn, as
    often as `rounds` says; the frame of each is the repeat of median time (`render.findings.repeats.choose_median`). A
    simulated one runs once, for its time means nothing. The runs of each story (`story` among their facts) follow,
    as often as `later` says (None: as `rounds` does). With `streaming` no frame is kept in memory as a whole: each
    has a small picture and the hash of the whole; the first one's bands are taken.
    """
    able, not_run = [], []
    for entrant in (one if isinstance(one, Entrant) else Entrant(one) for one in requests):
        try:
            load_available_mode(entrant.request)
        except ModeUnavailable as error:
            not_run += [] if "story" in entrant.facts else [(entrant.request.mode, str(error))]
        else:
            able.append(entrant)
    load, shown = machine.load(), list[DrawnFrame]()
    with closing(Preparation(keep_open=True)) as preparation:
        for request, _, _ in able:
            check_count(request)
            preparation.check_scene(request)
            preparation.compile_kernel(request, announce)
        paint = partial(draw, announce=announce, watch=watch, preparation=preparation)
        if streaming is not None:
            paint = partial(_paint_in_slabs, paint, streaming, [])
        for story in dict.fromkeys((None, *(one.facts.get("story") for one in able))):
            entered = [
                one._replace(facts={**one.facts, "load": load}) for one in able if one.facts.get("story") == story
            ]
            often = rounds if story is None else later or rounds
            frames, missing = _repeat(entered, often, paint, shown[:1])
            shown += frames
            not_run += missing
    return Race(tuple(shown), "race", tuple(not_run))


def _paint_in_slabs(
    paint: Callable[..., DrawnFrame], streaming: Streaming, hashes: list[str], request: Request, **options: Any
) -> DrawnFrame:
    """Paint one of the frames of a race, the first one for all that `streaming` does, the others for their hashes."""
    if hashes:
        streaming = replace(streaming, take=lambda _band: None)
    frame = paint(request, streaming=streaming, **options)
    hashes.append(frame.sha256)
    return frame


def _repeat(
    entrants: Sequence[Entrant], rounds: Rounds, paint: Callable[..., DrawnFrame], first: Sequence[DrawnFrame]
) -> tuple[list[DrawnFrame], list[tuple[str, str]]]:
    """Let all run in turn as often as `rounds` says; give the frame that is shown of each, and what did not run.

    `first`: the first picture of the race, where there is one yet.
    """
    runs: list[tuple[Entrant, list[DrawnFrame]]] = [(entrant, []) for entrant in entrants]
    shown: list[DrawnFrame] = []
    not_run: list[tuple[str, str]] = []
    began, rounds_made = time.perf_counter(), 0
    while runs and (not rounds_made or rounds.needs_more(rounds_made, time.perf_counter() - began, shown)):
        for run in runs[:]:
            (request, facts, adapt), repeats = run
            if repeats and request.simulate:
                continue
            again = replace(request)  # watchers tell runs apart by their requests
            try:
                frame = paint(again, facts=facts, adapt=adapt)
            except ModeUnavailable as error:  # which only starting its workers has shown
                if repeats or "lesson" in facts:  # a lesson needs all of its runs
                    raise
                not_run += [] if "story" in facts else [(request.mode, str(error))]  # its plain run has said it
                runs = [other for other in runs if other is not run]
                continue
            first = first or [frame]
            repeats.append(share_pixels(frame, first[0]))
        rounds_made += 1
        shown = [choose_median(repeats, first[0]) for _, repeats in runs]
        if all(entrant.request.simulate for entrant, _ in runs):
            break
    return shown, not_run
