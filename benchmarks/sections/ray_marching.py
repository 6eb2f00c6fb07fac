"""The ray-marched scenes on one core.

`still_life` with target simd, with target scalar (one lane at a time), and by a plain loop of 64 lanes
(`harness/plain_loop.py`), which shades every pixel in full, or skips what no lane needs; and without leaving out the
shapes that are too far to matter. The limit is what vectors can bring to the scene's arithmetic: rays stepped straight,
without a test, 64 at a time and one at a time. `mandelbulb` with both targets.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from harness.cases import Case, Group, Missing

SIMD, SCALAR, PLAIN, SKIPPING = "simd", "scalar", "plain, 64 lanes", "plain, skipping"
TARGETS = SIMD, SCALAR
ALL_SHAPES = {"simd, all shapes": SIMD, "scalar, all shapes": SCALAR}
MANY, ONE = "64 lanes, straight", "one lane, straight"
SIZE = (640, 360)  # multiples of 8, for the plain loop takes whole patches only


def groups(quick: bool) -> Iterator[Group]:  # noqa: FBT001  (one signature for all sections)
    """Painting; where they are named, also plain loops, which take long to compile; nothing in quick."""
    if quick:
        return
    yield Group("still_life 640x360", TARGETS, partial(prepare, "still_life", TARGETS), SCALAR, seconds=2.0)
    bulb = partial(prepare, "mandelbulb", TARGETS)
    yield Group("mandelbulb 640x360", TARGETS, bulb, SCALAR, seconds=2.0, on_request=True)
    loops = (SIMD, *ALL_SHAPES, PLAIN, SKIPPING)
    yield Group("plain loops", loops, partial(prepare, "still_life", (SIMD,)), SIMD, seconds=4.0, on_request=True)
    both = (MANY, ONE)
    yield Group("straight", both, prepare_straight, ONE, seconds=1.0, controls=both, on_request=True)


def prepare(scene: str, targets: tuple[str, ...], stack: ExitStack) -> Iterator[Case | Missing]:
    """All paint the picture of target scalar: targets, and what is on request where there is one target only."""
    from harness.program import ask, check_equal, kernel_case
    from render import engine

    frame = engine.draw(ask(scene=scene, size=SIZE, target="scalar"))
    assert frame.steps is not None
    check_equal(engine.draw(ask(scene=scene, size=SIZE)).rgb, frame.rgb, "values of the picture")
    facts = {"pixels": SIZE[0] * SIZE[1], "steps": frame.total_steps}
    for name in targets:
        yield kernel_case(name, frame.steps, facts, scene=scene, size=SIZE, target=name)
    if SCALAR not in targets:
        path = stack.enter_context(write_with_all_shapes())
        check_equal(engine.draw(ask(scene=path, size=SIZE)).rgb, frame.rgb, "values of the picture")
        for name, target in ALL_SHAPES.items():
            yield kernel_case(name, frame.steps, facts, scene=path, size=SIZE, target=target)
        yield from prepare_plain(frame, facts)


@contextmanager
def write_with_all_shapes() -> Iterator[str]:
    """Write the scene as it would be if every shape were always near enough to count; give its path."""
    from render.scene import scene_folder

    text = (scene_folder() / "still_life.py").read_text(encoding="utf-8").replace("    is_closer,\n", "")
    with TemporaryDirectory() as folder:
        path = Path(folder) / "all_shapes.py"
        path.write_text(f"{text}\n\ndef is_closer(x, y, z, reach):\n    return reach == reach\n", encoding="utf-8")
        yield str(path)


def prepare_plain(frame: Any, facts: dict[str, Any]) -> Iterator[Case | Missing]:
    """The plain loop, twice."""
    import numba

    from harness import plain_loop
    from harness.program import ask, check_equal
    from harness.timing import THREAD, timed
    from render.frame import Canvas
    from render.language import primitives

    request = ask(scene="still_life", size=SIZE)
    for name, words in ((PLAIN, {primitives.any_lane: numba.njit(plain_loop.always)}), (SKIPPING, {})):
        canvas = Canvas(request.width, request.height, with_steps=True)
        run = plain_loop.loop(plain_loop.paint, request, canvas, plain_loop.LANES, words)
        run()
        check_equal(canvas.rgb, frame.rgb, "values of the picture")
        yield Case(name, timed(run, THREAD), equal=True, facts=facts, clock="thread")


def prepare_straight(stack: ExitStack) -> Iterator[Case | Missing]:
    """Both must leave as many rays alive."""
    from harness import plain_loop
    from harness.cases import Differ
    from harness.program import ask
    from harness.timing import THREAD, timed
    from render.frame import Canvas

    request = ask(scene="still_life", size=SIZE)
    canvas = Canvas(8, 8, with_steps=True)
    many, one = (plain_loop.loop(plain_loop.straight, request, canvas, lanes, {}) for lanes in (plain_loop.LANES, 1))
    if many() != one():
        raise Differ(abs(many() - one()), request.width * request.height, "rays")
    facts = {"steps": request.width * request.height * plain_loop.TOGETHER}
    yield Case(MANY, timed(many, THREAD), facts=facts, clock="thread")
    yield Case(ONE, timed(one, THREAD), facts=facts, clock="thread")
