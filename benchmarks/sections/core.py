"""One core against its own limit.

The Mandelbrot set, one worker, one sample, every step made: the whole set, points of the interior only, a place on the
boundary. `painted` is the kernel with colours; `steps alone` has a scene whose colours cost nothing, as C++ has, which
writes step counts only. `limit` issues 3 fma and 1 sum for a step, none of which waits for another: no loop that steps
real points reaches it. Then shortcuts on against off, and a limit of 50,000 against 1,000.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from harness.cases import Absent, Case, Group, Missing

BARE = str(Path(__file__).parent.parent / "references" / "bare_mandelbrot.py")
PAINTED, BARELY, CPP, LIMIT = "painted", "steps alone", "C++ intrinsics", "limit"
ROUNDS = 200_000  # of the limit's loop: about half a millisecond
CHAINS = 9  # of fma in a round, and a third as many of sums, that wait for nothing but themselves
SET = {"x": -0.75, "y": 0.0, "zoom": 1.6}


class Place(NamedTuple):
    """What is painted."""

    parameters: dict[str, float]
    limit: int
    edge: int
    tested: bool = True


PLACES = {
    "whole set": Place(SET, 500, 256),
    "whole set, limit 5000": Place(SET, 5000, 256),
    "interior": Place(SET | {"x": -0.1, "zoom": 40.0}, 20_000, 48, tested=False),
    "boundary": Place(SET | {"x": -0.743643887037151, "y": 0.13182590420533, "zoom": 1e5}, 8192, 192),
}
IN_QUICK = ("whole set", "interior")


def groups(quick: bool) -> Iterator[Group]:  # noqa: FBT001  (one signature for all sections)
    """One group for each place and precision, and two about shortcuts."""
    for precision in ("f64", "f32"):
        for name in IN_QUICK if quick else PLACES:
            if (name, precision) != ("boundary", "f32"):  # too deep for it
                names, controls = (PAINTED, BARELY, CPP, LIMIT), (CPP, LIMIT)
                prepared = partial(prepare, name, precision)
                yield Group(f"{name} {precision}", names, prepared, CPP, controls=controls, seconds=1.5)
    if not quick:
        yield Group("shortcuts, limit 5000, f64", ("on", "off"), prepare_shortcuts, base="off", seconds=1.5)
        yield Group("deep f64", ("limit 1000", "limit 50000"), prepare_deep, base="limit 1000", seconds=1.5)


def prepare(name: str, precision: str, stack: ExitStack) -> Iterator[Case | Missing]:
    """The program twice, C++, and the limit."""
    from harness.program import ask, check_equal, count_steps, kernel_case, plain
    from harness.timing import THREAD, timed

    place = PLACES[name]
    options = plain(place.parameters, place.limit, precision, (place.edge, place.edge))
    bare = {**options, "scene": BARE}
    request = ask(**options)
    expected = count_steps(request)
    check_equal(count_steps(ask(**bare)), expected)
    yield kernel_case(PAINTED, expected, **options)
    yield kernel_case(BARELY, expected, **bare)
    yield cpp_case(request, expected, test=place.tested)
    fill = fill_core(precision)
    lanes = fill(ROUNDS, True)  # noqa: FBT003
    facts = {"steps": ROUNDS * CHAINS // 3 * lanes, "lanes": lanes}
    yield Case(LIMIT, timed(lambda: fill(ROUNDS, True), THREAD), facts=facts, clock="thread")  # noqa: FBT003


def cpp_case(request: Any, expected: Any, *, test: bool = True) -> Case | Missing:
    """Make the case of C++, whose counts are compared first. Raises Differ."""
    import numpy as np

    from harness.program import check_equal, count_facts, frame_of
    from harness.timing import THREAD, timed
    from peers.cpp import HandWritten

    try:
        loop, out = HandWritten(), np.zeros_like(expected)
        count = partial(loop.counts, frame_of(request), out, test=test)
        count()
    except Absent as absent:
        return Missing(CPP, str(absent))
    check_equal(out, expected)
    facts = count_facts(expected) | {"instructions": loop.instructions}
    return Case(CPP, timed(count, THREAD), equal=True, facts=facts, clock="thread")


def fill_core(precision: str) -> Callable[[int, bool], int]:
    """Return the limit's loop: by C++, or by numba where there is no compiler."""
    from harness.core_limit import numba_issue
    from peers.cpp import HandWritten

    try:
        return partial(HandWritten().issue, precision)
    except Absent:
        return numba_issue(precision)


def prepare_shortcuts(stack: ExitStack) -> Iterator[Case | Missing]:
    """Shortcuts change no count."""
    from harness.program import ask, count_steps, kernel_case, plain

    expected = count_steps(ask(**plain(SET, 5000, "f64", (256, 256))))
    for name in ("on", "off"):
        yield kernel_case(name, expected, **plain(SET, 5000, "f64", (256, 256), shortcuts=name == "on"))


def prepare_deep(stack: ExitStack) -> Iterator[Case | Missing]:
    """A limit fifty times as high should hardly cost more, with shortcuts on."""
    from harness.program import ask, count_steps, kernel_case, plain

    for limit in (1000, 50_000):
        options = plain(SET, limit, "f64", (256, 256), shortcuts=True)
        yield kernel_case(f"limit {limit}", count_steps(ask(**options)), **options)
