"""Whole processes: what a person waits for who types the command, with every cache filled before.

    python benchmarks/harness/whole.py PEER FRAME.json OUT.npy

paints a peer's frame once and saves its counts.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

BENCHMARKS = Path(__file__).parent.parent


def run(command: Sequence[str], **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end. Raises Absent where it fails, with the program's cause or its last line."""
    from harness.cases import Absent

    made = subprocess.run(  # noqa: S603  (this Python and this program)
        list(command), env=os.environ | environment, capture_output=True, text=True, check=False
    )
    if made.returncode:
        lines = made.stderr.strip().splitlines() or [f"exit code {made.returncode}"]
        cause = next((line for line in lines if line.startswith("render: ")), lines[-1])
        raise Absent(cause.removeprefix("harness.cases.Absent: ").removeprefix("render: "))
    return made


def folder(stack: ExitStack) -> Path:
    """Make a folder that is removed when the group is measured."""
    return Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="benchmarks-")))


def program(stack: ExitStack, request: Any, expected: np.ndarray) -> Any:
    """`python -m render` as a case, shortcuts on, all CPUs: an .npz with picture and steps. Raises Absent, Differ."""
    import numpy as np

    from harness.program import check_equal
    from harness.timing import timed

    out = folder(stack) / "frame.npz"
    values = request.values | {"shortcuts": 1}
    settings = [word for name, value in values.items() for word in ("--set", f"{name}={value}")]
    size = f"{request.width}x{request.height}"
    command = [sys.executable, "-m", "render", *settings, "--size", size, "--samples", "1"]
    command += ["--limit", str(request.limit), "--precision", request.precision, "--quiet", "--out", str(out)]
    run(command)
    with np.load(out) as saved:
        check_equal(saved["steps"], expected)
    return timed(lambda: run(command))


def peer(stack: ExitStack, name: str, frame: Any, expected: np.ndarray) -> tuple[Any, int]:
    """Start a peer's process as a case, and count the pixels that differ. Raises Absent."""
    import numpy as np

    from harness.timing import timed

    place = folder(stack)
    (place / "frame.json").write_text(json.dumps(frame._asdict()), encoding="utf-8")
    command = [sys.executable, __file__, name, str(place / "frame.json"), str(place / "steps.npy")]
    run(command)
    return timed(lambda: run(command)), int((np.load(place / "steps.npy") != expected).sum())


def main(name: str, frame_file: str, out_file: str) -> None:
    """Paint a peer's frame once and save it."""
    import numpy as np

    import peers

    frame = peers.Frame(**json.loads(Path(frame_file).read_text(encoding="utf-8")))
    out = np.zeros((frame.height, frame.width), np.int32)
    peers.load(name).build(frame)(out)
    np.save(out_file, out)


if __name__ == "__main__":
    sys.path[0] = str(BENCHMARKS)
    main(*sys.argv[1:])
