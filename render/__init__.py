"""One picture, painted in four ways, equal to the last bit: see who worked on what and when.

    import render
    frame = render.draw(scene="mandelbrot", mode="parallel")     # one picture; frame.save("x.png")
    result = render.race(size=(640, 360))                        # the same picture in every mode

How data flows, and where each stage lives (imports go only downwards):

    frontend/*                  the command line, the library, sessions, the terminal: what people and programs talk to
    film/*                      films: frames painted, encoded and written at the same time; for a player, in parts
    server/*                    the web server that switches between its users: tiles, explorer, the lesson live
    options, like               options + scene + machine -> Request; a saved picture's request with others over it
    engine, preparation         the order of the stages; what is done once before the painting, and kept (prepared)
    results                     frames as the library gives them: they can be saved
    modes/*                     who works when: sequential, concurrent, parallel, cuda
    backends/*                  what a worker of mode parallel is: a thread, a process, one on another machine
    lessons/*                   races that answer one question
    outputs/*                   what is kept of a frame and its trace: pictures, tables, pages
    stats, cpu_time, findings/* figures that a trace proves, and what may be said of them, the same on every surface
    comparison/*                are two pictures equal, and if not, whose tiles differ; what one picture is
    painting/*                  one tile of one request with one target: the painter
    targets/*                   what code runs: python (the definition), scalar, simd, cuda
    runtime/*                   what runs compiled code: kernels for CPUs, GPUs, the simulator; what a kernel is
    codegen/*                   from a scene's plain functions to machine code, which is kept
    kernels/*                   what lanes do: the loops around a scene
    scene, contract/*           what is drawn: a stepping rule, written in the lane vocabulary (../scenes/*); its rules
    plan, frame, sampling       tiles; pixels; where samples lie and how light becomes a pixel
    pictures/*                  PNG written fast; files of any kind read with care
    storage/*                   what outlives the process: whole files, the journal of an unfinished picture
    lanes, language/*, trace    the words that scenes are written in, and what they mean; spans of one clock
    request, errors, version    what to draw, checked; what can go wrong, and what to do; which program this is

The words, which mean the same everywhere; one word for one idea:

    request       what to draw, how to cut it, who draws it: frozen, checked, the only thing passed to workers
    scene         what is drawn: how one sample starts, steps, ends and is shaded
    sample        one point of the picture plane; a pixel is the mean of one or more samples
    inside        of a sample: still alive at the limit of steps
    plan, tile    the ordered list of tiles of a request; a rectangle of the frame, with its number
    slab          some rows of tiles, painted on a canvas of their own; a frame that fits in memory is one slab
    band          rows of pixels as wide as the picture, on their way into a file or out of one
    window        the pixels of one rectangle of a frame, painted alone, in memory of its own
    frame         pixels + request + trace
    session       a scene prepared once, that draws many frames and windows
    output        a file made from frame + trace

    mode          who works when
    backend       for mode parallel only: what a worker is (threading, loky, dask)
    worker        one that paints: a thread, a process, a GPU stream; seen from inside, a GPU's multiprocessor
    cluster       machines whose workers a scheduler gives tasks to; a host is one of them, as the cluster names it
    slot          of a worker of a cluster: room for one task at a time; a task is some tiles that are sent together
    at a tile     of a worker: it has a tile under way
    on a CPU      of a worker: it has a CPU at this instant, and so paints
    idle          of a worker: it has no tile under way
    in flight     of tiles: started but not finished
    painter       paints one tile of one request with one target; knows nothing of modes
    slice         one uninterrupted piece of painting, after which a tile may be suspended and another resumed
    span          one worker, one tile, one kind of time, from t0 to t1 (integer ns)
    trace         all spans of one run
    median        of repeated runs: the one of median time, which is the one that is shown

    client        one that asks the server; its requests wait in a queue of its own, and clients take turns

    target        what code runs
    kernel        a compiled function that paints: the loop around a scene
    lane          one sample's place in a vector or GPU thread; lanes step together
    mask          a truth value for each lane: `where(mask, a, b)` selects, a masked store writes only where it is true
    step, batch   one application of the scene's rule; the steps between two tests of whether lanes are still alive
    queue         the samples of a tile that wait for a lane; to refill is to give free lanes the next ones
    accumulator   where the light of a pixel's samples is added up
    cache, key    compiled code kept between runs; everything it depends on, hashed into the name it is stored under

    GPU           a graphics processor (what a lesson calls a graphics card)
    device        what a launch runs on: one GPU, several, or the simulator
    launch        one start of a kernel on a device; a stream runs its launches in order
    thread block  the threads that one multiprocessor runs together; "block" means nothing else
    warp          32 threads that step together; ballot, popcount, lane rank and broadcast are its operations
    occupancy     how many warps a multiprocessor holds, as a share of the most it can hold

Things start and finish; results are returned or reported; measurements are recorded; settings are requested.
A function is named by verb and object (`check_scene`); one word stands alone only where the module completes it
(`plan.cut`).
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from render.version import VERSION

if TYPE_CHECKING:
    from render.engine import Race
    from render.errors import RenderError
    from render.frame import Frame
    from render.frontend.library import draw, lesson, race, session
    from render.request import Request

__version__ = VERSION
__all__ = ["Frame", "Race", "RenderError", "Request", "draw", "lesson", "race", "session"]

_HOME = {
    "draw": "frontend.library",
    "race": "frontend.library",
    "lesson": "frontend.library",
    "session": "frontend.library",
    "Frame": "frame",
    "Race": "engine",
    "Request": "request",
    "RenderError": "errors",
}


def __getattr__(name: str) -> Any:
    """Public names come on first use (PEP 562), so that `import render` costs nothing."""
    if name not in _HOME:
        raise AttributeError(f"module 'render' has no attribute {name!r}")
    value = getattr(import_module(f"render.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """List what a user of the library should see."""
    return sorted({*globals(), *__all__})
