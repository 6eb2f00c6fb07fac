"""Makes the recorded run of a GPU that pages show where there is none, from a saved race on a machine with one.

python benchmarks/record_gpu.py RACE.trace.json "27 November 2026"
"""

from __future__ import annotations

import sys
from pathlib import Path

from render.outputs import page, trace
from render.outputs.page import recorded

UNIT = 5000  # ns: of some ms on a thousand pixels of a screen


def main() -> int:
    """Pack the first run in which a real GPU painted."""
    path, when = sys.argv[1:]
    frame = next(frame for frame in trace.read(path) if frame.trace.multiprocessors)
    data = recorded.pack_run(frame, when, UNIT)
    Path(page.__file__).with_name(recorded.FILE).write_bytes(data)
    print(f"{len(data) / 1000:.0f} kB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
