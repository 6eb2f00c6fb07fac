"""Backends of mode parallel: what a worker is. Each file in this folder is one, loaded by its name on first use.

run(tiles, painter) -> Iterator[Done]        as of a mode; the workers are ready before the first tile is given out
NEEDS_SHARED_CANVAS                          whether workers must be able to open the canvas from other processes
unavailable_reason() -> (reason, remedy) or None   why it starts no workers here, and the way on
"""

from __future__ import annotations

import contextlib
import os
import threading
import warnings
from collections.abc import Iterator, Sequence
from functools import cache
from typing import TYPE_CHECKING, Protocol, cast

from render import registry

if TYPE_CHECKING:
    from render.painting.painter import Done, Painter
    from render.plan import Tile

DEFAULT = "threading"
OWN_OPTIONS = {"cluster": "dask"}  # options that only one backend takes
FILTER_LOCK = threading.Lock()  # threads that set and restore them in turn would leave them changed


class Backend(Protocol):
    """A backend, as each file of this folder is one."""

    NEEDS_SHARED_CANVAS: bool

    def run(self, tiles: Sequence[Tile], painter: Painter) -> Iterator[Done]:
        """Paint the tiles; yield each as it is done."""
        ...

    def unavailable_reason(self) -> tuple[str, str] | None:
        """Say why it starts no workers here and what to do about it; None if it does."""
        ...


def names() -> list[str]:
    """List all backends, the default first."""
    return sorted(registry.names(__path__), key=lambda name: (name != DEFAULT, name))


@cache
def load(name: str) -> Backend:
    """Load a backend by its name. Raises UnknownName."""
    return cast(Backend, registry.load("backend", __name__, name, names()))


# --- what those that go through joblib share ----------------------------------------------------------------


@contextlib.contextmanager
def ignore_warnings() -> Iterator[None]:
    """Import joblib in here, which warns where the system has no semaphores: who needs none does not mind."""
    with FILTER_LOCK, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def start_tracker() -> None:
    """Start loky's process that removes what others leave behind, where it does not run; it would warn of all that."""
    with ignore_warnings():
        from joblib.externals.loky.backend import resource_tracker

        before = os.environ.get("PYTHONWARNINGS")
        os.environ["PYTHONWARNINGS"] = "ignore"
        try:
            resource_tracker.ensure_running()
        finally:
            if before is None:
                del os.environ["PYTHONWARNINGS"]
            else:
                os.environ["PYTHONWARNINGS"] = before


def starts_workers(backend: str) -> bool:
    """Check whether joblib starts several workers in this process; where it may not, it silently falls back."""
    with ignore_warnings():
        try:
            from joblib import effective_n_jobs, parallel_config
        except ValueError:  # JOBLIB_MULTIPROCESSING is no number
            return False
        with parallel_config(backend=backend):
            return bool(effective_n_jobs(2) == 2)
