"""The program's kernel of a GPU beside others written by hand.

View by view, in both precisions, with shortcuts and without: the program's two passes, and the designs of
`gpu/designs.py`, which paint the program's picture without tiles, records and relief. Measured only when it is named:
there are many views, and each is compared with the CPU's picture first.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from itertools import product
from typing import Any

from harness.cases import Case, Group, Missing

VIEWS = ("whole", "seahorses", "elephants", "tails", "spiral", "brooch", "interior")
INTERIOR = {"x": -0.1, "y": 0.0, "zoom": 40.0, "limit": 5000}
PROGRAM = "program"
LISTING = "program, all listed"  # its first pass never follows on
DESIGNS = tuple(f"{kind}, {how}" for kind in ("pixels", "refill") for how in ("one by one", "by halves"))


def groups(quick: bool) -> Iterator[Group]:  # noqa: FBT001  (one signature for all sections)
    """One group for each view, precision, and shortcuts or none; of the interior without; in quick the whole set."""
    for precision, view, shortcuts in product(("f64", "f32"), VIEWS[:1] if quick else VIEWS, (0, 1)):
        if not (view == "interior" and shortcuts):
            yield Group(
                f"{view} {precision}{', shortcuts' if shortcuts else ''}",
                (PROGRAM, LISTING, *DESIGNS),
                partial(prepare, precision, view, shortcuts),
                base=DESIGNS[0],
                yardstick="none",
                seconds=0.5,
                controls=DESIGNS,
                on_request=True,
            )


def ask(precision: str, view: str, *, shortcuts: int) -> Any:
    """Complete a request for a view. Raises UsageError where float32 cannot tell its pixels apart."""
    from render import scene
    from sections import gpu

    chosen = dict(INTERIOR if view == "interior" else scene.load("mandelbrot").views[view])
    limit = int(chosen.pop("limit", 1000))
    parameters = {name: value for name, value in chosen.items() if name in ("x", "y", "zoom")}
    parameters |= {"shortcuts": shortcuts, "light": 0.0, "edge": 0.0}
    return gpu.ask(precision=precision, limit=limit, parameters=parameters)


def prepare(precision: str, view: str, shortcuts: int, stack: ExitStack) -> Iterator[Case | Missing]:
    """The program, and each design that this view needs."""
    from gpu.designs import ByHand
    from sections.gpu import facts_of, open_bench, programs

    bench = open_bench()
    program = programs(stack, bench, program=ask(precision, view, shortcuts=shortcuts))[PROGRAM]
    facts = facts_of(program)
    yield Case(PROGRAM, program.seconds, equal=True, facts=facts, clock="gpu")
    yield Case(LISTING, program.listing_seconds, equal=True, facts=facts, clock="gpu")
    by_hand = ByHand(bench, program)
    stack.callback(by_hand.close)
    left = list(DESIGNS)
    for name, once in by_hand.works():
        left.remove(name)
        yield Case(name, once, equal=True, facts=facts, clock="gpu")
    for name in left:
        yield Missing(name, "no sample goes on after the first pass, so there is nothing to list")
