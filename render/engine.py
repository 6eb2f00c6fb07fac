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
from html import escape
from os import PathLike
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from render import machine, modes
from render.errors import ModeUnavailable
from render.findings.repeats import Rounds, choose_median, share_pixels
from render.frame import Canvas, Frames, open_canvas, run_title
from render.outputs import table
from render.painting.course import Progress, RunProgress, Salvage, Watch, keep_on_error, resume_tiles
from render.painting.painter import Done, Launcher, Painter
from render.parameters import P
from render.plan import Tile, check_count, cut, plan
from render.preparation import Preparation
from render.request import Request
from render.results import DrawnFrame, save_frames
from render.runtime.kernel import Kernel, LaunchKernel
from render.storage.journal import Journal
from render.trace import Clock, Recorder, Trace

if TYPE_CHECKING:
    import numpy as np

Adapt = Callable[[Any], Kernel]


class Entrant(NamedTuple):
    """A run of a race: its request, facts for its trace (`label`: the name it goes by), and what its kernel becomes."""

    request: Request
    facts: Mapping[str, Any] = MappingProxyType({})
    adapt: Adapt | None = None


MOST_LOSSES = 100  # of workers, that a trace lists
COARSE = 16  # pixels along an edge that one pixel stands for, when costs are estimated


def announce_nothing(text: str) -> None:
    """Announce nothing."""


def draw(
    request: Request,
    *,
    announce: Callable[[str], None] = announce_nothing,
    progress: Progress | None = None,
    clock: Clock = time.perf_counter_ns,
    began: int | None = None,
    facts: Mapping[str, Any] = MappingProxyType({}),
    adapt: Adapt | None = None,
    watch: Watch | None = None,
    salvage: Salvage | None = None,
    preparation: Preparation | None = None,
    journal: Journal | None = None,
) -> DrawnFrame:
    """Paint a request in its mode. `began`: when the program was entered (ns of `clock`), if that was earlier.

    `facts` are kept in the trace; `label` among them is the name that the run goes by in place of its mode's. `adapt`
    gives what paints in place of the target's kernel. `salvage` is given the tiles that are done where a later one
    fails. `preparation` keeps for other draws what need not be done again. `journal` keeps tiles on the disk as they
    are done, and gives those that an earlier run has done; whoever opened it removes it.

    Raises ModeUnavailable where the mode cannot run here, TileError where a tile fails.
    """
    requested = clock()
    load = machine.load()
    recorder = Recorder(clock)
    began = requested if began is None else began
    if began < requested:
        recorder.add("import", began, requested)
    mode = load_available_mode(request)
    preparation = Preparation() if preparation is None else preparation
    preparation.check_scene(request)
    with open_canvas(request, shared=mode.needs_shared_canvas(request)) as surface:
        check_count(request)
        compiled = _compile_kernel(preparation, request, recorder, announce)
        kernel = compiled if adapt is None else adapt(compiled)
        known: dict[int, int] = {}

        def estimate() -> Mapping[int, int]:
            known.update(estimate_costs(request, recorder, compiled, preparation.prepare_numbers(request)))
            return known

        tiles = plan(request, estimate)
        painter = _make_painter(request, surface, kernel, recorder)
        course = RunProgress(request, run_title(request, facts), tiles, known, recorder, surface.rgb)
        with keep_on_error(surface.rgb, course, salvage, journal):
            left = tiles if journal is None else resume_tiles(journal, surface, tiles, course)
            with closing(_paint_tiles(mode, left, painter)) as done:
                for finished in done:
                    if journal is not None:
                        journal.add(finished.tile, finished.steps)
                    course.count_tile(finished, progress, watch)
            if journal is not None:
                journal.flush()
        rgb, counts, inside = surface.take_pixels()
    ran = {"load": load, **_describe_run(request, mode, kernel, course, recorder), **facts}
    trace = Trace(kernel.correct_spans(recorder.drain()), began, requested, clock(), ran)
    return DrawnFrame(rgb, counts, course.steps, request, trace, inside)


def _paint_tiles(mode: modes.Mode, tiles: Sequence[Tile], painter: Painter) -> Generator[Done]:
    """Yield the tiles as the mode has painted them; given up, stop the mode. No mode is asked for no tile."""
    if tiles:
        with closing(mode.run(tiles, painter)) as done:  # type: ignore[type-var]
            yield from done


def _describe_run(
    request: Request, mode: modes.Mode, kernel: Kernel, course: RunProgress, recorder: Recorder
) -> dict[str, Any]:
    """Collect the facts of a run for its trace."""
    ran = machine.describe_machine()
    ran |= {"device": machine.cpu_name(), "simulated": request.simulate, "kernel": kernel.about}
    ran |= {"asked": request.workers if "workers" in mode.OPTIONS else 1, **kernel.facts}
    if course.resumed:
        ran["resumed"] = course.resumed
    if recorder.losses:
        ran["lost_workers"] = "; ".join(recorder.losses[:MOST_LOSSES])
    return ran


def _compile_kernel(
    preparation: Preparation, request: Request, recorder: Recorder, announce: Callable[[str], None]
) -> Kernel:
    """Get the target's kernel. The time counts as compiling only where the target announced that it compiles or waits.

    Otherwise machine code was loaded, as modules are.
    """
    messages: list[str] = []

    def tell(text: str) -> None:
        messages.append(text)
        announce(text)

    t0 = recorder.clock()
    try:
        return preparation.make_kernel(request, tell)
    finally:
        recorder.add("compile" if messages else "import", t0, recorder.clock())


def _make_painter(request: Request, surface: Canvas, kernel: Kernel, recorder: Recorder) -> Painter:
    """Make the painter for this kind of kernel."""
    if isinstance(kernel, LaunchKernel):
        return Launcher(request, surface, kernel, recorder)
    return Painter(request, surface, kernel, recorder)


def load_available_mode(request: Request) -> modes.Mode:
    """Load the request's mode. Raises ModeUnavailable with the reason where it cannot run here."""
    mode, missing = modes.load(request.mode), modes.unavailable_reason(request)
    if missing is not None:
        reason, remedy = missing
        raise ModeUnavailable(f"mode {request.mode} cannot run here: {reason}", remedy)
    return mode


def estimate_costs(request: Request, recorder: Recorder, kernel: Kernel, p: P) -> Mapping[int, int]:
    """Estimated steps of each tile by number, from a picture 1/16 as wide and high, painted with the same numbers."""
    small = replace(
        request,
        width=-(-request.width // COARSE),
        height=-(-request.height // COARSE),
        samples=1,
        mode="sequential",
        backend=None,
        order="rows",
        tile=(64, 64),
        only_tile=None,
        wait_ns=0,
    )
    with recorder.span("plan"), open_canvas(small, shared=False) as surface:
        kernel.for_request(small, p).paint(surface, 0, 0, small.width, small.height)
        _, counts, _ = surface.take_pixels()
        assert counts is not None  # of one sample a pixel
        return {tile.number: _estimate_tile(counts, tile) for tile in cut(request)}


def _estimate_tile(counts: np.ndarray, tile: Tile) -> int:
    """Estimate the steps of a tile from the coarse steps under it."""
    rows = slice(tile.y // COARSE, (tile.y + tile.height - 1) // COARSE + 1)
    columns = slice(tile.x // COARSE, (tile.x + tile.width - 1) // COARSE + 1)
    return int(counts[rows, columns].mean() * tile.width * tile.height)


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
    progress: Progress | None = None,
    clock: Clock = time.perf_counter_ns,
    watch: Watch | None = None,
    rounds: Rounds = Rounds(),  # noqa: B008  (it is frozen)
    later: Rounds | None = None,
) -> Race:
    """Paint each request in turn, or each entrant; a mode that cannot run here is left out with its reason.

    All code is compiled before the first clock starts, so that no mode pays for being first. Then all run in turn, as
    often as `rounds` says; the frame of each is the repeat of median time (`render.findings.repeats.choose_median`). A
    simulated one runs once, for its time means nothing. The runs of each story (`story` among their facts) follow,
    as often as `later` says (None: as `rounds` does).
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
        paint = partial(draw, announce=announce, progress=progress, clock=clock, watch=watch, preparation=preparation)
        for story in dict.fromkeys((None, *(one.facts.get("story") for one in able))):
            entered = [
                one._replace(facts={**one.facts, "load": load}) for one in able if one.facts.get("story") == story
            ]
            often = rounds if story is None else later or rounds
            frames, missing = _repeat(entered, often, paint, clock, shown[:1])
            shown += frames
            not_run += missing
    return Race(tuple(shown), "race", tuple(not_run))


def _repeat(
    entrants: Sequence[Entrant],
    rounds: Rounds,
    paint: Callable[..., DrawnFrame],
    clock: Clock,
    first: Sequence[DrawnFrame],
) -> tuple[list[DrawnFrame], list[tuple[str, str]]]:
    """Let all run in turn as often as `rounds` says; give the frame that is shown of each, and what did not run.

    `first`: the first picture of the race, where there is one yet.
    """
    runs: list[tuple[Entrant, list[DrawnFrame]]] = [(entrant, []) for entrant in entrants]
    shown: list[DrawnFrame] = []
    not_run: list[tuple[str, str]] = []
    began, rounds_made = clock(), 0
    while runs and (not rounds_made or rounds.needs_more(rounds_made, (clock() - began) / 1e9, shown)):
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
