"""The GPU against its own limit.

Ceilings first: copies, launches, and loops of nothing but fma, or of 3 fma and 1 sum a step, which no kernel reaches.
Then the kernel on interior points, the whole set, with shortcuts and without, beside a kernel written by hand in CUDA
C++, and other scenes: times on the GPU's own clock, between two events of a queue that is kept busy. `on the host` is
from handing a launch over to having picture and step counts here. Last, sizes of tiles and numbers of launches. Every
picture is compared with the CPU's.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from functools import cache, partial
from math import prod
from typing import Any
from unittest.mock import patch

from harness.cases import Absent, Case, Differ, Group, Missing, Once

SET = {"x": -0.75, "y": 0.0, "zoom": 1.6, "bailout": 2.0, "shortcuts": 0}
INTERIOR = SET | {"x": -0.1, "zoom": 40.0}
DEEP, SQUARE = 50_000, (1024, 1024)  # steps of an interior point, and the frame of such points
SIZE = (1920, 1080)
PAINTED, BARELY, HOST, BY_HAND, LIMIT = "painted", "steps alone", "painted, on the host", "CUDA C++", "limit"
SCENES = ("julia", "still_life", "mandelbulb")
EDGES = (16, 64, 128, 256, 512)
LAUNCHES = (1, 2, 3, 4, 6, 8, 16)
PRECISIONS = ("f64", "f32")
MOVED = ("copied inside", "copied home", "1000 launches")


def groups(quick: bool) -> Iterator[Group]:  # noqa: FBT001  (one signature for all sections)
    """Ceilings, and the kernel in frames of several kinds."""
    loops = [f"limit {one}" for one in PRECISIONS] + ([] if quick else [f"fma {one}" for one in PRECISIONS])
    yield _group("ceilings", (*MOVED, *loops), partial(prepare_ceilings, loops))
    for one in PRECISIONS:
        whole = (PAINTED, BARELY, HOST, BY_HAND, LIMIT)
        yield _group(f"whole set {one}", whole, partial(prepare_whole, one), base=BY_HAND)
        if not quick:
            yield _group(f"whole set {one}, shortcuts", (PAINTED, HOST), partial(prepare_shortcuts, one, 1))
            yield _group(f"whole set {one}, four samples", (PAINTED, HOST), partial(prepare_shortcuts, one, 4))
        yield _group(f"interior {one}", (PAINTED, LIMIT), partial(prepare_interior, one))
    for scene in SCENES[1:2] if quick else SCENES:
        yield _group(scene, (PAINTED, HOST), partial(prepare_scene, scene, None))
    if not quick:
        yield _group("seahorses", (PAINTED, HOST), partial(prepare_scene, "mandelbrot", "seahorses"))
        tiles = ("chosen", *(f"{edge}x{edge}" for edge in EDGES), "the whole frame")
        yield _group("tiles", tiles, prepare_tiles, base="chosen")
        launches = tuple(map(launches_name, LAUNCHES))
        yield _group("launches", launches, prepare_launches, base=launches_name(2))


def _group(name: str, names: tuple[str, ...], prepare: Any, base: str | None = None) -> Group:
    controls = tuple(one for one in names if one.startswith((LIMIT, "fma", "copied", BY_HAND)))
    return Group(name, names, prepare, base, "none", seconds=1.0, controls=controls)


def launches_name(count: int) -> str:
    """Name a case of so many launches a frame."""
    return f"{count} launch{'es' if count > 1 else ''}"


@cache
def open_bench() -> Any:
    """Open the first GPU, once in a process. Raises Absent with the reason why there is none."""
    from render.runtime.cuda import discovery

    found = discovery.find()
    if found.reason is not None:
        raise Absent(found.reason)
    from gpu.bench import Bench

    return Bench(found.usable[0])


def ask(**options: Any) -> Any:
    """Complete a request for mode cuda: one sample a pixel."""
    from render.options import complete

    return complete(**({"mode": "cuda", "size": SIZE, "samples": 1} | options))


def prepare_ceilings(loops: list[str], stack: ExitStack) -> Iterator[Case | Missing]:
    """Copies, launches, and the limits."""
    bench = open_bench()
    from gpu.ceilings import issuing, moving

    yield from moving(bench).values()
    for name in loops:
        loop, precision = name.split()
        yield issuing(bench, precision, name, {LIMIT: "step"}.get(loop, loop))


def programs(stack: ExitStack, bench: Any, **requests: Any) -> Any:
    """Load the program's kernel for some requests, each equal to the CPU's picture. Raises Differ."""
    from gpu import program

    return stack.enter_context(program.programs(bench, **requests))


def facts_of(program: Any) -> dict[str, Any]:
    """Return what rates are made from."""
    request = program.request
    return {"steps": int(program.made), "pixels": request.width * request.height}


def prepare_whole(precision: str, stack: ExitStack) -> Iterator[Case | Missing]:
    """Every step made, beside the kernel written by hand."""
    bench = open_bench()
    from gpu.by_hand import Reference
    from gpu.ceilings import issuing
    from harness.program import check_equal
    from sections.core import BARE

    options: dict[str, Any] = {"parameters": SET, "limit": 1000, "precision": precision}
    made = programs(stack, bench, painted=ask(**options), bare=ask(**options, scene=BARE))
    painted, facts = made["painted"], facts_of(made["painted"])
    yield Case(PAINTED, painted.seconds, equal=True, facts=facts, clock="gpu")
    yield Case(BARELY, made["bare"].seconds, equal=True, facts=facts, clock="gpu")
    yield Case(HOST, painted.on_host, equal=True, facts=facts)
    try:
        by_hand = Reference(bench, painted.request)
        by_hand.seconds()
        check_equal(by_hand.counts(), painted.steps)
        yield Case(BY_HAND, by_hand.seconds, equal=True, facts=facts, clock="gpu")
    except Absent as absent:
        yield Missing(BY_HAND, str(absent))
    yield issuing(bench, precision, LIMIT)


def prepare_shortcuts(precision: str, samples: int, stack: ExitStack) -> Iterator[Case | Missing]:
    """The whole set as people draw it."""
    options: dict[str, Any] = {"parameters": SET | {"shortcuts": 1}, "limit": 1000, "precision": precision}
    yield from _both(stack, samples=samples, **options)


def prepare_scene(scene: str, view: str | None, stack: ExitStack) -> Iterator[Case | Missing]:
    """A scene's first view, or the view of this name."""
    yield from _both(stack, scene=scene, **({"view": view} if view else {}))


def _both(stack: ExitStack, **options: Any) -> Iterator[Case | Missing]:
    """The kernel, and what having its picture here takes."""
    bench = open_bench()
    painted = programs(stack, bench, painted=ask(**options))["painted"]
    yield Case(PAINTED, painted.seconds, equal=True, facts=facts_of(painted), clock="gpu")
    yield Case(HOST, painted.on_host, equal=True, facts=facts_of(painted))


def prepare_interior(precision: str, stack: ExitStack) -> Iterator[Case | Missing]:
    """No sample ends, so this is how near to the limit the loop itself comes."""
    bench = open_bench()
    from gpu.ceilings import issuing

    options: dict[str, Any] = {"parameters": INTERIOR, "limit": DEEP, "precision": precision, "size": SQUARE}
    painted, steps = programs(stack, bench, painted=ask(**options))["painted"], DEEP * prod(SQUARE)
    if painted.made != steps:
        raise Differ(steps - int(painted.made), steps, "steps")
    yield Case(PAINTED, painted.seconds, equal=True, facts=facts_of(painted), clock="gpu")
    yield issuing(bench, precision, LIMIT)


def prepare_tiles(stack: ExitStack) -> Iterator[Case | Missing]:
    """Sizes of tiles, by the trace, four samples a pixel."""
    from harness.program import painting

    open_bench()
    request, expected = ask(samples=4), _expected()
    shapes = {"chosen": request.tile} | {f"{edge}x{edge}": (edge, edge) for edge in EDGES} | {"the whole frame": SIZE}
    for name, tile in shapes.items():
        once = painting(ask(samples=4, tile=tile), expected, seconds="tiles")
        yield Case(name, once, equal=True, facts={"tile": list(tile)})


def prepare_launches(stack: ExitStack) -> Iterator[Case | Missing]:
    """So many launches a frame, each on a stream of its own, in small tiles."""
    from harness.program import painting

    open_bench()
    once = painting(ask(samples=4, tile=(80, 72)), _expected(), seconds="tiles")
    for count in LAUNCHES:
        yield Case(launches_name(count), partial(with_launches, count, once), equal=True, facts={"launches": count})


def with_launches(count: int, once: Once) -> float:
    """Draw with so many launches a frame."""
    with ExitStack() as patched:
        for module in ("runtime.launch", "modes.cuda"):
            patched.enter_context(patch(f"render.{module}.LAUNCHES", count))
        patched.enter_context(patch("render.targets.cuda.STREAMS", count))
        return once()


def _expected() -> str:
    """Return the hash of the frame that tiles and launches cut, as the CPU paints it."""
    from render import engine
    from render.options import complete

    return engine.draw(complete(size=SIZE, samples=4, mode="parallel")).sha256
