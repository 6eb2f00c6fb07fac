"""Others who paint the same frame.

The program against NumPy, numba, Taichi, Mojo and C++, each as its own community would write it (`peers/`): the frame
of the public sql-mandelbrot-benchmark (1400 x 800, limit 256, float32) and one whole set in float64. One core against
one, all against all, and on a GPU numba-cuda and CuPy, with what is made copied home. Peers write step counts and
nothing else, as `steps alone` does; otherwise the program paints the colours as well. Peers make every step, as with
`shortcuts off` and `steps alone`; the program as people run it skips what it can prove.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from harness.cases import Absent, Case, Differing, Group, Missing

BARE = str(Path(__file__).parent.parent / "references" / "bare_mandelbrot.py")
OURS, ALL_STEPS, BARELY = "render", "render, shortcuts off", "render, steps alone"


CLOCKS = {"one": "thread", "all": "wall", "gpu": "wall"}
MODES = {"all": "parallel", "gpu": "cuda"}


class Scene(NamedTuple):
    """A frame that all paint."""

    title: str
    parameters: dict[str, Any]
    limit: int
    precision: str
    size: tuple[int, int]


SQL = Scene("sql-mandelbrot frame", {"x": -0.75, "y": 0.0, "zoom": 2.0}, 256, "f32", (1400, 800))
WHOLE = Scene("whole set f64", {"x": -0.75, "y": 0.0, "zoom": 1.6}, 500, "f64", (256, 256))


def groups(quick: bool) -> Iterator[Group]:  # noqa: FBT001  (one signature for all sections)
    """The kernels alone on one core and on all; in full also whole processes."""
    import peers

    others = {name: peers.load(name) for name in peers.names()}
    for scene in (SQL,) if quick else (SQL, WHOLE):
        for cores, called in (("one", "one core"), ("all", "all cores"), ("gpu", "GPU")):
            mine = {peer.NAME: name for name, peer in others.items() if cores == peer.CORES}
            yield Group(
                f"{scene.title}, {called}",
                (OURS, ALL_STEPS, *((BARELY,) if cores == "one" else ()), *mine),
                partial(prepare, scene, cores, mine),
                base=ALL_STEPS,
                yardstick={"one": "core", "all": "cores", "gpu": "none"}[cores],
                seconds=4.0,
                controls=tuple(mine),
            )
    if not quick:
        every = {peer.NAME: name for name, peer in others.items() if peer.CORES == "one"}
        yield Group(
            f"{SQL.title}, whole process",
            (OURS, *every),
            partial(prepare_processes, SQL, every),
            base=OURS,
            yardstick="interpreter",
            seconds=4.0,
            controls=tuple(every),
            cold=True,  # they have run once before, and take a second or more each
        )


def prepare(scene: Scene, cores: str, mine: dict[str, str], stack: ExitStack) -> Iterator[Case | Missing]:
    """The program's cases, then each peer's; raises RenderError where its mode cannot run here."""
    from harness.program import ask, check_equal, count_steps, drawing, frame_of, kernel_case, plain
    from render import engine
    from render.runtime.cuda import discovery

    if cores == "gpu" and (reason := discovery.find().reason) is not None:
        raise Absent(reason)
    slow = plain(scene.parameters, scene.limit, scene.precision, scene.size)
    fast = plain(scene.parameters, scene.limit, scene.precision, scene.size, shortcuts=True)
    expected = count_steps(ask(**slow))
    check_equal(count_steps(ask(**fast)), expected)
    hashed = engine.draw(ask(**slow)).sha256
    steps = int(expected.sum(dtype="int64"))
    facts = {"pixels": expected.size, "steps": steps, "computed": steps}
    cut = facts | {"computed": count_computed(scene, expected), "computed_is": "at most"}
    for name, options, told in ((OURS, fast, cut), (ALL_STEPS, slow, facts)):
        if cores == "one":
            yield kernel_case(name, expected, told, **options)
        else:
            once, _ = drawing(stack, hashed, **options, mode=MODES[cores])
            yield Case(name, once, equal=True, facts=told)
    if cores == "one":
        yield kernel_case(BARELY, expected, facts, **slow, scene=BARE)
    for name, file in mine.items():
        yield from compare_peer(name, file, frame_of(ask(**slow)), expected, facts)


def compare_peer(name: str, file: str, frame: Any, expected: Any, facts: dict[str, Any]) -> Iterator[Case | Missing]:
    """One peer: built, its counts compared, and then a case. Raises Differ where it must be equal and is not."""
    import numpy as np

    import peers
    from harness.program import check_equal
    from harness.timing import THREAD, timed

    peer = peers.load(file)
    try:
        counts = peer.build(frame)
    except Absent as absent:
        yield Missing(name, str(absent))
        return
    out = np.zeros_like(expected)
    once = timed(lambda: counts(out), THREAD if peer.CORES == "one" else time.perf_counter_ns)
    warmup = once()
    differing = int((out != expected).sum())
    if peer.WHY is None:
        check_equal(out, expected)
    made = int(out.sum(dtype=np.int64))
    equal: Any = Differing(differing, peer.WHY) if differing else True
    lacks = " ".join((peer.__doc__ or "").split("\n\n", 1)[-1].split())
    told = facts | {"steps": made, "computed": made, "lacks": lacks}
    yield Case(name, once, equal, told, CLOCKS[peer.CORES], warmup)


def count_computed(scene: Scene, expected: Any) -> int:
    """Count the steps outside of cardioid and disc: the program makes no more, and fewer where it finds cycles."""
    import numpy as np

    width, height = scene.size
    pitch = 4 / (scene.parameters["zoom"] * height)
    x = scene.parameters["x"] + (np.arange(width) + 0.5 - width / 2) * pitch
    y = (scene.parameters["y"] + (height / 2 - np.arange(height) - 0.5) * pitch)[:, None]
    q = (x - 0.25) ** 2 + y**2
    skipped = (q * (q + x - 0.25) <= y**2 / 4) | ((x + 1) ** 2 + y**2 <= 1 / 16)
    return int(expected[~skipped].sum(dtype=np.int64))


def prepare_processes(scene: Scene, every: dict[str, str], stack: ExitStack) -> Iterator[Case | Missing]:
    """Whole processes, warm: start, import, load or compile, paint, save."""
    import peers
    from harness import whole
    from harness.program import ask, count_steps, frame_of, plain

    request = ask(**plain(scene.parameters, scene.limit, scene.precision, scene.size))
    expected = count_steps(request)
    facts = {"pixels": expected.size}
    yield Case(OURS, whole.program(stack, request, expected), equal=True, facts=facts)
    for name, file in every.items():
        peer = peers.load(file)
        try:
            once, differing = whole.peer(stack, file, frame_of(request), expected)
        except Absent as absent:
            yield Missing(name, str(absent))
            continue
        yield Case(name, once, Differing(differing, peer.WHY or "") if differing else True, facts)
