"""How many lanes, how many at a time and how often asked: what `targets/simd.py` takes for each class of machine.

    python benchmarks/widths.py [--seconds N] [--precision f64|f32] [CLASS...]

classes: avx512 avx2 sse (all unless named). Each is this CPU with its later instruction sets switched off, in a process
of its own (NUMBA_CPU_FEATURES, which the program honours); `sse` has no fma either, which then comes from the C
library. One frame of each kind: inside the set (only steps), along its boundary (samples end all the time), and
`still_life` (much shading). Steps must be equal before a time counts. Printed are milliseconds of painting that a tenth
of the samples stay under, the least of each frame starred, and the choice marked.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from functools import partial
from itertools import product
from typing import Any

from harness.cases import Case
from harness.timing import core, measure, timed
from harness.verdicts import quick
from render import scene
from render.codegen import host
from render.codegen.program import Width, vector_program
from render.frame import open_canvas
from render.options import complete
from render.request import Request
from render.runtime.cpu import native
from render.targets import simd

CLASSES = {"avx512": (), "avx2": ("avx512",), "sse": ("avx512", "avx", "fma", "vaes", "vpclmulqdq", "f16c", "xop")}
HERE = "--here"
# registers, groups, first steps, block, (taking, moving)
STEPPED = list(product((2, 4, 8), (1, 2), (8, 16), (8, 16), ((16, 0), (4, 2))))
MARCHED = [(registers, 1, 0, 1, cost) for registers in (1, 2, 4) for cost in ((simd.NEVER, 0), (8, 4))]


def frames(precision: str) -> dict[str, Request]:
    """List what is painted, by name."""
    inside = {"x": -0.1, "zoom": 40.0, "shortcuts": 0}
    boundary = {"x": -0.743643887037151, "y": 0.13182590420533, "zoom": 1e5, "shortcuts": 0}
    asked: dict[str, dict[str, Any]] = {
        "inside": {"parameters": inside, "size": (128, 128), "limit": 10_000},
        "boundary": {"parameters": boundary, "size": (320, 320), "limit": 8192},
        "still_life": {"scene": "still_life", "size": (320, 180)},
    }
    return {
        name: complete(**{"scene": "mandelbrot", **options}, samples=1, precision=precision, mode="sequential")
        for name, options in asked.items()
    }


def widths(request: Request) -> dict[str, Width]:
    """List what is tried, by how it is printed; groups of more lanes than a patch has pixels are left out."""
    register = simd.vector_registers()[0] // (8 if request.precision == "f64" else 4)
    tried = {}
    for registers, groups, first, block, (taking, moving) in MARCHED if request.scene == "still_life" else STEPPED:
        if 4 <= registers * register <= 64:
            cost = "never" if taking == simd.NEVER else f"{taking}, {moving}"
            told = f"{registers} {groups} {first:3} {block:3} {cost:6}"
            tried[told] = Width(registers * register, groups, first, block, taking, moving)
    return tried


def kernel(request: Request, width: Width) -> Any:
    """Code for a width."""
    loaded = scene.load(request.scene)
    return native.make_kernel(vector_program(loaded, request, width), loaded, request, "", lambda _: None)


def measure_class(precision: str, seconds: float) -> None:
    """One class of machine, one precision."""
    print(f"\n{simd.vector_registers()[1]}, {precision}, ms: registers, groups, first steps, block, cost of moving")
    for name, request in frames(precision).items():
        chosen, _ = simd.choose_width(scene.load(request.scene), precision)
        tried = widths(request)
        with open_canvas(request, shared=False) as surface:
            codes = {told: kernel(request, width) for told, width in tried.items()}
            paint = {told: partial(code.paint, surface, 0, 0, *request_size(request)) for told, code in codes.items()}
            if len({once() for once in paint.values()}) > 1:
                sys.exit("not all made the same steps: no figure")
            series = measure([Case(told, timed(once)) for told, once in paint.items()], core(), seconds).series
        times = {one.name: quick(one.samples) for one in series}
        least = min(times.values())
        for told, spent in times.items():
            marks = ("*" if spent == least else " ") + (" chosen" if tried[told] == chosen else "")
            print(f"  {name:10} {told} {spent * 1e3:8.2f}{marks}", flush=True)


def request_size(request: Request) -> tuple[int, int]:
    """Width and height of the frame."""
    return request.width, request.height


def main() -> None:
    """Each class in a process of its own."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=20.0, help="of each frame; %(default)s unless told")
    parser.add_argument("classes", nargs="*", metavar="CLASS", choices=[*CLASSES, []], default=[])
    parser.add_argument("--precision", choices=("f64", "f32"))
    parser.add_argument(HERE, action="store_true", help="this process as it is, whatever the classes")
    asked = parser.parse_args()
    precisions = (asked.precision,) if asked.precision else ("f64", "f32")
    if asked.here:
        for precision in precisions:
            measure_class(precision, asked.seconds)
        return
    for name in asked.classes or CLASSES:
        off = CLASSES[name]
        have = [f"-{one}" if one.startswith(off) else f"+{one}" for one in sorted(host.cpu_features())] if off else []
        wanted = {"NUMBA_CPU_FEATURES": ",".join(have)} if off else {}
        words = [sys.executable, __file__, HERE, "--seconds", str(asked.seconds)]
        words += ["--precision", asked.precision] if asked.precision else []
        subprocess.run(words, env=os.environ | wanted, check=True)  # noqa: S603


if __name__ == "__main__":
    main()
