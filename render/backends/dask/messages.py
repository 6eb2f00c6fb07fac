"""The messages between client and workers: plain data. No code travels but the text of a user's scene.

A call names a function of `worker`, which is imported where the call is made. So neither the scheduler nor a worker
needs this package to receive one: a worker without it answers with an ImportError, and dies of nothing.
"""

from __future__ import annotations

import hashlib
import pickle
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from render import scene
from render.parameters import members_of
from render.request import Request
from render.trace import Span
from render.version import VERSION

if TYPE_CHECKING:
    import numpy as np

ROOT = Path(__file__).parents[2]
SCENES = "render-scenes"  # the resource that a worker must be started with to run users' scenes


class Job(NamedTuple):
    """A request as it is sent to a worker.

    run: tells runs apart. request: `Request.as_dict`. numbers: what the scene's `prepare` made, by name. scene, text:
    the name of its file, and what is in it; None for a scene that comes with the program. sha256: of its file; source:
    of this program.
    """

    run: str
    request: dict[str, Any]
    numbers: dict[str, Any]
    scene: str
    text: bytes | None
    sha256: str
    version: str
    source: str


class Refusal(NamedTuple):
    """The answer of a worker that cannot take part."""

    address: str
    why: str


class Greeting(NamedTuple):
    """The answer of a worker that is ready.

    host: its machine, as the cluster names it. machine: the same for all processes of one machine that runs; cpus: how
    many it has; affinity: those that the process may be put on; quota: CPUs' worth of time granted, None: no limit.
    """

    address: str
    host: str
    machine: str
    cpus: int
    affinity: tuple[int, ...]
    quota: float | None
    cpu: str
    kernel: str
    spans: Sequence[Span]


class PaintedTile(NamedTuple):
    """A tile's pixels: rgb (height, width, 3) uint8, counts (height, width) int32 as on the canvas, or None."""

    number: int
    steps: int
    rgb: np.ndarray
    counts: np.ndarray | None


class Reply(NamedTuple):
    """The tiles that a worker has painted, and its spans from t0 to t1, in ns of its own clock.

    error: cause and remedy of the tile that failed, and whether it is the tile that is to blame.
    """

    address: str
    host: str
    tiles: Sequence[PaintedTile]
    spans: Sequence[Span]
    t0: int
    t1: int
    error: tuple[str, str, bool] | None


class Call:
    """A call that is made where it is unpickled."""

    def __init__(self, function: Callable[..., object], *arguments: object) -> None:
        self._call = function, arguments

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        return self._call

    def pickled(self) -> bytes:
        """Pickle it: the function by its name."""
        return pickle.dumps(self)


def describe_job(run: str, request: Request) -> Job:
    """Describe a request for workers."""
    loaded = scene.load(request.scene)
    text = loaded.path.read_bytes()
    numbers = dict(members_of(loaded.prepared(request)))
    own = None if is_bundled(request.scene) else text
    sha256 = hashlib.sha256(text).hexdigest()
    return Job(run, request.as_dict(), numbers, loaded.path.name, own, sha256, VERSION, hash_source())


def is_bundled(name: str) -> bool:
    """Tell if a scene comes with the program, and so is there on every worker."""
    return name in scene.names()


@cache
def hash_source() -> str:
    """Hash the source of this program (SHA-256, hexadecimal), for two versions may have one number."""
    found = hashlib.sha256()
    for path in sorted(ROOT.rglob("*.py")):
        name = path.relative_to(ROOT)
        if name.parts[0] != "scenes":  # told one by one; only a wheel has them here
            found.update(name.as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return found.hexdigest()
