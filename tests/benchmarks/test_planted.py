"""A kernel that really does a tenth of its work twice is found by its verdict, and nothing else is called slower."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

BENCHMARKS = Path(__file__).parent.parent.parent / "benchmarks"
PASSES, MOST = 6, 18  # at first, and where the machine is so busy that a verdict is AMBIGUOUS: measure longer
PLANTED = "core/whole set f64/painted"

SLOWER = f"""\
import runpy, sys
from pathlib import Path

BENCHMARKS = {str(BENCHMARKS)!r}
sys.path[:1] = [BENCHMARKS, str(Path(BENCHMARKS).parent)]
from render.preparation import Preparation

shared_kernel = Preparation.shared_kernel


def tenth(steps):
    "Find the band of whole patches, 8 rows each, that makes nearest to a tenth of the steps."
    rows, edges = steps.sum(axis=1), range(0, len(steps) + 1, 8)
    bands = [(a, b) for a in edges for b in edges if a < b]
    return min(bands, key=lambda band: abs(rows[slice(*band)].sum() - rows.sum() / 10))


def share_slower(self, request):
    kernel = shared_kernel(self, request)
    paint, found = kernel.paint, []
    if (request.scene, request.precision) != ("mandelbrot", "f64"):
        return kernel

    def twice(canvas, x, y, width, height):
        made = paint(canvas, x, y, width, height)
        if not found:
            found.append(tenth(abs(canvas.steps.astype(int))))
        top, bottom = found[0]
        paint(canvas, x, y + top, width, bottom - top)
        return made

    kernel.paint = twice
    return kernel


Preparation.shared_kernel = share_slower
sys.argv[0] = BENCHMARKS + "/run.py"
runpy.run_path(sys.argv[0], run_name="__main__")
"""


@pytest.mark.slow
def test_a_tenth_of_a_kernels_work_made_twice_is_found_between_two_runs(
    script: Callable[[str], ModuleType], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, passes, process, record, verdicts = map(
        script, ("run", *(f"harness.{name}" for name in ("passes", "process", "record", "verdicts")))
    )
    slower = tmp_path / "slower.py"
    slower.write_text(SLOWER, encoding="utf-8")
    chosen = run.choose(["core/whole set"], quick=True)
    runs = [record.Record({}, {"quick": True}) for _ in range(2)]
    found: dict[str, Any] = {}
    for one in runs:
        one.declare("core", [group for _, group in chosen])
    for upto in range(PASSES, MOST + 1, PASSES):
        plan = passes.QUICK._replace(passes=upto, seconds=600.0)
        for code, one in zip((BENCHMARKS / "run.py", slower), runs, strict=True):
            monkeypatch.setattr(process, "SCRIPT", code)
            passes.run(one, chosen, plan, None, run.environment(str(tmp_path)), lambda _: None)
        found = verdicts.compare(*runs)
        if found[PLANTED].word != verdicts.AMBIGUOUS:
            break

    told = {name: (one.word, one.ratio) for name, one in found.items()}
    assert found[PLANTED].word == verdicts.SLOW, told
    assert {name for name, one in found.items() if one.word in {verdicts.SLOW, verdicts.FAST}} == {PLANTED}, told
