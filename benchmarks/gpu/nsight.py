"""What Nsight Compute says of the program's passes, where it is installed.

    python benchmarks/gpu/nsight.py [f64|f32]

launches one frame of the whole set and one of its interior, for Nsight Compute to look on.
"""

from __future__ import annotations

import csv
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

METRICS = {
    "launch__registers_per_thread": "registers",
    "launch__occupancy_limit_registers": "blocks by registers",
    "sm__warps_active.avg.pct_of_peak_sustained_active": "% of warps active",
    "smsp__issue_active.avg.pct_of_peak_sustained_active": "% of issue slots used",
    "smsp__thread_inst_executed_per_inst_executed.ratio": "lanes an instruction",
    "gpu__time_duration.sum": "ns",
}
FRAMES = ("whole", "interior")
PASSES = 2  # launches of a frame
PATIENCE = 120  # seconds


def describe_passes(precisions: tuple[str, ...]) -> Iterator[str]:
    """Run Nsight Compute, and yield lines of a table; one line with the reason where there is none."""
    ncu = shutil.which("ncu")
    if ncu is None:
        yield "Nsight Compute (ncu) is not installed: no figures of it"
        return
    count = PASSES * len(FRAMES) * len(precisions)
    options = ["--profile-from-start", "off", "--launch-count", str(count), "--csv", "--page", "raw"]
    command = [ncu, *options, "--metrics", ",".join(METRICS), sys.executable, __file__, *precisions]
    try:
        run = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)  # noqa: S603
    except subprocess.TimeoutExpired:
        yield f"Nsight Compute took more than {PATIENCE} seconds: no figures of it"
        return
    lines = [line for line in run.stdout.splitlines() if line.startswith('"')]
    if run.returncode or len(lines) < 2 + count:  # heads, units, and a line a launch
        yield f"Nsight Compute gave no figures: {(run.stderr or run.stdout)[-300:]}"
        return
    heads, _units, *rows = csv.reader(lines)
    yield f"Nsight Compute, {' and '.join(FRAMES)} without shortcuts, each pass: {', '.join(METRICS.values())}"
    for row in rows:
        found = dict(zip(heads, row, strict=True))
        yield f"  {found['Kernel Name'][:14]:16}" + "".join(f"{found.get(one, '?'):>12}" for one in METRICS)


def launch_frames(precisions: list[str]) -> None:
    """Launch one frame of each kind where Nsight Compute looks on."""
    from gpu.program import programs
    from sections.designs import ask
    from sections.gpu import open_bench

    bench = open_bench()
    for precision in precisions:
        for view in FRAMES:
            with programs(bench, painted=ask(precision, view, shortcuts=0)) as made:
                bench.asked(bench.driver.cuProfilerStart())
                made["painted"].launch_once()
                bench.asked(bench.driver.cuProfilerStop())


if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).parent.parent)
    sys.path.insert(1, str(Path(__file__).parent.parent.parent))
    launch_frames(sys.argv[1:] or ["f64"])
