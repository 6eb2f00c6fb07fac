"""Backends of mode parallel: what a worker is. Each file in this folder is one, loaded by its name on first use.

run(tiles, painter) -> Iterator[Done]        as of a mode; the workers are ready before the first tile is given out
NEEDS_SHARED_CANVAS                          whether workers must be able to open the canvas from other processes
unavailable_reason() -> (reason, remedy) or None   why it starts no workers here, and the way on
"""

from __future__ import annotations

import atexit
import contextlib
import os
import sys
import threading
import warnings
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar, cast

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


class Closable(Protocol):
    """Workers that live on between runs."""

    def close(self) -> None:
        """End them."""
        ...


Kind = TypeVar("Kind", bound=Closable)


class Kept(Generic[Kind]):
    """Workers that no run uses just now, at most so many, the last used at the end; closed as this process ends.

    Threads share them without a lock, which a fork would copy as it is.
    """

    def __init__(self, most: int) -> None:
        self._most, self._kept = most, list[Kind]()
        atexit.register(self.close)
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._kept.clear)  # their threads are not forked

    @contextlib.contextmanager
    def lend(self, fits: Callable[[Kind], bool], make: Callable[[], Kind]) -> Iterator[Kind]:
        """Take one that fits, or make one; keep it after a run that ends well, and close it after any other."""
        one = self._take(fits) or make()
        try:
            yield one
        except BaseException:
            one.close()
            raise
        self._kept.append(one)
        self._close_all_but(self._most)

    def _take(self, fits: Callable[[Kind], bool]) -> Kind | None:
        for one in reversed(self._kept.copy()):
            if fits(one):
                with contextlib.suppress(ValueError):  # another thread was quicker
                    self._kept.remove(one)
                    return one
        return None

    def close(self) -> None:
        """Close all that are kept."""
        self._close_all_but(0)

    def _close_all_but(self, number: int) -> None:
        while len(self._kept) > number:
            with contextlib.suppress(IndexError):  # another thread was quicker
                self._kept.pop(0).close()


# --- what those that go through joblib share ----------------------------------------------------------------


@contextlib.contextmanager
def ignore_warnings() -> Iterator[None]:
    """Import joblib in here, which warns where the system has no semaphores: who needs none does not mind."""
    with FILTER_LOCK, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def start_tracker() -> None:
    """Start loky's process that removes what others leave behind, where it does not run; it would warn of all that.

    That is told by an option of the interpreter: other threads may read the environment, and start processes.
    """
    with ignore_warnings():
        from joblib.externals.loky.backend import resource_tracker

        before = sys.warnoptions[:]
        sys.warnoptions.append("ignore")
        try:
            resource_tracker.ensure_running()
        finally:
            sys.warnoptions[:] = before


def starts_workers(backend: str) -> bool:
    """Check whether joblib starts several workers in this process; where it may not, it silently falls back."""
    with ignore_warnings():
        try:
            from joblib import effective_n_jobs, parallel_config
        except ValueError:  # JOBLIB_MULTIPROCESSING is no number
            return False
        with parallel_config(backend=backend):
            return bool(effective_n_jobs(2) == 2)
