"""The only place that knows the order of the stages: request, plan, compile, paint, frame.

frame = draw(request)                  one picture in one mode
result = race(requests)                the same picture in several modes, and whether they are equal
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from html import escape
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np

from render import contract, machine, modes, scene, targets
from render.errors import ModeUnavailable, OutputError, RenderError
from render.frame import Frame, Frames, canvas, title
from render.outputs import table
from render.painter import Done, Painter, failure
from render.plan import Tile, cut, plan
from render.repeats import Rounds, middle, sharing
from render.request import Request
from render.targets import Kernel
from render.trace import Clock, Recorder, Trace, Worker

Progress = Callable[[Done, int], None]  # a tile that is done, and how many there are in all
Adapt = Callable[[Kernel], Kernel]
Salvage = Callable[[np.ndarray], str]  # keeps an unfinished picture, black where it is not painted, and says where


class Moment(NamedTuple):
    """A tile is done: of which run, the tile, how many there are, who painted it, and the canvas as it is now."""

    request: Request
    name: str
    done: Done
    tiles: int
    worker: Worker
    rgb: np.ndarray


Watch = Callable[[Moment], None]


class Entrant(NamedTuple):
    """A run of a race: its request, facts for its trace (`label`: the name it goes by), and what its kernel becomes."""

    request: Request
    facts: Mapping[str, str] = MappingProxyType({})
    adapt: Adapt | None = None


COARSE = 16  # pixels along an edge that one pixel stands for, when costs are estimated


def silent(text: str) -> None:
    """Announce nothing."""


def draw(
    request: Request,
    *,
    announce: Callable[[str], None] = silent,
    progress: Progress | None = None,
    clock: Clock = time.perf_counter_ns,
    began: int | None = None,
    facts: Mapping[str, Any] = MappingProxyType({}),
    adapt: Adapt | None = None,
    watch: Watch | None = None,
    salvage: Salvage | None = None,
) -> Frame:
    """Paint a request in its mode. `began`: when the program was entered (ns of `clock`), if that was earlier.

    `facts` are kept in the trace; `label` among them is the name that the run goes by in place of its mode's. `adapt`
    gives what paints in place of the target's kernel, which may have `corrected(spans)` if it knows better when it did.
    `salvage` is given the tiles that are done where a later one fails.

    Raises ModeUnavailable where the mode cannot run here, TileError where a tile fails.
    """
    asked = clock()
    load = machine.load()
    recorder = Recorder(clock)
    began = asked if began is None else began
    if began < asked:
        recorder.add("import", began, asked)
    mode = available(request)
    try_out(request)
    with canvas(request, shared=mode.shared(request)) as surface:
        with recorder.span("compile"):
            kernel = targets.load(request.target).compile(scene.load(request.scene), request, announce)
        kernel = kernel if adapt is None else adapt(kernel)
        tiles = plan(request, lambda: costs(request, recorder))
        painter = Painter(request, surface, kernel, recorder)
        steps = 0
        kept: list[Tile] = []
        with _salvaged(surface.rgb, kept, len(tiles), salvage), closing(mode.run(tiles, painter)) as done:  # type: ignore[type-var]
            for finished in done:
                steps += finished.steps
                kept.append(finished.tile)
                if progress is not None:
                    progress(finished, len(tiles))
                if watch is not None:
                    worker = recorder.painter_of(finished.tile.number)
                    watch(Moment(request, title(request, facts), finished, len(tiles), worker, surface.rgb))
        rgb, counts = surface.kept()
    ran = (
        {"load": load}
        | machine.facts()
        | {"device": machine.cpu_name(), "simulated": request.simulate, "kernel": kernel.about}
    )
    ran |= {"asked": request.workers if "workers" in mode.OPTIONS else 1}
    ran |= getattr(kernel, "facts", {}) | dict(facts)
    spans = getattr(kernel, "corrected", tuple)(recorder.drain())
    trace = Trace(spans, began, asked, clock(), ran)
    return Frame(rgb, counts, steps, request, trace)


@contextmanager
def _salvaged(rgb: np.ndarray, kept: list[Tile], tiles: int, salvage: Salvage | None) -> Iterator[None]:
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


def try_out(request: Request) -> None:
    """Find out what is wrong with the scene before anything is painted.

    Raises SceneError where it breaks the contract, TileError (for the first tile) where it raises something itself.
    """
    loaded = scene.load(request.scene)
    try:
        contract.check(loaded, request)
    except RenderError:
        raise
    except Exception as error:
        line = scene.line_in(loaded.path, error)
        first = cut(request)[request.only_tile or 0]
        raise failure(request, first, f"{type(error).__name__}: {error} (line {line})") from error


def available(request: Request) -> modes.Mode:
    """The request's mode. Raises ModeUnavailable with the reason where it cannot run here."""
    mode = modes.load(request.mode)
    missing = mode.missing(request)
    if missing is not None:
        reason, remedy = missing
        raise ModeUnavailable(f"mode {request.mode} cannot run here: {reason}", remedy)
    return mode


def costs(request: Request, recorder: Recorder) -> Mapping[int, int]:
    """Estimated steps of each tile by number, from a picture 1/16 as wide and high."""
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
        coarse = targets.load(request.target).compile(scene.load(request.scene), small, silent)
        coarse.paint(surface, 0, 0, small.width, small.height)
        return {tile.number: _sum(np.asarray(surface.steps), tile) for tile in cut(request)}


def _sum(counts: np.ndarray, tile: Tile) -> int:
    """The coarse steps under a tile, for its size."""
    rows = slice(tile.y // COARSE, (tile.y + tile.height - 1) // COARSE + 1)
    columns = slice(tile.x // COARSE, (tile.x + tile.width - 1) // COARSE + 1)
    return int(counts[rows, columns].mean() * tile.width * tile.height)


class Race(Frames):
    """The same picture in several modes: the frames in order, and the modes that did not run, with the reason."""

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
    announce: Callable[[str], None] = silent,
    progress: Progress | None = None,
    clock: Clock = time.perf_counter_ns,
    watch: Watch | None = None,
    rounds: Rounds = Rounds(),  # noqa: B008  (it is frozen)
) -> Race:
    """Paint each request in turn, or each entrant; a mode that cannot run here is left out with its reason.

    All code is compiled before the first clock starts, so that no mode pays for being first. Then all run in turn, as
    often as `rounds` says; the frame of each is the repeat of median time (`render.repeats.middle`). A simulated one
    runs once, for its time means nothing.
    """
    able, not_run = [], []
    for entrant in (one if isinstance(one, Entrant) else Entrant(one) for one in requests):
        try:
            available(entrant.request)
        except ModeUnavailable as error:
            not_run.append((entrant.request.mode, str(error)))
        else:
            able.append(entrant)
    load = machine.load()
    for request, _, _ in able:
        try_out(request)
        targets.load(request.target).compile(scene.load(request.scene), request, announce)
    made: list[list[Frame]] = [[] for _ in able]
    shown: list[Frame] = []
    began = clock()
    while able and (not shown or rounds.more(len(made[0]), (clock() - began) / 1e9, shown)):
        for (request, facts, adapt), repeats in zip(able, made, strict=True):
            if repeats and request.simulate:
                continue
            again = replace(request)  # whoever watches tells runs apart by their requests
            told = {**facts, "load": load}
            frame = draw(again, announce=announce, progress=progress, clock=clock, facts=told, adapt=adapt, watch=watch)
            repeats.append(sharing(frame, made[0][0]) if made[0] else frame)
        shown = [middle(repeats, made[0][0]) for repeats in made]
    return Race(tuple(shown), "race", tuple(not_run))
