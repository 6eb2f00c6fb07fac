"""A folder that lives as long as a run: what one of its processes compiles, the others load."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path

NAME = "BENCHMARKS_SCRATCH"  # of the environment


@cache
def _make_own() -> str:
    path = tempfile.mkdtemp(prefix="benchmarks-")
    atexit.register(shutil.rmtree, path, ignore_errors=True)
    return path


def folder() -> Path:
    """Return the run's folder; one of this process's own outside of a run, removed when it ends."""
    given = os.environ.get(NAME)
    return Path(given) if given else Path(_make_own())


def build_once(source: Path, compile_to: Callable[[Path], None]) -> Path:
    """Return a library compiled from a source file, by whichever process of the run needs it first."""
    library = folder() / f"{source.stem}{source.suffix.replace('.', '-')}.so"
    if not library.exists():
        beside = library.with_name(f"{os.getpid()}-{library.name}")
        compile_to(beside)
        beside.replace(library)
    return library
