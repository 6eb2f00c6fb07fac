"""The only place that knows the order of the stages: request, plan, compile, paint, frame.

frame = draw(request)                  one picture in one mode
result = race(requests)                the same picture in several modes, and whether they are equal
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from functools import partial
from html import escape
from os import PathLike
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np

from render import machine, modes
from render.errors import ModeUnavailable, OutputError, RenderError
from render.findings.repeats import Rounds, choose_median, share_pixels
from render.frame import Canvas, Frames, canvas, title
from render.outputs import table
from render.painting.painter import Done, Launcher, Painter
from render.parameters import P
from render.plan import Tile, check_count, cut, plan
from render.preparation import Preparation
from render.request import Request
from render.results import DrawnFrame, save_frames
from render.runtime.kernel import Kernel, LaunchKernel
from render.trace import Clock, Recorder, Trace, Worker

Progress = Callable[[Done, int], None]  # a tile that is done, and how many there are in all
Adapt = Callable[[Any], Kernel]
Salvage = Callable[[np.ndarray], str]  # keeps an unfinished picture, black where it is not painted, and says where


class Moment(NamedTuple):
    """A tile is done: of which run, the tile, how many there are, who painted it, and the canvas as it is now.

    share: of the work that is done (0..1), by the tiles' estimated cost where the plan knows it, else by their number;
    seconds: since the painting began.
    """

    request: Request
    name: str
    done: Done
    tiles: int
    worker: Worker
    rgb: np.ndarray
    share: float = 0.0
    seconds: float = 0.0


Watch = Callable[[Moment], None]


class Entrant(NamedTuple):
    """A run of a race: its request, facts for its trace (`label`: the name it goes by), and what its kernel becomes."""

    request: Request
    facts: Mapping[str, str] = MappingProxyType({})
    adapt: Adapt | None = None


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
) -> DrawnFrame:
    """Paint a request in its mode. `began`: when the program was entered (ns of `clock`), if that was earlier.

    `facts` are kept in the trace; `label` among them is the name that the run goes by in place of its mode's. `adapt`
    gives what paints in place of the target's kernel. `salvage` is given the tiles that are done where a later one
    fails. `preparation` keeps for other draws what need not be done again.

    Raises ModeUnavailable where the mode cannot run here, TileError where a tile fails.
    """
    asked = clock()
    load = machine.load()
    recorder = Recorder(clock)
    began = asked if began is None else began
    if began < asked:
        recorder.add("import", began, asked)
    mode = load_available_mode(request)
    preparation = Preparation() if preparation is None else preparation
    preparation.check(request)
    with canvas(request, shared=mode.shared(request)) as surface:
        check_count(request)
        compiled = _compile_kernel(preparation, request, recorder, announce)
        kernel = compiled if adapt is None else adapt(compiled)
        known: dict[int, int] = {}

        def estimate() -> Mapping[int, int]:
            known.update(estimate_costs(request, recorder, compiled, preparation.numbers(request)))
            return known

        tiles = plan(request, estimate)
        painter = _make_painter(request, surface, kernel, recorder)
        course = RunProgress(request, title(request, facts), len(tiles), known, recorder, surface.rgb)
        with _save_on_error(surface.rgb, course.kept, len(tiles), salvage), closing(mode.run(tiles, painter)) as done:  # type: ignore[type-var]
            for finished in done:
                course.count_tile(finished, progress, watch)
        rgb, counts, inside = surface.kept()
    ran = {"load": load} | machine.facts()
    ran |= {"device": machine.cpu_name(), "simulated": request.simulate, "kernel": kernel.about}
    ran |= {"asked": request.workers if "workers" in mode.OPTIONS else 1, **kernel.facts, **facts}
    trace = Trace(kernel.corrected(recorder.drain()), began, asked, clock(), ran)
    return DrawnFrame(rgb, counts, course.steps, request, trace, inside)


class RunProgress:
    """How far a run has come. `costs`: estimated steps by tile, where they are known; `canvas`: the pixels so far."""

    def __init__(
        self,
        request: Request,
        name: str,
        tiles: int,
        costs: Mapping[int, int],
        recorder: Recorder,
        canvas: np.ndarray,
    ) -> None:
        self.kept: list[Tile] = []
        self.steps = 0
        self._request, self._name, self._tiles, self._recorder, self._canvas = request, name, tiles, recorder, canvas
        self._costs, self._cost = costs, sum(costs.values())
        self._spent, self._began = 0, recorder.clock()

    def count_tile(self, done: Done, progress: Progress | None, watch: Watch | None) -> None:
        """Count a tile that is done, and tell whoever watches."""
        self.steps += done.steps
        self.kept.append(done.tile)
        if progress is not None:
            progress(done, self._tiles)
        if watch is not None:
            self._spent += self._costs.get(done.tile.number, 0)
            share = self._spent / self._cost if self._cost else len(self.kept) / self._tiles
            seconds = (self._recorder.clock() - self._began) / 1e9
            worker = self._recorder.painter_of(done.tile.number)
            watch(Moment(self._request, self._name, done, self._tiles, worker, self._canvas, share, seconds))


def _compile_kernel(
    preparation: Preparation, request: Request, recorder: Recorder, announce: Callable[[str], None]
) -> Kernel:
    """The target's kernel; the time counts as compiling only where something was compiled or waited for, which is told.

    Otherwise machine code was loaded, as modules are.
    """
    told: list[str] = []

    def tell(text: str) -> None:
        told.append(text)
        announce(text)

    t0 = recorder.clock()
    try:
        return preparation.kernel(request, tell)
    finally:
        recorder.add("compile" if told else "import", t0, recorder.clock())


def _make_painter(request: Request, surface: Canvas, kernel: Kernel, recorder: Recorder) -> Painter:
    """What paints with this kind of kernel."""
    if isinstance(kernel, LaunchKernel):
        return Launcher(request, surface, kernel, recorder)
    return Painter(request, surface, kernel, recorder)


@contextmanager
def _save_on_error(rgb: np.ndarray, kept: list[Tile], tiles: int, salvage: Salvage | None) -> Iterator[None]:
    """Where painting fails, have the tiles that are done kept, and the error say where."""
    try:
        yield
    except RenderError as error:
        if salvage is not None and kept:
            unfinished = np.zeros_like(rgb)
            for _, x, y, width, height in kept:
                unfinished[y : y + height, x : x + width] = rgb[y : y + height, x : x + width]
            with suppress(OutputError):  # what failed first is told
                place = salvage(unfinished)
                error.remedy = f"{len(kept)} of {tiles} tiles are kept in {place}; {error.remedy}"
        raise


def load_available_mode(request: Request) -> modes.Mode:
    """The request's mode. Raises ModeUnavailable with the reason where it cannot run here."""
    mode, missing = modes.load(request.mode), modes.missing(request)
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
    with recorder.span("plan"), canvas(small, shared=False) as surface:
        kernel.for_request(small, p).paint(surface, 0, 0, small.width, small.height)
        _, counts, _ = surface.kept()
        assert counts is not None  # of one sample a pixel
        return {tile.number: _estimate_tile(counts, tile) for tile in cut(request)}


def _estimate_tile(counts: np.ndarray, tile: Tile) -> int:
    """The coarse steps under a tile, for its size."""
    rows = slice(tile.y // COARSE, (tile.y + tile.height - 1) // COARSE + 1)
    columns = slice(tile.x // COARSE, (tile.x + tile.width - 1) // COARSE + 1)
    return int(counts[rows, columns].mean() * tile.width * tile.height)


class Race(Frames):
    """The same picture in several modes: the frames in order, and the modes that did not run, with the reason."""

    frames: tuple[DrawnFrame, ...]

    def save(self, path: str | PathLike[str], *, plain: bool = False) -> None:
        """Save it as what the name says: `race.save("r.html")`, `.svg`, `.txt`, `.trace.json`, ...

        plain: without requests and timings. Raises UsageError for a name that tells nothing, and where no mode ran;
        OutputError where it cannot be written.
        """
        save_frames(path, self, plain=plain)

    def _repr_html_(self) -> str:
        """How a notebook shows it: the theatre, and under it the table and what follows from it.

        The theatre may run its own script, and nothing else: it is shut off from the notebook.
        """
        from render.outputs import page

        told = f"<pre>{escape(table.race_table(self.frames, self.not_run))}</pre>"
        if not self.frames:
            return told
        theatre = escape(page.write(self).decode())
        place = 'width="100%" height="900" style="border:0" sandbox="allow-scripts"'
        return f'<iframe title="the theatre" {place} srcdoc="{theatre}"></iframe>{told}'


def race(
    requests: Sequence[Request | Entrant],
    *,
    announce: Callable[[str], None] = announce_nothing,
    progress: Progress | None = None,
    clock: Clock = time.perf_counter_ns,
    watch: Watch | None = None,
    rounds: Rounds = Rounds(),  # noqa: B008  (it is frozen)
) -> Race:
    """Paint each request in turn, or each entrant; a mode that cannot run here is left out with its reason.

    All code is compiled before the first clock starts, so that no mode pays for being first. Then all run in turn, as
    often as `rounds` says; the frame of each is the repeat of median time (`render.findings.repeats.choose_median`). A
    simulated one runs once, for its time means nothing.
    """
    able, not_run = [], []
    for entrant in (one if isinstance(one, Entrant) else Entrant(one) for one in requests):
        try:
            load_available_mode(entrant.request)
        except ModeUnavailable as error:
            not_run.append((entrant.request.mode, str(error)))
        else:
            able.append(entrant)
    preparation, load = Preparation(), machine.load()
    for request, _, _ in able:
        check_count(request)
        preparation.check(request)
        preparation.compile(request, announce)
    paint = partial(draw, announce=announce, progress=progress, clock=clock, watch=watch, preparation=preparation)
    runs: list[tuple[Entrant, list[DrawnFrame]]] = [(entrant, []) for entrant in able]
    shown: list[DrawnFrame] = []
    began, made = clock(), 0
    while runs and (not made or rounds.needs_more(made, (clock() - began) / 1e9, shown)):
        for run in runs[:]:
            (request, facts, adapt), repeats = run
            if repeats and request.simulate:
                continue
            again = replace(request)  # whoever watches tells runs apart by their requests
            try:
                frame = paint(again, facts={**facts, "load": load}, adapt=adapt)
            except ModeUnavailable as error:  # which only starting its workers has shown
                if repeats or "lesson" in facts:  # a lesson needs all of its runs
                    raise
                not_run.append((request.mode, str(error)))
                runs = [other for other in runs if other is not run]
                continue
            first = next((frames[0] for _, frames in runs if frames), frame)
            repeats.append(share_pixels(frame, first))
        made += 1
        shown = [choose_median(repeats, runs[0][1][0]) for _, repeats in runs]
        if all(entrant.request.simulate for entrant, _ in runs):
            break
    return Race(tuple(shown), "race", tuple(not_run))
