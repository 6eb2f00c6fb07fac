"""The worker's side of a cluster: take in a job, compile for this CPU, paint tiles, report who hangs.

Each process keeps the jobs and the code of its last runs. All of its slots share them.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import platform
import socket
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from distributed import get_worker
from distributed.comm import get_address_host

from render import machine, scene
from render.backends.dask.messages import SCENES, Greeting, Job, PaintedTile, Refusal, Reply, hash_source
from render.errors import RenderError, TileError
from render.frame import Canvas, open_window
from render.painting.handfuls import paint_handfuls
from render.painting.liveness import ThreadWatch
from render.painting.painter import Done, Painter
from render.parameters import make_record
from render.plan import Tile, tile_of
from render.preparation import Preparation
from render.request import Request
from render.runtime.kernel import Kernel
from render.trace import Recorder, Span
from render.version import VERSION

KEPT = 4  # jobs, and scenes


class Prepared(NamedTuple):
    """A job that this process can paint. `request` names the scene's file here."""

    request: Request
    kernel: Kernel
    watch: ThreadWatch
    spans: Sequence[Span]


_LOCK = threading.RLock()
_prepared: dict[str, Prepared] = {}  # by run
_preparations: dict[str, Preparation] = {}  # by the hash of the scene's file


def greet(job: Job) -> Greeting | Refusal:
    """Get ready for a job; say who this is, or why it cannot take part."""
    worker = get_worker()
    why = explain_refusal(job, worker.state.total_resources)
    if why:
        return Refusal(worker.address, why)
    ready = _prepare(job)
    affinity: Callable[[int], set[int]] = getattr(os, "sched_getaffinity", lambda _pid: set(range(machine.affinity())))
    return Greeting(
        address=worker.address,
        host=name_host(worker.address),
        machine=identify_machine(),
        cpus=os.cpu_count() or 1,
        affinity=tuple(sorted(affinity(0))),
        quota=machine.quota(),
        cpu=machine.cpu_name(),
        kernel=ready.kernel.about,
        spans=ready.spans,
    )


def explain_refusal(job: Job, resources: dict[str, float]) -> str:
    """Say why a worker with these resources cannot take part in a job; nothing if it can."""
    if job.version != VERSION:
        return f"it has render {VERSION}, not {job.version}"
    if job.source != hash_source():
        return f"its render {job.version} is not the same program"
    if job.text is None:
        known = scene.names()
        path = scene.scene_folder() / job.scene
        if path.stem not in known or hashlib.sha256(path.read_bytes()).hexdigest() != job.sha256:
            return f"its scene {path.stem} is not the same"
    elif not resources.get(SCENES):
        return f'it was not started to run users\' scenes (--resources "{SCENES}=1")'
    elif hashlib.sha256(job.text).hexdigest() != job.sha256:
        return "the scene's text was damaged on its way"
    return ""


def name_host(address: str) -> str:
    """Name the machine of a worker's address: as the cluster reaches it; or its own name, where that is from within."""
    host = str(get_address_host(address))
    if address.startswith("inproc://") or host in ("localhost", "::1") or host.startswith("127."):
        return socket.gethostname()
    return host


@cache
def identify_machine() -> str:
    """Return what all processes of this machine, since it was started, have in common, and others have not."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:  # another system
        return platform.node()


def _prepare(job: Job) -> Prepared:
    """Load a job's scene and its code, compiled here if that was not done before."""
    with _LOCK:
        known = _prepared.get(job.run)
        if known is None:
            recorder = Recorder()
            request = Request.from_dict(job.request)
            if job.text is not None:
                request = replace(request, scene=str(_store_scene(job.text, job.sha256, job.scene)))
            preparation = _preparations.setdefault(job.sha256, Preparation())
            preparation.load_scene(request.scene).remember(request, make_record(job.numbers))
            kernel = preparation.record_kernel(request, recorder, lambda _text: None)
            watch = ThreadWatch(request)
            known = _prepared[job.run] = Prepared(request, kernel, watch, tuple(recorder.drain()))
            for kept in (_prepared, _preparations):
                while len(kept) > KEPT:
                    del kept[next(iter(kept))]
        return known


def _store_scene(text: bytes, sha256: str, name: str) -> Path:
    """Store the text of a user's scene in the folder of this worker, which Dask removes even after it was killed."""
    path = Path(get_worker().local_directory) / f"scene-{sha256}" / Path(name).name
    if not path.exists():
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(text)
    return path


class WindowPainter(Painter):
    """Paints each tile into a window of its own."""

    def __init__(self, job: Prepared, recorder: Recorder) -> None:
        super().__init__(job.request, Canvas(0, 0, with_steps=False), job.kernel, recorder)
        self.windows: dict[int, Canvas] = {}
        self._watch = job.watch

    def paint(self, tile: Tile) -> Done:
        """Paint the whole tile in one span. Raises TileError."""
        return self._start(tile).paint(tile)

    def slices(self, tile: Tile) -> Iterator[Done]:
        """Paint the tile in slices. Raises TileError."""
        return self._start(tile).slices(tile)

    def _start(self, tile: Tile) -> Painter:
        _, x, y, width, height = tile
        window = self.windows[tile.number] = open_window(self.request, x, y, width, height)
        painter = Painter(self.request, window, self.kernel, self.recorder)
        painter.pace = self.pace
        painter.report_to(self._watch)
        return painter


def paint(job: Job, numbers: Sequence[int], in_flight: int) -> Reply | Refusal:
    """Paint tiles one after the other, or juggling so many of them; what is finished when one fails is sent too."""
    worker = get_worker()
    why = explain_refusal(job, worker.state.total_resources)  # it may have joined after all others were greeted
    if why:
        return Refusal(worker.address, why)
    recorder = Recorder()
    t0 = recorder.clock()
    prepared = _prepare(job)
    painter = WindowPainter(prepared, recorder)
    left = deque(tile_of(prepared.request, number) for number in numbers)
    tiles: list[PaintedTile] = []
    error: tuple[str, str, bool] | None = None
    try:
        for handful in paint_handfuls(lambda: left.popleft() if left else None, painter, in_flight):
            tiles += [_take_window(painter, done) for done in handful.done]
            if handful.error is not None:
                error = _describe_error(handful.error, prepared.request.scene, job.request["scene"])
    finally:
        prepared.watch.leave()
    return Reply(worker.address, name_host(worker.address), tiles, tuple(recorder.drain()), t0, recorder.clock(), error)


def _take_window(painter: WindowPainter, done: Done) -> PaintedTile:
    window = painter.windows.pop(done.tile.number)
    return PaintedTile(done.tile.number, done.steps, window.rgb, window.steps)


def _describe_error(error: RenderError, here: str, there: str) -> tuple[str, str, bool]:
    """Describe an error with the scene's name as the client knows it."""
    cause, remedy = (text.replace(here, there) for text in (error.cause, error.remedy))
    return cause, remedy, isinstance(error, TileError)


def find_hung(run: str) -> tuple[int, float] | None:
    """Return a tile of a run whose thread hangs here, and for how long (s)."""
    prepared: Any = None
    with contextlib.suppress(KeyError):
        prepared = _prepared[run]
    return None if prepared is None else prepared.watch.find_silent()
