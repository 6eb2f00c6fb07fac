"""The GPU against its own limit.

Ceilings first: copies, launches, and a loop of nothing but 3 fma and 1 sum a step, which no kernel reaches. Then the
kernel on interior points, the whole set, with shortcuts and without, beside a kernel written by hand in CUDA C++, and
other scenes: times on the GPU's own clock, between two events of a queue that is kept busy. `on the host` is from
handing a launch over to having picture and step counts here. Last, sizes of tiles. Every picture is compared with the
CPU's.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from typing import Any

from harness.cases import Absent, Case, Differ, Group, Missing

SET = {"x": -0.75, "y": 0.0, "zoom": 1.6, "bailout": 2.0, "shortcuts": 0}
INTERIOR = SET | {"x": -0.1, "zoom": 40.0}
DEEP = 50_000  # steps of an interior point
SIZE = (1920, 1080)
PAINTED, BARELY, HOST, BY_HAND, LIMIT = "painted", "steps alone", "painted, on the host", "CUDA C++", "limit"
SCENES = ("julia", "still_life", "mandelbulb")
EDGES = (64, 128, 256, 512)
MEGABYTE = 1 << 20


def groups(quick: bool) -> Iterator[Group]:  # noqa: FBT001  (one signature for all sections)
    """Ceilings, and the kernel in frames of several kinds."""
    precisions = ("f64", "f32")
    ceilings = ("copied inside", "copied home", "1000 launches", *(f"limit {one}" for one in precisions))
    yield _group("ceilings", ceilings, prepare_ceilings)
    for one in precisions:
        whole = (PAINTED, BARELY, HOST, BY_HAND, LIMIT)
        yield _group(f"whole set {one}", whole, partial(prepare_whole, one), base=BY_HAND)
        if not quick:
            yield _group(f"whole set {one}, shortcuts", (PAINTED, HOST), partial(prepare_shortcuts, one))
        yield _group(f"interior {one}", (PAINTED, LIMIT), partial(prepare_interior, one))
    for scene in SCENES[1:2] if quick else SCENES:
        yield _group(scene, (PAINTED, HOST), partial(prepare_scene, scene))
    if not quick:
        tiles = ("chosen", *(f"{edge}x{edge}" for edge in EDGES), "the whole frame")
        yield _group("tiles", tiles, prepare_tiles, base="chosen")


def _group(name: str, names: tuple[str, ...], prepare: Any, base: str | None = None) -> Group:
    controls = tuple(one for one in names if one.startswith((LIMIT, "copied", BY_HAND)))
    return Group(name, names, prepare, base, "none", seconds=1.0, controls=controls)


def open_bench() -> Any:
    """Open the first GPU. Raises Absent with the reason why there is none."""
    import card_reference

    from render.runtime.cuda import discovery

    found = discovery.find()
    if found.reason is not None:
        raise Absent(found.reason)
    return card_reference.Bench(found.gpus[0])


def ask(**options: Any) -> Any:
    """Complete a request for mode cuda: one sample a pixel."""
    from render.options import complete

    return complete(**({"mode": "cuda", "size": SIZE, "samples": 1} | options))


def prepare_ceilings(stack: ExitStack) -> Iterator[Case | Missing]:
    """Copies, launches, and the limits."""
    bench = open_bench()
    size = 256 * MEGABYTE
    here, there, other = bench.pinned(size // 4), bench.memory(size), bench.memory(size)

    def inside() -> None:
        bench.asked(bench.driver.cuMemcpyDtoDAsync(other, there, size, bench.queue))

    def home() -> None:
        bench.asked(bench.driver.cuMemcpyDtoHAsync(here.ctypes.data, there, here.nbytes, bench.queue))

    yield Case("copied inside", lambda: bench.seconds(inside), facts={"bytes": 2 * size}, clock="gpu")
    yield Case("copied home", lambda: bench.seconds(home), facts={"bytes": here.nbytes}, clock="gpu")
    nothing = loops(bench)("nothing")

    def launches() -> None:
        for _ in range(1000):
            bench.launch(nothing, 1, 32, [])

    yield Case("1000 launches", lambda: bench.seconds(launches), clock="gpu")
    for precision in ("f64", "f32"):
        yield limit(bench, precision, f"limit {precision}")


def loops(bench: Any) -> Any:
    """The kernels of references/ceilings.cu. Raises Absent where NVRTC cannot compile them."""
    import machine_code

    try:
        return bench.kernels("ceilings")
    except machine_code.Absent as absent:
        raise Absent(str(absent)) from absent


def limit(bench: Any, precision: str, name: str = LIMIT) -> Case:
    """A loop of nothing but 3 fma and 1 sum a step, on all multiprocessors."""
    import ctypes

    from card import CEILING_THREADS, PARALLEL, TURNS
    from card_reference import FMA_A_TURN, Argument

    kernel, real = loops(bench)(f"step_{precision}"), {"f64": ctypes.c_double, "f32": ctypes.c_float}[precision]
    place = bench.memory(CEILING_THREADS * 8)
    told = [Argument(place, ctypes.c_void_p), Argument(TURNS, ctypes.c_int32), Argument(0.5, real), Argument(1.0, real)]
    blocks = PARALLEL * bench.card.multiprocessors
    steps = TURNS * FMA_A_TURN * blocks * CEILING_THREADS // 3

    def once() -> float:
        return float(bench.seconds(lambda: bench.launch(kernel, blocks, CEILING_THREADS, told)))

    return Case(name, once, facts={"steps": steps}, clock="gpu")


def programs(stack: ExitStack, bench: Any, **requests: Any) -> Any:
    """The program's kernel for some requests, each equal to the CPU's picture. Raises Differ."""
    import card_program

    try:
        return stack.enter_context(card_program.programs(bench, **requests))
    except card_program.Differ as differ:
        raise Differ(1, 1, f"pictures ({differ})") from differ


def facts_of(program: Any) -> dict[str, Any]:
    """Return what rates are made from."""
    request = program.request
    return {"steps": int(program.made), "pixels": request.width * request.height, "limit_case": LIMIT}


def prepare_whole(precision: str, stack: ExitStack) -> Iterator[Case | Missing]:
    """Every step made, beside the kernel written by hand."""
    import machine_code
    from card_reference import Reference

    from harness.program import check_equal
    from sections.core import BARE

    bench = open_bench()
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
    except machine_code.Absent as absent:
        yield Missing(BY_HAND, str(absent))
    yield limit(bench, precision)


def prepare_shortcuts(precision: str, stack: ExitStack) -> Iterator[Case | Missing]:
    """The whole set as people draw it."""
    options: dict[str, Any] = {"parameters": SET | {"shortcuts": 1}, "limit": 1000, "precision": precision}
    yield from _both(stack, ask(**options))


def prepare_scene(scene: str, stack: ExitStack) -> Iterator[Case | Missing]:
    """A scene's first view."""
    yield from _both(stack, ask(scene=scene))


def _both(stack: ExitStack, request: Any) -> Iterator[Case | Missing]:
    """The kernel, and what having its picture here takes."""
    painted = programs(stack, open_bench(), painted=request)["painted"]
    yield Case(PAINTED, painted.seconds, equal=True, facts=facts_of(painted), clock="gpu")
    yield Case(HOST, painted.on_host, equal=True, facts=facts_of(painted))


def prepare_interior(precision: str, stack: ExitStack) -> Iterator[Case | Missing]:
    """No sample ends, so this is how near to the limit the loop itself comes."""
    bench = open_bench()
    options: dict[str, Any] = {"parameters": INTERIOR, "limit": DEEP, "precision": precision, "size": (1024, 1024)}
    painted = programs(stack, bench, painted=ask(**options))["painted"]
    if painted.made != DEEP * 1024 * 1024:
        raise Differ(DEEP * 1024 * 1024 - int(painted.made), DEEP * 1024 * 1024, "steps")
    yield Case(PAINTED, painted.seconds, equal=True, facts=facts_of(painted), clock="gpu")
    yield limit(bench, precision)


def prepare_tiles(stack: ExitStack) -> Iterator[Case | Missing]:
    """Sizes of tiles, by the trace, four samples a pixel."""
    from harness.program import painting
    from render import engine
    from render.options import complete

    open_bench()
    request = ask(samples=4)
    expected = engine.draw(complete(size=SIZE, samples=4, mode="parallel")).sha256
    shapes = {"chosen": request.tile} | {f"{edge}x{edge}": (edge, edge) for edge in EDGES} | {"the whole frame": SIZE}
    for name, tile in shapes.items():
        once = painting(ask(samples=4, tile=tile), expected, seconds="tiles")
        yield Case(name, once, equal=True, facts={"tile": list(tile)})
